#include "graph/sign_in.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "graph/assertion.h"

namespace veer::test {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kSkew{300};

/// An error of the token endpoint; `number` is that of its AADSTS text.
struct Denial {
  int status;
  std::string error;
  int number;
  std::string text;
};

HttpReply json_reply(int status, const Json& body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json; charset=utf-8"}, {"Cache-Control", "no-store"}},
          .body = body.dump()};
}

HttpReply denied(const Denial& denial, const std::string& host, ServiceTime now) {
  const std::string trace = random_guid();
  const std::string correlation = random_guid();
  std::string time = rfc3339(now);
  time[10] = ' ';
  return json_reply(denial.status,
                    {{"error", denial.error},
                     {"error_description",
                      fmt::format("AADSTS{}: {}\r\nTrace ID: {}\r\nCorrelation ID: {}\r\nTimestamp: {}",
                                  denial.number, denial.text, trace, correlation, time)},
                     {"error_codes", {denial.number}},
                     {"timestamp", time},
                     {"trace_id", trace},
                     {"correlation_id", correlation},
                     {"error_uri", fmt::format("https://{}/error?code={}", host, denial.number)}});
}

Json decoded(const std::string& part) {
  const auto bytes = from_any_base64(part);
  const Json json = Json::parse(bytes.value_or(""), nullptr, false);
  if (!json.is_object()) throw Denial{401, "invalid_client", 50027, "JWT token is invalid or malformed."};
  return json;
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::chrono::seconds time_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer())
    throw Denial{401, "invalid_client", 50027,
                 fmt::format("JWT token is invalid or malformed: no '{}'.", key)};
  return std::chrono::seconds(found->get<std::int64_t>());
}

}  // namespace

HttpReply SignIn::discovery(const std::string& host, const std::string& tenant) const {
  if (tenant != tenant_)
    return denied({400, "invalid_tenant", 90002, fmt::format("Tenant '{}' not found.", tenant)}, host,
                  now_());
  const std::string base = fmt::format("https://{}/{}", host, tenant);
  return json_reply(200, {{"token_endpoint", base + "/oauth2/v2.0/token"},
                          {"authorization_endpoint", base + "/oauth2/v2.0/authorize"},
                          {"jwks_uri", base + "/discovery/v2.0/keys"},
                          {"issuer", base + "/v2.0"},
                          {"token_endpoint_auth_methods_supported",
                           {"client_secret_post", "private_key_jwt", "client_secret_basic"}},
                          {"response_modes_supported", {"query"}},
                          {"response_types_supported", {"code"}},
                          {"scopes_supported", {"openid"}},
                          {"subject_types_supported", {"pairwise"}},
                          {"id_token_signing_alg_values_supported", {"RS256"}},
                          {"tenant_region_scope", "EU"},
                          {"cloud_instance_name", host},
                          {"msgraph_host", host}});
}

HttpReply SignIn::token(const HttpRequest& request, const std::string& host, const std::string& tenant) {
  try {
    if (tenant != tenant_)
      throw Denial{
          400, "invalid_request", 90002,
          fmt::format("Tenant '{}' not found. Check to make sure you have the correct tenant ID.", tenant)};
    auto fields = form_fields(request.body);
    const std::string basic = request.header("authorization");
    if (lower_case(basic).starts_with("basic ")) {
      const std::string pair = from_any_base64(basic.substr(6)).value_or("");
      const std::size_t colon = std::min(pair.find(':'), pair.size());
      fields["client_id"] = percent_decoded(pair.substr(0, colon));
      fields["client_secret"] = percent_decoded(pair.substr(std::min(colon + 1, pair.size())));
    }
    if (fields["grant_type"] != "client_credentials")
      throw Denial{400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type."};
    const auto app = std::find_if(apps_.begin(), apps_.end(),
                                  [&](const GraphApp& one) { return one.id == fields["client_id"]; });
    if (app == apps_.end())
      throw Denial{400, "unauthorized_client", 700016,
                   fmt::format("Application with identifier '{}' was not found in the directory.",
                               fields["client_id"])};
    if (fields.contains("client_assertion")) {
      if (fields["client_assertion_type"] != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        throw Denial{400, "invalid_request", 900144,
                     "The request body must contain 'client_assertion_type'."};
      check_assertion(*app, fields["client_assertion"],
                      fmt::format("https://{}/{}/oauth2/v2.0/token", host, tenant_));
    } else if (!fields.contains("client_secret")) {
      throw Denial{
          401, "invalid_client", 7000218,
          "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."};
    } else if (app->secret.empty() || fields["client_secret"] != app->secret) {
      throw Denial{401, "invalid_client", 7000215, "Invalid client secret provided."};
    }
    return issue(*app, fields["scope"], host);
  } catch (const Denial& denial) {
    return denied(denial, host, now_());
  }
}

void SignIn::check_assertion(const GraphApp& app, const std::string& assertion, const std::string& audience) {
  const auto parts = split(assertion, '.');
  if (parts.size() != 3) throw Denial{401, "invalid_client", 50027, "JWT token is invalid or malformed."};
  const Json header = decoded(parts[0]);
  const Json claims = decoded(parts[1]);
  const bool pss = text_of(header, "alg") == "PS256";
  if (!pss && text_of(header, "alg") != "RS256")
    throw Denial{401, "invalid_client", 700027,
                 "Client assertion contains an invalid signature: the algorithm is not supported."};
  const std::string print = text_of(header, "x5t#S256");
  const std::string old_print = text_of(header, "x5t");
  const auto certificate =
      std::find_if(app.certificates.begin(), app.certificates.end(), [&](const std::string& one) {
        return print.empty() ? thumbprint(one, false) == old_print : thumbprint(one, true) == print;
      });
  if (certificate == app.certificates.end())
    throw Denial{401, "invalid_client", 700027,
                 "The certificate with identifier used to sign the client assertion is not registered on "
                 "application."};
  if (!is_signed(*certificate, pss, parts[0] + "." + parts[1], from_any_base64(parts[2]).value_or("")))
    throw Denial{401, "invalid_client", 700027, "Client assertion contains an invalid signature."};
  if (!is_in_force(*certificate, now_()))
    throw Denial{401, "invalid_client", 700027,
                 "Client assertion contains an invalid signature. [Reason - The key used is expired.]"};
  if (text_of(claims, "aud") != audience)
    throw Denial{401, "invalid_client", 700023,
                 "Client assertion audience claim does not match Realm issuer."};
  if (text_of(claims, "iss") != app.id || text_of(claims, "sub") != app.id)
    throw Denial{401, "invalid_client", 700021,
                 "Client assertion application identifier doesn't match 'client_id' parameter."};
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(now_().time_since_epoch());
  if (time_of(claims, "nbf") > now + kSkew || time_of(claims, "exp") < now - kSkew)
    throw Denial{401, "invalid_client", 700024, "Client assertion is not within its valid time range."};
  if (const std::string id = text_of(claims, "jti"); id.empty() || !seen_.insert(id).second)
    throw Denial{401, "invalid_client", 700030,
                 "The client assertion was used before, or has no identifier."};
}

HttpReply SignIn::issue(const GraphApp& app, const std::string& scope, const std::string& host) {
  if (scope != "https://graph.microsoft.com/.default" && scope != "https://" + host + "/.default") {
    if (scope.ends_with("/.default"))
      throw Denial{400, "invalid_resource", 500011, "The resource principal was not found in the tenant."};
    throw Denial{400, "invalid_scope", 70011,
                 "The provided request must include a 'scope' input parameter that is valid."};
  }
  std::vector<std::string> roles;
  if (app.consented) roles.emplace_back("Sites.Selected");
  if (app.full_control) roles.emplace_back("Sites.FullControl.All");
  const std::string token = "eyJ0eXAiOiJKV1QifQ." + random_hex(600) + "." + random_hex(64);
  tokens_[token] = {app.id, roles, now_() + lifetime_};
  return json_reply(200, {{"token_type", "Bearer"},
                          {"expires_in", lifetime_.count()},
                          {"ext_expires_in", lifetime_.count()},
                          {"access_token", token}});
}

std::optional<Token> SignIn::known(const std::string& bearer) const {
  const auto found = tokens_.find(bearer);
  if (found == tokens_.end() || found->second.expires <= now_()) return std::nullopt;
  return found->second;
}

}  // namespace veer::test

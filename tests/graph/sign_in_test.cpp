#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/digest.h"
#include "graph/assertion.h"
#include "graph/visitor.h"

using namespace veer::test;
using Json = nlohmann::json;

namespace {

// The number of the AADSTS text of a refusal.
int number_of(const HttpsAnswer& answer) {
  const Json json = Json::parse(answer.body, nullptr, false);
  return json.is_object() && json.contains("error_codes") ? json["error_codes"][0].get<int>() : 0;
}

long long seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

HttpsAnswer with_secret(const Visitor& visitor, const std::string& secret, const std::string& more = "") {
  return visitor.https("POST", visitor.token_url(), {},
                       "scope=https://graph.microsoft.com/.default&grant_type=client_credentials&client_id=" +
                           visitor.graph.options().apps[0].id + "&client_secret=" + secret + more);
}

}  // namespace

TEST_CASE("an assertion of the application's certificate gets a token") {
  const Visitor visitor;
  const HttpsAnswer answer = visitor.sign_in(visitor.assertion());
  REQUIRE(answer.status == 200);
  const Json json = Json::parse(answer.body);
  CHECK(json["token_type"] == "Bearer");
  CHECK(json["expires_in"] == 3599);
  CHECK(json["access_token"] != visitor.token);
  CHECK_FALSE(json.contains("refresh_token"));
}

TEST_CASE("the older form of an assertion gets one too") {
  const Visitor visitor;
  const Json header{{"alg", "RS256"},
                    {"x5t#S256", nullptr},
                    {"x5t", thumbprint(Visitor::certificate().certificate, false)}};
  CHECK(visitor.sign_in(visitor.assertion(header)).status == 200);
}

TEST_CASE("an assertion is refused for what is wrong with it") {
  Visitor visitor;
  const auto refused = [&](const Json& header, const Json& claims) {
    const HttpsAnswer answer = visitor.sign_in(visitor.assertion(header, claims));
    CHECK(answer.status == 401);
    CHECK(Json::parse(answer.body)["error"] == "invalid_client");
    return number_of(answer);
  };
  CHECK(refused({{"alg", "salt 20"}}, {}) == 700027);
  CHECK(refused({{"x5t#S256", "AAAA"}}, {}) == 700027);
  CHECK(refused({}, {{"aud", "https://login.example.org/"}}) == 700023);
  CHECK(refused({}, {{"sub", "somebody else"}}) == 700021);
  CHECK(refused({}, {{"exp", seconds_now() - 3600}}) == 700024);
  CHECK(refused({}, {{"nbf", seconds_now() + 3600}}) == 700024);
  CHECK(refused({}, {{"jti", nullptr}}) == 700030);

  static const Certificate kStrange = rsa_certificate();
  CHECK(number_of(visitor.sign_in(visitor.assertion({}, {}, kStrange.key))) == 700027);
  CHECK(number_of(visitor.sign_in("a.b")) == 50027);
  CHECK(number_of(visitor.sign_in("a.b.c")) == 50027);
}

TEST_CASE("an assertion is good for once") {
  const Visitor visitor;
  const std::string assertion = visitor.assertion();
  CHECK(visitor.sign_in(assertion).status == 200);
  CHECK(number_of(visitor.sign_in(assertion)) == 700030);
}

TEST_CASE("a certificate that has expired signs nobody in") {
  Visitor visitor;
  const Certificate old = rsa_certificate({.until = std::chrono::hours(-1)});
  visitor.graph.trust(visitor.graph.options().apps[0].id,
                      {Visitor::certificate().certificate, old.certificate});
  const Json header{{"x5t#S256", thumbprint(old.certificate, true)}};
  CHECK(number_of(visitor.sign_in(visitor.assertion(header, {}, old.key))) == 700027);
  CHECK(visitor.sign_in(visitor.assertion()).status == 200);
}

TEST_CASE("a secret gets a token, in the form or as Basic authentication") {
  Visitor visitor;
  const std::string app = visitor.graph.options().apps[0].id;
  CHECK(number_of(with_secret(visitor, "anything")) == 7000215);
  visitor.graph.set_secret(app, "s~cret 1");
  CHECK(with_secret(visitor, "s~cret%201").status == 200);
  CHECK(number_of(with_secret(visitor, "s~cret%202")) == 7000215);
  const HttpsAnswer basic = visitor.https(
      "POST", visitor.token_url(), {"Authorization: Basic " + veer::base64(app + ":s~cret%201")},
      "grant_type=client_credentials&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default");
  CHECK(basic.status == 200);
}

TEST_CASE("a wrong tenant, application, scope or kind of grant is named") {
  Visitor visitor;
  const std::string app = visitor.graph.options().apps[0].id;
  visitor.graph.set_secret(app, "s");
  const auto ask = [&](const std::string& tenant, const std::string& form) {
    return number_of(
        visitor.https("POST", visitor.graph.login_url() + "/" + tenant + "/oauth2/v2.0/token", {}, form));
  };
  const std::string tenant = visitor.graph.options().tenant;
  const std::string grant = "grant_type=client_credentials&client_secret=s&client_id=" + app;
  CHECK(ask("11111111-0000-4000-8000-000000000000", grant) == 90002);
  CHECK(ask(tenant, "grant_type=client_credentials&client_id=nobody") == 700016);
  CHECK(ask(tenant, "grant_type=client_credentials&client_id=" + app) == 7000218);
  CHECK(ask(tenant, "grant_type=password&client_id=" + app) == 70003);
  CHECK(ask(tenant, grant) == 70011);
  CHECK(ask(tenant, grant + "&scope=User.Read") == 70011);
  CHECK(ask(tenant, grant + "&scope=https://graph.example.org/.default") == 500011);
}

TEST_CASE("the discovery document names the endpoints on the host that was asked") {
  const Visitor visitor;
  const std::string base = visitor.graph.login_url() + "/" + visitor.graph.options().tenant;
  const HttpsAnswer answer = visitor.https("GET", base + "/v2.0/.well-known/openid-configuration");
  REQUIRE(answer.status == 200);
  const Json json = Json::parse(answer.body);
  CHECK(json["token_endpoint"] == visitor.token_url());
  CHECK(json["issuer"] == base + "/v2.0");
  CHECK(visitor.https("HEAD", visitor.graph.login_url() + "/").status == 200);
}

TEST_CASE("a token ends at its time, and when it is revoked") {
  Visitor visitor({.token_lifetime = std::chrono::seconds(600)});
  const std::string drive = "/drives/" + visitor.drive();
  CHECK(visitor.call("GET", drive).status == 200);
  visitor.graph.pass_time(std::chrono::seconds(601));
  const HttpsAnswer late = visitor.call("GET", drive);
  CHECK(late.status == 401);
  CHECK(code_of(late) == "InvalidAuthenticationToken");

  Visitor other;
  other.drive();
  other.graph.revoke_tokens();
  CHECK(other.call("GET", "/drives/" + other.drive()).status == 401);
  CHECK(other.https("GET", other.graph.graph_url() + "/v1.0/drives/" + other.drive()).status == 401);
}

TEST_CASE("consent and the grant of the site decide what a token may do") {
  Visitor visitor;
  const std::string app = visitor.graph.options().apps[0].id;
  const std::string site = "/sites/uitwisseling";
  const std::string find = "/sites/contoso.sharepoint.com:" + site;
  const std::string drive = visitor.drive();

  visitor.graph.grant(app, site, "read");
  CHECK(visitor.call("GET", "/drives/" + drive + "/root/children").status == 200);
  const HttpsAnswer put = visitor.call("PUT", visitor.at("a") + "/content", "x");
  CHECK(put.status == 403);
  CHECK(code_of(put) == "accessDenied");

  visitor.graph.grant(app, site, "");
  CHECK(visitor.call("GET", find).status == 403);
  CHECK(visitor.call("GET", "/drives/" + drive).status == 403);
  CHECK(visitor.call("GET", "/sites/contoso.sharepoint.com:/sites/nowhere").status == 404);
  CHECK(visitor.call("GET", "/sites/other.sharepoint.com:" + site).status == 404);

  visitor.graph.grant(app, site, "write");
  visitor.graph.consent(app, false);
  CHECK(visitor.call("GET", find).status == 200);  // the token still says so
  visitor.token = Json::parse(visitor.sign_in(visitor.assertion()).body)["access_token"];
  const HttpsAnswer bare = visitor.call("GET", find);
  CHECK(bare.status == 403);
  CHECK(code_of(bare) == "AccessDenied");
  CHECK(bare.body.find("Either scp or roles claim need to be present in the token.") != std::string::npos);
}

TEST_CASE("an administrator grants a site, and nobody else does") {
  const std::string admin = "99999999-1111-4222-8333-444455556666";
  GraphOptions options{
      .apps = {GraphApp{.grants = {}}, GraphApp{.id = admin, .secret = "s", .full_control = true}}};
  Visitor visitor(options);
  const std::string app = visitor.graph.options().apps[0].id;
  std::string other = visitor.token;
  const HttpsAnswer answer =
      visitor.https("POST", visitor.token_url(), {},
                    "scope=https://graph.microsoft.com/.default&grant_type=client_credentials"
                    "&client_secret=s&client_id=" +
                        admin);
  visitor.token = Json::parse(answer.body)["access_token"];
  const std::string site = visitor.get("/sites/contoso.sharepoint.com:/sites/uitwisseling")["id"];
  const std::string body =
      Json{{"roles", {"write"}},
           {"grantedToIdentities", {{{"application", {{"id", app}, {"displayName", "x"}}}}}}}
          .dump();
  const std::string granted = "/sites/" + site + "/permissions";

  std::swap(visitor.token, other);
  CHECK(visitor.call("GET", "/sites/" + site).status == 403);
  CHECK(visitor.call("POST", granted, body).status == 403);
  std::swap(visitor.token, other);
  CHECK(visitor.call("POST", granted, body).status == 201);
  CHECK(visitor.get(granted)["value"][0]["roles"] == Json{"write"});
  std::swap(visitor.token, other);
  CHECK(visitor.call("GET", "/sites/" + site).status == 200);
  CHECK(visitor.call("PUT", visitor.at("a") + "/content", "x").status == 201);
}

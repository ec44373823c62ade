#include "connectors/graph_sign_in.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "connectors/client_assertion.h"
#include "connectors/client_certificate.h"
#include "connectors/graph_errors.h"
#include "connectors/graph_json.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random.h"

namespace veer {
namespace {

constexpr std::chrono::seconds kEarly(300);
constexpr std::chrono::seconds kSkewToTell(60);

struct Row {
  int number;  ///< AADSTS…
  Code code;
  std::string_view text;
};

// The numbers are for diagnosis and may change: they choose between texts, never between retrying and not.
constexpr std::array kNumbers = {
    Row{50034, Code::s_rights,
        "the tenant does not know this user or application: check tenant and client_id"},
    Row{53003, Code::s_rights,
        "conditional access keeps the application out: the tenant's administrator lets this machine's "
        "address "
        "sign in"},
    Row{70011, Code::s_rights, "the scope is not known: take share.sharepoint.scope out, or put it right"},
    Row{90002, Code::s_rights,
        "the tenant is not known: put its id (or its domain) in share.sharepoint.tenant, and look whether "
        "share.sharepoint.login is its cloud's"},
    Row{500011, Code::s_rights,
        "the tenant does not know Microsoft Graph under this scope: take share.sharepoint.scope out, or set "
        "it "
        "to the cloud's"},
    Row{700016, Code::s_rights,
        "the tenant knows no such application: put the application (client) id of its registration in "
        "share.sharepoint.client_id, and have the tenant's administrator consent to it"},
    Row{700023, Code::s_rights, "the sign-in was made for another address: check share.sharepoint.login"},
    Row{700024, Code::l_clock, ""},
    Row{700027, Code::s_rights,
        "the registration does not know our certificate, or the key is another one's: an administrator "
        "uploads "
        "the certificate under Certificates & secrets, and it counts some minutes later"},
    Row{700030, Code::s_rights,
        "our certificate is not one that this application may sign in with: an "
        "administrator uploads it under Certificates & secrets"},
    Row{7000215, Code::s_rights,
        "the client secret is wrong: take its value, not its id, from Certificates & secrets"},
    Row{7000222, Code::s_rights,
        "the client secret has expired: make a new one under Certificates & secrets, or better upload a "
        "certificate"},
};

bool is_configuration(std::string_view error) {
  static constexpr std::array kWords = {"invalid_client",      "unauthorized_client",    "invalid_scope",
                                        "invalid_request",     "invalid_grant",          "invalid_resource",
                                        "access_denied",       "unsupported_grant_type", "consent_required",
                                        "interaction_required"};
  return std::find(kWords.begin(), kWords.end(), error) != kWords.end();
}

std::string skew_text(const HttpAnswer& answer, Time now) {
  const auto theirs = answer.date();
  if (!theirs) return "";
  const auto skew = std::chrono::duration_cast<std::chrono::seconds>(now - *theirs);
  if (std::chrono::abs(skew) < kSkewToTell) return "";
  return fmt::format(": this machine's clock is {} s {}", std::chrono::abs(skew).count(),
                     skew.count() > 0 ? "ahead" : "behind");
}

}  // namespace

GraphSignIn::GraphSignIn(const SharePointOptions& options, Http& http, GraphGate& gate, const Clock& clock)
    : options_(options), http_(http), gate_(gate), clock_(clock) {}

std::string GraphSignIn::address() const { return options_.login + "/" + in_path(options_.tenant); }

std::string GraphSignIn::form() const {
  const std::string scope = options_.scope.empty() ? options_.graph + "/.default" : options_.scope;
  std::string text = fmt::format("client_id={}&scope={}&grant_type=client_credentials",
                                 in_form(options_.client_id), in_form(scope));
  if (options_.certificate.empty()) return text + "&client_secret=" + in_form(options_.secret.reveal());
  require_valid(read_certificates(options_.certificate).front(), clock_.now());
  SystemRandom random;
  const Secret assertion = make_assertion({.client_id = options_.client_id,
                                           .audience = address() + "/oauth2/v2.0/token",
                                           .certificate = options_.certificate,
                                           .key = options_.key,
                                           .passphrase = options_.key_passphrase},
                                          clock_.now(), random);
  text += "&client_assertion_type=";
  text += in_form("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  return text + "&client_assertion=" + std::string(assertion.reveal());
}

const Secret& GraphSignIn::token(const Transfer& transfer) {
  const Time now = clock_.now();
  if (!token_.empty() && now >= asked_at_ && now < renew_at_) return token_;
  token_ = Secret();
  SystemRandom random;
  const std::string id = make_uuid(random);
  asked_at_ = now;
  const HttpAnswer answer = ask(id, transfer);
  log(LogLevel::debug, "graph: sign-in {}", answer.status);
  if (answer.status != 200) refuse(answer, id);
  try {
    GraphTicket ticket = parse_ticket(answer.body);
    renew_at_ = asked_at_ + std::max(ticket.lasts - kEarly, ticket.lasts / 2);
    token_ = std::move(ticket.token);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("signing in: {} ({})", error.message(), ids_of({answer, id})));
  }
  return token_;
}

HttpAnswer GraphSignIn::ask(const std::string& id, const Transfer& transfer) {
  GraphAnswer seen{{}, id};
  try {
    return http_.ask(
        {.method = "POST",
         .url = parse_https(address() + "/oauth2/v2.0/token").value(),
         .headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"},
                     {"client-request-id", id}},
         .body = form()},
        [&](const HttpAnswer& head) {
          seen.http = head;
          return nullptr;
        },
        transfer);
  } catch (const Error& error) {
    if (!is_of_the_way(error.code())) throw;
    heed_wait(seen, "signing in", gate_, clock_.now());  // its head came, whatever became of its body
    throw Error(error.code(), fmt::format("signing in: {} (our request id {})", error.message(), id));
  }
}

void GraphSignIn::refuse(const HttpAnswer& answer, const std::string& id) const {
  const GraphAnswer whole{answer, id};
  const SignInProblem problem = parse_sign_in_problem(answer.body);
  if (!is_configuration(problem.error)) {
    heed_wait(whole, "signing in", gate_, clock_.now());
    throw refusal(whole, "signing in");
  }
  for (const Row& row : kNumbers) {
    if (std::find(problem.numbers.begin(), problem.numbers.end(), row.number) == problem.numbers.end())
      continue;
    const std::string text = row.code == Code::l_clock
                                 ? "the sign-in's time is outside what counts" +
                                       skew_text(answer, clock_.now()) +
                                       ": set the clock, and let it be kept (systemd-timesyncd or chrony)"
                                 : std::string(row.text);
    throw Error(row.code, fmt::format("signing in: {} (AADSTS{}; {})", text, row.number, ids_of(whole)));
  }
  throw Error(
      Code::s_rights,
      fmt::format("signing in: refused: check tenant, client_id, and certificate or secret against the "
                  "application's registration{} ({}{}; {})",
                  skew_text(answer, clock_.now()), problem.error,
                  problem.numbers.empty() ? "" : fmt::format(", AADSTS{}", problem.numbers.front()),
                  ids_of(whole)));
}

}  // namespace veer

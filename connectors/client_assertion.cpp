#include "connectors/client_assertion.h"

#include <nlohmann/json.hpp>

#include "connectors/client_certificate.h"
#include "core/digest.h"

namespace veer {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kBackdated(30);  // their clock may be behind ours
constexpr std::chrono::minutes kCounts(8);

std::int64_t seconds_of(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

std::string base64url(std::string_view bytes) {
  std::string text = base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

Secret make_assertion(const AssertionOptions& options, Time now, Random& random) {
  const Json header = {
      {"alg", "PS256"}, {"typ", "JWT"}, {"x5t#S256", base64url(certificate_digest(options.certificate))}};
  const Json claims = {{"aud", options.audience},
                       {"iss", options.client_id},
                       {"sub", options.client_id},
                       {"jti", make_uuid(random)},
                       {"nbf", seconds_of(now - kBackdated)},
                       {"iat", seconds_of(now - kBackdated)},
                       {"exp", seconds_of(now + kCounts)}};
  const std::string text = base64url(header.dump()) + "." + base64url(claims.dump());
  return Secret(text + "." + base64url(sign_ps256(options.key.reveal(), options.passphrase.reveal(), text)));
}

}  // namespace veer

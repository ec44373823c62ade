#pragma once

#include "connectors/alert_channel.h"
#include "connectors/http.h"
#include "core/secret.h"

namespace veer {

/// json: the message as it is (docs/alerts.md). teams: an Adaptive Card for a workflow of Microsoft Teams.
enum class WebhookBody { json, teams };

struct WebhookOptions {
  Secret url;     ///< whoever has it can post there: never shown beyond its host
  Secret secret;  ///< signs; empty: nothing is signed
  WebhookBody body = WebhookBody::json;
  HttpOptions http;
};

/// "sha256=" and the HMAC-SHA-256 in hex of the time in decimal, a point and the body. `seconds`: since 1970.
std::string webhook_signature(const Secret& secret, std::int64_t seconds, std::string_view body);

/// POST to a web address, with the headers Veerdienst-Id, Veerdienst-Timestamp and, when there is a secret,
/// Veerdienst-Signature. Any 2xx is taken for received.
///
/// Errors: as Http, S_THROTTLED (429 and 503, with the wait when it is told), S_UNREACHABLE (other 5xx),
/// S_RIGHTS (401, 403, 404, 410), S_PROTOCOL (any other status; redirects are not followed), C_CREDENTIAL
/// (the address is none). 400, 413 and 422 are about this message alone.
class WebhookChannel : public AlertChannel {
 public:
  explicit WebhookChannel(WebhookOptions options);
  std::string send(const AlertMessage& message, const Transfer& transfer) override;
  Mishap mishap() const override { return mishap_; }

 private:
  WebhookOptions options_;
  HttpsUrl url_;
  Http http_;
  Mishap mishap_ = Mishap::channel;
};

}  // namespace veer

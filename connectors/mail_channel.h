#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "connectors/alert_channel.h"
#include "core/secret.h"

namespace veer {

/// How the way to the mail server is protected. none: for a relay on this machine alone.
enum class MailSecurity { starttls, tls, none };

struct MailOptions {
  std::string host;
  int port = 587;
  MailSecurity security = MailSecurity::starttls;
  std::string user;  ///< empty: without signing in
  Secret password;
  std::string from;
  std::vector<std::string> to;
  std::string ca;  ///< PEM: only servers that these vouch for are talked to. Empty: the system's authorities
  std::chrono::milliseconds timeout = std::chrono::seconds(30);    ///< until all was said
  std::chrono::milliseconds acceptance = std::chrono::minutes(5);  ///< from then on (RFC 5321, 4.5.3.2.6)
};

/// Whether it is an address that may stand in an envelope: printable ASCII, one @, no blanks, quotes or angle
/// brackets, at most 254 bytes (RFC 5321, without its quoted forms).
bool is_mail_address(std::string_view text);

/// Mail by SMTP (libcurl): plain text and HTML, one message to all recipients. Messages about one alert form
/// a thread. A recipient that the server refuses does not keep the others from being told, and is missed().
/// What is refused once the message itself was to come is about that message; no answer after it, a timeout
/// or a connection that breaks, leaves it unanswered.
///
/// Errors: S_UNREACHABLE (no answer, or the server asks to come back: 4xx), S_TIMEOUT, S_HOST_KEY (its
/// certificate is not to be trusted), S_ALGORITHM (it offers no TLS), S_RIGHTS (it refuses the sign-in or the
/// message: 5xx), S_PROTOCOL.
class MailChannel : public AlertChannel {
 public:
  explicit MailChannel(MailOptions options);
  std::string send(const AlertMessage& message, const Transfer& transfer) override;
  std::vector<Missed> missed() const override { return missed_; }
  Mishap mishap() const override { return mishap_; }

 private:
  MailOptions options_;
  std::vector<Missed> missed_;
  Mishap mishap_ = Mishap::channel;
};

}  // namespace veer

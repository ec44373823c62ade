#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "connectors/ftp_reply.h"

namespace veer {

/// What ends a TLS handshake, as far as it makes a difference (RFC 8446, 6.2).
enum class TlsAlert : int {
  handshake_failure = 40,
  bad_certificate = 42,
  unsupported_certificate = 43,
  certificate_revoked = 44,
  certificate_expired = 45,
  certificate_unknown = 46,
  unknown_ca = 48,
  access_denied = 49,
  protocol_version = 70,
  insufficient_security = 71,
  certificate_required = 116,
};

/// What was said in one request of libcurl's: commands, replies, and how TLS went.
class Hearing {
 public:
  std::vector<FtpReply> replies;
  std::size_t bytes = 0;
  bool tls_begun = false;
  bool tls_done = false;  ///< with the server's certificate issued by the pinned authority
  bool certificate_asked = false;
  int alert_received = 0;
  int alert_sent = 0;
  bool out_of_step = false;  ///< a command went out before the one before it was answered

  void command(std::string_view line);
  void line(std::string_view line);
  /// The command that the server answered last, or has still to answer.
  const FtpReply& current() const;
  std::string_view verb() const { return current().verb; }
  int code() const { return current().code; }
  bool opens_data() const { return verb() == "EPSV" || verb() == "PASV"; }
  bool refuses_certificate() const;

 private:
  std::size_t answered_ = 0;  ///< commands whose answer is there
  int unfinished_ = 0;        ///< code of a reply of several lines whose last line is not there yet
};

}  // namespace veer

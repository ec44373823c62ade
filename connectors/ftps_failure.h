#pragma once

#include <string>

#include "connectors/ftps_hearing.h"
#include "connectors/ftps_options.h"

namespace veer {

/// The links of the chain to a server, in the order in which they are forged.
enum class FtpsLink {
  name,
  address,
  tls,
  server_certificate,
  host_name,
  client_certificate,
  login,
  commands
};

/// How libcurl told that a request failed.
struct FtpsEnd {
  int libcurl = 0;          ///< CURLcode
  bool name_known = false;  ///< the host's name was looked up
  bool connected = false;
  long verified = 0;  ///< OpenSSL's verdict on the server's certificate
};

/// What a failed request means: what broke, and what a person can do about it.
class FtpsFailure {
 public:
  FtpsFailure(const FtpsOptions& options, const Hearing& hearing, FtpsEnd end)
      : options_(options), hearing_(hearing), end_(end) {}

  FtpsLink link() const;
  /// Throws it: S_UNREACHABLE, S_TIMEOUT, S_PROTOCOL, S_ALGORITHM, S_HOST_KEY, S_EXPIRED, S_RIGHTS,
  /// C_CREDENTIAL, L_MEMORY.
  [[noreturn]] void raise() const;

 private:
  [[noreturn]] void raise_protection() const;
  [[noreturn]] void raise_handshake() const;
  [[noreturn]] void raise_verification() const;
  [[noreturn]] void raise_connect() const;
  bool distrusts_server() const;

  const FtpsOptions& options_;
  const Hearing& hearing_;
  FtpsEnd end_;
};

/// Throws S_TIMEOUT, and says what was waited for.
[[noreturn]] void throw_ftps_timeout(const FtpsOptions& options, const Hearing& hearing);

/// "ftps.example.org port 21"
std::string place_of(const FtpsOptions& options);

}  // namespace veer

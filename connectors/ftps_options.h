#pragma once

#include <chrono>
#include <string>

#include "core/secret.h"

namespace veer {

/// How TLS begins: after a word on the usual port (AUTH TLS, RFC 4217), or at once on a port of its own.
enum class FtpsTls { explicitly, implicitly };

struct FtpsOptions {
  std::string host;
  int port = 21;
  FtpsTls tls = FtpsTls::explicitly;
  std::string user;
  Secret password;          ///< empty: none
  std::string certificate;  ///< our client certificate, PEM, with what lies between it and its CA
  Secret key;               ///< its private key, PEM
  Secret key_passphrase;    ///< empty: none
  std::string ca;           ///< PEM: only servers that these vouch for are talked to
  std::string outgoing;     ///< folders on the server, from where the sign-in leads to
  std::string incoming;
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< longest wait without progress
};

}  // namespace veer

#pragma once

#include <string_view>

namespace veer {

/// Whether a private key (PEM, PKCS #8 or OpenSSH format) is an RSA key, which libssh2 1.10 can only use with
/// SHA-1, and OpenSSH refuses. False for what is no key, and for an encrypted one.
bool is_rsa_key(std::string_view key);

}  // namespace veer

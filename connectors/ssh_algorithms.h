#pragma once

#include <array>
#include <string>
#include <string_view>

namespace veer {

/// The algorithms of SSH that this program uses, best first, separated by commas.
struct SshAlgorithms {
  const char* key_exchange =
      "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
      "ecdh-sha2-nistp521,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
      "diffie-hellman-group14-sha256";
  const char* host_key = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521";
  const char* cipher = "aes128-ctr,aes256-ctr,aes192-ctr";
  const char* mac = "hmac-sha2-256,hmac-sha2-512";
};

/// Says which of our algorithms a server lacks, and what its owner can do. `hello` is what the server sent
/// first, its version and its offer (RFC 4253, sections 4.2 and 7.1); of one that makes no sense, everything
/// is said to be missing.
std::string what_is_missing(std::string_view hello);

}  // namespace veer

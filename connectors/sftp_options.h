#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "core/secret.h"

namespace veer {

struct SftpOptions {
  std::string host;
  int port = 22;
  std::string user;
  Secret key;                          ///< private key, PEM or OpenSSH format, ed25519 or ECDSA
  std::vector<std::string> host_keys;  ///< "SHA256:" + base64 without padding, as ssh-keygen -lf prints
  std::filesystem::path known_hosts;   ///< instead of pins
  std::string outgoing;                ///< folders on the server
  std::string incoming;
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< longest wait without progress
};

}  // namespace veer

#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"

/// Public keys that are neither pinned nor in the key folder any more: what they signed is to be verified for
/// as long as it counts (Q37).
namespace veer {

struct RetiredKey {
  std::string party;  ///< whose it was
  std::string fingerprint;
  std::string armored;
};

/// Keeps the public half of a key of the key folder in the state folder, before it is removed.
void keep_retired_key(const Config& config, const std::string& party, const std::string& fingerprint);
std::vector<RetiredKey> retired_keys(const Config& config);

}  // namespace veer

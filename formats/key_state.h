#pragma once

#include <optional>
#include <string>

#include "core/clock.h"

namespace veer {

/// What may be done with a key of the folder now.
struct KeyState {
  std::string fingerprint;  ///< the primary key's
  std::string user_id;      ///< as its owner wrote it: pass it through printable() before showing it
  std::string algorithm;    ///< of the primary key, for example "ed25519"
  Time created;
  std::optional<Time> expires;  ///< from when it can no longer both sign and encrypt
  bool revoked = false;
  bool can_sign = false;     ///< holds a subkey that may sign now
  bool can_encrypt = false;  ///< holds a subkey that may be encrypted to now
  bool has_secret = false;   ///< secret halves to sign and to decrypt with are here
  bool has_primary = false;  ///< the secret half that gives subkeys more time is here
  std::optional<Time> primary_expires;
};

}  // namespace veer

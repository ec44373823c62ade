#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/stream.h"

namespace veer {

/// A primary key that configuration pins, and when it counts. Times are inclusive and may be open.
struct PinnedKey {
  std::string fingerprint;  ///< 40 hex digits, upper case: the primary key's
  std::optional<Time> from;
  std::optional<Time> until;
};

/// When a key of the folder can no longer be used.
struct KeyEnd {
  std::string fingerprint;  ///< the primary key's
  std::optional<Time> at;   ///< empty: never
  bool renewable = false;   ///< its subkeys end before its primary: its owner can give them more time
};

/// Who sealed what was opened.
struct Opened {
  std::string signer;  ///< primary fingerprint, one of the counterparty's pinned keys
  Time signed_at;
};

/// Signs, encrypts, and the reverse. Errors:
/// - T_UNSIGNED, T_SIGNER (not a pinned key of the counterparty), T_SIGNATURE, T_INTEGRITY (not whole, not
/// meant for
///   our key alone, not one plain OpenPGP message), T_SIZE (more than the cap): the bytes are bad;
/// - T_KEY_EXPIRED (a known key that has expired, is revoked or is outside its window), L_CLOCK (signed in
/// the
///   future, or before its key existed): the operator's matter, the bytes may be good;
/// - L_KEY, L_ENGINE, L_STOPPED: on our side.
/// Contract: tests/contract/seal_contract.cpp. One thread.
class Seal {
 public:
  virtual ~Seal() = default;
  /// Our own primary fingerprint in force now. Throws L_KEY when there is none.
  virtual std::string own_key() = 0;
  /// The counterparty's primary fingerprint to encrypt to now. Throws L_KEY when there is none.
  virtual std::string counterparty_key() = 0;
  /// Of every key of the folder. Throws L_ENGINE.
  virtual std::vector<KeyEnd> key_ends() = 0;
  /// Signs `plain` with our key, encrypts it to the counterparty's key alone, writes the message to `sealed`.
  virtual void seal(const Blob& plain, Sink& sealed, const Transfer& transfer) = 0;
  /// Opens a message that the counterparty sealed for us. Bytes reach `plain` before they are known to be
  /// good: the caller looks at none of them unless this returns. `plain` caps them by throwing T_SIZE, which
  /// passes through.
  virtual Opened open(const Blob& sealed, Sink& plain, const Transfer& transfer) = 0;
  /// Binary detached signature by our key.
  virtual std::string sign(std::string_view text) = 0;
  /// Checks a binary detached signature by the counterparty, by the same rule as open().
  virtual Opened verify(std::string_view text, std::string_view signature) = 0;
};

}  // namespace veer

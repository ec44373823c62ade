#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "formats/seal.h"

/// The rule by which an OpenPGP message or signature is accepted, as pure functions over what the engine and
/// our ring said about it. GPGME calls unsigned, foreign and half-forged messages a success; these do not. No
/// state.
namespace veer {

/// How far the sender's clock may be ahead of ours.
inline constexpr std::chrono::minutes kClockSkew{10};

/// The key that signed, as our ring has it.
struct SignerFacts {
  std::string primary;          ///< fingerprint of its primary key, 40 hex digits, upper case
  Time created;                 ///< the signing (sub)key's
  std::optional<Time> expires;  ///< the earlier of the signing key's and the primary key's
  bool revoked = false;         ///< either of them
};

struct SignatureFacts {
  enum class Status {
    good,         ///< correct, by a key of the ring
    bad,          ///< does not fit the text
    unknown_key,  ///< by a key that the ring does not hold
    key_expired,
    key_revoked,
    unclear,  ///< the engine could not or would not check it: who and when are claims of whoever sent it
  };
  Status status = Status::unclear;
  std::optional<SignerFacts> signer;  ///< empty when the ring does not hold the key
  std::string named = {};  ///< fingerprint or key id that it names as its key's; a claim unless it is good
  bool key_may_sign = false;
  bool strong_digest = false;  ///< SHA-256 or better
  Time made_at;                ///< whole seconds
};

struct EnvelopeFacts {
  bool whole = false;  ///< decrypted to its end without error, integrity check included
  bool integrity_protected = false;
  std::string cipher;                   ///< "AES256.CFB"
  std::vector<std::string> recipients;  ///< key ids, 16 hex digits; zeros when hidden
  std::string opened_with;              ///< fingerprint of the (sub)key that opened it
  std::string opened_with_primary;      ///< and of its primary key
};

/// Returns when the envelope is whole, AES-256, integrity-protected and for one of `own` alone, whatever that
/// key's window: messages in flight survive a rotation. Throws T_INTEGRITY.
void accept_envelope(const EnvelopeFacts& envelope, const std::vector<PinnedKey>& own);

/// Returns who signed when there is exactly one signature, good, by a key that is pinned in `counterparty`,
/// valid and within its window both when it signed and at `now`. Throws, in this order: T_UNSIGNED;
/// T_SIGNATURE (more than one, bad, or not checkable, unless that is because the pinned key that it names
/// lies in the future: L_CLOCK); T_SIGNER; L_CLOCK; T_KEY_EXPIRED (expired, revoked, outside its window);
/// T_SIGNATURE (weak digest, a key not for signing). What only a checked signature proves is never grounds
/// for waiting: whoever can write on the share could have claimed it.
Opened accept_signature(const std::vector<SignatureFacts>& signatures,
                        const std::vector<PinnedKey>& counterparty, Time now);

/// Whether `time` lies in the window of `key`.
bool in_window(const PinnedKey& key, Time time);
/// The key of `keys` that is in force at `time`: of several, the one whose window began last. Null when there
/// is none.
const PinnedKey* in_force(const std::vector<PinnedKey>& keys, Time time);
/// The key of `keys` with that fingerprint; null when it is not pinned.
const PinnedKey* pinned(const std::vector<PinnedKey>& keys, std::string_view fingerprint);
/// When a pinned key can no longer be used: by its window or, being one of `ends`, by itself, whichever is
/// first. Renewable only in the second case.
KeyEnd end_of(const PinnedKey& key, const std::vector<KeyEnd>& ends);

}  // namespace veer

#include "formats/acceptance.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

[[noreturn]] void expired(const SignerFacts& signer, std::string_view why) {
  throw Error(
      Code::t_key_expired,
      fmt::format("the signer's key {} {}: agree on a new key with the other side, or correct its window",
                  signer.primary, why));
}

// A signature that is dated by a clock that cannot be right, ours or theirs, says nothing about its key.
void require_plausible_clock(const SignatureFacts& signature, Time now) {
  if (signature.made_at > now + kClockSkew || signature.made_at < signature.signer->created ||
      signature.signer->created > now + kClockSkew)
    throw Error(
        Code::l_clock,
        fmt::format(
            "the signature is dated {}, its key {}, and this machine's clock says {}: check the clock "
            "here, then the other side's",
            format_time(signature.made_at), format_time(signature.signer->created), format_time(now)));
}

// The engine checks no signature by a key that was made in the future, be it by a second. When our ring's
// copy says so, our clock is to blame; anything else about such a signature is a mere claim.
[[noreturn]] void refuse_unclear(const SignatureFacts& signature, const PinnedKey* pin, Time now) {
  if (pin != nullptr && signature.signer->created > now)
    throw Error(Code::l_clock,
                fmt::format("the signer's key was made on {}, and this machine's clock says {}: set it",
                            format_time(signature.signer->created), format_time(now)));
  throw Error(Code::t_signature, "its signature cannot be checked");
}

void require_valid_key(const SignatureFacts& signature, const PinnedKey& pin, Time now) {
  using Status = SignatureFacts::Status;
  const SignerFacts& signer = *signature.signer;
  if (signer.revoked || signature.status == Status::key_revoked) expired(signer, "is revoked");
  if (signature.status == Status::key_expired || (signer.expires && *signer.expires <= now))
    expired(signer, "has expired");
  // A window that opened within the second of the signature counts as open.
  const Time latest = signature.made_at + std::chrono::milliseconds(999);
  if ((pin.from && latest < *pin.from) || (pin.until && signature.made_at > *pin.until))
    expired(signer, "signed outside its configured window");
  if (!in_window(pin, now)) expired(signer, "is outside its configured window");
}

}  // namespace

bool in_window(const PinnedKey& key, Time time) {
  return (!key.from || *key.from <= time) && (!key.until || time <= *key.until);
}

const PinnedKey* in_force(const std::vector<PinnedKey>& keys, Time time) {
  const PinnedKey* best = nullptr;
  for (const PinnedKey& key : keys)
    if (in_window(key, time) && (best == nullptr || key.from > best->from)) best = &key;
  return best;
}

const PinnedKey* pinned(const std::vector<PinnedKey>& keys, std::string_view fingerprint) {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const PinnedKey& key) { return key.fingerprint == fingerprint; });
  return found == keys.end() ? nullptr : &*found;
}

KeyEnd end_of(const PinnedKey& key, const std::vector<KeyEnd>& ends) {
  const auto own = std::find_if(ends.begin(), ends.end(),
                                [&](const KeyEnd& end) { return end.fingerprint == key.fingerprint; });
  const bool by_itself = own != ends.end() && own->at && (!key.until || *own->at < *key.until);
  return by_itself ? *own : KeyEnd{.fingerprint = key.fingerprint, .at = key.until};
}

void accept_envelope(const EnvelopeFacts& envelope, const std::vector<PinnedKey>& own) {
  if (!envelope.whole || !envelope.integrity_protected)
    throw Error(Code::t_integrity, "the message is damaged, cut short or not integrity-protected");
  if (envelope.cipher != "AES256.CFB")
    throw Error(Code::t_integrity, "the message is not encrypted with AES-256");
  const bool for_one = envelope.recipients.size() == 1 && envelope.recipients.front().size() == 16 &&
                       envelope.opened_with.ends_with(envelope.recipients.front());
  if (!for_one || pinned(own, envelope.opened_with_primary) == nullptr)
    throw Error(Code::t_integrity, "the message is not encrypted for our key alone");
}

Opened accept_signature(const std::vector<SignatureFacts>& signatures,
                        const std::vector<PinnedKey>& counterparty, Time now) {
  using Status = SignatureFacts::Status;
  if (signatures.empty()) throw Error(Code::t_unsigned, "it is not signed");
  if (signatures.size() > 1) throw Error(Code::t_signature, "it bears more than one signature");
  const SignatureFacts& signature = signatures.front();
  if (signature.status == Status::bad)
    throw Error(Code::t_signature, "its signature does not fit its content");
  const PinnedKey* const pin = signature.signer ? pinned(counterparty, signature.signer->primary) : nullptr;
  if (signature.status == Status::unclear) refuse_unclear(signature, pin, now);
  if (pin == nullptr || signature.status == Status::unknown_key)
    throw Error(Code::t_signer,
                fmt::format("it is signed by a key that is not the other side's (it names {})",
                            signature.named.empty() ? "none" : signature.named));
  require_plausible_clock(signature, now);
  require_valid_key(signature, *pin, now);
  if (!signature.key_may_sign || !signature.strong_digest)
    throw Error(Code::t_signature,
                "its signature is of a kind that the protocol does not allow (weak digest, or a key not for "
                "signing)");
  return {.signer = pin->fingerprint, .signed_at = signature.made_at};
}

}  // namespace veer

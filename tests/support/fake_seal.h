#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "formats/seal.h"

namespace veer::test {

/// A seal without OpenPGP for simulations: the same rules (signer, recipient, windows, integrity, cap, stop),
/// no secrecy worth the name, microseconds instead of processes. Keys are any 40 hex digits. The same keys,
/// time and plaintext give the same bytes, and the plaintext does not show in them.
class FakeSeal : public Seal {
 public:
  FakeSeal(std::vector<PinnedKey> own, std::vector<PinnedKey> counterparty, const Clock& clock)
      : own_(std::move(own)), counterparty_(std::move(counterparty)), clock_(clock) {}

  std::string own_key() override;
  std::string counterparty_key() override;
  /// As a test sets them.
  std::vector<KeyEnd> key_ends() override {
    if (ends_unknown) throw Error(Code::l_engine, "the test says so");
    return ends;
  }
  std::vector<KeyEnd> ends;
  bool ends_unknown = false;
  void seal(const Blob& plain, Sink& sealed, const Transfer& transfer) override;
  Opened open(const Blob& sealed, Sink& plain, const Transfer& transfer) override;
  std::string sign(std::string_view text) override;
  Opened verify(std::string_view text, std::string_view signature) override;

 private:
  Opened accept(const std::string& signer, Time signed_at, bool fits) const;

  std::vector<PinnedKey> own_;
  std::vector<PinnedKey> counterparty_;
  const Clock& clock_;
};

}  // namespace veer::test

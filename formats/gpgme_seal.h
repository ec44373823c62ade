#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/files.h"
#include "core/secret.h"
#include "formats/keyring.h"
#include "formats/seal.h"

namespace veer {

namespace gpg {
class Ring;
}

/// The seal that travels: OpenPGP by gpg, through GPGME. Knows a private key folder (keyring.h) and pinned
/// primary keys; never the user's keyring, a network, or a question to anybody. What it needs of plaintext
/// passes through memory only. One thread. Nothing of its own to survive a crash.
///
/// Two clocks: gpg dates and judges signatures by the system's; windows, expiry and "signed in the future"
/// are judged here by `clock`. In the service they are one.
class GpgmeSeal : public Seal {
 public:
  /// `passphrase` opens our own keys; empty when they have none. Throws nothing about keys yet: see check().
  GpgmeSeal(fs::path home, std::vector<PinnedKey> own, std::vector<PinnedKey> counterparty,
            const Clock& clock, Secret passphrase = {});
  ~GpgmeSeal() override;

  std::string own_key() override;
  std::string counterparty_key() override;
  std::vector<KeyEnd> key_ends() override;
  void seal(const Blob& plain, Sink& sealed, const Transfer& transfer) override;
  /// Besides the seam's errors: T_SIZE as soon as the content is larger than the message, so was compressed,
  /// which the protocol does not allow: no small message can become a large one.
  Opened open(const Blob& sealed, Sink& plain, const Transfer& transfer) override;
  std::string sign(std::string_view text) override;
  Opened verify(std::string_view text, std::string_view signature) override;

  struct RingKey {
    enum class Owner { own, counterparty, foreign };
    Owner owner;
    KeyState state;
  };
  /// Every key of the folder, with whose it is. Throws L_ENGINE.
  std::vector<RingKey> keys();
  /// Throws unless the folder holds exactly the pinned keys, ours with their secret halves: L_KEY with all
  /// that is wrong, L_ENGINE (gpg or its agent does not run, or the folder's settings are not the program's),
  /// L_CLOCK (a key was made in the future). The operations above check the same, but let keys be that are
  /// not pinned.
  /// `besides`: pinned for something else, and to be there too.
  void check(const std::vector<PinnedKey>& besides = {});

 private:
  class Session;
  void look_again();

  fs::path home_;
  std::vector<PinnedKey> own_;
  std::vector<PinnedKey> counterparty_;
  const Clock& clock_;
  Secret passphrase_;
  std::unique_ptr<gpg::Ring> ring_;
};

}  // namespace veer

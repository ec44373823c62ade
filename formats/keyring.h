#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/files.h"
#include "core/secret.h"
#include "formats/key_folder.h"
#include "formats/key_state.h"

/// The OpenPGP keys of a folder (formats/key_folder.h) and what may be done with them. Everything in it
/// survives a crash; an agent that gpg started for it survives its caller too, see stop_agent(). Errors:
/// L_KEY, L_ENGINE. Functions on one folder: one thread at a time.
namespace veer {

struct KeyOptions {
  std::chrono::days primary_life{5 * 365 + 1};  ///< 0: never expires
  std::chrono::days subkey_life{2 * 365};       ///< 0: never expires
  const Secret* passphrase = nullptr;           ///< none: the key is protected by the folder's rights alone
};

/// Makes an Ed25519 primary key that only certifies, an Ed25519 subkey that signs and a Cv25519 subkey that
/// encrypts. Returns the primary key's fingerprint (40 hex digits, upper case). `user_id`: "AII
/// <exchange@aii.example.org>".
std::string create_key(const fs::path& home, const std::string& user_id, const KeyOptions& options = {});

/// Whether this passphrase (null: none) is enough to work with our key; empty when that cannot be tried,
/// since it ended or is not here.
std::optional<bool> opens(const fs::path& home, const std::string& fingerprint, const Secret* passphrase);
/// Throws L_KEY unless it opens().
void require_opens(const fs::path& home, const std::string& fingerprint, const Secret* passphrase);

/// Puts the secret halves of our key that are here under `next`; now they are under `present` (null: none).
/// Throws L_KEY and changes nothing when `present` is wrong. A crash may leave halves under either.
void change_passphrase(const fs::path& home, const std::string& fingerprint, const Secret* present,
                       const Secret& next);

/// The public key, armored, for the other side. Throws L_KEY when the folder does not hold it.
std::string export_public(const fs::path& home, const std::string& fingerprint);

struct PublicKey {
  std::string fingerprint;  ///< the primary key's
  std::string bytes;        ///< as gpg writes it
};
/// The one public key in `key`. Throws L_KEY when there is none, more than one, or a secret one.
PublicKey only_key_of(std::string_view key);

/// The one public key in `key`, as gpg writes it. Its expected primary fingerprint comes by another way
/// (telephone). Throws L_KEY when `key` holds another key, more than one, or a secret one.
std::string only_key_of(std::string_view key, const std::string& fingerprint);

/// Takes in that key, or a newer state of it. Throws what only_key_of() does, and changes nothing then.
void import_public(const fs::path& home, std::string_view key, const std::string& fingerprint);

/// Takes a key out of the folder for good, its secret half included; nothing happens when it is not there.
void remove_key(const fs::path& home, const std::string& fingerprint);

/// Every key of the folder, by fingerprint.
std::vector<KeyState> list_keys(const fs::path& home);

}  // namespace veer

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gpgme.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/secret.h"
#include "formats/key_state.h"

/// Private to the .cpp files of this room that speak GPGME: its handles with an owner, its errors as ours.
namespace veer::gpg {

struct Release {
  void operator()(gpgme_ctx_t context) const { gpgme_release(context); }
  void operator()(gpgme_data_t data) const { gpgme_data_release(data); }
  void operator()(gpgme_key_t key) const { gpgme_key_unref(key); }
};
using Context = std::unique_ptr<gpgme_context, Release>;
using Data = std::unique_ptr<gpgme_data, Release>;
using Key = std::unique_ptr<_gpgme_key, Release>;

/// A context for `home` and nothing else, binary, that never asks anybody for a passphrase. Throws
/// what require_home() does.
Context open_context(const fs::path& home);
/// The same that answers every question for a passphrase with this one, when there is one: for work in which
/// nothing foreign is read. `passphrase` outlives it.
Context open_context(const fs::path& home, const Secret* passphrase);

/// What `error` means for us: L_KEY, L_MEMORY or L_ENGINE.
Error error_of(gpgme_error_t error, std::string_view doing);
inline void check(gpgme_error_t error, std::string_view doing) {
  if (error != GPG_ERR_NO_ERROR) throw error_of(error, doing);
}

/// Refers to `bytes`, which somebody else keeps alive.
Data data_of(std::string_view bytes);
Data empty_data();
/// All that was written to `data`. Ends it.
std::string take(Data data);

enum class Secrets { look, leave };  ///< looking for secret halves starts an agent
/// Every public key of the ring.
std::vector<Key> all_keys(gpgme_ctx_t context, Secrets secrets);

/// The public keys of one folder's ring, with their secret halves, as gpg listed them: listing takes longer
/// than signing, so it is done again only after a few minutes, or when something was written where keys lie.
class Ring {
 public:
  const std::vector<Key>& keys(gpgme_ctx_t context, const fs::path& home);
  void forget() { state_.clear(); }

 private:
  std::vector<Key> keys_;
  std::string state_;
  std::chrono::steady_clock::time_point listed_at_;
};

/// The key with that primary fingerprint; null when the ring does not hold it.
Key find_key(gpgme_ctx_t context, const std::string& fingerprint, Secrets secrets = Secrets::leave);
/// As the context is set, armored or not. `mode`: 0, or GPGME_EXPORT_MODE_SECRET.
std::string export_from(gpgme_ctx_t context, const std::string& fingerprint, gpgme_export_mode_t mode = 0);
/// Takes in whatever `key` holds, and says what that was; the answer lasts until the context's next work.
gpgme_import_result_t import_into(gpgme_ctx_t context, std::string_view key);

/// The part of `key` with that fingerprint: the primary key or a subkey; null when it has none.
gpgme_subkey_t part_of(gpgme_key_t key, std::string_view fingerprint);
KeyState state_of(gpgme_key_t key);
/// From when on `part` no longer counts; empty: never.
std::optional<Time> expiry_of(gpgme_subkey_t part);
/// The earlier of two ends, either of which may never come.
std::optional<Time> earlier(std::optional<Time> a, std::optional<Time> b);
Time time_of(long seconds);

}  // namespace veer::gpg

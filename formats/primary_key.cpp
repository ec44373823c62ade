#include "formats/primary_key.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "formats/gpgme_handles.h"
#include "formats/keyring.h"
#include "formats/throwaway_home.h"

namespace veer {
namespace {

constexpr std::uint64_t kMostOfAKey = std::uint64_t{1} << 20;

gpg::Key require_key(gpgme_ctx_t context, const std::string& fingerprint) {
  gpg::Key key = gpg::find_key(context, fingerprint, gpg::Secrets::look);
  if (!key) throw Error(Code::l_key, fmt::format("the key folder does not hold {}", printable(fingerprint)));
  return key;
}

bool is_whole(gpgme_key_t key) {
  for (gpgme_subkey_t part = key->subkeys; part != nullptr; part = part->next)
    if (!part->secret) return false;
  return true;
}

std::string subkeys_of(gpgme_key_t key) {
  std::string lines;
  for (gpgme_subkey_t part = key->subkeys->next; part != nullptr; part = part->next)
    if (!part->revoked) lines.append(lines.empty() ? "" : "\n").append(part->fpr);
  return lines;
}

void give_time(gpgme_ctx_t context, gpgme_key_t key, std::chrono::days life) {
  const auto seconds = static_cast<unsigned long>(std::chrono::seconds(life).count());
  gpg::check(gpgme_op_setexpire(context, key, seconds, subkeys_of(key).c_str(), 0), "giving a key more time");
}

/// Throws L_KEY unless `secret` is our key, with its primary's secret half, and nothing else.
void take_in_secret(gpgme_ctx_t context, std::string_view secret, const std::string& fingerprint) {
  const gpgme_import_result_t found = gpg::import_into(context, secret);
  const bool alone = found->considered == 1 && found->secret_read == 1;
  const gpg::Key key = gpg::find_key(context, fingerprint, gpg::Secrets::look);
  if (!alone || !key || !key->subkeys->secret)
    throw Error(Code::l_key,
                fmt::format("the file does not hold the secret half of the primary key {}, and nothing else: "
                            "name the file that 'veer keys offline' wrote",
                            fingerprint));
}

void require_usable(std::string_view secret, const std::string& fingerprint, const Secret* passphrase) {
  const ThrowawayHome aside(ThrowawayHome::Secrets::kept);
  const gpg::Context context = gpg::open_context(aside.path(), passphrase);
  take_in_secret(context.get(), secret, fingerprint);
  const gpg::Key key = require_key(context.get(), fingerprint);
  if (!is_whole(key.get())) throw Error(Code::l_engine, "gpg did not write all secret halves of the key");
  give_time(context.get(), key.get(), Renewal().life);
}

KeyState prolong(const fs::path& home, const std::string& fingerprint, const Renewal& renewal) {
  const gpg::Context context = gpg::open_context(home, renewal.passphrase);
  const gpg::Key key = require_key(context.get(), fingerprint);
  const Time now = SystemClock().now();
  if (const auto end = gpg::expiry_of(key->subkeys); end && *end <= now)
    throw Error(Code::l_key,
                fmt::format("the primary key {} itself ended on {}: 'veer keys rotate' makes the "
                            "next one",
                            fingerprint, format_date(date_of(*end))));
  const Time wanted = now + renewal.life;
  for (gpgme_subkey_t part = key->subkeys->next; part != nullptr; part = part->next) {
    const auto end = gpg::expiry_of(part);
    if (!part->revoked && (!end || *end >= wanted))
      throw Error(Code::l_key, fmt::format("a subkey of {} {} already: nothing was changed", fingerprint,
                                           end ? "lasts as long" : "has no end"));
  }
  give_time(context.get(), key.get(), renewal.life);
  const gpg::Key after = require_key(context.get(), fingerprint);
  for (gpgme_subkey_t part = after->subkeys->next; part != nullptr; part = part->next)
    if (!part->revoked && gpg::expiry_of(part) <= gpg::expiry_of(gpg::part_of(key.get(), part->fpr)))
      throw Error(Code::l_engine, "gpg did not give the key more time: look at the key folder");
  return gpg::state_of(after.get());
}

}  // namespace

void take_primary_away(const fs::path& home, const std::string& fingerprint, const fs::path& file,
                       const Secret* passphrase) {
  const gpg::Context context = gpg::open_context(home, passphrase);
  const gpg::Key key = require_key(context.get(), fingerprint);
  if (!gpg::state_of(key.get()).has_secret)
    throw Error(Code::l_key, fmt::format("{} is not a key of ours: its secret halves are not here",
                                         printable(fingerprint)));
  if (!key->subkeys->secret)
    throw Error(Code::l_key, fmt::format("the secret half of the primary key {} is offline already: it is "
                                         "not in the key folder",
                                         printable(fingerprint)));
  gpgme_set_armor(context.get(), 1);
  const Secret secret(gpg::export_from(context.get(), fingerprint, GPGME_EXPORT_MODE_SECRET));
  if (!write_new_file(file, secret.reveal()))
    throw Error(Code::u_usage, fmt::format("{} is there already: nothing was changed, name a new file",
                                           printable(file.native(), 300)));
  try {
    require_usable(Secret(read_file(file, kMostOfAKey)).reveal(), fingerprint, passphrase);
  } catch (const Error&) {
    remove_file(file);
    throw;
  }
  // Whoever finds GnuPG's revocation certificate can end the key; who has the primary can make another one.
  remove_file(home / "openpgp-revocs.d" / fmt::format("{}.rev", key->subkeys->fpr));
  remove_file(home / "private-keys-v1.d" / fmt::format("{}.key", key->subkeys->keygrip));
  const gpg::Context look = gpg::open_context(home);
  const KeyState left = gpg::state_of(require_key(look.get(), fingerprint).get());
  if (left.has_primary || !left.has_secret)
    throw Error(Code::l_engine, fmt::format("the key folder does not hold what it should after this: look at "
                                            "it with 'veer doctor'; {} has the whole key",
                                            printable(file.native(), 300)));
}

KeyState renew_key(const fs::path& home, const std::string& fingerprint, const Renewal& renewal) {
  if (renewal.primary == nullptr) {
    const gpg::Context look = gpg::open_context(home);
    if (!require_key(look.get(), fingerprint)->subkeys->secret)
      throw Error(Code::l_key,
                  "the secret half of the primary key is not in the key folder: say where it is, "
                  "--primary FILE, as 'veer keys offline' wrote it");
    return prolong(home, fingerprint, renewal);
  }
  const std::string known = export_public(home, fingerprint);
  const ThrowawayHome aside(ThrowawayHome::Secrets::kept);
  {
    const gpg::Context context = gpg::open_context(aside.path());
    gpg::import_into(context.get(), known);
    take_in_secret(context.get(), renewal.primary->reveal(), fingerprint);
  }
  const KeyState renewed = prolong(aside.path(), fingerprint, renewal);
  import_public(home, export_public(aside.path(), fingerprint), fingerprint);
  const gpg::Context look = gpg::open_context(home);
  KeyState state = gpg::state_of(require_key(look.get(), fingerprint).get());
  if (state.expires != renewed.expires)
    throw Error(Code::l_engine, "gpg did not keep the key's new dates: look at the key folder's room");
  return state;
}

void forget_killed_work() {
  try {
    remove_left_homes();
  } catch (const Error& error) {
    log(LogLevel::warn, "a secret key that a killed command left in memory cannot be looked for: {}",
        error.message());
  }
}

}  // namespace veer

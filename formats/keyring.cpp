#include "formats/keyring.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "formats/gpgme_handles.h"
#include "formats/throwaway_home.h"

namespace veer {
namespace {

struct Life {
  unsigned long seconds;
  unsigned flags;
};

Life life_of(std::chrono::days days, const KeyOptions& options) {
  const unsigned protection = options.passphrase == nullptr ? GPGME_CREATE_NOPASSWD : 0;
  return {static_cast<unsigned long>(std::chrono::seconds(days).count()),
          protection | GPGME_CREATE_FORCE | (days.count() == 0 ? GPGME_CREATE_NOEXPIRE : 0)};
}

struct Change {
  const Secret* present;  ///< null when there is none, or it was said
  const Secret& next;
};

// gpg does not say which one it asks for: the present one comes first, and once.
gpgme_error_t answer_change(void* hook, const char*, const char*, int, int fd) {
  auto& change = *static_cast<Change*>(hook);
  const Secret* const present = std::exchange(change.present, nullptr);
  const std::string_view text = (present != nullptr ? *present : change.next).reveal();
  const bool written =
      gpgme_io_writen(fd, text.data(), text.size()) == 0 && gpgme_io_writen(fd, "\n", 1) == 0;
  return written ? gpgme_error_t{GPG_ERR_NO_ERROR} : gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_CANCELED);
}

}  // namespace

std::optional<bool> opens(const fs::path& home, const std::string& fingerprint, const Secret* passphrase) {
  const gpg::Context context = gpg::open_context(home, passphrase);
  const gpg::Key key = gpg::find_key(context.get(), fingerprint);
  if (!key) return std::nullopt;
  gpg::check(gpgme_signers_add(context.get(), key.get()), "choosing our key");
  const gpg::Data word = gpg::data_of("veerdienst");
  const gpg::Data signature = gpg::empty_data();
  switch (gpgme_err_code(gpgme_op_sign(context.get(), word.get(), signature.get(), GPGME_SIG_MODE_DETACH))) {
    case GPG_ERR_BAD_PASSPHRASE:
    case GPG_ERR_NO_PASSPHRASE:
    case GPG_ERR_NO_PIN_ENTRY:
    case GPG_ERR_CANCELED:
      return false;
    case GPG_ERR_NO_ERROR:
      return true;
    default:
      return std::nullopt;
  }
}

void require_opens(const fs::path& home, const std::string& fingerprint, const Secret* passphrase) {
  if (opens(home, fingerprint, passphrase).value_or(true)) return;
  throw Error(
      Code::l_key,
      passphrase == nullptr
          ? fmt::format("our key {} is under a passphrase: name it in [openpgp], or with --passphrase-file",
                        fingerprint)
          : fmt::format("this is not the passphrase of our key {}", fingerprint));
}

void change_passphrase(const fs::path& home, const std::string& fingerprint, const Secret* present,
                       const Secret& next) {
  require_opens(home, fingerprint, present);
  const gpg::Context context = gpg::open_context(home, &next);
  const gpg::Key key = gpg::find_key(context.get(), fingerprint);
  if (!key) throw Error(Code::l_key, fmt::format("the key folder does not hold {}", printable(fingerprint)));
  Change change{present, next};
  gpgme_set_passphrase_cb(context.get(), answer_change, &change);
  gpg::check(gpgme_op_passwd(context.get(), key.get(), 0), "changing a passphrase");
  require_opens(home, fingerprint, &next);
}

std::string create_key(const fs::path& home, const std::string& user_id, const KeyOptions& options) {
  prepare_home(home);
  const gpg::Context context = gpg::open_context(home, options.passphrase);
  const Life primary = life_of(options.primary_life, options);
  gpg::check(gpgme_op_createkey(context.get(), user_id.c_str(), "ed25519", 0, primary.seconds, nullptr,
                                primary.flags | GPGME_CREATE_CERT),
             "making a key");
  std::string fingerprint = gpgme_op_genkey_result(context.get())->fpr;
  const gpg::Key key = gpg::find_key(context.get(), fingerprint);
  if (!key) throw Error(Code::l_engine, "gpg made a key and does not find it: look at the key folder");
  const Life subkey = life_of(options.subkey_life, options);
  gpg::check(gpgme_op_createsubkey(context.get(), key.get(), "ed25519", 0, subkey.seconds,
                                   subkey.flags | GPGME_CREATE_SIGN),
             "making a signing subkey");
  gpg::check(gpgme_op_createsubkey(context.get(), key.get(), "cv25519", 0, subkey.seconds,
                                   subkey.flags | GPGME_CREATE_ENCR),
             "making an encryption subkey");
  return fingerprint;
}

std::string export_public(const fs::path& home, const std::string& fingerprint) {
  const gpg::Context context = gpg::open_context(home);
  if (!gpg::find_key(context.get(), fingerprint))
    throw Error(Code::l_key, fmt::format("the key folder does not hold {}", printable(fingerprint)));
  gpgme_set_armor(context.get(), 1);
  return gpg::export_from(context.get(), fingerprint);
}

PublicKey only_key_of(std::string_view key) {
  const ThrowawayHome aside(ThrowawayHome::Secrets::refused);
  const gpg::Context look = gpg::open_context(aside.path());
  const gpgme_import_result_t found = gpg::import_into(look.get(), key);
  const bool secret = found->secret_read > 0;
  const bool alone = found->considered == 1 && found->imported == 1;
  if (secret)
    throw Error(Code::l_key,
                "the file holds a secret key, which must never travel: ask for the public key, and have "
                "the other side make a new one");
  const std::vector<gpg::Key> keys = gpg::all_keys(look.get(), gpg::Secrets::leave);
  if (!alone || keys.size() != 1)
    throw Error(Code::l_key, "the file does not hold exactly one public key: ask for that key alone");
  const std::string fingerprint = keys.front()->fpr;
  return {fingerprint, gpg::export_from(look.get(), fingerprint)};
}

std::string only_key_of(std::string_view key, const std::string& fingerprint) {
  PublicKey only = only_key_of(key);
  if (only.fingerprint != fingerprint)
    throw Error(Code::l_key,
                fmt::format("the file holds the key {} and not {}: compare both with the other side by "
                            "telephone",
                            only.fingerprint, printable(fingerprint)));
  return only.bytes;
}

void import_public(const fs::path& home, std::string_view key, const std::string& fingerprint) {
  const std::string alone = only_key_of(key, fingerprint);
  prepare_home(home);
  const gpg::Context context = gpg::open_context(home);
  gpg::import_into(context.get(), alone);
  if (!gpg::find_key(context.get(), fingerprint))
    throw Error(Code::l_engine, "gpg did not keep the key: look at the key folder's rights and room");
}

void remove_key(const fs::path& home, const std::string& fingerprint) {
  const gpg::Context context = gpg::open_context(home);
  const gpg::Key key = gpg::find_key(context.get(), fingerprint);
  if (!key) return;
  gpg::check(gpgme_op_delete_ext(context.get(), key.get(), GPGME_DELETE_ALLOW_SECRET | GPGME_DELETE_FORCE),
             "removing a key");
}

std::vector<KeyState> list_keys(const fs::path& home) {
  const gpg::Context context = gpg::open_context(home);
  std::vector<KeyState> states;
  for (const gpg::Key& key : gpg::all_keys(context.get(), gpg::Secrets::look))
    states.push_back(gpg::state_of(key.get()));
  std::sort(states.begin(), states.end(),
            [](const KeyState& a, const KeyState& b) { return a.fingerprint < b.fingerprint; });
  return states;
}

}  // namespace veer

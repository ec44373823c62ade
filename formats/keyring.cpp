#include "formats/keyring.h"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "formats/gpgme_handles.h"

namespace veer {
namespace {

// A folder for one look at somebody's key, gone with everything in it. Without an agent gpg cannot keep a
// secret key there, should the file hold one.
class ThrowawayHome {
 public:
  ThrowawayHome() {
    std::string name = (fs::temp_directory_path() / "veer-key-XXXXXX").native();
    if (mkdtemp(name.data()) == nullptr) throw_errno("making a temporary folder");
    path_ = name;
    write_file(path_ / "gpg.conf", fmt::format("{}no-autostart\n", gpg_settings()));
  }
  ~ThrowawayHome() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ThrowawayHome(const ThrowawayHome&) = delete;
  ThrowawayHome& operator=(const ThrowawayHome&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Answers every question for a passphrase with that of the key being made: nothing foreign is read meanwhile.
gpgme_error_t answer_new_passphrase(void* hook, const char*, const char*, int, int fd) {
  const std::string_view passphrase = static_cast<const Secret*>(hook)->reveal();
  const bool written =
      gpgme_io_writen(fd, passphrase.data(), passphrase.size()) == 0 && gpgme_io_writen(fd, "\n", 1) == 0;
  return written ? gpgme_error_t{GPG_ERR_NO_ERROR} : gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_CANCELED);
}

struct Life {
  unsigned long seconds;
  unsigned flags;
};

Life life_of(std::chrono::days days, const KeyOptions& options) {
  const unsigned protection = options.passphrase == nullptr ? GPGME_CREATE_NOPASSWD : 0;
  return {static_cast<unsigned long>(std::chrono::seconds(days).count()),
          protection | GPGME_CREATE_FORCE | (days.count() == 0 ? GPGME_CREATE_NOEXPIRE : 0)};
}

gpg::Key find_key(gpgme_ctx_t context, const std::string& fingerprint) {
  for (gpg::Key& key : gpg::all_keys(context, gpg::Secrets::leave))
    if (key->fpr == fingerprint) return std::move(key);
  return nullptr;
}

std::string export_from(gpgme_ctx_t context, const std::string& fingerprint) {
  gpg::Data out = gpg::empty_data();
  gpg::check(gpgme_op_export(context, fingerprint.c_str(), 0, out.get()), "exporting a public key");
  return gpg::take(std::move(out));
}

gpgme_import_result_t import_into(gpgme_ctx_t context, std::string_view key) {
  const gpg::Data in = gpg::data_of(key);
  gpg::check(gpgme_op_import(context, in.get()), "importing a public key");
  return gpgme_op_import_result(context);
}

}  // namespace

std::string create_key(const fs::path& home, const std::string& user_id, const KeyOptions& options) {
  prepare_home(home);
  const gpg::Context context = gpg::open_context(home);
  if (options.passphrase != nullptr) {
    gpg::check(gpgme_set_pinentry_mode(context.get(), GPGME_PINENTRY_MODE_LOOPBACK),
               "setting the passphrase");
    gpgme_set_passphrase_cb(context.get(), answer_new_passphrase, const_cast<Secret*>(options.passphrase));
  }
  const Life primary = life_of(options.primary_life, options);
  gpg::check(gpgme_op_createkey(context.get(), user_id.c_str(), "ed25519", 0, primary.seconds, nullptr,
                                primary.flags | GPGME_CREATE_CERT),
             "making a key");
  std::string fingerprint = gpgme_op_genkey_result(context.get())->fpr;
  const gpg::Key key = find_key(context.get(), fingerprint);
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
  if (!find_key(context.get(), fingerprint))
    throw Error(Code::l_key, fmt::format("the key folder does not hold {}", printable(fingerprint)));
  gpgme_set_armor(context.get(), 1);
  return export_from(context.get(), fingerprint);
}

std::string only_key_of(std::string_view key, const std::string& fingerprint) {
  const ThrowawayHome aside;
  const gpg::Context look = gpg::open_context(aside.path());
  const gpgme_import_result_t found = import_into(look.get(), key);
  const bool secret = found->secret_read > 0;
  const bool alone = found->considered == 1 && found->imported == 1;
  if (secret)
    throw Error(Code::l_key,
                "the file holds a secret key, which must never travel: ask for the public key, and have "
                "the other side make a new one");
  if (!alone)
    throw Error(Code::l_key, "the file does not hold exactly one public key: ask for that key alone");
  const std::vector<gpg::Key> keys = gpg::all_keys(look.get(), gpg::Secrets::leave);
  if (keys.size() != 1 || keys.front()->fpr != fingerprint)
    throw Error(Code::l_key,
                fmt::format("the file holds the key {} and not {}: compare both with the other side by "
                            "telephone",
                            keys.empty() ? "none" : keys.front()->fpr, printable(fingerprint)));
  return export_from(look.get(), fingerprint);
}

void import_public(const fs::path& home, std::string_view key, const std::string& fingerprint) {
  const std::string alone = only_key_of(key, fingerprint);
  prepare_home(home);
  const gpg::Context context = gpg::open_context(home);
  import_into(context.get(), alone);
  if (!find_key(context.get(), fingerprint))
    throw Error(Code::l_engine, "gpg did not keep the key: look at the key folder's rights and room");
}

void remove_key(const fs::path& home, const std::string& fingerprint) {
  const gpg::Context context = gpg::open_context(home);
  const gpg::Key key = find_key(context.get(), fingerprint);
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

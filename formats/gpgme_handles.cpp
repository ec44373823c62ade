#include "formats/gpgme_handles.h"

#include <algorithm>
#include <mutex>

#include <fmt/format.h>
#include <sys/stat.h>

#include "formats/key_folder.h"

namespace veer::gpg {
namespace {

void start_library() {
  static const bool started = [] {
    if (gpgme_check_version("1.18.0") == nullptr)
      throw Error(Code::l_engine, "GPGME is older than 1.18: install libgpgme11 of Debian 12");
    return true;
  }();
  static_cast<void>(started);
}

// What the subkeys of one purpose add up to: of those that may be used, the last to expire counts.
struct Ability {
  bool present = false;
  bool secret = false;
  std::optional<Time> expires;

  void add(gpgme_subkey_t subkey) {
    secret = secret || subkey->secret != 0;
    if (subkey->revoked || subkey->expired || subkey->disabled || subkey->invalid) return;
    const std::optional<Time> end = expiry_of(subkey);
    expires = !present ? end : (expires && end ? std::max(expires, end) : std::nullopt);
    present = true;
  }
};

// By what tells whether something was written there since; a starting agent sets the folder's mode each time.
std::string written(const fs::path& path) {
  struct stat now {};
  if (stat(path.c_str(), &now) != 0) return "none;";
  return fmt::format("{}:{}:{}:{}.{:09};", now.st_dev, now.st_ino, now.st_size, now.st_mtim.tv_sec,
                     now.st_mtim.tv_nsec);
}

gpgme_error_t note_failure(void* hook, const char* keyword, const char*) {
  if (std::string_view(keyword) == "FAILURE") *static_cast<bool*>(hook) = true;
  return GPG_ERR_NO_ERROR;
}

gpgme_error_t answer(void* hook, const char*, const char*, int, int fd) {
  const std::string_view passphrase = static_cast<const Secret*>(hook)->reveal();
  const bool written =
      gpgme_io_writen(fd, passphrase.data(), passphrase.size()) == 0 && gpgme_io_writen(fd, "\n", 1) == 0;
  return written ? gpgme_error_t{GPG_ERR_NO_ERROR} : gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_CANCELED);
}

}  // namespace

Error error_of(gpgme_error_t error, std::string_view doing) {
  const auto with = [&](Code code, std::string_view advice) {
    return Error(code, fmt::format("{}: {}; {}", doing, gpgme_strerror(error), advice));
  };
  switch (gpgme_err_code(error)) {
    case GPG_ERR_NO_SECKEY:
    case GPG_ERR_NO_PUBKEY:
    case GPG_ERR_UNUSABLE_PUBKEY:
    case GPG_ERR_UNUSABLE_SECKEY:
    case GPG_ERR_BAD_PASSPHRASE:
    case GPG_ERR_NO_PASSPHRASE:
    case GPG_ERR_NO_PIN_ENTRY:
    case GPG_ERR_CANCELED:
    case GPG_ERR_KEY_EXPIRED:
    case GPG_ERR_CERT_EXPIRED:
    case GPG_ERR_CERT_REVOKED:
      return with(Code::l_key, "look at the keys with 'veer doctor'");
    case GPG_ERR_ENOMEM:
      return with(Code::l_memory, "give the service more memory");
    default:
      return with(Code::l_engine, "check that gpg and gpg-agent are installed and run");
  }
}

Context open_context(const fs::path& home) {
  start_library();
  require_home(home);
  // Choosing a folder runs gpg once to learn its version, so it is chosen for all contexts to come.
  static std::mutex choice;
  static fs::path chosen;
  const std::lock_guard lock(choice);
  if (chosen != home) {
    chosen.clear();
    if (gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, nullptr, home.c_str()) != GPG_ERR_NO_ERROR)
      throw Error(Code::l_engine, "gpg cannot be run: install the package gnupg");
    chosen = home;
  }
  gpgme_ctx_t raw = nullptr;
  check(gpgme_new(&raw), "starting GPGME");
  Context context(raw);
  check(gpgme_set_protocol(raw, GPGME_PROTOCOL_OpenPGP), "choosing OpenPGP");
  gpgme_set_armor(raw, 0);
  gpgme_set_textmode(raw, 0);
  gpgme_set_offline(raw, 1);
  check(gpgme_set_pinentry_mode(raw, GPGME_PINENTRY_MODE_ERROR), "forbidding questions");
  return context;
}

Context open_context(const fs::path& home, const Secret* passphrase) {
  Context context = open_context(home);
  if (passphrase == nullptr) return context;
  check(gpgme_set_pinentry_mode(context.get(), GPGME_PINENTRY_MODE_LOOPBACK), "setting the passphrase");
  gpgme_set_passphrase_cb(context.get(), answer, const_cast<Secret*>(passphrase));
  return context;
}

Data data_of(std::string_view bytes) {
  gpgme_data_t raw = nullptr;
  check(gpgme_data_new_from_mem(&raw, bytes.data(), bytes.size(), 0), "handing bytes to GPGME");
  return Data(raw);
}

Data empty_data() {
  gpgme_data_t raw = nullptr;
  check(gpgme_data_new(&raw), "making room for GPGME's answer");
  return Data(raw);
}

std::string take(Data data) {
  std::size_t size = 0;
  const std::unique_ptr<char, decltype(&gpgme_free)> bytes(
      gpgme_data_release_and_get_mem(data.release(), &size), &gpgme_free);
  return bytes ? std::string(bytes.get(), size) : std::string();
}

std::vector<Key> all_keys(gpgme_ctx_t context, Secrets secrets) {
  const gpgme_keylist_mode_t with =
      secrets == Secrets::look ? GPGME_KEYLIST_MODE_WITH_SECRET | GPGME_KEYLIST_MODE_WITH_KEYGRIP : 0;
  check(gpgme_set_keylist_mode(context, GPGME_KEYLIST_MODE_LOCAL | with), "listing the keys");
  // GPGME takes a gpg that gave up for an empty ring.
  bool failed = false;
  check(gpgme_set_ctx_flag(context, "full-status", "1"), "listing the keys");
  gpgme_set_status_cb(context, note_failure, &failed);
  check(gpgme_op_keylist_start(context, nullptr, 0), "listing the keys");
  std::vector<Key> keys;
  gpgme_key_t raw = nullptr;
  gpgme_error_t error = GPG_ERR_NO_ERROR;
  while ((error = gpgme_op_keylist_next(context, &raw)) == GPG_ERR_NO_ERROR) keys.emplace_back(raw);
  if (gpgme_err_code(error) != GPG_ERR_EOF) check(error, "listing the keys");
  gpgme_set_status_cb(context, nullptr, nullptr);
  if (failed) throw Error(Code::l_engine, "gpg could not list the keys: check that the key folder is whole");
  return keys;
}

const std::vector<Key>& Ring::keys(gpgme_ctx_t context, const fs::path& home) {
  static constexpr std::chrono::minutes kLongest{5};
  const auto now = std::chrono::steady_clock::now();
  const std::string state = written(home / "pubring.kbx") + written(home / "private-keys-v1.d");
  if (state != state_ || now - listed_at_ > kLongest) {
    state_.clear();
    keys_ = all_keys(context, Secrets::look);
    state_ = state;
    listed_at_ = now;
  }
  return keys_;
}

Key find_key(gpgme_ctx_t context, const std::string& fingerprint, Secrets secrets) {
  for (Key& key : all_keys(context, secrets))
    if (key->fpr == fingerprint) return std::move(key);
  return nullptr;
}

std::string export_from(gpgme_ctx_t context, const std::string& fingerprint, gpgme_export_mode_t mode) {
  Data out = empty_data();
  check(gpgme_op_export(context, fingerprint.c_str(), mode, out.get()), "exporting a key");
  return take(std::move(out));
}

gpgme_import_result_t import_into(gpgme_ctx_t context, std::string_view key) {
  const Data in = data_of(key);
  check(gpgme_op_import(context, in.get()), "importing a key");
  return gpgme_op_import_result(context);
}

gpgme_subkey_t part_of(gpgme_key_t key, std::string_view fingerprint) {
  gpgme_subkey_t subkey = key->subkeys;
  while (subkey != nullptr && fingerprint != subkey->fpr) subkey = subkey->next;
  return subkey;
}

KeyState state_of(gpgme_key_t key) {
  Ability sign;
  Ability encrypt;
  for (gpgme_subkey_t subkey = key->subkeys; subkey != nullptr; subkey = subkey->next) {
    if (subkey->can_sign) sign.add(subkey);
    if (subkey->can_encrypt) encrypt.add(subkey);
  }
  const std::unique_ptr<char, decltype(&gpgme_free)> algorithm(gpgme_pubkey_algo_string(key->subkeys),
                                                               &gpgme_free);
  return {.fingerprint = key->fpr,
          .user_id = key->uids != nullptr ? key->uids->uid : "",
          .algorithm = algorithm ? algorithm.get() : "",
          .created = time_of(key->subkeys->timestamp),
          .expires = earlier(expiry_of(key->subkeys), earlier(sign.expires, encrypt.expires)),
          .revoked = key->revoked != 0,
          .can_sign = sign.present && !key->revoked && !key->expired,
          .can_encrypt = encrypt.present && !key->revoked && !key->expired,
          .has_secret = sign.secret && encrypt.secret,
          .has_primary = key->subkeys->secret != 0,
          .primary_expires = expiry_of(key->subkeys)};
}

std::optional<Time> expiry_of(gpgme_subkey_t part) {
  return part->expires == 0 ? std::nullopt : std::optional(time_of(part->expires));
}

std::optional<Time> earlier(std::optional<Time> a, std::optional<Time> b) {
  if (!a || !b) return a ? a : b;
  return std::min(a, b);
}

Time time_of(long seconds) { return Time(std::chrono::seconds(seconds)); }

}  // namespace veer::gpg

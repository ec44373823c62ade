#include "formats/throwaway_home.h"

#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "formats/key_folder.h"

namespace veer {
namespace {

constexpr std::string_view kSecretPrefix = "veer-secret-key-";

/// Seconds. A younger folder may belong to somebody who is about to lock it.
constexpr std::time_t kYoung = 60;

fs::path made_in(const fs::path& place, std::string_view prefix) {
  std::string name = (place / prefix).native() + "XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw_errno("making a temporary folder");
  return name;
}

fs::path memory() {
  static const fs::path kMemory = "/dev/shm";
  return access(kMemory.c_str(), W_OK | X_OK) == 0 ? kMemory : fs::temp_directory_path();
}

void remove_home(const fs::path& home, ThrowawayHome::Secrets secrets) {
  try {
    if (secrets == ThrowawayHome::Secrets::kept) stop_agent(home);
  } catch (const std::exception& error) {
    log(LogLevel::warn, "the OpenPGP agent could not be ended: {}", error.what());
  }
  std::error_code error;
  fs::remove_all(home, error);
  if (error)
    log(LogLevel::warn, "the temporary key folder {} could not be removed: {}", home.native(),
        error.message());
}

}  // namespace

void remove_left_homes() {
  const fs::path place = memory();
  for (const std::string& name : names_in(place)) {
    if (!name.starts_with(kSecretPrefix)) continue;
    const fs::path home = place / name;
    struct stat status {};
    const bool ours =
        lstat(home.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid();
    if (!ours || std::time(nullptr) - status.st_mtime < kYoung) continue;
    if (const auto lock = FolderLock::try_take(home)) remove_home(home, ThrowawayHome::Secrets::kept);
  }
}

ThrowawayHome::ThrowawayHome(Secrets secrets) : secrets_(secrets) {
  if (secrets == Secrets::refused) {
    path_ = made_in(fs::temp_directory_path(), "veer-key-");
    write_file(path_ / "gpg.conf", fmt::format("{}no-autostart\n", gpg_settings()));
    return;
  }
  remove_left_homes();
  path_ = made_in(memory(), kSecretPrefix);
  lock_ = FolderLock::try_take(path_);
  if (!lock_)
    throw Error(Code::l_lock, "another command works with a secret key at this moment: say this again");
  prepare_home(path_);
}

ThrowawayHome::~ThrowawayHome() { remove_home(path_, secrets_); }

}  // namespace veer

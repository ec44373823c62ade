#include "formats/primary_key.h"

#include <algorithm>
#include <functional>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "formats/gpgme_seal.h"
#include "formats/keyring.h"
#include "support/gpg_home.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kUser = "AII <exchange@aii.example.org>";
constexpr std::chrono::days kYear{365};

std::size_t secrets_in(const GpgHome& home) { return names_in(home.path() / "private-keys-v1.d").size(); }

KeyState only_key(const GpgHome& home) {
  const auto keys = list_keys(home.path());
  REQUIRE(keys.size() == 1);
  return keys.front();
}

/// Whether the seal signs with the key.
bool works(const GpgHome& home, const std::string& key, Secret passphrase = {}) {
  const SystemClock clock;
  const std::vector<PinnedKey> pins = {{key, std::nullopt, std::nullopt}};
  GpgmeSeal seal(home.path(), pins, pins, clock, std::move(passphrase));
  seal.check();
  return !seal.sign("text").empty();
}

/// Folders for secret keys that nobody works with, and that were not removed.
std::size_t left_behind() {
  std::size_t count = 0;
  for (const fs::path& place : {fs::path("/dev/shm"), fs::temp_directory_path()})
    for (const std::string& name : names_in(place)) {
      struct stat status {};
      if (name.starts_with("veer-secret-key-") && stat((place / name).c_str(), &status) == 0 &&
          status.st_uid == geteuid() && !FolderLock::is_taken(place / name))
        ++count;
    }
  return count;
}

}  // namespace

TEST_CASE("a primary key is in its file, private, before it leaves the folder, where the rest goes on") {
  const GpgHome home;
  const TempFolder safe;
  const std::string key = create_key(home.path(), kUser);
  CHECK(only_key(home).has_primary);
  REQUIRE(secrets_in(home) == 3);
  const fs::path revocation = home.path() / "openpgp-revocs.d" / (key + ".rev");
  REQUIRE(fs::exists(revocation));
  take_primary_away(home.path(), key, safe / "primary.asc", nullptr);
  CHECK_FALSE(fs::exists(revocation));
  struct stat status {};
  REQUIRE(stat((safe / "primary.asc").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(secrets_in(home) == 2);
  CHECK_FALSE(only_key(home).has_primary);
  CHECK(only_key(home).has_secret);
  CHECK(works(home, key));
  CHECK(code_of([&] { take_primary_away(home.path(), key, safe / "again.asc", nullptr); }) == Code::l_key);
  CHECK(names_in(safe.path()).size() == 1);
  CHECK(left_behind() == 0);

  const GpgHome restored;
  restored.gpg("--import", read_file(safe / "primary.asc"));
  CHECK(only_key(restored).has_primary);
  CHECK(only_key(restored).has_secret);
}

TEST_CASE("what is no key of ours, or would replace a file, is refused, and nothing is changed") {
  const GpgHome home;
  const GpgHome other;
  const TempFolder safe;
  const std::string key = create_key(home.path(), kUser);
  const std::string theirs = other.create_key(kUser);
  home.take_key(other, theirs);
  write_file(safe / "taken", "something");
  const auto refused = [&](const std::string& fingerprint, const char* file) {
    return code_of([&] { take_primary_away(home.path(), fingerprint, safe / file, nullptr); });
  };
  CHECK(refused(key, "taken") == Code::u_usage);
  CHECK(read_file(safe / "taken") == "something");
  CHECK(refused(theirs, "new") == Code::l_key);
  CHECK(refused(std::string(40, '0'), "new") == Code::l_key);
  CHECK(refused(key, "no/such/folder") == Code::l_io);
  CHECK(names_in(safe.path()).size() == 1);
  CHECK(secrets_in(home) == 3);
}

TEST_CASE("subkeys are given more time under the same fingerprint, from the folder or from the safe") {
  const GpgHome home;
  const TempFolder safe;
  const auto offline = GENERATE(false, true);
  const auto has_passphrase = GENERATE(false, true);
  CAPTURE(offline, has_passphrase);
  const Secret word(std::string("fictitious words"));
  const Secret* const passphrase = has_passphrase ? &word : nullptr;
  const std::string key =
      create_key(home.path(), kUser, {.subkey_life = std::chrono::days(30), .passphrase = passphrase});
  const KeyState before = only_key(home);
  Secret primary;
  if (offline) {
    take_primary_away(home.path(), key, safe / "primary.asc", passphrase);
    CHECK(code_of([&] { renew_key(home.path(), key, {.passphrase = passphrase}); }) == Code::l_key);
    primary = Secret(read_file(safe / "primary.asc"));
  }
  const KeyState after = renew_key(
      home.path(), key, {.life = kYear, .primary = offline ? &primary : nullptr, .passphrase = passphrase});
  CHECK(after.fingerprint == key);
  CHECK(*before.expires < SystemClock().now() + 31 * 24h);
  CHECK(*after.expires > SystemClock().now() + 364 * 24h);
  CHECK(*after.expires < SystemClock().now() + 366 * 24h);
  CHECK(after.primary_expires == before.primary_expires);
  CHECK(only_key(home).expires == after.expires);
  CHECK(only_key(home).has_primary == !offline);
  CHECK(secrets_in(home) == (offline ? 2 : 3));
  CHECK(works(home, key, has_passphrase ? Secret(std::string(word.reveal())) : Secret()));
  CHECK(left_behind() == 0);
}

TEST_CASE("a key is put under a passphrase and under another, with its primary here or in a safe") {
  const GpgHome home;
  const TempFolder safe;
  const auto offline = GENERATE(false, true);
  CAPTURE(offline);
  const Secret first(std::string("fictitious words"));
  const Secret second(std::string("other words"));
  const std::string key = create_key(home.path(), kUser);
  if (offline) take_primary_away(home.path(), key, safe / "primary.asc", nullptr);
  CHECK(opens(home.path(), key, nullptr) == true);
  change_passphrase(home.path(), key, nullptr, first);
  CHECK(opens(home.path(), key, nullptr) == false);
  CHECK(opens(home.path(), key, &second) == false);
  CHECK(code_of([&] { change_passphrase(home.path(), key, &second, second); }) == Code::l_key);
  CHECK(code_of([&] { change_passphrase(home.path(), key, nullptr, second); }) == Code::l_key);
  CHECK(opens(home.path(), key, &first) == true);
  change_passphrase(home.path(), key, &first, second);
  CHECK(opens(home.path(), key, &first) == false);
  CHECK(works(home, key, Secret(std::string(second.reveal()))));
  // Each of its halves: the one that decrypts, and the primary.
  const std::string sealed = home.gpg("--trust-model always -e -r " + key, "text");
  CHECK(home.gpg("--pinentry-mode loopback --passphrase 'other words' -d", sealed) == "text");
  if (!offline) renew_key(home.path(), key, {.life = 3 * kYear, .passphrase = &second});
  CHECK(secrets_in(home) == (offline ? 2 : 3));
}

TEST_CASE("the other side takes in the new dates of a key that it knows") {
  const GpgHome home;
  const GpgHome other;
  const std::string key = create_key(home.path(), kUser, {.subkey_life = std::chrono::days(30)});
  other.take_key(home, key);
  const KeyState renewed = renew_key(home.path(), key, {.life = kYear});
  CHECK(only_key(other).expires < renewed.expires);
  other.take_key(home, key);
  CHECK(only_key(other).expires == renewed.expires);
}

TEST_CASE("a key is not renewed to an earlier day, nor with a file that does not hold its primary") {
  const GpgHome home;
  const GpgHome other;
  const std::string key = create_key(home.path(), kUser);
  const std::string theirs = other.create_key(kUser);
  const auto refused = [&](Renewal renewal) {
    return code_of([&] { renew_key(home.path(), key, renewal); });
  };
  const KeyState before = only_key(home);
  CHECK(refused({.life = kYear}) == Code::l_key);
  for (const std::string& file :
       {other.gpg("--armor --export-secret-keys " + theirs), home.gpg("--armor --export " + key),
        home.gpg("--armor --export-secret-subkeys " + key),
        home.gpg("--armor --export-secret-keys " + key) + other.gpg("--armor --export-secret-keys " + theirs),
        std::string("no key"), std::string("")}) {
    const Secret primary{std::string(file)};
    CHECK(refused({.life = 3 * kYear, .primary = &primary}) == Code::l_key);
  }
  CHECK(only_key(home).expires == before.expires);
  CHECK(secrets_in(home) == 3);
  CHECK(left_behind() == 0);
}

TEST_CASE("a folder with a secret key that a killed process left is removed by the next") {
  const GpgHome home;
  const std::string key = create_key(home.path(), kUser, {.subkey_life = std::chrono::days(30)});
  const fs::path left = "/dev/shm/veer-secret-key-left00";
  make_folder(left);
  write_file(left / "key", "secret");
  fs::last_write_time(left, fs::file_time_type::clock::now() - 1h);
  const Secret primary{home.gpg("--armor --export-secret-keys " + key)};
  renew_key(home.path(), key, {.life = kYear, .primary = &primary});
  CHECK_FALSE(fs::exists(left));
}

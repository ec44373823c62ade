#include "formats/keyring.h"

#include <cstdio>
#include <functional>
#include <memory>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "core/error.h"
#include "support/gpg_home.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kUser = "AII <exchange@aii.example.org>";

std::string message_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

}  // namespace

TEST_CASE("a new key certifies with its primary, signs and encrypts with subkeys, and expires in time") {
  const GpgHome home;
  const std::string fingerprint = create_key(home.path(), kUser);
  const std::vector<KeyState> keys = list_keys(home.path());
  REQUIRE(keys.size() == 1);
  const KeyState& key = keys.front();
  CHECK(key.fingerprint == fingerprint);
  CHECK(fingerprint.size() == 40);
  CHECK(key.user_id == kUser);
  CHECK(key.algorithm == "ed25519");
  CHECK(key.can_sign);
  CHECK(key.can_encrypt);
  CHECK(key.has_secret);
  CHECK_FALSE(key.revoked);
  REQUIRE(key.expires);
  CHECK(*key.expires > key.created + 24h * 729);
  CHECK(*key.expires < key.created + 24h * 731);

  const std::string listing = home.gpg("--with-colons --list-keys");
  CHECK(listing.find(":cESC:") != std::string::npos);
  CHECK(listing.find(":s:") != std::string::npos);
  CHECK(listing.find(":e:") != std::string::npos);
  CHECK(listing.find("cv25519") != std::string::npos);
}

TEST_CASE("a key may be made without an end, next to an older one of the same name") {
  const GpgHome home;
  const std::string first = home.create_key(kUser);
  const std::string second = home.create_key(kUser);
  CHECK(first != second);
  const std::vector<KeyState> keys = list_keys(home.path());
  REQUIRE(keys.size() == 2);
  CHECK_FALSE(keys.front().expires);
}

TEST_CASE("a public key that was exported is taken in elsewhere, and again, without its secret half") {
  const GpgHome home;
  const GpgHome other;
  const std::string fingerprint = home.create_key(kUser);
  const std::string key = export_public(home.path(), fingerprint);
  CHECK(key.starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"));
  import_public(other.path(), key, fingerprint);
  import_public(other.path(), key, fingerprint);
  const std::vector<KeyState> keys = list_keys(other.path());
  REQUIRE(keys.size() == 1);
  CHECK(keys.front().fingerprint == fingerprint);
  CHECK(keys.front().can_encrypt);
  CHECK_FALSE(keys.front().has_secret);
}

TEST_CASE("a file that is not exactly the expected public key changes nothing") {
  const GpgHome home;
  const GpgHome other;
  const std::string expected = home.create_key(kUser);
  const std::string second = home.create_key(kUser);
  const auto refused = [&](const std::string& file, const std::string& fingerprint) {
    return code_of([&] { import_public(other.path(), file, fingerprint); });
  };
  CHECK(refused(export_public(home.path(), second), expected) == Code::l_key);
  CHECK(refused(home.gpg("--armor --export " + expected + " " + second), expected) == Code::l_key);
  CHECK(refused(export_public(home.path(), expected) + export_public(home.path(), second), expected) ==
        Code::l_key);
  CHECK(refused(home.gpg("--armor --export-secret-keys " + expected), expected) == Code::l_key);
  CHECK(refused("not a key", expected) == Code::l_key);
  CHECK(refused("", expected) == Code::l_key);
  CHECK(refused(export_public(home.path(), expected), "exchange@aii.example.org") == Code::l_key);
  CHECK(list_keys(other.path()).empty());
}

TEST_CASE("the message about a wrong key names the one that came, for comparing by telephone") {
  const GpgHome home;
  const std::string came = home.create_key(kUser);
  const GpgHome other;
  CHECK(message_of([&] {
          import_public(other.path(), export_public(home.path(), came), std::string(40, '0'));
        }).find(came) != std::string::npos);
}

TEST_CASE("a secret key that somebody sent is called by its name, and is not kept") {
  const GpgHome home;
  const std::string key = home.create_key(kUser);
  const std::string secret = home.gpg("--armor --export-secret-keys " + key);
  const GpgHome other;
  CHECK(message_of([&] { import_public(other.path(), secret, key); }).find("a secret key") !=
        std::string::npos);
  CHECK_FALSE(fs::exists(other.path() / "private-keys-v1.d"));
  CHECK(list_keys(other.path()).empty());
}

TEST_CASE("a key that is taken out is gone with its secret half, and the others stay") {
  const GpgHome home;
  const std::string old = home.create_key(kUser);
  const std::string kept = home.create_key(kUser);
  const auto secrets = [&] { return names_in(home.path() / "private-keys-v1.d").size(); };
  const std::size_t before = secrets();
  remove_key(home.path(), old);
  REQUIRE(list_keys(home.path()).size() == 1);
  CHECK(list_keys(home.path()).front().fingerprint == kept);
  CHECK(list_keys(home.path()).front().has_secret);
  CHECK(secrets() == before / 2);
  remove_key(home.path(), old);
  CHECK(list_keys(home.path()).size() == 1);
}

TEST_CASE("what is not in the folder cannot be exported") {
  const GpgHome home;
  CHECK(code_of([&] { export_public(home.path(), std::string(40, '0')); }) == Code::l_key);
}

TEST_CASE("a key folder is made private, with settings that are the program's") {
  const TempFolder folder;
  const fs::path home = folder / "keys";
  CHECK(code_of([&] { require_home(home); }) == Code::l_key);
  CHECK(prepare_home(home).empty());
  struct stat status {};
  REQUIRE(stat(home.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  CHECK(read_file(home / "gpg.conf").find("disable-dirmngr") != std::string::npos);
  CHECK_NOTHROW(require_settings(home));
  CHECK(prepare_home(home).empty());
}

TEST_CASE("settings that somebody changed, added or removed are told, and put right when asked") {
  const TempFolder folder;
  const fs::path home = folder / "keys";
  prepare_home(home);
  const auto [name, text] = GENERATE(table<std::string, std::string>({{"gpg.conf", "max-output 100000\n"},
                                                                      {"gpg.conf", ""},
                                                                      {"gpg-agent.conf", "# changed\n"},
                                                                      {"gpg.conf-2", ""},
                                                                      {"gpg.conf-2.2.40", "armor\n"}}));
  INFO(name);
  const std::string settings = read_file(home / "gpg.conf") + read_file(home / "gpg-agent.conf");
  write_file(home / name, text);
  CHECK(code_of([&] { require_settings(home); }) == Code::l_engine);
  CHECK(message_of([&] { require_settings(home); }).find(name) != std::string::npos);
  CHECK(read_file(home / name) == text);
  CHECK(prepare_home(home) == std::vector{name});
  CHECK_NOTHROW(require_settings(home));
  CHECK(read_file(home / "gpg.conf") + read_file(home / "gpg-agent.conf") == settings);
  remove_file(home / "gpg-agent.conf");
  CHECK(code_of([&] { require_settings(home); }) == Code::l_engine);
  CHECK(prepare_home(home).empty());
  CHECK_NOTHROW(require_settings(home));
}

TEST_CASE("a key folder that others may enter, or whose path is too long for an agent, is refused by name") {
  const TempFolder folder;
  const fs::path open = folder / "open";
  fs::create_directory(open);
  fs::permissions(open, fs::perms(0750));
  CHECK(code_of([&] { prepare_home(open); }) == Code::l_key);

  const std::size_t rest = kLongestHome - folder.path().native().size() - 1;
  const fs::path longest = folder / std::string(rest, 'x');
  REQUIRE(longest.native().size() == 86);
  const std::string fingerprint = create_key(longest, kUser, {.primary_life = 0 * std::chrono::days(1)});
  CHECK(list_keys(longest).front().has_secret);
  stop_agent(longest);
  const fs::path longer = folder / std::string(rest + 1, 'y');
  CHECK(code_of([&] { create_key(longer, kUser); }) == Code::l_key);
  CHECK(message_of([&] { prepare_home(longer); }).find("87 characters") != std::string::npos);
  CHECK_FALSE(fs::exists(longer));
}

TEST_CASE("an agent ends when told to, and telling twice does no harm") {
  const GpgHome home;
  home.create_key(kUser);
  const auto answers = [&] {
    const std::string command = "gpg-connect-agent --no-autostart --homedir '" + home.path().native() +
                                "' 'GETINFO pid' /bye 2>/dev/null";
    const std::unique_ptr<FILE, decltype(&pclose)> pipe(popen(command.c_str(), "r"), &pclose);
    char line[64] = {};
    return fgets(line, sizeof line, pipe.get()) != nullptr && line[0] == 'D';
  };
  CHECK(answers());
  stop_agent(home.path());
  CHECK_FALSE(answers());
  stop_agent(home.path());
}

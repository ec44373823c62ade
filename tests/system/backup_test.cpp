// A backup beside a running service, the loss of everything after it, and the way back.

#include <algorithm>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/files.h"
#include "support/canary.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;

namespace {

struct Agencies {
  Installation both;
  fs::path backup = both.path("avsb-backup");

  void must(const std::string& party, const std::string& command, int exit_code = 0) const {
    const ShellResult result = both.veer(party, command);
    CAPTURE(party, command, result.output);
    REQUIRE(result.exit_code == exit_code);
  }
  std::string list_of(int years_ago) const {
    return fmt::format("inburgeringsplicht-{}.csv", both.year() - years_ago);
  }
  bool is_recorded(const std::string& name) const {
    return fs::exists(both.path("drop") / (name + ".result.txt")) &&
           has(both.note(name), "Recorded at the receiver");
  }
  std::size_t registered() const { return json_of(both, "avsb", "status")["register"].size(); }
  void back_up() const { must("avsb", "backup " + backup.native()); }
  /// All that AVSB had, and its configuration.
  void lose() const {
    fs::remove_all(both.path("avsb"));
    fs::remove(both.config("avsb"));
  }
};

bool is_whole(const fs::path& backup) {
  const ShellResult sums = shell("cd " + backup.native() + " && sha256sum --quiet -c SHA256SUMS 2>&1");
  INFO(sums.output);
  return sums.exit_code == 0;
}

}  // namespace

TEST_CASE(
    "AVSB comes back from a backup taken beside the running service, and a resend brings what it lost") {
  Agencies a;
  auto aii = a.both.serve("aii");
  auto avsb = a.both.serve("avsb");
  a.both.drop(a.list_of(2), fictitious_csv(10, 4));
  wait_until([&] { return a.is_recorded(a.list_of(2)); });
  a.back_up();
  CHECK(is_whole(a.backup));
  a.both.drop(a.list_of(1), fictitious_csv(10, 5));
  wait_until([&] { return a.is_recorded(a.list_of(1)); });
  REQUIRE(a.registered() == 2);

  CHECK(has(a.both.veer("avsb", "restore --none-erased " + a.backup.native()).output, "L_LOCK"));
  avsb->end(SIGKILL);
  a.lose();
  CHECK(has(a.both.veer("avsb", "restore " + a.backup.native()).output, "say --none-erased"));
  CHECK_FALSE(fs::exists(a.both.path("avsb")));
  a.must("avsb", "restore --none-erased " + a.backup.native());
  a.must("avsb", "doctor");
  CHECK(a.registered() == 1);
  a.must("avsb", "audit verify");
  CHECK(has(a.both.veer("avsb", "status").output, "RESTORED"));

  const auto again = a.both.serve("avsb");
  std::string lost;
  for (const json& x : json_of(a.both, "aii", "list"))
    if (x["reference_year"] == a.both.year() - 1) lost = x["exchange"];
  a.must("aii", "resend " + lost);
  CHECK(has(a.both.veer("avsb", "status").output, "SUSPENDED"));
  CHECK(a.registered() == 1);
  a.must("avsb", "resume");
  wait_until([&] { return a.registered() == 2; });
  CHECK(again->end(SIGTERM) == 0);
  CHECK(aii->end(SIGTERM) == 0);
  a.must("avsb", "audit verify");
}

TEST_CASE("a backup is for its owner alone, holds keys and credentials, and is no place of the instance's") {
  Agencies a;
  CHECK(has(a.both.veer("avsb", "backup " + a.backup.native()).output, "there are no books yet"));
  CHECK_FALSE(fs::exists(a.backup));
  a.must("avsb", "run --once");
  write_file(a.both.path("avsb") / "sftp-key", "not a key");
  fs::create_symlink("/nowhere", a.both.path("avsb") / "link");
  write_file(a.both.config("avsb"),
             read_file(a.both.config("avsb")) +
                 fmt::format("\n[distribution]\nmembers_at_least = 1\n"
                             "care_funds = [{{ name = \"fund1\", key = \"{}\", share = {{ kind = \"sftp\", "
                             "sftp = {{ host = \"fund1.example.org\", user = \"avsb\", "
                             "key = \"file:/etc/fund1-key\", known_hosts = \"/etc/fund1-hosts\" }} }} }}]\n",
                             std::string(40, 'A')));
  const json made = json_of(a.both, "avsb", "backup " + a.backup.native());
  CHECK(made["party"] == "avsb");
  CHECK(made["audit"]["seq"] == json_of(a.both, "avsb", "audit verify")["seq"]);
  // The link, the account's key, which lies with the server here, and what lets AVSB in at the fund's.
  const auto left_out = made["left_out"].get<std::vector<std::string>>();
  CHECK(left_out.size() == 4);
  for (const char* of_fund : {"/etc/fund1-key", "/etc/fund1-hosts"})
    CHECK(std::count(left_out.begin(), left_out.end(), of_fund) == 1);
  CHECK(read_file(a.backup / "state/sftp-key") == "not a key");
  CHECK_FALSE(fs::is_empty(a.backup / "state/gnupg/private-keys-v1.d"));
  for (const auto& entry : fs::recursive_directory_iterator(a.backup)) {
    struct stat status {};
    REQUIRE(stat(entry.path().c_str(), &status) == 0);
    CAPTURE(entry.path());
    CHECK((status.st_mode & 077) == 0);
  }
  CHECK(has(a.both.veer("avsb", "backup " + a.backup.native()).output, "is there already"));
  CHECK(a.both.veer("avsb", "backup " + (a.both.path("avsb") / "b").native()).exit_code == 2);
  CHECK_FALSE(fs::exists(a.backup.native() + ".part"));
  CHECK(has(a.both.veer("avsb", "backup " + (a.both.path("no") / "where").native()).output,
            "mount what it is on"));
  CHECK_FALSE(fs::exists(a.both.path("no")));
}

TEST_CASE("a backup that lost or changed a byte is not restored") {
  Agencies a;
  a.must("avsb", "run --once");
  a.back_up();
  a.lose();
  const auto refused = [&](const std::string& why) {
    for (const char* how : {"restore --check ", "restore --none-erased "}) {
      const ShellResult told = a.both.veer("avsb", how + a.backup.native());
      CAPTURE(told.output);
      CHECK(told.exit_code == 1);
      CHECK(has(told.output, why));
    }
    CHECK_FALSE(fs::exists(a.both.path("avsb")));
    CHECK_FALSE(fs::exists(a.both.config("avsb")));
  };
  const std::string config = read_file(a.backup / "config.toml");
  write_file(a.backup / "config.toml", config + "\n");
  refused("config.toml is damaged");
  write_file(a.backup / "config.toml", config);
  fs::rename(a.backup / "state/avsb.public.asc", a.both.path("key"));
  refused("it lacks state/avsb.public.asc");
  fs::rename(a.both.path("key"), a.backup / "state/avsb.public.asc");
  const std::string sums = read_file(a.backup / "SHA256SUMS");
  write_file(a.backup / "SHA256SUMS", sums + std::string(64, '0') + "  ../aii.toml\n");
  refused("names files elsewhere");
  fs::remove(a.backup / "SHA256SUMS");
  refused("has no SHA256SUMS");
  write_file(a.backup / "SHA256SUMS", sums);
  a.must("avsb", "restore --check " + a.backup.native());
  CHECK_FALSE(fs::exists(a.both.path("avsb")));
  a.must("avsb", "restore --none-erased " + a.backup.native());
  a.must("avsb", "doctor");
}

TEST_CASE("a restore overwrites nothing: neither a state, nor another configuration") {
  Agencies a;
  a.must("avsb", "run --once");
  a.back_up();
  const ShellResult full = a.both.veer("avsb", "restore --none-erased " + a.backup.native());
  CHECK(full.exit_code == 1);
  CHECK(has(full.output, "is not empty: move it aside"));
  fs::rename(a.both.path("avsb"), a.both.path("avsb.lost"));
  replace_line(a.both.config("avsb"), "poll ", "poll = \"7m\"");
  const ShellResult other = a.both.veer("avsb", "restore --none-erased " + a.backup.native());
  CHECK(other.exit_code == 1);
  CHECK(has(other.output, "differs from the configuration of the backup"));
  CHECK_FALSE(fs::exists(a.both.path("avsb")));
  fs::remove(a.both.config("avsb"));
  a.must("avsb", "restore --none-erased " + a.backup.native());
  for (const std::string& name : names_in(a.both.path(""))) CHECK_FALSE(has(name, ".restoring"));
  a.must("avsb", "run --once", 3);
}

TEST_CASE("a key folder and a database that lie elsewhere are backed up and restored with the rest") {
  Agencies a;
  fs::rename(a.both.path("avsb") / "gnupg", a.both.path("ring"));
  make_folder(a.both.path("books"));
  replace_line(a.both.config("avsb"), "home ", "home = \"" + a.both.path("ring").native() + "\"");
  replace_line(
      a.both.config("avsb"), "language ",
      "language = \"en\"\n[database]\nurl = \"sqlite:" + (a.both.path("books") / "b.db").native() + "\"");
  std::string text = read_file(a.both.config("avsb"));
  const std::size_t at = text.find("[database]");
  const std::string table = text.substr(at, text.find("\n", text.find("url", at)) - at);
  write_file(a.both.config("avsb"), text.erase(at, table.size()) + "\n" + table + "\n");
  a.must("avsb", "run --once");
  a.back_up();
  for (const char* folder : {"ring", "books"}) fs::remove_all(a.both.path(folder));
  a.lose();
  a.must("avsb", "restore --none-erased " + a.backup.native());
  a.must("avsb", "doctor");
  CHECK(fs::exists(a.both.path("books") / "b.db"));
  CHECK(fs::exists(a.both.path("ring") / "pubring.kbx"));
  CHECK_FALSE(fs::exists(a.both.path("avsb") / "ledger.db"));
  shell("gpgconf --homedir " + a.both.path("ring").native() + " --kill gpg-agent 2>/dev/null");
}

TEST_CASE("a state folder that is a volume of its own is backed up and restored without leaving it") {
  Agencies a;
  a.must("avsb", "run --once");
  const fs::path state = a.both.path("avsb");
  fs::create_directory(state / "lost+found");
  a.back_up();
  CHECK_FALSE(fs::exists(a.backup / "state/lost+found"));
  a.lose();
  fs::create_directory(state);
  REQUIRE(shell("mount -t tmpfs -o mode=700 none " + state.native() + " 2>&1").exit_code == 0);
  fs::create_directory(state / "lost+found");
  write_file(state / "foreign", "x");
  const ShellResult full = a.both.veer("avsb", "restore --none-erased " + a.backup.native());
  CHECK(has(full.output, "move what lies in it aside"));
  fs::remove(state / "foreign");
  const ShellResult restored = a.both.veer("avsb", "restore --none-erased " + a.backup.native());
  CAPTURE(restored.output);
  CHECK(restored.exit_code == 0);
  CHECK_FALSE(fs::exists(state.native() + ".restoring"));
  CHECK_FALSE(fs::exists(state / ".restoring"));
  a.must("avsb", "doctor");
  fs::create_directory(state / ".restoring");  // as a power cut leaves it
  CHECK(has(a.both.veer("avsb", "run --once").output, "was cut off"));
  fs::remove(state / ".restoring");
  shell("gpgconf --homedir " + (state / "gnupg").native() + " --kill all; umount " + state.native());
}

// What doctor says of an instance, each with the fault that makes it say so. (Share and rights:
// setup_test.cpp. The machine around it: tests/unit/daemon/machine_test.cpp.)

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/clock.h"
#include "core/files.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;

namespace {

std::string day(int days) { return format_date(date_of(SystemClock().now() + std::chrono::days(days))); }

void expect(const Installation& both, int exit_code, const std::string& line) {
  const ShellResult result = both.veer("avsb", "doctor");
  CAPTURE(line, result.output);
  CHECK(result.exit_code == exit_code);
  CHECK(has(result.output, line));
}

}  // namespace

TEST_CASE("doctor tells of a configuration that others may change, for it names the keys that count") {
  const Installation both;
  for (const unsigned mode : {0660U, 0646U}) {
    fs::permissions(both.config("avsb"), fs::perms(mode));
    expect(both, 1, "fail  configuration: " + both.config("avsb").native() + " may be changed by others");
  }
  fs::permissions(both.config("avsb"), fs::perms(0644));
  expect(both, 0, "ok    configuration: ");
}

TEST_CASE("doctor tells of a key whose time is over, is to come, or that none follows") {
  const Installation both;
  const std::string own = json_of(both, "avsb", "keys export")["fingerprint"];
  const std::string theirs = json_of(both, "aii", "keys export")["fingerprint"];
  const auto pin = [&](const std::string& line, const std::string& key, const std::string& dates) {
    replace_line(both.config("avsb"), line, fmt::format("{} = [{{ key = \"{}\"{} }}]", line, key, dates));
  };
  pin("own", own, ", until = " + day(30));
  expect(both, 3, "warn  our keys: none counts for 90 days more: make the next one with 'veer keys rotate'");
  pin("own", own, ", until = " + day(200));
  pin("keys", theirs, ", until = " + day(30));
  expect(both, 3, "warn  their keys: none counts for 90 days more: ask the other side");
  pin("keys", theirs, "");
  pin("own", own, "");

  const json made = json_of(both, "avsb", "keys rotate --from " + day(20));
  expect(both, 0, "ok    our keys: " + made["fingerprint"].get<std::string>() + " counts from " + day(20));
  std::string text = read_file(both.config("avsb"));
  for (const auto& [from, to] : {std::pair{day(20), day(-1)}, std::pair{day(80), day(-1)}})
    text.replace(text.find(from), 10, to);
  write_file(both.config("avsb"), text, 0640);
  expect(both, 3, "warn  our keys: the time of " + own + " is over: 'veer keys retire' it");
}

TEST_CASE("doctor tells of a key in the ring that is not pinned, and of a pinned one that is not there") {
  const Installation both;
  const std::string home = (both.path("avsb") / "gnupg").native();
  REQUIRE(both.veer("avsb", "keys create 'Stranger <stranger@example.org>'").exit_code == 0);
  expect(both, 1, "which is not configured: remove it ('veer keys retire'");
  for (const json& key : json_of(both, "avsb", "keys show"))
    if (has(key["user_id"], "Stranger"))
      REQUIRE(both.veer("avsb", "keys retire " + key["fingerprint"].get<std::string>()).exit_code == 0);
  expect(both, 0, "ok    key ring: holds exactly the keys");
  const std::string theirs = json_of(both, "aii", "keys export")["fingerprint"];
  REQUIRE(shell("gpg --homedir " + home + " --batch --yes --delete-keys " + theirs + " 2>&1").exit_code == 0);
  expect(both, 1, "does not hold the pinned primary key " + theirs);
}

TEST_CASE("doctor tells of a key that has little time left, on either side") {
  const Installation both;
  const std::string home = (both.path("aii") / "gnupg").native();
  const std::string theirs = json_of(both, "aii", "keys export")["fingerprint"];
  REQUIRE(
      shell("gpg --homedir " + home + " --batch --quick-set-expire " + theirs + " 30d '*' 2>&1").exit_code ==
      0);
  REQUIRE(shell(fmt::format("{} --config {} keys export >{} 2>/dev/null", VEER_PROGRAM,
                            both.config("aii").native(), both.path("key").native()))
              .exit_code == 0);
  REQUIRE(
      both.veer("avsb", "keys import " + both.path("key").native() + " --fingerprint " + theirs).exit_code ==
      0);
  expect(both, 3,
         "warn  key …" + theirs.substr(32) +
             ": 30 day(s) left: ask the other side to renew it, and take it in with 'veer keys import'");
  CHECK(has(both.veer("aii", "doctor").output,
            "warn  key …" + theirs.substr(32) + ": 30 day(s) left: 'veer keys renew' gives it more time"));
}

TEST_CASE("doctor has the service that runs try the share, with what only that was given") {
  const Installation both;
  const std::string line = text_in(both.config("aii"));
  const std::size_t at = line.find("key = \"file:") + 12;
  const fs::path lent = both.path("lent");
  fs::create_directory(lent);
  fs::copy_file(line.substr(at, line.find('"', at) - at), lent / "sftp-key");
  replace_line(both.config("aii"), "key = \"file:", "key = \"credential:sftp-key\"");
  setenv("CREDENTIALS_DIRECTORY", lent.c_str(), 1);
  const auto service = both.serve("aii");
  unsetenv("CREDENTIALS_DIRECTORY");
  wait_until([&] { return has(both.veer("aii", "status").output, "last look at the share: 2"); });
  for (const char* command : {"doctor", "doctor --share"}) {
    const ShellResult served = both.veer("aii", command);
    CAPTURE(command, served.output);
    CHECK(served.exit_code == 0);
    CHECK(has(served.output, "ok    share: publish once"));
  }
  CHECK(has(both.veer("aii", "doctor --share --write").output, "ok    share: go on after a stop"));
  // It speaks for no other state of the configuration.
  write_file(both.config("aii"), text_in(both.config("aii")) + "\n# changed\n");
  CHECK(has(both.veer("aii", "doctor --share").output, "works on another state of the configuration"));
  CHECK(service->end(SIGTERM) == 0);
  const ShellResult alone = both.veer("aii", "doctor");
  CHECK(alone.exit_code == 1);
  CHECK(has(alone.output, "fail  share: C_CREDENTIAL"));
}

TEST_CASE("doctor of an instance that is not the installed one says nothing of the machine") {
  const ShellResult result = agencies().veer("aii", "doctor");
  CHECK_FALSE(has(result.output, "clock kept"));
  CHECK(result.exit_code == 0);
}

TEST_CASE("doctor doubts a clock by which this side was at work more than a year ago") {
  const Installation both;
  REQUIRE(both.veer("avsb", "run --once").exit_code == 0);
  CHECK_FALSE(has(both.veer("avsb", "doctor").output, "last at work"));
  const std::string ago = std::to_string(std::chrono::milliseconds(std::chrono::days(500)).count());
  const ShellResult changed = shell("sqlite3 " + (both.path("avsb") / "ledger.db").native() +
                                    " \"UPDATE chore SET last_done_at = " + "last_done_at - " + ago +
                                    "; UPDATE audit SET at = at - " + ago + "\" 2>&1");
  REQUIRE(changed.exit_code == 0);
  expect(both, 3, ", and this side was last at work on ");
}

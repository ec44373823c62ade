#include "daemon/machine.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;
using std::chrono::days;

namespace {

const Time kNow = parse_time("2026-11-26T12:00:00Z").value();

constexpr const char* kPolicy =
    "gnupg:\n  Installed: 2.2.40-1.1+deb12u2\n  Candidate: 2.2.40-1.1+deb12u2\n  Version table:\n"
    " *** 2.2.40-1.1+deb12u2 500\n        500 http://deb.example.org bookworm/main amd64 Packages\n"
    "libssl3:\n  Installed: 3.0.19-1~deb12u2\n  Candidate: 3.0.22-1~deb12u2\n  Version table:\n"
    "libfoo:\n  Installed: (none)\n  Candidate: 1.0\n";

bool has(const std::vector<CheckLine>& lines, Grade grade, const std::string& text) {
  return std::any_of(lines.begin(), lines.end(), [&](const CheckLine& line) {
    return line.grade == grade && (line.what + ": " + line.detail).find(text) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("a clock that nothing keeps is told, and one that cannot be seen is not blamed") {
  CHECK(judge_clock(true).grade == Grade::ok);
  CHECK(judge_clock(std::nullopt).grade == Grade::ok);
  CHECK(judge_clock(false).grade == Grade::warn);
  CHECK(judge_clock(false).detail.find("systemd-timesyncd") != std::string::npos);
}

TEST_CASE("an update that waits is told by its package, and what is not installed is not") {
  const auto lines = judge_updates(kPolicy, kNow - days(1), kNow);
  REQUIRE(lines.size() == 1);
  CHECK(has(lines, Grade::warn, "updates: wait for libssl3: apt-get upgrade"));
  const auto none = judge_updates(std::string_view(kPolicy).substr(0, 80), kNow - days(1), kNow);
  CHECK(has(none, Grade::ok, "none waits"));
  CHECK(has(judge_updates("", kNow, kNow), Grade::warn, "apt-cache says nothing"));
}

TEST_CASE("package lists that nobody fetches are told, for what they do not name is no news") {
  CHECK(has(judge_updates(kPolicy, kNow - days(8), kNow), Grade::warn,
            "last fetched 2026-11-18: apt-get update"));
  CHECK(has(judge_updates(kPolicy, std::nullopt, kNow), Grade::warn, "last fetched never"));
  CHECK_FALSE(has(judge_updates(kPolicy, kNow - days(6), kNow), Grade::warn, "last fetched"));
}

TEST_CASE("a file of the package that was changed is a failure") {
  CHECK(judge_files("").grade == Grade::ok);
  CHECK(judge_files(std::nullopt).grade == Grade::warn);
  const CheckLine line =
      judge_files("??5??????   /usr/lib/systemd/system/veerdienst@.service\nmissing     /usr/bin/veer\n");
  CHECK(line.grade == Grade::fail);
  CHECK(line.detail.find("/usr/lib/systemd/system/veerdienst@.service, /usr/bin/veer") != std::string::npos);
}

TEST_CASE("drop-ins that the handbook asks for are named, and what else a unit is changed by is told") {
  const TempFolder folder;
  CHECK(has(judge_units({folder.path()}, "aii"), Grade::ok, "units: the package's own"));
  const fs::path mine = folder / "veerdienst@aii.service.d";
  make_folder(mine);
  write_file(mine / "override.conf",
             "# mine\n[Service]\nLoadCredential=sftp-key:/etc/x\n IPAddressDeny=any\n");
  CHECK(judge_units({folder.path()}, "aii").size() == 1);
  CHECK(has(judge_units({folder.path()}, "aii"), Grade::ok,
            "unit veerdienst@aii: with override.conf of your own"));
  CHECK(has(judge_units({folder.path()}, "avsb"), Grade::ok, "the package's own"));
  write_file(mine / "loose.conf", "[Service]\nProtectSystem=no\nUser = root\n");
  CHECK(has(judge_units({folder.path()}, "aii"), Grade::warn, "loose.conf sets ProtectSystem, User"));
  write_file(mine / "loose.conf", "[Service]\nEnvironment=LD_PRELOAD=/tmp/x.so\nReadWritePaths=/\n");
  CHECK(has(judge_units({folder.path()}, "aii"), Grade::warn, "loose.conf sets Environment, ReadWritePaths"));
  write_file(mine / "loose.conf", "[Service]\nReadWritePaths=/srv/x -\"/etc/x y\"\n");
  CHECK(has(judge_units({folder.path()}, "aii"), Grade::warn, "loose.conf sets ReadWritePaths"));
  // systemd reads it as root, and the service's user may put another file there.
  write_file(mine / "loose.conf", "[Service]\nLoadCredential=x:/etc/veerdienst/credentials/x\n");
  CHECK(has(judge_units({folder.path()}, "aii"), Grade::warn, "loose.conf sets LoadCredential"));
  write_file(mine / "loose.conf", "[Service]\nLoadCredential=x:/etc/veerdienst-credentials/x\n");
  CHECK(judge_units({folder.path()}, "aii").size() == 1);
  write_file(folder / "veerdienst-check@.service", "[Service]\n");
  CHECK(
      has(judge_units({folder.path()}, "aii"), Grade::warn, "unit veerdienst-check@.service: a whole file"));
}

TEST_CASE(
    "a folder that the unit does not let the service write in is a failure, with the line that opens it") {
  const std::string unit =
      "ProtectSystem=strict\nStateDirectory=veerdienst/test\nReadWritePaths=-/srv/veerdienst/test";
  const std::vector<NamedFolder> usual = {{"state folder", "/var/lib/veerdienst/test"},
                                          {"drop folder", "/srv/veerdienst/test/drop"}};
  CHECK(has(judge_walls(unit, "test", usual), Grade::ok, "unit veerdienst@test"));
  CHECK(has(judge_walls("", "test", usual), Grade::ok, "unit veerdienst@test"));
  // As they would be of an instance that bears the party's name.
  const std::vector<NamedFolder> others = {{"state folder", "/var/lib/veerdienst/aii"},
                                           {"drop folder", "/srv/veerdienst/testing/drop"},
                                           {"export folder", "/srv/one two/export"}};
  const auto lines = judge_walls(unit, "test", others);
  REQUIRE(lines.size() == 3);
  CHECK(has(lines, Grade::fail, "state folder: /var/lib/veerdienst/aii: its unit does not let the service"));
  CHECK(has(lines, Grade::fail, "ReadWritePaths=/srv/veerdienst/testing/drop, and restart it"));
  CHECK(judge_walls(
            unit + " /var/lib/veerdienst \"/srv/one two\"\nBindPaths=/data:/srv/veerdienst/testing:rbind\n",
            "test", others)
            .front()
            .grade == Grade::ok);
  // A drop-in may open it, unseen.
  CHECK(has(judge_walls("", "test", others), Grade::warn, "the package's unit does not"));
  CHECK(judge_walls("ProtectSystem=no\nReadWritePaths=\n", "test", others).empty());
}

TEST_CASE("the packages that one needs are found by name") {
  CHECK(
      packages_in(
          "veerdienst\n  Depends: libc6\n |Depends: a\n  Depends: <virtual>\nlibc6\nb:amd64\n<virtual>\n") ==
      std::vector<std::string>{"veerdienst", "libc6", "b"});
  CHECK(packages_in("").empty());
}

TEST_CASE("looking at a machine says something of its clock, whatever it is") {
  const auto lines = look_at_machine("aii", {}, SystemClock().now());
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.front().what == "clock kept");
  CHECK(lines.size() > 1);
}

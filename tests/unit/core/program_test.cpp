#include "core/program.h"

#include <array>
#include <thread>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace veer;

TEST_CASE("what another program prints is read whole, and one that is not there says nothing") {
  CHECK(said_by({"/usr/bin/printf", "%s-%s", "a b", "c"}) == "a b-c");
  CHECK(said_by({"/usr/bin/seq", "1", "20000"})->size() == 108894);
  CHECK(said_by({"/bin/sh", "-c", "cat; echo $LC_ALL; echo lost >&2; exit 3"}) == "C\n");
  CHECK_FALSE(said_by({"/nowhere/at/all"}));
}

TEST_CASE("a process that ended has done so, though nobody took note of it yet") {
  using std::chrono::milliseconds;
  CHECK_FALSE(ends_within(getpid(), milliseconds(1)));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  REQUIRE(child > 0);
  CHECK(ends_within(child, std::chrono::minutes(1)));
  CHECK(ends_within(child, milliseconds(0)));
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK(ends_within(child, milliseconds(0)));
}

// GnuPG's agent is such a one, and the service's /proc hides it (ProtectProc=invisible).
TEST_CASE("the end of a process is seen that forbids being looked at, and ends while it is waited for") {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[1]);
    prctl(PR_SET_DUMPABLE, 0);
    char byte = 0;
    _exit(static_cast<int>(read(ends[0], &byte, 1)));  // until the other end is closed
  }
  REQUIRE(child > 0);
  CHECK_FALSE(ends_within(child, std::chrono::milliseconds(1)));
  const std::jthread release([&] { close(ends[1]); });
  CHECK(ends_within(child, std::chrono::minutes(1)));
  REQUIRE(waitpid(child, nullptr, 0) == child);
  close(ends[0]);
}

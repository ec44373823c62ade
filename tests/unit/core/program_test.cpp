#include "core/program.h"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

using namespace veer;

TEST_CASE("what another program prints is read whole, and one that is not there says nothing") {
  CHECK(said_by({"/usr/bin/printf", "%s-%s", "a b", "c"}) == "a b-c");
  CHECK(said_by({"/usr/bin/seq", "1", "20000"})->size() == 108894);
  CHECK(said_by({"/bin/sh", "-c", "cat; echo $LC_ALL; echo lost >&2; exit 3"}) == "C\n");
  CHECK_FALSE(said_by({"/nowhere/at/all"}));
}

TEST_CASE("a process that ended is not alive, though nobody took note of it yet") {
  CHECK(is_alive(getpid()));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  REQUIRE(child > 0);
  siginfo_t ended{};
  REQUIRE(waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(is_alive(child));
  REQUIRE(waitpid(child, nullptr, 0) == child);
  CHECK_FALSE(is_alive(child));
}

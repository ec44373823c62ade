// Both services, the server's sessions and the OpenPGP agents, killed at random moments of a real
// exchange.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/files.h"
#include "support/fictitious.h"
#include "support/installation.h"
#include "system/at_rest.h"

using namespace veer;
using namespace veer::test;

namespace {

struct Fire {
  std::string share;
  int part;             ///< of the rounds: one in so many
  std::size_t numbers;  ///< of the list; over FTPS enough that an upload which was cut goes on where it was
  unsigned longest;     ///< milliseconds between two kills
};

int rounds() {
  const char* told = std::getenv("VEER_KILL_ROUNDS");
  return told != nullptr ? std::stoi(told) : 20;
}

/// What the service manager does with one that ended by itself. Only one thing may end it: its agent was
/// killed as it started.
void start_again_if_ended(const Installation& agencies, const std::string& party,
                          std::unique_ptr<Process>& service) {
  const auto status = service->ended();
  if (!status) return;
  CHECK(*status == 1);
  CHECK(text_in(agencies.path(party + ".log")).find("L_ENGINE") != std::string::npos);
  service = agencies.serve(party);
}

/// Lives the life of both services until the list is acknowledged, killing as it goes.
void exchange_under_fire(const Installation& agencies, const Fire& fire, std::mt19937& random) {
  auto aii = agencies.serve("aii");
  auto avsb = agencies.serve("avsb");
  agencies.drop(agencies.list_name(), fictitious_csv(fire.numbers, kSeedOfList));
  for (int kills = 0; kills < 8; ++kills) {
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % fire.longest));
    start_again_if_ended(agencies, "aii", aii);
    start_again_if_ended(agencies, "avsb", avsb);
    switch (random() % 7) {
      case 0:
      case 1:
        aii->end(SIGKILL);
        aii = agencies.serve("aii");
        break;
      case 2:
      case 3:
        avsb->end(SIGKILL);
        avsb = agencies.serve("avsb");
        break;
      case 4:
        agencies.server().signal_sessions(SIGKILL);
        break;
      default:
        for (const pid_t agent : agencies.agents(random() % 2 == 0 ? "aii" : "avsb")) kill(agent, SIGKILL);
        break;
    }
  }
  wait_until(
      [&] {
        start_again_if_ended(agencies, "aii", aii);
        start_again_if_ended(agencies, "avsb", avsb);
        return agencies.note(agencies.list_name()).find("Recorded at the receiver") != std::string::npos;
      },
      60);
  // A session that was killed may leave its other end waiting for as long as the share's timeout.
  wait_until(
      [&] {
        return agencies.server().is_empty("to_avsb") && agencies.server().is_empty("to_aii") &&
               fs::is_empty(agencies.path("avsb") / "spool");
      },
      90);
  // One that was started a moment ago may not be the program yet.
  const auto in_order = [](int status) { return status == 0 || status == -SIGTERM; };
  CHECK(in_order(aii->end(SIGTERM)));
  CHECK(in_order(avsb->end(SIGTERM)));
}

}  // namespace

TEST_CASE("services killed at random moments end with the list recorded once and acknowledged") {
  const Fire fire = GENERATE(Fire{"sftp", 1, 20'000, 120}, Fire{"ftps", 7, 100'000, 400},
                             Fire{"sharepoint", 7, 20'000, 400});
  std::random_device seeds;
  for (int round = 0; round < rounds(); round += fire.part) {
    const unsigned seed = seeds();
    CAPTURE(fire.share, round, seed);
    std::mt19937 random(seed);
    const Installation agencies(fire.share);
    try {
      exchange_under_fire(agencies, fire, random);
    } catch (const std::runtime_error&) {
      for (const fs::path& folder : {agencies.server().root() / "to_avsb",
                                     agencies.server().root() / "to_aii", agencies.path("avsb") / "spool"})
        if (fs::exists(folder))
          for (const std::string& name : names_in(folder))
            UNSCOPED_INFO(folder.filename() << " holds " << name);
      for (const char* log : {"aii.log", "avsb.log"}) {
        const std::string text = text_in(agencies.path(log));
        UNSCOPED_INFO(log << ": …" << text.substr(text.size() - std::min<std::size_t>(text.size(), 3000)));
      }
      throw;
    }
    check_at_rest(agencies, fire.numbers);
  }
}

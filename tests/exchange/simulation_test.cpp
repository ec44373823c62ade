// Five years of both sides, again and again. VEER_SEED is the first life, VEER_SEEDS how many there are; with
// VEER_SHRINK=0 one that breaks a promise is not cut down.

#include "exchange/simulation.h"

#include <cstdlib>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace veer::test;

namespace {

std::uint64_t told_or(const char* name, std::uint64_t usual) {
  const char* const told = std::getenv(name);
  return told != nullptr ? std::stoull(told) : usual;
}

std::string text_of(const Simulated& life) { return fmt::format("{}\n", fmt::join(life.story, "\n")); }

}  // namespace

TEST_CASE(
    "five years on a share that fails, lies and is meddled with, crashes included, keep every promise") {
  const std::uint64_t first = told_or("VEER_SEED", 1);
  std::size_t crashes = 0;
  std::size_t faults = 0;
  for (std::uint64_t seed = first; seed < first + told_or("VEER_SEEDS", 20); ++seed) {
    const Simulated life = simulate(seed);
    crashes += life.crashes;
    faults += life.faults;
    if (life.broken.empty()) continue;
    if (told_or("VEER_SHRINK", 1) == 0) {
      INFO("seed " << seed);
      CHECK(life.broken == std::vector<std::string>());
      continue;
    }
    const Cut cut = shrink(seed);
    const Simulated least = simulate(seed, cut);
    INFO("seed " << seed << ", of which " << cut.stretches << " stretches do, " << cut.calm.size()
                 << " of them calm:\n"
                 << text_of(least));
    CHECK(least.broken == std::vector<std::string>());
    CHECK(life.broken == std::vector<std::string>());
  }
  CHECK(crashes > 0);
  CHECK(faults > 0);
}

TEST_CASE("a seed lives the same life each time") {
  const Simulated once = simulate(4711);
  CHECK(simulate(4711).story == once.story);
  CHECK(simulate(4712).story != once.story);
}

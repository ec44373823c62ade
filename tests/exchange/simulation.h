#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace veer::test {

/// How a simulated life is cut down: to see how little of it still breaks a promise.
struct Cut {
  std::size_t stretches = 1000;  ///< so many of the first ones are lived
  std::set<std::size_t> calm;    ///< in these nothing fails and nobody meddles
};

struct Simulated {
  std::vector<std::string> broken;  ///< promises that were not kept
  std::vector<std::string> story;   ///< a line for each stretch
  std::size_t crashes = 0;
  std::size_t faults = 0;
};

/// Five years of both sides, the same for the same seed: each year's list, faulty ones, corrections,
/// rehearsals, on a share that fails, lies, and is meddled with, while either side is ended at any durable
/// effect, loses its power, is away for weeks, or wakes under a clock that is years off. Then the share stops
/// lying, the clock is right, people do what is still to do, and every promise is looked at.
Simulated simulate(std::uint64_t seed, const Cut& cut = {});

/// The shortest life of that seed that still breaks a promise, in which as much as possible is calm.
Cut shrink(std::uint64_t seed);

}  // namespace veer::test

#pragma once

#include <random>

#include "core/random.h"

namespace veer::test {

/// The same numbers at every run.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace veer::test

// What was committed of corpora and crashers, each file as it is and with small random changes.

#include <cstdlib>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/files.h"
#include "fuzz/targets.h"
#include "support/mutate.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("no change to bytes that a reader knows upsets it") {
  const char* const told = std::getenv("VEER_MUTANTS");
  const std::size_t mutants = told != nullptr ? std::stoul(told) : 100;
  std::mt19937_64 random(20261127);  // NOLINT: the same each time
  for (const FuzzTarget& target : fuzz_targets()) {
    const fs::path corpus = fs::path(VEER_SOURCE_DIR) / "tests/fuzz/corpus" / target.name;
    const auto files = names_in(corpus);
    INFO(target.name);
    CHECK_FALSE(files.empty());
    for (const std::string& file : files) {
      const std::string bytes = read_file(corpus / file, std::uint64_t{1} << 20);
      read_with(target, bytes);
      for (std::size_t i = 0; i < mutants; ++i) read_with(target, mutate(bytes, random));
    }
  }
}

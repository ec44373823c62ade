#include "core/random.h"

#include <set>

#include <catch2/catch.hpp>

using namespace veer;

namespace {

class Constant : public Random {
 public:
  explicit Constant(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

}  // namespace

TEST_CASE("a UUID has the version and variant of RFC 9562, and all other bits are chance") {
  Constant zeros(0);
  Constant ones(~std::uint64_t{0});
  CHECK(make_uuid(zeros) == "00000000-0000-4000-8000-000000000000");
  CHECK(make_uuid(ones) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST_CASE("the kernel's random UUIDs differ") {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) CHECK(seen.insert(make_uuid(random)).second);
}

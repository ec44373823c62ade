#include "formats/practice_list.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "support/seeded_random.h"

using namespace veer;

TEST_CASE("a practice list holds valid numbers of nobody alive, each once and in order") {
  test::SeededRandom random(3);
  const std::vector<Insz> numbers = practice_list(5000, random);
  CHECK(numbers.size() == 5000);
  CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
  const Date reference = std::chrono::January / 1 / 2022;
  for (const Insz& number : numbers) {
    const auto digits = number.digits();
    REQUIRE(digits[0] == '0');  // 1900 to 1909, or else the check would be another
    Insz same;
    REQUIRE_FALSE(Insz::parse({digits.data(), digits.size()}, reference, same));
    REQUIRE(same == number);
    REQUIRE(digits[6] == '9');
    std::uint64_t nine = number.value() / 100;
    REQUIRE(number.value() % 100 == 97 - nine % 97);
  }
  CHECK(practice_list(5000, random) != numbers);
}

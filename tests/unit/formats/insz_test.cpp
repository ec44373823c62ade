#include "formats/insz.h"

#include <array>
#include <fstream>
#include <map>
#include <ostream>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "support/slow_insz.h"
#include "support/thrown.h"

using namespace veer;
namespace slow = veer::test::slow;

namespace {

constexpr Date kReference = std::chrono::January / 1 / 2022;

std::optional<Code> parsed(std::string_view text, Date reference = kReference) {
  Insz number;
  return Insz::parse(text, reference, number);
}

std::string text_of(const Insz& number) {
  const auto digits = number.digits();
  return {digits.data(), digits.size()};
}

std::string name_of(std::optional<Code> code) { return code ? std::string(code_name(*code)) : "OK"; }

std::string with_check(const std::string& nine, bool from_2000) {
  return nine + fmt::format("{:02}", 97 - slow::remainder_97((from_2000 ? "2" : "") + nine));
}

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};

}  // namespace

TEST_CASE("every known number gets the verdict that the rules of the register give it") {
  std::ifstream file(VEER_TEST_DATA "/insz_vectors.tsv", std::ios::binary);
  REQUIRE(file);
  std::string line;
  REQUIRE(std::getline(file, line));
  int vectors = 0;
  while (std::getline(file, line)) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    REQUIRE(second != std::string::npos);
    const std::string result = line.substr(first + 1, second - first - 1);
    INFO(line);
    CHECK(name_of(parsed(line.substr(0, first))) == result.substr(0, result.find(' ')));
    ++vectors;
  }
  CHECK(vectors == 53);
}

TEST_CASE("a number that passed gives its digits back, leading zeros included") {
  for (const std::string text : {"00000199740", "00010199875", "05070999751", "99123199742"}) {
    Insz number;
    REQUIRE_FALSE(Insz::parse(text, kReference, number));
    CHECK(text_of(number) == text);
    CHECK(fmt::format("{:011}", number.value()) == text);
    CHECK(Insz::trusted(number.value()) == number);
  }
}

TEST_CASE("a number that does not pass leaves what was there") {
  Insz number;
  REQUIRE_FALSE(Insz::parse("05070999751", kReference, number));
  CHECK(Insz::parse("05070999752", kReference, number) == Code::r_check);
  CHECK(text_of(number) == "05070999751");
}

TEST_CASE("a birth is in the future as the reference date has it, not the wall clock") {
  const std::string born_on_the_day = with_check("220101997", true);
  CHECK_FALSE(parsed(born_on_the_day));
  CHECK(parsed(born_on_the_day, std::chrono::December / 31 / 2021) == Code::r_future);
  // Only the year is known, or only the month: no later than the reference date can be.
  CHECK_FALSE(parsed(with_check("220000997", true)));
  CHECK_FALSE(parsed(with_check("220099997", true)));
  CHECK_FALSE(parsed(with_check("220100997", true)));
  CHECK(parsed(with_check("220200997", true)) == Code::r_future);
  CHECK(parsed(with_check("230000997", true)) == Code::r_future);
}

TEST_CASE("numbers are ordered as their digits are") {
  Insz early;
  Insz late;
  REQUIRE_FALSE(Insz::parse("00010199875", kReference, early));
  REQUIRE_FALSE(Insz::parse("05070999751", kReference, late));
  CHECK(early < late);
}

TEST_CASE("a number that is formatted shows nothing of itself") {
  Insz number;
  REQUIRE_FALSE(Insz::parse("05070999751", kReference, number));
  CHECK(fmt::format("{}", number) == "***********");
  CHECK(fmt::format("[{:>13}]", number) == "[  ***********]");
  CHECK(fmt::to_string(number) == "***********");
}

TEST_CASE("a number cannot be put into a stream") {
  STATIC_REQUIRE(Streamable<std::uint64_t>);
  STATIC_REQUIRE_FALSE(Streamable<Insz>);
}

TEST_CASE("the verdict is the one that counting the rules out by hand gives") {
  std::mt19937_64 random(20220101);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  static constexpr std::array kMonths = {0,  1,  2,  11, 12, 13, 19, 20, 21, 22,
                                         32, 33, 39, 40, 41, 42, 52, 53, 60, 99};
  static constexpr std::array kDays = {0, 1, 28, 29, 30, 31, 32, 77, 99};
  static constexpr std::array kSerials = {0, 1, 2, 900, 997, 998, 999};
  static constexpr std::string_view kStrange = "/:. -Aa\n";
  const std::array<std::pair<Date, std::string>, 3> references = {
      {{std::chrono::January / 1 / 2022, "20220101"},
       {std::chrono::January / 1 / 2027, "20270101"},
       {std::chrono::February / 29 / 2024, "20240229"}}};
  std::map<std::string, int> seen;
  int wrong = 0;
  const auto compare = [&](const std::string& text) {
    const auto& [date, day] = references[random() % references.size()];
    const std::string expected = slow::verdict(text, day);
    ++seen[expected];
    if (name_of(parsed(text, date)) == expected) return;
    if (++wrong <= 10) FAIL_CHECK("\"" << text << "\" at " << day << " should be " << expected);
  };
  for (int i = 0; i < 150'000; ++i) {
    const int month = below(2) == 0 ? kMonths[random() % kMonths.size()] : below(100);
    const int day = below(2) == 0 ? kDays[random() % kDays.size()] : below(100);
    const int serial = below(2) == 0 ? kSerials[random() % kSerials.size()] : below(1000);
    std::string text =
        with_check(fmt::format("{:02}{:02}{:02}{:03}", below(100), month, day, serial), below(2) == 0);
    compare(text);
    switch (below(6)) {
      case 0:
        text[random() % text.size()] = kStrange[random() % kStrange.size()];
        break;
      case 1:
        text.erase(random() % text.size(), 1);
        break;
      case 2:
        text.insert(random() % text.size(), 1, '0');
        break;
      default:
        text[random() % text.size()] = static_cast<char>('0' + below(10));
    }
    compare(text);
  }
  CHECK(wrong == 0);
  for (const char* result : {"OK", "R_FORMAT", "R_CHECK", "R_MONTH", "R_SERIAL", "R_DAY", "R_FUTURE"}) {
    INFO(result);
    CHECK(seen[result] > 100);
  }
}

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

#include "support/thrown.h"

using namespace veer;

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

// The rules once more, slowly: remainders by school division, dates by counting a calendar out.
namespace slow {

int remainder_97(const std::string& digits) {
  int rest = 0;
  for (const char c : digits) {
    rest = rest * 10 + (c - '0');
    while (rest >= 97) rest -= 97;
  }
  return rest;
}

// Every day from 1900 to 2099 as YYYYMMDD.
const std::set<std::string>& calendar() {
  static const std::set<std::string> days = [] {
    std::set<std::string> made;
    const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int year = 1900; year <= 2099; ++year)
      for (int month = 1; month <= 12; ++month) {
        // The only year of these two centuries that ends in 00 and is a leap year is 2000.
        const bool leap_day = month == 2 && year % 4 == 0 && year != 1900;
        for (int day = 1; day <= lengths[month - 1] + (leap_day ? 1 : 0); ++day)
          made.insert(fmt::format("{:04}{:02}{:02}", year, month, day));
      }
    return made;
  }();
  return days;
}

std::string verdict(const std::string& text, const std::string& reference_day) {
  if (text.size() != 11) return "R_FORMAT";
  for (const char c : text)
    if (std::string("0123456789").find(c) == std::string::npos) return "R_FORMAT";
  const std::string nine = text.substr(0, 9);
  const std::string check = text.substr(9);
  std::string century;
  if (fmt::format("{:02}", 97 - remainder_97(nine)) == check) century = "19";
  if (fmt::format("{:02}", 97 - remainder_97("2" + nine)) == check) century = "20";
  if (century.empty()) return "R_CHECK";

  bool registered = false;
  std::string month;
  for (int base : {0, 20, 40})
    for (int m = 0; m <= 12; ++m)
      if (fmt::format("{:02}", base + m) == text.substr(2, 2)) {
        registered = base == 0;
        month = fmt::format("{:02}", m);
      }
  if (month.empty()) return "R_MONTH";
  const std::string serial = text.substr(6, 3);
  if (registered && (serial == "000" || serial == "999")) return "R_SERIAL";

  const std::string year = century + text.substr(0, 2);
  const std::string day = text.substr(4, 2);
  if (month != "00" && day != "00" && calendar().count(year + month + day) == 0) return "R_DAY";
  const std::string born = month == "00" ? year + "0000" : year + month + day;
  // What is unknown of a birth counts as early: 0 sorts before every month and day.
  return born > reference_day ? "R_FUTURE" : "OK";
}

}  // namespace slow

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

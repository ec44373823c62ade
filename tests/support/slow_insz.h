#pragma once

#include <set>
#include <string>

#include <fmt/format.h>

/// The rules of a national number once more, slowly: remainders by school division, dates by counting a
/// calendar out. What the quick ones are held against.
namespace veer::test::slow {

inline int remainder_97(const std::string& digits) {
  int rest = 0;
  for (const char c : digits) {
    rest = rest * 10 + (c - '0');
    while (rest >= 97) rest -= 97;
  }
  return rest;
}

// Every day from 1900 to 2099 as YYYYMMDD.
inline const std::set<std::string>& calendar() {
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

inline std::string verdict(const std::string& text, const std::string& reference_day) {
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

}  // namespace veer::test::slow

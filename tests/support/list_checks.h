#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "formats/list.h"

namespace veer::test {

inline std::vector<std::string> digits_of(const ListReport& report) {
  std::vector<std::string> all;
  for (const Insz& number : report.numbers) {
    const auto digits = number.digits();
    all.emplace_back(digits.data(), digits.size());
  }
  return all;
}

/// Whether `message` has so many digits in a row that they could be a number, or most of one. Places have
/// seven at most.
inline bool shows_number(std::string_view message) {
  std::size_t run = 0;
  for (const char c : message) {
    run = c >= '0' && c <= '9' ? run + 1 : 0;
    if (run >= 8) return true;
  }
  return false;
}

/// Whether `read` gives a list that may be used. Checks what holds for every input: no error but veer::Error,
/// no number in a message or place, numbers ascending and unique, none beside a fault.
template <typename Read>
bool reads_soundly(Read read) {
  try {
    const ListReport report = read();
    for (const Fault& fault : report.faults)
      if (shows_number(fault.place)) FAIL_CHECK("a place shows a number");
    if (report.good() == report.numbers.empty()) FAIL_CHECK("a list is neither good nor faulty");
    if (std::adjacent_find(report.numbers.begin(), report.numbers.end(),
                           [](const Insz& a, const Insz& b) { return !(a < b); }) != report.numbers.end())
      FAIL_CHECK("numbers are not ascending");
    if (report.good() && report.lines != report.numbers.size() + report.merged) FAIL_CHECK("a line was lost");
    return report.good();
  } catch (const Error& error) {
    if (shows_number(error.message())) FAIL_CHECK("a message shows a number");
    return false;
  }
}

}  // namespace veer::test

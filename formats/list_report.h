#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/insz.h"

namespace veer {

/// Where in the file something is wrong, and what; never the number itself.
struct Fault {
  std::string place;  ///< "line 12" or "cell A12"
  Code code;
};

/// What reading a list found: the numbers, ascending and unique, and everything that was wrong. A list with
/// any fault has no numbers that may be used.
struct ListReport {
  std::vector<Insz> numbers;
  std::vector<Insz> rest;  ///< of a list with faults: the numbers of its other lines, ascending and unique
  bool header = false;  ///< the first line or cell that held something was taken for a heading, and left out
  std::uint64_t lines = 0;               ///< lines or cells that held something, without the heading
  std::uint64_t merged = 0;              ///< repeats of a number, left out
  std::uint64_t restored = 0;            ///< numbers that had lost leading zeros in a spreadsheet
  std::map<Code, std::uint64_t> counts;  ///< all faults, by code
  std::vector<Fault> faults;             ///< the first hundred
  bool good() const { return counts.empty(); }
  /// All faults.
  std::uint64_t faulty() const;
};

inline constexpr std::size_t kFaultsListed = 100;

/// Counts a fault, and lists it while there is room.
void note(ListReport& report, Code code, std::string place);

/// "3 × R_CHECK, 1 × R_DAY": counts for a person, no number.
std::string summary(const std::map<Code, std::uint64_t>& counts);

}  // namespace veer

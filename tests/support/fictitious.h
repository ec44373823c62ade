#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/insz.h"

namespace veer::test {

/// `n` distinct valid numbers, ascending, of nobody: births before 1910, or a serial from 900 up on an
/// ordinary day of 1910 to 2007. The same for the same seed; valid for every reference date from 2022 on. At
/// most five million.
std::vector<Insz> fictitious_list(std::size_t n, std::uint64_t seed);

/// The same list as a CSV file with a header, in order.
std::string fictitious_csv(std::size_t n, std::uint64_t seed);

}  // namespace veer::test

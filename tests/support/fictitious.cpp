#include "support/fictitious.h"

#include <algorithm>
#include <random>
#include <stdexcept>

#include "formats/list.h"

namespace veer::test {
namespace {

/// The `index`-th fictitious number: days from 1900-01-01 with their serials, in an order of the seed's.
Insz number_of(std::chrono::sys_days day, unsigned serial) {
  const std::chrono::year_month_day date(day);
  const int year = static_cast<int>(date.year());
  const auto short_year = static_cast<std::uint64_t>(year % 100);
  const std::uint64_t nine =
      ((short_year * 100 + static_cast<unsigned>(date.month())) * 100 + static_cast<unsigned>(date.day())) *
          1000 +
      serial;
  const std::uint64_t check = 97 - (year >= 2000 ? 2'000'000'000 + nine : nine) % 97;
  return Insz::trusted(nine * 100 + check);
}

constexpr std::chrono::sys_days kFirst = std::chrono::January / 1 / 1900;
constexpr std::chrono::sys_days kOrdinary = std::chrono::January / 1 / 1910;
constexpr std::chrono::sys_days kEnd = std::chrono::January / 1 / 2008;
constexpr std::uint64_t kOldSerials = 998;
constexpr std::uint64_t kSerials = 99;
constexpr std::uint64_t kOld = static_cast<std::uint64_t>((kOrdinary - kFirst).count()) * kOldSerials;
constexpr std::uint64_t kAll = kOld + static_cast<std::uint64_t>((kEnd - kOrdinary).count()) * kSerials;

Insz fictitious(std::uint64_t index) {
  if (index < kOld)
    return number_of(kFirst + std::chrono::days(index / kOldSerials),
                     static_cast<unsigned>(1 + index % kOldSerials));
  const std::uint64_t rest = index - kOld;
  return number_of(kOrdinary + std::chrono::days(rest / kSerials),
                   static_cast<unsigned>(900 + rest % kSerials));
}

}  // namespace

std::vector<Insz> fictitious_list(std::size_t n, std::uint64_t seed) {
  if (n > kAll) throw std::invalid_argument("more fictitious numbers than there are");
  // Selection sampling: each of the kAll numbers has the same chance, and they come out once each.
  std::mt19937_64 random(seed);
  std::vector<Insz> numbers;
  numbers.reserve(n);
  for (std::uint64_t index = 0, left = n; left > 0; ++index) {
    if (random() % (kAll - index) < left) {
      numbers.push_back(fictitious(index));
      --left;
    }
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string fictitious_csv(std::size_t n, std::uint64_t seed) {
  return write_package_list(fictitious_list(n, seed));
}

}  // namespace veer::test

#include "formats/practice_list.h"

#include <cassert>
#include <set>

namespace veer {
namespace {

constexpr std::chrono::sys_days kFirst = std::chrono::January / 1 / 1900;
constexpr std::chrono::sys_days kEnd = std::chrono::January / 1 / 1910;
constexpr std::uint64_t kDays = static_cast<std::uint64_t>((kEnd - kFirst).count());
constexpr std::uint64_t kFirstSerial = 900;
constexpr std::uint64_t kSerials = 99;
constexpr std::uint64_t kModulus = 97;

Insz number_of(std::chrono::year_month_day day, std::uint64_t serial) {
  const auto year = static_cast<std::uint64_t>(static_cast<int>(day.year()) % 100);
  const std::uint64_t date =
      (year * 100 + static_cast<unsigned>(day.month())) * 100 + static_cast<unsigned>(day.day());
  const std::uint64_t nine = date * 1000 + serial;
  return Insz::trusted(nine * 100 + kModulus - nine % kModulus);
}

}  // namespace

std::vector<Insz> practice_list(std::size_t n, Random& random) {
  assert(n <= 100'000);
  std::set<Insz> numbers;
  while (numbers.size() < n) {
    const std::uint64_t chance = random.next();
    const auto days = std::chrono::days(static_cast<int>(chance % kDays));
    numbers.insert(number_of(kFirst + days, kFirstSerial + chance / kDays % kSerials));
  }
  return {numbers.begin(), numbers.end()};
}

}  // namespace veer

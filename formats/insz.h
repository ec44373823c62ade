#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/clock.h"
#include "core/error.h"

namespace veer {

/// A national social-security number that passed every check: eleven digits, YYMMDD SSS CC
/// (docs/protocol.md). Eight bytes, ordered as the digits are. It has no stream operator, and formats masked:
/// only the package writer, the register and the service-desk answer see digits.
class Insz {
 public:
  /// The number in `digits`, or what is wrong with it: the first of R_FORMAT, R_CHECK, R_MONTH, R_SERIAL,
  /// R_DAY, R_FUTURE (born after `reference`) in that order. `out` is set only when it returns nothing.
  static std::optional<Code> parse(std::string_view digits, Date reference, Insz& out);

  Insz() = default;
  /// From the register, where only numbers that passed stand.
  static Insz trusted(std::uint64_t value) { return Insz(value); }

  /// The eleven digits as one number, below 10^11.
  std::uint64_t value() const { return value_; }
  /// The eleven digits, leading zeros included. Personal data: mind where they go.
  std::array<char, 11> digits() const;

  auto operator<=>(const Insz&) const = default;  // NOLINT(modernize-use-nullptr): clang-tidy 14 misreads it

 private:
  explicit Insz(std::uint64_t value) : value_(value) {}
  std::uint64_t value_ = 0;
};

/// The same as text.
inline std::string digits_of(const Insz& number) {
  const auto digits = number.digits();
  return {digits.data(), digits.size()};
}

}  // namespace veer

/// A number that is formatted by mistake shows nothing of itself.
template <>
struct fmt::formatter<veer::Insz> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const veer::Insz&, Context& context) const {
    return fmt::formatter<std::string_view>::format("***********", context);
  }
};

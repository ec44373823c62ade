#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "formats/list_report.h"

namespace veer {

/// What a worksheet of Excel has at most.
inline constexpr std::uint32_t kMostColumns = 16'384;

/// `text` without the blanks that people's programs leave around it: spaces, and no-break spaces in UTF-8 or
/// Windows-1252.
std::string_view trimmed(std::string_view text);
/// The same for those before it alone.
std::string_view without_leading_blanks(std::string_view text);

bool is_digit(char c);
bool all_digits(std::string_view text);

/// What a heading has at most: a date.
inline constexpr std::size_t kMostHeaderDigits = 8;

/// Whether `field`, the first of a list that holds something, names the column: it begins with a letter
/// (UTF-8 or Windows-1252) and has fewer digits than a mistyped number (O5070999751, O1234567), which would
/// be lost: at most kMostHeaderDigits, and not six of them together.
bool is_header(std::string_view field);

/// A number that was written as an amount (85070999751.0, 85070999751,00) without its decimals, when these
/// are zeros, `least` of them or more; anything else as it is.
std::string_view without_decimals(std::string_view field, std::size_t least = 1);

/// Whether a cell's text is "8,50301E+10": a spreadsheet that was not told that its cells are text showed a
/// number in short, and wrote out what it showed. The number itself is lost.
bool is_shortened(std::string_view cell);
/// Throws I_FORMAT for such a number: none on the list is to be trusted.
[[noreturn]] void throw_shortened(const std::string& place);

/// Gathers the numbers and faults of a list as its fields come by, in whatever notation people use.
class ListCollector {
 public:
  explicit ListCollector(Date reference) : reference_(reference) {}

  void reserve(std::size_t numbers) { report_.numbers.reserve(numbers); }
  /// One field that holds something. `place()` is called only for a fault. Throws for a number that
  /// is_shortened().
  template <typename Place>
  void add(std::string_view field, Place place) {
    ++report_.lines;
    const auto fault = take(field);
    if (!fault) return;
    if (is_shortened(field)) throw_shortened(place());
    note(report_, *fault, place());
  }
  template <typename Place>
  void add_fault(Code code, Place place) {
    ++report_.lines;
    note(report_, code, place());
  }
  /// The first line or cell was a heading.
  void add_header() { report_.header = true; }
  /// Sorts and merges. Throws F_EMPTY when there was nothing at all.
  ListReport finish();

 private:
  std::optional<Code> take(std::string_view field);
  std::optional<Code> take_short(std::string_view digits);

  Date reference_;
  ListReport report_;
};

}  // namespace veer

#include "formats/insz.h"

namespace veer {
namespace {

constexpr std::array<unsigned, 13> kDaysInMonth = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

unsigned days_in(unsigned year, unsigned month) {
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDaysInMonth[month];
}

// Birth as far as it is known: month and day may be 0.
bool is_after(unsigned year, unsigned month, unsigned day, Date reference) {
  const auto reference_year = static_cast<unsigned>(static_cast<int>(reference.year()));
  if (year != reference_year) return year > reference_year;
  const auto reference_month = static_cast<unsigned>(reference.month());
  if (month != reference_month) return month > reference_month;
  return day > static_cast<unsigned>(reference.day());
}

}  // namespace

std::optional<Code> Insz::parse(std::string_view text, Date reference, Insz& out) {
  if (text.size() != 11) return Code::r_format;
  std::array<unsigned, 11> d{};
  bool strange = false;
  for (std::size_t i = 0; i < d.size(); ++i) {
    d[i] = static_cast<unsigned char>(text[i]) - unsigned{'0'};
    strange |= d[i] > 9;
  }
  if (strange) return Code::r_format;

  const unsigned short_year = d[0] * 10 + d[1];
  const unsigned coded_month = d[2] * 10 + d[3];
  const unsigned day = d[4] * 10 + d[5];
  const unsigned serial = d[6] * 100 + d[7] * 10 + d[8];
  const unsigned check = d[9] * 10 + d[10];
  const std::uint64_t nine = ((std::uint64_t{short_year} * 100 + coded_month) * 100 + day) * 1000 + serial;

  // From 2000 on a 2 stands in front of the nine digits: the check digits tell the century.
  unsigned year = 0;
  if (97 - nine % 97 == check)
    year = 1900 + short_year;
  else if (97 - (2'000'000'000 + nine) % 97 == check)
    year = 2000 + short_year;
  else
    return Code::r_check;

  // Bis numbers add 20 (sex unknown) or 40 (sex known) to the month.
  const unsigned added = coded_month >= 40 ? 40 : coded_month >= 20 ? 20 : 0;
  const unsigned month = coded_month - added;
  if (month > 12) return Code::r_month;
  if (added == 0 && (serial == 0 || serial == 999)) return Code::r_serial;
  // Where the month is unknown, exhausted serials run on into the day.
  const bool whole_date = month != 0 && day != 0;
  if (whole_date && day > days_in(year, month)) return Code::r_day;
  if (is_after(year, month, month == 0 ? 0 : day, reference)) return Code::r_future;
  out = Insz(nine * 100 + check);
  return std::nullopt;
}

std::array<char, 11> Insz::digits() const {
  std::array<char, 11> text{};
  std::uint64_t rest = value_;
  for (std::size_t i = text.size(); i-- > 0; rest /= 10) text[i] = static_cast<char>('0' + rest % 10);
  return text;
}

}  // namespace veer

#include "formats/list_collector.h"

#include <algorithm>
#include <utility>

#include <boost/sort/pdqsort/pdqsort.hpp>
#include <fmt/format.h>

namespace veer {
namespace {

constexpr std::size_t kLeastShortDigits = 6;

bool begins_with_letter(std::string_view text) {
  if (text.empty()) return false;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
  const auto second = static_cast<unsigned char>(text.size() > 1 ? text[1] : '\0');
  // UTF-8: U+00C0 and on, all letters of the scripts in use here. General punctuation comes later.
  if (second >= 0x80 && second < 0xc0) return first >= 0xc3 && first < 0xe0;
  // Windows-1252: À to ÿ without × and ÷, and Š Œ Ž š œ ž Ÿ, which lie apart.
  static constexpr std::string_view kApart = "\x8a\x8c\x8e\x9a\x9c\x9e\x9f";
  return first >= 0xc0 ? first != 0xd7 && first != 0xf7 : kApart.find(text[0]) != std::string_view::npos;
}

// YY.MM.DD-SSS.CC, with digits where letters stand.
bool is_printed_notation(std::string_view text) {
  static constexpr std::string_view kShape = "00.00.00-000.00";
  if (text.size() != kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool fits = kShape[i] == '0' ? is_digit(text[i]) : text[i] == kShape[i];
    if (!fits) return false;
  }
  return true;
}

void sort_numbers(std::vector<Insz>& numbers) {
  if (std::is_sorted(numbers.begin(), numbers.end())) return;
  boost::sort::pdqsort_branchless(numbers.begin(), numbers.end(),
                                  [](const Insz& a, const Insz& b) { return a.value() < b.value(); });
}

}  // namespace

std::string_view without_leading_blanks(std::string_view text) {
  const auto drop = [&](std::string_view blank) {
    const bool there = text.starts_with(blank);
    if (there) text.remove_prefix(blank.size());
    return there;
  };
  while (drop(" ") || drop("\xc2\xa0") || drop("\xa0")) {
  }
  return text;
}

std::string_view trimmed(std::string_view text) {
  text = without_leading_blanks(text);
  const auto drop = [&](std::string_view blank) {
    const bool there = text.ends_with(blank);
    if (there) text.remove_suffix(blank.size());
    return there;
  };
  while (drop(" ") || drop("\xc2\xa0") || drop("\xa0")) {
  }
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

bool is_header(std::string_view field) {
  if (!begins_with_letter(field)) return false;
  std::size_t digits = 0;
  std::size_t together = 0;
  for (const char c : field) {
    together = is_digit(c) ? together + 1 : 0;
    if (together > 0) ++digits;
    if (together == kLeastShortDigits || digits > kMostHeaderDigits) return false;
  }
  return true;
}

std::string_view without_decimals(std::string_view field, std::size_t least) {
  static constexpr std::size_t kMostDigits = 11;
  static constexpr std::size_t kMostDecimals = 15;  // shorter than what CellText keeps of a longer text
  const std::size_t sign = field.find_first_of(",.");
  if (sign == 0 || sign > kMostDigits) return field;
  const std::string_view digits = field.substr(0, sign);
  const std::string_view zeros = field.substr(sign + 1);
  const bool is_amount = all_digits(digits) && zeros.size() >= least && zeros.size() <= kMostDecimals &&
                         zeros.find_first_not_of('0') == std::string_view::npos;
  return is_amount ? digits : field;
}

bool is_shortened(std::string_view cell) {
  const auto digits = [&](std::size_t most) {
    const std::size_t many = std::min(cell.find_first_not_of("0123456789"), cell.size());
    cell.remove_prefix(many);
    return many > 0 && many <= most;
  };
  const auto one_of = [&](std::string_view set) {
    const bool there = !cell.empty() && set.find(cell.front()) != std::string_view::npos;
    if (there) cell.remove_prefix(1);
    return there;
  };
  if (!digits(3)) return false;  // in engineers' notation; one otherwise
  if (one_of(".,") && !digits(15)) return false;
  if (!one_of("eE")) return false;
  one_of("+");
  return digits(2) && cell.empty();
}

void throw_shortened(const std::string& place) {
  throw Error(
      Code::i_format,
      fmt::format("{} holds a number that a spreadsheet shortened (as 8,5E+10), so that its digits are lost: "
                  "give the column the format 'text' before the numbers come into it, and export the list "
                  "again",
                  place));
}

std::optional<Code> ListCollector::take(std::string_view field) {
  Insz number;
  if (field.size() == 11 || field.size() > 15) {
    const auto fault = Insz::parse(field, reference_, number);
    if (!fault) report_.numbers.push_back(number);
    return fault;
  }
  if (is_printed_notation(field)) {
    std::string digits(field);
    std::erase_if(digits, [](char c) { return c == '.' || c == '-'; });
    const auto fault = Insz::parse(digits, reference_, number);
    if (!fault) report_.numbers.push_back(number);
    return fault;
  }
  return take_short(field);
}

// A spreadsheet that took the numbers for amounts dropped their leading zeros, all of them.
std::optional<Code> ListCollector::take_short(std::string_view digits) {
  if (digits.size() < kLeastShortDigits || digits.size() > 10 || digits.front() == '0' || !all_digits(digits))
    return Code::r_format;
  Insz number;
  if (Insz::parse(fmt::format("{:0>11}", digits), reference_, number)) return Code::r_format;
  report_.numbers.push_back(number);
  ++report_.restored;
  return std::nullopt;
}

ListReport ListCollector::finish() {
  if (report_.good() && report_.numbers.empty())
    throw Error(Code::f_empty,
                "there is no number in it. A year without persons is offered explicitly: veer send "
                "--empty YEAR");
  sort_numbers(report_.numbers);
  const auto end = std::unique(report_.numbers.begin(), report_.numbers.end());
  report_.merged = static_cast<std::uint64_t>(report_.numbers.end() - end);
  report_.numbers.erase(end, report_.numbers.end());
  if (!report_.good()) report_.rest = std::exchange(report_.numbers, {});
  return std::move(report_);
}

}  // namespace veer

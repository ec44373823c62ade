#include "formats/membership.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

constexpr std::string_view kHead = "zorgkas;insz";
constexpr std::string_view kEnd = "einde";

Date day_in(std::string_view name) {
  static constexpr std::string_view kEnding = ".csv";
  static constexpr std::size_t kDay = 10;
  std::optional<Date> day;
  if (name.ends_with(kEnding) && name.size() > kEnding.size() + kDay)
    day = parse_date(name.substr(name.size() - kEnding.size() - kDay, kDay));
  if (!day)
    throw Error(Code::i_name, "a membership register is called by its day: ledenbestand-2026-11-20.csv");
  return *day;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct Entry {
  Insz person;
  std::string_view fund;
  std::size_t line = 0;
  auto operator<=>(const Entry&) const = default;
};

std::optional<std::uint64_t> count_in(std::string_view text) {
  std::uint64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? std::optional(count)
                                                                         : std::nullopt;
}

/// The lines, counted from 1, that are no member; the first of them are told.
struct Faults {
  std::uint64_t count = 0;
  std::vector<std::size_t> first;

  void add(std::size_t line) {
    static constexpr std::size_t kTold = 10;
    ++count;
    if (first.size() < kTold) first.push_back(line);
  }
  std::string lines() const {
    return fmt::format("line(s) {}{}", fmt::join(first, ", "),
                       count > first.size() ? fmt::format(" and {} more", count - first.size()) : "");
  }
};

}  // namespace

Membership read_membership(std::string_view name, std::string_view bytes) {
  Membership membership;
  membership.as_of = day_in(name);
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  if (take_line(bytes) != kHead)
    throw Error(Code::i_format, fmt::format("the first line of a membership register is '{}'", kHead));
  std::vector<Entry> entries;
  Faults faults;
  std::size_t number = 1;
  std::optional<std::uint64_t> told;
  while (!bytes.empty() && !told) {
    const std::string_view line = take_line(bytes);
    ++number;
    const std::size_t at = line.find(';');
    const std::string_view fund = line.substr(0, at);
    const std::string_view rest = at == std::string_view::npos ? "" : line.substr(at + 1);
    Entry entry{{}, fund, number};
    if (fund == kEnd)
      told = count_in(rest);
    else if (fund.empty() || Insz::parse(rest, membership.as_of, entry.person))
      faults.add(number);
    else
      entries.push_back(entry);
    if (fund == kEnd && !told) break;
  }
  if (!told || !bytes.empty() || *told != entries.size() + faults.count)
    throw Error(
        Code::i_format,
        fmt::format("the membership register is not whole: its last line is '{};' and the number of its "
                    "members, and there are {}",
                    kEnd, entries.size() + faults.count));
  std::sort(entries.begin(), entries.end());
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (entries[i].person == entries[i - 1].person) faults.add(entries[i].line);
  if (faults.count > 0)
    throw Error(Code::i_faulty,
                fmt::format("the membership register holds {} line(s) that are no member of a fund, "
                            "or name a person again ({}): ask its maker for a sound one",
                            faults.count, faults.lines()));
  for (const Entry& entry : entries) membership.funds[std::string(entry.fund)].push_back(entry.person);
  membership.members = entries.size();
  return membership;
}

Division divide(const std::vector<Insz>& list, const Membership& membership) {
  Division division;
  std::uint64_t given = 0;
  for (const auto& [fund, members] : membership.funds) {
    std::vector<Insz>& part = division.parts[fund];
    std::set_intersection(list.begin(), list.end(), members.begin(), members.end(), std::back_inserter(part));
    given += part.size();
  }
  division.rest = list.size() - given;
  return division;
}

}  // namespace veer

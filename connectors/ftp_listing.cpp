#include "connectors/ftp_listing.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "connectors/share.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr std::size_t kLongestUnique = 64;
/// With so many lines one kind or the other is more than a share's listing holds.
constexpr std::size_t kMostParsed = 2 * kMostEntries + 2;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

/// Cuts off what stands before the first `end`, and that.
std::string_view cut(std::string_view& rest, char end) {
  const std::size_t at = std::min(rest.find(end), rest.size());
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return part;
}

/// Cuts off the next word with the blanks before it.
std::string_view next_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

bool is_time(std::string_view text) {
  const std::size_t fraction = text.find('.');
  return parse_ftp_time(text) && (fraction == std::string_view::npos || text.size() - fraction <= 10);
}

/// Calls `one` with each line, without its end, that holds anything.
template <typename One>
void for_each_line(std::string_view text, One one) {
  for (std::size_t lines = 0; !text.empty() && lines < kMostParsed; ++lines) {
    std::string_view line = cut(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) one(line);
  }
}

bool is_mode(std::string_view word) {
  static constexpr std::string_view kKinds = "-dlbcps";
  static constexpr std::string_view kRights = "rwxsStT-";
  return word.size() >= 10 && word.size() <= 11 && kKinds.find(word[0]) != std::string_view::npos &&
         word.substr(1, 9).find_first_not_of(kRights) == std::string_view::npos;
}

bool is_list_date(std::string_view month, std::string_view day, std::string_view time) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const bool clock =
      time.size() == 5 && time[2] == ':' && all_digits(time.substr(0, 2)) && all_digits(time.substr(3));
  return std::find(kMonths.begin(), kMonths.end(), month) != kMonths.end() && day.size() <= 2 &&
         all_digits(day) && (clock || (time.size() == 4 && all_digits(time)));
}

/// Mode, links, owner, group, size, date, one blank, name.
std::optional<FtpFile> parse_list_line(std::string_view rest) {
  const std::string_view mode = next_word(rest);
  if (!is_mode(mode)) return std::nullopt;
  FtpFile file;
  if (mode[0] == 'b' || mode[0] == 'c') return file;
  file.kind = mode[0] == '-' ? FtpKind::file : mode[0] == 'd' ? FtpKind::folder : FtpKind::other;
  const std::string_view links = next_word(rest);
  next_word(rest);
  next_word(rest);
  const auto size = parse_ftp_size(next_word(rest));
  const std::string_view month = next_word(rest);
  const std::string_view day = next_word(rest);
  const std::string_view time = next_word(rest);
  if (!all_digits(links) || !size || !is_list_date(month, day, time) || !rest.starts_with(' '))
    return std::nullopt;
  file.size = *size;
  file.name = rest.substr(1);
  if (mode[0] == 'l') file.name.resize(std::min(file.name.find(" -> "), file.name.size()));
  if (file.name.empty()) return std::nullopt;
  return file;
}

void take(FtpListing& listing, std::optional<FtpFile> file) {
  if (!file) {
    ++listing.unreadable;
    return;
  }
  ++listing.read;
  const bool folder = file->kind == FtpKind::folder;
  const bool itself = folder && file->name == ".";
  listing.shows_itself |= itself;
  if (!itself && !(folder && file->name == "..")) listing.entries.push_back(std::move(*file));
}

}  // namespace

std::optional<std::uint64_t> parse_ftp_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!all_digits(text) || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Time> parse_ftp_time(std::string_view text) {
  const std::string_view whole = cut(text, '.');
  if (whole.size() != 14 || !all_digits(whole) || (!text.empty() && !all_digits(text))) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : whole.substr(at, digits)) value = value * 10 + (c - '0');
    return value;
  };
  const Date date(std::chrono::year(number(0, 4)), std::chrono::month(static_cast<unsigned>(number(4, 2))),
                  std::chrono::day(static_cast<unsigned>(number(6, 2))));
  if (!date.ok() || number(8, 2) > 23 || number(10, 2) > 59 || number(12, 2) > 60) return std::nullopt;
  std::int64_t millis = 0;
  for (std::size_t i = 0; i < 3; ++i) millis = millis * 10 + (i < text.size() ? text[i] - '0' : 0);
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(number(8, 2)) +
         std::chrono::minutes(number(10, 2)) + std::chrono::seconds(number(12, 2)) +
         std::chrono::milliseconds(millis);
}

std::optional<FtpFile> parse_facts(std::string_view line) {
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  FtpFile file;
  file.name = line.substr(blank + 1);
  std::string type;
  std::optional<std::uint64_t> size;
  for (std::string_view facts = line.substr(0, blank); !facts.empty();) {
    std::string_view value = cut(facts, ';');
    const std::string fact = lower(cut(value, '='));
    if (fact == "type") type = lower(value);
    if (fact == "size") size = parse_ftp_size(value);
    if (fact == "modify" && is_time(value)) file.modified = value;
    if (fact == "unique") file.unique = printable(value, kLongestUnique);
  }
  if (type.empty()) return std::nullopt;
  if (type == "dir" || type == "cdir" || type == "pdir") {
    file.kind = FtpKind::folder;
    if (type == "cdir") file.name = ".";
    if (type == "pdir") file.name = "..";
  } else if (type == "file") {
    file.kind = FtpKind::file;
    if (!size || file.modified.empty() || file.name.empty()) return std::nullopt;
    file.size = *size;
  }
  return file;
}

FtpListing parse_mlsd(std::string_view text) {
  FtpListing listing;
  for_each_line(text, [&](std::string_view line) { take(listing, parse_facts(line)); });
  return listing;
}

FtpListing parse_unix_list(std::string_view text) {
  FtpListing listing;
  for_each_line(text, [&](std::string_view line) {
    if (line.starts_with("total ") && all_digits(line.substr(6)))
      ++listing.read;
    else
      take(listing, parse_list_line(line));
  });
  return listing;
}

}  // namespace veer

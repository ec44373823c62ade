#include "daemon/config_pins.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"

namespace veer {
namespace {

struct Place {
  const char* table;
  const char* key;
};

constexpr Place place_of(Whose whose) {
  return whose == Whose::own ? Place{"openpgp", "own"} : Place{"counterparty", "keys"};
}

toml::table parsed(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw Error(Code::c_config,
                fmt::format("line {} of the configuration is not TOML", error.source().begin.line));
  }
}

const toml::array* list_in(const toml::table& root, Whose whose) {
  const Place place = place_of(whose);
  return root[place.table][place.key].as_array();
}

std::optional<Time> start_of(const toml::node* node) {
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<toml::date>();
  if (!value) throw Error(Code::c_config, "from and until of a key must be dates like 2026-12-31");
  const Date date(std::chrono::year(value->year), std::chrono::month(value->month),
                  std::chrono::day(value->day));
  return Time(std::chrono::sys_days(date));
}

std::optional<Time> end_of(const toml::node* node) {
  const auto start = start_of(node);
  return start ? std::optional(*start + std::chrono::days(1) - std::chrono::milliseconds(1)) : std::nullopt;
}

PinnedKey pin_of(const toml::table& entry) {
  return {.fingerprint = entry["key"].value_or(std::string()),
          .from = start_of(entry.get("from")),
          .until = end_of(entry.get("until"))};
}

std::vector<PinnedKey> pins_in(const toml::table& root, Whose whose) {
  std::vector<PinnedKey> pins;
  if (const toml::array* list = list_in(root, whose))
    for (const toml::node& element : *list)
      if (const toml::table* entry = element.as_table())
        if (PinnedKey pin = pin_of(*entry); !pin.fingerprint.empty()) pins.push_back(std::move(pin));
  return pins;
}

bool is_same(const PinnedKey& a, const PinnedKey& b) {
  return a.fingerprint == b.fingerprint && a.from == b.from && a.until == b.until;
}

std::string entry_of(const PinnedKey& pin) {
  std::string text = fmt::format("{{ key = \"{}\"", pin.fingerprint);
  if (pin.from) text += ", from = " + format_date(date_of(*pin.from));
  if (pin.until) text += ", until = " + format_date(date_of(*pin.until));
  return text + " }";
}

// toml++ counts lines and code points from 1.
std::size_t offset_of(std::string_view text, toml::source_position position) {
  std::size_t at = 0;
  for (auto line = position.line; line > 1 && at < text.size(); ++at)
    if (text[at] == '\n') --line;
  const auto continues = [&](std::size_t i) {
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  for (auto column = position.column; column > 1 && at < text.size(); --column) {
    ++at;
    while (continues(at)) ++at;
  }
  return at;
}

struct Span {
  std::size_t begin;
  std::size_t end;
};

Span span_of(std::string_view text, const toml::node& node) {
  return {offset_of(text, node.source().begin), offset_of(text, node.source().end)};
}

// Without the entry at `span`, the comma that parts it from the next or from the one before, and its line
// when that would be empty.
void cut(std::string& text, Span span) {
  static constexpr const char* kBlank = " \t";
  const auto after = [&](std::size_t at) {
    return std::min(text.find_first_not_of(kBlank, at), text.size());
  };
  const std::size_t before = span.begin == 0 ? 0 : text.find_last_not_of(" \t\r\n", span.begin - 1);
  const std::size_t next = after(span.end);
  if (next < text.size() && text[next] == ',') {
    span.end = after(next + 1);
    const std::size_t line = text.find_last_not_of(kBlank, span.begin - 1);
    if (line != std::string::npos && text[line] == '\n' && text[span.end] == '\n')
      span = {line + 1, span.end + 1};
  } else if (before != std::string::npos && text[before] == ',') {
    span.begin = before;
  }
  text.erase(span.begin, span.end - span.begin);
}

[[noreturn]] void throw_unclear(Whose whose) {
  const Place place = place_of(whose);
  throw Error(Code::c_config, fmt::format("{} in [{}] is not written in the way that this program can change",
                                          place.key, place.table));
}

// Entries are changed from the last to the first, so that the places of those before them stay true.
std::string edited(std::string text, const toml::array& list, const std::vector<PinnedKey>& pins) {
  const Span all = span_of(text, list);
  std::string added;
  for (const PinnedKey& pin : pins) {
    const bool there = std::any_of(list.begin(), list.end(), [&](const toml::node& element) {
      return element.is_table() && pin_of(*element.as_table()).fingerprint == pin.fingerprint;
    });
    if (!there) added += (added.empty() ? "" : ", ") + entry_of(pin);
  }
  if (!added.empty() && list.empty()) text.insert(all.begin + 1, added);
  for (std::size_t i = list.size(); i-- > 0;) {
    const toml::table* entry = list.get(i)->as_table();
    if (entry == nullptr) continue;
    const Span span = span_of(text, *entry);
    const PinnedKey old = pin_of(*entry);
    const auto wanted = std::find_if(
        pins.begin(), pins.end(), [&](const PinnedKey& pin) { return pin.fingerprint == old.fingerprint; });
    const bool last = i + 1 == list.size();
    const std::string more = last && !added.empty() ? added : "";
    if (wanted == pins.end() && more.empty()) {
      cut(text, span);
      continue;
    }
    std::string now = wanted == pins.end()    ? ""
                      : is_same(*wanted, old) ? text.substr(span.begin, span.end - span.begin)
                                              : entry_of(*wanted);
    if (!more.empty()) now += (now.empty() ? "" : ",\n         ") + more;
    text.replace(span.begin, span.end - span.begin, now);
  }
  return text;
}

toml::table without_list(toml::table root, Whose whose) {
  const Place place = place_of(whose);
  if (toml::table* table = root[place.table].as_table()) table->erase(place.key);
  return root;
}

[[noreturn]] void throw_by_hand(const fs::path& config, std::string_view why) {
  throw Error(Code::c_config, fmt::format("{} {}: edit it by hand", printable(config.native(), 300), why));
}

}  // namespace

std::vector<PinnedKey> read_pins(std::string_view text, Whose whose) { return pins_in(parsed(text), whose); }

std::string read_passphrase_reference(std::string_view text) {
  const toml::table table = parsed(text);
  return table["openpgp"]["passphrase"].value_or(std::string());
}

std::string pin_lines(Whose whose, const std::vector<PinnedKey>& pins) {
  std::string text = fmt::format("{} = [", place_of(whose).key);
  for (const PinnedKey& pin : pins) text += "\n  " + entry_of(pin) + ",";
  return text + "\n]\n";
}

std::string with_pins(std::string_view text, Whose whose, const std::vector<PinnedKey>& pins) {
  const toml::table before = parsed(text);
  const toml::array* list = list_in(before, whose);
  if (list == nullptr) throw_unclear(whose);
  std::string after = edited(std::string(text), *list, pins);
  try {
    const toml::table read = parsed(after);
    const std::vector<PinnedKey> found = pins_in(read, whose);
    const bool same_pins =
        found.size() == pins.size() && std::all_of(pins.begin(), pins.end(), [&](auto& pin) {
          return std::any_of(found.begin(), found.end(), [&](auto& one) { return is_same(one, pin); });
        });
    if (!same_pins || without_list(before, whose) != without_list(read, whose)) throw_unclear(whose);
  } catch (const Error&) {
    throw_unclear(whose);
  }
  return after;
}

void write_pins(const fs::path& config, Whose whose, const std::vector<PinnedKey>& pins) {
  struct stat status {};
  if (lstat(config.c_str(), &status) != 0) throw_errno("looking at the configuration");
  if (!S_ISREG(status.st_mode) || status.st_nlink != 1) throw_by_hand(config, "is a link, or no file");
  if (status.st_uid != geteuid()) throw_by_hand(config, "belongs to another user");
  if (access(config.parent_path().c_str(), W_OK | X_OK) != 0)
    throw_by_hand(config, "lies in a folder that may not be written");
  const std::string text = with_pins(read_file(config), whose, pins);
  write_file(config, text, status.st_mode & 07777);
  // Only a member of the group may give it the file; for others its folder's group is as good.
  static_cast<void>(chown(config.c_str(), static_cast<uid_t>(-1), status.st_gid) == 0);
}

std::vector<PinnedKey> with_successor(std::vector<PinnedKey> pins, const std::string& fingerprint,
                                      Date from) {
  const Time start{std::chrono::sys_days(from)};
  const Time end = start + kKeyOverlap + std::chrono::days(1) - std::chrono::milliseconds(1);
  for (PinnedKey& pin : pins) pin.until = std::min(pin.until.value_or(end), end);
  pins.push_back({.fingerprint = fingerprint, .from = start, .until = std::nullopt});
  return pins;
}

}  // namespace veer

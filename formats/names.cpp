#include "formats/names.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>

namespace veer {
namespace {

constexpr std::string_view kListPrefix = "vsb-inburgering-";
constexpr std::string_view kRehearsalPrefix = "vsb-rehearsal-";
constexpr int kMostRevision = 999;
constexpr int kMostCopy = 99;

struct Suffix {
  FileKind kind;
  std::string_view text;
  bool numbered = false;  ///< behind kCase and its number
};
constexpr std::array kSuffixes = {
    Suffix{FileKind::package, ".pgp"},
    Suffix{FileKind::recorded, ".recorded.tar"},
    Suffix{FileKind::refused, ".refused.tar"},
    Suffix{FileKind::quality_case, ".pgp", true},
    Suffix{FileKind::answer, ".answer.pgp", true},
    Suffix{FileKind::closing, ".closed.pgp", true},
};
constexpr std::string_view kCase = ".case-";

// MAGDA's yyyyMMddHHmmssSSS.
std::string compact_time(Time time) {
  std::string text = format_time(time);
  std::erase_if(text, [](char c) { return c < '0' || c > '9'; });
  return text;
}

std::optional<Time> parse_compact_time(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  return parse_time(fmt::format("{}-{}-{}T{}:{}:{}.{}Z", text.substr(0, 4), text.substr(4, 2),
                                text.substr(6, 2), text.substr(8, 2), text.substr(10, 2), text.substr(12, 2),
                                text.substr(14)));
}

// Takes one to `most` digits without a leading zero from the front of `text`; 0 when it does not start with
// such.
int take_number(std::string_view& text, std::size_t most) {
  int value = 0;
  std::size_t n = 0;
  while (n < text.size() && n < most && text[n] >= '0' && text[n] <= '9')
    value = value * 10 + (text[n++] - '0');
  if (n == 0 || text[0] == '0') return 0;
  text.remove_prefix(n);
  return value;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// What make_stem() was told, had it made this: what it is read as must give the same text again.
std::optional<StemFacts> parse_stem(std::string_view stem) {
  const std::size_t line = stem.rfind('_');
  if (line == std::string_view::npos) return std::nullopt;
  const auto sealed_at = parse_compact_time(stem.substr(line + 1));
  if (!sealed_at) return std::nullopt;
  std::string_view rest = stem;
  StemFacts facts;
  facts.sealed_at = *sealed_at;
  if (take(rest, kListPrefix)) {
    facts.reference_year = take_number(rest, 4);
    facts.revision = take(rest, "-r") ? take_number(rest, 3) : 0;
  } else if (take(rest, kRehearsalPrefix)) {
    facts.purpose = Purpose::rehearsal;
    facts.reference_year = take_number(rest, 4);
  }
  if (facts.reference_year < 1000 || facts.revision < 1 ||
      make_stem(facts.purpose, facts.reference_year, facts.revision, *sealed_at) != stem)
    return std::nullopt;
  return facts;
}

}  // namespace

std::string_view purpose_name(Purpose purpose) { return purpose == Purpose::list ? "list" : "rehearsal"; }

std::string make_stem(Purpose purpose, int reference_year, int revision, Time sealed_at) {
  assert(reference_year >= 1000 && reference_year <= 9999);
  assert(purpose == Purpose::rehearsal || (revision >= 1 && revision <= kMostRevision));
  const std::string time = compact_time(sealed_at);
  if (purpose == Purpose::list)
    return fmt::format("{}{}-r{}_{}", kListPrefix, reference_year, revision, time);
  return fmt::format("{}{}{}_{}", kRehearsalPrefix, reference_year, std::string_view(time).substr(4, 2),
                     time);
}

std::string file_name(std::string_view stem, FileKind kind, int copy, int number) {
  const auto suffix =
      std::find_if(kSuffixes.begin(), kSuffixes.end(), [&](const Suffix& s) { return s.kind == kind; });
  assert(copy >= 1 && copy <= kMostCopy);
  assert(suffix->numbered == (number >= 1 && number <= kMostNumber));
  return fmt::format("{}{}{}{}", stem, copy == 1 ? "" : fmt::format("-{}", copy),
                     suffix->numbered ? fmt::format("{}{}", kCase, number) : "", suffix->text);
}

std::optional<ParsedName> parse_file_name(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  std::string_view end = name.substr(dot);
  const bool numbered = take(end, kCase);
  const int number_of_case = numbered ? take_number(end, 3) : 0;
  if (numbered && number_of_case == 0) return std::nullopt;
  const auto suffix = std::find_if(kSuffixes.begin(), kSuffixes.end(),
                                   [&](const Suffix& s) { return s.text == end && s.numbered == numbered; });
  if (suffix == kSuffixes.end()) return std::nullopt;

  std::string_view stem = name.substr(0, dot);
  int copy = 1;
  const std::size_t line = stem.rfind('_');
  const std::size_t dash = stem.rfind('-');
  if (line != std::string_view::npos && dash != std::string_view::npos && dash > line) {
    std::string_view number = stem.substr(dash + 1);
    copy = take_number(number, 2);
    if (copy < 2 || !number.empty()) return std::nullopt;
    stem = stem.substr(0, dash);
  }
  if (!parse_stem(stem)) return std::nullopt;
  return ParsedName{.stem = std::string(stem), .kind = suffix->kind, .copy = copy, .number = number_of_case};
}

StemFacts facts_in_stem(std::string_view stem) { return parse_stem(stem).value_or(StemFacts{}); }

bool is_made_by_sender(FileKind kind) { return kind == FileKind::package || kind == FileKind::answer; }

bool is_part_name(std::string_view name) {
  static constexpr std::string_view kPart = ".part";
  return name.size() > kPart.size() + 1 && name.starts_with('.') && name.ends_with(kPart) &&
         parse_file_name(name.substr(1, name.size() - 1 - kPart.size())).has_value();
}

}  // namespace veer

#include "core/log.h"

#include <algorithm>
#include <array>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "core/log_event.h"
#include "core/utf8.h"

namespace veer {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::none:
      return spdlog::level::off;
  }
  return spdlog::level::err;
}

/// Priorities of syslog(3).
int priority_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return LOG_DEBUG;
    case LogLevel::info:
      return LOG_INFO;
    case LogLevel::warn:
      return LOG_WARNING;
    case LogLevel::error:
    case LogLevel::none:
      return LOG_ERR;
  }
  return LOG_ERR;
}

/// Whether people, or the programs that they write with, may put it between the digits of a number: what does
/// not show, and whatever spaces and dashes there are, those that a word processor makes by itself included.
bool parts_digits(const Letter& letter) {
  static constexpr std::string_view kAscii = " ._-/,";
  static constexpr std::array<std::string_view, 5> kOthers = {"\u00a0", "\u00ad", "\u00b7", "\u2212",
                                                              "\u3000"};
  if (!letter.shows) return true;
  if (letter.bytes.size() == 1) return kAscii.find(letter.bytes) != std::string_view::npos;
  return (letter.bytes >= "\u2000" && letter.bytes <= "\u206f") ||
         std::find(kOthers.begin(), kOthers.end(), letter.bytes) != kOthers.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// A text in which numbers are looked for, with one character for each letter: a blank for what parts digits,
/// but for '_', '-', '/' and ',', which dates, ids and addresses have too. A comma with a blank behind it
/// parts the members of a list.
class Searched {
 public:
  explicit Searched(std::string_view text) : masked_(text) {
    static constexpr std::string_view kKept = "_-/,";
    for (std::size_t at = 0; at < text.size();) {
      const Letter letter = first_letter(text.substr(at));
      const bool listed = letter.bytes == "," && text.substr(at + 1).starts_with(' ');
      const bool stays = letter.bytes.size() == 1 && kKept.find(letter.bytes) != std::string_view::npos;
      char shown = letter.bytes.size() == 1 ? letter.bytes.front() : '?';
      if (listed) shown = ';';
      if (!stays && parts_digits(letter)) shown = ' ';
      letters_ += shown;
      at_.push_back(at);
      at += letter.bytes.size();
    }
  }
  const std::string& letters() const { return letters_; }
  void mask(std::size_t from, std::size_t count) {
    for (std::size_t i = from; i < from + count; ++i)
      if (is_digit(letters_[i])) masked_[at_[i]] = 'x';
  }
  /// It holds no number, whatever it looks like.
  void pass_over(std::size_t from, std::size_t count) { letters_.replace(from, count, count, '#'); }
  std::string take() { return std::move(masked_); }

 private:
  std::string letters_;
  std::vector<std::size_t> at_;  ///< where each begins in the text
  std::string masked_;
};

/// Masks digits in the groups of a number, whatever stands between them; not within others.
void mask_groups(Searched& text) {
  static const std::regex kGroups(
      "(?:[0-9]{6}|[0-9]{2}[ _/,-]{1,5}[0-9]{2}[ _/,-]{1,5}[0-9]{2})[ _/,-]{0,5}[0-9]{3}[ _/,-]{0,5}[0-9]{2}"
      "(?![0-9])");
  const std::string& letters = text.letters();
  std::smatch found;
  for (auto from = letters.begin(); std::regex_search(from, letters.end(), found, kGroups);) {
    const bool begins = found[0].first == letters.begin() || !is_digit(*std::prev(found[0].first));
    if (begins)
      text.mask(static_cast<std::size_t>(found[0].first - letters.begin()),
                static_cast<std::size_t>(found.length()));
    from = begins ? found[0].second : std::next(found[0].first);
  }
}

constexpr const char* kIdentifier = "veer";
bool to_journal = false;

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> instance = [] {
    auto first = std::make_shared<spdlog::logger>("veer", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    first->set_level(spdlog::level::warn);
    first->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    return first;
  }();
  return instance;
}

}  // namespace

void log_to(LogTarget target, LogLevel threshold) {
  std::shared_ptr<spdlog::logger> next;
  to_journal = target == LogTarget::journal;
  if (to_journal) {
    next = std::make_shared<spdlog::logger>("veer",
                                            std::make_shared<spdlog::sinks::systemd_sink_mt>(kIdentifier));
  } else {
    next = std::make_shared<spdlog::logger>("veer", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    next->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  }
  next->set_level(level_of(threshold));
  next->flush_on(spdlog::level::debug);
  logger() = std::move(next);
}

void log_line(LogLevel level, std::string_view line) {
  logger()->log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

void log_event(LogLevel level, std::string_view line, std::initializer_list<LogField> fields) {
  if (!to_journal) return log_line(level, line);
  if (!logger()->should_log(level_of(level))) return;
  std::vector<std::string> texts{fmt::format("MESSAGE={}", line),
                                 fmt::format("PRIORITY={}", priority_of(level)),
                                 fmt::format("SYSLOG_IDENTIFIER={}", kIdentifier)};
  for (const LogField& field : fields)
    if (!field.value.empty()) texts.push_back(fmt::format("{}={}", field.name, field.value));
  std::vector<iovec> pieces;
  pieces.reserve(texts.size());
  for (std::string& text : texts) pieces.push_back({text.data(), text.size()});
  sd_journal_sendv(pieces.data(), static_cast<int>(pieces.size()));
}

std::string printable(std::string_view text, std::size_t most) {
  std::string safe;
  while (!text.empty()) {
    const Letter letter = first_letter(text);
    std::string shown(letter.bytes);
    if (!letter.shows || letter.bytes == "\\") {
      shown.clear();
      for (const char c : letter.bytes) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    if (safe.size() + shown.size() > most) return safe + "…";
    safe += shown;
    text.remove_prefix(letter.bytes.size());
  }
  return safe;
}

std::string without_numbers(std::string_view name) {
  static constexpr std::ptrdiff_t kDigits = 11;
  const auto within = [](char c) { return is_digit(c) || c == ' ' || c == '-' || c == '_'; };
  Searched text(name);
  const std::string& letters = text.letters();
  for (auto from = letters.begin(); from != letters.end();) {
    const auto to = std::find_if_not(from, letters.end(), within);
    if (std::count_if(from, to, is_digit) >= kDigits)
      text.mask(static_cast<std::size_t>(from - letters.begin()), static_cast<std::size_t>(to - from));
    from = to == letters.end() ? to : to + 1;
  }
  mask_groups(text);
  return text.take();
}

std::string without_typed_numbers(const std::string& text) {
  // Whatever begins first counts, the digests and times before the number that could be a part of them.
  static const std::regex kWord(
      R"(([0-9A-Fa-f]{32,})"
      R"(|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
      R"(|(?:(?:[0-9]{6}_)?[0-9]{17}|[0-9]{8}_[0-9]{6})(?![0-9])))"
      R"(|[0-9]{11,}|[0-9]{2}(?:[ _-]{0,5}[0-9]{2}){2}[ _-]{0,5}[0-9]{3}[ _-]{0,5}[0-9]{2})");
  Searched searched(text);
  const std::string letters = searched.letters();
  for (std::sregex_iterator it(letters.begin(), letters.end(), kWord), end; it != end; ++it) {
    const auto from = static_cast<std::size_t>(it->position());
    const auto count = static_cast<std::size_t>(it->length());
    if ((*it)[1].matched)
      searched.pass_over(from, count);
    else
      searched.mask(from, count);
  }
  mask_groups(searched);
  return searched.take();
}

std::string shown_name(std::string_view name) { return printable(without_numbers(name)); }

std::string shown_text(std::string_view text, std::size_t most) {
  return printable(without_numbers(text), most);
}

}  // namespace veer

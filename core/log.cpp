#include "core/log.h"

#include <algorithm>
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
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto within = [&](char c) { return digit(c) || c == '.' || c == '-' || c == ' ' || c == '_'; };
  std::string shown(name);
  for (auto from = shown.begin(); from != shown.end();) {
    const auto to = std::find_if_not(from, shown.end(), within);
    if (std::count_if(from, to, digit) >= kDigits) std::replace_if(from, to, digit, 'x');
    from = to == shown.end() ? to : to + 1;
  }
  return shown;
}

std::string without_typed_numbers(const std::string& text) {
  // Whatever begins first counts, the digests and times before the number that could be a part of them.
  static const std::regex kWord(
      R"(([0-9A-Fa-f]{32,})"
      R"(|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
      R"(|(?:(?:[0-9]{6}_)?[0-9]{17}|[0-9]{8}_[0-9]{6})(?![0-9])))"
      R"(|[0-9]{11,}|[0-9]{2}(?:[ ._-]?[0-9]{2}){2}[ ._-]?[0-9]{3}[ ._-]?[0-9]{2})");
  std::string shown = text;
  for (std::sregex_iterator it(text.begin(), text.end(), kWord), end; it != end; ++it) {
    if ((*it)[1].matched) continue;
    const auto from = shown.begin() + it->position();
    std::replace_if(
        from, from + it->length(), [](char c) { return c >= '0' && c <= '9'; }, 'x');
  }
  return shown;
}

std::string shown_name(std::string_view name) { return printable(without_numbers(name)); }

}  // namespace veer

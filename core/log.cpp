#include "core/log.h"

#include <algorithm>
#include <memory>
#include <regex>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>

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

std::shared_ptr<spdlog::logger>& logger() {
  static std::shared_ptr<spdlog::logger> instance = [] {
    auto first = std::make_shared<spdlog::logger>("veer", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    first->set_level(spdlog::level::warn);
    first->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    return first;
  }();
  return instance;
}

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!follows(1) || !follows(2)) return 0;
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    const bool outside = (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f);
    return outside ? 0 : 4;
  }
  return 0;
}

}  // namespace

void log_to(LogTarget target, LogLevel threshold) {
  std::shared_ptr<spdlog::logger> next;
  if (target == LogTarget::journal) {
    next = std::make_shared<spdlog::logger>("veer", std::make_shared<spdlog::sinks::systemd_sink_mt>("veer"));
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

std::string printable(std::string_view text, std::size_t most) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view letter = text.substr(0, std::max<std::size_t>(length, 1));
    const auto byte = static_cast<unsigned char>(letter[0]);
    const bool c1 = length == 2 && byte == 0xc2 && static_cast<unsigned char>(letter[1]) < 0xa0;
    // What turns the direction of writing or breaks a line makes a text look like another (Unicode TR 36).
    const bool unseen =
        (letter >= "\u200b" && letter <= "\u200f") || (letter >= "\u2028" && letter <= "\u202e") ||
        (letter >= "\u2066" && letter <= "\u2069") || letter == "\u061c" || letter == "\ufeff";
    std::string shown(letter);
    if (length == 0 || byte < 0x20 || byte == 0x7f || byte == '\\' || c1 || unseen) {
      shown.clear();
      for (const char c : letter) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    if (safe.size() + shown.size() > most) return safe + "…";
    safe += shown;
    text.remove_prefix(letter.size());
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
      R"(|(?:[0-9]{17}|[0-9]{8}_[0-9]{6})(?![0-9])))"
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

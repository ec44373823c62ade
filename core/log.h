#pragma once

#include <string_view>

#include <fmt/format.h>

namespace veer {

enum class LogLevel { debug, info, warn, error, none };
enum class LogTarget { stderr_plain, journal };

/// Where log lines go and from which level; before the first call they go to stderr from `warn`.
void log_to(LogTarget target, LogLevel threshold);
/// One line. Lines hold names, counts, codes and digests of ciphertext; never an INSZ, never a secret.
void log_line(LogLevel level, std::string_view line);

template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  log_line(level, fmt::format(format, std::forward<Args>(args)...));
}

/// Makes foreign text (a file name from a share) safe for a log or a terminal: control bytes, backslashes and
/// invalid UTF-8 become \xNN, and it is cut at `most` bytes.
std::string printable(std::string_view text, std::size_t most = 120);

/// `name` with an x for each digit of what could be a national number: eleven digits or more, with nothing
/// but points, dashes, spaces, underscores and what does not show between them; or digits in the groups of
/// one, by twos, three and two or six, three and two, with slashes and commas (of no list: without a blank
/// behind them) as well. People name files after persons. Before printable(), whose \xNN are
/// digits too.
std::string without_numbers(std::string_view name);
/// `text` with an x for each digit of what is written as a national number is. Digests, fingerprints, ids and
/// the time in a package's name stay: for a text that holds such, and may repeat what somebody typed.
std::string without_typed_numbers(const std::string& text);
/// A file name that somebody else gave, safe for a log, a note or the ledger.
std::string shown_name(std::string_view name);
/// A text that somebody typed, likewise, cut at `most` bytes.
std::string shown_text(std::string_view text, std::size_t most);

}  // namespace veer

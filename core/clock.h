#pragma once

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace veer {

/// UTC, to the millisecond.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Date = std::chrono::year_month_day;

/// Where the time comes from. Tests move theirs by hand. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  /// How long the machine has run, awake or not: whoever sets the clock does not change it.
  virtual std::chrono::milliseconds uptime() const = 0;
};

class SystemClock : public Clock {
 public:
  Time now() const override;
  std::chrono::milliseconds uptime() const override;
};

/// "2026-01-15T09:30:00.123Z" (RFC 3339).
std::string format_time(Time time);
/// "2026-01-15".
std::string format_date(Date date);
/// The fraction may be absent or have up to three digits; only "Z" is taken as zone. Empty when malformed.
std::optional<Time> parse_time(std::string_view text);
/// Exactly "YYYY-MM-DD" and a day that exists. Empty when malformed.
std::optional<Date> parse_date(std::string_view text);
Date date_of(Time time);
std::int64_t to_millis(Time time);
Time from_millis(std::int64_t millis);
std::int64_t nanoseconds(const timespec& time);

}  // namespace veer

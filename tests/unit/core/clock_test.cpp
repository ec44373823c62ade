#include "core/clock.h"

#include <catch2/catch.hpp>

using namespace veer;

TEST_CASE("a time is printed in UTC to the millisecond and read back") {
  const Time time = std::chrono::sys_days(std::chrono::January / 15 / 2026) + std::chrono::hours(9) +
                    std::chrono::minutes(30) + std::chrono::milliseconds(123);
  CHECK(format_time(time) == "2026-01-15T09:30:00.123Z");
  CHECK(parse_time("2026-01-15T09:30:00.123Z") == time);
  CHECK(parse_time("2026-01-15T09:30:00.12Z") == time - std::chrono::milliseconds(3));
  CHECK(parse_time("2026-01-15T09:30:00Z") == time - std::chrono::milliseconds(123));
}

TEST_CASE("malformed times and dates are refused") {
  for (const char* text :
       {"", "2026-01-15", "2026-01-15T09:30:00", "2026-01-15T09:30:00.Z", "2026-01-15T24:00:00Z",
        "2026-01-15T09:30:00.1234Z", "2026-02-30T09:30:00Z", "2026-01-15T09:30:00+01:00"})
    CHECK_FALSE(parse_time(text));
  for (const char* text : {"", "2026-1-15", "2026-02-29", "2026/01/15", "2026-01-155", "x026-01-15"})
    CHECK_FALSE(parse_date(text));
  CHECK(parse_date("2024-02-29"));
}

#include "daemon/dates.h"

#include <cstdlib>
#include <ctime>

#include <catch2/catch.hpp>

using namespace veer;

namespace {

/// The wall clock of another place, while it lasts.
class Zone {
 public:
  explicit Zone(const char* rule) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    setenv("TZ", rule, 1);
    tzset();
  }
  ~Zone() {
    if (before_.empty())
      unsetenv("TZ");
    else
      setenv("TZ", before_.c_str(), 1);
    tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::string before_;
};

constexpr const char* kBrussels = "CET-1CEST,M3.5.0,M10.5.0/3";

}  // namespace

TEST_CASE("people read times by the clock on the wall, in summer and in winter") {
  const Zone zone(kBrussels);
  const auto said = [](const char* time, Language language) {
    return said_time(*parse_time(time), language);
  };
  CHECK(said("2026-03-01T08:05:59.999Z", Language::nl) == "1 maart 2026, 09:05 CET");
  CHECK(said("2026-07-01T08:00:00Z", Language::en) == "1 July 2026, 10:00 CEST");
  CHECK(said("2026-12-31T23:30:00Z", Language::nl) == "1 januari 2027, 00:30 CET");
  const Zone utc("UTC0");
  CHECK(said("2026-12-31T23:30:00Z", Language::en) == "31 December 2026, 23:30 UTC");
}

TEST_CASE("a day is said with its month's name") {
  CHECK(said_date(*parse_date("2026-01-01"), Language::nl) == "1 januari 2026");
  CHECK(said_date(*parse_date("2026-10-31"), Language::en) == "31 October 2026");
}

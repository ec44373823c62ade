#include "daemon/dates.h"

#include <array>
#include <ctime>

#include <fmt/format.h>

namespace veer {
namespace {

constexpr std::array<Phrase, 12> kMonths = {{{"januari", "January"},
                                             {"februari", "February"},
                                             {"maart", "March"},
                                             {"april", "April"},
                                             {"mei", "May"},
                                             {"juni", "June"},
                                             {"juli", "July"},
                                             {"augustus", "August"},
                                             {"september", "September"},
                                             {"oktober", "October"},
                                             {"november", "November"},
                                             {"december", "December"}}};

}  // namespace

std::string said_date(Date date, Language language) {
  return fmt::format("{} {} {}", unsigned{date.day()}, kMonths.at(unsigned{date.month()} - 1).in(language),
                     int{date.year()});
}

std::string said_time(Time time, Language language) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm wall{};
  localtime_r(&seconds, &wall);
  const Date date(std::chrono::year(wall.tm_year + 1900),
                  std::chrono::month(static_cast<unsigned>(wall.tm_mon + 1)),
                  std::chrono::day(static_cast<unsigned>(wall.tm_mday)));
  return fmt::format("{}, {:02}:{:02} {}", said_date(date, language), wall.tm_hour, wall.tm_min,
                     wall.tm_zone);
}

}  // namespace veer

#include "daemon/rules.h"

#include <fmt/format.h>

#include "core/error.h"

namespace veer {

Date reference_date_of(int reference_year) {
  return Date(std::chrono::year(reference_year), std::chrono::January, std::chrono::day(1));
}

int premium_year_of(int reference_year) { return reference_year + 1; }

void require_reference_date(Date reference, Date today) {
  if (reference.month() != std::chrono::January || reference.day() != std::chrono::day(1))
    throw Error(Code::f_reference_date,
                fmt::format("the reference date {} is not a 1 January (protocol, recital E)",
                            format_date(reference)));
  if (reference.year() < std::chrono::year(2022))
    throw Error(Code::f_reference_date,
                fmt::format("the reference date {} lies before 2022, the protocol's first year",
                            format_date(reference)));
  if (std::chrono::sys_days(reference) > std::chrono::sys_days(today))
    throw Error(Code::f_reference_date,
                fmt::format("the reference date {} is still to come", format_date(reference)));
}

void require_window(const Window& window, Environment environment, int reference_year, Date today) {
  if (reference_year < window.first_reference_year || reference_year > window.last_reference_year)
    throw Error(Code::f_window,
                fmt::format("reference year {} is outside the agreed years {} to {} ([window])",
                            reference_year, window.first_reference_year, window.last_reference_year));
  if (environment == Environment::production &&
      std::chrono::sys_days(today) > std::chrono::sys_days(window.closes))
    throw Error(Code::f_window,
                fmt::format("the transition ended on {}: no first list may travel after it ([window])",
                            format_date(window.closes)));
}

}  // namespace veer

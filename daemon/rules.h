#pragma once

#include "core/clock.h"
#include "daemon/config.h"

/// What the protocol allows, as functions of configuration and date alone.
namespace veer {

/// 1 January of the reference year (recital E; Q02).
Date reference_date_of(int reference_year);
/// The premium year that a list decides (Q03).
int premium_year_of(int reference_year);
/// Throws F_REFERENCE_DATE for a date other than 1 January, a year before 2022 or a date still to come (Q02,
/// Q03).
void require_reference_date(Date reference, Date today);
/// Throws F_WINDOW when a first list for this year may not travel: a year outside the transition, or, in
/// production, a day after it (recital E; Q07). `test` ends with no window, so that a path can be tried
/// before and after.
void require_window(const Window& window, Environment environment, int reference_year, Date today);

}  // namespace veer

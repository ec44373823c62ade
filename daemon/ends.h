#pragma once

#include <optional>
#include <vector>

#include "daemon/instance.h"

namespace veer {

/// What ends one day, and is told of 90, 30, 7 and 1 days before: keys and their windows, care funds' too,
/// the certificate for the share, and in production the transition and the legal basis. `ends`: of the key
/// folder. Within the caller's transaction.
void look_at_ends(Instance& instance, const std::vector<KeyEnd>& ends);

/// The end of what lets this side in at the share, as look_at_ends() found it; empty when it has none.
std::optional<Time> way_in_end(Settings& settings);
/// Of a last day.
Time end_of_day(Date day);

}  // namespace veer

#pragma once

#include <string>

#include "core/clock.h"
#include "daemon/phrase.h"

/// Days and times as people read them, by the clock on this machine's wall (TZ, /etc/localtime).
namespace veer {

/// "1 maart 2026".
std::string said_date(Date date, Language language);
/// "1 maart 2026, 09:00 CET".
std::string said_time(Time time, Language language);

}  // namespace veer

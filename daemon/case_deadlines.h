#pragma once

#include <string>

#include "daemon/cases.h"
#include "daemon/instance.h"

/// When whom is told of a quality case (article 7; Q45). All run within the caller's transaction.
namespace veer {

std::string case_cause(const Case& quality_case);
/// What came of it, for a person.
std::string told_outcome(const Case& quality_case);
/// AII hears of a case that waits for its answer, anew on the day before the last, on the last, and from the
/// day after it; AVSB of one whose answer is overdue.
void tell_due(Instance& instance, const Case& quality_case);
void look_at_cases(Instance& instance);
/// AVSB: the service opened a case by itself, and a person is to write to the other side's contact point.
void tell_opened(Instance& instance, const Case& quality_case);
/// It is over: nobody is reminded of it any more.
void close_alerts(Instance& instance, const Case& quality_case);

}  // namespace veer

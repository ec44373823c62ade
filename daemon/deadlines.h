#pragma once

#include <vector>

#include "daemon/instance.h"
#include "formats/receipt.h"

namespace veer {

/// Looks for what should have happened, or is about to end, and raises or closes its alert: the yearly list
/// ([window] list_due), a word of the other side ([window] unheard_after), keys and their windows, the
/// certificate for the share, the configuration file, room on the disk, the audit chain, incidents, the
/// yearly review; in production the transition, the legal basis, and whether a channel was proven. Daily, and
/// at the start.
void look_at_deadlines(Instance& instance);

/// Room on the disk, with each look at the share. Within the caller's transaction.
void look_at_disk(Instance& instance);

/// Q17: whether what was deleted of people stays in the database's files for more than a day. Within the
/// caller's transaction.
void look_at_old_pages(Instance& instance);

/// When to look again: within a day, and at the very limit of an incident.
Time next_look_at_deadlines(Instance& instance);

/// A first list for the year is recorded, or a rehearsal went well: a list is told once, and neither is
/// waited for any more. `reasons`: of the receipt, which tell how many were not entered. Within the caller's
/// transaction.
void tell_recorded(Instance& instance, const Exchange& exchange, const std::vector<Reason>& reasons = {});

}  // namespace veer

#pragma once

#include <chrono>

#include "daemon/instance.h"

/// What both sides do about their own leavings.
namespace veer {

/// Removes leavings of a step that was stopped before its row was written, and tells of a sealed package that
/// is no such thing: no row speaks of it because the ledger is older than it. Only at the start, before any
/// step runs.
void tidy_spool_at_start(Instance& instance);
/// Removes our own half-written files from the share once they are a day old, and tells of files in our
/// folder that only the other side makes: somebody has the folders the wrong way round.
void look_over_outgoing(Instance& instance, const Transfer& transfer);
/// Forgets what happened to files of the share and to commands so long ago that nobody asks for it; what has
/// to be proven stands in the audit chain.
void prune(Instance& instance);
/// Whether the last tidying lies so little back that the clock cannot have jumped since: nothing is removed
/// by age on the word of a clock that may be wrong.
bool clock_is_steady(Instance& instance);
/// The chore: at most once a day.
inline constexpr std::chrono::hours kTidyEvery{24};

}  // namespace veer

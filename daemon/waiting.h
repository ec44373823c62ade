#pragma once

#include <optional>

#include "core/clock.h"
#include "daemon/database.h"

/// What waits in the books, of every kind. The engine's thread.
namespace veer {

/// What may wait; of kinds that are due at the same time the first goes first.
enum class WaitKind { suspension, note, command, arrival, exchange, chore, telling, quality_case, delivery };

/// What comes next, and when: it may be in the past, or far off.
struct Waiting {
  WaitKind kind = WaitKind::chore;
  Time due;
  bool halted = false;  ///< only what goes on while the exchange is halted was looked at
};

/// A suspension goes before everything, a result note that is due before the rest; then whatever is due for
/// longest. While the exchange is halted that is only what tells people something (commands, notes, messages,
/// deadlines, what waits in the drop folder) and what takes back a delivery that lapsed. Empty when nothing
/// ever comes.
std::optional<Waiting> next_waiting(Database& db, Time now);

/// Whether nothing is sent, fetched, taken in or recorded now: the exchange is suspended, or the path is
/// closed for good.
bool is_halted(Database& db);

}  // namespace veer

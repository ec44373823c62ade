#include "daemon/waiting.h"

#include <string>
#include <utility>

namespace veer {
namespace {

const std::string kHalted =
    "(SELECT EXISTS (SELECT 1 FROM hold WHERE kind = 'suspension' AND state = 'open')"
    " OR EXISTS (SELECT 1 FROM setting WHERE name = 'closed_out'))";

// A column for each kind, and behind them what a halted exchange needs: the engine asks this at every step,
// so that it is one question.
const std::string kFirstOfEach =
    "SELECT (SELECT min(due_at) FROM command WHERE verb = 'suspend'), (SELECT min(due_at) FROM note),"
    " (SELECT min(due_at) FROM command), (SELECT min(due_at) FROM arrival),"
    " (SELECT min(due_at) FROM exchange), (SELECT min(due_at) FROM chore),"
    " (SELECT min(due_at) FROM telling), (SELECT min(due_at) FROM quality_case),"
    " (SELECT min(due_at) FROM delivery),"
    " (SELECT min(due_at) FROM chore WHERE name IN ('tidy', 'scan')),"
    " (SELECT min(due_at) FROM delivery WHERE stage IN ('ended', 'recalled')), " +
    kHalted;
// What recurs waits so long behind what came first.
constexpr std::chrono::minutes kPatience{10};
constexpr std::size_t kHaltedChore = 9;
constexpr std::size_t kHaltedDelivery = 10;
constexpr std::size_t kIsHalted = 11;

}  // namespace

std::optional<Waiting> next_waiting(Database& db, Time now) {
  const Row row = db.query_one(kFirstOfEach).value();
  const bool halted = row.integer(kIsHalted) != 0;
  const auto due = [&](WaitKind kind) {
    if (halted && kind == WaitKind::chore) return row.maybe_time(kHaltedChore);
    if (halted && kind == WaitKind::delivery) return row.maybe_time(kHaltedDelivery);
    return row.maybe_time(static_cast<std::size_t>(kind));
  };
  if (const auto note = due(WaitKind::note); note && *note <= now)
    return Waiting{WaitKind::note, *note, halted};
  if (const auto suspension = due(WaitKind::suspension); suspension && !halted)
    return Waiting{WaitKind::suspension, *suspension, halted};
  if (const auto command = due(WaitKind::command); command && *command <= now)
    return Waiting{WaitKind::command, *command, halted};
  // People hear, and deadlines are looked at in time, however much the share holds; a message at a time,
  // however slowly they go.
  const auto telling = due(WaitKind::telling);
  const auto chore = row.maybe_time(kHaltedChore);
  const bool telling_first = telling && (!chore || *telling <= *chore);
  if (telling_first && *telling <= now - kPatience) return Waiting{WaitKind::telling, *telling, halted};
  if (!telling_first && chore && *chore <= now - kPatience) return Waiting{WaitKind::chore, *chore, true};
  std::optional<Waiting> next;
  const auto consider = [&](WaitKind kind) {
    const auto at = due(kind);
    if (at && (!next || std::pair(*at, kind) < std::pair(next->due, next->kind))) next = {kind, *at, halted};
  };
  for (const WaitKind kind :
       {WaitKind::note, WaitKind::command, WaitKind::chore, WaitKind::telling, WaitKind::delivery})
    consider(kind);
  if (!halted)
    for (const WaitKind kind : {WaitKind::arrival, WaitKind::exchange, WaitKind::quality_case})
      consider(kind);
  return next;
}

bool is_halted(Database& db) { return db.query_one("SELECT " + kHalted)->integer(0) != 0; }

}  // namespace veer

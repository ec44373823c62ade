#include "daemon/tellings.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace veer {
namespace {

constexpr std::array<std::string_view, 5> kTurnNames = {"opened", "changed", "reminder", "escalated",
                                                        "closed"};
constexpr const char* kMail = "mail";
constexpr std::string_view kColumns = "id, alert, channel, turn, due_at, attempts, problem_code, problem";

Telling telling_of(const Row& row) {
  Telling telling{row.integer(0),
                  row.integer(1),
                  row.text(2),
                  AlertTurn::opened,
                  {row.maybe_time(4), row.integer(5), row.text(6), row.text(7)}};
  for (std::size_t i = 0; i < kTurnNames.size(); ++i)
    if (kTurnNames[i] == row.text(3)) telling.turn = static_cast<AlertTurn>(i);
  return telling;
}

bool repeats(AlertTurn turn) { return turn != AlertTurn::escalated && turn != AlertTurn::closed; }

}  // namespace

std::string_view alert_turn_name(AlertTurn turn) { return kTurnNames.at(static_cast<std::size_t>(turn)); }

void Tellings::add(std::int64_t alert, const std::string& channel, AlertTurn turn, Time due) {
  db_.execute(
      "INSERT INTO telling (id, alert, channel, turn, due_at) SELECT coalesce(max(id), 0) + 1, :alert, "
      ":channel,"
      " :turn, :due FROM telling",
      {alert, channel, std::string(alert_turn_name(turn)), to_millis(due)});
}

// In a flood the first ones tell how many there are, and the rest can wait for the time of reminders. What
// another code has to tell is never held up by it.
void Tellings::open(std::int64_t alert, const std::string& channel, bool notice) {
  static constexpr std::int64_t kAtOnce = 30;
  const std::int64_t alike =
      db_.query_one(
             "SELECT count(*) FROM telling t JOIN alert a ON a.id = t.alert JOIN alert b ON b.id = :alert"
             " WHERE t.channel = :channel AND t.turn = 'opened' AND t.due_at <= :now AND a.code = b.code"
             " AND a.kind = b.kind",
             {alert, channel, to_millis(clock_.now())})
          ->integer(0);
  const bool flooded = !notice && alike >= kAtOnce;
  add(alert, channel, AlertTurn::opened,
      clock_.now() + (flooded ? rules_.repeat : decltype(rules_.repeat){0}));
  if (!notice && channel == kMail && rules_.escalates)
    add(alert, channel, AlertTurn::escalated, clock_.now() + rules_.escalate_after);
}

bool Tellings::is_about(std::int64_t alert, const std::string& channel) {
  return db_
      .query_one("SELECT 1 FROM alert WHERE id = :id AND cause = :cause", {alert, channel_cause(channel)})
      .has_value();
}

void Tellings::opened(std::int64_t alert, bool notice) {
  for (const std::string& channel : rules_.channels)
    if (!is_about(alert, channel)) open(alert, channel, notice);
}

void Tellings::changed(std::int64_t alert) {
  db_.execute("DELETE FROM telling WHERE alert = :alert AND due_at IS NOT NULL AND turn = 'reminder'",
              {alert});
  for (const std::string& channel : rules_.channels) {
    if (is_about(alert, channel)) continue;
    // What did not go out yet tells the news by itself.
    if (!is_due(alert, channel, AlertTurn::opened) && !is_due(alert, channel, AlertTurn::changed))
      add(alert, channel, AlertTurn::changed, clock_.now());
    if (channel == kMail && rules_.escalates && !is_due(alert, channel, AlertTurn::escalated))
      add(alert, channel, AlertTurn::escalated, clock_.now() + rules_.escalate_after);
  }
}

bool Tellings::is_due(std::int64_t alert, const std::string& channel, AlertTurn turn) {
  return db_
      .query_one(
          "SELECT 1 FROM telling WHERE alert = :alert AND channel = :channel AND turn = :turn AND due_at IS "
          "NOT"
          " NULL LIMIT 1",
          {alert, channel, std::string(alert_turn_name(turn))})
      .has_value();
}

void Tellings::acknowledged(std::int64_t alert) {
  db_.execute(
      "DELETE FROM telling WHERE alert = :alert AND due_at IS NOT NULL AND turn IN ('reminder', 'escalated')",
      {alert});
}

void Tellings::closed(std::int64_t alert) {
  // Where it was never told of, nobody needs to hear that it is over.
  db_.execute("DELETE FROM telling WHERE alert = :alert AND due_at IS NOT NULL", {alert});
  const Time now = clock_.now();
  for (const Row& row :
       db_.query("SELECT DISTINCT channel FROM telling WHERE alert = :alert ORDER BY 1", {alert}))
    if (is_configured(row.text(0))) add(alert, row.text(0), AlertTurn::closed, now);
}

bool Tellings::is_configured(const std::string& channel) const {
  return std::find(rules_.channels.begin(), rules_.channels.end(), channel) != rules_.channels.end();
}

void Tellings::start() {
  for (const Row& row : db_.query("SELECT DISTINCT channel FROM telling WHERE due_at IS NOT NULL"))
    if (!is_configured(row.text(0)))
      db_.execute("DELETE FROM telling WHERE channel = :channel AND due_at IS NOT NULL", {row.text(0)});
  for (const Row& row : db_.query(
           "SELECT id FROM alert WHERE closed_at IS NULL AND acknowledged_at IS NULL AND kind <> 'notice'"))
    for (const std::string& channel : rules_.channels)
      if (!db_.query_one("SELECT 1 FROM telling WHERE alert = :alert AND channel = :channel LIMIT 1",
                         {row.integer(0), channel}) &&
          !is_about(row.integer(0), channel))
        open(row.integer(0), channel, false);
}

void Tellings::pull_in(Time now) {
  db_.execute("UPDATE telling SET due_at = :now WHERE due_at > :latest",
              {to_millis(now), to_millis(now + std::max(rules_.repeat, rules_.escalate_after))});
}

std::optional<Telling> Tellings::next() {
  const auto row = db_.query_one("SELECT " + std::string(kColumns) +
                                 " FROM telling WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT 1");
  return row ? std::optional(telling_of(*row)) : std::nullopt;
}

void Tellings::set_due(const Telling& telling, Time due) {
  db_.execute("UPDATE telling SET due_at = :due WHERE id = :id", {to_millis(due), telling.id});
}

void Tellings::sent(const Telling& telling) {
  db_.execute(
      "UPDATE telling SET due_at = NULL, problem_code = NULL, problem = NULL, sent_at = :now WHERE id = :id",
      {to_millis(clock_.now()), telling.id});
  if (!repeats(telling.turn)) return;
  const bool waits_for_a_person = db_.query_one(
                                         "SELECT 1 FROM alert WHERE id = :id AND closed_at IS NULL AND "
                                         "acknowledged_at IS NULL AND kind <> "
                                         "'notice'",
                                         {telling.alert})
                                      .has_value();
  if (waits_for_a_person && !is_due(telling.alert, telling.channel, AlertTurn::reminder))
    add(telling.alert, telling.channel, AlertTurn::reminder, clock_.now() + rules_.repeat);
}

void Tellings::defer(const Telling& telling, Time due, const Error& error) {
  db_.execute(
      "UPDATE telling SET due_at = :due, attempts = :attempts, problem_code = :code, problem = :text WHERE "
      "id = "
      ":id",
      {to_millis(due), telling.wait.attempts + 1, std::string(code_name(error.code())), error.message(),
       telling.id});
  // What holds one up holds up all that would go the same way.
  db_.execute("UPDATE telling SET due_at = :due WHERE channel = :channel AND due_at < :before",
              {to_millis(due), telling.channel, to_millis(due)});
}

std::vector<Telling> Tellings::of(std::int64_t alert) {
  std::vector<Telling> all;
  for (const Row& row :
       db_.query(fmt::format("SELECT {} FROM telling WHERE alert = :alert ORDER BY id", kColumns), {alert}))
    all.push_back(telling_of(row));
  return all;
}

void Tellings::prune(Time old) {
  static constexpr const char* kOld =
      "SELECT id FROM alert WHERE closed_at < :old AND NOT EXISTS (SELECT 1 FROM telling WHERE telling.alert "
      "= "
      "alert.id AND telling.due_at IS NOT NULL)";
  db_.execute(fmt::format("DELETE FROM telling WHERE alert IN ({})", kOld), {to_millis(old)});
  db_.execute(fmt::format("DELETE FROM alert WHERE id IN ({})", kOld), {to_millis(old)});
}

}  // namespace veer

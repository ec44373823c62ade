#include "daemon/tellings.h"

#include <array>

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

bool repeats(AlertTurn turn) { return turn == AlertTurn::opened || turn == AlertTurn::reminder; }

}  // namespace

std::string_view alert_turn_name(AlertTurn turn) { return kTurnNames.at(static_cast<std::size_t>(turn)); }

void Tellings::add(std::int64_t alert, const std::string& channel, AlertTurn turn, Time due) {
  db_.execute(
      "INSERT INTO telling (id, alert, channel, turn, due_at) SELECT coalesce(max(id), 0) + 1, :alert, "
      ":channel,"
      " :turn, :due FROM telling",
      {alert, channel, std::string(alert_turn_name(turn)), to_millis(due)});
}

void Tellings::opened(std::int64_t alert, bool notice, std::string_view but) {
  const Time now = clock_.now();
  for (const std::string& channel : rules_.channels) {
    if (channel == but) continue;
    add(alert, channel, AlertTurn::opened, now);
    if (!notice && channel == kMail && rules_.escalates)
      add(alert, channel, AlertTurn::escalated, now + rules_.escalate_after);
  }
}

void Tellings::changed(std::int64_t alert, std::string_view but) {
  for (const std::string& channel : rules_.channels) {
    // What did not go out yet tells the news by itself.
    const bool pending =
        db_.query_one(
               "SELECT 1 FROM telling WHERE alert = :alert AND channel = :channel AND due_at IS NOT"
               " NULL AND turn IN ('opened', 'changed')",
               {alert, channel})
            .has_value();
    if (!pending && channel != but) add(alert, channel, AlertTurn::changed, clock_.now());
  }
}

void Tellings::acknowledged(std::int64_t alert) {
  db_.execute(
      "DELETE FROM telling WHERE alert = :alert AND due_at IS NOT NULL AND turn IN ('reminder', 'escalated')",
      {alert});
}

void Tellings::closed(std::int64_t alert) {
  acknowledged(alert);
  const Time now = clock_.now();
  for (const Row& row :
       db_.query("SELECT DISTINCT channel FROM telling WHERE alert = :alert ORDER BY 1", {alert}))
    add(alert, row.text(0), AlertTurn::closed, now);
}

std::optional<Telling> Tellings::next() {
  const auto row = db_.query_one("SELECT " + std::string(kColumns) +
                                 " FROM telling WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT 1");
  return row ? std::optional(telling_of(*row)) : std::nullopt;
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
  if (waits_for_a_person)
    add(telling.alert, telling.channel, AlertTurn::reminder, clock_.now() + rules_.repeat);
}

void Tellings::defer(const Telling& telling, Time due, const Error& error) {
  db_.execute(
      "UPDATE telling SET due_at = :due, attempts = :attempts, problem_code = :code, problem = :text WHERE "
      "id = "
      ":id",
      {to_millis(due), telling.wait.attempts + 1, std::string(code_name(error.code())), error.message(),
       telling.id});
}

std::vector<Telling> Tellings::of(std::int64_t alert) {
  std::vector<Telling> all;
  for (const Row& row : db_.query(
           "SELECT " + std::string(kColumns) + " FROM telling WHERE alert = :alert ORDER BY id", {alert}))
    all.push_back(telling_of(row));
  return all;
}

void Tellings::prune(Time old) {
  static constexpr const char* kOld =
      "SELECT id FROM alert WHERE closed_at < :old AND NOT EXISTS (SELECT 1 FROM telling WHERE telling.alert "
      "= "
      "alert.id AND telling.due_at IS NOT NULL)";
  db_.execute(std::string("DELETE FROM telling WHERE alert IN (") + kOld + ")", {to_millis(old)});
  db_.execute(std::string("DELETE FROM alert WHERE id IN (") + kOld + ")", {to_millis(old)});
}

}  // namespace veer

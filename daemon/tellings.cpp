#include "daemon/tellings.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace veer {
namespace {

constexpr std::array<std::string_view, 5> kTurnNames = {"opened", "changed", "reminder", "escalated",
                                                        "closed"};
constexpr const char* kMail = "mail";
constexpr std::string_view kColumns = "id, alert, channel, turn, due_at, attempts, problem_code, problem";
// What stands as problem_code for a fault that is not the channel's.
const std::string kRefused = "REFUSED";
const std::string kInDoubt = "IN_DOUBT";
// What lasted no longer, and reached nobody, is not told once it is over.
constexpr std::chrono::hours kBrief{1};

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

std::string problem_code(Mishap mishap, std::string_view of_channel) {
  return mishap == Mishap::message      ? kRefused
         : mishap == Mishap::unanswered ? kInDoubt
                                        : std::string(of_channel);
}

bool repeats(AlertTurn turn) { return turn != AlertTurn::escalated && turn != AlertTurn::closed; }

}  // namespace

std::string_view alert_turn_name(AlertTurn turn) { return kTurnNames.at(static_cast<std::size_t>(turn)); }

void Tellings::add(std::int64_t alert, const std::string& channel, AlertTurn turn, Time due) {
  db_.execute(
      "INSERT INTO telling (id, alert, channel, turn, due_at) SELECT coalesce(max(id), 0) + 1, :alert, "
      ":channel,"
      " :turn, :due FROM telling",
      {alert, channel, std::string(alert_turn_name(turn)), to_millis(from(channel, due))});
}

// A channel that fails is not tried for each new message: one that hangs would hold up all other work.
Time Tellings::from(const std::string& channel, Time due) {
  const auto wait = db_.query_one(
      "SELECT max(due_at) FROM telling WHERE channel = :channel AND due_at IS NOT NULL AND attempts > 0"
      " AND problem_code <> :refused",
      {channel, kRefused});
  return std::max(due, wait->maybe_time(0).value_or(due));
}

// In a flood, or a slow drip, the first ones tell how many there are. The next one comes at the time of
// reminders and tells it again; the rest come when there is room. What another code has to tell is never held
// up by it.
void Tellings::open(std::int64_t alert, const std::string& channel, bool notice) {
  static constexpr std::int64_t kAtOnce = 30;
  const Time now = clock_.now();
  const auto soon = to_millis(from(channel, now));
  const Row alike =
      db_.query_one(
             "SELECT count(CASE WHEN t.due_at <= :soon OR t.sent_at > :since THEN 1 END),"
             " count(CASE WHEN t.due_at > :later AND t.attempts = 0 THEN 1 END)"
             " FROM telling t JOIN alert a ON a.id = t.alert JOIN alert b ON b.id = :alert"
             " WHERE t.channel = :channel AND t.turn = 'opened' AND a.code = b.code AND a.kind = b.kind",
             {soon, to_millis(now - rules_.repeat), soon, alert, channel})
          .value();
  const bool flooded = !notice && alike.integer(0) >= kAtOnce;
  if (flooded && alike.integer(1) > 0) return;
  add(alert, channel, AlertTurn::opened, flooded ? now + rules_.repeat : now);
  if (!notice && channel == kMail && rules_.escalates) escalate_later(alert);
}

// Within the 24 hours in which the other side is to be told.
void Tellings::escalate_later(std::int64_t alert) {
  static constexpr std::chrono::milliseconds kOfFinding = std::chrono::hours(12);
  const bool urgent = db_.query_one(
                             "SELECT 1 FROM alert WHERE id = :id AND (kind = 'finding' OR cause LIKE "
                             "'incident:%')",
                             {alert})
                          .has_value();
  const auto after = urgent ? std::min(rules_.escalate_after, kOfFinding) : rules_.escalate_after;
  add(alert, kMail, AlertTurn::escalated, clock_.now() + after);
}

void Tellings::open_next(std::int64_t alike, const std::string& channel) {
  if (const auto row = db_.query_one(
          "SELECT min(a.id) FROM alert a JOIN alert b ON b.id = :alike"
          " WHERE b.code = a.code AND b.kind = a.kind AND a.closed_at IS NULL AND a.acknowledged_at IS NULL"
          " AND a.kind <> 'notice' AND a.cause <> :own"
          " AND NOT EXISTS (SELECT 1 FROM telling t WHERE t.alert = a.id AND t.channel = :channel)",
          {alike, channel_cause(channel), channel});
      !row->is_null(0))
    open(row->integer(0), channel, false);
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
      escalate_later(alert);
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

bool Tellings::changed_lately(std::int64_t alert) {
  return db_
      .query_one(
          "SELECT 1 FROM telling WHERE alert = :alert AND turn = 'changed'"
          " AND (due_at IS NOT NULL OR sent_at > :since) LIMIT 1",
          {alert, to_millis(clock_.now() - rules_.repeat)})
      .has_value();
}

bool Tellings::is_escalated(std::int64_t alert) {
  return db_
      .query_one(
          "SELECT 1 FROM telling WHERE alert = :alert AND turn = 'escalated' AND due_at IS NULL LIMIT 1",
          {alert})
      .has_value();
}

void Tellings::closed(std::int64_t alert) {
  const Time now = clock_.now();
  const bool unheard =
      db_.query_one(
             "SELECT 1 FROM alert WHERE id = :id AND opened_at <= :before AND NOT EXISTS"
             " (SELECT 1 FROM telling WHERE telling.alert = alert.id AND telling.due_at IS NULL)",
             {alert, to_millis(now - kBrief)})
          .has_value();
  const auto channels = db_.query(
      "SELECT channel, count(CASE WHEN due_at IS NULL OR problem_code = :doubt THEN 1 END),"
      " min(CASE WHEN attempts > 0 THEN 0 ELSE due_at END) FROM telling"
      " WHERE alert = :alert GROUP BY channel ORDER BY channel",
      {kInDoubt, alert});
  std::vector<std::pair<std::string, Time>> told;
  for (const Row& row : channels) {
    const Time soon = from(row.text(0), now);
    // Where it was never told of, nobody needs to hear that it is over, but when nobody heard at all.
    if (is_configured(row.text(0)) && (row.integer(1) > 0 || (unheard && row.maybe_time(2) <= soon)))
      told.emplace_back(row.text(0), soon);
  }
  db_.execute("DELETE FROM telling WHERE alert = :alert AND due_at IS NOT NULL", {alert});
  for (const auto& [channel, due] : told) add(alert, channel, AlertTurn::closed, due);
  for (const Row& row : channels)
    if (is_configured(row.text(0))) open_next(alert, row.text(0));
}

bool Tellings::is_configured(const std::string& channel) const {
  return std::find(rules_.channels.begin(), rules_.channels.end(), channel) != rules_.channels.end();
}

void Tellings::start() {
  for (const Row& row : db_.query("SELECT DISTINCT channel FROM telling WHERE due_at IS NOT NULL"))
    if (!is_configured(row.text(0).substr(0, row.text(0).find(':'))))
      db_.execute("DELETE FROM telling WHERE channel = :channel AND due_at IS NOT NULL", {row.text(0)});
  for (const Row& row : db_.query(
           "SELECT id FROM alert WHERE closed_at IS NULL AND acknowledged_at IS NULL AND kind <> 'notice'"))
    for (const std::string& channel : rules_.channels)
      if (!db_.query_one("SELECT 1 FROM telling WHERE alert = :alert AND channel = :channel LIMIT 1",
                         {row.integer(0), channel}) &&
          !is_about(row.integer(0), channel))
        open(row.integer(0), channel, false);
  if (!rules_.escalates) return;
  // What was told before there was anybody to escalate it to.
  for (const Row& row : db_.query(
           "SELECT id FROM alert WHERE closed_at IS NULL AND acknowledged_at IS NULL AND kind <> 'notice'"
           " AND EXISTS (SELECT 1 FROM telling t WHERE t.alert = alert.id AND t.channel = :mail)"
           " AND NOT EXISTS (SELECT 1 FROM telling t WHERE t.alert = alert.id AND t.turn = 'escalated')",
           {kMail}))
    escalate_later(row.integer(0));
}

void Tellings::pull_in(Time now) {
  db_.execute("UPDATE telling SET due_at = :now WHERE due_at > :latest",
              {to_millis(now), to_millis(now + std::max(rules_.repeat, rules_.escalate_after))});
}

std::optional<Telling> Tellings::next() {
  const auto row = db_.query_one("SELECT " + std::string(kColumns) +
                                 " FROM telling WHERE due_at IS NOT NULL ORDER BY due_at, attempts, id"
                                 " LIMIT 1");
  return row ? std::optional(telling_of(*row)) : std::nullopt;
}

void Tellings::set_due(const Telling& telling, Time due) {
  db_.execute("UPDATE telling SET due_at = :due WHERE id = :id", {to_millis(due), telling.id});
}

void Tellings::sent(const Telling& telling) {
  db_.execute(
      "UPDATE telling SET due_at = NULL, problem_code = NULL, problem = NULL, sent_at = :now WHERE id = :id",
      {to_millis(clock_.now()), telling.id});
  if (!is_configured(telling.channel)) return;  // one recipient, whom the reminder of all reaches
  if (telling.turn == AlertTurn::opened) open_next(telling.alert, telling.channel);
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

void Tellings::missed(const Telling& telling, const std::string& recipient, Time due) {
  const std::string alone = recipient_channel(telling.channel, recipient);
  if (!is_due(telling.alert, alone, telling.turn)) add(telling.alert, alone, telling.turn, due);
}

void Tellings::forget(const Telling& telling) {
  db_.execute("DELETE FROM telling WHERE id = :id", {telling.id});
}

std::int64_t Tellings::failures(const Telling& telling, Mishap mishap) {
  if (mishap == Mishap::channel) return failures(telling.channel);
  return telling.wait.problem_code == problem_code(mishap, "") ? telling.wait.attempts : 0;
}

std::int64_t Tellings::failures(const std::string& channel) {
  return db_
      .query_one(
          "SELECT coalesce(max(attempts), 0) FROM telling WHERE channel = :channel AND due_at IS NOT NULL"
          " AND problem_code NOT IN (:refused, :doubt)",
          {channel, kRefused, kInDoubt})
      ->integer(0);
}

bool Tellings::has_refused(const std::string& channel) {
  return db_
      .query_one(
          "SELECT 1 FROM telling WHERE channel = :channel AND due_at IS NOT NULL AND problem_code = :refused"
          " LIMIT 1",
          {channel, kRefused})
      .has_value();
}

void Tellings::defer(const Telling& telling, Time due, Mishap mishap, const Error& error) {
  db_.execute(
      "UPDATE telling SET due_at = :due, attempts = :attempts, problem_code = :code, problem = :text WHERE "
      "id = "
      ":id",
      {to_millis(due), failures(telling, mishap) + 1, problem_code(mishap, code_name(error.code())),
       error.message(), telling.id});
  if (mishap == Mishap::message) return;
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

#include "daemon/incidents.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/error.h"
#include "daemon/agenda.h"

namespace veer {
namespace {

constexpr std::array<std::string_view, 3> kVerdicts = {"open", "confirmed", "dismissed"};
constexpr const char* kColumns =
    "id, cause, code, exchange, text, found_at, verdict, decided_by, decided_at, why, notified_by, "
    "notified_at, "
    "closed_at";

Incident incident_of(const Row& row) {
  Incident incident{row.integer(0), row.text(1), row.text(2),
                    row.text(3),    row.text(4), from_millis(row.integer(5))};
  for (std::size_t i = 0; i < kVerdicts.size(); ++i)
    if (kVerdicts[i] == row.text(6)) incident.verdict = static_cast<Verdict>(i);
  incident.decided_by = row.text(7);
  incident.decided_at = row.maybe_time(8);
  incident.why = row.text(9);
  incident.notified_by = row.text(10);
  incident.notified_at = row.maybe_time(11);
  incident.closed_at = row.maybe_time(12);
  return incident;
}

}  // namespace

std::string_view verdict_name(Verdict verdict) { return kVerdicts.at(static_cast<std::size_t>(verdict)); }

void Incidents::open(const std::string& cause, std::string_view code, const std::string& exchange,
                     const std::string& text) {
  Incident incident;
  incident.found_at = clock_.now();
  db_.execute(
      "INSERT INTO incident (id, cause, code, exchange, text, found_at, verdict)"
      " SELECT coalesce(max(id), 0) + 1, :cause, :code, :x, :text, :at, 'open' FROM incident",
      {cause, std::string(code), exchange, text, to_millis(incident.found_at)});
  Agenda agenda(db_, clock_);
  const auto look = agenda.chore(Chore::tidy).wait.due;
  if (look && *look > incident.warning()) agenda.schedule(Chore::tidy, incident.warning());
}

std::vector<Incident> Incidents::all() {
  std::vector<Incident> incidents;
  for (const Row& row : db_.query(fmt::format("SELECT {} FROM incident ORDER BY id", kColumns)))
    incidents.push_back(incident_of(row));
  return incidents;
}

std::vector<Incident> Incidents::waiting() {
  std::vector<Incident> incidents = all();
  std::erase_if(incidents, [](const Incident& incident) { return !incident.waits(); });
  return incidents;
}

bool Incidents::is_waiting(const std::string& cause) {
  const auto all = waiting();
  return std::any_of(all.begin(), all.end(),
                     [&](const Incident& incident) { return incident.cause == cause; });
}

Incident Incidents::find(std::int64_t id) {
  const auto row = db_.query_one(fmt::format("SELECT {} FROM incident WHERE id = :id", kColumns), {id});
  if (!row)
    throw Error(Code::u_unknown, fmt::format("there is no incident {}: see 'veer incident list'", id));
  return incident_of(*row);
}

std::optional<Time> Incidents::next_limit(Time now) {
  std::optional<Time> next;
  const auto consider = [&](Time limit) {
    if (limit > now) next = std::min(next.value_or(limit), limit);
  };
  for (const Incident& incident : all()) {
    if (incident.waits()) {
      consider(incident.warning());
      consider(incident.due());
    }
    if (incident.is_breach()) consider(incident.supervisor_warning());
  }
  return next;
}

void Incidents::pull_in(Time now) {
  db_.execute(
      "UPDATE incident SET found_at = :now WHERE found_at > :later AND closed_at IS NULL AND notified_at IS "
      "NULL"
      " AND verdict <> 'dismissed'",
      {to_millis(now), to_millis(now)});
}

void Incidents::decide(std::int64_t id, Verdict verdict, const Person& who, const std::string& why) {
  const Incident incident = find(id);
  if (incident.verdict == verdict && incident.decided_by == who.name) return;
  if (incident.closed_at)
    throw Error(Code::u_state, fmt::format("incident {} was {} by {}, and is closed", id,
                                           verdict_name(incident.verdict), incident.decided_by));
  db_.execute(
      "UPDATE incident SET verdict = :verdict, decided_by = :who, decided_at = :at, why = :why WHERE id = "
      ":id",
      {std::string(verdict_name(verdict)), who.name, to_millis(clock_.now()), why, id});
}

void Incidents::notified(std::int64_t id, const Person& who, const std::string& how) {
  const Incident incident = find(id);
  if (incident.notified_at && incident.notified_by == fmt::format("{}: {}", who.name, how)) return;
  if (incident.closed_at || incident.verdict == Verdict::dismissed || incident.notified_at)
    throw Error(Code::u_state,
                fmt::format("of incident {} nobody is to be told any more: see 'veer incident show "
                            "{}'",
                            id, id));
  db_.execute("UPDATE incident SET notified_by = :who, notified_at = :at WHERE id = :id",
              {fmt::format("{}: {}", who.name, how), to_millis(clock_.now()), id});
}

void Incidents::close(std::int64_t id) {
  const Incident incident = find(id);
  if (incident.closed_at) return;
  if (incident.verdict == Verdict::open || incident.waits())
    throw Error(
        Code::u_state,
        fmt::format("incident {} is not dealt with: confirm or dismiss it, and when it is confirmed tell the "
                    "other side ('veer incident notice {}', then 'veer incident notified {}')",
                    id, id, id));
  db_.execute("UPDATE incident SET closed_at = :at WHERE id = :id", {to_millis(clock_.now()), id});
}

}  // namespace veer

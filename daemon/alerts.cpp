#include "daemon/alerts.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/log_event.h"
#include "daemon/alert_topics.h"

namespace veer {
namespace {

// So many findings of one kind stand open, each by itself.
constexpr std::ptrdiff_t kMostAlike = 20;

constexpr std::string_view kColumns =
    "id, cause, kind, code, exchange, text, opened_at, closed_at, acknowledged_at, acknowledged_by, "
    "closed_by";

Alert alert_of(const Row& row) {
  return {row.integer(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          from_millis(row.integer(6)),
          row.maybe_time(7),
          row.maybe_time(8),
          row.text(9),
          row.text(10)};
}

std::string topic_of(std::string_view cause) { return std::string(cause.substr(0, cause.find(':'))); }

void log_alert(AlertKind kind, std::string_view cause, std::string_view code, const std::string& exchange,
               const std::string& text) {
  const std::string topic = topic_of(cause);
  log_event(kind == AlertKind::notice ? LogLevel::info : LogLevel::error,
            fmt::format("{}: {}: {}", alert_kind_name(kind), code, text),
            {{"MESSAGE_ID", message_id(topic)},
             {"VEERDIENST_TOPIC", topic},
             {"VEERDIENST_SEVERITY", alert_kind_name(kind)},
             {"VEERDIENST_CODE", code},
             {"VEERDIENST_EXCHANGE", exchange}});
}

bool needs_person(std::string_view code) {
  const auto known = code_named(code);
  return known && remedy_of(*known) != Remedy::retry;
}

/// What fails in ever other ways.
bool is_restless(std::string_view cause) {
  return cause.starts_with(step_cause("")) || cause.starts_with(channel_cause("")) ||
         cause.starts_with(recipient_cause(""));
}

/// What may change at each look, and is told anew once within the time of a reminder.
bool is_throttled(std::string_view cause) { return is_restless(cause) || cause == kClockCause; }

/// What happens again under one code, and is known by its text.
bool is_known_by_text(std::string_view cause) {
  static constexpr std::array<std::string_view, 4> kKnown = {kClockCause, kConfigurationCause, "export-stale",
                                                             "distribution-stale"};
  return std::find(kKnown.begin(), kKnown.end(), topic_of(cause)) != kKnown.end();
}

/// Whether an alert that says something else now is told anew: what is restless, when it begins to need a
/// person.
bool is_news(std::string_view cause, std::string_view before, std::string_view code) {
  if (is_restless(cause)) return !needs_person(before) && needs_person(code);
  return before != code || is_known_by_text(cause);
}

}  // namespace

std::string_view alert_kind_name(AlertKind kind) {
  switch (kind) {
    case AlertKind::finding:
      return "finding";
    case AlertKind::attention:
      return "attention";
    case AlertKind::notice:
      return "notice";
  }
  return "";
}

std::string topic_of(const Alert& alert) { return topic_of(alert.cause); }

std::int64_t AlertBook::add(const std::string& cause, AlertKind kind, std::string_view code,
                            const std::string& exchange, const std::string& text) {
  assert(is_topic(topic_of(cause)));
  const std::int64_t id = db_.query_one("SELECT coalesce(max(id), 0) + 1 FROM alert")->integer(0);
  db_.execute(
      "INSERT INTO alert (id, cause, kind, code, exchange, text, opened_at)"
      " VALUES (:id, :cause, :kind, :code, :x, :text, :at)",
      {id, cause, std::string(alert_kind_name(kind)), std::string(code), exchange, text,
       to_millis(clock_.now())});
  if (kind == AlertKind::finding) incidents_.open(cause, code, exchange, text);
  tellings_.opened(id, kind == AlertKind::notice);
  return id;
}

void AlertBook::raise(const std::string& cause, AlertKind kind, std::string_view code,
                      const std::string& exchange, const std::string& text) {
  const auto known =
      db_.query_one("SELECT code, text, id FROM alert WHERE cause = :cause AND closed_at IS NULL", {cause});
  if (known && known->text(0) == code && known->text(1) == text) return;
  if (known) {
    db_.execute("UPDATE alert SET kind = :kind, code = :code, text = :text WHERE id = :id",
                {std::string(alert_kind_name(kind)), std::string(code), text, known->integer(2)});
    if (is_news(cause, known->text(0), code) &&
        !(is_throttled(cause) && tellings_.changed_lately(known->integer(2)))) {
      // Who took up the one did not take up the other.
      db_.execute("UPDATE alert SET acknowledged_at = NULL, acknowledged_by = NULL WHERE id = :id",
                  {known->integer(2)});
      tellings_.changed(known->integer(2));
    }
  } else {
    add(cause, kind, code, exchange, text);
  }
  if (!known || known->text(0) != code) log_alert(kind, cause, code, exchange, text);
}

std::string AlertBook::cause_among(const std::string& cause, std::string_view content) {
  const std::string prefix = cause + ":";
  std::string own = prefix + sha256_hex(content).substr(0, 16);
  if (is_open(own)) return own;
  if (is_open(cause)) return cause;
  const auto all = open();
  const auto alike = std::count_if(all.begin(), all.end(),
                                   [&](const Alert& alert) { return alert.cause.starts_with(prefix); });
  return alike < kMostAlike ? own : cause;
}

void AlertBook::tell(const std::string& cause, std::string_view code, const std::string& exchange,
                     const std::string& text) {
  if (is_known(cause)) return;
  const std::int64_t id = add(cause, AlertKind::notice, code, exchange, text);
  db_.execute("UPDATE alert SET closed_at = opened_at WHERE id = :id", {id});
  log_alert(AlertKind::notice, cause, code, exchange, text);
}

void AlertBook::close(const std::string& cause) {
  const auto row =
      db_.query_one("SELECT id, kind FROM alert WHERE cause = :cause AND closed_at IS NULL", {cause});
  if (!row) return;
  db_.execute("UPDATE alert SET closed_at = :at WHERE id = :id", {to_millis(clock_.now()), row->integer(0)});
  if (row->text(1) != alert_kind_name(AlertKind::notice)) tellings_.closed(row->integer(0));
}

bool AlertBook::is_open(const std::string& cause) {
  return db_.query_one("SELECT 1 FROM alert WHERE cause = :cause AND closed_at IS NULL", {cause}).has_value();
}

bool AlertBook::is_known(const std::string& cause) {
  return db_.query_one("SELECT 1 FROM alert WHERE cause = :cause", {cause}).has_value();
}

Alert AlertBook::open_one(std::int64_t id) {
  auto alert = find(id);
  if (!alert || alert->closed_at)
    throw Error(Code::u_unknown, fmt::format("no open alert has number {}: see 'veer alerts'", id));
  return *std::move(alert);
}

Alert AlertBook::close(std::int64_t id, const std::string& who) {
  Alert alert = open_one(id);
  db_.execute("UPDATE alert SET closed_by = :who WHERE id = :id", {who, id});
  close(alert.cause);
  return alert;
}

Alert AlertBook::acknowledge(std::int64_t id, const std::string& who) {
  Alert alert = open_one(id);
  if (alert.acknowledged_at) return alert;
  alert.acknowledged_at = clock_.now();
  alert.acknowledged_by = who;
  db_.execute("UPDATE alert SET acknowledged_at = :at, acknowledged_by = :who WHERE id = :id",
              {to_millis(*alert.acknowledged_at), who, id});
  tellings_.acknowledged(id);
  return alert;
}

std::vector<Alert> AlertBook::open() {
  std::vector<Alert> alerts;
  for (const Row& row :
       db_.query("SELECT " + std::string(kColumns) + " FROM alert WHERE closed_at IS NULL ORDER BY id"))
    alerts.push_back(alert_of(row));
  return alerts;
}

std::optional<Alert> AlertBook::find(std::int64_t id) {
  const auto row = db_.query_one("SELECT " + std::string(kColumns) + " FROM alert WHERE id = :id", {id});
  return row ? std::optional(alert_of(*row)) : std::nullopt;
}

}  // namespace veer

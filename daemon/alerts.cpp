#include "daemon/alerts.h"

#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"

namespace veer {

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

void AlertBook::raise(const std::string& cause, AlertKind kind, std::string_view code,
                      const std::string& exchange, const std::string& text) {
  const auto known =
      db_.query_one("SELECT code, text FROM alert WHERE cause = :cause AND closed_at IS NULL", {cause});
  if (known && known->text(0) == code && known->text(1) == text) return;
  if (known)
    db_.execute(
        "UPDATE alert SET kind = :kind, code = :code, text = :text WHERE cause = :cause AND closed_at IS "
        "NULL",
        {std::string(alert_kind_name(kind)), std::string(code), text, cause});
  else
    db_.execute(
        "INSERT INTO alert (id, cause, kind, code, exchange, text, opened_at)"
        " SELECT coalesce(max(id), 0) + 1, :cause, :kind, :code, :x, :text, :at FROM alert",
        {cause, std::string(alert_kind_name(kind)), std::string(code), exchange, text,
         to_millis(clock_.now())});
  if (!known || known->text(0) != code)
    log(kind == AlertKind::notice ? LogLevel::info : LogLevel::error, "{}: {}: {}", alert_kind_name(kind),
        code, text);
}

void AlertBook::close(const std::string& cause) {
  db_.execute("UPDATE alert SET closed_at = :at WHERE cause = :cause AND closed_at IS NULL",
              {to_millis(clock_.now()), cause});
}

bool AlertBook::is_open(const std::string& cause) {
  return db_.query_one("SELECT 1 FROM alert WHERE cause = :cause AND closed_at IS NULL", {cause}).has_value();
}

Alert AlertBook::close(std::int64_t id) {
  for (Alert& alert : open())
    if (alert.id == id) {
      close(alert.cause);
      return std::move(alert);
    }
  throw Error(Code::u_unknown, fmt::format("no open alert has number {}: see 'veer status'", id));
}

std::vector<Alert> AlertBook::open() {
  std::vector<Alert> alerts;
  for (const Row& row : db_.query("SELECT id, cause, kind, code, exchange, text, opened_at FROM alert"
                                  " WHERE closed_at IS NULL ORDER BY id"))
    alerts.push_back({row.integer(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5),
                      from_millis(row.integer(6))});
  return alerts;
}

}  // namespace veer

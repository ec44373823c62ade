#include "daemon/shared_alerts.h"

#include <fmt/format.h>

#include "core/log.h"

namespace veer {

namespace {

std::string refusal_cause(const Exchange& x) { return "refused:" + x.id; }

}  // namespace

void raise_refusal(Instance& at, const Exchange& x, Code code, const std::string& text) {
  const std::string cause = x.purpose == Purpose::rehearsal ? kRehearsalCause
                            : code == Code::f_second_list   ? "second-list:" + x.id
                                                            : refusal_cause(x);
  at.alerts.raise(cause, AlertKind::attention, code_name(code), x.id, text);
}

void close_refusals(Instance& at, int reference_year) {
  for (const Exchange& x : at.ledger.exchanges())
    if (x.reference_year == reference_year) at.alerts.close(refusal_cause(x));
}

std::string history_cause(const Arrival& arrival) { return "history:" + arrival.sha256; }

void keep_anchor(Instance& at, const AuditHead& head, Time said_at, const std::string& exchange) {
  const std::string& party = at.config.counterparty;
  if (at.audit.keep_anchor(party, head, said_at, exchange)) return;
  at.alerts.raise(
      "anchor:" + party, AlertKind::attention, code_name(Code::l_audit), exchange,
      fmt::format("{} signed a point of its audit chain that does not follow what it signed before: it was "
                  "restored from a backup, or its chain was written anew. Have it verify its chain against "
                  "'veer audit anchors'",
                  party));
}

void tell_name_taken(Instance& at, const std::string& exchange, const std::string& name) {
  at.alerts.raise(
      "foreign:" + name, AlertKind::finding, code_name(Code::t_replay), exchange,
      fmt::format("{} on the share is ours by name and holds other bytes: somebody put it there. Ours "
                  "goes out under another name",
                  name));
  at.audit.append("name-taken", exchange, {{"name", name}});
}

void tell_name_hidden(Instance& at, const std::string& exchange, const std::string& name) {
  log(LogLevel::warn,
      "the share keeps the name {} from us and shows nothing there (an upload that broke off at its "
      "beginning, "
      "or a name in other capitals): ours goes out under another name",
      name);
  at.audit.append("name-taken", exchange, {{"name", name}});
}

}  // namespace veer

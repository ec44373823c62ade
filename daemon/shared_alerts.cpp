#include "daemon/shared_alerts.h"

#include <fmt/format.h>

#include "core/log.h"

namespace veer {

namespace {

constexpr std::chrono::hours kCrashesOver{24};
const std::string kLastCrash = "last_crash";      // milliseconds
const std::string kCrashBefore = "crash_before";  // the one before it
constexpr const char* kCrashed = "crashed";

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

void note_letter(Instance& at) {
  at.alerts.close(kUnheardCause);
  at.settings.hear();
}

void tell_crashed(Instance& at, const std::string& began) {
  const Time now = at.clock.now();
  const auto lately = [&](const std::string& name) {
    const auto then = at.settings.number(name);
    return then && now - from_millis(*then) < kCrashesOver;
  };
  const bool third = lately(kCrashBefore) && lately(kLastCrash);
  const std::string again = format_time(now);
  if (third || at.alerts.is_open(kCrashed))
    at.alerts.raise(
        kCrashed, AlertKind::attention, "CRASHES", "",
        fmt::format("the service ended three times or more without being stopped, with less than a "
                    "day between; last it ran from {} and runs again since {}. Look in the journal "
                    "for the reason",
                    began, again));
  else
    at.alerts.tell(
        fmt::format("{}:{}", kCrashed, again), "CRASHED", "",
        fmt::format("the service that began on {} ended without being stopped; it runs again since {}", began,
                    again));
  if (const auto last = at.settings.number(kLastCrash)) at.settings.set(kCrashBefore, std::to_string(*last));
  at.settings.set(kLastCrash, std::to_string(to_millis(now)));
}

void look_at_crashes(Instance& at) {
  const Time now = at.clock.now();
  const auto last = at.settings.number(kLastCrash);
  if (last && from_millis(*last) > now) at.settings.set(kLastCrash, std::to_string(to_millis(now)));
  if (!last || now - from_millis(*last) >= kCrashesOver) at.alerts.close(kCrashed);
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

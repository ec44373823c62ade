// What people ask for that both sides do the same way.

#include <charconv>

#include <fmt/format.h>
#include <unistd.h>

#include "core/files.h"
#include "daemon/closing.h"
#include "daemon/engine.h"
#include "daemon/officer.h"
#include "daemon/rules.h"
#include "daemon/share_trial.h"
#include "daemon/suspension.h"

namespace veer {
namespace {

std::int64_t alert_number(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number <= 0)
    throw Error(Code::u_usage, "an alert is named by its number in 'veer status'");
  return number;
}

/// What only a decision, or the end of its cause, ends is not made quiet by hand.
void require_over(Instance& at, const Alert& alert) {
  const std::string topic = topic_of(alert);
  const std::string about = alert.cause.substr(std::min(topic.size() + 1, alert.cause.size()));
  if (topic == kSuspended)
    throw Error(Code::u_state,
                "the exchange is still suspended: 'veer resume' ends that, and this alert with it");
  const auto hold = topic == "history" ? at.holds.find(HoldKind::package, about) : std::nullopt;
  if (topic == "release" || topic == "request" || (hold && hold->state == HoldState::open))
    throw Error(Code::u_state,
                "it still waits: 'veer approve ID' or 'veer reject ID' ends that, and this alert with it");
  const auto refused = topic == "not-taken-in" ? at.offers.refused() : std::vector<std::string>();
  if (about.empty() ? !refused.empty() : std::find(refused.begin(), refused.end(), about) != refused.end())
    throw Error(
        Code::u_state,
        fmt::format(
            "what was refused still lies in the drop folder: correct it or take it away, and the next "
            "look there closes this; until then 'veer alerts acknowledge {}' ends the reminders",
            alert.id));
  if (topic == "incident" && at.alerts.incidents().find(alert_number(about)).waits())
    throw Error(
        Code::u_state,
        fmt::format("the other side is still to be told: 'veer incident notice {0}' is what, and 'veer "
                    "incident notified {0} --how …' or 'veer incident dismiss {0} --why …' ends "
                    "this alert",
                    about));
}

// Into memory of whoever asked, for the books keep what commands answer.
std::string hand_out_evidence(Instance& at, const Command& command) {
  const auto into = at.files.find(command.id);
  if (!into || !at.evidence)
    throw Error(Code::u_state, "the service began anew before it had answered: ask again");
  const std::string files = at.evidence(command.argument);
  for (std::size_t done = 0; done < files.size();) {
    const ssize_t wrote =
        pwrite(into->get(), files.data() + done, files.size() - done, static_cast<off_t>(done));
    if (wrote <= 0) throw_errno("handing the evidence over");
    done += static_cast<std::size_t>(wrote);
  }
  return "the evidence was handed over";
}

std::string acknowledge_alert(Instance& at, const Command& command) {
  std::string text;
  at.db.transaction([&] {
    const Alert alert = at.alerts.acknowledge(alert_number(command.argument), command.who.name);
    text =
        fmt::format("{} has taken up {} {}: {}", alert.acknowledged_by, alert.kind, alert.code, alert.text);
  });
  return text;
}

std::string close_alert(Instance& at, const Command& command) {
  std::string text;
  at.db.transaction([&] {
    const Alert alert = at.alerts.close(alert_number(command.argument), command.who.name);
    require_over(at, alert);
    at.audit.append("alert-closed", alert.exchange,
                    {{"kind", alert.kind}, {"code", alert.code}, {"who", command.who.name}});
    text = fmt::format("closed: {} {}: {}", alert.kind, alert.code, alert.text);
    for (const Incident& incident : at.alerts.incidents().waiting())
      if (incident.cause == alert.cause)
        text += fmt::format(
            ". Incident {} is open all the same, and the other side to be told before {}, unless it "
            "is dismissed: 'veer incident show {}'",
            incident.id, format_time(incident.due()), incident.id);
  });
  return text;
}

}  // namespace

// The rest is the sides' own.
std::string Engine::obey(const Command& command, const Transfer& transfer) {
  if (command.verb == "evidence") return hand_out_evidence(at_, command);  // whatever the state
  // What was carried out before it was suspended, and stopped before that was written down, is told as done.
  if (!at_.ledger.exchange_of_command(command.id)) require_going(at_, command.verb);
  if (command.verb.starts_with("send") || command.verb == "export" || command.verb == "distribute" ||
      command.verb == "forget")
    require_named_person(at_.config.environment, command.who, geteuid());
  if (command.verb == "suspend") return suspend(at_, command.who);
  if (command.verb == "resume") {
    std::string text = resume(at_, command);
    if (at_.holds.suspensions().empty()) wake_all(at_.clock.now(), share_may_be_asked());
    return text;
  }
  if (command.verb == "poll") {
    if (const auto error = run(at_.agenda.chore(Chore::poll), transfer)) throw Error(*error);
    return "the share was looked at";
  }
  // Whoever may not read the configuration tries what the service works by.
  const bool tries =
      command.verb.starts_with("probe") || (command.verb == "test-alerts" && !command.argument.empty());
  if (tries && command.argument != at_.config.sha256)
    throw Error(Code::u_state,
                "the service works on another state of the configuration: have it take this one ('systemctl "
                "reload'), and ask again");
  if (command.verb.starts_with("probe"))
    return text_of(examine_share(at_.share, command.verb == "probe-large", at_.random, transfer));
  if (command.verb == "retry") return retry(command.argument);
  if (command.verb == "test-alerts") return post_.try_all(transfer);
  if (command.verb == "acknowledge-alert") return acknowledge_alert(at_, command);
  if (command.verb == "close-alert") return close_alert(at_, command);
  if (command.verb.starts_with("incident-")) return obey_incident(at_, command);
  if (command.verb == "close-out") return close_out(at_, command, transfer);
  return std::visit([&](auto& side) { return side.obey(command, transfer); }, side_);
}

// An exchange, a case, a delivery, or a file of the share, by name.
std::string Engine::retry(const std::string& what) {
  const Time now = at_.clock.now();
  const auto now_due = [&](auto& book, auto row, const std::string& name) {
    row.wait.due = now;
    at_.db.transaction([&] { book.save(row); });
    return fmt::format("{} is tried now", name);
  };
  for (const Case& c : at_.cases.all())
    if (c.name() == what && c.wait.due) return now_due(at_.cases, c, "case " + c.name());
  for (const Delivery& d : at_.deliveries.all())
    if (d.file == what && d.wait.due) return now_due(at_.deliveries, d, d.file);
  const auto arrival = at_.ledger.last_arrival(what);
  if (arrival && arrival->wait.due && arrival->stage != ArrivalStage::cleared) {
    Arrival due = *arrival;
    due.wait.due = now;
    at_.db.transaction([&] { at_.ledger.save(due); });
    return fmt::format("{} is tried now", due.name);
  }
  const Exchange x = at_.ledger.find(what);
  if (!x.wait.due) throw Error(Code::u_state, fmt::format("exchange {} waits for nothing", x.id));
  at_.db.transaction([&] { at_.ledger.set_due(x.id, now); });
  return fmt::format("exchange {} is tried now", x.id);
}

}  // namespace veer

// What a second person decides at AVSB (Q31): a package that waits, a hand-over, a distribution, forgetting
// somebody.

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/receiver.h"
#include "daemon/rules.h"
#include "daemon/shared_alerts.h"

namespace veer {

std::string Receiver::approve(const Command& command) {
  const Approval approval = Approval::parse(command.argument);
  if (HandOver::is_called(approval.subject)) return hand_over_.approve(approval, command);
  if (Distribution::is_called(approval.subject)) return distribution_.approve(approval, command);
  auto arrival = at_.ledger.last_arrival(approval.subject);
  bool same_bytes = false;  // a name may have been given to several
  for (const Arrival& open : at_.ledger.open_arrivals()) {
    if (open.name != approval.subject || open.stage != ArrivalStage::fetched || open.wait.due || same_bytes)
      continue;
    arrival = open;
    same_bytes = open.sha256 == approval.sha256;
  }
  const auto hold = arrival ? at_.holds.find(HoldKind::package, arrival->sha256) : std::nullopt;
  const std::string text = fmt::format("{} is read now", shown_name(approval.subject));
  // Carried out before, and stopped before that was written down.
  if (hold && hold->state == HoldState::released && hold->digest == approval.sha256) return text;
  if (!hold || hold->state != HoldState::open)
    throw Error(Code::u_state, fmt::format("{} is not being held", shown_name(approval.subject)));
  require_second_person(at_.config.environment, at_.config.access, hold->asked_by, command.who);
  if (approval.sha256 != hold->digest)
    throw Error(Code::u_state,
                fmt::format("other bytes are held under that name: look at them with 'veer approve {}'",
                            arrival->name));
  arrival->wait = {.due = at_.clock.now()};
  at_.db.transaction([&] {
    at_.holds.decide(*hold, HoldState::released, command.who);
    at_.ledger.save(*arrival);
    at_.audit.append("released", "",
                     {{"name", arrival->name}, {"sha256", hold->digest}, {"who", command.who.name}});
  });
  return text;
}

// What somebody asked for and another person has not decided: the text of its end, and nothing when it is
// something else.
std::optional<std::string> Receiver::end_request(const Rejection& rejection, const Person& who) {
  if (HandOver::is_called(rejection.subject)) return hand_over_.reject(rejection, who);
  if (Distribution::is_called(rejection.subject)) return distribution_.reject(rejection, who);
  if (Erasure::is_called(rejection.subject)) return erasure_.reject(rejection, who);
  return std::nullopt;
}

std::string Receiver::withdraw(const Command& command) {
  const Rejection own{command.argument, "taken back by whoever asked for it", true};
  if (auto text = end_request(own, command.who)) return *text;
  throw Error(Code::u_state, fmt::format("{} is nothing that was asked for here: what waits is called "
                                         "export-…, distribute-… or forget-… in 'veer alerts'",
                                         shown_name(own.subject)));
}

std::string Receiver::reject(const Command& command) {
  const Rejection rejection = Rejection::parse(command.argument);
  if (auto text = end_request(rejection, command.who)) return *text;
  const std::string text = fmt::format("{} is set aside", shown_name(rejection.subject));
  const auto fetched = at_.ledger.open_arrivals();
  for (const Arrival& open : fetched)
    if (open.name == rejection.subject && open.stage == ArrivalStage::fetched) {
      const auto hold = at_.holds.find(HoldKind::package, open.sha256);
      if (hold) require_second_person(at_.config.environment, at_.config.access, hold->asked_by, command.who);
      at_.db.transaction([&] {
        if (hold && hold->state == HoldState::open)
          at_.holds.decide(*hold, HoldState::rejected, command.who, rejection.reason);
        // The same bytes may have come under other names too.
        for (const Arrival& same : fetched)
          if (same.sha256 == open.sha256 && same.stage == ArrivalStage::fetched)
            inbox_.reject(same, command.who.name, rejection.reason, history_cause(same));
      });
      return text;
    }
  const auto last = at_.ledger.last_arrival(rejection.subject);
  if (last && last->outcome == Outcome::quarantined)
    return text;  // before, and stopped before that was written down
  throw Error(Code::u_state, fmt::format("{} does not wait for anything", shown_name(rejection.subject)));
}

}  // namespace veer

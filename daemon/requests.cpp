#include "daemon/requests.h"

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/rules.h"

namespace veer {
std::string request_cause(const std::string& subject) { return "request:" + subject; }

Approved require_request(Instance& at, HoldKind kind, const std::string& subject, const Command& command) {
  const Person& who = command.who;
  const auto hold = at.holds.find(kind, subject);
  // One that was given later asks for it once more, and alone.
  const bool before =
      hold && hold->was_decided_by(HoldState::released, who) && command.asked_at <= hold->decided_at.value();
  if (!hold || (hold->state != HoldState::open && !before))
    throw Error(Code::u_state,
                fmt::format("{} does not wait for a release: see 'veer alerts'", shown_name(subject)));
  require_second_person(at.config.environment, at.config.access, hold->asked_by, who);
  return {*hold, before};
}

void require_may_end(Instance& at, const Hold& hold, const Rejection& rejection, const Person& who) {
  if (!rejection.is_own)
    require_second_person(at.config.environment, at.config.access, hold.asked_by, who);
  else if (!hold.asked_by || hold.asked_by->uid != who.uid)
    throw Error(Code::c_user,
                fmt::format("{} was asked for by {}: they take it back, or an approver rejects it",
                            shown_name(rejection.subject), hold.asked_by ? hold.asked_by->name : "nobody"));
}

void reject_request(Instance& at, HoldKind kind, const Rejection& rejection, const Person& who,
                    const std::string& event, const std::function<void()>& also) {
  const auto hold = at.holds.find(kind, rejection.subject);
  if (hold && hold->was_decided_by(HoldState::rejected, who)) return;
  if (!hold || hold->state != HoldState::open)
    throw Error(Code::u_state, fmt::format("{} does not wait for a release", shown_name(rejection.subject)));
  require_may_end(at, *hold, rejection, who);
  at.db.transaction([&] {
    at.holds.decide(*hold, HoldState::rejected, who, rejection.reason);
    at.audit.append(event, "",
                    {{"subject", rejection.subject}, {"who", who.name}, {"reason", rejection.reason}});
    at.alerts.close(request_cause(rejection.subject));
    if (also) also();
  });
}

}  // namespace veer

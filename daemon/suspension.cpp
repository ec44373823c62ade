#include "daemon/suspension.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/closing.h"
#include "daemon/rules.h"

namespace veer {

void require_going(Instance& at, std::string_view verb) {
  if (verb.starts_with("incident-")) return;
  static constexpr std::array<std::string_view, 7> kEver = {
      "forget", "approve-forget", "reject", "withdraw", "test-alerts", "acknowledge-alert", "close-alert"};
  if (std::find(kEver.begin(), kEver.end(), verb) != kEver.end()) return;
  if (verb != "close-out") require_open(at);
  if (verb == "suspend" || verb == "resume") return;
  if (const auto holds = at.holds.suspensions(); !holds.empty())
    throw Error(
        Code::c_suspended,
        fmt::format("the exchange is suspended since {} by {}: another person, an approver, resumes it with "
                    "'veer resume'; then ask again",
                    format_time(holds.front().asked_at), names_of(holds)));
}

void tell_suspended(AlertBook& alerts, std::string_view by, std::string_view who_resumes) {
  alerts.raise(kSuspended, AlertKind::attention, "SUSPENDED", "",
               fmt::format("{} suspended the exchange: nothing is sent, fetched, taken in or recorded until "
                           "{} resumes it with 'veer resume'",
                           by, who_resumes));
}

std::string suspend(Instance& at, const Person& who) {
  const std::string person = std::to_string(who.uid);
  const auto before = at.holds.suspensions();
  at.db.transaction([&] {
    // A resumption that was on its way must not overtake who says so again.
    at.holds.lapse(HoldKind::suspension, person);
    at.holds.open(HoldKind::suspension, person, "", who);
    at.audit.append("suspended", "", {{"who", who.name}});
    tell_suspended(at.alerts, who.name, "another person, an approver,");
  });
  log(LogLevel::warn, "{} suspended the exchange", who.name);
  if (!before.empty())
    return fmt::format(
        "the exchange was suspended already, by {}, and stays so; each of them is resumed by "
        "another person",
        names_of(before));
  return "the exchange is suspended: nothing is sent, fetched, taken in or recorded until another person, an "
         "approver, types 'veer resume'";
}

std::string resume(Instance& at, const Command& command) {
  const Person& who = command.who;
  const std::string text = "the exchange goes on";
  if (!at.holds.was_suspended()) throw Error(Code::u_state, "the exchange is not suspended");
  std::vector<Hold> others;  // nobody releases their own
  std::vector<Hold> own;
  for (const Hold& hold : at.holds.suspensions()) {
    if (hold.asked_at > command.asked_at)
      throw Error(Code::u_state,
                  "the exchange was suspended again after this was asked for: look at 'veer status', "
                  "and ask again when it is to go on");
    (hold.asked_by && may_be_the_same(*hold.asked_by, who) ? own : others).push_back(hold);
  }
  if (others.empty() && own.empty()) return text;
  const auto& first = others.empty() ? own.front() : others.front();
  require_second_person(at.config.environment, at.config.access, first.asked_by, who);
  at.db.transaction([&] {
    for (const Hold& hold : others) at.holds.decide(hold, HoldState::released, who);
    at.audit.append("resumed", "", {{"suspended_by", names_of(others)}, {"who", who.name}});
    if (own.empty()) at.alerts.close(kSuspended);
  });
  if (!own.empty())
    return fmt::format(
        "what {} suspended is released; the exchange stays suspended by {} until another approver "
        "resumes that",
        names_of(others), who.name);
  log(LogLevel::info, "{} resumed the exchange", who.name);
  return text;
}

}  // namespace veer

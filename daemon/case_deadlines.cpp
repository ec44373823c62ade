#include "daemon/case_deadlines.h"

#include <fmt/format.h>

namespace veer {
namespace {

/// By how many days are left; AII's.
std::string code_of(std::chrono::days left) {
  if (left.count() > 1) return "CASE";
  return left.count() < 0 ? "CASE_OVERDUE" : fmt::format("CASE_{}", left.count());
}

std::string opened_cause(const Case& c) { return "case-opened:" + c.id; }

std::string described(const Case& c) {
  return fmt::format("case {} ({}, {} person(s){})", c.name(), category_name(c.category), c.persons,
                     c.reported ? ", reported by a person" : "");
}

}  // namespace

std::string case_cause(const Case& c) { return "case:" + c.id; }

std::string told_outcome(const Case& c) {
  if (!c.outcome) return "no answer yet";
  std::string text;
  switch (*c.outcome) {
    case CaseOutcome::corrected:
      text = c.correction ? fmt::format("corrected in exchange {}", *c.correction) : "corrected";
      break;
    case CaseOutcome::source:
      text = "put right at the source, for the next list";
      break;
    case CaseOutcome::unfounded:
      text = "the list was right";
      break;
    case CaseOutcome::closed:
      text = "closed without an answer";
      break;
  }
  return c.reply.empty() ? text : fmt::format("{} ({})", text, c.reply);
}

void tell_due(Instance& at, const Case& c) {
  const bool sender = at.config.role == Role::sender;
  const auto left = std::chrono::sys_days(c.due) - std::chrono::sys_days(date_of(at.clock.now()));
  if (!c.is_open() || (!sender && left.count() >= 0)) return at.alerts.close(case_cause(c));
  if (sender)
    at.alerts.raise(
        case_cause(c), AlertKind::attention, code_of(left), c.name(),
        fmt::format(
            "{} of {} is to be answered by {}: 'veer case show {}' tells what it is about, and "
            "'veer case answer {} --outcome source --text …' (or unfounded) or a correction of the list ends "
            "it",
            described(c), at.config.counterparty, format_date(c.due), c.name(), c.name()));
  else
    at.alerts.raise(case_cause(c), AlertKind::attention, "CASE_UNANSWERED", c.name(),
                    fmt::format("{} was to be answered by {} on {}, and was not: ask its contact point",
                                described(c), at.config.counterparty, format_date(c.due)));
}

void tell_opened(Instance& at, const Case& c) {
  at.alerts.raise(
      opened_cause(c), AlertKind::attention, "CASE_OPENED", c.name(),
      fmt::format("{} was opened by itself: {}. 'veer case mail {}' prints the e-mail that the contact point "
                  "of {} is to get (article 7); close this alert once it was sent",
                  described(c), c.text, c.name(), at.config.counterparty));
}

void close_alerts(Instance& at, const Case& c) {
  at.alerts.close(case_cause(c));
  at.alerts.close(opened_cause(c));
}

void look_at_cases(Instance& at) {
  for (const Case& c : at.cases.all()) tell_due(at, c);
}

}  // namespace veer

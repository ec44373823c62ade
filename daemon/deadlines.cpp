#include "daemon/deadlines.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/statvfs.h>

#include "core/digest.h"
#include "core/files.h"
#include "daemon/alert_topics.h"
#include "daemon/audit.h"
#include "daemon/case_deadlines.h"
#include "daemon/ends.h"
#include "daemon/housekeeping.h"
#include "daemon/old_pages.h"
#include "daemon/rules.h"
#include "daemon/shared_alerts.h"

namespace veer {
namespace {

constexpr std::uint64_t kLeastMegabytes = 100;
constexpr std::uint64_t kMostText = std::uint64_t{1} << 20;

std::string list_cause(int year) { return fmt::format("list-due:{}", year); }

bool is_recorded(Instance& at, int year) {
  if (at.config.role == Role::receiver) return at.lists.recorded_exchange(year).has_value();
  const auto all = at.ledger.exchanges();
  return std::any_of(all.begin(), all.end(), [&](const Exchange& x) {
    return x.reference_year == year && x.purpose == Purpose::list && x.stage == Stage::acknowledged;
  });
}

// A year's list is still waited for when the year is over, unless this side began after its day.
void look_for_list(Instance& at, int year, Date today) {
  const Window& window = at.config.window;
  if (!window.list_due || year < window.first_reference_year || year > window.last_reference_year) return;
  const Date due = std::chrono::year(year) / window.list_due->month() / window.list_due->day();
  const bool recorded = is_recorded(at, year);
  const bool waited_for =
      static_cast<int>(today.year()) == year || at.settings.begin() <= Time(std::chrono::sys_days(due));
  if (today > due && !recorded && waited_for)
    at.alerts.raise(list_cause(year), AlertKind::attention, "LIST_DUE", "",
                    fmt::format("no list for reference year {} is recorded, and it was due on {}", year,
                                format_date(due)));
  else if (recorded || clock_is_steady(at))
    at.alerts.close(list_cause(year));
}

void look_for_other_side(Instance& at) {
  const auto longest = at.config.window.unheard_after;
  const auto heard = at.ledger.last_heard();
  if (longest.count() == 0 || !heard || at.clock.now() - *heard < longest)
    return at.alerts.close(kUnheardCause);
  at.alerts.raise(kUnheardCause, AlertKind::attention, "UNHEARD", "",
                  fmt::format("nothing of {} came since {}, not even {}: ask it whether its service runs",
                              at.config.counterparty, format_date(date_of(*heard)),
                              at.config.role == Role::sender ? "the receipt of a rehearsal" : "a rehearsal"));
}

// Q41: once a year, until somebody says that it is done.
void look_for_review(Instance& at, Date today) {
  if (!at.config.review_due) return;
  const Date due = today.year() / at.config.review_due->month() / at.config.review_due->day();
  const std::string cause = fmt::format("review:{}", static_cast<int>(today.year()));
  if (today < due || at.settings.begin() >= Time(std::chrono::sys_days(due)) ||
      !at.settings.text(cause).empty())
    return;
  at.settings.set(cause, "asked");  // which outlasts its alert
  if (at.alerts.is_known(cause)) return;
  at.alerts.raise(cause, AlertKind::attention, "REVIEW", "",
                  fmt::format("the yearly review of the security plan was due on {}", format_date(due)));
}

// In production: whether people are sure to hear.
void look_at_channels(Instance& at) {
  const auto channels = at.config.alerts.rules().channels;
  const bool proven = std::any_of(channels.begin(), channels.end(), [&](const std::string& channel) {
    return at.settings.proof_of(channel) == at.config.alerts.digest_of(channel);
  });
  if (proven || at.config.environment != Environment::production) return at.alerts.close("unproven");
  at.alerts.raise(
      "unproven", AlertKind::attention, "UNPROVEN", "",
      "no channel of [alerts] told anybody since it was configured so: 'veer alerts test' tries them");
}

// Q26: four hours before the limit of 24, and beyond it; what was confirmed, before the 72 to the supervisor.
void look_at_incidents(Instance& at) {
  const Time now = at.clock.now();
  for (const Incident& incident : at.alerts.incidents().all()) {
    const std::string told = fmt::format("supervisor:{}", incident.id);
    if (incident.is_breach() && now >= incident.supervisor_warning() && at.settings.text(told).empty()) {
      at.settings.set(told, "told");  // which outlasts its alert
      at.alerts.tell(
          told, "INCIDENT_SUPERVISOR", incident.exchange,
          fmt::format("incident {} ({}) is confirmed: where it is a risk to persons, the officer tells the "
                      "supervisor before {}, 72 hours after it was found. 'veer incident report {}' holds "
                      "what is known",
                      incident.id, incident.code, format_time(incident.supervisor_due()), incident.id));
    }
    const std::string cause = fmt::format("incident:{}", incident.id);
    if (!incident.waits() || (now < incident.warning() && clock_is_steady(at))) at.alerts.close(cause);
    if (!incident.waits() || now < incident.warning()) continue;
    at.alerts.raise(
        cause, AlertKind::attention, now < incident.due() ? "INCIDENT_DUE" : "INCIDENT_OVERDUE",
        incident.exchange,
        fmt::format("incident {} ({}) {} on {}, 24 hours after it was found, and the other side has not "
                    "been told of it: 'veer incident notice {}' is what to tell",
                    incident.id, incident.code, now < incident.due() ? "falls due" : "fell due",
                    format_time(incident.due()), incident.id));
  }
}

/// Whether the file still says what the service works by.
void look_at_configuration(Instance& at) {
  const Config& config = at.config;
  if (config.file.empty()) return;
  const auto raise = [&](std::string_view code, const std::string& text) {
    at.alerts.raise(kConfigurationCause, AlertKind::attention, code, "", text);
  };
  try {
    const std::string now = sha256_hex(read_file(config.file, kMostText));
    if (now == config.sha256) return at.alerts.close(kConfigurationCause);
    raise("CHANGED",
          fmt::format("{} was changed since the service read it (SHA-256 {}… now): 'systemctl reload "
                      "veerdienst@{}' lets it count, or says what is wrong with it",
                      config.file.native(), now.substr(0, 8), config.file.stem().native()));
  } catch (const Error& error) {
    raise("UNREADABLE", fmt::format("{} can no longer be read, so that the service cannot start again: {}",
                                    config.file.native(), error.message()));
  }
}

// Q36: each change is on record, and to be sent to the other side.
void look_at_processors(Instance& at) {
  static const std::string kKnown = "processors";
  std::string all;
  for (const Processor& processor : at.config.processors)
    all += fmt::format("{}{} ({})", all.empty() ? "" : "; ", processor.name, processor.task);
  const std::string now = sha256_hex(all);
  const std::string before = at.settings.text(kKnown);
  if (now == before) return;
  at.settings.set(kKnown, now);
  if (!all.empty() || !before.empty()) at.audit.append("processors", "", {{"processors", all}});
  if (before.empty()) return;  // what the agencies began with
  at.alerts.raise(
      "processors", AlertKind::attention, "PROCESSORS", "",
      fmt::format("who handles the exchange on this agency's behalf has changed: {}. Send the overview to {} "
                  "(article 6), and close this",
                  all.empty() ? "nobody any more" : all, at.config.counterparty));
}

void look_at_audit(Instance& at) {
  const AuditReport report = verify_audit(at.db, at.config.party, {});
  if (report.problems.empty()) return at.alerts.close("audit");
  at.alerts.raise("audit", AlertKind::finding, code_name(Code::l_audit), "",
                  fmt::format("the audit chain is not whole ({} problem(s), the first at record {}): keep "
                              "everything as it is, and see 'veer audit verify'",
                              report.problems.size(), report.problems.front().seq));
}

// Once the path is closed nothing is expected any more.
void look_at_what_stays(Instance& at) {
  static constexpr std::array<std::string_view, 11> kOver = {
      "list-due", "unheard",  "key",  "certificate", "window",       "legal-basis",
      "review",   "unproven", "step", "rehearsal",   "configuration"};
  at.db.transaction([&] {
    for (const Alert& alert : at.alerts.open())
      if (std::find(kOver.begin(), kOver.end(), topic_of(alert)) != kOver.end()) at.alerts.close(alert.cause);
    look_at_disk(at);
    look_at_audit(at);
    look_at_incidents(at);
    look_at_crashes(at);
    look_at_old_pages(at);
  });
}

}  // namespace

void look_at_deadlines(Instance& at) {
  if (at.settings.closed_out()) return look_at_what_stays(at);
  const Date today = date_of(at.clock.now());
  std::optional<Error> problem;
  std::vector<KeyEnd> ends;
  try {
    ends = at.seal.key_ends();
  } catch (const Error& error) {  // a GnuPG that does not answer hides no deadline
    problem = error;
  }
  at.db.transaction([&] {
    for (const int year : {static_cast<int>(today.year()) - 1, static_cast<int>(today.year())})
      look_for_list(at, year, today);
    look_for_other_side(at);
    if (problem)
      at.alerts.raise(step_cause("keys"), AlertKind::attention, code_name(problem->code()), "",
                      problem->message());
    else
      at.alerts.close(step_cause("keys"));
    if (!problem) look_at_ends(at, ends);
    look_for_review(at, today);
    look_at_channels(at);
    look_at_configuration(at);
    look_at_processors(at);
    look_at_disk(at);
    look_at_audit(at);
    look_at_incidents(at);
    look_at_crashes(at);
    look_at_cases(at);
  });
}

void look_at_disk(Instance& at) {
  struct statvfs status {};
  if (statvfs(at.config.state.c_str(), &status) != 0) return;
  const std::uint64_t megabytes = status.f_bavail * status.f_frsize >> 20;
  if (megabytes >= kLeastMegabytes) return at.alerts.close("disk");
  at.alerts.raise("disk", AlertKind::attention, code_name(Code::l_full), "",
                  fmt::format("less than {} MB are left on the disk of {}: make room", kLeastMegabytes,
                              at.config.state.native()));
}

void look_at_old_pages(Instance& at) {
  static constexpr std::chrono::hours kLongest{24};
  const auto since = old_pages_since(at.db, at.clock.now());
  if (!since || at.clock.now() - *since < kLongest) return at.alerts.close("old-pages");
  at.alerts.raise(
      "old-pages", AlertKind::attention, "OLD_PAGES", "",
      fmt::format("what was deleted of people on {} still stands in unused room of the database's files: "
                  "somebody reads the database without end (a report, a backup program?), or the disk "
                  "is full",
                  format_time(*since)));
}

Time next_look_at_deadlines(Instance& at) {
  const Time now = at.clock.now();
  const Time daily = now + kTidyEvery;
  return std::min(daily, at.alerts.incidents().next_limit(now).value_or(daily));
}

void tell_recorded(Instance& at, const Exchange& x, const std::vector<Reason>& reasons) {
  if (x.purpose == Purpose::rehearsal) {  // a late answer to an older one says nothing of the newest
    if (const auto last = at.ledger.last_rehearsal(); !last || last->opened_at <= x.opened_at)
      at.alerts.close(kRehearsalCause);
    return;
  }
  std::uint64_t deceased = 0;
  for (const Reason& reason : reasons)
    if (reason.code == Code::r_deceased) deceased += std::min(reason.count, x.records - deceased);
  at.alerts.close(list_cause(x.reference_year));
  at.alerts.tell(
      "recorded:" + x.id, "RECORDED", x.id,
      fmt::format(
          "{} numbers for reference year {} are recorded{}{}, and the receipt for {} is {}",
          x.records - deceased, x.reference_year,
          x.revision > 1 ? fmt::format(" as revision {}, in the place of those before", x.revision) : "",
          deceased > 0 ? fmt::format("; {} number(s) of persons who have died were left out", deceased) : "",
          x.package, at.config.role == Role::sender ? "verified and kept" : "on its way"));
}

}  // namespace veer

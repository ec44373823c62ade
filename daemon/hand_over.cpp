#include "daemon/hand_over.h"

#include <cerrno>
#include <optional>
#include <regex>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/requests.h"
#include "daemon/rules.h"

namespace veer {
namespace {

constexpr const char* kFolderCause = "export-folder";
// Until when what was handed over holds somebody who was forgotten.
const std::string kOwed = "export_owed";
// And a folder: something was written there, and lies there still as far as is known.
const std::string kFolder = "export_folder:";

// Whoever uses it is in the folder's group.
constexpr unsigned kForGroup = 0640;
constexpr std::string_view kPrefix = "export-";

std::string stale_cause(int year) { return fmt::format("export-stale:{}", year); }

std::string failed_cause(int year) { return fmt::format("export-failed:{}", year); }

struct Wanted {
  int year = 0;
  std::string purpose;  ///< fit to be kept and shown
};

Wanted wanted(const std::string& argument) {
  static constexpr std::size_t kLongest = 300;
  Wanted wanted;
  const std::size_t blank = argument.find(' ');
  const auto year = parse_year(argument.substr(0, blank));
  if (!year || blank == std::string::npos || blank + 1 == argument.size())
    throw Error(Code::u_usage, "an export names the reference year and what it is for");
  wanted.year = *year;
  wanted.purpose = shown_text(argument.substr(blank + 1), kLongest);
  return wanted;
}

std::string subject_of(int year, std::int64_t revision) {
  return fmt::format("{}{}-r{}", kPrefix, year, revision);
}

/// Year and revision of "export-2026-r1".
std::pair<int, std::int64_t> called(const std::string& subject) {
  static const std::regex kName("export-(\\d{4})-r(\\d{1,3})");
  std::smatch match;
  if (!std::regex_match(subject, match, kName))
    throw Error(Code::u_unknown, "an export is called like export-2026-r1: see 'veer alerts'");
  return {std::stoi(match[1]), std::stoi(match[2])};
}

/// Year and revision of a file that was handed over, or begun, by its name; empty when it is none.
std::optional<std::pair<int, std::int64_t>> list_in(const std::string& name) {
  static const std::regex kOurs("\\.?inburgeringsplicht-(\\d{4})-r(\\d{1,3})\\.csv(\\.new)?");
  std::smatch match;
  if (!std::regex_match(name, match, kOurs)) return std::nullopt;
  return std::pair<int, std::int64_t>(std::stoi(match[1]), std::stoi(match[2]));
}

}  // namespace

std::string numbers_handed(std::int64_t now, std::int64_t recorded) {
  return now == recorded ? fmt::format("{} numbers", now)
                         : fmt::format("{} numbers ({} recorded, {} kept out or forgotten since)", now,
                                       recorded, recorded - now);
}

bool HandOver::is_called(const std::string& subject) { return subject.starts_with(kPrefix); }

std::filesystem::path HandOver::file_of(int year, std::int64_t revision) const {
  return at_.config.export_to.folder / fmt::format("inburgeringsplicht-{}-r{}.csv", year, revision);
}

std::string HandOver::ask(const Command& command) {
  const Wanted what = wanted(command.argument);
  if (at_.config.export_to.folder.empty())
    throw Error(Code::c_config, "name the folder into which lists are handed over: [export] folder");
  require_basis(at_.config, date_of(at_.clock.now()));
  const auto list = at_.lists.newest(what.year);
  if (!list)
    throw Error(Code::u_state, fmt::format("no list for reference year {} is recorded: 'veer status' shows "
                                           "which are",
                                           what.year));
  const std::string subject = subject_of(what.year, list->revision);
  const auto records = at_.lists.count(what.year);
  const std::string request =
      fmt::format("{}|{}|{}|{}|{}", subject, list->exchange, records, what.purpose, command.who.name);
  at_.db.transaction([&] {
    std::string instead;  // of whose request
    const auto known = at_.holds.find(HoldKind::hand_over, subject);
    if (known && known->state == HoldState::open) {
      if (known->digest == sha256_hex(request)) return;
      at_.holds.lapse(HoldKind::hand_over, subject);
      at_.alerts.close(request_cause(subject));  // so that the other one is told of anew
      instead =
          fmt::format("{}, for: {}", known->asked_by ? known->asked_by->name : "somebody", known->purpose);
    }
    at_.holds.open(HoldKind::hand_over, subject, sha256_hex(request), command.who, what.purpose);
    AuditFacts facts = {{"subject", subject}, {"purpose", what.purpose}, {"who", command.who.name}};
    if (!instead.empty()) facts.emplace_back("instead_of", instead);
    at_.audit.append("export-asked", list->exchange, facts);
    at_.alerts.raise(
        request_cause(subject), AlertKind::attention, "EXPORT", subject,
        fmt::format(
            "{} asks to hand over the list for reference date 1 January {}, revision {}, {}, for: {}. "
            "Another person, an approver, releases it: 'veer approve {}'{}",
            command.who.name, what.year, list->revision, numbers_handed(records, list->records), what.purpose,
            subject,
            instead.empty() ? "" : fmt::format(". It takes the place of what was asked by {}", instead)));
  });
  return subject;
}

std::string HandOver::approve(const Approval& approval, const Command& command) {
  const Person& who = command.who;
  const auto which = called(approval.subject);
  const int year = which.first;
  const std::int64_t revision = which.second;
  const Approved request = require_request(at_, HoldKind::hand_over, approval.subject, command);
  if (request.hold.digest != approval.sha256)
    throw Error(Code::u_state, fmt::format("another request waits under that name: look at it with 'veer "
                                           "approve {}'",
                                           approval.subject));
  require_basis(at_.config, date_of(at_.clock.now()));
  const auto list = at_.lists.newest(year);
  if (!list || list->revision != revision)
    throw Error(Code::u_state, fmt::format("the list for {0} was corrected since that was asked for: have it "
                                           "asked for anew with 'veer export {0} --purpose …'",
                                           year));
  if (!request.before)
    at_.db.transaction([&] {
      at_.holds.decide(request.hold, HoldState::released, who);
      at_.audit.append("exported", list->exchange,
                       {{"subject", approval.subject},
                        {"records", std::to_string(at_.lists.count(year))},
                        {"revision", std::to_string(revision)},
                        {"purpose", request.hold.purpose},
                        {"asked_by", request.hold.asked_by ? request.hold.asked_by->name : ""},
                        {"who", who.name}});
      at_.alerts.close(request_cause(approval.subject));
      at_.alerts.close(stale_cause(year));
    });
  const auto file = write(year, revision);
  log(LogLevel::info, "{} released {}", who.name, approval.subject);
  return fmt::format("the list for {} (revision {}) lies in {}", year, revision, file.native());
}

// It is released by then: what keeps it from being written is waited for, as far as a command is.
std::filesystem::path HandOver::write(int year, std::int64_t revision) {
  const auto file = file_of(year, revision);
  try {
    names_in(file.parent_path());  // one that is not there is none to come back to
    at_.db.transaction([&] {
      at_.settings.set(kFolder + at_.config.export_to.folder.native(),
                       std::to_string(to_millis(at_.clock.now())));
    });
    write_file(file, at_.lists.as_csv(year), kForGroup);
  } catch (const Error& error) {
    at_.db.transaction([&] {
      at_.alerts.raise(
          failed_cause(year), AlertKind::attention, code_name(error.code()), "",
          fmt::format("the list for {} (revision {}) was released, and could not be handed over: {}. "
                      "Give the service the right to write there, and ask again with 'veer export {} "
                      "--purpose …'",
                      year, revision, error.message(), year));
    });
    throw Error(Code::l_busy, fmt::format("{}; it is tried again", error.message()));
  }
  at_.db.transaction([&] {
    at_.alerts.close(failed_cause(year));
    at_.audit.append("handed-over", "", {{"name", file.filename().native()}});
  });
  return file;
}

std::string HandOver::reject(const Rejection& rejection, const Person& who) {
  reject_request(at_, HoldKind::hand_over, rejection, who, "export-rejected");
  return fmt::format("{} is not handed over", shown_name(rejection.subject));
}

void HandOver::tell_corrected(const Exchange& x, const Change& change) {
  for (std::int64_t revision = x.revision - 1; revision >= 1; --revision) {
    const std::string subject = subject_of(x.reference_year, revision);
    if (const auto hold = at_.holds.find(HoldKind::hand_over, subject);
        hold && hold->state == HoldState::open) {
      at_.holds.lapse(HoldKind::hand_over, subject);
      at_.alerts.close(request_cause(subject));
      at_.audit.append("export-lapsed", x.id, {{"subject", subject}});
      at_.alerts.tell(
          fmt::format("export-lapsed:{}:{}", subject, x.id), "EXPORT_LAPSED", x.id,
          fmt::format("{} was not handed over: revision {} was recorded meanwhile. Ask again with "
                      "'veer export {} --purpose …'",
                      subject, x.revision, x.reference_year));
    }
    const auto released = at_.holds.last_released(HoldKind::hand_over, subject);
    if (!released) continue;
    // Who was forgotten since stands in what was handed over, whatever the correction brings.
    const auto forgotten =
        at_.db.query_one("SELECT 1 FROM audit WHERE event = 'forgotten' AND at > :at LIMIT 1",
                         {to_millis(released->decided_at.value())});
    tell_stale(
        x.reference_year, *released,
        {fmt::format("revision {}: {} added, {} withdrawn", x.revision, change.added, change.withdrawn),
         forgotten.has_value()},
        x.id);
    return;
  }
}

void HandOver::tell_taken_back() {
  at_.settings.set(kOwed, std::to_string(to_millis(at_.clock.now())));
  // The newest of each year: who got an older one has it too.
  std::map<int, Hold> handed_over;
  for (const Hold& hold : at_.holds.of(HoldKind::hand_over, HoldState::released))
    handed_over[called(hold.subject).first] = hold;
  for (const auto& [year, hold] : handed_over) {
    const auto list = at_.lists.newest(year);
    const bool corrected = list && list->revision > called(hold.subject).second;
    tell_stale(year, hold, {corrected ? fmt::format("revision {}", list->revision) : "", true}, "");
  }
}

void HandOver::tell_stale(int year, const Hold& released, const Since& since, const std::string& exchange) {
  std::vector<std::string> reasons;
  if (!since.corrected.empty()) reasons.push_back(fmt::format("it was corrected ({})", since.corrected));
  if (since.forgotten)
    reasons.emplace_back("somebody was forgotten (what lay in the folder of [export] is removed)");
  at_.alerts.raise(
      stale_cause(year), AlertKind::attention, "EXPORT_STALE", exchange,
      fmt::format("the list for reference year {} was handed over as revision {} on {}. Since then {}. "
                  "Whoever uses it {}",
                  year, called(released.subject).second, format_date(date_of(released.decided_at.value())),
                  fmt::join(reasons, ", and "),
                  at_.settings.closed_out()
                      ? "is to be told (the path is closed); close this alert then"
                      : fmt::format("must have a new one: 'veer export {} --purpose …'", year)));
}

bool HandOver::owes_removal() {
  return at_.settings.number(kOwed).has_value() || at_.alerts.is_open(kFolderCause);
}

std::set<fs::path> HandOver::folders() {
  std::set<fs::path> folders;
  if (!at_.config.export_to.folder.empty()) folders.insert(at_.config.export_to.folder);
  for (const Row& row : at_.db.query("SELECT name FROM setting WHERE name LIKE 'export_folder:%'"))
    folders.insert(row.text(0).substr(kFolder.size()));
  return folders;
}

bool HandOver::must_go(int year, std::int64_t revision, Time written, Age age) {
  const Time now = at_.clock.now();
  const auto forgotten = at_.settings.number(kOwed);
  const auto newest = at_.lists.newest(year);
  return (age == Age::counts && written < now - at_.config.export_to.keep) ||
         (forgotten && (written <= from_millis(*forgotten) || written > now)) ||
         (newest && newest->revision > revision);
}

// Ours alone, by name, kind and owner: others may put what they like into that folder.
bool HandOver::sweep(const fs::path& folder, Age age) {
  bool stays = false;
  for (const std::string& name : names_in(folder)) {
    const auto list = list_in(name);
    struct stat status {};
    if (!list) continue;
    if (lstat((folder / name).c_str(), &status) != 0) {
      if (errno == ENOENT) continue;
      throw_errno(fmt::format("looking at {}", name));
    }
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid()) continue;
    if (!must_go(list->first, list->second, from_millis(nanoseconds(status.st_mtim) / 1'000'000), age)) {
      stays = true;
      continue;
    }
    remove_file(folder / name);
    at_.db.transaction([&] { at_.audit.append("export-removed", "", {{"name", name}}); });
  }
  return stays;
}

void HandOver::tidy(Age age) {
  std::vector<std::string> failed;
  std::optional<Error> why;
  for (const fs::path& folder : folders()) {
    try {
      const std::string known = kFolder + folder.native();
      const bool stays = sweep(folder, age);
      if (stays == at_.settings.number(known).has_value()) continue;
      at_.db.transaction([&] {
        if (stays)
          at_.settings.set(known, std::to_string(to_millis(at_.clock.now())));
        else
          at_.settings.forget(known);
      });
    } catch (const Error& error) {
      failed.push_back(folder.native());
      why = error;
    }
  }
  if (why)
    at_.db.transaction([&] {
      at_.alerts.raise(
          kFolderCause, AlertKind::attention, code_name(why->code()), "",
          fmt::format("what was handed over into {} could not be removed when its time was over, or not even "
                      "be looked for: {}. It is tried again, whatever [export] names now; remove it by hand, "
                      "for it holds people's numbers, and give the service the rights. In the place of a "
                      "folder that is gone for good, make an empty one",
                      fmt::join(failed, ", "), why->message()));
    });
  else if (owes_removal())
    at_.db.transaction([&] {
      at_.settings.forget(kOwed);
      at_.alerts.close(kFolderCause);
    });
}

}  // namespace veer

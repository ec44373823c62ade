#include "daemon/closing.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "connectors/probe.h"
#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/case_deadlines.h"
#include "daemon/case_letters.h"
#include "daemon/intake.h"
#include "daemon/legal_basis.h"

namespace veer {
namespace {

// What close-out is given so that files on the share, or a share that is no more, do not keep a path open for
// ever.
constexpr const char* kRemoveUnread = "remove-unread";
constexpr const char* kShareGone = "share-gone";

/// What nobody can do any more once there is no share: a letter or a package that is to be put there, or
/// whose answer is waited for.
bool waits_for_share(const Exchange& x) { return x.stage != Stage::held && x.wait.due; }
bool waits_for_share(const Case& c) {
  return c.stage == CaseStage::answering || c.stage == CaseStage::sealed || c.stage == CaseStage::sent;
}

bool has_basis(Instance& at, Date today) {
  return at.config.environment != Environment::production ||
         (at.config.legal_basis && is_in_force(*at.config.legal_basis, today));
}

bool is_about_case(const std::string& file) {
  const auto name = parse_file_name(file);
  return name && (name->kind == FileKind::quality_case || name->kind == FileKind::answer);
}

std::string way_out(const Exchange& x, Role role) {
  if (role == Role::receiver) return "wait until its receipt has left";
  const std::string id = x.id.substr(0, 8);
  return x.stage == Stage::held ? fmt::format("'veer approve {0}' or 'veer reject {0}'", id)
                                : fmt::format("wait, or 'veer withdraw {}'", id);
}

std::string way_out(const Case& c) {
  if (c.stage == CaseStage::answering) return "wait until its answer has left";
  return c.stage == CaseStage::received
             ? fmt::format("'veer case answer {} --outcome unfounded --text …', or with what was done",
                           c.name())
             : fmt::format("'veer case close {} --reason …'", c.name());
}

/// A package waits by its bytes, and is called by its name.
std::string waiting(Instance& at, const Hold& hold, HoldKind kind) {
  std::string name = hold.subject;
  if (kind == HoldKind::package)
    for (const Arrival& arrival : at.ledger.open_arrivals())
      if (arrival.sha256 == hold.subject) name = arrival.name;
  return fmt::format("{} {} waits for a second person: {}", hold_kind_name(kind), name,
                     kind == HoldKind::suspension
                         ? "'veer resume'"
                         : fmt::format("'veer approve {0}' or 'veer reject {0}'", name));
}

/// What is not over yet, with the way out of each, and whether some of it is over where there is no share.
struct OpenMatters {
  std::vector<std::string> all;
  bool of_share = false;
};

OpenMatters open_matters(Instance& at, const Command& command, const Transfer& transfer) {
  OpenMatters matters;
  std::vector<std::string>& open = matters.all;
  const auto on_share = [&](const std::string& name, std::string_view how) {
    open.push_back(fmt::format("{} on the share {}: --{} removes it", name, how, kRemoveUnread));
    matters.of_share = true;
  };
  const Date today = date_of(at.clock.now());
  if (at.config.environment == Environment::production && today <= at.config.window.closes &&
      has_basis(at, today))
    open.push_back(
        fmt::format("the transition lasts until {} ([window] closes)", format_date(at.config.window.closes)));
  const bool gone = command.argument == kShareGone;
  for (const Exchange& x : at.ledger.exchanges())
    if ((x.wait.due || x.stage == Stage::held) && !(gone && waits_for_share(x))) {
      open.push_back(fmt::format("exchange {} is {}: {}", x.id.substr(0, 8), stage_name(x.stage),
                                 way_out(x, at.config.role)));
      matters.of_share |= waits_for_share(x);
    }
  if (command.argument != kRemoveUnread && !gone) {
    // Without a legal basis nobody may read these any more.
    const auto matters_still = [&](const std::string& name) {
      return parse_file_name(name) && (has_basis(at, today) || !is_about_case(name));
    };
    for (const Arrival& arrival : at.ledger.open_arrivals())
      if (matters_still(arrival.name))
        on_share(arrival.name, fmt::format("is {}", arrival_stage_name(arrival.stage)));
    for (const ShareEntry& entry : at.share.list(Folder::incoming, transfer))
      if (const auto last = at.ledger.last_arrival(entry.name);
          matters_still(entry.name) && (!last || last->revision != entry.revision))
        on_share(entry.name, "was not read here");
    for (const ShareEntry& entry : at.share.list(Folder::outgoing, transfer))
      if (matters_still(entry.name)) on_share(entry.name, "was not fetched by the other side");
  }
  for (const HoldKind kind : kHoldKinds)
    for (const Hold& hold : at.holds.of(kind, HoldState::open))
      if (kind != HoldKind::list)  // an exchange, told above
        open.push_back(waiting(at, hold, kind));
  for (const Case& c : at.cases.all())
    // Without a legal basis nobody may answer any more.
    if (c.stage != CaseStage::answered && has_basis(at, today) && !(gone && waits_for_share(c))) {
      open.push_back(fmt::format("case {} is {}: {}", c.name(), case_stage_name(c.stage), way_out(c)));
      matters.of_share |= waits_for_share(c);
    }
  for (const Delivery& d : at.deliveries.all())
    if (d.wait.due)
      open.push_back(d.is_pending()
                         ? fmt::format("{} is to be delivered to {}", d.file, d.fund)
                         : fmt::format("{} is to be cleared from the share of {} (when that is no more: take "
                                       "{} out of [distribution])",
                                       d.file, d.fund, d.fund));
  // After it nothing more is handed over or delivered.
  for (const Alert& alert : at.alerts.open()) {
    const std::string topic = topic_of(alert);
    const std::string year = alert.cause.substr(alert.cause.find(':') + 1);
    if (topic == "distribution-stale")
      open.push_back(
          fmt::format("care funds may not have the newest list for {0}: 'veer distribute {0} --members "
                      "FILE', or tell them and 'veer alerts close {1}'",
                      year, alert.id));
    if (topic == "export-failed")
      open.push_back(
          fmt::format("a released hand-over of the list for {0} was not written: 'veer export {0} "
                      "--purpose …', or 'veer alerts close {1}'",
                      year, alert.id));
    if (topic == "export-stale")
      open.push_back(
          fmt::format("whoever was handed the list for {0} has not the newest one: 'veer export {0} "
                      "--purpose …', or tell them and 'veer alerts close {1}'",
                      year, alert.id));
  }
  for (const Incident& incident : at.alerts.incidents().waiting())
    open.push_back(fmt::format("incident {0} is open: 'veer incident show {0}'", incident.id));
  for (const Command& other : at.agenda.pending())
    if (other.verb != command.verb && !(gone && other.verb == "withdraw"))
      open.push_back(fmt::format("'{}' is asked for and not done yet", other.verb));
  if (at.config.role == Role::sender)
    for (const DroppedFile& file : dropped_files(at.config.drop))
      open.push_back(fmt::format("{} lies in the drop folder: take it away", printable(file.name)));
  return matters;
}

bool is_ours(const std::string& name) {
  return parse_file_name(name) || is_part_name(name) ||
         (is_share_name(name) && name.starts_with(kProbeBegins));
}

/// Names what is left there: what the share would not remove, and what is not of this program.
std::vector<std::string> empty_share(Instance& at, const Transfer& transfer) {
  std::vector<std::string> left;
  for (const Folder folder : {Folder::outgoing, Folder::incoming})
    for (const ShareEntry& entry : at.share.list(folder, transfer)) {
      if (!is_ours(entry.name)) {
        left.push_back(shown_name(entry.name) + " (not of this program)");
        continue;
      }
      try {
        at.share.remove(folder, entry.name, transfer);
      } catch (const Error& error) {
        if (error.code() != Code::s_rights) throw;
        left.push_back(entry.name);
      }
    }
  return left;
}

std::string report_of(Instance& at, const std::string& who, bool share_gone,
                      const std::vector<std::string>& left) {
  const Config& config = at.config;
  std::string text =
      fmt::format("Veerdienst closing report, 1\nparty {}\nother side {}\nenvironment {}\nclosed {}\nby {}\n",
                  config.party, config.counterparty, environment_name(config.environment),
                  format_time(at.clock.now()), who);
  text +=
      "\nWhat travelled: stage, revision, numbers, SHA-256 of the sealed package, name, SHA-256 of the "
      "receipt\n";
  auto exchanges = at.ledger.exchanges();
  std::reverse(exchanges.begin(), exchanges.end());
  for (const Exchange& x : exchanges) {
    const auto receipt = at.ledger.receipt_of(x.id);
    text += fmt::format("{} r{} {} {} {} {}\n", stage_name(x.stage), x.revision, x.records, x.package_sha256,
                        x.package, receipt ? receipt->json_sha256 : "-");
  }
  text += "\nQuality cases: name, data, persons, outcome\n";
  for (const Case& c : at.cases.all())
    text += fmt::format("{} {} {} {}\n", c.name(), category_name(c.category), c.persons,
                        c.outcome ? case_outcome_name(*c.outcome) : "-");
  text += "\nDeliveries to care funds: fund, revision, numbers, SHA-256, name\n";
  for (const Delivery& d : at.deliveries.all())
    if (d.stage == DeliveryStage::delivered)
      text += fmt::format("{} r{} {} {} {}\n", d.fund, d.revision, d.records, d.sha256, d.file);
  text +=
      "\nKeys to retire, with their subkeys: they go with the key folder, once nobody is to be forgotten "
      "here any more\n";
  for (const auto* pins : {&config.own_keys, &config.counterparty_keys})
    for (const PinnedKey& pin : *pins) text += pin.fingerprint + "\n";
  for (const PinnedKey& pin : also_pinned(config)) text += pin.fingerprint + "\n";
  text += "\nSet aside in quarantine/, to be removed by hand once no finding needs it\n";
  for (const std::string& name : names_in(at.quarantine)) text += name + "\n";
  if (share_gone)
    text += "\nThe share was not looked at: it is gone, by the word of whoever closed the path\n";
  else
    text += "\nLeft on the share: what it does not let this side remove, and what is not of this program\n";
  for (const std::string& name : left) text += name + "\n";
  const AuditHead head = at.audit.head();
  text += fmt::format("\nAudit trail\n{} {}\n", head.seq, head.head);
  return text;
}

/// Nobody can say what becomes of it there.
void not_taken_back(Instance& at, const Command& withdrawal) {
  const std::string_view code = code_name(Code::c_closed);
  at.agenda.finish(
      withdrawal, CommandStage::failed, code,
      "not taken back: the path was closed without a look at the share, and what lies there may still "
      "be recorded. Tell the other side");
  at.audit.append("command", "",
                  {{"verb", withdrawal.verb}, {"who", withdrawal.who.name}, {"code", std::string(code)}});
}

}  // namespace

void require_open(Instance& at) {
  if (const auto closed = at.settings.closed_out())
    throw Error(Code::c_closed,
                fmt::format("this path was closed for good on {}: nothing is taken in, sent or "
                            "recorded any more",
                            format_date(date_of(*closed))));
}

std::string close_out(Instance& at, const Command& command, const Transfer& transfer) {
  const fs::path folder = at.config.state / kClosingFolder;
  const fs::path report = folder / "closing-report.txt";
  const std::string done = fmt::format(
      "the path is closed for good. What travelled, and which keys to retire, stands in {}, signed beside it",
      report.native());
  if (!at.settings.closed_out()) {
    OpenMatters open;
    try {
      open = open_matters(at, command, transfer);
    } catch (const Error& error) {  // whoever closes a path waits for no share
      if (!code_name(error.code()).starts_with("S_")) throw;
      throw Error(
          Code::u_state,
          fmt::format(
              "the share cannot be looked at ({}): put that right, or say --{} where there is none any "
              "more",
              error.message(), kShareGone));
    }
    if (!open.all.empty())
      throw Error(Code::u_state,
                  fmt::format("this is still open: {}{}", fmt::join(open.all, "; "),
                              open.of_share && command.argument != kShareGone
                                  ? fmt::format(". Where there is no share any more, say --{}", kShareGone)
                                  : ""));
    const bool gone = command.argument == kShareGone;
    const std::string text =
        report_of(at, command.who.name, gone, gone ? std::vector<std::string>() : empty_share(at, transfer));
    make_folder(folder);
    write_file(report, text);
    write_file(folder / "closing-report.txt.sig", at.seal.sign(text));
    at.db.transaction([&] {
      // What was fetched and never read is not kept.
      for (Arrival arrival : at.ledger.open_arrivals()) {
        arrival.stage = ArrivalStage::cleared;
        arrival.outcome = Outcome::gone;
        arrival.wait = {};
        at.ledger.save(arrival);
      }
      for (Case c : at.cases.all()) {
        if (c.stage == CaseStage::answered) continue;
        c.stage = CaseStage::answered;
        c.outcome = c.outcome.value_or(CaseOutcome::closed);
        c.wait = {};
        at.cases.save(c);
        close_alerts(at, c);
        at.cases.cut_loose(c);
      }
      // No step is tried any more, and nobody looks at the share.
      static constexpr std::array<std::string_view, 7> kOver = {"step",  "withdraw", "names", "misplaced",
                                                                "flood", "restless", "size"};
      for (const Alert& alert : at.alerts.open())
        if (std::find(kOver.begin(), kOver.end(), topic_of(alert)) != kOver.end())
          at.alerts.close(alert.cause);
      at.settings.close_out();
      for (const Command& other : at.agenda.pending()) {
        if (other.id == command.id) continue;
        if (other.verb == command.verb) at.agenda.finish(other, CommandStage::done, "", done);
        if (gone && other.verb == "withdraw") not_taken_back(at, other);
      }
      at.audit.append("closed-out", "", {{"report_sha256", sha256_hex(text)}, {"who", command.who.name}});
      at.alerts.tell("closed-out", "CLOSED_OUT", "",
                     fmt::format("{} closed the path for good", command.who.name));
      at.agenda.schedule(Chore::tidy, at.clock.now());
    });
    log(LogLevel::warn, "{} closed the path for good", command.who.name);
  }
  for (const std::string& name : names_in(at.spool)) remove_file(at.spool / name);
  std::error_code none;
  fs::remove_all(at.config.state / kCasesFolder, none);
  return done;
}

}  // namespace veer

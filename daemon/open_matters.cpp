#include "daemon/open_matters.h"

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/intake.h"
#include "daemon/legal_basis.h"

namespace veer {
namespace {

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

}  // namespace

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

}  // namespace veer

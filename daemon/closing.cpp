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
#include "daemon/open_matters.h"

namespace veer {
namespace {

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

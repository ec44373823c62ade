#include "daemon/housekeeping.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "connectors/probe.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/case_letters.h"

namespace veer {
namespace {

void tell_misplaced(Instance& at, const std::vector<ShareEntry>& entries) {
  static const std::string kCause = "misplaced:outgoing";
  const bool sender = at.config.role == Role::sender;
  const auto theirs = std::find_if(entries.begin(), entries.end(), [&](const ShareEntry& entry) {
    const auto name = parse_file_name(entry.name);
    return name && is_made_by_sender(name->kind) != sender;
  });
  at.db.transaction([&] {
    if (theirs == entries.end()) return at.alerts.close(kCause);
    at.alerts.raise(
        kCause, AlertKind::attention, code_name(Code::t_name), "",
        fmt::format("{} lies in our outgoing folder on the share, and only {} makes such files: are "
                    "'outgoing' and 'incoming' the wrong way round, here or there? Compare both "
                    "sides' [share]",
                    theirs->name, at.config.counterparty));
  });
}

}  // namespace

void tidy_spool_at_start(Instance& at) {
  std::set<std::string> known;
  for (const Exchange& x : at.ledger.exchanges()) {
    if (is_taken_back(x.stage) && at.holds.kept_back(HoldKind::list, x.id)) remove_file(at.sealed_file(x));
    known.insert(at.sealed_file(x).filename());
  }
  for (const Case& c : at.cases.all()) {
    if (c.stage == CaseStage::answered) remove_file(kept_letter(at, c));
    for (const FileKind kind : {FileKind::quality_case, FileKind::answer, FileKind::closing})
      if (c.stage != CaseStage::answered) known.insert(letter_file(at, c, kind).filename());
  }
  for (const Arrival& arrival : at.ledger.open_arrivals()) known.insert(at.fetched_file(arrival).filename());
  for (const Delivery& d : at.deliveries.all())
    if (d.is_pending()) known.insert(d.file);
  const std::string reserved = at.ledger.reserved_stem();
  for (const std::string& name : names_in(at.spool)) {
    if (known.contains(name)) continue;
    const auto sealed = parse_file_name(name);
    if (!sealed || sealed->kind != FileKind::package || sealed->stem == reserved) {
      remove_file(at.spool / name);
      continue;
    }
    at.db.transaction([&] {
      at.alerts.raise(
          "orphan:" + name, AlertKind::attention, code_name(Code::f_history), "",
          fmt::format("{} lies sealed in the spool and this side remembers nothing of it: its ledger was "
                      "restored from an older backup. Ask the other side whether it holds that list; when "
                      "not, offer the list again",
                      name));
    });
  }
}

void look_over_outgoing(Instance& at, const Transfer& transfer) {
  const Time old = at.clock.now() - std::chrono::hours(24);
  const auto entries = at.share.list(Folder::outgoing, transfer);
  tell_misplaced(at, entries);
  for (const ShareEntry& entry : entries) {
    const bool ours =
        is_part_name(entry.name) || (is_share_name(entry.name) && entry.name.starts_with(kProbeBegins));
    if (!ours || !entry.modified || *entry.modified > old) continue;
    log(LogLevel::info, "removing {} from the share: begun more than a day ago", entry.name);
    try {
      at.share.remove(Folder::outgoing, entry.name, transfer);
    } catch (const Error& error) {
      if (error.code() != Code::s_rights) throw;
      log(LogLevel::warn, "{} stays on the share, which forbids removing it", entry.name);
    }
  }
}

void prune(Instance& at) {
  const Time old = at.clock.now() - at.config.share.keep_sealed;
  at.db.transaction([&] {
    at.ledger.prune(old);
    at.alerts.tellings().prune(old);
  });
}

bool clock_is_steady(Instance& at) {
  const auto before = at.agenda.chore(Chore::tidy).done_at;
  const Time now = at.clock.now();
  return before && *before <= now && now - *before < 3 * kTidyEvery;
}

}  // namespace veer

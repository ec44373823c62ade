#include "daemon/inbox.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/shared_alerts.h"

namespace veer {
namespace {

// A flood must not become work: so many new files a look, and so many of the largest allowed in bytes.
constexpr std::size_t kNewPerPoll = 200;
constexpr std::uint64_t kLargestPerPoll = 4;
constexpr std::size_t kQuarantinedFiles = 64;
constexpr std::uint64_t kQuarantinedBytes = std::uint64_t{1} << 30;
// A share that says it removed a file and shows it again unchanged is believed this often, and so often a
// file may change or go while it is fetched before a person is told.
constexpr std::int64_t kAppearances = 5;
// From so many failed tries on, a file that the share will not remove is left there.
constexpr std::int64_t kRemovalTries = 10;

constexpr const char* kForeignNames = "names:incoming";
constexpr const char* kTrickNames = "names:tricks";
constexpr const char* kFlood = "flood:incoming";

/// The first few of many names, in order.
std::string some_of(std::vector<std::string> names) {
  static constexpr std::size_t kShown = 3;
  std::sort(names.begin(), names.end());
  const bool more = names.size() > kShown;
  names.resize(std::min(names.size(), kShown));
  return fmt::format("{}{}", fmt::join(names, ", "), more ? ", …" : "");
}

/// Whether a name leads out of its folder, or is another one, for a program that believes it. Neither side
/// makes such names.
bool is_trick(std::string_view name) {
  return name.find_first_not_of('.') == std::string_view::npos ||
         std::any_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return c == '/' || c == '\\' || byte < 0x20 || byte == 0x7F;
         });
}

bool left(const Error& error) { return error.code() == Code::s_not_found || error.code() == Code::s_changed; }

/// What a person does about bytes that were set aside.
std::string_view next_step(Code code) {
  return code == Code::t_signer
             ? "Has the other side renewed its key? Then take it in ('veer keys import FILE') and have the "
               "package "
               "resent. Otherwise somebody tries to interfere: tell the other side and your officer"
             : "Somebody may have tried to interfere: tell the other side and your officer, and have good "
               "bytes "
               "resent";
}

constexpr std::string_view kRestless = "restless";
// After so long without it what was restless is over.
constexpr std::chrono::hours kAtRest{24};
std::string restless_cause(const std::string& name) { return fmt::format("{}:{}", kRestless, name); }

// How bytes stand in quarantine that a person rejected, whatever they were held for.
constexpr Code kRejected = Code::c_user;

std::string bytes_cause(const std::string& sha256) { return "bytes:" + sha256; }

std::string size_cause(const ShareEntry& entry) {
  return fmt::format("size:{}:{}", entry.name, entry.revision);
}

/// Left where it is for its size alone.
bool was_too_large(const Arrival& arrival) {
  return arrival.stage == ArrivalStage::kept && arrival.outcome == Outcome::quarantined &&
         arrival.sha256.empty();
}

}  // namespace

void Inbox::poll(const Transfer& transfer) {
  std::vector<std::string> foreign;
  std::vector<std::string> tricks;
  bool misplaced = false;  // what the other side reads
  std::size_t waiting = 0;
  std::uint64_t bytes = 0;
  std::vector<ShareEntry> fresh;
  const auto entries = at_.share.list(Folder::incoming, transfer);
  for (const ShareEntry& entry : entries) {
    if (is_trick(entry.name)) {
      tricks.push_back(without_numbers(entry.name));
      continue;
    }
    if (entry.name.starts_with('.')) continue;  // being written, or a probe
    const auto name = parse_file_name(entry.name);
    if (!name || !kinds_.contains(name->kind)) {
      misplaced |= name.has_value();
      foreign.push_back(name ? entry.name : shown_name(entry.name));
    } else if (!is_known(entry, at_.ledger.last_arrival(entry.name))) {
      const std::uint64_t size = entry.size <= cap_ ? entry.size : 0;
      const bool taken = fresh.size() < kNewPerPoll && bytes + size <= kLargestPerPoll * cap_;
      if (taken) fresh.push_back(entry);
      if (taken) bytes += size;
      if (!taken) ++waiting;
    }
  }
  at_.db.transaction([&] {
    give_up_absent(entries);
    for (const ShareEntry& entry : fresh) accept(entry);
    if (!foreign.empty())
      at_.alerts.raise(
          kForeignNames, AlertKind::attention, code_name(Code::t_name), "",
          fmt::format("{} file(s) with names that are not for this side lie in the incoming folder "
                      "of the share and are left alone ({}): {}",
                      foreign.size(), some_of(foreign),
                      misplaced
                          ? "are 'outgoing' and 'incoming' the wrong way round, here or there? Compare both "
                            "sides' [share], and put what went astray again with 'veer resend ID'"
                          : "find out who put them there, and have them removed"));
    else
      at_.alerts.close(kForeignNames);
    tell_tricks(tricks);
    if (entries.size() >= kMostEntries)
      at_.alerts.raise(
          kFlood, AlertKind::finding, code_name(Code::t_size), "",
          fmt::format(
              "{} files or more lie in the incoming folder, and what is behind them is not seen: have "
              "it cleared, and find out who put them there",
              kMostEntries));
    else if (waiting > 0)
      at_.alerts.raise(
          kFlood, AlertKind::finding, code_name(Code::t_size), "",
          fmt::format("more new files lie in the incoming folder than one exchange needs: {} are taken at "
                      "a look, the others wait; find out who put them there",
                      fresh.size()));
    else if (at_.alerts.is_open(kFlood) && !at_.alerts.incidents().is_waiting(kFlood))
      at_.alerts.close(kFlood);  // the next one is another attempt
  });
}

// As long as they are listed: who closes the finding is told again.
void Inbox::tell_tricks(const std::vector<std::string>& names) {
  const auto tell = [&](const std::string& cause, const std::vector<std::string>& alike) {
    at_.alerts.raise(
        cause, AlertKind::finding, code_name(Code::t_name), "",
        fmt::format("{} name(s) that lead out of the incoming folder of the share, or hold control "
                    "characters, are listed in it, and nothing of them was opened ({}): somebody may have "
                    "tried to interfere. Tell the other side and your officer, find out who put them there, "
                    "and have them removed",
                    alike.size(), some_of(alike)));
  };
  std::vector<std::string> others;
  for (const std::string& name : names) {
    const std::string cause = at_.alerts.cause_among(kTrickNames, name);
    if (cause == kTrickNames)
      others.push_back(printable(name));
    else
      tell(cause, {printable(name)});
  }
  if (!others.empty()) tell(kTrickNames, others);
}

bool Inbox::is_known(const ShareEntry& entry, const std::optional<Arrival>& last) {
  if (!last || last->revision != entry.revision || last->size != entry.size) return false;
  if (was_too_large(*last)) return entry.size > cap_ && at_.alerts.is_open(size_cause(entry));
  if (last->stage != ArrivalStage::cleared) return true;
  if (last->outcome == Outcome::gone || last->appearances < kAppearances) return false;
  if (!at_.alerts.is_open(restless_cause(entry.name)))
    at_.db.transaction([&] {
      at_.alerts.raise(
          restless_cause(entry.name), AlertKind::attention, code_name(Code::s_publish), "",
          fmt::format("the share shows {} again however often it is removed; it is left alone: ask the "
                      "share's owner",
                      entry.name));
    });
  return true;
}

void Inbox::accept(const ShareEntry& entry) {
  const auto last = at_.ledger.last_arrival(entry.name);
  if (last && last->revision == entry.revision && last->size == entry.size) {
    if (was_too_large(*last)) return weigh_again(*last, entry);
    if (last->stage != ArrivalStage::cleared) return;  // a listing may name a file twice
  }
  Arrival arrival;
  arrival.name = entry.name;
  arrival.revision = entry.revision;
  arrival.size = entry.size;
  arrival.found_at = at_.clock.now();
  arrival.wait.due = arrival.found_at;
  const bool went = last && last->outcome == Outcome::gone;
  if (last && (went || last->revision == entry.revision)) arrival.appearances = last->appearances + 1;
  if (went && arrival.appearances > kAppearances)
    at_.alerts.raise(
        restless_cause(entry.name), AlertKind::attention, code_name(Code::s_changed), "",
        fmt::format("{} changes or goes away each time that it is fetched: find out who writes in the "
                    "incoming folder of the share",
                    entry.name));
  arrival.id = at_.ledger.insert(arrival);
  at_.audit.append("found", "", {{"name", entry.name}, {"size", std::to_string(entry.size)}});
  if (entry.size <= cap_) return;
  arrival.stage = ArrivalStage::kept;
  arrival.outcome = Outcome::quarantined;
  arrival.wait.due.reset();
  at_.ledger.save(arrival);
  tell_too_large(entry);
}

// As long as it lies there: who closes the finding is told again.
void Inbox::tell_too_large(const ShareEntry& entry) {
  at_.alerts.raise(
      size_cause(entry), AlertKind::finding, code_name(Code::t_size), "",
      fmt::format(
          "{} on the share says to have {} bytes, more than the {} allowed; it was not fetched. {}",
          entry.name, entry.size, cap_,
          at_.config.role == Role::receiver
              ? "Ask the other side: when it is its list, raise max_megabytes in [share] and start the "
                "service anew, which then takes it; when not, have it removed, and find out who put it "
                "there"
              : "A receipt is never as large: have it removed, and find out who put it there"));
}

// What is allowed may be more than it was.
void Inbox::weigh_again(Arrival arrival, const ShareEntry& entry) {
  if (entry.size > cap_) return tell_too_large(entry);
  arrival.stage = ArrivalStage::found;
  arrival.outcome = Outcome::none;
  arrival.wait = {.due = at_.clock.now()};
  at_.ledger.save(arrival);
  at_.alerts.close(size_cause(entry));
  at_.audit.append("found", "", {{"name", entry.name}, {"size", std::to_string(entry.size)}});
}

void Inbox::give_up_absent(const std::vector<ShareEntry>& entries) {
  for (Arrival& arrival : at_.ledger.open_arrivals()) {
    const auto code = code_named(arrival.wait.problem_code);
    if (arrival.stage != ArrivalStage::found || (code != Code::s_not_found && code != Code::s_changed))
      continue;
    const bool listed = std::any_of(entries.begin(), entries.end(), [&](const ShareEntry& entry) {
      return entry.name == arrival.name && entry.revision == arrival.revision && entry.size == arrival.size;
    });
    if (listed) continue;
    log(LogLevel::info, "{} is no longer on the share as it was listed", arrival.name);
    arrival.stage = ArrivalStage::cleared;
    arrival.outcome = Outcome::gone;
    arrival.wait = {};
    at_.ledger.save(arrival);
    at_.alerts.close(step_cause(arrival.name));
  }
  for (const Alert& alert : at_.alerts.open()) {
    const bool is_listed = std::any_of(entries.begin(), entries.end(), [&](const ShareEntry& entry) {
      return restless_cause(entry.name) == alert.cause;
    });
    const auto age = at_.clock.now() - alert.opened_at;  // below zero when a clock was wrong
    if (topic_of(alert) == kRestless && !is_listed && (age >= kAtRest || age.count() < 0))
      at_.alerts.close(alert.cause);
  }
}

void Inbox::fetch(Arrival arrival, const Transfer& transfer) {
  const fs::path path = at_.fetched_file(arrival);
  std::error_code none;
  std::uint64_t offset = fs::exists(path, none) ? fs::file_size(path, none) : 0;
  if (offset > arrival.size) offset = 0;
  std::string digest;
  try {
    SpoolWriter file(path, offset);
    DigestingSink sink(file);
    const ShareEntry entry{arrival.name, arrival.size, arrival.revision, std::nullopt};
    at_.share.fetch(Folder::incoming, entry, offset, sink, transfer);
    file.finish();
    if (file.size() != arrival.size)
      throw Error(Code::s_changed,
                  fmt::format("{} ended early on the share; it is fetched again", arrival.name));
    digest = offset == 0 ? sink.hex() : sha256_hex(FileBlob(path), {.stop = transfer.stop});
  } catch (const Error& error) {
    // What there is now is another content, or none, as the next poll will tell: nothing of this one may be
    // left.
    if (left(error)) remove_file(path);
    throw;
  }
  arrival.stage = ArrivalStage::fetched;
  arrival.sha256 = digest;
  arrival.resumed = offset > 0;
  arrival.wait = {.due = at_.clock.now()};
  at_.db.transaction([&] {
    at_.ledger.save(arrival);
    at_.audit.append("fetched", "", {{"name", arrival.name}, {"sha256", digest}});
  });
}

void Inbox::fetch_again(Arrival arrival) {
  const fs::path copy = at_.fetched_file(arrival);
  arrival.stage = ArrivalStage::found;
  arrival.resumed = false;
  arrival.wait = {.due = at_.clock.now()};
  at_.db.transaction([&] { at_.ledger.save(arrival); });
  remove_file(copy);  // should it stay after a crash, the next fetch ends here again
}

bool Inbox::is_ready(const Arrival& arrival, const Transfer& transfer) {
  if (!holds(arrival, transfer)) {
    log(LogLevel::warn, "the fetched copy of {} is not in the spool as it was; it is fetched afresh",
        arrival.name);
    fetch_again(arrival);
  } else if (is_set_aside(arrival)) {
    at_.db.transaction([&] { settle(arrival, Outcome::quarantined, "", at_.clock.now()); });
  } else if (!is_listed(arrival, transfer)) {
    log(LogLevel::info, "{} was taken from the share before it was read", arrival.name);
    give_up(arrival);
  } else {
    const std::string restless = restless_cause(arrival.name);
    if (at_.alerts.is_open(restless)) at_.db.transaction([&] { at_.alerts.close(restless); });
    return true;
  }
  return false;
}

bool Inbox::holds(const Arrival& arrival, const Transfer& transfer) {
  const fs::path copy = at_.fetched_file(arrival);
  std::error_code none;
  return fs::exists(copy, none) && sha256_hex(FileBlob(copy), {.stop = transfer.stop}) == arrival.sha256;
}

// What a person rejected stays so. What the bytes alone say stands as long as its finding; what hangs on this
// side's keys and configuration is judged afresh each time.
bool Inbox::is_set_aside(const Arrival& arrival) {
  const auto code = at_.ledger.quarantined_as(arrival.sha256);
  const bool by_themselves = code == Code::t_integrity || code == Code::t_unsigned || code == Code::t_replay;
  return code == kRejected || (by_themselves && at_.alerts.is_open(bytes_cause(arrival.sha256)));
}

bool Inbox::is_listed(const Arrival& arrival, const Transfer& transfer) {
  const auto entries = at_.share.list(Folder::incoming, transfer);
  return std::any_of(entries.begin(), entries.end(), [&](const ShareEntry& entry) {
    return entry.name == arrival.name && entry.revision == arrival.revision;
  });
}

// Whoever wants it still puts it there again. The same bytes under another name, held like these, go on by
// themselves.
void Inbox::give_up(Arrival arrival) {
  const fs::path copy = at_.fetched_file(arrival);
  arrival.stage = ArrivalStage::cleared;
  arrival.outcome = Outcome::gone;
  arrival.wait = {};
  at_.db.transaction([&] {
    at_.ledger.save(arrival);
    at_.alerts.close(step_cause(arrival.name));
    if (!at_.ledger.wake_held(arrival.sha256, at_.clock.now())) {
      at_.holds.lapse(HoldKind::package, arrival.sha256);
      at_.alerts.close(history_cause(arrival));
    }
    at_.audit.append("cleared", "",
                     {{"name", arrival.name}, {"outcome", std::string(outcome_name(arrival.outcome))}});
  });
  remove_file(copy);
}

bool Inbox::has_room_for(const Arrival& arrival) const {
  std::uint64_t bytes = arrival.size;
  const auto names = names_in(at_.quarantine);
  std::error_code none;
  for (const std::string& name : names) bytes += fs::file_size(at_.quarantine / name, none);
  return names.size() < kQuarantinedFiles && bytes <= std::max(kQuarantinedBytes, cap_);
}

void Inbox::quarantine(Arrival arrival, const Error& error) {
  // A share that breaks off each time must not keep its bytes from ever being judged.
  if (arrival.resumed && arrival.appearances < kAppearances) {
    log(LogLevel::warn, "{} was fetched in pieces and is not good ({}); it is fetched afresh", arrival.name,
        code_name(error.code()));
    ++arrival.appearances;
    fetch_again(std::move(arrival));
    return;
  }
  at_.db.transaction([&] {
    at_.ledger.quarantine(arrival.sha256, arrival.name, error.code());
    if (!at_.alerts.is_open(bytes_cause(arrival.sha256)))
      at_.alerts.raise(
          bytes_cause(arrival.sha256), AlertKind::finding, code_name(error.code()), "",
          fmt::format(
              "{} was set aside: {}. {}. {}", arrival.name, error.message(), next_step(error.code()),
              has_room_for(arrival)
                  ? fmt::format("It is kept as {}", (at_.quarantine / arrival.sha256).native())
                  : fmt::format("The quarantine is full, so that it stays on the share: when the finding is "
                                "dealt with, remove what lies in {}",
                                at_.quarantine.native())));
    at_.audit.append(
        "quarantined", "",
        {{"name", arrival.name}, {"sha256", arrival.sha256}, {"code", std::string(code_name(error.code()))}});
    // What this side put together from pieces says nothing sure of what lies there.
    settle(arrival, Outcome::quarantined, "", at_.clock.now(),
           arrival.resumed ? Clearing::of_copy : Clearing::of_share);
  });
}

void Inbox::reject(const Arrival& arrival, const std::string& who, const std::string& reason,
                   const std::string& cause) {
  const auto code = code_named(arrival.wait.problem_code).value_or(Code::t_replay);
  at_.ledger.quarantine(arrival.sha256, arrival.name, kRejected);
  at_.alerts.close(step_cause(arrival.name));
  at_.alerts.close(cause);
  AuditFacts facts = {{"name", arrival.name},
                      {"sha256", arrival.sha256},
                      {"code", std::string(code_name(code))},
                      {"who", who}};
  if (!reason.empty()) facts.emplace_back("reason", reason);
  at_.audit.append("rejected", "", facts);
  settle(arrival, Outcome::quarantined, "", at_.clock.now());
}

void Inbox::settle(Arrival arrival, Outcome outcome, const std::string& exchange, std::optional<Time> due,
                   Clearing clearing) {
  if (outcome == Outcome::quarantined) arrival.resumed = clearing == Clearing::of_copy;
  arrival.stage = ArrivalStage::settled;
  arrival.outcome = outcome;
  arrival.exchange = exchange;
  arrival.wait = {.due = due};
  at_.ledger.save(arrival);
}

void Inbox::clear(Arrival arrival, const Transfer& transfer) {
  const fs::path copy = at_.fetched_file(arrival);
  std::error_code none;
  arrival.stage = ArrivalStage::cleared;
  if (arrival.outcome == Outcome::quarantined && fs::exists(copy, none) &&
      !fs::exists(at_.quarantine / arrival.sha256, none)) {
    if (has_room_for(arrival))
      rename_file(copy, at_.quarantine / arrival.sha256);
    else
      arrival.stage = ArrivalStage::kept;
  }
  remove_file(copy);
  if (arrival.outcome == Outcome::quarantined && arrival.resumed) arrival.stage = ArrivalStage::kept;
  if (arrival.stage == ArrivalStage::cleared && !remove_from_share(arrival, transfer))
    arrival.stage = ArrivalStage::kept;
  arrival.wait = {};
  at_.db.transaction([&] {
    at_.ledger.save(arrival);
    at_.audit.append(arrival.stage == ArrivalStage::kept ? "left" : "cleared", arrival.exchange,
                     {{"name", arrival.name}, {"outcome", std::string(outcome_name(arrival.outcome))}});
  });
}

bool Inbox::remove_from_share(const Arrival& arrival, const Transfer& transfer) {
  const bool there = is_listed(arrival, transfer);
  try {
    if (there) at_.share.remove(Folder::incoming, arrival.name, transfer);
    return true;
  } catch (const Error& error) {
    const bool may_pass = error.code() == Code::s_unreachable || error.code() == Code::s_timeout ||
                          error.code() == Code::s_throttled || arrival.wait.attempts < kRemovalTries;
    if (error.code() != Code::s_rights && (may_pass || error.code() == Code::l_stopped)) throw;
    log(LogLevel::warn, "{} stays on the share, which does not remove it ({})", arrival.name,
        code_name(error.code()));
    return false;
  }
}

}  // namespace veer

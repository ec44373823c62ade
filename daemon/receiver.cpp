#include "daemon/receiver.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/deadlines.h"
#include "daemon/housekeeping.h"
#include "daemon/old_pages.h"
#include "daemon/outbox.h"
#include "daemon/rules.h"
#include "daemon/shared_alerts.h"
#include "daemon/waiting.h"
#include "formats/acceptance.h"
#include "formats/list.h"

namespace veer {
namespace {

// How long the sender may take to see what we answered: polls, and a share that is away for a while.
constexpr std::chrono::hours kReceiptMayTake{1};

FileKind answer_kind(ReceiptStatus status) {
  return status == ReceiptStatus::refused ? FileKind::refused : FileKind::recorded;
}

std::string answer_name(const Exchange& x, const StoredReceipt& receipt) {
  return file_name(x.stem, answer_kind(receipt.status), receipt.copy);
}

std::vector<Reason> reasons_of(const ListReport& report) {
  std::vector<Reason> reasons;
  for (const auto& [code, count] : report.counts)
    reasons.push_back({code, count, fmt::format("{} record(s) do not pass this check", count)});
  return reasons;
}

}  // namespace

// Arrivals.

void Receiver::step(const Arrival& arrival, const Transfer& transfer) {
  const bool is_answer = parse_file_name(arrival.name).value().kind == FileKind::answer;
  switch (arrival.stage) {
    case ArrivalStage::found:
      inbox_.fetch(arrival, transfer);
      break;
    case ArrivalStage::fetched:
      try {
        if (is_answer)
          reporting_.read_answer(arrival, inbox_, transfer);
        else
          read_package_of(arrival, transfer);
      } catch (const Error& error) {
        if (error.code() == Code::f_history && !is_answer)
          hold(arrival, error);
        else if (remedy_of(error.code()) == Remedy::quarantine ||
                 (is_answer && remedy_of(error.code()) == Remedy::refuse))  // nobody answers an answer
          inbox_.quarantine(arrival, error);
        else
          throw;
      }
      break;
    default:
      inbox_.clear(arrival, transfer);
      break;
  }
}

void Receiver::read_package_of(const Arrival& arrival, const Transfer& transfer) {
  if (!inbox_.is_ready(arrival, transfer)) return;
  if (const auto known = at_.ledger.exchange_with_digest(arrival.sha256)) {
    repeat_answer(arrival, *known, transfer);
    return;
  }
  // Without a legal basis a list is not even opened. The name is a hint; what is in it is judged again.
  const auto name = parse_file_name(arrival.name);
  if (name && facts_in_stem(name->stem).purpose == Purpose::list)
    require_basis(at_.config, date_of(at_.clock.now()));
  MemFile plain(at_.config.share.package_cap);
  const Opened opened = at_.seal.open(FileBlob(at_.fetched_file(arrival)), plain, transfer);
  plain.seal();
  const Verdict verdict = judge(arrival, plain.bytes(), opened);
  repeat_recorded(verdict, arrival.wait, transfer);
  conclude(arrival, verdict, transfer);
}

// A sender that does not know what is recorded here was restored to before it: it is to have that receipt
// again.
void Receiver::repeat_recorded(const Verdict& verdict, const Wait& wait, const Transfer& transfer) {
  const bool unaware = std::any_of(verdict.reasons.begin(), verdict.reasons.end(), [](const Reason& reason) {
    return reason.code == Code::f_second_list || reason.code == Code::f_revision;
  });
  if (!unaware || !verdict.manifest) return;
  const auto id = at_.lists.recorded_exchange(static_cast<int>(verdict.manifest->reference_date.year()));
  const auto recorded = id ? at_.ledger.exchange(*id) : std::nullopt;
  const auto receipt = recorded ? at_.ledger.receipt_of(recorded->id) : std::nullopt;
  if (recorded && recorded->stage == Stage::answered && receipt)
    publish_answer(*recorded, *receipt, wait, transfer);
}

// The checks of docs/protocol.md in their order; the first that fails ends them. What is thrown concerns the
// bytes or this side; what breaks a rule becomes a reason.
Receiver::Verdict Receiver::judge(const Arrival& arrival, std::string_view archive, const Opened& opened) {
  Verdict verdict;
  try {
    const PackageView package = read_package(archive);
    verdict.manifest = parse_manifest(package.manifest_json);
    const Manifest& manifest = *verdict.manifest;
    require_parties(manifest, opened);
    require_unknown(manifest, arrival);
    if (manifest.environment != environment_name(at_.config.environment))
      throw Error(Code::f_environment,
                  fmt::format("the package is for '{}', this side is '{}'", manifest.environment,
                              environment_name(at_.config.environment)));
    require_history(manifest, arrival);
    require_admissible(manifest, arrival);
    ListReport report = read_package_list(package.list_csv, manifest.reference_date);
    if (report.lines != manifest.records)
      throw Error(Code::f_count, fmt::format("the manifest tells of {} records, the list has {}",
                                             manifest.records, report.lines));
    if (sha256_hex(package.list_csv) != manifest.list_sha256)
      throw Error(Code::f_digest, "the list is not the one that the manifest tells of");
    verdict.reasons = reasons_of(report);
    verdict.numbers = std::move(report.numbers);
  } catch (const Error& error) {
    if (remedy_of(error.code()) != Remedy::refuse) throw;
    verdict.reasons = {{error.code(), 1, error.message()}};
  }
  return verdict;
}

void Receiver::require_parties(const Manifest& manifest, const Opened& opened) const {
  const bool ours =
      std::any_of(at_.config.own_keys.begin(), at_.config.own_keys.end(),
                  [&](const PinnedKey& key) { return key.fingerprint == manifest.receiver.key; });
  if (manifest.receiver.party != at_.config.party || !ours)
    throw Error(Code::f_party, "it is authentic, but meant for another receiver");
  if (manifest.sender.party != at_.config.counterparty || manifest.sender.key != opened.signer)
    throw Error(Code::f_party, "it names another sender than the one that signed it");
}

void Receiver::require_unknown(const Manifest& manifest, const Arrival& arrival) {
  const auto known = at_.ledger.exchange(manifest.exchange);
  if (known && known->package_sha256 != arrival.sha256)
    throw Error(Code::t_replay, fmt::format("exchange {} is known with other bytes", manifest.exchange));
}

// A sender that quotes a receipt which we do not remember has seen a past of ours that is lost.
void Receiver::require_history(const Manifest& manifest, const Arrival& arrival) {
  const auto& quoted = manifest.previous_receipt_sha256;
  if (!quoted || at_.ledger.knows_receipt(*quoted) || was_let_pass(arrival)) return;
  throw Error(
      Code::f_history,
      fmt::format("the sender holds a receipt of ours that this side does not remember: its history was lost "
                  "(a restored backup?). Recording waits: restore a newer backup or ask the sender to send "
                  "again what is missing ('resend' there), then 'veer approve {}'",
                  arrival.name));
}

// An approver decided that the history which is lost here does not matter for these bytes.
bool Receiver::was_let_pass(const Arrival& arrival) {
  const auto hold = at_.holds.find(HoldKind::package, arrival.sha256);
  return hold && hold->state == HoldState::released;
}

void Receiver::require_admissible(const Manifest& manifest, const Arrival& arrival) {
  const int year = static_cast<int>(manifest.reference_date.year());
  const Date today = date_of(at_.clock.now());
  if (manifest.purpose == Purpose::rehearsal) return;
  // What was on its way when the transition ended, or lost here since, is judged by when it was sealed.
  require_window(at_.config, work_of(manifest.revision), year, std::min(today, date_of(manifest.sealed_at)));
  require_basis(at_.config, today);
  require_reference_date(manifest.reference_date, today);
  const auto recorded = at_.lists.newest(year);
  if (manifest.revision == 1 && !manifest.supersedes) {
    if (recorded)
      throw Error(Code::f_second_list,
                  fmt::format("the list for reference year {} was recorded in exchange {}: one "
                              "list a year (article 5); repair it by a correction (article 7)",
                              year, recorded->exchange));
    return;
  }
  // A correction is a complete list: where the one that it replaces was lost, it stands by itself.
  const bool follows =
      recorded ? manifest.revision == recorded->revision + 1 && manifest.supersedes == recorded->exchange
               : false;
  const bool newer = !recorded || manifest.revision > recorded->revision;
  if (manifest.revision > 1 && manifest.supersedes && (follows || (newer && was_let_pass(arrival)))) return;
  throw Error(
      Code::f_revision,
      fmt::format("revision {} for reference year {} does not follow what is recorded here ({}): offer "
                  "the correction again once both sides agree on that",
                  manifest.revision, year,
                  recorded ? fmt::format("revision {}, exchange {}", recorded->revision, recorded->exchange)
                           : "nothing"));
}

// One transaction: the list, the receipt's text, the exchange and the arrival, or nothing.
void Receiver::conclude(const Arrival& arrival, const Verdict& verdict, const Transfer& transfer) {
  const Time now = at_.clock.now();
  const auto parsed = parse_file_name(arrival.name);
  Exchange x;
  x.id = verdict.manifest ? verdict.manifest->exchange : make_uuid(at_.random);
  x.environment = environment_name(at_.config.environment);
  x.stem = parsed.value().stem;
  const StemFacts hint = facts_in_stem(x.stem);  // until the manifest tells
  x.purpose = hint.purpose;
  x.reference_year = hint.reference_year;
  x.revision = hint.revision;
  x.copy = parsed->copy;
  x.package_sha256 = arrival.sha256;
  x.package_size = arrival.size;
  x.stage = verdict.reasons.empty() ? Stage::recorded : Stage::refused;
  x.opened_at = arrival.found_at;
  x.changed_at = now;
  x.wait.due = now;

  Receipt receipt;
  if (verdict.manifest) {
    const Manifest& manifest = *verdict.manifest;
    x.purpose = manifest.purpose;
    x.reference_year = static_cast<int>(manifest.reference_date.year());
    x.revision = manifest.revision;
    x.records = manifest.records;
    x.set_aside = manifest.set_aside;
    receipt.exchange = x.id;
    // The name on the share is a hint, which anybody there can change: what it is called is signed.
    const std::string stem =
        make_stem(x.purpose, x.reference_year, static_cast<int>(x.revision), manifest.sealed_at);
    if (stem != x.stem) x.copy = 1;
    x.stem = stem;
  }
  x.package = file_name(x.stem, FileKind::package, x.copy);
  const bool renamed = x.package != arrival.name;
  const bool rehearsal = x.purpose == Purpose::rehearsal;
  receipt.package = x.package;
  receipt.package_sha256 = arrival.sha256;
  receipt.records = x.records;
  receipt.set_aside = x.set_aside;
  receipt.status = x.stage == Stage::refused ? ReceiptStatus::refused
                   : rehearsal               ? ReceiptStatus::rehearsed
                                             : ReceiptStatus::recorded;
  receipt.reasons = verdict.reasons;
  receipt.found_at = arrival.found_at;
  receipt.recorded_at = now;
  receipt.receiver = {at_.config.party, at_.seal.own_key()};

  // Who died since the sender looked, by a notice that came here, does not come back: the sender is to know.
  const bool records = receipt.status == ReceiptStatus::recorded;
  const auto deceased = records ? erasure_.marked_among(verdict.numbers) : std::vector<Insz>();
  const auto about_them = reporting_.about_deceased(x, deceased, now, transfer);

  at_.db.transaction([&] {
    if (verdict.manifest) {
      note_unseen_receipts(*verdict.manifest);
      keep_anchor(at_, verdict.manifest->audit, verdict.manifest->sealed_at, x.id);
    }
    if (records) {
      const Change change =
          at_.lists.record(x.reference_year, x.revision, x.id, verdict.numbers, x.set_aside);
      receipt.added = change.added;
      if (!deceased.empty()) {
        erasure_.erase_from(x.id, deceased);
        receipt.added -= std::min(receipt.added, std::uint64_t{deceased.size()});
        receipt.reasons.push_back(
            {Code::r_deceased, deceased.size(),
             fmt::format("{} number(s) of persons who have died were not entered", deceased.size())});
      }
      receipt.withdrawn = change.withdrawn;
      if (x.revision > 1) hand_over_.tell_corrected(x, {receipt.added, receipt.withdrawn});
      if (x.revision > 1) distribution_.tell_corrected(x);
      close_refusals(at_, x.reference_year);
    }
    if (const auto beside = records ? at_.ledger.list_beside(x) : std::nullopt)
      at_.alerts.tell("another-year:" + x.id, "SECOND_LIST", x.id,
                      fmt::format("the lists for reference years {} and {} were sealed in one calendar year "
                                  "(article 5: one). Where one of those years is not meant, tell the sender",
                                  beside->reference_year, x.reference_year));
    if (receipt.status != ReceiptStatus::refused) tell_recorded(at_, x, receipt.reasons);
    AuditFacts facts = {{"package", x.package},
                        {"sha256", x.package_sha256},
                        {"records", std::to_string(x.records)},
                        {"reference_year", std::to_string(x.reference_year)}};
    if (x.set_aside > 0) facts.emplace_back("set_aside", std::to_string(x.set_aside));
    if (x.revision > 1) {
      facts.emplace_back("revision", std::to_string(x.revision));
      facts.emplace_back("added", std::to_string(receipt.added));
      facts.emplace_back("withdrawn", std::to_string(receipt.withdrawn));
    }
    for (const Reason& reason : receipt.reasons)
      facts.emplace_back(code_name(reason.code), std::to_string(reason.count));
    receipt.audit = at_.audit.append(status_name(receipt.status), x.id, facts);
    const std::string json = receipt_json(receipt);
    at_.ledger.insert(x);
    at_.ledger.insert_receipt({x.id, json, sha256_hex(json), "", receipt.status, 1});
    for (const Case& about : about_them) reporting_.enter(about, "the service itself");
    at_.alerts.close(kUnheardCause);
    at_.alerts.close(history_cause(arrival));
    at_.ledger.release(arrival.sha256);
    at_.ledger.settle_held(arrival, now);
    at_.holds.lapse(HoldKind::package, arrival.sha256);
    if (renamed)
      at_.alerts.raise(
          "renamed:" + x.id, AlertKind::finding, code_name(Code::t_name), x.id,
          fmt::format("{} lay on the share as {}: somebody renamed it there. It was judged by what is "
                      "signed, under its own name; find out who did that",
                      x.package, arrival.name));
    if (x.stage == Stage::refused)
      raise_refusal(at_, x, verdict.reasons.front().code,
                    fmt::format("{} was refused: {}", x.package, verdict.reasons.front().text));
    inbox_.settle(arrival, x.stage == Stage::refused ? Outcome::refused : Outcome::recorded, x.id,
                  std::nullopt);
  });
  if (records && x.revision > 1) hand_over_.tidy(HandOver::Age::is_unsure);
  log(LogLevel::info, "{}: {} ({} numbers for {})", x.package, status_name(receipt.status), x.records,
      x.reference_year);
}

// The sender has not seen what we answered long enough before it sealed: it was restored, or the share
// withholds our receipts. It goes on.
void Receiver::note_unseen_receipts(const Manifest& manifest) {
  const auto& seen = manifest.previous_receipt_sha256;
  if (seen && !at_.ledger.knows_receipt(*seen)) return;  // what is lost is ours
  if (at_.ledger.gave_newer_receipt(seen, manifest.sealed_at - kReceiptMayTake))
    at_.alerts.raise("receipts-unseen", AlertKind::attention, code_name(Code::f_history), manifest.exchange,
                     "the sender has not seen a receipt of ours that was there an hour before it sealed: its "
                     "history was lost, "
                     "or the share withholds receipts; ask the sender what its 'list' shows");
  else
    at_.alerts.close("receipts-unseen");
}

void Receiver::hold(Arrival arrival, const Error& error) {
  arrival.wait.due.reset();
  arrival.wait.problem_code = code_name(error.code());
  arrival.wait.problem = error.message();
  at_.db.transaction([&] {
    at_.ledger.save(arrival);
    at_.alerts.raise(history_cause(arrival), AlertKind::attention, code_name(error.code()), arrival.name,
                     error.message());
    at_.holds.open(HoldKind::package, arrival.sha256, arrival.sha256, std::nullopt);
    at_.audit.append("held", "", {{"name", arrival.name}, {"sha256", arrival.sha256}});
  });
}

// The normal way to recover: known bytes that appear again get the stored answer again, byte for byte.
void Receiver::repeat_answer(const Arrival& arrival, const Exchange& x, const Transfer& transfer) {
  const Time now = at_.clock.now();
  const bool answered = x.stage == Stage::answered;
  if (answered) {
    const auto receipt = at_.ledger.receipt_of(x.id);
    publish_answer(x, receipt.value(), arrival.wait, transfer);
  }
  at_.db.transaction([&] {
    at_.audit.append("repeated", x.id, {{"name", arrival.name}});
    inbox_.settle(arrival, Outcome::repeated, x.id, answered ? std::optional(now) : std::nullopt);
  });
}

// Exchanges.

void Receiver::step(const Exchange& x, const Transfer& transfer) {
  const StoredReceipt receipt = at_.ledger.receipt_of(x.id).value();
  if (receipt.signature.empty() && parse_receipt(receipt.json).receiver.key != at_.seal.own_key())
    name_new_key(x, receipt);
  else if (receipt.signature.empty())
    sign_answer(x, receipt);
  else
    publish_answer(x, receipt, x.wait, transfer);
}

// Our key changed since the text was written, which names the key that signs it.
void Receiver::name_new_key(const Exchange& x, const StoredReceipt& stored) {
  Receipt receipt = parse_receipt(stored.json);
  receipt.receiver.key = at_.seal.own_key();
  StoredReceipt renamed = stored;
  renamed.json = receipt_json(receipt);
  renamed.json_sha256 = sha256_hex(renamed.json);
  at_.db.transaction([&] {
    at_.ledger.replace_receipt(stored.json_sha256, renamed);
    at_.audit.append("reworded", x.id, {{"sha256", renamed.json_sha256}, {"key", receipt.receiver.key}});
  });
}

void Receiver::sign_answer(const Exchange& x, const StoredReceipt& receipt) {
  const std::string signature = at_.seal.sign(receipt.json);
  at_.db.transaction([&] {
    at_.ledger.sign_receipt(receipt.json_sha256, signature);
    at_.audit.append("signed", x.id, {{"sha256", receipt.json_sha256}});
  });
}

// By a clock that stood ahead: nobody accepts the signature before that day. The text, and its digest, stay.
StoredReceipt Receiver::signed_anew(const Exchange& x, StoredReceipt receipt, const Transfer& transfer) {
  const std::string signature = at_.seal.sign(receipt.json);
  const std::string archive = write_receipt_archive({receipt.json, receipt.signature});
  int copy = receipt.copy;
  try {
    unpublish(at_.share, answer_name(x, receipt), sha256_hex(archive), "", transfer);
  } catch (const Error& error) {
    if (error.code() != Code::s_rights) throw;
    copy = next_copy(copy);  // what this share keeps stays beside it
  }
  at_.db.transaction([&] {
    at_.ledger.sign_receipt(receipt.json_sha256, signature);
    at_.ledger.set_receipt_copy(receipt.json_sha256, copy);
    at_.audit.append("signed", x.id, {{"sha256", receipt.json_sha256}});
  });
  return at_.ledger.receipt_of(x.id).value();
}

void Receiver::publish_answer(const Exchange& x, const StoredReceipt& stored, const Wait& wait,
                              const Transfer& transfer) {
  const bool ahead = stored.at > at_.clock.now() + kClockSkew &&
                     parse_receipt(stored.json).receiver.key == at_.seal.own_key();
  const StoredReceipt receipt = ahead ? signed_anew(x, stored, transfer) : stored;
  const std::string archive = write_receipt_archive({receipt.json, receipt.signature});
  const std::string name = answer_name(x, receipt);
  const Published published =
      publish(at_.share, name, MemoryBlob(archive), sha256_hex(archive), {}, wait, transfer);
  if (published == Published::foreign || published == Published::hidden) {
    const int copy = next_copy(receipt.copy);
    at_.db.transaction([&] {
      if (published == Published::foreign)
        tell_name_taken(at_, x.id, name);
      else
        tell_name_hidden(at_, x.id, name);
      at_.ledger.set_receipt_copy(receipt.json_sha256, copy);
    });
    throw Error(Code::s_name_taken, fmt::format("{} is not to be had; another name is taken", name));
  }
  if (x.stage == Stage::answered) return;
  const Time now = at_.clock.now();
  at_.db.transaction([&] {
    at_.ledger.move(x, Stage::answered, std::nullopt);
    at_.ledger.release_arrivals_of(x.id, now);
    at_.audit.append("answered", x.id, {{"name", name}, {"sha256", receipt.json_sha256}});
  });
  log(LogLevel::info, "answered {} with {}", x.package, name);
}

// Chores and commands.

Time Receiver::run(Chore chore, const Transfer& transfer) {
  const Time now = at_.clock.now();
  const bool steady = clock_is_steady(at_);
  if (chore == Chore::tidy)
    look_at_deadlines(at_);  // whatever fails after it
  else
    at_.db.transaction([&] { look_at_disk(at_); });
  forget_old_pages(at_.db);
  at_.db.transaction([&] { look_at_old_pages(at_); });
  if (erasure_.owes()) erasure_.settle();
  if (chore == Chore::poll) {
    inbox_.poll(transfer);
    return now + at_.config.share.poll;
  }
  if (steady) {
    prune(at_);
    hand_over_.tidy(HandOver::Age::counts);
    distribution_.sweep();
  }
  if (!is_halted(at_.db)) look_over_outgoing(at_, transfer);
  return next_look_at_deadlines(at_);
}

std::string Receiver::obey(const Command& command, const Transfer& transfer) {
  if (command.verb == "approve") return approve(command);
  if (command.verb == "reject") return reject(command);
  if (command.verb == "withdraw") return withdraw(command);
  if (command.verb == "export") return hand_over_.ask(command);
  if (command.verb == "distribute") return distribution_.ask(command, transfer);
  if (command.verb == "case-open" || command.verb == "case-resend" || command.verb == "case-close")
    return reporting_.obey(command, transfer);
  if (command.verb == "lookup") return desk_.look_up(command);
  if (command.verb == "forget") return erasure_.ask(command, transfer);
  if (command.verb == "approve-forget") return erasure_.approve(command, transfer);
  throw Error(Code::u_usage, fmt::format("'{}' is not for the receiving side",
                                         command.verb.starts_with("send") ? "send" : command.verb));
}

}  // namespace veer

#include "daemon/sender.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/closing.h"
#include "daemon/deadlines.h"
#include "daemon/housekeeping.h"
#include "daemon/rules.h"
#include "daemon/shared_alerts.h"
#include "daemon/texts.h"
#include "daemon/waiting.h"
#include "formats/receipt.h"

namespace veer {
namespace {

// How long after it first ran this side rehearses by itself: it is set up by then.
constexpr std::chrono::days kFirstRehearsal{1};

std::string overdue_cause(const Exchange& x) {
  return x.purpose == Purpose::rehearsal ? kRehearsalCause : "receipt:" + x.id;
}

/// Within a transaction.
void raise_overdue(Instance& at, const Exchange& x, const std::string& more = "") {
  at.alerts.raise(overdue_cause(x), AlertKind::attention, "OVERDUE", x.id,
                  fmt::format("no receipt yet for {}: ask the other side whether its service runs, and "
                              "whether it reads the folder that we write to{}",
                              x.package, more));
}

bool is_package_of(const ShareEntry& entry, const Exchange& x) {
  const auto name = parse_file_name(entry.name);
  return name && name->stem == x.stem && entry.size == x.package_size;
}

std::string reasons_of(const Receipt& receipt, Language language) {
  std::string text;
  for (const Reason& reason : receipt.reasons)
    text += fmt::format("{}{} × {}: {}", text.empty() ? "" : "; ", reason.count, code_name(reason.code),
                        reason_text(language, reason.code, without_numbers(reason.text)));
  if (text.empty()) return language == Language::nl ? "zonder opgave van reden" : "no reason given";
  return text;
}

}  // namespace

// Exchanges.

void Sender::step(const Exchange& x, const Transfer& transfer) {
  if (x.stage == Stage::sealed)
    send(x, transfer);
  else
    ask_for_receipt(x, transfer);
}

FileBlob Sender::sealed_bytes(const Exchange& x, const Transfer& transfer) const {
  const fs::path path = at_.sealed_file(x);
  const std::string_view next = x.stage == Stage::acknowledged
                                    ? "it was recorded; when the other side lost it, offer the list as a "
                                      "correction ('veer send --correction FILE')"
                                    : "withdraw the exchange and offer the list again";
  std::error_code none;
  if (!fs::exists(path, none))
    throw Error(Code::l_io,
                fmt::format("the sealed package of exchange {} is no longer in the spool: {}", x.id, next));
  FileBlob blob(path);
  if (sha256_hex(blob, {.stop = transfer.stop}) != x.package_sha256)
    throw Error(Code::l_io,
                fmt::format("the sealed package of exchange {} is damaged in the spool (a failing disk?): {}",
                            x.id, next));
  return blob;
}

// Puts our bytes under a name of ours, the next one when it is not to be had (or, with `Repeat::anew`, when
// ours stand there already). Every step may be repeated: what a name is was written before it is used.
Exchange Sender::put(Exchange x, Repeat repeat, const Transfer& transfer) {
  require_released(x);
  const Date today = date_of(at_.clock.now());
  if (x.purpose == Purpose::list && x.stage == Stage::sealed)
    require_allowed(at_.config, work_of(x.revision), x.reference_year, today);
  else if (x.purpose == Purpose::list)  // it left before: what is lost there is put again, to be answered
    require_basis(at_.config, today);
  const FileBlob blob = sealed_bytes(x, transfer);
  while (true) {
    const ResumeNote resume{x.resume_note, [&](const std::string& note) {
                              at_.db.transaction([&] { at_.ledger.keep_note(x.id, note); });
                            }};
    const Published published =
        publish(at_.share, x.package, blob, x.package_sha256, resume, x.wait, transfer);
    if (published == Published::now || (published == Published::before && repeat == Repeat::if_absent))
      return x;
    const int copy = next_copy(x.copy);
    at_.db.transaction([&] {
      if (published == Published::foreign) tell_name_taken(at_, x.id, x.package);
      if (published == Published::hidden) tell_name_hidden(at_, x.id, x.package);
      at_.ledger.set_copy(x, copy, file_name(x.stem, FileKind::package, copy));
    });
    x = at_.ledger.exchange(x.id).value();
  }
}

void Sender::send(const Exchange& sealed, const Transfer& transfer) {
  const Exchange x = put(sealed, Repeat::if_absent, transfer);
  const Time now = at_.clock.now();
  at_.db.transaction([&] {
    at_.ledger.move(x, Stage::sent, now + at_.config.window.receipt_within);
    at_.audit.append("sent", x.id, {{"name", x.package}, {"sha256", x.package_sha256}});
    tell(x, Turn::sent);
    // The share is back: its receipt does not wait for the next try of a look that failed meanwhile.
    if (at_.agenda.chore(Chore::poll).wait.problem_code.starts_with("S_"))
      at_.agenda.schedule(Chore::poll, now);
  });
  log(LogLevel::info, "sent {}", x.package);
}

// Within a transaction.
void Sender::tell(const Exchange& x, Turn turn, const std::string& detail) {
  if (x.noted) at_.offers.tell({x.origin, note_of(at_.config.language, turn, x, detail, at_.clock.now())});
}

void Sender::ask_for_receipt(const Exchange& x, const Transfer& transfer) {
  const bool overdue = at_.clock.now() >= x.changed_at + at_.config.window.receipt_within;
  if (overdue)  // whatever the share says
    at_.db.transaction([&] {
      raise_overdue(at_, x);
      tell(x, Turn::overdue);
    });
  const auto entries = at_.share.list(Folder::outgoing, transfer);
  const bool ours = std::any_of(entries.begin(), entries.end(), [&](const ShareEntry& entry) {
    return entry.name == x.package && entry.size == x.package_size;
  });
  if (!ours)
    put_again(x, "put-again", Repeat::if_absent, transfer);
  else if (overdue)
    compare(x, transfer);
  at_.db.transaction([&] { at_.ledger.set_due(x.id, at_.clock.now() + at_.config.window.receipt_within); });
}

// The receiver says nothing: is what bears our name there still what we sent? One that could not remove it
// may have answered, and takes no notice of it any more.
void Sender::compare(const Exchange& x, const Transfer& transfer) {
  if (put(x, Repeat::if_absent, transfer).package != x.package)
    return log(LogLevel::warn, "{} on the share was not what was sent; it went out again", x.package);
  at_.db.transaction([&] {
    raise_overdue(at_, x,
                  fmt::format("; if it does, 'veer resend {}' has it answered again", x.id.substr(0, 8)));
  });
}

std::string Sender::put_again(const Exchange& before, const std::string& event, Repeat repeat,
                              const Transfer& transfer) {
  const Exchange x = put(before, repeat, transfer);
  at_.db.transaction([&] {
    at_.audit.append(event, x.id, {{"name", x.package}, {"sha256", x.package_sha256}});
  });
  return x.package;
}

std::string Sender::withdraw(const Exchange& x, const std::string& who, const Transfer& transfer) {
  const std::string text = x.stage == Stage::held
                               ? fmt::format("exchange {} is withdrawn: it never left", x.id)
                               : fmt::format(
                                     "exchange {} is withdrawn; should the other side have recorded it "
                                     "already, its receipt will say so",
                                     x.id);
  if (x.stage == Stage::withdrawn) return text;  // done before, and stopped before that was written down
  require_open(at_);
  if (!is_open(x.stage))
    throw Error(Code::u_state,
                fmt::format("exchange {} is {}: only what is not yet answered can be withdrawn", x.id,
                            stage_name(x.stage)));
  if (!x.resume_note.empty()) at_.share.abandon(x.package, x.resume_note, transfer);
  if (x.stage != Stage::held) remove_packages(x, transfer);
  at_.db.transaction([&] {
    at_.ledger.move(x, Stage::withdrawn, std::nullopt);
    at_.audit.append("withdrawn", x.id,
                     {{"name", x.package}, {"was", std::string(stage_name(x.stage))}, {"who", who}});
    tell(x, Turn::withdrawn);
    end(x);
  });
  // What may have been fetched may have been recorded: then it must be there to be sent again.
  if (at_.holds.kept_back(HoldKind::list, x.id)) remove_file(at_.sealed_file(x));
  return text;
}

void Sender::remove_packages(const Exchange& x, const Transfer& transfer) {
  try {
    for (const ShareEntry& entry : at_.share.list(Folder::outgoing, transfer))
      if (is_package_of(entry, x)) at_.share.remove(Folder::outgoing, entry.name, transfer);
  } catch (const Error& error) {
    // What was sent lies there for the other side: whoever waited for this would wait for its receipt.
    if (error.code() != Code::s_rights || x.stage != Stage::sent) throw;
    throw Error(Code::u_state,
                fmt::format("{} was sent, and the share does not let this side remove it ({}): ask its "
                            "owner, or the other side not to record it",
                            x.package, error.message()));
  }
}

/// A share may show a file some time after the request that put it broke off: what was taken back must not
/// lie there after all.
void Sender::take_back_late(const Transfer& transfer) {
  static constexpr auto kLongestLag = std::chrono::hours(1);
  const Time now = at_.clock.now();
  std::vector<Exchange> fresh = at_.ledger.exchanges();
  std::erase_if(fresh, [&](const Exchange& x) {
    return !is_taken_back(x.stage) || x.changed_at > now || now - x.changed_at > kLongestLag;
  });
  if (fresh.empty()) return;
  for (const ShareEntry& entry : at_.share.list(Folder::outgoing, transfer))
    for (const Exchange& x : fresh)
      if (is_package_of(entry, x)) {
        log(LogLevel::warn, "{} came to light on the share after it was taken back: it is removed",
            entry.name);
        at_.share.remove(Folder::outgoing, entry.name, transfer);
      }
}

// What waited for this exchange to end, within the transaction that ends it.
void Sender::end(const Exchange& x) {
  if (x.purpose == Purpose::list) at_.alerts.close(overdue_cause(x));  // a rehearsal's, when one goes well
  at_.alerts.close(step_cause(x.id));
  at_.alerts.close(release_cause(x));
  at_.holds.lapse(HoldKind::list, x.id);
  at_.offers.reconsider(at_.clock.now());
  at_.agenda.schedule(Chore::scan, at_.clock.now());
}

// Receipts.

void Sender::step(const Arrival& arrival, const Transfer& transfer) {
  switch (arrival.stage) {
    case ArrivalStage::found:
      inbox_.fetch(arrival, transfer);
      break;
    case ArrivalStage::fetched:
      try {
        read_letter(arrival, transfer);
      } catch (const Error& error) {
        // Neither a receipt nor a case is answered with a refusal: what cannot be used is evidence, whatever
        // rule it breaks.
        const Remedy remedy = remedy_of(error.code());
        if (remedy != Remedy::quarantine && remedy != Remedy::refuse) throw;
        inbox_.quarantine(arrival, error);
      }
      break;
    default:
      inbox_.clear(arrival, transfer);
      break;
  }
}

void Sender::read_letter(const Arrival& arrival, const Transfer& transfer) {
  switch (parse_file_name(arrival.name).value().kind) {
    case FileKind::quality_case:
      return answering_.read_case(arrival, inbox_, transfer);
    case FileKind::closing:
      return answering_.read_closing(arrival, inbox_, transfer);
    default:
      return read_receipt(arrival, transfer);
  }
}

void Sender::read_receipt(const Arrival& arrival, const Transfer& transfer) {
  if (!inbox_.is_ready(arrival, transfer)) return;
  const std::string archive = read_file(at_.fetched_file(arrival), kReceiptCap);
  const SignedReceipt signed_text = [&] {
    try {
      return read_receipt_archive(archive);
    } catch (const Error&) {  // nothing of it is signed, so it is nobody's
      throw Error(Code::t_unsigned, "it is not a signed receipt");
    }
  }();
  const Opened opened = at_.seal.verify(signed_text.json, signed_text.signature);
  const Receipt receipt = parse_receipt(signed_text.json);
  if (receipt.receiver.party != at_.config.counterparty || receipt.receiver.key != opened.signer)
    throw Error(Code::f_party, "the receipt names another receiver than the one that signed it");
  accept(arrival, receipt, signed_text);
}

void Sender::accept(const Arrival& arrival, const Receipt& receipt, const SignedReceipt& signed_text) {
  const Time now = at_.clock.now();
  const std::string digest = sha256_hex(signed_text.json);
  auto known = at_.ledger.exchange_with_digest(receipt.package_sha256);
  if (!known && receipt.exchange) known = at_.ledger.exchange(*receipt.exchange);
  if (known) {
    const bool refused = receipt.status == ReceiptStatus::refused;
    const bool rehearsed = receipt.status == ReceiptStatus::rehearsed;
    const bool agrees = known->package_sha256 == receipt.package_sha256 &&
                        (!receipt.exchange || *receipt.exchange == known->id) &&
                        (refused || receipt.records == known->records) &&
                        (refused || receipt.set_aside == known->set_aside) &&
                        (refused || rehearsed == (known->purpose == Purpose::rehearsal));
    if (!agrees)
      throw Error(Code::t_replay,
                  fmt::format("a receipt signed by the receiver tells of another package than the one "
                              "sent in exchange {}",
                              known->id));
  }
  const Stage outcome = receipt.status == ReceiptStatus::refused ? Stage::refused : Stage::acknowledged;
  const StoredReceipt stored{known ? known->id : receipt.exchange.value_or(""), signed_text.json, digest,
                             signed_text.signature, receipt.status};
  at_.db.transaction([&] {
    const Exchange x = known ? *known : adopt(receipt, receipt.package);
    const bool fresh =
        at_.ledger.insert_receipt({x.id, stored.json, digest, stored.signature, stored.status, 1});
    at_.ledger.release(arrival.sha256);
    keep_anchor(at_, receipt.audit, receipt.recorded_at, x.id);
    if (fresh) {
      at_.alerts.close(kUnheardCause);
      at_.audit.append("receipt", x.id,
                       {{"status", std::string(status_name(receipt.status))},
                        {"sha256", digest},
                        {"package", receipt.package},
                        {"records", std::to_string(receipt.records)}});
      // A first answer decides; a later one is kept, but what was acknowledged stays so. A list that was
      // withdrawn too late, or refused at first by a receiver that was restored since, was recorded all the
      // same.
      const bool open = is_open(x.stage);
      const bool recorded = outcome == Stage::acknowledged;
      const bool too_late = is_taken_back(x.stage) && recorded;
      if (open || (recorded && x.stage != Stage::acknowledged)) {
        at_.ledger.move(x, outcome, std::nullopt);
        if (outcome == Stage::acknowledged && x.purpose == Purpose::list)
          close_refusals(at_, x.reference_year);
        if (outcome == Stage::acknowledged) tell_recorded(at_, x, receipt.reasons);
        if (outcome == Stage::acknowledged && x.purpose == Purpose::list && x.revision > 1) correct(x);
        tell(x, outcome == Stage::refused ? Turn::refused_there : Turn::recorded,
             outcome != Stage::refused && receipt.reasons.empty() ? ""
                                                                  : reasons_of(receipt, at_.config.language));
        if (outcome != Stage::refused && !receipt.reasons.empty())
          at_.alerts.raise(
              "left-out:" + x.id, AlertKind::attention, code_name(receipt.reasons.front().code), x.id,
              fmt::format("{} is recorded, but for this: {}", x.package, reasons_of(receipt, Language::en)));
        end(x);
      }
      if (known && !open && outcome != x.stage && !is_taken_back(x.stage))
        at_.alerts.raise(
            "contradiction:" + digest, AlertKind::attention, code_name(Code::f_history), x.id,
            fmt::format("the receiver first answered {} with '{}' and now with '{}': it lost history, or "
                        "somebody repeats old answers. Ask it what it holds, and see 'veer show {}'",
                        x.package, stage_name(x.stage), status_name(receipt.status), x.id.substr(0, 8)));
      if (too_late && x.purpose == Purpose::list)
        at_.alerts.raise("withdrawn:" + x.id, AlertKind::attention, code_name(Code::u_state), x.id,
                         fmt::format("{}, which was {}, had been recorded already; it counts as recorded",
                                     x.package, stage_name(x.stage)));
      if (x.stage == Stage::held)
        at_.alerts.raise(
            "unreleased:" + x.id, AlertKind::attention, code_name(Code::f_history), x.id,
            fmt::format("the receiver has answered {}, which waits here for release: this ledger "
                        "was restored to before that, or somebody else sent it. The answer counts; "
                        "find out which",
                        x.package));
      if (outcome == Stage::refused && open)
        raise_refusal(
            at_, x, receipt.reasons.empty() ? Code::f_manifest : receipt.reasons.front().code,
            fmt::format("the receiver refused {}: {}", x.package, reasons_of(receipt, Language::en)));
    }
    inbox_.settle(arrival, Outcome::receipt, x.id, now);
  });
  log(LogLevel::info, "receipt for {}: {}", receipt.package, status_name(receipt.status));
}

// What a recorded correction makes history, within a transaction: cases, and what the note beside a drop file
// says.
void Sender::correct(const Exchange& x) {
  answering_.answer_by(x);
  for (const Exchange& before : at_.ledger.exchanges())
    if (before.noted && before.reference_year == x.reference_year && before.stage == Stage::acknowledged)
      at_.offers.tell({before.origin, note_of(at_.config.language, Turn::recorded, x, "", at_.clock.now())});
}

// A valid receipt for an exchange that we do not know: our history was lost, or the package was made by hand.
Exchange Sender::adopt(const Receipt& receipt, const std::string& package_name) {
  const auto name = parse_file_name(package_name);
  if (!name) throw Error(Code::t_name, "a receipt names a package whose name is not one of ours");
  const auto facts = facts_in_stem(name->stem);
  Exchange x;
  x.id = receipt.exchange.value_or(make_uuid(at_.random));
  x.purpose = facts.purpose;
  x.environment = environment_name(at_.config.environment);
  x.reference_year = facts.reference_year;
  x.revision = facts.revision;
  x.stem = name->stem;
  x.copy = name->copy;
  x.package = package_name;
  x.package_sha256 = receipt.package_sha256;
  x.records = receipt.records;
  x.set_aside = receipt.set_aside;
  x.stage = Stage::sent;  // as if it had been: the receipt decides
  x.origin = "adopted";
  x.opened_at = receipt.found_at;
  x.changed_at = at_.clock.now();
  at_.ledger.insert(x);
  at_.audit.append("adopted", x.id, {{"package", package_name}, {"sha256", receipt.package_sha256}});
  at_.alerts.raise(
      "adopted:" + x.id, AlertKind::notice, "ADOPTED", x.id,
      fmt::format("a valid receipt came for {}, which this side does not remember sending: its history was "
                  "lost (a restored backup), or the package was made by hand. It was adopted: {}",
                  package_name, status_name(receipt.status)));
  return x;
}

// Chores and commands.

Time Sender::run(Chore chore, const Transfer& transfer) {
  const Time now = at_.clock.now();
  switch (chore) {
    case Chore::scan:
      return intake_.scan(transfer);
    case Chore::poll:
      at_.db.transaction([&] { look_at_disk(at_); });
      take_back_late(transfer);
      inbox_.poll(transfer);
      return now + at_.config.share.poll;
    case Chore::rehearse:
      return rehearse_in_time(transfer);
    case Chore::tidy:
      break;
  }
  const bool steady = clock_is_steady(at_);
  look_at_deadlines(at_);  // whatever fails after it
  if (steady) {
    tidy_spool();
    prune(at_);
  }
  if (!is_halted(at_.db)) look_over_outgoing(at_, transfer);
  return next_look_at_deadlines(at_);
}

Time Sender::rehearse_in_time(const Transfer& transfer) {
  const Time now = at_.clock.now();
  const auto every = at_.config.rehearse_every;
  if (every.count() == 0) return now + kTidyEvery;
  const auto last = at_.ledger.last_rehearsal();
  const Time due = last ? last->opened_at + every : at_.settings.begin() + kFirstRehearsal;
  if (due > now) return due;
  if (last && is_open(last->stage)) return now + kTidyEvery;  // what keeps it is told by its own alert
  intake_.rehearse({}, transfer);
  return now + every;
}

// Sealed packages are kept for veer resend as long as configured.
void Sender::tidy_spool() {
  const Time old = at_.clock.now() - at_.config.share.keep_sealed;
  for (const Exchange& x : at_.ledger.exchanges()) {
    if (!is_open(x.stage) && x.changed_at < old) remove_file(at_.sealed_file(x));
  }
}

std::string Sender::obey(const Command& command, const Transfer& transfer) {
  if (command.verb.starts_with("send")) return intake_.take(command, transfer).id;
  if (command.verb == "rehearse") return intake_.rehearse(command, transfer).id;
  if (command.verb == "approve") return approve(command, transfer);
  if (command.verb == "reject") return reject(command);
  if (command.verb == "withdraw")
    return withdraw(at_.ledger.find(command.argument), command.who.name, transfer);
  if (command.verb == "resend") {
    const Exchange x = at_.ledger.find(command.argument);
    if (is_taken_back(x.stage))
      throw Error(Code::u_state, fmt::format("exchange {} was {}: offer the list again to send it after all",
                                             x.id, stage_name(x.stage)));
    return fmt::format("the same sealed bytes are on the share again as {}",
                       put_again(x, "resent", Repeat::anew, transfer));
  }
  if (command.verb == "case-answer" || command.verb == "case-persons")
    return answering_.obey(command, transfer);
  throw Error(Code::u_usage, fmt::format("'{}' is not for the sending side", command.verb));
}

}  // namespace veer

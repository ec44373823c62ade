#include "daemon/answering.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "core/files.h"
#include "core/log.h"
#include "daemon/case_deadlines.h"
#include "daemon/case_letters.h"
#include "daemon/outbox.h"
#include "daemon/rules.h"
#include "daemon/shared_alerts.h"

namespace veer {
namespace {

constexpr std::size_t kLongestText = 300;
constexpr std::chrono::minutes kOneByOne{1};

}  // namespace

void Answering::read_case(const Arrival& arrival, Inbox& inbox, const Transfer& transfer) {
  if (!inbox.is_ready(arrival, transfer)) return;
  require_basis(at_.config, date_of(at_.clock.now()));
  const OpenedLetter letter = open_letter(at_, at_.fetched_file(arrival), transfer);
  const QualityCase document = parse_case(letter.json);
  require_meant_for_us(at_, document.sender, document.receiver, document.environment, letter.signer);
  const Time now = at_.clock.now();
  const auto known = at_.cases.with_id(document.id);
  if (known && known->case_sha256 != arrival.sha256)
    throw Error(Code::t_replay, fmt::format("case {} is known with other bytes", known->name()));

  Case c;
  c.id = document.id;
  c.number = document.number;
  c.reference_year = static_cast<int>(document.reference_date.year());
  c.exchange = document.exchange;
  c.revision = document.revision;
  c.stem = parse_file_name(arrival.name).value().stem;
  c.category = document.category;
  c.reported = document.reported;
  c.persons = document.persons.size();
  c.text = without_numbers(document.text);
  c.found_at = document.found_at;
  c.due = case_due(document.found_at);
  c.stage = CaseStage::received;
  c.case_sha256 = arrival.sha256;
  c.opened_at = now;
  std::error_code none;
  if (!known || (known->is_open() && !fs::exists(kept_letter(at_, c), none))) {
    make_folder(at_.config.state / kCasesFolder);
    write_file(kept_letter(at_, c), read_file(at_.fetched_file(arrival), kCaseCap));
  }
  at_.db.transaction([&] {
    note_letter(at_);
    at_.ledger.release(arrival.sha256);
    keep_anchor(at_, document.audit, document.found_at, c.exchange);
    if (!known) {
      at_.cases.save(c);
      at_.audit.append("case-received", c.exchange,
                       {{"case", c.name()},
                        {"id", c.id},
                        {"category", std::string(category_name(c.category))},
                        {"persons", std::to_string(c.persons)},
                        {"due", format_date(c.due)},
                        {"sha256", arrival.sha256}});
      tell_due(at_, c);
    } else if (known->stage == CaseStage::answered && known->outcome != CaseOutcome::closed) {
      // The other side lost the answer: once more, under another name.
      Case again = *known;
      again.stage = CaseStage::answering;
      again.answer_sha256.clear();
      again.copy = next_copy(again.copy);
      again.wait = {.due = now};
      at_.cases.save(again);
    }
    inbox.settle(arrival, Outcome::letter, c.exchange, now);
  });
  if (!known)
    log(LogLevel::info, "case {} came: {} ({} person(s))", c.name(), category_name(c.category), c.persons);
}

std::string Answering::obey(const Command& command, const Transfer& transfer) {
  return command.verb == "case-answer" ? answer(command) : show_persons(command, transfer);
}

std::string Answering::answer(const Command& command) {
  require_basis(at_.config, date_of(at_.clock.now()));
  std::istringstream words(command.argument);
  std::string name;
  std::string word;
  std::string text;
  words >> name >> word;
  std::getline(words >> std::ws, text);
  text = shown_text(text, kLongestText);
  const auto outcome = case_outcome_named(word);
  if (!outcome || *outcome == CaseOutcome::closed)
    throw Error(Code::u_usage, "a case is answered by: corrected, source or unfounded");
  Case c = at_.cases.find(name);
  const std::string done = fmt::format("case {} is answered ({})", c.name(), word);
  if (c.stage != CaseStage::received) {
    if (c.outcome == outcome && c.reply == text && c.answered_by == command.who.name) return done;
    throw Error(Code::u_state, fmt::format("case {} was answered already: {}", c.name(), told_outcome(c)));
  }
  if (*outcome == CaseOutcome::corrected) {
    const auto recorded = at_.ledger.acknowledged(c.reference_year);
    if (!recorded || recorded->revision <= c.revision)
      throw Error(Code::u_state,
                  fmt::format("no correction was recorded since revision {}: offer it with 'veer send "
                              "--correction FILE', which answers the case by itself",
                              c.revision));
    c.correction = recorded->id;
  } else if (text.empty()) {
    throw Error(Code::u_usage, "say in a few words what was done, or why nothing is: --text");
  }
  at_.db.transaction([&] { decide(c, *outcome, text, command.who.name); });
  return done;
}

// Within a transaction.
void Answering::decide(Case c, CaseOutcome outcome, const std::string& text, const std::string& who) {
  const Time now = at_.clock.now();
  c.stage = CaseStage::answering;
  c.outcome = outcome;
  c.reply = text;
  c.answered_by = who;
  c.answered_at = now;
  c.wait = {.due = now};
  at_.cases.save(c);
  at_.audit.append("case-answered", c.exchange,
                   {{"case", c.name()},
                    {"outcome", std::string(case_outcome_name(outcome))},
                    {"correction", c.correction.value_or("")},
                    {"text", text},
                    {"who", who}});
  at_.alerts.close(case_cause(c));
}

void Answering::answer_by(const Exchange& correction) {
  for (Case& c : at_.cases.answered_by(correction)) {
    c.correction = correction.id;
    decide(std::move(c), CaseOutcome::corrected, "", "the correction itself");
  }
}

void Answering::step(const Case& c, const Transfer& transfer) {
  require_basis(at_.config, date_of(at_.clock.now()));
  tell_outcome(at_, c, FileKind::answer, transfer);
  if (at_.cases.with_id(c.id)->stage == CaseStage::answered) remove_file(kept_letter(at_, c));
}

// Whether the case that an arrival closes is on its way here.
bool Answering::precedes(const Arrival& closing) {
  const ParsedName name = parse_file_name(closing.name).value();
  const auto open = at_.ledger.open_arrivals();
  return std::any_of(open.begin(), open.end(), [&](const Arrival& arrival) {
    const auto other = parse_file_name(arrival.name);
    return other && other->kind == FileKind::quality_case && other->stem == name.stem &&
           other->number == name.number &&
           (arrival.stage == ArrivalStage::found || arrival.stage == ArrivalStage::fetched);
  });
}

void Answering::read_closing(const Arrival& arrival, Inbox& inbox, const Transfer& transfer) {
  if (!inbox.is_ready(arrival, transfer)) return;
  const OpenedLetter letter = open_letter(at_, at_.fetched_file(arrival), transfer);
  const CaseAnswer closing = parse_answer(letter.json);
  require_meant_for_us(at_, closing.sender, closing.receiver, closing.environment, letter.signer);
  if (closing.outcome != CaseOutcome::closed)
    throw Error(Code::f_manifest, "it answers a case, which is for this side to do");
  auto known = at_.cases.with_id(closing.id);
  if (!known && precedes(arrival)) {  // the case itself was fetched, or listed, and is read first
    require_basis(at_.config, date_of(at_.clock.now()));
    Arrival later = arrival;
    later.wait = {.due = at_.clock.now() + kOneByOne, .attempts = arrival.wait.attempts + 1};
    return at_.db.transaction([&] { at_.ledger.save(later); });
  }
  // What this side answered meanwhile is on its way, and counts.
  const bool ends = known && known->is_open();
  at_.db.transaction([&] {
    note_letter(at_);
    at_.ledger.release(arrival.sha256);
    if (ends) {
      known->stage = CaseStage::answered;
      known->outcome = closing.outcome;
      known->reply = without_numbers(closing.text);
      known->answered_at = closing.answered_at;
      known->answer_sha256 = arrival.sha256;
      at_.cases.save(*known);
      at_.audit.append("case-closed", known->exchange,
                       {{"case", known->name()}, {"reason", known->reply}, {"sha256", arrival.sha256}});
      at_.alerts.close(case_cause(*known));
      at_.alerts.tell("case-closed:" + known->id, "CASE_CLOSED", known->name(),
                      fmt::format("{} closed case {} ({}): {}", at_.config.counterparty, known->name(),
                                  category_name(known->category), known->reply));
    }
    inbox.settle(arrival, Outcome::letter, known ? known->exchange : "", at_.clock.now());
  });
  if (ends) remove_file(kept_letter(at_, *known));
}

std::string Answering::show_persons(const Command& command, const Transfer& transfer) {
  require_basis(at_.config, date_of(at_.clock.now()));
  const Case c = at_.cases.find(command.argument);
  std::error_code none;
  if (c.stage == CaseStage::answered || !fs::exists(kept_letter(at_, c), none))
    throw Error(Code::u_state,
                fmt::format("the numbers of case {} are not here {}", c.name(),
                            c.is_open() ? "any more: have the other side send it again ('veer case resend')"
                                        : "any more: it is answered"));
  const auto into = at_.files.find(command.id);
  if (!into) throw Error(Code::u_state, "the service began anew before it had answered: ask again");
  const QualityCase document = parse_case(open_letter(at_, kept_letter(at_, c), transfer).json);
  std::string lines = "insz;right\n";
  for (const CasePerson& person : document.persons)
    lines += fmt::format("{};{}\n", digits_of(person.number), person.right ? digits_of(*person.right) : "");
  at_.db.transaction([&] {
    at_.audit.append("case-read", c.exchange, {{"case", c.name()}, {"who", command.who.name}});
  });
  if (pwrite(into->get(), lines.data(), lines.size(), 0) != static_cast<ssize_t>(lines.size()))
    throw_errno("handing the numbers over");
  return fmt::format("case {} names {} person(s)", c.name(), document.persons.size());
}

}  // namespace veer

#include "daemon/reporting.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/case_deadlines.h"
#include "daemon/case_letters.h"
#include "daemon/erasure.h"
#include "daemon/outbox.h"
#include "daemon/persons.h"
#include "daemon/rules.h"
#include "daemon/shared_alerts.h"

namespace veer {
namespace {

// So many cases may a restored backup have missed since it was made.
constexpr int kMostLost = 20;

constexpr std::size_t kLongestText = 300;

struct Wanted {
  int year = 0;
  Category category = Category::wrong;
  bool reported = false;
  std::string text;
};

Wanted wanted(const std::string& argument) {
  std::istringstream words(argument);
  std::string year;
  std::string category;
  std::string source;
  words >> year >> category >> source;
  const auto known_year = parse_year(year);
  const auto known_category = category_named(category);
  if (!known_year || !known_category || (source != "register" && source != "person"))
    throw Error(Code::u_usage,
                "a case names the reference year and what is wrong: wrong, inaccurate, incomplete, missing, "
                "outdated or superfluous");
  std::string text;
  std::getline(words >> std::ws, text);
  return {*known_year, *known_category, source == "person", shown_text(text, kLongestText)};
}

/// A number that is wrong is to go, and the right one to come; one that is missing is to come.
CaseBonds bonds_with(Category category, const std::vector<CasePerson>& persons, const std::string& salt) {
  CaseBonds bonds{salt, {}, {}};
  for (const CasePerson& person : persons) {
    (names_listed(category) ? bonds.gone : bonds.listed).insert(commitment_to({person.number}, salt));
    if (person.right) bonds.listed.insert(commitment_to({*person.right}, salt));
  }
  return bonds;
}

std::vector<Insz> named_in(const std::vector<CasePerson>& persons) {
  std::vector<Insz> named;
  for (const CasePerson& person : persons) {
    named.push_back(person.number);
    if (person.right) named.push_back(*person.right);
  }
  return named;
}

}  // namespace

std::string Reporting::obey(const Command& command, const Transfer& transfer) {
  if (command.verb == "case-open") return open(command, transfer);
  return command.verb == "case-close" ? close(command) : resend(command);
}

std::string Reporting::open(const Command& command, const Transfer& transfer) {
  // Carried out before, and stopped before that was written down.
  if (const auto done = at_.cases.of_command(command.id)) return done->name();
  const Wanted what = wanted(command.argument);
  const Date today = date_of(at_.clock.now());
  require_basis(at_.config, today);
  const auto list = at_.lists.newest(what.year);
  const auto exchange = list ? at_.ledger.exchange(list->exchange) : std::nullopt;
  if (!exchange)
    throw Error(Code::u_state, fmt::format("no list for reference year {} is recorded: 'veer status' shows "
                                           "which are",
                                           what.year));
  const auto file = at_.files.find(command.id);
  if (!file)
    throw Error(Code::u_state, "the service began anew before it had read the numbers: give them again");
  std::vector<CasePerson> persons = read_case_persons(*file, kMostCasePersons, today);
  // Who was forgotten is bound to nothing again.
  const bool forgotten = !Erasure(at_).marked_among(named_in(persons)).empty();

  Case c;
  c.id = make_uuid(at_.random);
  c.exchange = exchange->id;
  c.stem = exchange->stem;
  c.revision = exchange->revision;
  c.reference_year = what.year;
  c.category = what.category;
  c.reported = what.reported;
  c.text = what.text;
  c.command = command.id;
  if (!fits(c, persons)) refuse_misfit(c, persons, !forgotten, command.who.name);
  c.number = at_.cases.next_number(c.reference_year);
  const CaseBonds bonds = bonds_with(c.category, persons, random_hex(at_.random));
  seal(c, std::move(persons), at_.clock.now(), transfer);
  at_.db.transaction([&] {
    const std::int64_t record = enter(c, command.who.name);
    if (!forgotten) at_.cases.bind(c, record, bonds);
  });
  return c.name();
}

bool Reporting::fits(const Case& c, const std::vector<CasePerson>& persons) {
  return std::all_of(persons.begin(), persons.end(), [&](const CasePerson& person) {
    return at_.lists.holds(c.reference_year, person.number) == names_listed(c.category);
  });
}

// Whoever opens a case saw the list, or heard of it: what does not fit it is a mistake in the typing. That it
// does not fit tells something of the persons all the same, and is on record as the desk's questions are.
void Reporting::refuse_misfit(const Case& c, const std::vector<CasePerson>& persons, bool binds,
                              const std::string& who) {
  const std::string salt = random_hex(at_.random);
  std::vector<std::string> commitments;
  for (const CasePerson& person : persons) commitments.push_back(commitment_to({person.number}, salt));
  at_.db.transaction([&] {
    const AuditHead record =
        at_.audit.append("case-misfit", c.exchange,
                         {{"reference_date", format_date(reference_date_of(c.reference_year))},
                          {"revision", std::to_string(c.revision)},
                          {"category", std::string(category_name(c.category))},
                          {"persons", std::to_string(persons.size())},
                          {"text", c.text},
                          {"who", who},
                          {"commitments", fmt::format("{}", fmt::join(commitments, " "))}});
    if (!binds) return;
    for (const std::string& commitment : commitments)
      at_.db.execute("INSERT INTO salt (seq, salt, commitment) VALUES (:seq, :salt, :commitment)",
                     {record.seq, salt, commitment});
  });
  throw Error(Code::u_usage,
              fmt::format("a case of data that is {} names persons who {} on the list for {}, and not all of "
                          "these {}: look at the numbers again. That this was asked is on record",
                          category_name(c.category), names_listed(c.category) ? "stand" : "do not stand",
                          c.reference_year, names_listed(c.category) ? "do" : "are absent from it"));
}

void Reporting::seal(Case& c, std::vector<CasePerson> persons, Time now, const Transfer& transfer) {
  if (c.number > kMostNumber)
    throw Error(Code::u_state,
                fmt::format("{} cases were opened for {}, which is as many as a year may have: "
                            "agree with the other side on a correction",
                            kMostNumber, c.reference_year));
  c.persons = persons.size();
  c.found_at = now;
  c.due = case_due(now);
  c.opened_at = now;
  c.wait.due = now;
  QualityCase document{c.id,
                       c.number,
                       std::string(environment_name(at_.config.environment)),
                       c.exchange,
                       reference_date_of(c.reference_year),
                       c.revision,
                       c.category,
                       c.reported,
                       std::move(persons),
                       c.text,
                       now,
                       c.due,
                       {at_.config.party, at_.seal.own_key()},
                       {at_.config.counterparty, at_.seal.counterparty_key()},
                       at_.audit.head(),
                       program_name()};
  c.case_sha256 = seal_letter(at_, c, FileKind::quality_case, case_json(document), transfer);
}

std::vector<Case> Reporting::about_deceased(const Exchange& x, std::span<const Insz> persons, Time now,
                                            const Transfer& transfer) {
  std::vector<Case> cases;
  if (persons.empty()) return cases;
  for (int number = at_.cases.next_number(x.reference_year); !persons.empty() && number <= kMostNumber;
       ++number) {
    const std::size_t count = std::min(persons.size(), kMostCasePersons);
    std::vector<CasePerson> named;
    for (const Insz& person : persons.first(count)) named.push_back({person, std::nullopt});
    persons = persons.subspan(count);
    Case c;
    c.id = make_uuid(at_.random);
    c.number = number;
    c.exchange = x.id;
    c.stem = x.stem;
    c.revision = x.revision;
    c.reference_year = x.reference_year;
    c.category = Category::outdated;
    c.text = fmt::format("{} person(s) on the list have died, by notices that came here", count);
    seal(c, std::move(named), now, transfer);
    cases.push_back(std::move(c));
  }
  return cases;
}

std::int64_t Reporting::enter(const Case& c, const std::string& who) {
  at_.cases.save(c);
  if (c.command == 0) tell_opened(at_, c);
  return at_.audit
      .append("case-opened", c.exchange,
              {{"case", c.name()},
               {"id", c.id},
               {"category", std::string(category_name(c.category))},
               {"source", c.reported ? "person" : "register"},
               {"persons", std::to_string(c.persons)},
               {"due", format_date(c.due)},
               {"sha256", c.case_sha256},
               {"who", who}})
      .seq;
}

void Reporting::step(const Case& before, const Transfer& transfer) {
  if (before.stage == CaseStage::answering) return tell_closed(before, transfer);
  require_basis(at_.config, date_of(at_.clock.now()));
  const std::string name = publish_letter(at_, before, FileKind::quality_case, before.case_sha256, transfer);
  Case c = before;
  c.stage = CaseStage::sent;
  c.wait = {};
  at_.db.transaction([&] {
    at_.cases.save(c);
    at_.audit.append("case-sent", c.exchange, {{"case", c.name()}, {"name", name}});
  });
  log(LogLevel::info, "case {} is with {}", c.name(), at_.config.counterparty);
}

void Reporting::tell_closed(const Case& c, const Transfer& transfer) {
  // A case that AII has not fetched yet never was; where the share keeps it, AII reads one letter after the
  // other.
  try {
    for (int copy = 1; copy <= c.copy; ++copy)
      unpublish(at_.share, file_name(c.stem, FileKind::quality_case, copy, c.number), c.case_sha256, "",
                transfer);
  } catch (const Error& error) {
    if (error.code() != Code::s_rights) throw;
  }
  tell_outcome(at_, c, FileKind::closing, transfer);
}

std::string Reporting::resend(const Command& command) {
  require_basis(at_.config, date_of(at_.clock.now()));
  Case c = at_.cases.find(command.argument);
  if (!c.is_open())
    throw Error(Code::u_state, fmt::format("case {0} is {1}: see 'veer case show {0}'", c.name(),
                                           c.outcome == CaseOutcome::closed ? "closed" : "answered"));
  c.stage = CaseStage::sealed;
  c.wait = {.due = at_.clock.now()};
  at_.db.transaction([&] { at_.cases.save(c); });
  return fmt::format("case {} is put on the share again", c.name());
}

// Without an answer: the other side cannot give one any more, or the case was a mistake.
std::string Reporting::close(const Command& command) {
  const std::size_t blank = std::min(command.argument.find(' '), command.argument.size());
  const std::string reason = shown_text(command.argument.substr(blank), kLongestText + 1);
  Case c = at_.cases.find(command.argument.substr(0, blank));
  const std::string done =
      fmt::format("case {} is closed without an answer; {} is told so", c.name(), at_.config.counterparty);
  if (c.outcome == CaseOutcome::closed && c.answered_by == command.who.name) return done;
  if (!c.is_open())
    throw Error(Code::u_state, fmt::format("case {0} is {1}: see 'veer case show {0}'", c.name(),
                                           c.outcome == CaseOutcome::closed ? "closed" : "answered"));
  if (reason.size() < 2) throw Error(Code::u_usage, "say in a few words why: it stays in the audit trail");
  c.stage = CaseStage::answering;
  c.outcome = CaseOutcome::closed;
  c.reply = reason.substr(1);
  c.answered_by = command.who.name;
  c.answered_at = at_.clock.now();
  c.wait = {.due = at_.clock.now()};
  at_.db.transaction([&] {
    at_.cases.save(c);
    at_.audit.append("case-closed", c.exchange,
                     {{"case", c.name()}, {"reason", c.reply}, {"who", c.answered_by}});
    close_alerts(at_, c);
    at_.cases.cut_loose(c);
    at_.alerts.close(step_cause("case " + c.name()));
  });
  remove_file(letter_file(at_, c, FileKind::quality_case));
  return done;
}

// A newer list than the one that the case is about.
bool Reporting::is_corrected_by(const Case& c, const std::optional<std::string>& exchange) {
  const auto x = exchange ? at_.ledger.exchange(*exchange) : std::nullopt;
  return x && (x->stage == Stage::recorded || x->stage == Stage::answered) && x->purpose == Purpose::list &&
         x->reference_year == c.reference_year && x->revision > c.revision;
}

std::optional<Reporting::Left> Reporting::look_up(const Case& c, const Transfer& transfer) {
  const CaseBonds bonds = at_.cases.bonds_of(c);
  if (bonds.salt.empty()) return std::nullopt;
  Left left{0, bonds.listed.size()};
  std::uint64_t seen = 0;
  for (const Insz& person : at_.lists.numbers(c.reference_year)) {
    transfer.tick(++seen);
    const std::string commitment = commitment_to({person}, bonds.salt);
    left.standing += bonds.gone.count(commitment);
    left.absent -= bonds.listed.count(commitment);
  }
  return left;
}

// Within a transaction.
void Reporting::tell_answered(const Case& c, const std::optional<Left>& left) {
  const bool corrected = c.outcome == CaseOutcome::corrected;
  const bool repaired = left && left->standing + left->absent == 0;
  std::string_view looked_up;
  if (repaired) looked_up = ". Whom it names was looked up: the list is as the case asks";
  // Whom the service itself reports never stands on the list here.
  if (corrected && !left && c.command != 0)
    looked_up = ". Whom it names could not be looked up, and is to be by a person ('veer lookup --help')";
  at_.alerts.tell("case-answered:" + c.id, "CASE_ANSWERED", c.name(),
                  fmt::format("{} answered case {} ({}): {}{}", at_.config.counterparty, c.name(),
                              category_name(c.category), told_outcome(c), looked_up));
  if (left && !repaired)
    at_.alerts.raise(
        "case-unrepaired:" + c.id, AlertKind::attention, "CASE_UNREPAIRED", c.name(),
        fmt::format("{} answered case {} ({}) as corrected, but of those whom it names {} who should not be "
                    "on the list still are, and {} who should be are not: open another case ('veer case open "
                    "--help') or find out why, and close this alert",
                    at_.config.counterparty, c.name(), category_name(c.category), left->standing,
                    left->absent));
}

void Reporting::read_answer(const Arrival& arrival, Inbox& inbox, const Transfer& transfer) {
  if (!inbox.is_ready(arrival, transfer)) return;
  require_basis(at_.config, date_of(at_.clock.now()));
  const OpenedLetter letter = open_letter(at_, at_.fetched_file(arrival), transfer);
  const CaseAnswer answer = parse_answer(letter.json);
  require_meant_for_us(at_, answer.sender, answer.receiver, answer.environment, letter.signer);
  if (answer.outcome == CaseOutcome::closed)
    throw Error(Code::f_manifest, "it closes a case, which is for this side to do");
  const Time now = at_.clock.now();
  const ParsedName name = parse_file_name(arrival.name).value();
  auto known = at_.cases.with_id(answer.id);
  const bool corrects = answer.outcome == CaseOutcome::corrected;
  const bool holds = known && (!corrects || is_corrected_by(*known, answer.exchange));
  if (known && known->is_open() && !holds)
    throw Error(
        Code::f_history,
        fmt::format(
            "{} answers case {} by a correction that is not recorded here, in exchange {}: "
            "this side was restored from an older backup, or the answer is mistaken. Have it send that "
            "exchange again ('resend' there), or end the case with 'veer case close {} --reason …'",
            at_.config.counterparty, known->name(), answer.exchange.value_or("-"), known->name()));
  const bool fresh = holds && known->stage != CaseStage::answered;
  const auto left = fresh && corrects ? look_up(*known, transfer) : std::nullopt;
  at_.db.transaction([&] {
    note_letter(at_);
    at_.ledger.release(arrival.sha256);
    if (fresh) {
      known->stage = CaseStage::answered;
      known->outcome = answer.outcome;
      known->correction = answer.exchange;
      known->reply = without_numbers(answer.text);
      known->answered_at = answer.answered_at;
      known->answer_sha256 = arrival.sha256;
      known->wait = {};
      at_.cases.save(*known);
      at_.cases.cut_loose(*known);
      AuditFacts facts = {{"case", known->name()},
                          {"outcome", std::string(case_outcome_name(answer.outcome))},
                          {"sha256", arrival.sha256}};
      if (left) facts.emplace_back("left", std::to_string(left->standing + left->absent));
      at_.audit.append("case-answered", known->exchange, facts);
      close_alerts(at_, *known);
      tell_answered(*known, left);
    } else if (known && known->outcome == CaseOutcome::closed) {  // before it came
      if (holds) {
        known->outcome = answer.outcome;
        known->correction = answer.exchange;
        at_.cases.save(*known);
      }
      at_.audit.append("case-answered", known->exchange,
                       {{"case", known->name()},
                        {"outcome", std::string(case_outcome_name(answer.outcome))},
                        {"sha256", arrival.sha256}});
    } else if (known && (known->outcome != answer.outcome || known->correction != answer.exchange)) {
      at_.audit.append("case-answered", known->exchange,
                       {{"case", known->name()},
                        {"outcome", std::string(case_outcome_name(answer.outcome))},
                        {"sha256", arrival.sha256}});
      at_.alerts.raise(
          "case-contradiction:" + arrival.sha256, AlertKind::attention, code_name(Code::f_history),
          known->name(),
          fmt::format("case {} stands here as: {}; now {} says: {}. Ask it which counts, and open another "
                      "case where one is needed",
                      known->name(), told_outcome(*known), at_.config.counterparty,
                      case_outcome_name(answer.outcome)));
    } else if (!known) {
      // The number stands in the name alone, which anybody on the share may change: a little, and once.
      const std::string cause = "case-unknown:" + answer.id;
      const int year = facts_in_stem(name.stem).reference_year;
      if (!at_.alerts.is_open(cause))
        at_.cases.skip_numbers(year, std::min(name.number, at_.cases.next_number(year) + kMostLost));
      at_.alerts.raise(
          cause, AlertKind::attention, code_name(Code::f_history), "",
          fmt::format("{} answers a case that these books do not know: they were restored from "
                      "an older backup. Look at the numbers that were reported again, and open a "
                      "case where one is needed",
                      arrival.name));
    }
    inbox.settle(arrival, Outcome::letter, known ? known->exchange : "", now);
  });
  if (fresh)
    for (const FileKind kind : {FileKind::quality_case, FileKind::closing})
      remove_file(letter_file(at_, *known, kind));
}

}  // namespace veer

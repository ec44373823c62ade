// Quality cases (article 7; Q42 to Q46): found at AVSB, sealed, answered at AII by a word or by a correction.

#include <algorithm>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/files.h"
#include "daemon/alert_texts.h"
#include "daemon/case_deadlines.h"
#include "daemon/case_mail.h"
#include "exchange/asking.h"
#include "support/canary.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

/// The list of 2026 is recorded; some of its data are not right.
struct Cased : Asking {
  Cased() {
    exchange();
    REQUIRE(lists().count(kYear) == 50);
  }
  std::string told(Instance& side, const std::string& verb, const std::string& argument,
                   const std::string& persons = "") {
    return Asking::told(side, verb, argument, kOperator, persons.empty() ? Fd() : file_with(persons));
  }
  std::string open(const std::string& category, const std::string& persons,
                   const std::string& more = "register") {
    return told(avsb(), "case-open", fmt::format("{} {} {}", kYear, category, more), persons);
  }
  /// As the operator at AII is shown them.
  std::string persons_of(const std::string& name) {
    const auto id = aii().agenda.ask("case-persons", name, kOperator);
    const Fd into(memfd_create("persons", MFD_CLOEXEC));
    aii().files.put(id, Fd(dup(into.get())));
    pair.run_for(1s);
    const CommandResult result = aii().agenda.result_of(id);
    if (result.stage == CommandStage::failed) return result.code;
    std::string bytes(1000, '\0');
    bytes.resize(static_cast<std::size_t>(pread(into.get(), bytes.data(), bytes.size(), 0)));
    return bytes;
  }
  /// AII offers the list anew; the exchange.
  std::string correct(const std::vector<Insz>& corrected) {
    const fs::path file = folder / kListName;
    write_file(file, csv_of(corrected));
    const std::string exchange = told(aii(), "send-correction", file);
    pair.run_for(10min);
    return exchange;
  }
  void forget(const Insz& person) {
    const std::string subject = told(avsb(), "forget", "notice 12", digits_of(person));
    const auto approval = avsb().agenda.ask("approve-forget", subject, kApprover);
    avsb().files.put(approval, file_with(digits_of(person)));
    pair.run_for(1min);
  }
  /// The newest that AVSB's people were told by that code.
  std::string alert_of(const std::string& code) {
    const auto rows =
        avsb().db.query("SELECT text FROM alert WHERE code = :code ORDER BY id DESC LIMIT 1", {code});
    return rows.empty() ? "" : rows.front().text(0);
  }
  std::size_t bound() { return avsb().db.query("SELECT 1 FROM salt").size(); }
};

}  // namespace

TEST_CASE("Q42: a case of each category goes to AII, sealed, and is answered there") {
  const auto category = GENERATE(from_range(kCategories.begin(), kCategories.end()));
  Cased c;
  const std::string person =
      names_listed(category) ? digits_of(c.numbers[3]) : digits_of(fictitious_list(1, 99).front());
  const std::string name = c.open(std::string(category_name(category)), person);
  REQUIRE(name == "2026-1");
  REQUIRE(c.aii().cases.all().size() == 1);
  const Case there = c.aii().cases.find(name);
  CHECK(there.category == category);
  CHECK(there.persons == 1);
  CHECK(there.stage == CaseStage::received);
  CHECK(c.persons_of(name) == "insz;right\n" + person + ";\n");
  CHECK(c.told(c.aii(), "case-answer", name + " source put right in KBI") ==
        "case 2026-1 is answered (source)");
  const Case here = c.avsb().cases.find(name);
  CHECK(here.stage == CaseStage::answered);
  CHECK(here.outcome == CaseOutcome::source);
  CHECK(here.reply == "put right in KBI");
  CHECK(c.pair.to_aii().empty());
  CHECK(c.pair.to_avsb().empty());
  CHECK(c.pair.open_alerts(*c.pair.aii).empty());
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
}

TEST_CASE(
    "Q43: a case is durable with its finding, names nobody outside its seal, and has a letter without "
    "anybody") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]) + "\n" + digits_of(c.numbers[4]),
                                  "register moved abroad");
  const Case here = c.avsb().cases.find(name);
  CHECK(here.text == "moved abroad");
  CHECK(has(c.record(c.avsb(), "case-opened"), "\"persons\":\"2\""));
  CHECK(has(c.record(c.aii(), "case-received"), "\"case\":\"2026-1\""));
  const std::vector<Insz> canaries(c.numbers.begin() + 3, c.numbers.begin() + 5);
  CHECK(files_holding(c.pair.aii_config.state, canaries).empty());
  CHECK(files_holding(c.pair.root / "share", canaries).empty());
  const std::string mail = mail_about(here, c.pair.avsb_config);
  CHECK(has(mail, "2026-1"));
  CHECK(has(mail, format_date(here.due).substr(0, 4)));
  CHECK(has(mail, "'veer case answer 2026-1 --outcome unfounded --text \""));
  for (const Insz& person : canaries) CHECK_FALSE(has(mail, digits_of(person)));
  CHECK(c.pair.open_alerts(*c.pair.aii) == Names{"attention CASE"});
  CHECK(has(c.persons_of(name), digits_of(c.numbers[4])));
  CHECK(has(c.record(c.aii(), "case-read"), "operator"));
}

TEST_CASE("Q44: a case comes from a person's own report, with the right number where it is known") {
  Cased c;
  const std::string right = digits_of(fictitious_list(1, 99).front());
  const std::string name = c.open("wrong", digits_of(c.numbers[3]) + " " + right, "person");
  CHECK(c.aii().cases.find(name).reported);
  CHECK(c.persons_of(name) == fmt::format("insz;right\n{};{}\n", digits_of(c.numbers[3]), right));
}

TEST_CASE("a case that does not fit the list is a mistake in the typing, and goes nowhere") {
  Cased c;
  const std::string stranger = digits_of(fictitious_list(1, 99).front());
  CHECK(c.open("superfluous", stranger) == "U_USAGE");
  CHECK(c.open("missing", digits_of(c.numbers[3])) == "U_USAGE");
  CHECK(c.open("odd", digits_of(c.numbers[3])) == "U_USAGE");
  CHECK(c.open("wrong", "12345678901") == "U_USAGE");
  CHECK(c.told(c.avsb(), "case-open", "2025 wrong register", digits_of(c.numbers[3])) == "U_STATE");
  CHECK(c.told(c.aii(), "case-open", "2026 wrong register", digits_of(c.numbers[3])) == "U_USAGE");
  CHECK(c.avsb().cases.all().empty());
  CHECK(c.pair.to_aii().empty());
}

TEST_CASE("whoever opens a case that does not fit is on record for the question, and not told how many fit") {
  Cased c;
  const std::string given = digits_of(fictitious_list(1, 99).front()) + "\n" + digits_of(c.numbers[3]);
  CHECK(c.open("superfluous", given, "register moved abroad") == "U_USAGE");
  const std::string record = c.record(c.avsb(), "case-misfit");
  for (const char* fact : {"\"text\":\"moved abroad\"", "\"persons\":\"2\"", "\"category\":\"superfluous\"",
                           "\"reference_date\":\"2026-01-01\"", "\"who\":\"operator\""})
    CHECK(has(record, fact));
  CHECK(c.bound() == 2);
  for (const Row& row : c.avsb().db.query("SELECT commitment FROM salt")) CHECK(has(record, row.text(0)));
  const auto answers = c.avsb().db.query("SELECT result FROM command WHERE code = 'U_USAGE'");
  REQUIRE(answers.size() == 1);
  CHECK(has(answers.front().text(0), "not all of these do"));
  CHECK_FALSE(has(answers.front().text(0), "1 of"));

  c.forget(c.numbers[3]);
  CHECK(c.bound() == 0);
  CHECK(c.open("superfluous", given) == "U_USAGE");
  CHECK(c.bound() == 0);
  CHECK(c.avsb().db.query("SELECT 1 FROM audit WHERE event = 'case-misfit'").size() == 2);
}

TEST_CASE("a number that somebody types into a case's text stands in neither side's books") {
  Cased c;
  const std::string digits = digits_of(c.numbers[3]);
  const std::string typed = fmt::format("{}.{}.{}\u2013{}.{}", digits.substr(0, 2), digits.substr(2, 2),
                                        digits.substr(4, 2), digits.substr(6, 3), digits.substr(9));
  const std::string name = c.open("superfluous", digits, "register see " + typed);
  for (Instance* at : {&c.aii(), &c.avsb()}) CHECK(at->cases.find(name).text == "see xx.xx.xx\u2013xxx.xx");
}

TEST_CASE("Q45: AII is reminded on days 13, 14 and 15, AVSB told that no answer came") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]));
  const auto on_day = [&](int day) {
    const auto at = Time(std::chrono::floor<std::chrono::days>(c.avsb().cases.find(name).found_at)) +
                    std::chrono::days(day) + 12h;
    c.pair.run_for(std::chrono::duration_cast<std::chrono::milliseconds>(at - c.pair.clock.now()));
    return c.pair.open_alerts(*c.pair.aii);
  };
  CHECK(on_day(12) == Names{"attention CASE"});
  CHECK(on_day(13) == Names{"attention CASE_1"});
  CHECK(on_day(14) == Names{"attention CASE_0"});
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
  CHECK(on_day(15) == Names{"attention CASE_OVERDUE"});
  CHECK(c.pair.open_alerts(*c.pair.avsb) == Names{"attention CASE_UNANSWERED"});
  CHECK(c.told(c.aii(), "case-answer", name + " unfounded the person still lives here") ==
        "case 2026-1 is answered (unfounded)");
  CHECK(c.pair.open_alerts(*c.pair.aii).empty());
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
}

TEST_CASE(
    "Q46: an unanswered case stays open, a correction answers those that were here when it was sealed") {
  Cased c;
  const std::string first = c.open("superfluous", digits_of(c.numbers[3]));
  CHECK(c.told(c.aii(), "case-answer", first + " corrected") == "U_STATE");
  c.pair.run_for(std::chrono::days(20));
  CHECK(c.aii().cases.find(first).stage == CaseStage::received);
  CHECK(c.avsb().cases.find(first).stage == CaseStage::sent);

  std::vector<Insz> corrected = c.numbers;
  corrected.erase(corrected.begin() + 3);
  Exchange offered;
  offered.reference_year = kYear;
  offered.revision = 2;
  offered.opened_at = c.aii().cases.find(first).opened_at;
  CHECK(c.aii().cases.answered_by(offered).size() == 1);
  offered.opened_at -= 1ms;
  CHECK(c.aii().cases.answered_by(offered).empty());
  const std::string exchange = c.correct(corrected);
  CHECK(c.avsb().cases.find(first).stage == CaseStage::answered);
  CHECK(c.avsb().cases.find(first).correction == exchange);
  CHECK(c.aii().cases.find(first).stage == CaseStage::answered);

  const std::string second = c.open("superfluous", digits_of(corrected[7]));
  CHECK(second == "2026-2");
  CHECK(c.aii().cases.find(second).stage == CaseStage::received);
  CHECK(c.persons_of(first) == "U_STATE");
}

TEST_CASE("who died by a notice that came here, and stands on a new list, becomes a case by itself") {
  Cased c;
  const Insz dead = c.numbers[7];
  c.forget(dead);
  REQUIRE(c.lists().count(kYear) == 49);

  c.correct(c.numbers);
  CHECK(c.lists().count(kYear) == 49);
  REQUIRE(c.aii().cases.all().size() == 1);
  const Case there = c.aii().cases.find("2026-1");
  CHECK(there.category == Category::outdated);
  CHECK(there.revision == 2);
  CHECK(c.persons_of("2026-1") == "insz;right\n" + digits_of(dead) + ";\n");

  CHECK(has(c.alert_of("RECORDED"), "49 numbers for reference year 2026 are recorded"));
  CHECK(has(c.alert_of("RECORDED"), "1 number(s) of persons who have died were left out"));
  CHECK(has(c.alert_of("CASE_OPENED"), "'veer case mail 2026-1'"));
  CHECK(c.pair.open_alerts(*c.pair.avsb) == Names{"attention CASE_OPENED"});
  CHECK(c.bound() == 0);
  c.told(c.aii(), "case-answer", "2026-1 source they are taken out");
  c.pair.run_for(5min);
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
}

TEST_CASE("whom a case names is looked up when a correction answers it, and what is left is told") {
  Cased c;
  const Insz stranger = fictitious_list(1, 99).front();
  c.open("superfluous", digits_of(c.numbers[3]) + "\n" + digits_of(c.numbers[4]));
  c.open("missing", digits_of(stranger));
  CHECK(c.bound() == 3);
  std::vector<Insz> corrected = c.numbers;
  SECTION("all is put right") {
    corrected.erase(corrected.begin() + 3, corrected.begin() + 5);
    corrected.push_back(stranger);
    std::sort(corrected.begin(), corrected.end());
    c.correct(corrected);
    CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
    CHECK(has(c.alert_of("CASE_ANSWERED"), "the list is as the case asks"));
    CHECK(has(c.record(c.avsb(), "case-answered"), "\"left\":\"0\""));
  }
  SECTION("somebody is left out in each") {
    corrected.erase(corrected.begin() + 3);
    c.correct(corrected);
    CHECK(c.pair.open_alerts(*c.pair.avsb) ==
          Names{"attention CASE_UNREPAIRED", "attention CASE_UNREPAIRED"});
    std::string told;
    for (const Alert& alert : c.avsb().alerts.open()) told += alert.text;
    CHECK(has(told, "1 who should not be on the list still are, and 0 who should be are not"));
    CHECK(has(told, "0 who should not be on the list still are, and 1 who should be are not"));
    CHECK(has(c.record(c.avsb(), "case-answered"), "\"left\":\"1\""));
  }
  for (const char* name : {"2026-1", "2026-2"})
    CHECK(c.avsb().cases.find(name).outcome == CaseOutcome::corrected);
  CHECK(c.bound() == 0);
}

TEST_CASE("nobody is bound to a case any more that is over, or that names somebody who is forgotten") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]) + "\n" + digits_of(c.numbers[4]));
  REQUIRE(c.bound() == 2);
  SECTION("closed") { c.told(c.avsb(), "case-close", name + " a mistake of ours"); }
  SECTION("forgotten") {
    c.forget(c.numbers[3]);
    CHECK(c.bound() == 0);
    std::vector<Insz> corrected = c.numbers;
    corrected.erase(corrected.begin() + 3, corrected.begin() + 5);
    c.correct(corrected);
    CHECK(c.avsb().cases.find(name).outcome == CaseOutcome::corrected);
    CHECK(has(c.alert_of("CASE_ANSWERED"), "could not be looked up"));
  }
  CHECK(c.bound() == 0);
}

TEST_CASE("what names no newer list than the case is about is no answer to it, and told of") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]));
  Case there = c.aii().cases.find(name);
  SECTION("the list that the case is about") { there.correction = there.exchange; }
  SECTION("one that is not recorded") { there.correction = "9c2e47d0-15ab-4f83-b6e9-0d71a8c35f42"; }
  there.stage = CaseStage::answering;
  there.outcome = CaseOutcome::corrected;
  there.answered_at = c.pair.clock.now();
  there.wait = {.due = c.pair.clock.now()};
  c.aii().db.transaction([&] { c.aii().cases.save(there); });
  c.pair.run_for(5min);
  CHECK(c.aii().cases.find(name).stage == CaseStage::answered);
  CHECK(c.avsb().cases.find(name).stage == CaseStage::sent);
  CHECK(c.pair.open_alerts(*c.pair.avsb) == Names{"attention F_HISTORY"});
  c.told(c.avsb(), "case-close", name + " settled by telephone");
  c.pair.run_for(1h);
  CHECK(c.avsb().cases.find(name).outcome == CaseOutcome::closed);
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
  CHECK(c.pair.to_avsb().empty());
}

TEST_CASE("AVSB restored to before a correction takes it for an answer once it is recorded again") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]));
  const fs::path state = c.pair.avsb_config.state;
  const fs::path backup = c.folder / "backup";
  c.pair.avsb.reset();
  fs::copy(state, backup, fs::copy_options::recursive);
  c.pair.start_avsb();
  std::vector<Insz> corrected = c.numbers;
  corrected.erase(corrected.begin() + 3);
  const std::string exchange = c.correct(corrected);
  REQUIRE(c.avsb().cases.find(name).stage == CaseStage::answered);
  c.pair.avsb.reset();
  fs::remove_all(state);
  fs::copy(backup, state, fs::copy_options::recursive);
  c.pair.start_avsb();
  c.told(c.avsb(), "case-resend", name);
  c.pair.run_for(5min);
  CHECK(c.avsb().cases.find(name).is_open());
  c.told(c.aii(), "resend", exchange);
  c.pair.run_for(1h);
  CHECK(c.lists().count(kYear) == 49);
  CHECK(c.avsb().cases.find(name).correction == exchange);
  CHECK(has(c.alert_of("CASE_ANSWERED"), "the list is as the case asks"));
}

TEST_CASE("another answer to a case that is answered is told as that, with the case to look at") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]));
  c.told(c.aii(), "case-answer", name + " source put right in KBI");
  c.pair.run_for(5min);
  REQUIRE(c.avsb().cases.find(name).stage == CaseStage::answered);
  Case there = c.aii().cases.find(name);
  there.stage = CaseStage::answering;
  there.outcome = CaseOutcome::unfounded;
  there.answer_sha256.clear();
  ++there.copy;
  there.wait = {.due = c.pair.clock.now()};
  c.aii().db.transaction([&] { c.aii().cases.save(there); });
  c.pair.run_for(5min);
  CHECK(c.avsb().cases.find(name).outcome == CaseOutcome::source);
  const auto open = c.avsb().alerts.open();
  REQUIRE(open.size() == 1);
  CHECK(topic_of(open.front()) == "case-contradiction");
  CHECK(message_of(open.front(), {}, c.pair.avsb_config, c.pair.clock.now()).command ==
        "veer -i avsb case show " + name);
}

TEST_CASE("a letter is a word of the other side too: its silence counts from there") {
  Cased c;
  c.pair.avsb.reset();
  c.pair.avsb_config.window.unheard_after = 10 * 24h;
  c.pair.start_avsb();
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]));
  c.pair.run_for(9 * 24h);
  c.told(c.aii(), "case-answer", name + " source put right in KBI");
  c.pair.run_for(5 * 24h);
  REQUIRE(c.avsb().cases.find(name).stage == CaseStage::answered);
  CHECK_FALSE(c.avsb().alerts.is_open("unheard"));
  c.pair.run_for(7 * 24h);
  CHECK(c.avsb().alerts.is_open("unheard"));
}

TEST_CASE("a case that needs no answer any more is closed with a reason, of which the other side is told") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]));
  CHECK(c.told(c.avsb(), "case-close", name) == "U_USAGE");
  CHECK(
      has(c.told(c.avsb(), "case-close", name + " a mistake of ours"), "2026-1 is closed without an answer"));
  c.pair.run_for(5min);
  for (Instance* at : {&c.aii(), &c.avsb()}) {
    const Case closed = at->cases.find(name);
    CHECK(closed.stage == CaseStage::answered);
    CHECK(told_outcome(closed) == "closed without an answer (a mistake of ours)");
    CHECK(has(c.record(*at, "case-closed"), "a mistake of ours"));
  }
  CHECK(c.pair.open_alerts(*c.pair.aii).empty());
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
  CHECK(c.pair.to_aii().empty());
  CHECK(Pair::names(c.avsb().spool).empty());
  CHECK(Pair::names(c.aii().config.state / "cases").empty());
  CHECK(c.told(c.aii(), "case-answer", name + " unfounded the list was right") == "U_STATE");
  const auto resend = c.avsb().agenda.ask("case-resend", name, kOperator);
  c.pair.run_for(1min);
  CHECK(has(c.avsb().agenda.result_of(resend).text, "case 2026-1 is closed: see"));
  CHECK(c.told(c.avsb(), "case-close", name + " a mistake of ours") ==
        "case 2026-1 is closed without an answer; aii is told so");
}

TEST_CASE("a case that is closed before the other side fetched it is never seen there") {
  Cased c;
  c.pair.aii.reset();
  const auto ask = [&](const std::string& verb, const std::string& argument, Fd persons) {
    const auto id = c.avsb().agenda.ask(verb, argument, kOperator);
    if (persons) c.avsb().files.put(id, std::move(persons));
    while (c.pair.avsb->run()) continue;
  };
  ask("case-open", "2026 superfluous register", file_with(digits_of(c.numbers[3])));
  REQUIRE(c.pair.to_aii().size() == 1);
  ask("case-close", "2026-1 a mistake of ours", {});
  REQUIRE(c.pair.to_aii().size() == 1);
  CHECK(c.pair.to_aii().front().ends_with(".case-1.closed.pgp"));
  c.pair.start_aii();
  c.pair.run_for(5min);
  CHECK(c.aii().cases.all().empty());
  CHECK(c.pair.to_aii().empty());
  CHECK(c.pair.open_alerts(*c.pair.aii).empty());
}

TEST_CASE("an answer that was given before the other side's word that it closed the case counts on both") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]));
  c.aii().agenda.ask("case-answer", name + " unfounded the list was right", kOperator);
  c.avsb().agenda.ask("case-close", name + " a mistake of ours", kOperator);
  while (c.pair.avsb->run()) continue;
  while (c.pair.aii->run()) continue;
  c.pair.run_for(5min);
  for (Instance* at : {&c.aii(), &c.avsb()}) CHECK(at->cases.find(name).outcome == CaseOutcome::unfounded);
  CHECK(c.pair.open_alerts(*c.pair.aii).empty());
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
  CHECK(c.pair.to_aii().empty());
}

TEST_CASE("a sealed case that AII lost is there again when it is sent again") {
  Cased c;
  const std::string name = c.open("superfluous", digits_of(c.numbers[3]));
  fs::remove_all(c.aii().config.state / "cases");
  CHECK(c.persons_of(name) == "U_STATE");
  c.told(c.avsb(), "case-resend", name);
  c.pair.run_for(5min);
  CHECK(c.persons_of(name) == "insz;right\n" + digits_of(c.numbers[3]) + ";\n");
}

TEST_CASE("AVSB restored to before a case is told of the answer to it, and gives its number to no other") {
  Cased c;
  const fs::path state = c.pair.avsb_config.state;
  const fs::path backup = c.folder / "backup";
  c.pair.avsb.reset();
  fs::copy(state, backup, fs::copy_options::recursive);
  c.pair.start_avsb();
  const std::string first = c.open("superfluous", digits_of(c.numbers[3]));
  c.pair.avsb.reset();
  fs::remove_all(state);
  fs::copy(backup, state, fs::copy_options::recursive);
  c.pair.start_avsb();
  CHECK(c.avsb().cases.all().empty());
  c.told(c.aii(), "case-answer", first + " source put right");
  c.pair.run_for(5min);
  REQUIRE(c.pair.open_alerts(*c.pair.avsb).size() == 1);
  CHECK(topic_of(c.avsb().alerts.open().front()) == "case-unknown");
  CHECK(c.open("superfluous", digits_of(c.numbers[3])) == "2026-2");
  CHECK(c.aii().cases.find("2026-2").stage == CaseStage::received);
}

TEST_CASE("what a share does to a case is noticed") {
  Cased c;
  SECTION("it is lost, and sent again") {
    c.pair.aii.reset();
    const auto id = c.avsb().agenda.ask("case-open", "2026 superfluous register", kOperator);
    c.avsb().files.put(id, file_with(digits_of(c.numbers[3])));
    while (c.pair.avsb->run()) continue;
    REQUIRE(c.pair.to_aii().size() == 1);
    fs::remove(c.pair.root / "share" / "to_aii" / c.pair.to_aii().front());
    c.pair.start_aii();
    c.pair.run_for(1min);
    CHECK(c.aii().cases.all().empty());
    CHECK(c.told(c.avsb(), "case-resend", "2026-1") == "case 2026-1 is put on the share again");
    CHECK(c.aii().cases.find("2026-1").stage == CaseStage::received);
  }
  SECTION("it is changed") {
    c.pair.aii.reset();
    const auto id = c.avsb().agenda.ask("case-open", "2026 superfluous register", kOperator);
    c.avsb().files.put(id, file_with(digits_of(c.numbers[3])));
    while (c.pair.avsb->run()) continue;
    const fs::path letter = c.pair.root / "share" / "to_aii" / c.pair.to_aii().at(0);
    std::string bytes = read_file(letter, 100'000);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_file(letter, bytes);
    c.pair.start_aii();
    c.pair.run_for(1min);
    CHECK(c.aii().cases.all().empty());
    CHECK(c.pair.open_alerts(*c.pair.aii).size() == 1);
    CHECK(c.pair.open_alerts(*c.pair.aii).front().starts_with("finding T_"));
  }
}

TEST_CASE("a closing that is listed before its case is read after it") {
  Cased c;
  c.pair.avsb_share.forbid_remove(true);
  c.pair.aii.reset();
  const auto id = c.avsb().agenda.ask("case-open", "2026 superfluous register", kOperator);
  c.avsb().files.put(id, file_with(digits_of(c.numbers[3])));
  while (c.pair.avsb->run()) continue;
  c.avsb().agenda.ask("case-close", "2026-1 a mistake of ours", kOperator);
  while (c.pair.avsb->run()) continue;
  REQUIRE(c.pair.to_aii().size() == 2);
  c.pair.start_aii();
  c.pair.run_for(10min);
  CHECK(c.aii().cases.find("2026-1").outcome == CaseOutcome::closed);
}

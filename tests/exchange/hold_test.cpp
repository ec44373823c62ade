// Separation of duties and the stop switch: lists that a second person releases or stops (Q31), faulty lines
// that are left out, and an exchange that is suspended (Q14, Q29).

#include <algorithm>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "core/files.h"
#include "daemon/service.h"
#include "exchange/exchanging.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

namespace {

// Whoever drops a file in these tests is whoever runs them.
const Person kOfferer = person_of(getuid());
const Person kApprover{1002, "approver"};
const Person kOperator{1001, "operator"};
const Person kOther{1003, "another operator"};

/// Every list is held at the sender.
struct Holding : Exchanging {
  Holding() {
    pair.aii_config.intake.release = Release::always;
    pair.start_aii();
  }
  Instance& aii() { return pair.aii->instance; }
  /// What came of a command: the code of what was wrong, or its text.
  std::string told(const std::string& verb, const std::string& argument, const Person& who) {
    const std::int64_t id = aii().agenda.ask(verb, argument, who);
    pair.run_for(std::chrono::minutes(1));
    const CommandResult result = aii().agenda.result_of(id);
    REQUIRE(result.stage != CommandStage::pending);
    return result.stage == CommandStage::failed ? result.code : result.text;
  }
  std::string approval() { return Approval{pair.sent().id, pair.sent().package_sha256, 0}.text(); }
  std::size_t records_of(const std::string& event) {
    return aii().db.query("SELECT 1 FROM audit WHERE event = :event", {event}).size();
  }
};

}  // namespace

TEST_CASE("Q31: a list that is to be released waits sealed, and leaves when another person says so") {
  Holding h;
  h.exchange();
  REQUIRE(h.pair.sent().stage == Stage::held);
  CHECK(h.pair.to_avsb().empty());
  CHECK(h.pair.open_alerts(*h.pair.aii) == Names{"attention RELEASE"});
  CHECK(has(h.pair.note(kListName), "waits for release by a second person"));
  CHECK(has(h.pair.note(kListName), "veer approve " + h.pair.sent().id.substr(0, 8)));
  CHECK(Pair::names(h.pair.drop_folder()) == Names{kListName + ".result.txt"});
  h.pair.run_for(std::chrono::days(3));
  CHECK(h.pair.to_avsb().empty());

  const Hold hold = h.aii().holds.find(HoldKind::list, h.pair.sent().id).value();
  CHECK(hold.asked_by->uid == kOfferer.uid);
  CHECK(hold.digest == h.pair.sent().package_sha256);
  CHECK(has(h.told("approve", h.approval(), kApprover), "is released"));
  h.pair.run_to_rest();
  CHECK(h.pair.sent().stage == Stage::acknowledged);
  CHECK(h.lists().count(kYear) == 50);
  CHECK(h.pair.open_alerts(*h.pair.aii).empty());
  CHECK(has(h.pair.note(kListName), "Recorded at the receiver"));
  CHECK(h.aii().holds.find(HoldKind::list, h.pair.sent().id)->decided_by->name == "approver");
  const auto released = h.aii().db.query_one("SELECT record FROM audit WHERE event = 'released'")->text(0);
  CHECK(has(released, R"("who":"approver")"));
  CHECK(has(released, R"("offered_by":")" + kOfferer.name));
}

TEST_CASE("Q04: a second list in one calendar year, for another year, is held with a warning and told of") {
  static const std::string kOtherList = "inburgeringsplicht-2025.csv";
  Exchanging e;
  e.pair.aii_config.intake.release = Release::unusual;
  e.pair.start_aii();
  const auto offer = [&](const std::string& name) {
    e.pair.drop(name, csv_of(e.numbers));
    e.pair.run_to_rest();
    const Exchange x = e.pair.sent();
    REQUIRE(x.stage == Stage::held);
    const auto alerts = e.pair.aii->instance.alerts.open();
    REQUIRE(alerts.size() == 1);
    e.pair.aii->instance.agenda.ask("approve", Approval{x.id, x.package_sha256, 0}.text(), kApprover);
    e.pair.run_to_rest();
    CHECK(e.pair.sent().stage == Stage::acknowledged);
    return alerts[0].text;
  };
  CHECK_FALSE(has(offer(kListName), "article 5"));  // there is none before to compare with
  const auto told_at_avsb = [&] {
    return e.pair.avsb->instance.db.query("SELECT 1 FROM alert WHERE code = 'SECOND_LIST'").size();
  };
  CHECK(told_at_avsb() == 0);
  CHECK(
      has(offer(kOtherList), "Is that year right? A list for 2026 was sealed in this calendar year already"));
  CHECK(told_at_avsb() == 1);
  CHECK(e.lists().count(kYear - 1) == 50);

  // One that was taken back does not count, nor does one of another calendar year.
  const Exchange last = e.pair.sent();
  CHECK(e.pair.aii->instance.ledger.list_beside(last)->reference_year == kYear);
  Exchange later = last;
  later.stem = make_stem(Purpose::list, kYear - 1, 1, e.pair.clock.now() + std::chrono::days(366));
  CHECK_FALSE(e.pair.aii->instance.ledger.list_beside(later));
  e.pair.aii->instance.db.execute("UPDATE exchange SET stage = 'withdrawn' WHERE reference_year = :year",
                                  {kYear});
  CHECK_FALSE(e.pair.aii->instance.ledger.list_beside(last));
}

TEST_CASE("Q31: whoever offered a list, by file or by command, neither releases nor rejects it") {
  Holding h;
  SECTION("dropped") { h.exchange(); }
  SECTION("by command") {
    write_file(h.pair.root / kListName, csv_of(h.numbers));
    h.aii().agenda.ask("send", (h.pair.root / kListName).native(), kOfferer);
    h.pair.run_to_rest();
  }
  SECTION("empty") {
    h.aii().agenda.ask("send-empty", "2026", kOfferer);
    h.pair.run_to_rest();
  }
  REQUIRE(h.pair.sent().stage == Stage::held);
  CHECK(h.told("approve", h.approval(), kOfferer) == "C_USER");
  CHECK(h.told("reject", h.pair.sent().id, kOfferer) == "C_USER");
  CHECK(h.pair.sent().stage == Stage::held);
  CHECK(has(h.told("withdraw", h.pair.sent().id, kOfferer), "is withdrawn"));
  CHECK(h.pair.sent().stage == Stage::withdrawn);
  CHECK(h.pair.open_alerts(*h.pair.aii).empty());
  CHECK(Pair::names(h.aii().spool).empty());
}

TEST_CASE("exactly the bytes that an approver saw are released, and nothing else") {
  Holding h;
  h.exchange();
  const Exchange held = h.pair.sent();
  SECTION("another digest") {
    CHECK(h.told("approve", held.id + " " + std::string(64, 'a'), kApprover) == "U_STATE");
  }
  SECTION("no digest") { CHECK(h.told("approve", held.id, kApprover) == "U_USAGE"); }
  SECTION("a count of lines that were not left out") {
    CHECK(h.told("approve", h.approval() + " 3", kApprover) == "U_STATE");
  }
  SECTION("the spool was changed") {
    write_file(h.aii().sealed_file(held), "something else");
    CHECK(h.told("approve", h.approval(), kApprover) == "L_IO");
  }
  SECTION("put again by hand") { CHECK(h.told("resend", held.id, kOperator) == "U_STATE"); }
  CHECK(h.pair.sent().stage == Stage::held);
  CHECK(h.pair.to_avsb().empty());
  CHECK(h.records_of("released") == 0);
}

TEST_CASE("bytes that were changed in the spool after their release do not leave") {
  Holding h;
  h.exchange();
  h.pair.aii_share.forbid_put(true);
  h.told("approve", h.approval(), kApprover);
  write_file(h.aii().sealed_file(h.pair.sent()), "something else");
  h.pair.aii_share.forbid_put(false);
  h.pair.run_for(std::chrono::hours(1));
  CHECK(h.pair.sent().stage == Stage::sealed);
  CHECK(h.pair.to_avsb().empty());
  CHECK(h.pair.open_alerts(*h.pair.aii) == Names{"attention L_IO"});
}

TEST_CASE("a rejected list never leaves, says why, and may be offered again") {
  Holding h;
  h.exchange();
  const std::string number = "85030112345";
  CHECK(has(h.told("reject", h.pair.sent().id + " twice as long as last year, see " + number, kApprover),
            "rejected"));
  CHECK(h.pair.sent().stage == Stage::rejected);
  CHECK(Pair::names(h.aii().spool).empty());
  CHECK(h.pair.open_alerts(*h.pair.aii).empty());
  CHECK(has(h.pair.note(kListName), "Stopped by an approver: twice as long as last year"));
  CHECK_FALSE(has(h.pair.note(kListName), number));
  const auto record = h.aii().db.query_one("SELECT record FROM audit WHERE event = 'rejected'")->text(0);
  CHECK(has(record, "twice as long as last year"));
  CHECK_FALSE(has(record, number));
  CHECK(verify_audit(h.aii().db, "aii", {}).problems.empty());
  CHECK(h.told("resend", h.pair.sent().id, kOperator) == "U_STATE");
  CHECK(h.told("approve", h.approval(), kApprover) == "U_STATE");

  h.exchange();
  REQUIRE(h.pair.sent().stage == Stage::held);
  h.told("approve", h.approval(), kApprover);
  h.pair.run_to_rest();
  CHECK(h.pair.sent().stage == Stage::acknowledged);
  CHECK(h.lists().count(kYear) == 50);
}

TEST_CASE(
    "with release = unusual a list waits that has none of last year beside it, or differs from it by too "
    "much") {
  Exchanging e;
  e.pair.aii_config.intake.release = Release::unusual;
  e.pair.start_aii();
  const auto offer = [&](int year, std::size_t count) {
    e.pair.clock.advance(std::chrono::days(366));  // the next calendar year, or the one after that
    e.pair.drop("inburgeringsplicht-" + std::to_string(year) + ".csv", csv_of(fictitious_list(count, 3)));
    e.pair.run_to_rest();
    return e.pair.sent().stage;
  };
  REQUIRE(offer(2023, 100) == Stage::held);
  e.pair.aii->instance.agenda.ask("approve", e.pair.sent().id + " " + e.pair.sent().package_sha256,
                                  kApprover);
  e.pair.run_to_rest();
  REQUIRE(e.pair.sent().stage == Stage::acknowledged);
  CHECK(offer(2024, 130) == Stage::acknowledged);
  CHECK(offer(2025, 90) == Stage::held);
}

TEST_CASE(
    "Q31: faulty lines are left out only when a person asks for it, and another who was shown their count") {
  Exchanging e;  // whatever [intake] release says
  Instance& aii = e.pair.aii->instance;
  const std::string file = (e.pair.root / kListName).native();
  write_file(file, csv_of(e.numbers) + "85030112345\nnot a number\n");
  const auto told = [&](const std::string& verb, const std::string& argument, const Person& who) {
    const std::int64_t id = aii.agenda.ask(verb, argument, who);
    e.pair.run_to_rest();
    return aii.agenda.result_of(id);
  };
  CHECK(told("send", file, kOperator).code == "I_FAULTY");
  CHECK(told("send-set-aside", file, kOperator).stage == CommandStage::done);
  const Exchange held = e.pair.sent();
  REQUIRE(held.stage == Stage::held);
  CHECK(held.records == 50);
  CHECK(held.set_aside == 2);
  Approval approval{held.id, held.package_sha256, 0};
  CHECK(told("approve", approval.text(), kApprover).code == "U_STATE");
  approval.set_aside = 1;
  CHECK(told("approve", approval.text(), kApprover).code == "U_STATE");
  approval.set_aside = 2;
  CHECK(told("approve", approval.text(), kApprover).stage == CommandStage::done);

  CHECK(e.pair.sent().stage == Stage::acknowledged);
  const Receipt receipt = parse_receipt(aii.ledger.receipt_of(held.id)->json);
  CHECK(receipt.records == 50);
  CHECK(receipt.set_aside == 2);
  CHECK(e.lists().count(kYear) == 50);
  CHECK(e.pair.avsb->instance.db.query_one("SELECT set_aside FROM list")->integer(0) == 2);
  CHECK(e.pair.avsb->instance.ledger.exchanges().front().set_aside == 2);
}

TEST_CASE("in production the owner of a dropped file must be an operator, and only an approver releases it") {
  const std::string group = "daemon";  // on every Debian, and so is its user of the same number
  const Person daemon = person_of(1);
  Holding h;
  make_production(h.pair.aii_config);
  make_production(h.pair.avsb_config);
  h.pair.aii_config.intake.release = Release::never;  // which production knows not
  h.pair.aii_config.access = {.operators = {"bin"}, .approvers = {group}, .auditors = {}};
  h.pair.start();
  REQUIRE(may(h.pair.aii_config.access, Right::approve, daemon.uid));
  const uid_t bin = 2;
  REQUIRE(may(h.pair.aii_config.access, Right::operate, bin));
  if (getuid() != 0) {  // owners cannot be changed: whoever runs this is no operator
    h.exchange();
    CHECK(has(h.pair.note(kListName), "I_OWNER"));
    return;
  }
  const auto drop_of = [&](uid_t owner) {
    h.pair.drop("." + kListName, csv_of(h.numbers));
    REQUIRE(chown((h.pair.drop_folder() / ("." + kListName)).c_str(), owner, 0) == 0);
    fs::rename(h.pair.drop_folder() / ("." + kListName), h.pair.drop_folder() / kListName);
    h.pair.run_to_rest();
  };
  for (const uid_t owner : {uid_t{0}, uid_t{65534}, uid_t{3999999}, daemon.uid}) {
    CAPTURE(owner);
    drop_of(owner);
    CHECK(has(h.pair.note(kListName), "I_OWNER"));
    CHECK(h.aii().ledger.exchanges().empty());
  }
  drop_of(bin);
  REQUIRE(h.pair.sent().stage == Stage::held);
  CHECK(h.told("approve", h.approval(), person_of(bin)) == "C_USER");
  CHECK(h.told("approve", h.approval(), person_of(0)) == "C_USER");
  CHECK(h.told("approve", h.approval(), kApprover) == "C_USER");
  CHECK(has(h.told("approve", h.approval(), daemon), "is released"));
  h.pair.run_to_rest();
  CHECK(h.lists().count(kYear) == 50);
}

TEST_CASE("Q14: a suspended side neither sends, fetches nor takes in, across restarts, and loses nothing") {
  Exchanging e;
  e.pair.aii->instance.agenda.ask("suspend", "", kOperator);
  e.pair.avsb->instance.agenda.ask("suspend", "", kOperator);
  e.pair.run_for(std::chrono::minutes(1));
  const std::size_t looks = e.pair.aii_share.calls(Verb::list);
  e.exchange();
  e.pair.start();  // it is durable
  e.pair.run_for(std::chrono::days(2));
  // Deadlines are looked at all the same.
  CHECK(e.pair.clock.now() - e.pair.aii->instance.agenda.chore(Chore::tidy).done_at.value() <
        std::chrono::hours(25));
  CHECK(fs::exists(e.pair.drop_folder() / kListName));
  CHECK(has(e.pair.note(kListName), "suspended"));
  CHECK(e.pair.aii->instance.ledger.exchanges().empty());
  CHECK(e.pair.aii_share.calls(Verb::list) == looks);
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention SUSPENDED"});

  Agenda& agenda = e.pair.aii->instance.agenda;
  const std::int64_t sent = agenda.ask("send-empty", "2025", kOperator);
  const std::int64_t same = agenda.ask("resume", "", kOperator);
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(agenda.result_of(sent).code == "C_SUSPENDED");
  CHECK(agenda.result_of(same).code == "C_USER");
  CHECK_FALSE(e.pair.aii->instance.holds.suspensions().empty());

  agenda.ask("resume", "", kApprover);
  e.pair.run_to_rest();
  REQUIRE(e.pair.sent().stage == Stage::sent);  // and no further: the other side is suspended still
  CHECK(e.lists().count(kYear) == 0);
  e.pair.avsb->instance.agenda.ask("resume", "", kApprover);
  e.pair.run_to_rest();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.lists().count(kYear) == 50);
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
  for (const char* event : {"suspended", "resumed"})
    CHECK(e.pair.aii->instance.db.query("SELECT 1 FROM audit WHERE event = :event", {event}).size() == 1);
}

TEST_CASE("Q14: the stop switch stops a transfer that is under way, which goes on after it") {
  Exchanging e;
  Instance& aii = e.pair.aii->instance;
  e.pair.avsb.reset();
  e.pair.drop(kListName, csv_of(e.numbers));
  std::int64_t asked = 0;
  e.pair.aii_share.on_put = [&] {
    if (asked == 0) asked = aii.agenda.ask("suspend", "", kOperator);
  };
  e.pair.run_for(std::chrono::hours(1));
  REQUIRE(asked != 0);
  CHECK(aii.agenda.result_of(asked).stage == CommandStage::done);
  CHECK(e.pair.sent().stage == Stage::sealed);
  CHECK(e.pair.sent().wait.attempts == 0);
  for (const std::string& name : e.pair.to_avsb()) CHECK(name.ends_with(".part"));
  aii.agenda.ask("resume", "", kApprover);
  e.pair.start_avsb();
  e.pair.run_to_rest();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
}

TEST_CASE("what is suspended can be taken back, and what is held can be stopped") {
  Holding h;
  h.exchange();
  h.told("suspend", "", kOperator);
  CHECK(h.told("approve", h.approval(), kApprover) == "C_SUSPENDED");
  SECTION("withdrawn") { CHECK(has(h.told("withdraw", h.pair.sent().id, kOperator), "is withdrawn")); }
  SECTION("rejected") { CHECK(has(h.told("reject", h.pair.sent().id, kApprover), "is rejected")); }
  CHECK_FALSE(h.aii().holds.suspensions().empty());
  CHECK(has(h.told("suspend", "", kApprover), "was suspended already"));
}

TEST_CASE("a sender restored to before the approval asks for it again, and delivers once") {
  Holding h;
  h.exchange();
  const Exchange held = h.pair.sent();
  h.pair.aii.reset();
  fs::copy(h.pair.aii_config.state, h.pair.root / "backup", fs::copy_options::recursive);
  h.pair.start_aii();
  h.told("approve", h.approval(), kApprover);
  const auto restore = [&] {
    h.pair.aii.reset();
    fs::remove_all(h.pair.aii_config.state);
    fs::copy(h.pair.root / "backup", h.pair.aii_config.state, fs::copy_options::recursive);
    h.pair.start_aii();
    REQUIRE(h.aii().ledger.exchange(held.id)->stage == Stage::held);
  };
  SECTION("its receipt was dealt with") {
    h.pair.run_to_rest();
    restore();
    h.pair.run_to_rest();
    REQUIRE(h.pair.sent().stage == Stage::held);
    h.told("approve", h.approval(), kApprover);
    h.pair.run_to_rest();
    CHECK(h.pair.open_alerts(*h.pair.aii).empty());
  }
  SECTION("its receipt is still to come") {
    h.pair.aii.reset();
    h.pair.run_to_rest();
    restore();
    h.pair.run_to_rest();
    CHECK(h.pair.open_alerts(*h.pair.aii) == Names{"attention F_HISTORY"});
    CHECK(topic_of(h.aii().alerts.open().front()) == "unreleased");
    CHECK(h.aii().holds.find(HoldKind::list, held.id)->state == HoldState::lapsed);
  }
  CHECK(h.pair.sent().stage == Stage::acknowledged);
  CHECK(h.pair.sent().package_sha256 == held.package_sha256);
  CHECK(h.lists().count(kYear) == 50);
}

TEST_CASE("Q14: a resumption that was asked for before somebody suspended again does not end that") {
  Holding h;
  h.exchange();
  CHECK(has(h.told("suspend", "", kOperator), "is suspended"));
  h.told("withdraw", h.pair.sent().id, kOperator);
  h.pair.drop(kListName, csv_of(h.numbers));  // would be taken in between both
  const auto early = h.aii().agenda.ask("resume", "", kApprover);
  h.pair.clock.advance(std::chrono::seconds(1));
  const auto again = h.aii().agenda.ask("suspend", "", kOther);
  h.pair.run_for(std::chrono::minutes(1));
  CHECK(h.aii().agenda.result_of(early).stage == CommandStage::done);
  CHECK(h.aii().agenda.result_of(again).stage == CommandStage::done);
  REQUIRE(h.aii().holds.suspensions().size() == 1);
  CHECK(h.aii().holds.suspensions().front().asked_by->uid == kOther.uid);
  CHECK(h.aii().ledger.exchanges().size() == 1);
  CHECK(h.told("resume", "", kOther) == "C_USER");
  CHECK(has(h.told("resume", "", kApprover), "goes on"));
}

TEST_CASE("Q14: who suspended releases nobody's own suspension, and each is released by somebody else") {
  Holding h;
  CHECK(has(h.told("suspend", "", kOperator), "is suspended"));
  CHECK(has(h.told("suspend", "", kOther), "was suspended already, by operator"));
  CHECK(has(h.told("suspend", "", kOperator), "was suspended already"));
  CHECK(h.aii().holds.suspensions().size() == 2);
  CHECK(h.told("send-empty", "2025", kOperator) == "C_SUSPENDED");
  CHECK(has(status_line(h.aii()), "SUSPENDED by another operator, operator"));
  SECTION("a third person ends all of them") { CHECK(has(h.told("resume", "", kApprover), "goes on")); }
  SECTION("or each of two the other's") {  // two approvers who both pressed the switch are not locked out
    CHECK(has(h.told("resume", "", kOperator), "stays suspended by operator"));
    CHECK(h.told("resume", "", kOperator) == "C_USER");
    CHECK(h.pair.open_alerts(*h.pair.aii) == Names{"attention SUSPENDED"});
    CHECK(has(h.told("resume", "", kOther), "goes on"));
  }
  CHECK(h.aii().holds.suspensions().empty());
  CHECK(h.pair.open_alerts(*h.pair.aii).empty());
  CHECK(has(h.told("resume", "", kApprover), "goes on"));  // and no harm done
}

TEST_CASE(
    "Q14: a suspension of a day to come, by a clock gone wrong, can be released once the clock is right") {
  Holding h;
  const Time now = h.pair.clock.now();
  h.pair.clock.advance(std::chrono::days(1500));
  CHECK(has(h.told("suspend", "", kOperator), "is suspended"));
  h.pair.clock.set(now + std::chrono::minutes(5));
  h.pair.run_for(std::chrono::minutes(1));
  CHECK(has(h.told("resume", "", kApprover), "goes on"));
}

TEST_CASE(
    "Q14: a list that was offered before the suspension, and stopped before that was written down, is told "
    "as sealed") {
  Holding h;
  const std::int64_t sent = h.aii().agenda.ask("send-empty", "2025", kOperator);
  h.pair.run_for(std::chrono::minutes(1));
  const std::string exchange = h.aii().agenda.result_of(sent).text;
  h.told("suspend", "", kOperator);
  h.aii().db.execute("UPDATE command SET stage = 'pending', due_at = 0 WHERE id = :id", {sent});
  h.pair.run_for(std::chrono::minutes(1));
  CHECK(h.aii().agenda.result_of(sent).stage == CommandStage::done);
  CHECK(h.aii().agenda.result_of(sent).text == exchange);
}

TEST_CASE("what only a decision ends is not made quiet by closing its alert") {
  Holding h;
  h.exchange();
  CHECK(h.told("close-alert", "1", kOperator) == "U_STATE");
  CHECK(has(h.told("suspend", "", kOperator), "is suspended"));
  CHECK(h.told("close-alert", "2", kOperator) == "U_STATE");
  CHECK(h.pair.open_alerts(*h.pair.aii) == Names{"attention RELEASE", "attention SUSPENDED"});
}

TEST_CASE("a command never gets the number of an earlier one, whose exchange would be taken for its own") {
  Holding h;
  const auto first = h.aii().agenda.ask("send-empty", "2025", kOperator);
  h.pair.run_for(std::chrono::minutes(1));
  REQUIRE(h.aii().agenda.result_of(first).stage == CommandStage::done);
  SECTION("since they are counted") {}
  SECTION("in a ledger from before they were") {
    h.aii().db.execute("DELETE FROM setting WHERE name = 'last_command'");
  }
  h.aii().db.execute("DELETE FROM command");  // as time does
  const auto second = h.aii().agenda.ask("send-empty", "2026", kOperator);
  CHECK(second > first);
  h.pair.run_for(std::chrono::minutes(1));
  CHECK(h.aii().ledger.exchange(h.aii().agenda.result_of(second).text)->reference_year == 2026);
  CHECK(h.told("send-empty", "2026 or was it 2025", kOperator) == "U_USAGE");
}

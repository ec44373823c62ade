// One list on its way: sent, recorded, acknowledged, withdrawn, overdue.

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/files.h"
#include "exchange/exchanging.h"
#include "support/canary.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

TEST_CASE("a dropped list is recorded at the receiver and acknowledged, and nothing is left lying about") {
  Exchanging e;
  e.exchange();
  CHECK(e.lists().count(kYear) == 50);
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.pair.note(kListName).find("Recorded at the receiver: 50 numbers") != std::string::npos);
  CHECK(e.pair.note(kListName).find("taken for a heading") != std::string::npos);
  CHECK(Pair::names(e.pair.drop_folder()) == Names{kListName + ".result.txt"});
  CHECK(e.pair.to_avsb().empty());
  CHECK(e.pair.to_aii().empty());
  CHECK(Pair::names(e.pair.avsb_config.state / "spool").empty());
  CHECK(Pair::names(e.pair.aii_config.state / "spool") == Names{e.pair.sent().stem + ".pgp"});
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
  CHECK(e.pair.open_alerts(*e.pair.avsb).empty());
  CHECK(verify_audit(e.pair.aii->instance.db, "aii", {}).problems.empty());
  CHECK(verify_audit(e.pair.avsb->instance.db, "avsb", {}).problems.empty());
}

TEST_CASE("the receipt that the sender keeps is for exactly the bytes that it sealed, and verifies") {
  Exchanging e;
  e.exchange();
  const Exchange x = e.pair.sent();
  const StoredReceipt stored = e.pair.aii->instance.ledger.receipt_of(x.id).value();
  const Receipt receipt = parse_receipt(stored.json);
  CHECK(receipt.package_sha256 == sha256_hex(FileBlob(e.pair.aii->instance.sealed_file(x))));
  CHECK(receipt.exchange == x.id);
  CHECK(receipt.status == ReceiptStatus::recorded);
  CHECK(receipt.records == 50);
  CHECK_NOTHROW(e.pair.aii_seal->verify(stored.json, stored.signature));
}

TEST_CASE("each side holds the other's signed audit head") {
  Exchanging e;
  e.exchange();
  const auto anchors = [](Side& side) {
    std::vector<AuditHead> heads;
    for (const Row& row : side.instance.db.query("SELECT seq, head FROM anchor"))
      heads.push_back({row.integer(0), row.text(1)});
    return heads;
  };
  const auto of_avsb = anchors(*e.pair.aii);
  REQUIRE(of_avsb.size() == 1);
  CHECK(verify_audit(e.pair.avsb->instance.db, "avsb", of_avsb).problems.empty());
  CHECK(verify_audit(e.pair.aii->instance.db, "aii", anchors(*e.pair.avsb)).problems.empty());
  e.pair.avsb->instance.db.execute("DELETE FROM audit WHERE seq >= :seq", {of_avsb[0].seq});
  const auto problems = verify_audit(e.pair.avsb->instance.db, "avsb", of_avsb).problems;
  CHECK(std::any_of(problems.begin(), problems.end(), [](const AuditProblem& problem) {
    return problem.kind == "truncated" && problem.text.find("known elsewhere") != std::string::npos;
  }));
}

TEST_CASE("Q04: a second list for a recorded year is refused at the sender, with the way to a correction") {
  Exchanging e;
  e.exchange();
  e.pair.drop(kListName, csv_of(fictitious_list(51, 2)));
  e.pair.run_to_rest();
  CHECK(e.pair.note(kListName).find("F_SECOND_LIST") != std::string::npos);
  CHECK(e.pair.note(kListName).find(e.pair.sent().id) != std::string::npos);
  CHECK(e.pair.note(kListName).find("correction") != std::string::npos);
  CHECK(fs::exists(e.pair.drop_folder() / kListName));
  CHECK(e.lists().count(kYear) == 50);
}

TEST_CASE(
    "Q04: a second list that reaches the receiver all the same is refused by it, naming the recorded one") {
  Exchanging e;
  e.exchange();
  const std::string recorded = e.pair.sent().id;
  e.pair.aii.reset();
  fs::remove_all(e.pair.aii_config.state);  // the sender forgot everything
  e.pair.start_aii();
  e.exchange();
  CHECK(e.pair.sent().stage == Stage::refused);
  CHECK(e.pair.note(kListName).find("F_SECOND_LIST") != std::string::npos);
  CHECK(e.pair.note(kListName).find(recorded) != std::string::npos);
  CHECK(e.lists().count(kYear) == 50);
}

TEST_CASE("after a refusal the corrected list goes out in a new exchange and is recorded") {
  Exchanging e;
  // Only the receiver knows a narrower window: what the sender lets through is refused there.
  e.pair.avsb.reset();
  e.pair.avsb_config.window.last_reference_year = 2025;
  e.pair.start_avsb();
  e.exchange();
  CHECK(e.pair.sent().stage == Stage::refused);
  CHECK(e.pair.note(kListName).find("F_WINDOW") != std::string::npos);
  CHECK(e.lists().count(kYear) == 0);
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention F_WINDOW"});

  e.pair.avsb.reset();
  e.pair.avsb_config.window.last_reference_year = 2026;
  e.pair.start_avsb();
  e.exchange();
  CHECK(e.pair.aii->instance.ledger.exchanges().size() == 2);
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.lists().count(kYear) == 50);
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
  CHECK(e.pair.open_alerts(*e.pair.avsb).empty());
}

TEST_CASE("an explicit empty list is recorded as such") {
  Exchanging e;
  e.pair.aii->instance.agenda.ask("send-empty", "2026", {1001, "operator"});
  e.pair.run_to_rest();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.pair.sent().records == 0);
  CHECK(e.lists().recorded_exchange(kYear) == e.pair.sent().id);
}

TEST_CASE("an empty list is not offered beside a list of that year in the drop folder, refused or not") {
  Exchanging e;
  e.pair.drop(kListName, "85070999752\n");
  e.pair.run_to_rest();
  Agenda& agenda = e.pair.aii->instance.agenda;
  const auto beside = agenda.ask("send-empty", "2026", {1001, "operator"});
  e.pair.run_to_rest();
  CHECK(agenda.result_of(beside).code == "U_STATE");
  fs::remove(e.pair.drop_folder() / kListName);
  const auto alone = agenda.ask("send-empty", "2026", {1001, "operator"});
  e.pair.run_to_rest();
  CHECK(agenda.result_of(alone).stage == CommandStage::done);
}

TEST_CASE("a faulty file offered by hand is refused with its first places") {
  Exchanging e;
  write_file(e.folder / kListName, csv_of(e.numbers) + "85070999752\n85130999727\n");
  Agenda& agenda = e.pair.aii->instance.agenda;
  const auto id = agenda.ask("send", (e.folder / kListName).string(), {1001, "operator"});
  e.pair.run_to_rest();
  CHECK(agenda.result_of(id).code == "I_FAULTY");
  CHECK(has(agenda.result_of(id).text, "line 52 (R_CHECK), line 53 (R_MONTH)"));
}

TEST_CASE("a file offered by hand is sent and stays where it lies") {
  Exchanging e;
  write_file(e.folder / kListName, csv_of(e.numbers));
  const auto id =
      e.pair.aii->instance.agenda.ask("send", (e.folder / kListName).string(), {1001, "operator"});
  e.pair.run_to_rest();
  CHECK(e.pair.aii->instance.agenda.result_of(id).text == e.pair.sent().id);
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(fs::exists(e.folder / kListName));
}

TEST_CASE(
    "Q11: a list that was sent can be withdrawn before it is fetched, and sent again; who did it is kept") {
  Exchanging e;
  e.pair.avsb.reset();
  e.exchange();
  CHECK(e.pair.sent().stage == Stage::sent);
  Database& db = e.pair.aii->instance.db;
  e.pair.aii->instance.agenda.ask("withdraw", e.pair.sent().id, {1001, "the officer (1001)"});
  e.pair.run_to_rest();
  const auto record = db.query_one("SELECT record FROM audit WHERE event = 'withdrawn'");
  REQUIRE(record);
  CHECK(record->text(0).find(R"-("who":"the officer (1001)")-") != std::string::npos);
  CHECK(e.pair.sent().stage == Stage::withdrawn);
  CHECK(e.pair.to_avsb().empty());
  e.pair.start_avsb();
  e.exchange();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.lists().count(kYear) == 50);
}

TEST_CASE("what a put left to go on with is abandoned by a withdrawal, and nothing of it is kept") {
  Exchanging e;
  e.pair.aii_share.forbid_put(true);
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::minutes(1));
  const Exchange x = e.pair.sent();
  e.pair.aii->instance.ledger.keep_note(x.id, "an address");
  e.pair.aii->instance.agenda.ask("withdraw", x.id, {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(e.pair.sent().stage == Stage::withdrawn);
  CHECK(e.pair.aii_share.abandoned == Names{x.package + " an address"});
  CHECK(e.pair.sent().resume_note.empty());
}

TEST_CASE("a withdrawal that came too late is corrected by the receipt") {
  Exchanging e;
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.avsb_share.forbid_put(true);
  e.pair.run_for(std::chrono::minutes(5));
  CHECK(e.lists().count(kYear) == 50);  // recorded, not yet answered
  e.pair.aii->instance.agenda.ask("withdraw", e.pair.sent().id, {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(e.pair.sent().stage == Stage::withdrawn);
  e.pair.avsb_share.forbid_put(false);
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention U_STATE"});
  e.pair.avsb.reset();
  e.pair.aii.reset();
  e.pair.start_aii();
  e.pair.aii->instance.agenda.ask("resend", e.pair.sent().id, {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(e.pair.to_avsb().size() == 1);  // as after a disaster there
}

TEST_CASE("a sealed package is kept for resending as long as configured, and then removed") {
  Exchanging e;
  e.exchange();
  const fs::path sealed = e.pair.aii->instance.sealed_file(e.pair.sent());
  e.pair.clock.advance(std::chrono::days(399));
  e.pair.run_for(std::chrono::minutes(2));
  CHECK(fs::exists(sealed));
  for (int day = 0; day < 3; ++day) e.pair.run_for(std::chrono::days(1));
  CHECK_FALSE(fs::exists(sealed));
  CHECK(e.pair.sent().stage == Stage::acknowledged);
}

TEST_CASE("a clock that jumps years ahead for a while removes no sealed package") {
  Exchanging e;
  e.exchange();
  const Time now = e.pair.clock.now();
  e.pair.clock.advance(std::chrono::days(3650));
  e.pair.run_for(std::chrono::minutes(2));
  e.pair.clock.set(now + std::chrono::minutes(3));
  e.pair.run_for(std::chrono::days(2));
  CHECK(fs::exists(e.pair.aii->instance.sealed_file(e.pair.sent())));
}

TEST_CASE("half-written files of ours are removed from the share after a day, other people's are left") {
  Exchanging e;
  const fs::path out = e.pair.root / "share/to_avsb";
  const std::string ours =
      "." + file_name(make_stem(Purpose::list, kYear, 1, e.pair.clock.now()), FileKind::package) + ".part";
  write_file(out / ours, "half");
  write_file(out / ".somebody-elses", "x");
  // The share has a clock of its own, which is neither the test's nor, on a faked day, this process's.
  const auto entries = e.pair.aii_share.list(Folder::outgoing, {});
  const auto half =
      std::find_if(entries.begin(), entries.end(), [&](const auto& x) { return x.name == ours; });
  REQUIRE(half != entries.end());
  e.pair.clock.set(half->modified.value() + std::chrono::hours(23));
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(fs::exists(out / ours));
  e.pair.clock.advance(std::chrono::hours(26));
  e.pair.run_for(std::chrono::minutes(1));
  CHECK_FALSE(fs::exists(out / ours));
  CHECK(fs::exists(out / ".somebody-elses"));
}

TEST_CASE("an engine that starts removes leavings of a step that was stopped, and nothing else") {
  Exchanging e;
  e.exchange();
  const fs::path spool = e.pair.aii_config.state / "spool";
  e.pair.aii->instance.ledger.reserve_stem(Purpose::list, 2025, 1);
  write_file(spool / (e.pair.aii->instance.ledger.reserved_stem() + ".pgp"), "half sealed");
  write_file(spool / "arrival-77", "half fetched");
  e.pair.aii.reset();
  e.pair.start_aii();
  CHECK(Pair::names(spool) == Names{e.pair.sent().stem + ".pgp"});
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE(
    "an alert that is open tells what is wrong now, and closes when it is put right after a restart too") {
  Exchanging e;
  e.pair.aii_share.fail_all(Code::s_rights);
  e.pair.run_for(std::chrono::hours(2));
  CHECK(e.pair.open_alerts(*e.pair.aii) ==
        Names{"attention S_RIGHTS", "attention S_RIGHTS"});  // poll and tidy
  e.pair.aii_share.heal();
  e.pair.aii_share.fail_all(Code::s_expired);
  e.pair.run_for(std::chrono::hours(2));
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention S_EXPIRED", "attention S_EXPIRED"});
  e.pair.aii.reset();
  e.pair.aii_share.heal();
  e.pair.start_aii();
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE("Q27: another host key is a finding that stays until a person closes it") {
  Exchanging e;
  e.pair.avsb_share.fail_all(Code::s_host_key);
  e.pair.run_for(std::chrono::hours(1));
  e.pair.avsb_share.heal();
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.open_alerts(*e.pair.avsb) == Names{"finding S_HOST_KEY"});
  Instance& avsb = e.pair.avsb->instance;
  avsb.agenda.ask("close-alert", std::to_string(avsb.alerts.open().front().id), {1001, "officer"});
  e.pair.run_to_rest();
  CHECK(e.pair.open_alerts(*e.pair.avsb).empty());
  CHECK(avsb.db.query("SELECT 1 FROM audit WHERE event = 'alert-closed'").size() == 1);
}

TEST_CASE("Q27: yet another host key is another attempt, also when the first was dismissed") {
  Exchanging e;
  std::string key = "SHA256:one";
  int tries = 0;
  e.pair.avsb_share.on_list = [&](std::vector<ShareEntry> entries) {
    if (!key.empty())
      throw Error(Code::s_host_key,
                  fmt::format("the server shows another host key: {} (try {})", key, ++tries));
    return entries;
  };
  Instance& avsb = e.pair.avsb->instance;
  e.pair.run_for(std::chrono::hours(3));
  CHECK(e.pair.open_alerts(*e.pair.avsb) == Names{"finding S_HOST_KEY"});
  avsb.agenda.ask("incident-dismiss", "1 the provider renewed it", {1005, "officer"});
  e.pair.run_for(std::chrono::hours(3));
  CHECK(avsb.alerts.incidents().all().size() == 1);
  CHECK(avsb.alerts.incidents().waiting().empty());
  key.clear();
  e.pair.run_for(std::chrono::hours(24));
  key = "SHA256:two";
  e.pair.run_for(std::chrono::hours(3));
  CHECK(avsb.alerts.incidents().all().size() == 2);
  CHECK(avsb.alerts.incidents().waiting().size() == 1);
  CHECK(e.pair.open_alerts(*e.pair.avsb) == Names(2, "finding S_HOST_KEY"));
}

TEST_CASE("what cannot be done for an hour is told to whoever asked, and forgotten") {
  Exchanging e;
  Agenda& agenda = e.pair.aii->instance.agenda;
  const auto missing = agenda.ask("send", (e.folder / kListName).native(), {1001, "operator"});
  e.pair.run_to_rest();
  CHECK(agenda.result_of(missing).code == "I_FILE");
  e.pair.aii_share.fail_all(Code::s_unreachable);
  const auto poll = agenda.ask("poll", "", {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(agenda.result_of(poll).code == "S_UNREACHABLE");
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::minutes(3));
  const auto resend = agenda.ask("resend", e.pair.sent().id, {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(30));
  CHECK(agenda.result_of(resend).stage == CommandStage::pending);
  e.pair.run_for(std::chrono::hours(1));
  CHECK(agenda.result_of(resend).code == "S_UNREACHABLE");
  CHECK(agenda.pending().empty());
}

TEST_CASE("what is asked back never leaves, however long the share is away meanwhile") {
  Exchanging e;
  e.pair.aii_share.fail_all(Code::s_unreachable);
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::minutes(3));
  Agenda& agenda = e.pair.aii->instance.agenda;
  const auto withdraw = agenda.ask("withdraw", e.pair.sent().id.substr(0, 8), {1001, "operator"});
  AlertBook& alerts = e.pair.aii->instance.alerts;
  e.pair.run_for(std::chrono::minutes(10));
  CHECK_FALSE(alerts.is_open("withdraw:" + e.pair.sent().id));  // it may mend itself
  e.pair.run_for(std::chrono::hours(3));
  CHECK(agenda.result_of(withdraw).stage == CommandStage::pending);
  CHECK(alerts.is_open("withdraw:" + e.pair.sent().id));
  e.pair.aii_share.heal();
  const auto before = e.pair.aii_share.calls(Verb::put);
  e.pair.run_to_rest();
  CHECK(e.pair.sent().stage == Stage::withdrawn);
  CHECK_FALSE(alerts.is_open("withdraw:" + e.pair.sent().id));
  CHECK(e.pair.aii_share.calls(Verb::put) == before);
  CHECK(e.lists().count(kYear) == 0);
}

TEST_CASE("what is asked back never leaves, whatever of the share a person has to put right first") {
  const Code code = GENERATE(Code::s_expired, Code::s_rights, Code::s_host_key, Code::s_publish);
  Exchanging e;
  e.pair.aii_share.fail_all(code);
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::minutes(3));
  Agenda& agenda = e.pair.aii->instance.agenda;
  const auto withdraw = agenda.ask("withdraw", e.pair.sent().id, {1001, "operator"});
  e.pair.run_for(std::chrono::hours(3));
  CHECK(agenda.result_of(withdraw).stage == CommandStage::pending);
  e.pair.aii_share.heal();
  e.pair.run_to_rest();
  CHECK(e.pair.sent().stage == Stage::withdrawn);
  CHECK(e.lists().count(kYear) == 0);
}

TEST_CASE("a withdrawal that the share blocks is told of, and what was told before of its trouble stays") {
  Exchanging e;
  e.pair.aii_share.fail_all(Code::s_rights);
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::minutes(3));
  Instance& aii = e.pair.aii->instance;
  const std::string id = e.pair.sent().id;
  REQUIRE(aii.alerts.is_open(step_cause(id)));
  aii.agenda.ask("withdraw", id, {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(aii.alerts.is_open("withdraw:" + id));
  e.pair.run_for(std::chrono::hours(3));  // the step comes by, and is put off
  CHECK(aii.alerts.is_open("withdraw:" + id));
  CHECK(aii.alerts.is_open(step_cause(id)));
  e.pair.aii_share.heal();
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.sent().stage == Stage::withdrawn);
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE("what was told of a withdrawal is over when it ends without having taken anything back") {
  Exchanging e;
  e.pair.avsb.reset();
  e.exchange();
  Instance& aii = e.pair.aii->instance;
  const std::string id = e.pair.sent().id;
  e.pair.aii_share.fail_all(Code::s_expired);
  aii.agenda.ask("withdraw", id, {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  REQUIRE(aii.alerts.is_open("withdraw:" + id));
  e.pair.aii_share.heal();
  e.pair.aii_share.forbid_remove(true);
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.sent().stage == Stage::sent);
  CHECK_FALSE(aii.alerts.is_open("withdraw:" + id));
}

TEST_CASE(
    "a list that was sent to a share that lets nobody remove it stays sent, and whoever wants it back is "
    "told") {
  Exchanging e;
  e.pair.avsb.reset();
  e.exchange();
  e.pair.aii_share.forbid_remove(true);
  Agenda& agenda = e.pair.aii->instance.agenda;
  const auto withdraw = agenda.ask("withdraw", e.pair.sent().id, {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(agenda.result_of(withdraw).code == "U_STATE");
  CHECK(e.pair.sent().stage == Stage::sent);
}

TEST_CASE("a list that is wanted back is not put again when it goes from the share meanwhile") {
  Exchanging e;
  e.pair.avsb.reset();
  e.exchange();
  REQUIRE(e.pair.to_avsb().size() == 1);
  e.pair.aii_share.fail_all(Code::s_expired);
  const auto withdraw = e.pair.aii->instance.agenda.ask("withdraw", e.pair.sent().id, {1001, "operator"});
  e.pair.run_for(std::chrono::hours(1));
  fs::remove(e.pair.root / "share/to_avsb" / e.pair.to_avsb().front());
  e.pair.aii_share.heal();
  const auto before = e.pair.aii_share.calls(Verb::put);
  e.pair.run_for(e.pair.aii_config.window.receipt_within + std::chrono::hours(2));
  CHECK(e.pair.aii->instance.agenda.result_of(withdraw).stage == CommandStage::done);
  CHECK(e.pair.sent().stage == Stage::withdrawn);
  CHECK(e.pair.aii_share.calls(Verb::put) == before);
}

TEST_CASE("a list that waits for the share goes out as soon as a look at it succeeds") {
  Exchanging e;
  e.pair.aii_share.fail_all(Code::s_unreachable);
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::hours(6));
  CHECK(e.pair.sent().stage == Stage::sealed);
  e.pair.aii_share.heal();
  e.pair.aii->instance.agenda.ask("poll", "", {1001, "operator"});
  e.pair.run_for(std::chrono::seconds(2));
  CHECK(e.pair.sent().stage == Stage::sent);
}

TEST_CASE("a package that was damaged in the spool is not sent, and the sender is told") {
  Exchanging e;
  e.pair.aii_share.fail_all(Code::s_unreachable);
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::minutes(1));
  const fs::path sealed = e.pair.aii->instance.sealed_file(e.pair.sent());
  std::string bytes = read_file(sealed);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_file(sealed, bytes);
  e.pair.aii_share.heal();
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.sent().stage == Stage::sealed);
  CHECK(e.pair.to_avsb().empty());
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention L_IO"});
}

TEST_CASE("a receipt is overdue in time, though the list was sent while the clock stood a month ahead") {
  Exchanging e;
  e.pair.avsb.reset();
  const Time now = e.pair.clock.now();
  e.pair.clock.advance(std::chrono::days(30));
  e.pair.drop(kListName, csv_of(e.numbers));
  for (int i = 0; i < 20; ++i) {
    e.pair.aii->run();
    e.pair.clock.advance(std::chrono::seconds(1));
  }
  CHECK(e.pair.sent().stage == Stage::sent);
  e.pair.clock.set(now);
  e.pair.aii->run();
  e.pair.clock.advance(std::chrono::hours(25));
  e.pair.aii->run();
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention L_CLOCK", "attention OVERDUE"});
}

TEST_CASE("a command that was carried out and not written down as done is not carried out twice") {
  Exchanging e;
  write_file(e.folder / kListName, csv_of(e.numbers));
  Instance& aii = e.pair.aii->instance;
  const auto again = [&](std::int64_t id, const std::string& argument) {
    aii.db.execute("UPDATE command SET stage = 'pending', due_at = :due, argument = :argument WHERE id = :id",
                   {to_millis(e.pair.clock.now()), argument, id});
    e.pair.run_for(std::chrono::minutes(1));
    return aii.agenda.result_of(id);
  };
  const auto send = aii.agenda.ask("send", (e.folder / kListName).native(), {1001, "operator"});
  e.pair.run_for(std::chrono::milliseconds(1));
  const std::string id = aii.agenda.result_of(send).text;
  CHECK(again(send, (e.folder / kListName).native()).text == id);
  e.pair.avsb.reset();
  e.pair.run_to_rest();
  CHECK(aii.ledger.exchanges().size() == 1);
}

TEST_CASE(
    "a chain whose tail was cut shows at its own side: by the receipts it signed, and by what the ledger "
    "holds") {
  Exchanging e;
  e.exchange();
  Database& avsb = e.pair.avsb->instance.db;
  Database& aii = e.pair.aii->instance.db;
  const auto kinds = [](Database& db, const std::string& party) {
    std::set<std::string> all;
    for (const AuditProblem& problem : verify_audit(db, party, {}).problems) all.insert(problem.kind);
    return all;
  };
  using Kinds = std::set<std::string>;
  CHECK(verify_audit(avsb, "avsb", {}).signed_here == 1);
  CHECK(verify_audit(aii, "aii", {}).signed_here == 0);
  CHECK(kinds(avsb, "avsb") == Kinds{});
  CHECK(kinds(aii, "aii") == Kinds{});
  SECTION("at the receiver") {
    avsb.execute("DELETE FROM audit WHERE seq > 2");
    CHECK(kinds(avsb, "avsb") == Kinds{"missing", "truncated"});
    Audit audit(avsb, e.pair.clock);
    avsb.transaction([&] {
      for (int i = 0; i < 9; ++i) audit.append("answered", e.pair.sent().id, {});
    });
    CHECK(kinds(avsb, "avsb") == Kinds{"forked"});
  }
  SECTION("a receipt that was changed") {
    avsb.execute("UPDATE receipt SET json = replace(json, 'recorded', 'rekorded')");
    CHECK(kinds(avsb, "avsb") == Kinds{"altered"});
  }
  SECTION("at the sender, after each record that it wrote of the exchange") {
    aii.execute("DELETE FROM audit WHERE seq > (SELECT seq FROM audit WHERE event = 'sent')");
    CHECK(kinds(aii, "aii") == Kinds{"missing"});
    aii.execute("DELETE FROM audit");
    CHECK(kinds(aii, "aii") == Kinds{"missing"});
  }
}

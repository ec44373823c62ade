// The end of the path: what must be over before, what remains, and what works afterwards.

#include "daemon/closing.h"

#include <catch2/catch.hpp>

#include "core/files.h"
#include "exchange/asking.h"
#include "support/canary.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

struct Closing : Asking {
  std::string told(Side& side, const std::string& verb, const std::string& argument = "") {
    return Asking::told(side.instance, verb, argument, kApprover);
  }
};

}  // namespace

TEST_CASE("a path is closed on both sides when nothing is open: the share is empty, a signed report stays") {
  Closing c;
  c.exchange();
  REQUIRE(c.pair.sent().stage == Stage::acknowledged);
  const std::string sealed = c.pair.sent().package;
  REQUIRE(fs::exists(c.pair.aii->instance.spool / sealed));
  for (Side* side : {c.pair.aii.get(), c.pair.avsb.get()}) {
    c.pair.run_for(2h);
    Instance& at = side->instance;
    for (const Alert& alert : at.alerts.open()) at.db.transaction([&] { at.alerts.close(alert.cause); });
    for (const Incident& incident : at.alerts.incidents().all())
      at.db.transaction(
          [&] { at.alerts.incidents().decide(incident.id, Verdict::dismissed, kApprover, "a trial"); });
    const fs::path unread = c.folder / "share/to_aii" / file_name(c.pair.sent().stem, FileKind::recorded, 9);
    write_file(unread, "not read yet");
    Command close;
    close.verb = "close-out";
    close.who = kApprover;
    CHECK_THROWS_AS(close_out(at, close, {}), Error);
    CHECK(fs::exists(unread));
    if (side == c.pair.aii.get()) {
      fs::remove(unread);
      CHECK(has(c.told(*side, "close-out"), "closed for good"));
    } else {
      close.argument = "remove-unread";
      CHECK(has(close_out(at, close, {}), "closed for good"));
      CHECK_FALSE(fs::exists(unread));
    }
    CHECK(at.alerts.is_known("closed-out"));
    const fs::path report = at.config.state / kClosingFolder / "closing-report.txt";
    const std::string text = read_file(report);
    CHECK(has(text, c.pair.sent().package_sha256));
    CHECK(has(text, at.audit.head().head) == false);  // the closing itself comes after it
    const std::string signature = read_file(report.native() + ".sig");
    Seal& other = side == c.pair.aii.get() ? *c.pair.avsb_seal : *c.pair.aii_seal;
    CHECK_NOTHROW(other.verify(text, signature));
    CHECK(has(c.told(*side, "close-out"), "closed for good"));
  }
  CHECK(c.pair.to_aii().empty());
  CHECK(c.pair.to_avsb().empty());
  CHECK_FALSE(fs::exists(c.pair.aii->instance.spool / sealed));

  CHECK(c.told(*c.pair.aii, "rehearse") == "C_CLOSED");
  CHECK(c.told(*c.pair.aii, "resend", c.pair.sent().id) == "C_CLOSED");
  CHECK(c.told(*c.pair.avsb, "export", "2026 premium") == "C_CLOSED");
  CHECK(c.told(*c.pair.avsb, "lookup", "2026-01-01 desk") == "C_CLOSED");
  CHECK(c.told(*c.pair.avsb, "forget", "notice") == "U_STATE");  // asked, and no number was given
  c.pair.drop("inburgeringsplicht-2025.csv", csv_of(c.numbers));
  c.pair.run_for(1h);
  CHECK(has(c.pair.note("inburgeringsplicht-2025.csv"), "C_CLOSED"));
  CHECK(c.pair.to_avsb().empty());
  c.pair.run_for(std::chrono::days(3));
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
  CHECK(c.lists().count(kYear) == 50);
}

TEST_CASE("a path is not closed while something is open, which is all told") {
  Closing c;
  c.pair.aii_share.forbid_put(true);
  c.exchange();
  c.pair.drop("vakantiefoto.csv", "x");
  c.pair.run_for(1min);
  const auto id = c.pair.aii->instance.agenda.ask("close-out", "", kApprover);
  c.pair.run_for(1min);
  const CommandResult result = c.pair.aii->instance.agenda.result_of(id);
  CHECK(result.code == "U_STATE");
  CHECK(has(result.text, "is sealed"));
  CHECK(has(result.text, "'veer withdraw " + c.pair.sent().id.substr(0, 8)));
  CHECK(has(result.text, "say --share-gone"));
  CHECK(has(result.text, "vakantiefoto.csv"));
  CHECK_FALSE(c.pair.aii->instance.settings.closed_out());
  c.pair.aii_share.forbid_put(false);
  c.pair.run_for(2h);
  CHECK(c.pair.sent().stage == Stage::acknowledged);
}

TEST_CASE(
    "what is not of this program stays on the share of a closed path, and is named in the report alone") {
  Closing c;
  c.exchange();
  write_file(c.folder / "share/to_avsb/vakantiefoto.jpg", "no list");
  write_file(c.folder / "share/to_avsb/.veer-probe-A B", "nobody's");
  c.pair.run_for(2h);
  REQUIRE_FALSE(c.pair.open_alerts(*c.pair.avsb).empty());
  CHECK(has(c.told(*c.pair.avsb, "close-out", "remove-unread"), "closed for good"));
  CHECK(has(read_file(c.pair.avsb_config.state / kClosingFolder / "closing-report.txt"),
            "vakantiefoto.jpg (not of this program)"));
  c.pair.run_for(std::chrono::days(3));
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
}

TEST_CASE("a path whose share is no more is closed by somebody's word for it") {
  Closing c;
  c.exchange();
  c.pair.aii_share.forbid_put(true);
  c.pair.run_for(2h);
  const fs::path share = c.folder / "share";
  fs::rename(share, c.folder / "moved");
  write_file(share, "no folder");
  CHECK(c.told(*c.pair.avsb, "close-out") == "U_STATE");
  CHECK_FALSE(c.pair.avsb->instance.settings.closed_out());
  CHECK(has(c.told(*c.pair.avsb, "close-out", "share-gone"), "closed for good"));
  CHECK(has(read_file(c.pair.avsb_config.state / kClosingFolder / "closing-report.txt"),
            "The share was not looked at"));
  c.pair.run_for(std::chrono::days(3));
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
}

TEST_CASE("a withdrawal that waits for a share that is no more keeps no path open") {
  Closing c;
  c.pair.aii_share.forbid_put(true);
  c.exchange();
  const fs::path share = c.folder / "share";
  fs::rename(share, c.folder / "moved");
  write_file(share, "no folder");
  Instance& aii = c.pair.aii->instance;
  const auto withdrawal = aii.agenda.ask("withdraw", c.pair.sent().id, kApprover);
  c.pair.run_for(std::chrono::hours(30));
  REQUIRE(aii.agenda.result_of(withdrawal).stage == CommandStage::pending);
  CHECK(c.told(*c.pair.aii, "close-out") == "U_STATE");
  CHECK(has(c.told(*c.pair.aii, "close-out", "share-gone"), "closed for good"));
  const CommandResult told = aii.agenda.result_of(withdrawal);
  CHECK(told.stage == CommandStage::failed);
  CHECK(told.code == "C_CLOSED");
  CHECK(has(told.text, "may still be recorded"));
  CHECK(c.told(*c.pair.aii, "withdraw", c.pair.sent().id) == "C_CLOSED");
  c.pair.run_for(std::chrono::days(3));
  CHECK(c.pair.open_alerts(*c.pair.aii).empty());
}

TEST_CASE("in production a path is not closed before the transition ends, unless its legal basis has") {
  Closing c;
  make_production(c.pair.avsb_config);
  c.pair.start_avsb();
  CHECK(c.told(*c.pair.avsb, "close-out") == "U_STATE");
  SECTION("after it") {
    c.pair.avsb_config.window.closes = parse_date("2026-02-28").value();
    c.pair.start_avsb();
  }
  SECTION("without a basis") {
    c.pair.avsb_config.legal_basis->valid_until = parse_date("2026-02-28").value();
    c.pair.start_avsb();
  }
  CHECK(has(c.told(*c.pair.avsb, "close-out"), "closed for good"));
}

TEST_CASE("a path that is closed keeps no list that was fetched and never read") {
  Closing c;
  const Time now = c.pair.clock.now();
  c.pair.avsb.reset();
  c.exchange();
  c.pair.aii.reset();
  c.pair.clock.set(now - std::chrono::days(30));
  c.pair.start_avsb();
  c.pair.run_for(2min);
  Instance& avsb = c.pair.avsb->instance;
  REQUIRE(avsb.ledger.open_arrivals().size() == 1);
  REQUIRE(Pair::names(avsb.spool).size() == 1);
  for (const Alert& alert : avsb.alerts.open()) avsb.db.transaction([&] { avsb.alerts.close(alert.cause); });
  write_file(avsb.quarantine / std::string(64, 'a'), "set aside");
  CHECK(has(c.told(*c.pair.avsb, "close-out", "remove-unread"), "closed for good"));
  CHECK(avsb.ledger.open_arrivals().empty());
  CHECK(Pair::names(avsb.spool).empty());
  CHECK(c.pair.to_avsb().empty());
  CHECK(has(read_file(avsb.config.state / kClosingFolder / "closing-report.txt"), std::string(64, 'a')));
}

TEST_CASE("a case that nobody may answer any more, for want of a legal basis, does not keep a path open") {
  Closing c;
  c.exchange();
  const auto id = c.pair.avsb->instance.agenda.ask("case-open", "2026 superfluous register", kOperator);
  c.pair.avsb->instance.files.put(id, file_with(digits_of(c.numbers[3])));
  c.pair.run_for(5min);
  REQUIRE(c.pair.aii->instance.cases.all().size() == 1);
  CHECK(c.told(*c.pair.aii, "close-out") == "U_STATE");
  make_production(c.pair.aii_config);
  c.pair.aii_config.legal_basis->valid_until = parse_date("2026-02-28").value();
  c.pair.start_aii();
  CHECK(has(c.told(*c.pair.aii, "close-out"), "closed for good"));
  CHECK(c.pair.aii->instance.cases.find("2026-1").outcome == CaseOutcome::closed);
  CHECK_FALSE(fs::exists(c.pair.aii_config.state / "cases"));
  c.pair.run_for(std::chrono::days(30));
  const auto alerts = c.pair.open_alerts(*c.pair.aii);
  CHECK(std::count_if(alerts.begin(), alerts.end(), [](const std::string& a) { return has(a, "CASE"); }) ==
        0);
}

TEST_CASE("Q17: on a path that is closed a person can still be forgotten, and evidence be written") {
  Closing c;
  c.exchange();
  c.pair.run_for(2h);
  REQUIRE(has(c.told(*c.pair.avsb, "close-out", "remove-unread"), "closed for good"));
  const auto told = [&](const std::string& verb, const std::string& argument, const Person& who) {
    return c.Asking::told(c.avsb(), verb, argument, who, file_with(digits_of(c.numbers[3])));
  };
  const std::string subject = told("forget", "notice 12", kOperator);
  REQUIRE(subject.starts_with("forget-"));
  CHECK(has(told("approve-forget", subject, kApprover), "is carried out"));
  CHECK(c.lists().count(kYear) == 49);
  CHECK_FALSE(c.lists().holds(kYear, c.numbers[3]));
  CHECK(files_holding(c.pair.avsb_config.state, {c.numbers[3]}).empty());
  c.avsb().evidence = [](const std::string& wish) { return "the proof of " + wish; };
  CHECK(c.Asking::told(c.avsb(), "evidence", "2026", kApprover, file_with("")) ==
        "the evidence was handed over");
}

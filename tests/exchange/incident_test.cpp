// Findings, as the protocol's officers deal with them: each attempt counts once, and the other side is told
// within 24 hours (articles 6, 9; Q26, Q27, Q28, Q47).

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "daemon/dates.h"
#include "daemon/officer.h"
#include "exchange/exchanging.h"
#include "support/canary.h"
#include "support/handmade.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

const Person kOfficer{1005, "officer"};

/// Somebody put bytes on the share that nobody signed.
struct Found : Exchanging {
  Found() {
    lay_bytes(pair, "vsb-inburgering-2026-r1_20260101000000000.pgp", "somebody else's");
    pair.run_for(5min);
    REQUIRE(avsb().alerts.incidents().all().size() == 1);
  }
  Instance& avsb() { return pair.avsb->instance; }
  Incident incident() { return avsb().alerts.incidents().find(1); }
  Names alerts() { return pair.open_alerts(*pair.avsb); }
  void until(std::chrono::minutes after) { pair.run_for(incident().found_at + after - pair.clock.now()); }
  std::string told(const std::string& verb, const std::string& argument, const Person& who = kOfficer) {
    const auto id = avsb().agenda.ask(verb, argument, who);
    pair.run_for(1min);
    const CommandResult result = avsb().agenda.result_of(id);
    REQUIRE(result.stage != CommandStage::pending);
    return result.stage == CommandStage::failed ? result.code : result.text;
  }
  std::size_t events(const std::string& event) {
    return avsb().db.query("SELECT 1 FROM audit WHERE event = :e", {event}).size();
  }
};

}  // namespace

TEST_CASE("Q26: the limit of what was found under a clock that stood ahead is reached in time all the same") {
  Exchanging e;
  const Time now = e.pair.clock.now();
  e.pair.clock.advance(24h * 3650);
  lay_bytes(e.pair, "vsb-inburgering-2026-r1_20260101000000000.pgp", "somebody else's");
  e.pair.run_for(5min);
  REQUIRE(e.pair.avsb->instance.alerts.incidents().all().size() == 1);
  e.pair.clock.set(now);
  e.pair.run_for(25h);
  const Names alerts = e.pair.open_alerts(*e.pair.avsb);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention INCIDENT_OVERDUE") == 1);
}

TEST_CASE(
    "Q27: an attempt opens one incident in the transaction that tells of it, however often it comes again") {
  Found f;
  CHECK(f.incident().verdict == Verdict::open);
  CHECK(f.incident().code == f.avsb().alerts.open().front().code);
  lay_bytes(f.pair, "vsb-inburgering-2026-r1_20260101000000000.pgp", "somebody else's");
  f.pair.run_for(10min);
  CHECK(f.avsb().alerts.incidents().all().size() == 1);
  lay_bytes(f.pair, "vsb-inburgering-2026-r1_20260101000000001.pgp", "something else again");
  f.pair.run_for(10min);
  CHECK(f.avsb().alerts.incidents().all().size() == 2);
  CHECK(f.pair.aii->instance.alerts.incidents().all().empty());
}

TEST_CASE(
    "Q26: the limit of 24 hours runs from the finding, is told of before it is reached, and beyond it") {
  Found f;
  const Names finding = f.alerts();
  REQUIRE(finding.size() == 1);
  f.until(19h + 59min);
  CHECK(f.alerts() == finding);
  f.until(20h + 1min);
  CHECK(f.alerts() == Names{"attention INCIDENT_DUE", finding.front()});
  f.until(23h + 59min);
  CHECK(f.alerts() == Names{"attention INCIDENT_DUE", finding.front()});
  f.until(24h + 1min);
  CHECK(f.alerts() == Names{"attention INCIDENT_OVERDUE", finding.front()});
  for (const Alert& alert : f.avsb().alerts.open())
    if (alert.cause == "incident:1") CHECK(f.told("close-alert", std::to_string(alert.id)) == "U_STATE");
  CHECK(f.alerts() == Names{"attention INCIDENT_OVERDUE", finding.front()});
  CHECK(has(f.told("incident-notified", "1 by mail to their officer"), "on record"));
  CHECK(f.alerts() == finding);
  f.pair.run_for(50h);
  CHECK(f.alerts() == finding);
}

TEST_CASE("Q26: of what was found just after midnight the warning comes in time too") {
  Exchanging e;
  e.pair.run_for(parse_time("2026-03-02T00:05:00Z").value() - e.pair.clock.now());
  lay_bytes(e.pair, "vsb-inburgering-2026-r1_20260101000000000.pgp", "somebody else's");
  e.pair.run_for(5min);
  AlertBook& book = e.pair.avsb->instance.alerts;
  REQUIRE(book.incidents().all().size() == 1);
  const Time warning = book.incidents().find(1).warning();
  e.pair.run_for(warning - 1min - e.pair.clock.now());
  CHECK_FALSE(book.is_open("incident:1"));
  e.pair.run_for(2min);
  CHECK(book.is_open("incident:1"));
}

TEST_CASE("Q47: of what is confirmed the 72 hours to the supervisor are told of, once, twelve hours before") {
  Found f;
  const auto told = [&] {
    return f.avsb().db.query("SELECT kind, text FROM alert WHERE code = 'INCIDENT_SUPERVISOR'");
  };
  SECTION("confirmed") {
    const Time due = f.incident().supervisor_due();
    CHECK(due == f.incident().found_at + 72h);
    CHECK(has(f.told("incident-confirm", "1 it was one"), format_time(due)));
    f.told("incident-notified", "1 by mail");
    f.until(59h + 59min);
    CHECK(told().empty());
    f.until(60h + 1min);
    REQUIRE(told().size() == 1);
    CHECK(told().front().text(0) == "notice");
    CHECK(has(told().front().text(1), format_time(due)));
    f.until(96h);
    CHECK(told().size() == 1);
  }
  SECTION("confirmed and closed") {
    for (const char* verb : {"incident-confirm", "incident-notified"}) f.told(verb, "1 so it was");
    CHECK(has(f.told("incident-close", "1"), "is closed"));
    f.until(96h);
    CHECK(told().empty());
  }
  SECTION("not judged yet") {
    f.until(96h);
    CHECK(told().empty());
  }
}

TEST_CASE(
    "Q27: an officer confirms or dismisses, and what was confirmed is closed once the other side was told") {
  Found f;
  CHECK(f.told("incident-close", "1") == "U_STATE");
  CHECK(f.told("incident-confirm", "1") == "U_USAGE");
  CHECK(f.told("incident-confirm", "x it was") == "U_USAGE");
  CHECK(f.told("incident-confirm", "9 it was") == "U_UNKNOWN");
  SECTION("confirmed, told, closed") {
    CHECK(has(f.told("incident-confirm", "1 nobody of ours put it there"), "is confirmed"));
    CHECK(f.told("incident-close", "1") == "U_STATE");
    f.told("incident-notified", "1 by telephone");
    CHECK(has(f.told("incident-close", "1"), "is closed"));
    CHECK(f.told("incident-dismiss", "1 or was it") == "U_STATE");
    CHECK(f.events("incident-confirmed") == 1);
    CHECK(f.events("incident-notified") == 1);
  }
  SECTION("dismissed, closed") {
    CHECK(has(f.told("incident-dismiss", "1 a test of the provider's"), "is dismissed"));
    CHECK(f.told("incident-notified", "1 by mail") == "U_STATE");
    f.until(25h);
    CHECK(f.alerts().size() == 1);
    CHECK(has(f.told("incident-close", "1"), "is closed"));
    CHECK(f.events("incident-dismissed") == 1);
  }
  SECTION("while the exchange is suspended") {
    f.told("suspend", "", {1001, "operator"});
    CHECK(has(f.told("incident-dismiss", "1 a mistake of ours"), "is dismissed"));
    CHECK(has(f.told("incident-close", "1"), "is closed"));
    f.told("resume", "", {1002, "approver"});
  }
  CHECK(f.alerts().empty());
  CHECK(f.incident().closed_at);
  CHECK(f.events("incident-closed") == 1);
}

TEST_CASE("Q27: who dismisses a finding is told of, once, and in production it takes an approver") {
  Found f;
  SECTION("told of") {
    for (int i = 0; i < 2; ++i) CHECK(has(f.told("incident-dismiss", "1 a trial"), "is dismissed"));
    const auto told = f.avsb().db.query("SELECT kind, text FROM alert WHERE code = 'INCIDENT_DISMISSED'");
    REQUIRE(told.size() == 1);
    CHECK(told.front().text(0) == "notice");
    CHECK(has(told.front().text(1), "officer dismissed incident 1"));
    CHECK_FALSE(has(told.front().text(1), "a trial"));
  }
  SECTION("and confirmed later, when its 24 hours are nearly over") {
    CHECK(has(f.told("incident-dismiss", "1 a trial"), "is dismissed"));
    f.pair.run_for(f.incident().due() - std::chrono::minutes(90) - f.pair.clock.now());
    CHECK_FALSE(f.avsb().alerts.is_open("incident:1"));
    CHECK(has(f.told("incident-confirm", "1 it was one"), "is confirmed"));
    f.pair.run_for(std::chrono::minutes(5));
    CHECK(f.avsb().alerts.is_open("incident:1"));
  }
  SECTION("in production") {
    make_production(f.pair.avsb_config);
    f.pair.avsb_config.access.approvers = {"daemon"};  // on every Debian, and so is its user of that number
    f.pair.start_avsb();
    const Person approver = person_of(1);
    CHECK(f.told("incident-dismiss", "1 a trial") == "C_USER");
    CHECK(has(f.told("incident-confirm", "1 it was one"), "is confirmed"));
    CHECK(has(f.told("incident-dismiss", "1 a trial", approver), "is dismissed"));
    CHECK(f.told("incident-close", "1") == "C_USER");
    CHECK(has(f.told("incident-close", "1", approver), "is closed"));
  }
}

TEST_CASE(
    "Q47: the notice and the breach report say what is known, leave blanks for the rest, and name nobody") {
  Found f;
  f.told("incident-confirm", "1 of 85.07.30-033.61 perhaps");
  Exchange exchange;
  exchange.records = 50;
  for (const Language language : {Language::nl, Language::en}) {
    f.pair.avsb_config.language = language;
    const std::string notice = notice_of(f.incident(), f.pair.avsb_config);
    CHECK(has(notice, "aii"));
    CHECK(has(notice, f.incident().code));
    const std::string report =
        breach_report_of(f.incident(), f.pair.avsb_config, exchange, f.pair.clock.now());
    for (const char* part : {"a) ", "b) ", "c) ", "d) ", "............", ": 50\n", "INSZ"})
      CHECK(has(report, part));
    CHECK(has(report, said_time(f.incident().supervisor_due(), language)));
    for (const std::string& text : {notice, report}) {
      CHECK(text.find('{') == std::string::npos);
      CHECK_FALSE(has(text, "033.61"));
      CHECK_FALSE(holds_number(text, f.numbers));
    }
  }
}

TEST_CASE("Q47: what an officer said of an incident is said otherwise as long as it is not closed") {
  Found f;
  CHECK(has(f.told("close-alert", std::to_string(f.avsb().alerts.open().front().id)), "Incident 1 is open"));
  CHECK(f.told("incident-dismiss", "1 a trial") != "U_STATE");
  CHECK(f.told("incident-confirm", "1 it was none after all", {1006, "another officer"}) != "U_STATE");
  CHECK(f.incident().verdict == Verdict::confirmed);
  CHECK(f.incident().waits());
  CHECK(f.events("incident-confirmed") + f.events("incident-dismissed") == 2);
  f.until(25h);
  const Names alerts = f.alerts();
  CHECK(std::count(alerts.begin(), alerts.end(), "attention INCIDENT_OVERDUE") == 1);
}

TEST_CASE(
    "Q26: what others are told of a finding names code and file, and neither our folders nor what we are to "
    "do") {
  Found f;
  const std::string text = f.incident().text;
  REQUIRE(has(text, f.avsb().quarantine.native()));
  REQUIRE(has(text, "your officer"));
  for (const Language language : {Language::nl, Language::en}) {
    f.pair.avsb_config.language = language;
    for (const std::string& said :
         {notice_of(f.incident(), f.pair.avsb_config),
          breach_report_of(f.incident(), f.pair.avsb_config, std::nullopt, f.pair.clock.now())}) {
      CHECK(has(said, f.incident().code + ": "));
      CHECK(has(said, "vsb-inburgering-2026-r1_20260101000000000.pgp"));
      CHECK_FALSE(has(said, f.avsb().quarantine.native()));
      CHECK_FALSE(has(said, "your officer"));
    }
  }
}

TEST_CASE("Q47: the breach report of a rehearsal names no persons, and that of a list does") {
  Incident incident;
  incident.code = "T_INTEGRITY";
  incident.text = "vsb-rehearsal-202601_20260101000000000.pgp was set aside: the message is damaged";
  Config config;
  config.language = Language::en;
  const std::string persons = "persons who had not met";
  const auto report = [&](const std::optional<Exchange>& exchange) {
    return breach_report_of(incident, config, exchange, Time{});
  };
  CHECK_FALSE(has(report(std::nullopt), persons));
  CHECK(has(report(std::nullopt), "a rehearsal is about nobody"));
  Exchange list;
  CHECK(has(report(list), persons));
  list.purpose = Purpose::rehearsal;
  CHECK_FALSE(has(report(list), persons));
  incident.text = "vsb-inburgering-2026-r1_20260101000000000.pgp was set aside: the message is damaged";
  CHECK(has(report(std::nullopt), persons));
}

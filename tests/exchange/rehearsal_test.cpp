// The yearly path, walked with a list of nobody (docs/protocol.md, Rehearsals), and silence that is noticed.

#include <algorithm>

#include <catch2/catch.hpp>

#include "exchange/exchanging.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

const Person kOperator{1001, "operator"};

struct Rehearsing : Exchanging {
  Instance& aii() { return pair.aii->instance; }
  Instance& avsb() { return pair.avsb->instance; }
  CommandResult told(const std::string& verb, const std::string& argument = {}) {
    const std::int64_t id = aii().agenda.ask(verb, argument, kOperator);
    pair.run_for(1min);
    return aii().agenda.result_of(id);
  }
  /// Rehearses by the clock.
  void begin(std::chrono::milliseconds every, std::chrono::milliseconds unheard_after = 0ms) {
    pair.aii_config.rehearse_every = every;
    pair.aii_config.window.unheard_after = pair.avsb_config.window.unheard_after = unheard_after;
    pair.aii.reset();
    pair.avsb.reset();
    pair.start();
  }
  /// Looks in once a day: a minute's looks at the drop folder are many.
  void days(int n) {
    for (int day = 0; day < n; ++day) {
      pair.clock.advance(24h - 15min);
      pair.run_for(15min);
    }
  }
  Names alerts_of_aii() { return pair.open_alerts(*pair.aii); }
  Names alerts_of_avsb() { return pair.open_alerts(*pair.avsb); }
};

}  // namespace

TEST_CASE("a rehearsal walks the whole path, is answered, and is recorded nowhere") {
  Rehearsing r;
  r.pair.aii_config.intake.release = Release::always;  // no person is asked about nobody
  r.pair.start_aii();
  const CommandResult made = r.told("rehearse");
  REQUIRE(made.stage == CommandStage::done);
  r.pair.run_to_rest();
  const Exchange x = r.pair.sent();
  CHECK(x.id == made.text);
  CHECK(x.purpose == Purpose::rehearsal);
  CHECK(x.stage == Stage::acknowledged);
  CHECK(has(x.package, "vsb-rehearsal-"));
  CHECK(r.aii().ledger.receipt_of(x.id)->status == ReceiptStatus::rehearsed);
  CHECK(r.lists().count(kYear) == 0);
  CHECK(r.avsb().db.query("SELECT 1 FROM entry").empty());
  CHECK(r.alerts_of_aii().empty());
  CHECK(r.alerts_of_avsb().empty());
  CHECK(r.aii().ledger.last_rehearsal(true)->id == x.id);
  CHECK(r.avsb().ledger.last_rehearsal(true)->id == x.id);
  CHECK(r.pair.to_avsb().empty());
}

TEST_CASE("a rehearsal takes no year's place, and the list of that year comes after it") {
  Rehearsing r;
  r.told("rehearse");
  r.pair.run_to_rest();
  r.exchange();
  CHECK(r.pair.sent().purpose == Purpose::list);
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.lists().count(kYear) == 50);
  r.pair.clock.advance(1min);
  CHECK(r.told("rehearse").stage == CommandStage::done);
  r.pair.run_to_rest();
  CHECK(r.pair.sent().purpose == Purpose::rehearsal);
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.lists().count(kYear) == 50);
}

TEST_CASE("one rehearsal at a time, none of a suspended side, and one command makes one") {
  Rehearsing r;
  r.pair.avsb.reset();
  const std::int64_t first = r.aii().agenda.ask("rehearse", "", kOperator);
  r.pair.run_for(1min);
  CHECK(r.told("rehearse").code == "U_STATE");
  r.aii().db.execute("UPDATE command SET stage = 'pending', due_at = 0 WHERE id = :id", {first});
  r.pair.run_for(1min);
  CHECK(r.aii().ledger.exchanges().size() == 1);
  CHECK(r.aii().agenda.result_of(first).stage == CommandStage::done);
  CHECK(r.told("withdraw", r.pair.sent().id).stage == CommandStage::done);
  r.told("suspend");
  CHECK(r.told("rehearse").code == "C_SUSPENDED");
}

TEST_CASE("rehearsals come by the clock: the first a day after the beginning, then one each period") {
  Rehearsing r;
  r.begin(30 * 24h);
  r.pair.run_for(1h);
  CHECK(r.aii().ledger.exchanges().empty());
  r.days(92);
  auto all = r.aii().ledger.exchanges();
  std::reverse(all.begin(), all.end());
  REQUIRE(all.size() == 4);
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].stage == Stage::acknowledged);
    if (i > 0) CHECK(all[i].opened_at - all[i - 1].opened_at >= 30 * 24h);
    if (i > 0) CHECK(all[i].opened_at - all[i - 1].opened_at < 32 * 24h);
  }
  CHECK(r.alerts_of_aii().empty());
  r.pair.aii.reset();  // nor does a new start make another
  r.pair.start_aii();
  r.pair.run_for(1h);
  CHECK(r.aii().ledger.exchanges().size() == 4);
}

TEST_CASE("a rehearsal that was made while the clock stood years ahead does not end all rehearsals") {
  Rehearsing r;
  r.begin(30 * 24h);
  const Time now = r.pair.clock.now();
  r.pair.clock.advance(5 * 365 * 24h);
  r.pair.run_for(2h);
  const std::size_t made = r.aii().ledger.exchanges().size();
  CHECK(made >= 1);
  r.pair.clock.set(now);
  r.days(40);
  CHECK(r.aii().ledger.exchanges().size() > made);
  CHECK(r.aii().ledger.exchanges().size() <= made + 2);
}

TEST_CASE(
    "a rehearsal that nobody answers is one alert, no second follows it, and the next good one ends it") {
  Rehearsing r;
  r.begin(7 * 24h);
  r.pair.avsb.reset();
  r.days(20);
  CHECK(r.aii().ledger.exchanges().size() == 1);
  CHECK(r.alerts_of_aii() == Names{"attention OVERDUE"});
  CHECK(topic_of(r.aii().alerts.open().front()) == "rehearsal");
  SECTION("answered late") {
    r.pair.start_avsb();
    r.pair.run_for(3h);
    CHECK(r.alerts_of_aii().empty());
  }
  SECTION("taken back, and another one") {
    r.told("withdraw", r.pair.sent().id);
    CHECK(r.alerts_of_aii() == Names{"attention OVERDUE"});
    r.pair.start_avsb();
    r.told("rehearse");
    r.pair.run_for(3h);
    CHECK(r.alerts_of_aii().empty());
  }
}

TEST_CASE("a rehearsal that is refused is an alert on both sides, until one goes well") {
  Rehearsing r;
  make_production(r.pair.avsb_config);
  r.pair.start_avsb();
  r.told("rehearse");
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::refused);
  CHECK_FALSE(r.aii().ledger.last_rehearsal(true));
  CHECK_FALSE(r.avsb().ledger.last_rehearsal(true));
  CHECK(r.alerts_of_aii() == Names{"attention F_ENVIRONMENT"});
  CHECK(r.alerts_of_avsb() == Names{"attention F_ENVIRONMENT", "attention UNPROVEN"});
  r.exchange();  // a list's end says nothing of rehearsals
  CHECK(r.alerts_of_aii() == Names{"attention F_ENVIRONMENT", "attention F_ENVIRONMENT"});
  r.pair.avsb_config.environment = Environment::test;
  r.pair.start_avsb();
  r.told("rehearse");
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.alerts_of_aii().size() == 1);
  CHECK(topic_of(r.aii().alerts.open().front()) == "refused");
}

TEST_CASE("either side notices that the other has been silent for too long, and hears it again") {
  Rehearsing r;
  r.begin(30 * 24h, 40 * 24h);
  r.days(60);
  CHECK(r.alerts_of_aii().empty());
  CHECK(r.alerts_of_avsb().empty());
  SECTION("the sender") {
    r.pair.aii.reset();
    r.days(42);
    CHECK(r.alerts_of_avsb() == Names{"attention UNHEARD"});
    CHECK(topic_of(r.avsb().alerts.open().front()) == "unheard");
    r.pair.start_aii();
    r.pair.run_for(26h);
    CHECK(r.alerts_of_avsb().empty());
  }
  SECTION("the receiver") {
    r.pair.avsb.reset();
    r.days(72);
    const Names alerts = r.alerts_of_aii();
    CHECK(std::count(alerts.begin(), alerts.end(), "attention UNHEARD") == 1);
    r.pair.start_avsb();
    r.pair.run_for(26h);
    CHECK(r.alerts_of_aii().empty());
  }
}

TEST_CASE("a side that never heard the other says so too") {
  Rehearsing r;
  r.begin(0ms, 40 * 24h);
  r.days(39);
  CHECK(r.alerts_of_avsb().empty());
  r.days(3);
  CHECK(r.alerts_of_avsb() == Names{"attention UNHEARD"});
  CHECK(r.alerts_of_aii() == Names{"attention UNHEARD"});
}

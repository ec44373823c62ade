// A database that was restored from an old backup, on either side, and shares that lose or keep things.

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "support/fictitious.h"
#include "support/pair.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

namespace {

struct Restoring {
  TempFolder folder{TempFolder::Place::in_memory};
  std::vector<Insz> numbers = fictitious_list(40, 4);
  Pair pair{folder.path()};

  Restoring() { pair.start(); }
  void exchange() {
    pair.drop(kListName, csv_of(numbers));
    pair.run_to_rest();
  }
  /// Takes a copy of a side's state as a backup would, with the side at a standstill.
  static void back_up(const fs::path& state) {
    fs::remove_all(state.native() + ".backup");
    fs::copy(state, state.native() + ".backup", fs::copy_options::recursive);
  }
  static void restore(const fs::path& state) {
    fs::remove_all(state);
    fs::copy(state.native() + ".backup", state, fs::copy_options::recursive);
  }
  /// One whole exchange, of which the receiver, stopped now, remembers nothing.
  void exchange_and_forget_at_avsb() {
    pair.avsb.reset();
    back_up(pair.avsb_config.state);
    pair.start_avsb();
    exchange();
    pair.avsb.reset();
    restore(pair.avsb_config.state);
  }
};

}  // namespace

TEST_CASE("a receiver restored to before the list records it again from the resent package") {
  Restoring r;
  r.pair.avsb.reset();
  Restoring::back_up(r.pair.avsb_config.state);
  r.pair.start_avsb();
  r.exchange();
  REQUIRE(r.pair.sent().stage == Stage::acknowledged);

  r.pair.avsb.reset();
  Restoring::restore(r.pair.avsb_config.state);
  r.pair.start_avsb();
  CHECK(r.pair.avsb->instance.lists.count(kYear) == 0);
  r.pair.aii->instance.agenda.ask("resend", r.pair.sent().id, {1001, "operator"});
  r.pair.run_to_rest();
  CHECK(r.pair.avsb->instance.lists.count(kYear) == 40);
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.pair.open_alerts(*r.pair.aii) == Names{"attention L_AUDIT"});  // the other side's chain went back
  CHECK(r.pair.to_aii().empty());
}

TEST_CASE("a sender restored to before the list adopts the receipt that it finds") {
  Restoring r;
  r.pair.aii.reset();
  Restoring::back_up(r.pair.aii_config.state);
  r.pair.start_aii();
  r.pair.drop(kListName, csv_of(r.numbers));
  r.pair.run_for(std::chrono::seconds(10));
  const Exchange before = r.pair.sent();
  r.pair.aii.reset();
  r.pair.run_for(std::chrono::minutes(5));  // the receiver records and answers
  Restoring::restore(r.pair.aii_config.state);
  r.pair.start_aii();
  r.pair.run_to_rest();
  const Exchange after = r.pair.sent();
  CHECK(after.id == before.id);
  CHECK(after.stage == Stage::acknowledged);
  CHECK(after.origin == "adopted");
  CHECK(after.reference_year == kYear);
  CHECK(r.pair.open_alerts(*r.pair.aii) == Names{"notice ADOPTED"});
  // What was adopted counts: the same list is not sent twice.
  r.exchange();
  CHECK(r.pair.note(kListName).find("F_SECOND_LIST") != std::string::npos);
}

TEST_CASE("a sender restored to before the list hears of the refusal that it finds") {
  Restoring r;
  r.pair.avsb_config.window.first_reference_year = kYear + 1;
  r.pair.avsb_config.window.last_reference_year = kYear + 1;
  r.pair.start_avsb();
  r.pair.aii.reset();
  Restoring::back_up(r.pair.aii_config.state);
  r.pair.start_aii();
  r.pair.drop(kListName, csv_of(r.numbers));
  r.pair.run_for(std::chrono::seconds(10));
  r.pair.aii.reset();
  r.pair.run_for(std::chrono::minutes(5));  // the receiver refuses and answers
  Restoring::restore(r.pair.aii_config.state);
  r.pair.start_aii();
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::refused);
  CHECK(r.pair.open_alerts(*r.pair.aii) == Names{"attention F_WINDOW", "notice ADOPTED"});
}

TEST_CASE("a sender restored to the moment before sending puts the same bytes and gets the same receipt") {
  Restoring r;
  r.pair.aii_share.forbid_put(true);
  r.exchange();
  REQUIRE(r.pair.sent().stage == Stage::sealed);
  r.pair.aii.reset();
  Restoring::back_up(r.pair.aii_config.state);
  r.pair.start_aii();
  r.pair.aii_share.forbid_put(false);
  r.pair.run_for(std::chrono::hours(1));
  const StoredReceipt first = r.pair.aii->instance.ledger.receipt_of(r.pair.sent().id).value();
  r.pair.aii.reset();
  Restoring::restore(r.pair.aii_config.state);
  r.pair.start_aii();
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.pair.aii->instance.ledger.receipt_of(r.pair.sent().id)->json == first.json);
  CHECK(r.pair.avsb->instance.lists.count(kYear) == 40);
}

TEST_CASE(
    "a sender restored to before sealing keeps the sealed package that it does not remember, and tells of "
    "it") {
  Restoring r;
  r.pair.aii.reset();
  r.pair.start_aii();
  r.pair.aii.reset();
  Restoring::back_up(r.pair.aii_config.state);
  r.pair.start_aii();
  r.pair.aii_share.forbid_put(true);
  r.pair.drop(kListName, csv_of(r.numbers));
  r.pair.run_for(std::chrono::minutes(1));
  const std::string sealed = r.pair.sent().stem + ".pgp";
  const std::string bytes = read_file(r.pair.aii_config.state / "spool" / sealed);
  r.pair.aii.reset();
  fs::copy(r.pair.aii_config.state.native() + ".backup/ledger.db", r.pair.aii_config.state / "ledger.db",
           fs::copy_options::overwrite_existing);
  fs::remove(r.pair.aii_config.state / "ledger.db-wal");
  r.pair.start_aii();
  CHECK(read_file(r.pair.aii_config.state / "spool" / sealed) == bytes);
  CHECK(r.pair.open_alerts(*r.pair.aii) == Names{"attention F_HISTORY"});
  CHECK(topic_of(r.pair.aii->instance.alerts.open().front()) == "orphan");
}

TEST_CASE("a held package whose copy a restore took away is fetched again when it is let pass") {
  Restoring r;
  r.exchange_and_forget_at_avsb();
  r.pair.start_avsb();
  r.pair.drop("inburgeringsplicht-2025.csv", csv_of(fictitious_list(10, 6)));
  r.pair.run_to_rest();
  const Arrival held = r.pair.avsb->instance.ledger.open_arrivals().at(0);
  SECTION("gone") { fs::remove(r.pair.avsb->instance.fetched_file(held)); }
  SECTION("damaged") { write_file(r.pair.avsb->instance.fetched_file(held), "something else"); }
  r.pair.avsb->instance.agenda.ask("approve", held.name + " " + held.sha256, {1002, "approver"});
  r.pair.run_to_rest();
  CHECK(r.pair.avsb->instance.lists.count(2025) == 10);
  CHECK(r.pair.avsb->instance.ledger.quarantined() == 0);
}

TEST_CASE(
    "a receiver restored while the window has closed refuses what it had recorded, and the sender is told") {
  Restoring r;
  r.exchange_and_forget_at_avsb();
  r.pair.avsb_config.window.first_reference_year = kYear + 1;
  r.pair.avsb_config.window.last_reference_year = kYear + 1;
  r.pair.start_avsb();
  r.pair.aii->instance.agenda.ask("resend", r.pair.sent().id, {1001, "operator"});
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.pair.open_alerts(*r.pair.aii) == Names{"attention F_HISTORY", "attention L_AUDIT"});
  std::set<std::string> topics;
  for (const Alert& alert : r.pair.aii->instance.alerts.open()) topics.insert(topic_of(alert));
  CHECK(topics == std::set<std::string>{"anchor", "contradiction"});
}

TEST_CASE("what a receiver refused, and after a restore recorded, counts as recorded at the sender") {
  Restoring r;
  r.pair.avsb.reset();
  Restoring::back_up(r.pair.avsb_config.state);
  r.pair.avsb_config.window.first_reference_year = r.pair.avsb_config.window.last_reference_year = kYear + 1;
  r.pair.start_avsb();
  r.exchange();
  REQUIRE(r.pair.sent().stage == Stage::refused);
  r.pair.avsb.reset();
  Restoring::restore(r.pair.avsb_config.state);
  r.pair.avsb_config.window.first_reference_year = r.pair.avsb_config.window.last_reference_year = kYear;
  r.pair.start_avsb();
  r.pair.aii->instance.agenda.ask("resend", r.pair.sent().id, {1001, "operator"});
  r.pair.run_to_rest();
  CHECK(r.pair.avsb->instance.lists.count(kYear) == 40);
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  const Names alerts = r.pair.open_alerts(*r.pair.aii);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention F_HISTORY") == 1);
}

TEST_CASE("a receiver that lost its history holds the next list until an approver lets it pass") {
  Restoring r;
  r.exchange_and_forget_at_avsb();
  r.pair.start_avsb();
  r.pair.drop("inburgeringsplicht-2025.csv", csv_of(fictitious_list(10, 6)));
  r.pair.run_to_rest();
  CHECK(r.pair.avsb->instance.lists.count(2025) == 0);
  CHECK(r.pair.open_alerts(*r.pair.avsb) == Names{"attention F_HISTORY"});
  CHECK(topic_of(r.pair.avsb->instance.alerts.open().front()) == "history");
  const std::string package = r.pair.sent().package;
  r.pair.avsb->instance.agenda.ask("approve", package + " " + r.pair.sent().package_sha256,
                                   {1002, "approver"});
  r.pair.run_to_rest();
  CHECK(r.pair.avsb->instance.lists.count(2025) == 10);
  CHECK(r.pair.sent().stage == Stage::acknowledged);
}

TEST_CASE(
    "a receipt that stays out raises an alert, and a package that vanished is put again with the same "
    "bytes") {
  Restoring r;
  r.pair.avsb.reset();
  r.exchange();
  REQUIRE(r.pair.to_avsb().size() == 1);
  const std::string bytes = read_file(r.pair.root / "share/to_avsb" / r.pair.to_avsb()[0]);
  fs::remove(r.pair.root / "share/to_avsb" / r.pair.to_avsb()[0]);
  r.pair.run_for(std::chrono::hours(23));
  CHECK(r.pair.open_alerts(*r.pair.aii).empty());
  r.pair.run_for(std::chrono::hours(2));
  CHECK(r.pair.open_alerts(*r.pair.aii) == Names{"attention OVERDUE"});
  CHECK(r.pair.note(kListName).find("overdue") != std::string::npos);
  REQUIRE(r.pair.to_avsb().size() == 1);
  CHECK(read_file(r.pair.root / "share/to_avsb" / r.pair.to_avsb()[0]) == bytes);

  r.pair.start_avsb();
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.pair.open_alerts(*r.pair.aii).empty());
}

TEST_CASE("a receipt from another exchange does not acknowledge this one") {
  Restoring r;
  r.exchange();
  const StoredReceipt old = r.pair.aii->instance.ledger.receipt_of(r.pair.sent().id).value();
  r.pair.avsb.reset();
  r.pair.drop("inburgeringsplicht-2025.csv", csv_of(fictitious_list(10, 6)));
  r.pair.run_to_rest();
  const Exchange open = r.pair.sent();
  REQUIRE(open.stage == Stage::sent);
  write_file(r.pair.root / "share/to_aii" / (open.stem + ".recorded.tar"),
             write_receipt_archive({old.json, old.signature}));
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::sent);
}

TEST_CASE("a receipt that nobody signed, or a stranger, is a finding and acknowledges nothing") {
  Restoring r;
  r.pair.avsb.reset();
  r.exchange();
  const Exchange open = r.pair.sent();
  std::string archive = "not even an archive";
  SECTION("no archive") {}
  SECTION("a signature that is none") { archive = write_receipt_archive({"{}", "x"}); }
  SECTION("a stranger's") {
    const std::vector<PinnedKey> stranger = {{"C33C33C33C33C33C33C33C33C33C33C33C33C33C", {}, {}}};
    FakeSeal seal(stranger, r.pair.avsb_config.counterparty_keys, r.pair.clock);
    archive = write_receipt_archive({"{}", seal.sign("{}")});
  }
  write_file(r.pair.root / "share/to_aii" / (open.stem + ".recorded.tar"), archive);
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::sent);
  REQUIRE(r.pair.open_alerts(*r.pair.aii).size() == 1);
  CHECK(r.pair.open_alerts(*r.pair.aii)[0].starts_with("finding T_"));
}

TEST_CASE("foreign bytes under our package's name are a finding, and ours goes out under the next name") {
  Restoring r;
  r.pair.aii_share.forbid_put(true);
  r.exchange();
  write_file(r.pair.root / "share/to_avsb" / r.pair.sent().package, "somebody else's");
  r.pair.avsb.reset();
  r.pair.aii_share.forbid_put(false);
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.pair.open_alerts(*r.pair.aii) == Names{"finding T_REPLAY"});
  CHECK(r.pair.sent().package == r.pair.sent().stem + "-2.pgp");
  r.pair.start_avsb();
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.pair.avsb->instance.lists.count(kYear) == 40);
}

TEST_CASE(
    "foreign bytes in the place of a package that was sent are a finding, and ours goes out under the next "
    "name") {
  Restoring r;
  r.pair.avsb.reset();
  r.exchange();
  write_file(r.pair.root / "share/to_avsb" / r.pair.sent().package, "somebody else's");
  r.pair.run_for(std::chrono::hours(25));
  CHECK(r.pair.open_alerts(*r.pair.aii) == Names{"attention OVERDUE", "finding T_REPLAY"});
  r.pair.start_avsb();
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.pair.avsb->instance.lists.count(kYear) == 40);
}

TEST_CASE("on a share that forbids removal a resent package is answered all the same") {
  Restoring r;
  r.pair.avsb_share.forbid_remove(true);
  r.pair.aii.reset();
  r.pair.start_aii();
  r.pair.drop(kListName, csv_of(r.numbers));
  r.pair.run_for(std::chrono::seconds(10));
  r.pair.aii.reset();
  r.pair.run_to_rest();
  REQUIRE(r.pair.to_aii().size() == 1);
  fs::remove(r.pair.root / "share/to_aii" / r.pair.to_aii()[0]);  // the receipt is lost
  r.pair.start_aii();
  r.pair.run_for(std::chrono::hours(25));
  REQUIRE(r.pair.sent().stage == Stage::sent);
  const auto alerts = r.pair.aii->instance.alerts.open();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].code == "OVERDUE");
  const std::string resend = "resend " + r.pair.sent().id.substr(0, 8);
  CHECK(alerts[0].text.find("'veer " + resend + "' has it answered again") != std::string::npos);
  r.pair.aii->instance.agenda.ask("resend", r.pair.sent().id.substr(0, 8), {1001, "operator"});
  r.pair.run_to_rest();
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.pair.avsb->instance.lists.count(kYear) == 40);
}

TEST_CASE("asking for a receipt before it is due raises no alarm") {
  Restoring r;
  r.pair.avsb.reset();
  r.exchange();
  r.pair.aii->instance.agenda.ask("retry", r.pair.sent().id, {1001, "operator"});
  r.pair.run_to_rest();
  CHECK(r.pair.open_alerts(*r.pair.aii).empty());
}

TEST_CASE("a share that is gone for days delays the exchange and loses nothing") {
  Restoring r;
  r.pair.aii_share.fail_all(Code::s_unreachable);
  r.pair.avsb_share.fail_all(Code::s_timeout);
  r.exchange();
  r.pair.run_for(std::chrono::days(3));
  CHECK(r.pair.sent().stage == Stage::sealed);
  CHECK_FALSE(r.pair.open_alerts(*r.pair.aii).empty());
  CHECK_FALSE(r.pair.open_alerts(*r.pair.avsb).empty());
  r.pair.aii_share.heal();
  r.pair.avsb_share.heal();
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.pair.avsb->instance.lists.count(kYear) == 40);
  CHECK(r.pair.open_alerts(*r.pair.aii).empty());
  CHECK(r.pair.open_alerts(*r.pair.avsb).empty());
}

TEST_CASE("a receipt that is overdue while the share is gone is told of all the same") {
  Restoring r;
  r.pair.avsb.reset();
  r.exchange();
  r.pair.aii_share.fail_all(Code::s_unreachable);
  r.pair.run_for(std::chrono::hours(25));
  const auto alerts = r.pair.aii->instance.alerts.open();
  const auto overdue =
      std::find_if(alerts.begin(), alerts.end(), [](const Alert& alert) { return alert.code == "OVERDUE"; });
  REQUIRE(overdue != alerts.end());
  CHECK(overdue->text.find("resend") == std::string::npos);  // nobody knows whether the package lies there
}

TEST_CASE("a clock that jumps ten years ahead and back harms no exchange") {
  Restoring r;
  r.pair.clock.advance(std::chrono::days(3650));
  r.pair.run_for(std::chrono::minutes(2));
  r.pair.clock.set(parse_time("2026-03-02T08:00:00Z").value());
  r.exchange();
  r.pair.run_for(std::chrono::hours(2));
  CHECK(r.pair.sent().stage == Stage::acknowledged);
  for (Side* side : {r.pair.aii.get(), r.pair.avsb.get()}) {
    const auto alerts = r.pair.open_alerts(*side);
    CHECK(std::count(alerts.begin(), alerts.end(), "attention L_CLOCK") == 1);
  }
}

TEST_CASE("a clock that somebody sets ahead is told of, and no more once it is set right") {
  Restoring r;
  const auto told = [&] {
    const auto alerts = r.pair.open_alerts(*r.pair.aii);
    return std::count(alerts.begin(), alerts.end(), "attention L_CLOCK");
  };
  r.pair.run_for(std::chrono::minutes(2));
  r.pair.clock.jump(std::chrono::hours(2));  // as summer time, where somebody sets that by hand
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(told() == 0);
  r.pair.clock.jump(std::chrono::hours(30));
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(told() == 1);
  r.pair.clock.jump(-std::chrono::hours(30));
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(told() == 0);
}

TEST_CASE("a clock that says at the start that this side rested for more than a year is told of") {
  Restoring r;
  r.exchange();
  const auto told_after = [&](std::chrono::days rest) {
    r.pair.aii.reset();
    r.pair.clock.advance(rest);
    r.pair.start_aii();
    const auto alerts = r.pair.open_alerts(*r.pair.aii);
    r.pair.run_for(std::chrono::minutes(2));
    return std::count(alerts.begin(), alerts.end(), "attention L_CLOCK");
  };
  CHECK(told_after(std::chrono::days(390)) == 0);
  CHECK(told_after(std::chrono::days(410)) == 1);
}

TEST_CASE("a clock that went back while nothing ran is told of") {
  Restoring r;
  r.exchange();
  r.pair.aii.reset();
  r.pair.clock.set(parse_time("2016-01-01T00:00:00Z").value());
  r.pair.start_aii();
  r.pair.run_for(std::chrono::minutes(2));
  const auto alerts = r.pair.open_alerts(*r.pair.aii);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention L_CLOCK") == 1);
}

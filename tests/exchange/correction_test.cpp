// Corrections (article 7): a complete list in the place of the one that is recorded.

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "exchange/exchanging.h"
#include "support/canary.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

namespace {

const Person kOperator{1001, "operator"};

/// A list of 2026 is recorded; the corrected one lies ready.
struct Correcting : Exchanging {
  std::vector<Insz> corrected = numbers;
  fs::path file = folder / kListName;

  Correcting() {
    exchange();
    REQUIRE(pair.sent().stage == Stage::acknowledged);
    corrected.erase(corrected.begin(), corrected.begin() + 3);  // superfluous
    for (const Insz& missing : fictitious_list(5, 77)) corrected.push_back(missing);
    std::sort(corrected.begin(), corrected.end());
    write_file(file, csv_of(corrected));
  }
  Instance& aii() { return pair.aii->instance; }
  Instance& avsb() { return pair.avsb->instance; }
  /// The code of what was wrong; the exchange otherwise.
  std::string ask(const std::string& verb, const std::string& argument) {
    const auto id = aii().agenda.ask(verb, argument, kOperator);
    pair.run_to_rest();
    const CommandResult result = aii().agenda.result_of(id);
    REQUIRE(result.stage != CommandStage::pending);
    return result.stage == CommandStage::failed ? result.code : result.text;
  }
  /// Asks for what makes an exchange: the newest one.
  Exchange offer(const std::string& verb, const std::string& argument) {
    const std::string id = ask(verb, argument);
    const Exchange newest = pair.sent();
    REQUIRE(newest.id == id);
    return newest;
  }
  std::vector<std::string> registered() {
    std::vector<std::string> all;
    for (const Row& row : avsb().db.query("SELECT insz FROM inburgeringsplicht ORDER BY 1"))
      all.push_back(row.text(0));
    return all;
  }
  static std::vector<std::string> digits_of(const std::vector<Insz>& list) {
    std::vector<std::string> all;
    for (const Insz& number : list) {
      const auto digits = number.digits();
      all.emplace_back(digits.begin(), digits.end());
    }
    return all;
  }
};

}  // namespace

TEST_CASE("a correction takes the place of the recorded list, whose withdrawn numbers are gone") {
  Correcting c;
  const std::string first = c.pair.sent().id;
  const std::string second = c.ask("send-correction", c.file);
  REQUIRE(c.pair.sent().id == second);
  CHECK(c.pair.sent().stage == Stage::acknowledged);
  CHECK(c.pair.sent().revision == 2);
  CHECK(c.pair.sent().package.find("-r2_") != std::string::npos);
  CHECK(c.registered() == Correcting::digits_of(c.corrected));
  CHECK(c.lists().count(kYear) == 52);
  CHECK(has(c.pair.note(kListName), "Recorded at the receiver: 52 numbers"));  // no longer the first one's

  const Receipt receipt = parse_receipt(c.aii().ledger.receipt_of(second)->json);
  CHECK(receipt.status == ReceiptStatus::recorded);
  CHECK(receipt.added == 5);
  CHECK(receipt.withdrawn == 3);
  const auto counts = c.avsb().db.query("SELECT revision, records FROM list ORDER BY revision");
  REQUIRE(counts.size() == 2);  // that of the first stays, and no number of it
  CHECK(counts[0].integer(1) == 50);
  CHECK(counts[1].integer(1) == 52);
  CHECK(c.avsb().db.query_one("SELECT count(*) FROM entry")->integer(0) == 52);
  CHECK(c.lists().recorded_exchange(kYear) == second);
  CHECK(c.aii().ledger.exchange(first)->stage == Stage::acknowledged);
  for (Side* side : {c.pair.aii.get(), c.pair.avsb.get()}) {
    CHECK(c.pair.open_alerts(*side).empty());
    CHECK(side->instance.db.query("SELECT 1 FROM alert WHERE code = 'RECORDED'").size() == 2);
  }
  CHECK(fs::exists(c.file));
}

TEST_CASE("corrections follow each other, and one of them may say that there was nobody after all") {
  Correcting c;
  c.offer("send-correction", c.file);
  c.offer("send-empty-correction", "2026");
  CHECK(c.pair.sent().revision == 3);
  CHECK(c.lists().count(kYear) == 0);
  const Receipt receipt = parse_receipt(c.aii().ledger.receipt_of(c.pair.sent().id)->json);
  CHECK(receipt.added == 0);
  CHECK(receipt.withdrawn == 52);
}

TEST_CASE(
    "Q04: without --correction a second list is refused, and without a list there is nothing to correct") {
  Correcting c;
  CHECK(c.ask("send", c.file) == "F_SECOND_LIST");
  const fs::path other = c.folder / "inburgeringsplicht-2025.csv";
  write_file(other, csv_of(c.corrected));
  CHECK(c.ask("send-correction", other) == "U_STATE");
  CHECK(c.aii().ledger.exchanges().size() == 1);
  c.pair.avsb.reset();
  c.offer("send-correction", c.file);
  CHECK(c.ask("send-correction", c.file) == "I_OPEN");
  c.pair.start_avsb();
  c.pair.run_to_rest();
  CHECK(c.lists().count(kYear) == 52);
}

TEST_CASE("a correction that is taken back leaves the recorded list, and the next one has its revision") {
  Correcting c;
  c.pair.avsb.reset();
  const std::string withdrawn = c.ask("send-correction", c.file);
  c.ask("withdraw", withdrawn);
  c.pair.start_avsb();
  c.pair.run_to_rest();
  CHECK(c.lists().count(kYear) == 50);
  c.offer("send-correction", c.file);
  CHECK(c.pair.sent().revision == 2);
  CHECK(c.pair.sent().stage == Stage::acknowledged);
  CHECK(c.registered() == Correcting::digits_of(c.corrected));
}

TEST_CASE("a correction of a list that this receiver never had is refused, and one that follows is taken") {
  Correcting c;
  c.avsb().db.execute("UPDATE list SET exchange = 'another'");
  const std::string refused = c.ask("send-correction", c.file);
  CHECK(c.aii().ledger.exchange(refused)->stage == Stage::refused);
  CHECK(c.pair.open_alerts(*c.pair.avsb) == Names{"attention F_REVISION"});
  CHECK(c.lists().count(kYear) == 50);
  c.avsb().db.execute("UPDATE list SET exchange = :x", {c.aii().ledger.acknowledged(kYear)->id});
  c.offer("send-correction", c.file);
  CHECK(c.pair.sent().stage == Stage::acknowledged);
  CHECK(c.pair.sent().revision == 2);
  CHECK(c.pair.open_alerts(*c.pair.avsb).empty());
}

TEST_CASE("a receiver that lost the list takes its correction by itself, once an approver lets it pass") {
  Correcting c;
  c.pair.avsb.reset();
  fs::remove_all(c.pair.avsb_config.state);
  c.pair.start_avsb();
  c.offer("send-correction", c.file);
  const Exchange sent = c.pair.sent();
  CHECK(sent.stage == Stage::sent);
  CHECK(c.pair.open_alerts(*c.pair.avsb) == Names{"attention F_HISTORY"});
  CHECK(topic_of(c.avsb().alerts.open().front()) == "history");
  c.avsb().agenda.ask("approve", Approval{sent.package, sent.package_sha256, 0}.text(), kOperator);
  c.pair.run_for(std::chrono::hours(2));
  CHECK(c.pair.sent().stage == Stage::acknowledged);
  CHECK(c.registered() == Correcting::digits_of(c.corrected));
}

TEST_CASE("a correction is held like any list, beside the count of the one that it replaces") {
  Correcting c;
  c.pair.aii_config.intake.release = Release::unusual;
  c.pair.start_aii();
  SECTION("much the same: it leaves") {
    c.offer("send-correction", c.file);
    CHECK(c.pair.sent().stage == Stage::acknowledged);
  }
  SECTION("another one: it waits") {
    write_file(c.file, csv_of(fictitious_list(90, 3)));
    c.offer("send-correction", c.file);
    CHECK(c.pair.sent().stage == Stage::held);
  }
}

TEST_CASE("no withdrawn number is left in the receiver's files") {
  Correcting c;
  const std::vector<Insz> withdrawn(c.numbers.begin(), c.numbers.begin() + 3);
  c.offer("send-correction", c.file);
  c.pair.avsb.reset();  // the books are whole in one file
  CHECK(files_holding(c.pair.avsb_config.state, withdrawn).empty());
  const std::vector<Insz> kept(c.corrected.begin(), c.corrected.begin() + 3);
  CHECK_FALSE(files_holding(c.pair.avsb_config.state, kept).empty());  // they would be found
}

TEST_CASE("a sender that was restored to before a correction learns of it, and may correct again") {
  Correcting c;
  c.pair.aii.reset();
  const fs::path before = c.folder / "before";
  fs::copy(c.pair.aii_config.state, before, fs::copy_options::recursive);
  c.pair.start_aii();
  c.offer("send-correction", c.file);
  REQUIRE(c.lists().newest(kYear)->revision == 2);
  c.pair.aii.reset();
  fs::remove_all(c.pair.aii_config.state);
  fs::copy(before, c.pair.aii_config.state, fs::copy_options::recursive);
  c.pair.start_aii();
  write_file(c.file, csv_of(fictitious_list(70, 8)));
  const std::string refused = c.ask("send-correction", c.file);
  c.pair.run_to_rest();
  CHECK(c.aii().ledger.exchange(refused)->stage == Stage::refused);
  REQUIRE(c.aii().ledger.acknowledged(kYear)->revision == 2);  // adopted from the receipt that came again
  CHECK(c.offer("send-correction", c.file).revision == 3);
  CHECK(c.pair.sent().stage == Stage::acknowledged);
  CHECK(c.lists().count(kYear) == 70);
}

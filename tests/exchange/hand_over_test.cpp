// AVSB hands a recorded list over to its other systems: two persons, a purpose, and a file (Q31).

#include <algorithm>

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "core/files.h"
#include "exchange/asking.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

/// The list of 2026 is recorded at a receiver that may hand it over.
struct HandingOver : Asking {
  fs::path exports = folder / "exports";

  HandingOver() {
    fs::create_directory(exports);
    pair.avsb_config.export_to.folder = exports;
    pair.start_avsb();
    exchange();
    REQUIRE(lists().count(kYear) == 50);
  }
  std::string told(const std::string& verb, const std::string& argument, const Person& who) {
    return Asking::told(avsb(), verb, argument, who);
  }
  void hand_over() {
    told("export", "2026 premium", kOperator);
    told("approve", approval(), kApprover);
    REQUIRE(pair.names(exports) == Names{"inburgeringsplicht-2026-r1.csv"});
  }
  /// What forgetting one of the list's persons is answered.
  std::string forgets() {
    const std::string person = digits_of(numbers[7]);
    const std::string subject = Asking::told(avsb(), "forget", "notice 12", kOperator, file_with(person));
    return Asking::told(avsb(), "approve-forget", subject, kApprover, file_with(person));
  }
  void name_folder(const fs::path& named) {
    pair.avsb.reset();
    pair.avsb_config.export_to.folder = named;
    pair.start_avsb();
  }
  std::string approval(const std::string& subject = "export-2026-r1") {
    return Approval{subject, avsb().holds.find(HoldKind::hand_over, subject).value().digest, 0}.text();
  }
  void correct() {
    write_file(folder / kListName, csv_of(fictitious_list(60, 9)));
    pair.aii->instance.agenda.ask("send-correction", folder / kListName, kOperator);
    pair.run_to_rest();
    REQUIRE(lists().newest(kYear)->revision == 2);
  }
  std::string file(const std::string& name) {
    return fs::exists(exports / name) ? read_file(exports / name) : "none";
  }
  std::vector<std::string> events(const std::string& event) {
    std::vector<std::string> records;
    for (const Row& row : avsb().db.query("SELECT record FROM audit WHERE event = :e ORDER BY seq", {event}))
      records.push_back(row.text(0));
    return records;
  }
};

}  // namespace

TEST_CASE("Q31: a recorded list is handed over when one person asks for it and another releases it") {
  HandingOver h;
  REQUIRE(h.told("export", "2026 premium run 2027", kOperator) == "export-2026-r1");
  CHECK(h.pair.open_alerts(*h.pair.avsb) == Names{"attention EXPORT"});
  CHECK(h.told("approve", h.approval(), kOperator) == "C_USER");
  CHECK(h.pair.names(h.exports).empty());
  CHECK(has(h.told("approve", h.approval(), kApprover), "inburgeringsplicht-2026-r1.csv"));

  std::string csv = "insz\n";
  std::vector<Insz> sorted = h.numbers;
  std::sort(sorted.begin(), sorted.end());
  for (const Insz& number : sorted) {
    const auto digits = number.digits();
    csv += std::string(digits.begin(), digits.end()) + "\n";
  }
  CHECK(h.file("inburgeringsplicht-2026-r1.csv") == csv);
  struct stat status {};
  REQUIRE(stat((h.exports / "inburgeringsplicht-2026-r1.csv").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  CHECK(h.pair.open_alerts(*h.pair.avsb).empty());
  const auto records = h.events("exported");
  REQUIRE(records.size() == 1);
  for (const char* fact :
       {"premium run 2027", "\"asked_by\":\"operator\"", "\"who\":\"approver\"", "\"records\":\"50\""})
    CHECK(has(records.front(), fact));

  h.pair.avsb_config.export_to.keep = 1h;
  h.pair.start_avsb();
  h.pair.clock.set(SystemClock().now() + 100h);  // files bear the machine's own time
  h.pair.run_for(50h);
  CHECK(h.pair.names(h.exports).empty());
  CHECK(h.events("export-removed").size() == 1);
}

TEST_CASE("a hand-over names a year that is recorded and a purpose, and has a folder to go to") {
  HandingOver h;
  CHECK(h.told("export", "2026", kOperator) == "U_USAGE");
  CHECK(h.told("export", "2026 ", kOperator) == "U_USAGE");
  CHECK(h.told("export", "this year", kOperator) == "U_USAGE");
  CHECK(h.told("export", "2025 premium", kOperator) == "U_STATE");
  CHECK(h.told("approve", "export-2026-r1 " + std::string(64, '0'), kApprover) == "U_STATE");
  CHECK(h.told("approve", "export-none " + std::string(64, '0'), kApprover) == "U_UNKNOWN");
  h.pair.avsb_config.export_to.folder.clear();
  h.pair.start_avsb();
  CHECK(h.told("export", "2026 premium", kOperator) == "C_CONFIG");
  CHECK(h.pair.open_alerts(*h.pair.avsb).empty());
}

TEST_CASE("no number that somebody types as a purpose is kept") {
  HandingOver h;
  h.told("export", "2026 for 85.07.30-033.61", kOperator);
  CHECK_FALSE(has(h.events("export-asked").front(), "85.07.30"));
  CHECK_FALSE(has(h.avsb().alerts.open().front().text, "033.61"));
}

TEST_CASE("what waits for another person is taken back by whoever asked for it, and by nobody else") {
  HandingOver h;
  h.told("export", "2026 premium", kOperator);
  CHECK(h.told("withdraw", "export-2026-r1", {1005, "another operator"}) == "C_USER");
  CHECK(h.told("withdraw", "export-2026-r1", kApprover) == "C_USER");
  CHECK(h.told("withdraw", "inburgeringsplicht-2026", kOperator) == "U_STATE");
  CHECK(has(h.told("withdraw", "export-2026-r1", kOperator), "is not handed over"));
  CHECK(h.told("withdraw", "export-2026-r1", {1005, "another operator"}) == "U_STATE");
  CHECK(h.pair.open_alerts(*h.pair.avsb).empty());
  CHECK(has(h.events("export-rejected").front(), "taken back by whoever asked for it"));
  CHECK(h.told("export", "2026 premium again", kOperator) == "export-2026-r1");
}

TEST_CASE("another request takes the place of one that waits, and a rejected one is not handed over") {
  HandingOver h;
  h.told("export", "2026 premium", kOperator);
  const std::string first = h.approval();
  h.told("export", "2026 something else", kOperator);
  CHECK(has(h.events("export-asked").back(), "\"instead_of\":\"operator, for: premium\""));
  CHECK(h.told("approve", first, kApprover) == "U_STATE");
  CHECK(h.told("reject", "export-2026-r1 no reason given", kOperator) == "C_USER");
  CHECK(has(h.told("reject", "export-2026-r1 not agreed", kApprover), "is not handed over"));
  CHECK(h.told("approve", first, kApprover) == "U_STATE");
  CHECK(h.pair.names(h.exports).empty());
  CHECK(h.pair.open_alerts(*h.pair.avsb).empty());
  CHECK(has(h.events("export-rejected").front(), "not agreed"));
}

TEST_CASE(
    "a correction ends a request that waits, and whoever has the list before is told to fetch the new one") {
  HandingOver h;
  h.told("export", "2026 premium", kOperator);
  SECTION("while it waits") {
    const std::string old = h.approval();
    h.correct();
    CHECK(h.told("approve", old, kApprover) == "U_STATE");
    CHECK(h.pair.open_alerts(*h.pair.avsb).empty());
    CHECK(h.pair.names(h.exports).empty());
  }
  SECTION("after it was handed over") {
    h.told("approve", h.approval(), kApprover);
    h.correct();
    CHECK(h.pair.open_alerts(*h.pair.avsb) == Names{"attention EXPORT_STALE"});
    REQUIRE(h.told("export", "2026 premium", kOperator) == "export-2026-r2");
    h.told("approve", h.approval("export-2026-r2"), kApprover);
    CHECK(h.pair.open_alerts(*h.pair.avsb).empty());
    const std::string csv = h.file("inburgeringsplicht-2026-r2.csv");
    CHECK(std::count(csv.begin(), csv.end(), '\n') == 61);
  }
}

TEST_CASE("a hand-over that was released and could not be written is written once it can be, and not again") {
  HandingOver h;
  h.told("export", "2026 premium", kOperator);
  const std::string approval = h.approval();
  fs::remove(h.exports);
  write_file(h.exports, "in the way");
  const auto id = h.avsb().agenda.ask("approve", approval, kApprover);
  h.pair.run_for(1min);
  CHECK(h.avsb().agenda.result_of(id).stage == CommandStage::pending);
  CHECK(h.pair.open_alerts(*h.pair.avsb).size() == 1);
  CHECK(topic_of(h.avsb().alerts.open().at(0)) == "export-failed");
  fs::remove(h.exports);
  fs::create_directory(h.exports);
  h.pair.run_for(1h);
  CHECK(h.avsb().agenda.result_of(id).stage == CommandStage::done);
  CHECK(h.pair.open_alerts(*h.pair.avsb).empty());
  CHECK(h.events("handed-over").size() == 1);
  CHECK(h.pair.names(h.exports).size() == 1);
  CHECK(h.events("exported").size() == 1);
  fs::remove(h.exports / "inburgeringsplicht-2026-r1.csv");
  CHECK(h.told("approve", approval, kApprover) == "U_STATE");  // alone, nobody has it once more
  CHECK(h.pair.names(h.exports).empty());
}

TEST_CASE("whoever has an older list is told of a correction, though it was asked for again meanwhile") {
  HandingOver h;
  h.told("export", "2026 premium", kOperator);
  h.told("approve", h.approval(), kApprover);
  h.told("export", "2026 once more", kOperator);
  h.correct();
  CHECK(h.pair.open_alerts(*h.pair.avsb) == Names{"attention EXPORT_STALE"});
  CHECK(h.events("export-lapsed").size() == 1);
  CHECK(h.avsb().db.query("SELECT 1 FROM alert WHERE code = 'EXPORT_LAPSED'").size() == 1);
}

TEST_CASE("nothing is handed over while the exchange is suspended, or without a legal basis") {
  HandingOver h;
  h.told("export", "2026 premium", kOperator);
  SECTION("suspended") {
    h.told("suspend", "", kOperator);
    CHECK(h.told("export", "2026 premium", kOperator) == "C_SUSPENDED");
    CHECK(h.told("approve", h.approval(), kApprover) == "C_SUSPENDED");
  }
  SECTION("without a legal basis") {
    make_production(h.pair.avsb_config);
    h.pair.avsb_config.legal_basis->valid_until = Date(std::chrono::February / 1 / 2026);
    h.pair.avsb_config.access.approvers = {"daemon"};
    h.pair.start_avsb();
    CHECK(h.told("export", "2026 premium", kOperator) == "C_LEGAL_BASIS");
    CHECK(h.told("approve", h.approval(), person_of(1)) == "C_LEGAL_BASIS");
  }
  CHECK(h.pair.names(h.exports).empty());
}

TEST_CASE("of a list that was corrected nothing older lies in the folder any more, however long it is away") {
  HandingOver h;
  h.told("export", "2026 premium", kOperator);
  h.told("approve", h.approval(), kApprover);
  REQUIRE(h.pair.names(h.exports) == Names{"inburgeringsplicht-2026-r1.csv"});
  const bool is_away = GENERATE(false, true);
  if (is_away) fs::rename(h.exports, h.folder / "away");
  h.correct();
  if (is_away) {
    const Names alerts = h.pair.open_alerts(*h.pair.avsb);
    CHECK(std::count(alerts.begin(), alerts.end(), "attention L_IO") == 1);
    h.pair.run_for(26h);
    fs::rename(h.folder / "away", h.exports);
    h.pair.run_for(10min);
  }
  CHECK(h.pair.names(h.exports).empty());
  CHECK(h.pair.open_alerts(*h.pair.avsb) == Names{"attention EXPORT_STALE"});
}

TEST_CASE("what was handed over goes in its time, though [export] names another folder since, or none") {
  HandingOver h;
  h.hand_over();
  h.pair.avsb_config.export_to.keep = 1h;
  const bool elsewhere = GENERATE(true, false);
  fs::create_directory(h.folder / "elsewhere");
  h.name_folder(elsewhere ? h.folder / "elsewhere" : fs::path());
  CHECK(h.pair.names(h.exports).size() == 1);
  h.pair.clock.set(SystemClock().now() + 100h);  // files bear the machine's own time
  h.pair.run_for(50h);
  CHECK(h.pair.names(h.exports).empty());
  CHECK(h.events("export-removed").size() == 1);
  CHECK(h.avsb().db.query("SELECT 1 FROM setting WHERE name LIKE 'export_folder:%'").empty());
}

TEST_CASE(
    "whoever is forgotten goes from a folder that [export] names no more, or it is told that they do not") {
  HandingOver h;
  h.hand_over();
  h.name_folder({});
  SECTION("it is there") {
    CHECK(has(h.forgets(), "and what was made of it do not hold"));
    CHECK(h.pair.names(h.exports).empty());
  }
  SECTION("it is away") {
    fs::rename(h.exports, h.folder / "away");
    CHECK(has(h.forgets(), "could not all be removed"));
    CHECK(h.pair.open_alerts(*h.pair.avsb) == Names{"attention EXPORT_STALE", "attention L_IO"});
    const auto alerts = h.avsb().alerts.open();
    CHECK(std::any_of(alerts.begin(), alerts.end(),
                      [&](const Alert& alert) { return has(alert.text, h.exports.native()); }));
    fs::rename(h.folder / "away", h.exports);
    h.pair.run_for(10min);
    CHECK(h.pair.names(h.exports).empty());
  }
  CHECK(h.pair.open_alerts(*h.pair.avsb) == Names{"attention EXPORT_STALE"});
}

TEST_CASE("a former folder of hand-overs that cannot be looked into is told of, until it can") {
  HandingOver h;
  h.hand_over();
  h.name_folder({});
  fs::rename(h.exports, h.folder / "away");
  h.pair.run_for(25h);
  const auto told = [&] {
    const auto open = h.avsb().alerts.open();
    return std::count_if(open.begin(), open.end(),
                         [](const Alert& alert) { return topic_of(alert) == "export-folder"; });
  };
  CHECK(told() == 1);
  fs::create_directory(h.exports);
  h.pair.run_for(25h);
  CHECK(told() == 0);
}

TEST_CASE(
    "how many numbers are handed over is told as they stand now, and why they are not all recorded ones") {
  CHECK(numbers_handed(50, 50) == "50 numbers");
  CHECK(numbers_handed(47, 50) == "47 numbers (50 recorded, 3 kept out or forgotten since)");
  HandingOver h;
  h.forgets();
  h.told("export", "2026 premium", kOperator);
  CHECK(has(h.avsb().alerts.open().front().text, "49 numbers (50 recorded, 1 kept out or forgotten since)"));
}

TEST_CASE("a list that others have is told to be stale for each reason that holds since, in either order") {
  HandingOver h;
  h.hand_over();
  const bool corrected_first = GENERATE(true, false);
  if (corrected_first) h.correct();
  REQUIRE(has(h.forgets(), "is carried out"));
  if (!corrected_first) h.correct();
  const auto alerts = h.avsb().alerts.open();
  const auto stale = std::find_if(alerts.begin(), alerts.end(),
                                  [](const Alert& alert) { return topic_of(alert) == "export-stale"; });
  REQUIRE(stale != alerts.end());
  CHECK(has(stale->text, "was handed over as revision 1"));
  CHECK(has(stale->text, "it was corrected (revision 2"));
  CHECK(has(stale->text, "somebody was forgotten"));
}

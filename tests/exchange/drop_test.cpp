// What people put into the drop folder, and what they are told beside it.

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "exchange/exchanging.h"
#include "support/canary.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

TEST_CASE("Q01: a list with a second column is refused with the reason and stays where it is") {
  Exchanging e;
  std::string csv = "insz;naam\n";
  for (const Insz& number : e.numbers) {
    const auto digits = number.digits();
    csv += std::string(digits.begin(), digits.end()) + ";iemand\n";
  }
  e.pair.drop(kListName, csv);
  e.pair.run_to_rest();
  CHECK(e.pair.note(kListName).find("F_EXTRA_DATA") != std::string::npos);
  CHECK(e.pair.aii->instance.ledger.exchanges().empty());
  CHECK(fs::exists(e.pair.drop_folder() / kListName));
}

TEST_CASE("a faulty list is refused with every fault's place, and taken when it was corrected in place") {
  Exchanging e;
  std::string csv = csv_of(e.numbers);
  csv += "85070999752\n85130999727\n";
  e.pair.drop(kListName, csv);
  e.pair.run_to_rest();
  const std::string note = e.pair.note(kListName);
  CHECK(note.find("R_CHECK  line 52: a digit is wrong") != std::string::npos);
  CHECK(note.find("R_MONTH  line 53") != std::string::npos);
  CHECK(note.find("85070999752") == std::string::npos);
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention I_FAULTY"});
  e.exchange();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.lists().count(kYear) == 50);
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE(
    "the alert of a refused file is not closed by hand while it lies there, and closes when it is gone") {
  Exchanging e;
  e.pair.drop(kListName, csv_of(e.numbers) + "85070999752\n");
  e.pair.run_to_rest();
  REQUIRE(e.pair.open_alerts(*e.pair.aii) == Names{"attention I_FAULTY"});
  Instance& aii = e.pair.aii->instance;
  const auto closing =
      aii.agenda.ask("close-alert", std::to_string(aii.alerts.open().front().id), {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  CHECK(aii.agenda.result_of(closing).code == "U_STATE");
  CHECK(aii.agenda.result_of(closing).text.find("drop folder") != std::string::npos);
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention I_FAULTY"});
  fs::remove(e.pair.drop_folder() / kListName);
  e.pair.run_for(std::chrono::minutes(2));
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE("a file that is still being written is left to settle") {
  Exchanging e;
  const std::string csv = csv_of(e.numbers);
  e.pair.drop(kListName, csv.substr(0, 100));
  e.pair.run_for(std::chrono::seconds(3));
  e.pair.drop(kListName, csv.substr(0, 200));
  e.pair.run_for(std::chrono::seconds(3));
  CHECK(e.pair.aii->instance.ledger.exchanges().empty());
  e.exchange();
  CHECK(e.pair.sent().records == 50);
}

TEST_CASE("names that are not a list's are told so once and left alone") {
  Exchanging e;
  e.pair.drop("vakantiefoto.csv", "85070999751\n");
  e.pair.run_to_rest();
  CHECK(e.pair.note("vakantiefoto.csv").find("I_NAME") != std::string::npos);
  const auto seq = e.pair.aii->instance.audit.head().seq;
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.aii->instance.audit.head().seq == seq);
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention I_NAME"});
  fs::remove(e.pair.drop_folder() / "vakantiefoto.csv");
  e.pair.run_for(std::chrono::minutes(2));
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE("a folder full of files that are no lists is told of as one matter") {
  Exchanging e;
  const auto name = [](int i) { return fmt::format("foto {}.jpg", i); };
  for (int i = 0; i < 40; ++i) e.pair.drop(name(i), "x");
  e.pair.run_to_rest();
  CHECK(e.pair.aii->instance.offers.refused().size() == 40);
  const Names alerts = e.pair.open_alerts(*e.pair.aii);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention I_NAME") == 20);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention MANY_FILES") == 1);
  for (int i = 0; i < 25; ++i) fs::remove(e.pair.drop_folder() / name(i));
  e.pair.run_for(std::chrono::minutes(2));
  const Names left = e.pair.open_alerts(*e.pair.aii);
  CHECK(std::count(left.begin(), left.end(), "attention MANY_FILES") == 0);
}

TEST_CASE("a list among many files that are none is told of by itself") {
  Exchanging e;
  for (int i = 0; i < 40; ++i) e.pair.drop(fmt::format("foto {}.jpg", i), "x");
  e.pair.run_to_rest();
  e.pair.drop(kListName, csv_of(e.numbers) + "85070999750\n");
  e.pair.run_to_rest();
  const Names alerts = e.pair.open_alerts(*e.pair.aii);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention I_FAULTY") == 1);
}

TEST_CASE("a file that never rests is told of, and taken in once it does") {
  Exchanging e;
  for (int i = 0; i < 1300; ++i) {
    e.pair.drop(kListName, csv_of(e.numbers) + std::string(static_cast<std::size_t>(i % 50), '\n'));
    e.pair.run_for(std::chrono::seconds(3));
    if (i == 1000) CHECK(e.pair.open_alerts(*e.pair.aii).empty());
  }
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention I_CHANGED"});
  e.pair.run_to_rest();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE("the note beside a refused file stays while the exchange is suspended") {
  Exchanging e;
  e.pair.drop(kListName, csv_of(e.numbers) + "85070999750\n");
  e.pair.run_to_rest();
  const std::string before = e.pair.note(kListName);
  REQUIRE(before.find("I_FAULTY") != std::string::npos);
  Instance& aii = e.pair.aii->instance;
  aii.agenda.ask("suspend", "", {1001, "operator"});
  e.pair.run_for(std::chrono::minutes(1));
  aii.offers.reconsider(e.pair.clock.now());
  e.pair.run_for(std::chrono::minutes(5));
  CHECK(e.pair.note(kListName) == before);
  CHECK(aii.offers.refused() == Names{kListName});
}

TEST_CASE("a refused file stays refused for all who look while it is looked at afresh") {
  Exchanging e;
  e.pair.drop("inburgeringsplicht-2099.csv", csv_of(e.numbers));
  e.pair.run_to_rest();
  Offers& offers = e.pair.aii->instance.offers;
  REQUIRE(offers.refused() == Names{"inburgeringsplicht-2099.csv"});
  offers.reconsider(e.pair.clock.now());
  CHECK(offers.any_settling());
  CHECK(offers.refused() == Names{"inburgeringsplicht-2099.csv"});
}

TEST_CASE("a link or a pipe under a list's name is refused and never read") {
  Exchanging e;
  fs::create_symlink("/etc/hostname", e.pair.drop_folder() / kListName);
  e.pair.run_to_rest();
  CHECK(e.pair.note(kListName).find("I_FILE") != std::string::npos);
  CHECK(e.pair.aii->instance.ledger.exchanges().empty());
}

TEST_CASE("a note that cannot be written is told of, and holds nothing up") {
  Exchanging e;
  fs::create_directories(e.pair.drop_folder() / (kListName + ".result.txt/in-the-way"));
  e.exchange();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention L_IO"});
  fs::remove_all(e.pair.drop_folder() / (kListName + ".result.txt"));
  e.pair.run_for(std::chrono::minutes(2));
  CHECK(e.pair.note(kListName).find("Recorded at the receiver") != std::string::npos);
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE(
    "no room while sealing leaves nothing half made in the spool, and the list goes out when there is room") {
  /// Breaks off in the middle of what it writes.
  class Breaking : public FakeSeal {
   public:
    using FakeSeal::FakeSeal;
    void seal(const Blob& plain, Sink& sealed, const Transfer& transfer) override {
      if (broken) {
        sealed.write("half of it");
        throw Error(Code::l_full, "no room");
      }
      FakeSeal::seal(plain, sealed, transfer);
    }
    bool broken = true;
  };
  Exchanging e;
  e.pair.aii.reset();
  auto seal = std::make_unique<Breaking>(e.pair.aii_config.own_keys, e.pair.aii_config.counterparty_keys,
                                         e.pair.clock);
  Breaking& breaking = *seal;
  e.pair.aii_seal = std::move(seal);
  e.pair.start_aii();
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::hours(2));
  CHECK(Pair::names(e.pair.aii_config.state / "spool").empty());
  CHECK(fs::exists(e.pair.drop_folder() / kListName));
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention L_FULL"});
  breaking.broken = false;
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE(
    "Q16: a file that is named after a person is refused, and its name stands nowhere but in the drop "
    "folder") {
  Exchanging e;
  const auto digits = e.numbers[3].digits();
  const std::string number(digits.begin(), digits.end());
  for (const std::string& name : {number + ".csv", "inburgeringsplicht-2026 " + number + ".csv"})
    e.pair.drop(name, csv_of(e.numbers));
  e.pair.run_to_rest();
  const Names files = Pair::names(e.pair.drop_folder());
  CHECK(files.size() == 4);
  for (const std::string& name : files) {
    if (name.ends_with(kNoteSuffix))
      CHECK(read_file(e.pair.drop_folder() / name).find("I_NAME") != std::string::npos);
    else
      fs::remove(e.pair.drop_folder() / name);
  }
  CHECK(e.pair.aii->instance.db.query("SELECT 1 FROM audit WHERE event = 'intake-refused'").size() == 2);
  e.pair.run_to_rest();
  e.pair.aii.reset();
  e.pair.avsb.reset();
  CHECK(files_holding(e.folder.path(), e.numbers).empty());
}

TEST_CASE(
    "a file that a crash left claimed is removed when it was taken in, and comes back when it was not") {
  Exchanging e;
  e.exchange();
  const fs::path other = e.pair.drop_folder() / "inburgeringsplicht-2025.csv";
  write_file(claimed_name(other), csv_of(e.numbers));
  e.exchange();
  CHECK(e.pair.note("inburgeringsplicht-2025.csv").find("Recorded at the receiver") != std::string::npos);
}

TEST_CASE("a drop under the name of a list that is under way is told of when that one has ended") {
  Exchanging e;
  e.pair.avsb.reset();
  e.exchange();
  e.exchange();
  CHECK(e.pair.note(kListName).find("I_OPEN") != std::string::npos);
  e.pair.start_avsb();
  e.pair.run_to_rest();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(e.pair.note(kListName).find("F_SECOND_LIST") != std::string::npos);
}

TEST_CASE(
    "a file that cannot be removed after it was taken in is told of as that, and keeps no other waiting") {
  Exchanging e;
  const fs::path claimed = claimed_name(e.pair.drop_folder() / kListName);
  fs::create_directories(claimed / "in-the-way");
  e.exchange();
  CHECK(e.pair.sent().stage == Stage::acknowledged);
  CHECK(fs::exists(e.pair.drop_folder() / kListName));
  const auto alerts = e.pair.aii->instance.alerts.open();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].text.find("was taken in, and could not be removed") != std::string::npos);
  e.pair.drop("inburgeringsplicht-2025.csv", csv_of(e.numbers));
  e.pair.run_to_rest();
  CHECK(e.lists().count(2025) == 50);
  fs::remove_all(claimed);
  e.pair.run_for(std::chrono::minutes(2));
  CHECK_FALSE(fs::exists(e.pair.drop_folder() / kListName));
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
}

TEST_CASE("a file that was refused for the date is taken when that has come, and the refusal is told once") {
  Exchanging e;
  e.pair.clock.set(parse_time("2025-12-31T10:00:00Z").value());
  e.pair.drop(kListName, csv_of(e.numbers));
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.note(kListName).find("F_REFERENCE_DATE") != std::string::npos);
  e.pair.aii.reset();
  e.pair.start_aii();
  e.pair.run_for(std::chrono::hours(1));
  CHECK(e.pair.aii->instance.db.query("SELECT 1 FROM audit WHERE event = 'intake-refused'").size() == 1);
  e.pair.clock.set(parse_time("2026-01-01T00:01:00Z").value());
  e.pair.run_for(std::chrono::minutes(5));
  CHECK(e.pair.sent().stage == Stage::acknowledged);
}

TEST_CASE("the note of a recorded list stays readable below that of a second one which is refused") {
  Exchanging e;
  e.exchange();
  e.exchange();
  const std::string note = e.pair.note(kListName);
  CHECK(note.find("F_SECOND_LIST") != std::string::npos);
  CHECK(note.find("Recorded at the receiver: 50 numbers") != std::string::npos);
}

TEST_CASE(
    "a file whose name leaves no room for a note's gets one under a name of its own, and none without it") {
  Exchanging e;
  const std::string name = std::string(240, 'x') + "é.csv";
  REQUIRE(name.size() <= 255);
  e.pair.drop(name, "x");
  e.pair.run_for(std::chrono::minutes(5));
  const auto notes = Pair::names(e.pair.drop_folder());
  REQUIRE(notes.size() == 2);
  CHECK(std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
    return note.size() <= 255 && note.ends_with(".result.txt") && note.starts_with("xxx");
  }));
  CHECK(e.pair.open_alerts(*e.pair.aii) == Names{"attention I_NAME"});
  fs::remove(e.pair.drop_folder() / name);
  e.pair.run_for(std::chrono::minutes(5));
  CHECK(e.pair.open_alerts(*e.pair.aii).empty());
  CHECK(note_file("short.csv") == "short.csv.result.txt");
}

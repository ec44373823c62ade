// Persons at AVSB: the service desk's question, and forgetting on notice of death (article 3; Q17, Q18).

#include "daemon/erasure.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/files.h"
#include "exchange/asking.h"
#include "support/canary.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

const Person kDesk{1003, "desk"};

/// The list of 2026 is recorded; one of its persons has died.
struct Register2026 : Asking {
  Insz dead = numbers[7];

  Register2026() {
    exchange();
    REQUIRE(lists().count(kYear) == 50);
  }
  std::string told(const std::string& verb, const std::string& argument, const Person& who,
                   const std::string& persons = "") {
    return Asking::told(avsb(), verb, argument, who, persons.empty() ? Fd() : file_with(persons));
  }
  std::string ask_undo(const std::string& persons) {
    return told("forget", "--undo notice 12 named somebody who lives", kOperator, persons);
  }
  std::size_t marks() { return avsb().db.query("SELECT 1 FROM erased").size(); }
  void forget(const Insz& person) {
    const std::string subject = told("forget", "notice 12 of the register", kOperator, digits_of(person));
    REQUIRE(subject.starts_with("forget-"));
    REQUIRE(has(told("approve-forget", subject, kApprover, digits_of(person)), "is carried out"));
  }
  /// Also in the database's log, and in unused room of its pages.
  bool is_anywhere(const Insz& person) { return !files_holding(pair.avsb_config.state, {person}).empty(); }
  /// A salt or a digest, in the same places.
  bool is_anywhere(const std::string& hex) {
    for (const auto& file : fs::recursive_directory_iterator(pair.avsb_config.state))
      if (file.is_regular_file() && has(read_file(file.path(), std::uint64_t{64} << 20), hex)) return true;
    return false;
  }
  std::string salt_of(const std::string& subject) {
    const auto rows = avsb().db.query("SELECT salt FROM salt WHERE subject = :subject", {subject});
    return rows.empty() ? "" : rows.front().text(0);
  }
  Hold request(const std::string& subject) { return avsb().holds.find(HoldKind::erasure, subject).value(); }
  std::string record(const std::string& event) { return Asking::record(avsb(), event); }
};

}  // namespace

TEST_CASE(
    "Q17: a person is forgotten by two persons, who each give the number, and stands nowhere any more") {
  Register2026 r;
  REQUIRE(r.is_anywhere(r.dead));
  const std::string subject = r.told("forget", "notice 12 of the register", kOperator, digits_of(r.dead));
  CHECK(r.pair.open_alerts(*r.pair.avsb) == Names{"attention FORGET"});
  CHECK(r.told("approve-forget", subject, kOperator, digits_of(r.dead)) == "C_USER");
  CHECK(r.told("approve-forget", subject, kApprover, digits_of(r.numbers[8])) == "U_STATE");
  CHECK(r.lists().count(kYear) == 50);
  const std::string printed = digits_of(r.dead);
  const std::string with_signs =
      fmt::format("{}.{}.{}-{}.{}\n", printed.substr(0, 2), printed.substr(2, 2), printed.substr(4, 2),
                  printed.substr(6, 3), printed.substr(9, 2));
  CHECK(has(r.told("approve-forget", subject, kApprover, with_signs), "and what was made of it do not hold"));
  CHECK(r.lists().count(kYear) == 49);
  CHECK_FALSE(r.lists().holds(kYear, r.dead));
  CHECK_FALSE(r.is_anywhere(r.dead));
  CHECK(r.is_anywhere(r.numbers[8]));
  CHECK(r.pair.open_alerts(*r.pair.avsb).empty());
  for (const char* fact :
       {"\"persons\":\"1\"", "\"entries\":\"1\"", "\"asked_by\":\"operator\"", "\"who\":\"approver\""})
    CHECK(has(r.record("forgotten"), fact));
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").empty());
}

TEST_CASE(
    "a person who is forgotten does not come back with a resent package, a correction or a list to come") {
  Register2026 r;
  r.forget(r.dead);
  SECTION("a correction that names them still") {
    write_file(r.folder / kListName, csv_of(r.numbers));
    r.pair.aii->instance.agenda.ask("send-correction", r.folder / kListName, kOperator);
    r.pair.run_to_rest();
    REQUIRE(r.pair.sent().stage == Stage::acknowledged);
    const Receipt receipt = parse_receipt(r.pair.aii->instance.ledger.receipt_of(r.pair.sent().id)->json);
    REQUIRE(receipt.reasons.size() == 1);
    CHECK(receipt.reasons.front().code == Code::r_deceased);
    CHECK(receipt.reasons.front().count == 1);
    CHECK(r.pair.aii->instance.alerts.is_open("left-out:" + r.pair.sent().id));
    CHECK(receipt.records == 50);
  }
  SECTION("books from before, beside the marks of later") {
    const auto marks = r.pair.avsb_config.state / "erased.marks";
    REQUIRE(fs::exists(marks));
    r.avsb().db.transaction([&] {
      r.avsb().db.execute("DELETE FROM erased");
      r.avsb().db.execute("INSERT INTO entry (list, insz) SELECT id, :insz FROM list",
                          {static_cast<std::int64_t>(r.dead.value())});
    });
    REQUIRE(r.lists().holds(kYear, r.dead));
    r.pair.start_avsb();
    CHECK(has(r.record("forgotten"), "marks from before"));
  }
  CHECK_FALSE(r.lists().holds(kYear, r.dead));
  CHECK(r.lists().count(kYear) == 49);
  CHECK_FALSE(r.is_anywhere(r.dead));
}

TEST_CASE(
    "several persons are forgotten at once, and a file that lies there for other systems goes with them") {
  Register2026 r;
  const fs::path exports = r.folder / "exports";
  fs::create_directory(exports);
  r.pair.avsb_config.export_to.folder = exports;
  r.pair.start_avsb();
  r.told("export", "2026 premium", kOperator);
  const auto digest = r.avsb().holds.find(HoldKind::hand_over, "export-2026-r1")->digest;
  r.told("approve", Approval{"export-2026-r1", digest, 0}.text(), kApprover);
  REQUIRE(r.pair.names(exports).size() == 1);
  const std::string both = digits_of(r.numbers[3]) + "\n\n" + digits_of(r.numbers[4]) + "\r\n";
  const std::string subject = r.told("forget", "notices of March", kOperator, both);
  r.told("approve-forget", subject, kApprover, digits_of(r.numbers[4]) + "\n" + digits_of(r.numbers[3]));
  CHECK(r.lists().count(kYear) == 48);
  CHECK(r.pair.names(exports).empty());
  CHECK(r.pair.open_alerts(*r.pair.avsb) == Names{"attention EXPORT_STALE"});
}

TEST_CASE("what is no number is refused by its line, and never repeated") {
  Register2026 r;
  const std::string wrong = "85070999752";
  CHECK(r.told("forget", "a notice", kOperator, digits_of(r.dead) + "\n" + wrong) == "U_USAGE");
  CHECK(r.told("forget", "a notice", kOperator, "\n") == "U_USAGE");
  CHECK(r.told("forget", "a notice", kOperator) == "U_STATE");
  CHECK(r.told("lookup", "2026-01-01 a question", kDesk, wrong) == "U_USAGE");
  CHECK(r.avsb().db.query("SELECT 1 FROM command WHERE result LIKE '%85070%'").empty());
  CHECK(r.avsb().db.query("SELECT 1 FROM command WHERE result LIKE '%line 2%'").size() == 1);
  CHECK(r.pair.open_alerts(*r.pair.avsb).empty());
}

TEST_CASE("numbers that an editor saved with its mark are numbers all the same") {
  Register2026 r;
  CHECK(r.told("forget", "a notice", kOperator, "\xef\xbb\xbf" + digits_of(r.dead) + "\r\n")
            .starts_with("forget-"));
}

TEST_CASE("nobody is forgotten without a notice on record") {
  Register2026 r;
  for (const char* nothing : {"", "  "})
    CHECK(r.told("forget", nothing, kOperator, digits_of(r.dead)) == "U_USAGE");
  CHECK(r.lists().count(kYear) == 50);
}

TEST_CASE("a request to forget that is rejected leaves nothing of the number, and is over") {
  Register2026 r;
  const std::string subject = r.told("forget", "a notice", kOperator, digits_of(r.dead));
  const std::string salt = r.salt_of(subject);
  const std::string digest = r.request(subject).digest;
  for (const std::string& bound : {salt, digest}) REQUIRE((bound.size() == 64 && r.is_anywhere(bound)));
  CHECK(r.told("reject", subject + " the person lives", kOperator) == "C_USER");
  CHECK(has(r.told("reject", subject + " the person lives", kApprover), "is not carried out"));
  CHECK(r.told("approve-forget", subject, kApprover, digits_of(r.dead)) == "U_STATE");
  CHECK(r.lists().holds(kYear, r.dead));
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").empty());
  for (const std::string& bound : {salt, digest}) CHECK_FALSE(r.is_anywhere(bound));
  CHECK(r.pair.open_alerts(*r.pair.avsb).empty());
}

TEST_CASE("another request that names a person who is forgotten lapses, and nothing binds it to the number") {
  Register2026 r;
  const std::string both = digits_of(r.dead) + "\n" + digits_of(r.numbers[8]);
  const std::string first = r.told("forget", "notice 12", kOperator, digits_of(r.dead));
  const std::string second = r.told("forget", "notices of March", kOperator, both);
  const std::string other = r.told("forget", "notice 13", kOperator, digits_of(r.numbers[9]));
  const std::vector<std::string> bound = {r.salt_of(first), r.salt_of(second), r.request(first).digest,
                                          r.request(second).digest};
  for (const std::string& hex : bound) REQUIRE((hex.size() == 64 && r.is_anywhere(hex)));

  CHECK(has(r.told("approve-forget", first, kApprover, digits_of(r.dead)),
            second + " named one of them too, was not carried out"));
  for (const std::string& hex : bound) CHECK_FALSE(r.is_anywhere(hex));
  CHECK(r.request(second).state == HoldState::lapsed);
  CHECK(has(r.record("forget-lapsed"), second));
  CHECK(r.avsb().db.query("SELECT 1 FROM alert WHERE code = 'FORGET_LAPSED'").size() == 1);
  CHECK(r.told("approve-forget", second, kApprover, both) == "U_STATE");
  CHECK(r.lists().holds(kYear, r.numbers[8]));

  CHECK(r.pair.open_alerts(*r.pair.avsb) == Names{"attention FORGET", "attention FORGET_LAPSED"});
  const std::string again = r.told("forget", "notices of March", kOperator, both);
  CHECK(r.avsb().db.query("SELECT 1 FROM salt WHERE subject = :subject", {again}).size() == 1);
  CHECK(has(r.told("approve-forget", again, kApprover, both), "is carried out"));
  CHECK(has(r.told("approve-forget", other, kApprover, digits_of(r.numbers[9])), "is carried out"));
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").empty());
}

TEST_CASE("a number in a notice or a purpose is kept nowhere, whatever stands between its digits") {
  Register2026 r;
  const std::string digits = digits_of(r.dead);
  for (const char* between : {"-", "\u2013", "\u2011", "\u00a0", "/", "\t"}) {
    const std::string typed =
        fmt::format("{}.{}.{}{}{}.{}", digits.substr(0, 2), digits.substr(2, 2), digits.substr(4, 2), between,
                    digits.substr(6, 3), digits.substr(9));
    REQUIRE(r.told("forget", "notice of " + typed, kOperator, digits).starts_with("forget-"));
    REQUIRE(r.told("lookup", "2026-01-01 for " + typed, kDesk, digits).starts_with("listed"));
  }
  for (const Row& row : r.avsb().db.query("SELECT record FROM audit UNION ALL SELECT text FROM alert"
                                          " UNION ALL SELECT coalesce(purpose, '') FROM hold"))
    CHECK_FALSE(holds_number(row.text(0), {r.dead}));
}

TEST_CASE("Q17: a signed file of deaths is taken from whom the configuration names, and from nobody else") {
  Register2026 r;
  const auto signed_by = [&](const std::vector<PinnedKey>& signer) {
    std::string text;
    for (const std::size_t i : {3U, 7U, 9U}) text += digits_of(r.numbers[i]) + "\r\n";
    FakeSeal seal(signer, r.pair.avsb_config.own_keys, r.pair.clock);
    MemFile sealed(100'000);
    seal.seal(MemoryBlob(text), sealed, {});
    sealed.seal();
    return std::string(sealed.bytes());
  };
  const std::vector<PinnedKey> source = {{std::string(40, 'D'), {}, {}}};
  std::string file = signed_by(r.pair.aii_config.own_keys);
  SECTION("the other side") {
    CHECK(r.told("forget", "deaths of March", kOperator, signed_by(source)) == "T_SIGNER");
  }
  SECTION("another one, and then only that one") {
    r.pair.avsb_config.forgetting_keys = source;
    r.pair.start_avsb();
    r.avsb().open_seal = [&](const std::vector<PinnedKey>& signer) {
      return std::make_unique<FakeSeal>(r.pair.avsb_config.own_keys, signer, r.pair.clock);
    };
    CHECK(r.told("forget", "deaths of March", kOperator, file) == "T_SIGNER");
    file = signed_by(source);
  }
  const std::string damaged = file.substr(0, file.size() - 1) + static_cast<char>(file.back() ^ 1);
  CHECK(r.told("forget", "deaths of March", kOperator, damaged) == "T_INTEGRITY");
  const std::string subject = r.told("forget", "deaths of March", kOperator, file);
  REQUIRE(subject.starts_with("forget-"));
  CHECK(has(r.record("forget-asked"), "\"persons\":\"3\""));
  CHECK(has(r.record("forget-asked"), "deaths of March, signed by "));
  CHECK(r.told("approve-forget", subject, kApprover, damaged) == "T_INTEGRITY");
  CHECK(r.told("approve-forget", subject, kApprover, digits_of(r.dead)) == "U_STATE");
  REQUIRE(has(r.told("approve-forget", subject, kApprover, file), "is carried out"));
  CHECK(r.lists().count(kYear) == 47);
  for (const std::size_t i : {3U, 7U, 9U}) CHECK_FALSE(r.is_anywhere(r.numbers[i]));
}

TEST_CASE("Q18: nobody is forgotten by age, and forgetting works while everything else is suspended") {
  Register2026 r;
  r.pair.clock.advance(24h * 365 * 50);
  r.pair.run_for(72h);
  CHECK(r.lists().count(kYear) == 50);
  r.told("suspend", "", kOperator);
  r.forget(r.dead);
  CHECK(r.told("lookup", "2026-01-01 a question", kDesk, digits_of(r.numbers[1])) == "C_SUSPENDED");
  CHECK(r.lists().count(kYear) == 49);
}

TEST_CASE(
    "the desk is told whether a person is on the list, and the question is on record without the number") {
  Register2026 r;
  CHECK(r.told("lookup", "2026-01-01 call of 3 March", kDesk, digits_of(r.dead)) ==
        "listed for reference date 2026-01-01, by revision 1");
  CHECK(has(r.record("looked-up"), "call of 3 March"));
  CHECK(has(r.record("looked-up"), "\"who\":\"desk\""));
  CHECK(r.told("lookup", "2026-01-01 another call", kDesk, digits_of(fictitious_list(1, 99).front())) ==
        "not listed for reference date 2026-01-01, by revision 1");
  CHECK(r.told("lookup", "2025-01-01 another call", kDesk, digits_of(r.dead)) ==
        "no list for reference date 2025-01-01");
  CHECK(r.told("lookup", "2026-02-01 another call", kDesk, digits_of(r.dead)) == "F_REFERENCE_DATE");
  CHECK(r.told("lookup", "2026-01-01", kDesk, digits_of(r.dead)) == "U_USAGE");
  CHECK(r.told("lookup", "2026-01-01 for " + digits_of(r.dead), kDesk, digits_of(r.dead))
            .starts_with("listed"));
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").size() == 4);
  for (const Row& row : r.avsb().db.query("SELECT record FROM audit"))
    CHECK_FALSE(holds_number(row.text(0), {r.dead}));
  r.forget(r.dead);
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").size() == 1);  // of the other person's
  CHECK_FALSE(r.is_anywhere(r.dead));
}

TEST_CASE("whatever a correction left of a person in the database's pages goes when they are forgotten") {
  Register2026 r;
  const std::vector<Insz> many = fictitious_list(6000, 21);
  for (const std::size_t count : {many.size(), many.size() - 1000}) {
    write_file(r.folder / kListName,
               csv_of({many.begin(), many.begin() + static_cast<std::ptrdiff_t>(count)}));
    r.pair.aii->instance.agenda.ask("send-correction", r.folder / kListName, kOperator);
    r.pair.run_to_rest();
    REQUIRE(r.pair.sent().stage == Stage::acknowledged);
  }
  CHECK_FALSE(r.is_anywhere(many.back()));  // withdrawn
  for (const std::size_t i : {std::size_t{0}, std::size_t{17}, std::size_t{4999}}) {
    REQUIRE(r.lists().holds(kYear, many[i]));
    r.forget(many[i]);
    CHECK_FALSE(r.is_anywhere(many[i]));
  }
}

TEST_CASE("what was deleted goes from the database's log once nobody reads it any more") {
  Register2026 r;
  const std::string subject = r.told("forget", "a notice", kOperator, digits_of(r.dead));
  {
    Database reader(r.pair.avsb_config.database_url);
    reader.execute("BEGIN");
    REQUIRE(reader.query_one("SELECT count(*) FROM entry")->integer(0) == 50);
    CHECK(has(r.told("approve-forget", subject, kApprover, digits_of(r.dead)), "could not all be removed"));
    reader.execute("COMMIT");
  }
  CHECK(r.lists().count(kYear) == 49);
  r.pair.run_for(3min);
  CHECK_FALSE(r.is_anywhere(r.dead));
}

TEST_CASE(
    "others may put what they like into the folder of hand-overs, and nothing of it is touched or told") {
  Register2026 r;
  const fs::path exports = r.folder / "exports";
  fs::create_directories(exports / "inburgeringsplicht-2026-r1.csv");
  write_file(exports / ("inburgeringsplicht-" + digits_of(r.dead) + ".csv"), "theirs");
  fs::create_symlink("nowhere", exports / "inburgeringsplicht-2026-r2.csv");
  r.pair.avsb_config.export_to.folder = exports;
  r.pair.avsb_config.export_to.keep = 1h;
  r.pair.start_avsb();
  r.forget(r.dead);
  r.pair.clock.set(SystemClock().now() + 100h);
  r.pair.run_for(50h);
  CHECK(r.pair.names(exports).size() == 3);
  for (const Row& row : r.avsb().db.query("SELECT record FROM audit"))
    CHECK_FALSE(holds_number(row.text(0), {r.dead}));
}

TEST_CASE("what was handed over of a person who is forgotten goes, though its folder is away for days") {
  Register2026 r;
  const fs::path exports = r.folder / "exports";
  fs::create_directory(exports);
  r.pair.avsb.reset();
  r.pair.avsb_config.export_to.folder = exports;
  r.pair.start_avsb();
  r.told("export", "2026 premium", kOperator);
  r.told("approve",
         Approval{"export-2026-r1", r.avsb().holds.find(HoldKind::hand_over, "export-2026-r1")->digest, 0}
             .text(),
         kApprover);
  REQUIRE(Pair::names(exports).size() == 1);
  fs::rename(exports, r.folder / "away");
  const std::string subject = r.told("forget", "notice 12", kOperator, digits_of(r.dead));
  CHECK(has(r.told("approve-forget", subject, kApprover, digits_of(r.dead)), "does not hold"));
  r.pair.run_for(50h);  // the daily look finds nothing, and says so
  const Names alerts = r.pair.open_alerts(*r.pair.avsb);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention L_IO") == 1);
  fs::rename(r.folder / "away", exports);
  r.pair.run_for(10min);
  CHECK(Pair::names(exports).empty());
  CHECK(r.pair.open_alerts(*r.pair.avsb) == Names{"attention EXPORT_STALE"});
}

TEST_CASE("a person is forgotten though it cannot be noted beside the books, which is told until it is") {
  Register2026 r;
  const fs::path in_the_way = r.avsb().config.state / ".erased.marks.new";
  fs::create_directories(in_the_way / "x");
  const std::string subject = r.told("forget", "notice 12", kOperator, digits_of(r.dead));
  CHECK(has(r.told("approve-forget", subject, kApprover, digits_of(r.dead)), "is carried out"));
  CHECK_FALSE(r.is_anywhere(r.dead));
  CHECK(r.pair.open_alerts(*r.pair.avsb).size() == 1);
  CHECK_FALSE(fs::exists(r.avsb().config.state / "erased.marks"));
  fs::remove_all(in_the_way);
  r.pair.run_for(10min);
  CHECK(r.pair.open_alerts(*r.pair.avsb).empty());
  CHECK(fs::exists(r.avsb().config.state / "erased.marks"));
}

TEST_CASE("whoever forgets is told how many of the numbers stand in the register, before and after") {
  Register2026 r;
  const std::string given = digits_of(r.dead) + "\n" + digits_of(fictitious_list(1, 99).front());
  const std::string subject = r.told("forget", "notice 12", kOperator, given);
  CHECK(r.avsb()
            .db
            .query("SELECT 1 FROM alert WHERE code = 'FORGET' AND text LIKE "
                   "'%forget 2 person(s), of whom 1 stand in the register now%'")
            .size() == 1);
  CHECK(has(r.told("approve-forget", subject, kApprover, given),
            "2 number(s) given, 1 of them in the register, entries erased: 1"));
}

TEST_CASE(
    "who was forgotten by mistake stands in the register again once two persons undid it and a list brings "
    "them") {
  Register2026 r;
  const fs::path file = r.avsb().config.state / "erased.marks";
  const std::string living = digits_of(r.dead);
  r.forget(r.dead);
  const std::string key(64, 'a');  // of marks that a restored backup brought
  write_file(file, read_file(file) + key + " " + hmac_sha256_hex(key, living) + "\n");
  r.pair.start_avsb();
  REQUIRE(r.marks() == 2);

  const std::string subject = r.ask_undo(living);
  REQUIRE(subject.starts_with("forget-undo-"));
  CHECK(r.pair.open_alerts(*r.pair.avsb) == Names{"attention FORGET_UNDO"});
  CHECK(has(r.record("forget-undo-asked"), "notice 12 named somebody who lives"));
  CHECK(r.told("approve-forget", subject, kOperator, living) == "C_USER");
  CHECK(r.told("approve-forget", subject, kApprover, digits_of(r.numbers[8])) == "U_STATE");
  CHECK(r.marks() == 2);
  CHECK(has(r.told("approve-forget", subject, kApprover, living), "1 person(s) may be entered again"));
  for (const char* fact : {"\"persons\":\"1\"", "\"asked_by\":\"operator\"", "\"who\":\"approver\""})
    CHECK(has(r.record("forget-undone"), fact));
  CHECK(r.pair.open_alerts(*r.pair.avsb).empty());
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").empty());
  r.pair.start_avsb();
  CHECK(r.marks() == 0);
  CHECK(read_marks(file).empty());
  CHECK_FALSE(r.is_anywhere(r.dead));

  write_file(r.folder / kListName, csv_of(r.numbers));
  r.pair.aii->instance.agenda.ask("send-correction", r.folder / kListName, kOperator);
  r.pair.run_to_rest();
  REQUIRE(r.pair.sent().stage == Stage::acknowledged);
  CHECK(r.lists().holds(kYear, r.dead));
  CHECK(r.lists().count(kYear) == 50);
  r.forget(r.dead);
  CHECK(r.lists().count(kYear) == 49);
}

TEST_CASE("an undoing that stops between the file of marks and the books has undone nothing") {
  Register2026 r;
  const fs::path file = r.avsb().config.state / "erased.marks";
  r.forget(r.dead);
  const std::string known = read_file(file);
  const std::string subject = r.ask_undo(digits_of(r.dead));
  SECTION("the service is killed") {
    write_file(file, "");  // as far as it came
    r.pair.start_avsb();
  }
  SECTION("the file cannot be written") {
    const fs::path in_the_way = r.avsb().config.state / ".erased.marks.new";
    fs::create_directories(in_the_way / "x");
    CHECK(r.told("approve-forget", subject, kApprover, digits_of(r.dead)) == "L_IO");
    fs::remove_all(in_the_way);
  }
  CHECK(r.marks() == 1);
  CHECK(read_file(file) == known);
  CHECK(r.pair.open_alerts(*r.pair.avsb) == Names{"attention FORGET_UNDO"});
  CHECK(has(r.told("approve-forget", subject, kApprover, digits_of(r.dead)), "is carried out"));
  CHECK(r.marks() == 0);
  CHECK(read_file(file).empty());
}

TEST_CASE("nothing is undone of somebody who was not forgotten; how many those are is told, never which") {
  Register2026 r;
  r.forget(r.dead);
  CHECK(r.ask_undo(digits_of(r.dead) + "\n" + digits_of(r.numbers[8])) == "U_STATE");
  CHECK(r.avsb()
            .db.query("SELECT 1 FROM command WHERE result LIKE '%1 of the 2 number(s) given were not%'")
            .size() == 1);
  CHECK(r.told("forget", "--undo", kOperator, digits_of(r.dead)) == "U_USAGE");
  CHECK(r.pair.open_alerts(*r.pair.avsb).empty());

  const std::string first = r.ask_undo(digits_of(r.dead));
  const std::string second = r.ask_undo(digits_of(r.dead));
  CHECK(has(r.told("approve-forget", first, kApprover, digits_of(r.dead)), "is carried out"));
  CHECK(r.told("approve-forget", second, kApprover, digits_of(r.dead)) == "U_STATE");
  CHECK(has(r.told("reject", second, kApprover), "is not carried out"));
  CHECK(has(r.record("forget-undo-rejected"), second));
  CHECK(r.pair.open_alerts(*r.pair.avsb).empty());
}

TEST_CASE("whoever forgets is told of sealed files here that may hold the person still") {
  Register2026 r;
  write_file(r.avsb().quarantine / std::string(64, 'a'), "sealed once");
  const std::string subject = r.told("forget", "notice 12", kOperator, digits_of(r.dead));
  CHECK(has(r.told("approve-forget", subject, kApprover, digits_of(r.dead)),
            (r.avsb().quarantine / std::string(64, 'a')).native()));
}

TEST_CASE("the stop switch, said once more while somebody is forgotten, lets both come to their end") {
  Register2026 r;
  r.told("lookup", "2026-01-01 a question", kDesk, digits_of(r.dead));
  r.told("suspend", "", kOperator);
  const std::string subject = r.told("forget", "notice 12", kOperator, digits_of(r.dead));
  Instance& avsb = r.avsb();
  const auto forget = avsb.agenda.ask("approve-forget", subject, kApprover);
  avsb.files.put(forget, file_with(digits_of(r.dead)));
  const auto again = avsb.agenda.ask("suspend", "", {1004, "another operator"});
  r.pair.run_for(1min);
  CHECK(avsb.agenda.result_of(forget).stage == CommandStage::done);
  CHECK(avsb.agenda.result_of(again).stage == CommandStage::done);
  CHECK(r.lists().count(kYear) == 49);
}

TEST_CASE(
    "who was forgotten is bound to no question of the desk's any more, later ones and those of a backup "
    "included") {
  Register2026 r;
  r.forget(r.dead);
  CHECK(r.told("lookup", "2026-01-01 a question", kDesk, digits_of(r.dead)).starts_with("not listed"));
  CHECK(has(r.record("looked-up"), "not listed"));
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").empty());
  const fs::path marks = r.avsb().config.state / "erased.marks";
  r.told("lookup", "2026-01-01 a question", kDesk, digits_of(r.numbers[8]));
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").size() == 1);
  const std::string waits = r.told("forget", "notice 14", kOperator, digits_of(r.numbers[9]));
  r.pair.avsb.reset();
  const std::string known = read_file(marks);
  write_file(marks, known + std::string(64, '1') + " " + std::string(64, '2') + "\n");  // as another backup's
  r.pair.start_avsb();
  CHECK(r.avsb().db.query("SELECT 1 FROM salt").empty());
  CHECK(r.request(waits).state == HoldState::lapsed);
  CHECK(has(r.record("forget-lapsed"), waits));
}

TEST_CASE("whoever was handed a list long ago hears that somebody on it was forgotten") {
  Register2026 r;
  r.pair.avsb.reset();
  r.pair.avsb_config.export_to.folder = r.folder / "exports";
  fs::create_directory(r.folder / "exports");
  r.pair.start_avsb();
  r.told("export", "2026 premium", kOperator);
  r.told("approve",
         Approval{"export-2026-r1", r.avsb().holds.find(HoldKind::hand_over, "export-2026-r1")->digest, 0}
             .text(),
         kApprover);
  r.pair.run_for(24h * 60);
  r.forget(r.dead);
  const Names alerts = r.pair.open_alerts(*r.pair.avsb);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention EXPORT_STALE") == 1);
}

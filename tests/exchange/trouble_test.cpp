// Trouble that passes: this machine is short of something, the share fails or lies for a while.

#include <algorithm>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/mount.h>

#include "core/digest.h"
#include "core/files.h"
#include "support/fictitious.h"
#include "support/handmade.h"
#include "support/pair.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

namespace {

struct Troubled {
  TempFolder folder{TempFolder::Place::in_memory};
  std::vector<Insz> numbers = fictitious_list(5000, 3);
  Pair pair{folder.path()};

  Troubled() { pair.start(); }
  Instance& aii() { return pair.aii->instance; }
  Instance& avsb() { return pair.avsb->instance; }
  void drop() { pair.drop(kListName, csv_of(numbers)); }
  std::int64_t recorded() { return avsb().lists.count(kYear); }
  Names alerts() { return pair.open_alerts(*pair.avsb); }
  /// The list is recorded in the end, once, and nobody is alarmed any more.
  void check_mended() {
    pair.run_for(std::chrono::hours(2));
    CHECK(recorded() == 5000);
    CHECK(pair.sent().stage == Stage::acknowledged);
    CHECK(alerts().empty());
    CHECK(pair.open_alerts(*pair.aii).empty());
  }
  /// A receipt as the receiver would sign it for what the sender sent.
  Receipt receipt() {
    const Exchange x = pair.sent();
    Receipt made;
    made.exchange = x.id;
    made.package = x.package;
    made.package_sha256 = x.package_sha256;
    made.records = x.records;
    made.added = x.records;
    made.found_at = made.recorded_at = pair.clock.now();
    made.receiver = {"avsb", pair.avsb_config.own_keys[0].fingerprint};
    made.audit = {1, std::string(64, 'a')};
    return made;
  }
  void lay_answer(const Receipt& receipt, FileKind kind) {
    const std::string json = receipt_json(receipt);
    write_file(pair.root / "share/to_aii" / file_name(pair.sent().stem, kind),
               write_receipt_archive({json, pair.avsb_seal->sign(json)}));
  }
};

/// Opens nothing as long as memory is short.
class Forgetful : public FakeSeal {
 public:
  using FakeSeal::FakeSeal;
  Opened open(const Blob& sealed, Sink& plain, const Transfer& transfer) override {
    if (short_of_memory) throw std::bad_alloc();
    return FakeSeal::open(sealed, plain, transfer);
  }
  bool short_of_memory = true;
};

}  // namespace

// The receiver's own machine: no answer, and it goes on when there is room.

TEST_CASE("a receiver whose database has no room left does not answer, and records when it has") {
  Troubled t;
  const std::int64_t pages = t.avsb().db.query_one("PRAGMA page_count")->integer(0);
  t.avsb().db.query(fmt::format("PRAGMA max_page_count = {}", pages + 4));
  t.drop();
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.alerts() == Names{"attention L_FULL"});
  CHECK(t.avsb().db.query("SELECT 1 FROM list").empty());
  CHECK(t.avsb().db.query("SELECT 1 FROM receipt").empty());
  CHECK(t.pair.to_aii().empty());
  CHECK(t.pair.to_avsb().size() == 1);
  t.avsb().db.query("PRAGMA max_page_count = 1000000");
  t.check_mended();
}

TEST_CASE("a receiver whose database refuses the list does not answer, and records when it takes it") {
  Troubled t;
  t.avsb().db.execute("CREATE TRIGGER no BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'no'); END");
  t.drop();
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.alerts() == Names{"attention L_DATABASE"});
  CHECK(t.avsb().db.query("SELECT 1 FROM list").empty());
  CHECK(t.pair.to_aii().empty());
  t.avsb().db.execute("DROP TRIGGER no");
  t.check_mended();
}

TEST_CASE("a receiver whose disk has no room for the package does not answer, and fetches it when it has") {
  Troubled t;
  t.pair.avsb_share.on_fetch = [](const std::string&, const std::string&) -> std::string {
    throw Error(Code::l_full, "no room left on the disk");
  };
  t.drop();
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.alerts() == Names{"attention L_FULL"});
  CHECK(t.pair.to_aii().empty());
  CHECK(t.pair.to_avsb().size() == 1);
  t.pair.avsb_share.on_fetch = nullptr;
  t.check_mended();
}

TEST_CASE("a receiver that is short of memory does not answer, and opens the package when it has some") {
  Troubled t;
  t.pair.avsb.reset();
  auto seal = std::make_unique<Forgetful>(t.pair.avsb_config.own_keys, t.pair.avsb_config.counterparty_keys,
                                          t.pair.clock);
  Forgetful& forgetful = *seal;
  t.pair.avsb_seal = std::move(seal);
  t.pair.start_avsb();
  t.drop();
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.alerts() == Names{"attention L_MEMORY"});
  CHECK(t.recorded() == 0);
  CHECK(t.pair.to_aii().empty());
  forgetful.short_of_memory = false;
  t.check_mended();
}

// Floods and lying listings.

TEST_CASE("a flood of new names is taken two hundred at a look, and told of once") {
  Troubled t;
  t.pair.aii.reset();
  for (int i = 0; i < 250; ++i)
    lay_bytes(t.pair,
              file_name(make_stem(Purpose::list, kYear, 1, t.pair.clock.now() + std::chrono::milliseconds(i)),
                        FileKind::package),
              fmt::format("flood {}", i));
  t.pair.run_for(std::chrono::milliseconds(1));
  CHECK(t.avsb().db.query("SELECT 1 FROM arrival").size() == 200);
  const Names during = t.alerts();
  CHECK(std::count(during.begin(), during.end(), "finding T_SIZE") == 1);
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.avsb().db.query("SELECT 1 FROM arrival").size() == 250);
  CHECK(t.avsb().ledger.quarantined() == 250);
  CHECK(Pair::names(t.avsb().quarantine).size() == 64);
  CHECK(t.pair.to_avsb().size() == 250 - 64);  // what the quarantine has no room for stays where it lies
  CHECK(t.avsb().db.query("SELECT 1 FROM alert WHERE code = 'T_SIZE'").size() == 1);
}

TEST_CASE("a listing that names a file twice changes nothing") {
  Troubled t;
  t.pair.avsb_share.on_list = [](std::vector<ShareEntry> entries) {
    const std::vector<ShareEntry> once = entries;
    entries.insert(entries.end(), once.begin(), once.end());
    return entries;
  };
  t.drop();
  t.check_mended();
  CHECK(t.pair.avsb_share.calls(Verb::fetch) == 1);
  CHECK(t.avsb().db.query("SELECT 1 FROM arrival").size() == 1);
}

TEST_CASE("a listing that lacks files delays what lies there and loses nothing") {
  Troubled t;
  const auto nothing = [](const std::vector<ShareEntry>&) { return std::vector<ShareEntry>(); };
  t.pair.avsb_share.on_list = nothing;
  t.pair.aii_share.on_list = nothing;
  t.drop();
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.recorded() == 0);
  CHECK(t.pair.sent().stage == Stage::sent);
  t.pair.avsb_share.on_list = nullptr;
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.recorded() == 5000);
  CHECK(t.pair.sent().stage == Stage::sent);  // the receipt is not seen
  t.pair.aii_share.on_list = nullptr;
  t.check_mended();
}

TEST_CASE("a listing that tells other sizes is not believed, and the file is taken when it tells the truth") {
  Troubled t;
  std::int64_t off = 0;
  SECTION("too large") { off = 10; }
  SECTION("too small") { off = -10; }
  t.pair.avsb_share.on_list = [&](std::vector<ShareEntry> entries) {
    for (ShareEntry& entry : entries) entry.size += static_cast<std::uint64_t>(off);
    return entries;
  };
  t.drop();
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.recorded() == 0);
  CHECK(t.pair.to_aii().empty());
  CHECK(t.avsb().ledger.quarantined() == 0);
  t.pair.avsb_share.on_list = nullptr;
  t.check_mended();
}

// Answers.

TEST_CASE("a put whose answer was lost counts as sent under the same name") {
  Troubled t;
  t.pair.aii_share.fail_next_after(Verb::put, Code::s_timeout);
  t.drop();
  t.check_mended();
  CHECK(t.pair.sent().copy == 1);
  CHECK(t.aii().db.query("SELECT 1 FROM audit WHERE event = 'sent'").size() == 1);
  CHECK(t.avsb().db.query("SELECT 1 FROM arrival").size() == 1);
}

TEST_CASE("a name that the share keeps from us though it shows nothing there is given up after some tries") {
  Troubled t;
  t.pair.aii_share.forbid_put(true);
  t.drop();
  t.pair.run_for(std::chrono::seconds(20));
  const std::string name = t.pair.sent().stem + ".pgp";
  write_file(t.pair.root / "share/to_avsb" / name, "hidden");
  const auto hide = [&](std::vector<ShareEntry> entries) {
    std::erase_if(entries, [&](const ShareEntry& entry) { return entry.name == name; });
    return entries;
  };
  t.pair.aii_share.on_list = t.pair.avsb_share.on_list = hide;
  t.pair.aii_share.forbid_put(false);
  const Time begun = t.pair.clock.now();
  t.pair.run_to_rest();
  CHECK(t.pair.sent().stage == Stage::acknowledged);
  CHECK(t.pair.sent().package == t.pair.sent().stem + "-2.pgp");
  CHECK(t.pair.sent().copy == 2);
  CHECK(t.aii().db.query("SELECT 1 FROM audit WHERE event = 'name-taken'").size() == 1);
  CHECK(t.pair.clock.now() - begun > std::chrono::minutes(8));
  CHECK(t.pair.clock.now() - begun < std::chrono::minutes(40));
  CHECK(t.pair.open_alerts(*t.pair.aii).empty());  // nobody has anything to do
}

TEST_CASE("a refusal that could not read which exchange it refuses is known by the package's digest") {
  Troubled t;
  t.pair.avsb.reset();
  t.drop();
  t.pair.run_to_rest();
  Receipt refusal = t.receipt();
  refusal.exchange.reset();
  refusal.records = refusal.added = 0;
  refusal.status = ReceiptStatus::refused;
  refusal.reasons = {{Code::f_archive, 1, "the archive is not one of ours"}};
  SECTION("of our bytes") {
    t.lay_answer(refusal, FileKind::refused);
    t.pair.run_to_rest();
    CHECK(t.pair.sent().stage == Stage::refused);
    CHECK(t.pair.note(kListName).find("F_ARCHIVE") != std::string::npos);
    CHECK(t.pair.open_alerts(*t.pair.aii) == Names{"attention F_ARCHIVE"});
  }
  SECTION("of other bytes") {
    refusal.package_sha256 = std::string(64, 'b');
    t.lay_answer(refusal, FileKind::refused);
    t.pair.run_to_rest();
    CHECK(t.aii().ledger.holder(kYear)->stage == Stage::sent);
  }
}

TEST_CASE("a receipt for another count of numbers is a finding and acknowledges nothing") {
  Troubled t;
  t.pair.avsb.reset();
  t.drop();
  t.pair.run_to_rest();
  Receipt wrong = t.receipt();
  --wrong.records;
  --wrong.added;
  t.lay_answer(wrong, FileKind::recorded);
  t.pair.run_to_rest();
  CHECK(t.pair.sent().stage == Stage::sent);
  CHECK(t.pair.open_alerts(*t.pair.aii) == Names{"finding T_REPLAY"});
  t.lay_answer(t.receipt(), FileKind::recorded);
  t.pair.run_to_rest();
  CHECK(t.pair.sent().stage == Stage::acknowledged);
}

// Waiting.

TEST_CASE("who asks to be left alone for a time is left alone for exactly that time") {
  Troubled t;
  t.pair.aii_share.fail_next(Verb::put, Code::s_throttled, std::chrono::seconds(1234));
  t.drop();
  t.pair.run_for(std::chrono::seconds(30));
  const Exchange x = t.pair.sent();
  CHECK(x.wait.problem_code == "S_THROTTLED");
  t.pair.start_aii();  // which is no reason to ask sooner
  CHECK(t.pair.sent().wait.due == x.wait.due);
  CHECK(*x.wait.due - x.opened_at == std::chrono::seconds(1234));
  const auto puts = t.pair.aii_share.calls(Verb::put);
  t.pair.clock.set(*x.wait.due - std::chrono::milliseconds(1));
  t.pair.aii->run();
  CHECK(t.pair.aii_share.calls(Verb::put) == puts);
  t.pair.clock.set(*x.wait.due);
  t.pair.aii->run();
  CHECK(t.pair.aii_share.calls(Verb::put) == puts + 1);
  CHECK(t.pair.sent().stage == Stage::sent);
}

TEST_CASE("waits between failed tries double up to a bound, each shortened by chance to no less than half") {
  Troubled t;
  t.pair.aii_share.forbid_put(true);
  t.drop();
  t.pair.run_for(std::chrono::seconds(6));
  std::set<std::chrono::milliseconds> longest;
  for (int tries = 1; tries <= 20; ++tries) {
    const Exchange x = t.pair.sent();
    CAPTURE(tries);
    REQUIRE(x.wait.attempts == tries);
    const auto step = std::min<std::chrono::milliseconds>(
        t.pair.aii_config.share.retry_first * (std::int64_t{1} << (tries - 1)),
        t.pair.aii_config.share.retry_most);
    // What is due is tried at that very moment.
    const auto last = tries == 1 ? x.opened_at : t.pair.clock.now();
    const auto wait = *x.wait.due - last;
    CHECK(wait <= step);
    CHECK(wait >= step / 2);
    if (step == t.pair.aii_config.share.retry_most) longest.insert(wait);
    t.pair.clock.set(*x.wait.due);
    t.pair.aii->run();
  }
  CHECK(longest.size() > 5);
}

TEST_CASE(
    "a package sealed while the sender's clock stood ahead is set aside when a person says so, and is no "
    "more") {
  Troubled t;
  const Time now = t.pair.clock.now();
  t.pair.avsb.reset();
  t.pair.clock.advance(std::chrono::days(300));
  t.pair.drop(kListName, csv_of(t.numbers));
  for (int i = 0; i < 20; ++i) {
    t.pair.aii->run();
    t.pair.clock.advance(std::chrono::seconds(1));
  }
  t.pair.clock.set(now);
  t.pair.start_avsb();
  t.pair.run_for(std::chrono::minutes(5));
  CHECK(t.pair.open_alerts(*t.pair.avsb) == Names{"attention L_CLOCK"});
  Instance& avsb = t.pair.avsb->instance;
  avsb.agenda.ask("reject", t.pair.sent().package, {1001, "officer"});
  t.pair.aii->instance.agenda.ask("withdraw", t.pair.sent().id, {1001, "operator"});
  t.pair.run_for(std::chrono::minutes(5));
  CHECK(t.pair.open_alerts(*t.pair.avsb).empty());
  CHECK(avsb.ledger.quarantined() == 1);
  t.pair.drop(kListName, csv_of(t.numbers));
  t.pair.run_for(std::chrono::minutes(5));
  CHECK(t.pair.note(kListName).find("Recorded at the receiver") != std::string::npos);
  CHECK(t.recorded() == 5000);
  CHECK(avsb.db.query("SELECT 1 FROM audit WHERE event = 'rejected'").size() == 1);
}

TEST_CASE(
    "an answer that the receiver signed while its clock stood ahead is signed anew once that is right") {
  Troubled t;
  const Time now = t.pair.clock.now();
  t.drop();
  t.pair.avsb.reset();
  t.pair.run_for(std::chrono::minutes(5));
  REQUIRE(t.pair.sent().stage == Stage::sent);
  t.pair.aii.reset();
  t.pair.clock.advance(std::chrono::days(200));
  t.pair.start_avsb();
  t.pair.run_for(std::chrono::minutes(5));
  REQUIRE(t.recorded() == 5000);
  t.pair.avsb.reset();
  t.pair.clock.set(now + std::chrono::hours(1));
  t.pair.start();
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.pair.sent().stage == Stage::sent);
  CHECK(t.pair.open_alerts(*t.pair.aii) == Names{"attention L_CLOCK"});
  t.pair.run_for(t.pair.aii_config.window.receipt_within + std::chrono::hours(2));
  CHECK(t.pair.sent().stage == Stage::acknowledged);
  CHECK(t.pair.to_aii().empty());
  CHECK(t.aii().ledger.open_arrivals().empty());
  CHECK(t.pair.open_alerts(*t.pair.aii).empty());
  // What is sealed next quotes it, and nobody misses anything.
  t.pair.drop("inburgeringsplicht-2025.csv", csv_of(fictitious_list(10, 6)));
  t.pair.run_for(std::chrono::hours(2));
  t.pair.drop("inburgeringsplicht-2024.csv", csv_of(fictitious_list(10, 6)));
  t.pair.run_for(std::chrono::hours(2));
  CHECK(t.avsb().lists.count(2024) == 10);
  for (const Alert& alert : t.avsb().alerts.open()) CHECK(alert.code == "L_CLOCK");
}

TEST_CASE("what a receipt says in its own words shows no number at the sender") {
  Troubled t;
  t.pair.avsb.reset();
  t.drop();
  t.pair.run_for(std::chrono::minutes(2));
  Receipt receipt = t.receipt();
  receipt.status = ReceiptStatus::refused;
  receipt.added = 0;
  receipt.reasons = {{Code::f_count, 1, "the first of them is 85070999751, or 85.07.09-997.51"}};
  t.lay_answer(receipt, FileKind::refused);
  t.pair.run_for(std::chrono::minutes(5));
  REQUIRE(t.pair.sent().stage == Stage::refused);
  const std::string note = t.pair.note(kListName);
  CHECK(note.find("the first of them is") != std::string::npos);
  for (const std::string& text : {note, t.aii().alerts.open().at(0).text}) {
    CHECK(text.find("8507099") == std::string::npos);
    CHECK(text.find("85.07") == std::string::npos);
  }
}

TEST_CASE(
    "a share that gives its files slowly holds up nothing else, and what it gives is recorded in the end") {
  Troubled t;
  t.avsb().longest_reading = std::chrono::milliseconds(0);  // each piece takes too long
  t.drop();
  t.check_mended();
  CHECK(t.avsb().ledger.last_arrival(t.pair.sent().package)->resumed);
}

TEST_CASE("a disk with little room is told of with the next look at the share, until there is room") {
  const TempFolder folder;
  const fs::path small = folder.path() / "small";
  fs::create_directory(small);
  REQUIRE(mount("none", small.c_str(), "tmpfs", 0, "size=130m,mode=700") == 0);
  {
    Pair pair(folder.path());
    pair.avsb_config.state = small / "avsb";
    pair.avsb_config.database_url = "sqlite:" + (small / "avsb/ledger.db").native();
    fs::create_directory(small / "avsb");
    fs::permissions(small / "avsb", fs::perms(0700));
    pair.start_avsb();
    pair.run_for(std::chrono::minutes(10));
    CHECK(pair.open_alerts(*pair.avsb).empty());
    write_file(small / "large", std::string(std::size_t{60} << 20, 'x'));
    pair.run_for(std::chrono::minutes(10));
    CHECK(pair.open_alerts(*pair.avsb) == Names{"attention L_FULL"});
    fs::remove(small / "large");
    pair.run_for(std::chrono::minutes(10));
    CHECK(pair.open_alerts(*pair.avsb).empty());
  }
  CHECK(umount2(small.c_str(), MNT_DETACH) == 0);
}

TEST_CASE("once a list could be put its receipt is looked for, however far off the next look was") {
  Troubled t;
  t.pair.aii.reset();
  t.pair.aii_config.share.retry_most = std::chrono::hours(12);
  t.pair.start_aii();
  t.pair.aii_share.fail_all(Code::s_unreachable);
  t.pair.run_for(std::chrono::hours(72));
  const auto next_look = [&] { return t.aii().agenda.chore(Chore::poll).wait.due.value(); };
  while (next_look() < t.pair.clock.now() + std::chrono::hours(2)) t.pair.run_for(std::chrono::hours(1));
  t.pair.aii_share.heal();
  t.drop();
  t.pair.run_for(std::chrono::hours(1));
  CHECK(t.pair.sent().stage == Stage::acknowledged);
}

TEST_CASE("of a share that is mounted to be read alone it is said so") {
  const TempFolder folder;
  const fs::path out = folder.path() / "out";
  fs::create_directory(out);
  REQUIRE(mount("none", out.c_str(), "tmpfs", MS_RDONLY, "size=1m") == 0);
  FolderShare share(out, out);
  const auto error = thrown([&] { share.put("a.pgp", MemoryBlob("x"), {}, {}); });
  CHECK(umount2(out.c_str(), MNT_DETACH) == 0);
  REQUIRE(error);
  CHECK(error->code() == Code::s_rights);
  CHECK(error->message().find("have it mounted for writing") != std::string::npos);
}

// What care funds get of a recorded list (article 4; Q20 to Q24): by two persons, sealed to each, their own
// members.

#include "daemon/distribution.h"

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "connectors/folder_share.h"
#include "core/files.h"
#include "core/log.h"
#include "exchange/asking.h"
#include "formats/care_fund.h"
#include "formats/list.h"
#include "formats/ustar.h"
#include "support/canary.h"
#include "support/scripted_share.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

const std::string kMembers = "ledenbestand-2026-02-20.csv";

/// The list of 2026 is recorded. Three funds: of its fifty persons alfa has ten, beta twenty, gamma none.
struct Distributing : Asking {
  std::map<std::string, std::vector<Insz>> funds;
  std::vector<Insz> strangers = fictitious_list(15, 5);

  Distributing() {
    funds["alfa"].assign(numbers.begin(), numbers.begin() + 10);
    funds["beta"].assign(numbers.begin() + 10, numbers.begin() + 30);
    funds["gamma"].assign(strangers.begin(), strangers.begin() + 5);
    char digit = '1';
    for (const auto& [fund, members] : funds) {
      fs::create_directories(folder / fund);
      Recipient recipient{fund, {{std::string(40, digit++), {}, {}}}, {}};
      recipient.share.kind = FolderShareConfig{folder / fund, folder / fund};
      pair.avsb_config.distribution.recipients.push_back(recipient);
    }
    pair.avsb_config.distribution.members_at_least = 30;
    start();
    exchange();
    REQUIRE(lists().count(kYear) == 50);
  }
  void start() {
    pair.avsb.reset();
    pair.start_avsb();
    avsb().open_seal = [this](const std::vector<PinnedKey>& recipient) {
      return std::make_unique<FakeSeal>(pair.avsb_config.own_keys, recipient, pair.clock);
    };
  }
  std::string members() const {
    std::string text = "zorgkas;insz\n";
    std::size_t count = 0;
    for (const auto& [fund, of_fund] : funds)
      for (const Insz& member : of_fund) {
        text += fmt::format("{};{}\n", fund, digits_of(member));
        ++count;
      }
    return text + fmt::format("einde;{}\n", count);
  }
  std::string told(const std::string& verb, const std::string& argument, const Person& who,
                   const std::string& file = "") {
    if (file.empty()) return Asking::told(avsb(), verb, argument, who);
    write_file(folder / "entrusted", file);
    return Asking::told(avsb(), verb, argument, who,
                        Fd(open((folder / "entrusted").c_str(), O_RDONLY | O_CLOEXEC)));
  }
  std::string ask(const std::string& name = kMembers) {
    return told("distribute", fmt::format("{} {}", kYear, name), kOperator, members());
  }
  std::string approval(const std::string& subject) {
    return Approval{subject, avsb().holds.find(HoldKind::distribution, subject)->digest}.text();
  }
  void deliver() {
    const std::string subject = ask();
    REQUIRE(subject.starts_with("distribute-2026-"));
    REQUIRE(has(told("approve", approval(subject), kApprover), "is released"));
    pair.run_for(1min);
  }
  Names at(const std::string& fund) { return Pair::names(folder / fund); }
  /// What a fund reads with its own key; nobody else can.
  std::pair<CareFundManifest, std::vector<Insz>> read(const std::string& fund, const std::string& file) {
    const Recipient& recipient = *pair.avsb_config.distribution.find(fund);
    FakeSeal seal(recipient.keys, pair.avsb_config.own_keys, pair.clock);
    MemFile plain(1'000'000);
    seal.open(FileBlob(folder / fund / file), plain, {});
    plain.seal();
    const auto [json, csv] = read_ustar(plain.bytes(), {"manifest.json", "list.csv"});
    const CareFundManifest manifest = parse_care_fund(json);
    return {manifest, read_package_list(csv, manifest.reference_date).numbers};
  }
  std::string record(const std::string& event) { return Asking::record(avsb(), event); }
};

}  // namespace

TEST_CASE(
    "Q20, Q21, Q22: each care fund gets its own members on the list, sealed to its key, when two persons say "
    "so") {
  Distributing d;
  const std::string subject = d.ask();
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DISTRIBUTE"});
  CHECK(has(d.record("distribution-asked"), "\"in_no_fund\":\"20\""));
  CHECK(d.at("alfa").empty());
  CHECK(d.told("approve", d.approval(subject), kOperator) == "C_USER");
  CHECK(d.told("approve", subject + " " + std::string(64, '0'), kApprover) == "U_STATE");
  CHECK(has(d.told("approve", d.approval(subject), kApprover), "is released"));
  d.pair.run_for(1min);
  REQUIRE(d.at("alfa").size() == 1);
  REQUIRE(d.at("beta").size() == 1);
  CHECK(d.at("gamma").empty());  // none of its members is on the list, and none ever was
  const auto [manifest, numbers] = d.read("alfa", d.at("alfa").front());
  CHECK(numbers == d.funds["alfa"]);
  CHECK(manifest.records == 10);
  CHECK(manifest.revision == 1);
  CHECK(format_date(manifest.members_as_of) == "2026-02-20");
  CHECK(d.read("beta", d.at("beta").front()).second == d.funds["beta"]);
  CHECK(has(d.record("delivered"), "\"fund\":\"beta\""));
  CHECK(d.avsb().db.query("SELECT 1 FROM audit WHERE event = 'delivered'").size() == 2);
  CHECK(d.pair.open_alerts(*d.pair.avsb).empty());
  CHECK(files_holding(d.folder / "alfa", d.funds["alfa"]).empty());
  for (const std::string& name : Pair::names(d.avsb().spool)) CHECK_FALSE(is_care_fund_file(name));
}

TEST_CASE("Q23: without a fresh and whole membership register nothing leaves") {
  Distributing d;
  const std::string whole = d.members();
  const auto ask = [&](const std::string& name, const std::string& text) {
    return d.told("distribute", fmt::format("{} {}", kYear, name), kOperator, text);
  };
  CHECK(ask(kMembers, "zorgkas;insz\neinde;0\n") == "U_STATE");
  CHECK(ask("ledenbestand-2026-01-20.csv", whole) == "U_STATE");  // too old
  CHECK(ask("ledenbestand-2026-03-20.csv", whole) == "U_STATE");  // still to come
  CHECK(ask(kMembers, whole.substr(0, whole.size() - 9)) == "I_FORMAT");
  CHECK(ask("ledenbestand.csv", whole) == "I_NAME");
  CHECK(ask(kMembers, "zorgkas;insz\nalfa;12345678901\neinde;1\n") == "I_FAULTY");
  d.funds.erase("gamma");
  CHECK(d.ask() == "U_STATE");  // a fund without members
  CHECK(d.told("distribute", "2026", kOperator, whole) == "U_USAGE");
  CHECK(d.told("distribute", "2025 " + kMembers, kOperator, whole) == "U_STATE");
  CHECK(d.avsb().deliveries.all().empty());
}

TEST_CASE("Q20, Q24: nobody else gets anything, but whom AII was notified of before") {
  Distributing d;
  d.funds["delta"].assign(d.strangers.begin() + 5, d.strangers.end());
  CHECK(d.ask() == "U_STATE");
  Recipient delta{"delta", {{std::string(40, '9'), {}, {}}}, {}, "letter 12", {}};
  fs::create_directories(d.folder / "delta");
  delta.share.kind = FolderShareConfig{d.folder / "delta", d.folder / "delta"};
  delta.notified_on = parse_date("2026-03-02");
  d.pair.avsb_config.distribution.recipients.push_back(delta);
  d.start();
  CHECK(d.ask() == "U_STATE");  // to be notified tomorrow
  d.pair.avsb_config.distribution.recipients.back().notified_on = parse_date("2026-02-20");
  d.start();
  CHECK(d.ask().starts_with("distribute-"));
}

TEST_CASE("after a correction only what changed goes out, as the next revision of that fund") {
  Distributing d;
  d.deliver();
  CHECK(d.ask() == "U_STATE");  // everybody has it
  std::vector<Insz> corrected = d.numbers;
  corrected.erase(corrected.begin() + 3);  // of alfa
  write_file(d.folder / kListName, csv_of(corrected));
  d.pair.aii->instance.agenda.ask("send-correction", d.folder / kListName, kOperator);
  d.pair.run_for(10min);
  REQUIRE(d.lists().newest(kYear)->revision == 2);
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DISTRIBUTION_STALE"});
  d.deliver();
  CHECK(d.at("beta").size() == 1);
  REQUIRE(d.at("alfa").size() == 2);
  const auto [manifest, numbers] = d.read("alfa", d.at("alfa").back());
  CHECK(manifest.revision == 2);
  CHECK(numbers.size() == 9);
  CHECK(d.pair.open_alerts(*d.pair.avsb).empty());
}

TEST_CASE("a distribution that is rejected, replaced, or overtaken by a correction or a death goes nowhere") {
  Distributing d;
  const std::string subject = d.ask();
  const std::string old = d.approval(subject);
  const auto sealed = [&] {
    const auto names = Pair::names(d.avsb().spool);
    return std::count_if(names.begin(), names.end(),
                         [](const std::string& name) { return is_care_fund_file(name); });
  };
  CHECK(sealed() == 2);
  SECTION("rejected") { CHECK(has(d.told("reject", subject + " not now", kApprover), "is not delivered")); }
  SECTION("replaced") {
    const std::string next = d.ask();
    CHECK(next != subject);
    CHECK(sealed() == 2);
    CHECK(d.told("approve", old, kApprover) == "U_STATE");
    CHECK(has(d.told("reject", next, kApprover), "is not delivered"));
  }
  SECTION("corrected") {
    write_file(d.folder / kListName, csv_of(std::vector<Insz>(d.numbers.begin() + 1, d.numbers.end())));
    d.pair.aii->instance.agenda.ask("send-correction", d.folder / kListName, kOperator);
    d.pair.run_for(10min);
    d.start();
  }
  SECTION("a death") {
    const std::string dead = digits_of(d.numbers[3]);
    const std::string request = d.told("forget", "notice 12", kOperator, dead);
    CHECK(has(d.told("approve-forget", request, kApprover, dead), "is carried out"));
  }
  d.pair.run_for(48h);
  CHECK(d.at("alfa").empty());
  CHECK(sealed() == 0);
  CHECK(d.avsb().holds.open_ones(HoldKind::distribution) == 0);
  CHECK(has(d.record("distribution-lapsed"), "\"was\":\"held\""));
  const Names alerts = d.pair.open_alerts(*d.pair.avsb);
  const bool overtaken = d.lists().newest(kYear)->revision == 2 || d.lists().count(kYear) == 49;
  CHECK(std::count(alerts.begin(), alerts.end(), "attention DISTRIBUTION_STALE") == (overtaken ? 1 : 0));
}

TEST_CASE("what was released and not delivered yet never follows what came after it") {
  Distributing d;
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  REQUIRE(d.at("beta").size() == 1);
  SECTION("a correction") {
    write_file(d.folder / kListName, csv_of(std::vector<Insz>(d.numbers.begin() + 1, d.numbers.end())));
    d.pair.aii->instance.agenda.ask("send-correction", d.folder / kListName, kOperator);
    d.pair.run_for(10min);
  }
  SECTION("a rejection after all") {
    const std::string subject = d.avsb().deliveries.all().front().request;
    CHECK(has(d.told("reject", subject, kApprover), "is not delivered"));
  }
  SECTION("a register that is old by then") {
    d.pair.avsb_config.distribution.members_no_older = std::chrono::days(12);
    d.start();
    d.pair.run_for(std::chrono::days(6));
  }
  SECTION("another key") {
    d.pair.avsb_config.distribution.recipients.front().keys = {{std::string(40, 'A'), {}, {}}};
    d.start();
    d.pair.run_for(1h);
  }
  fs::rename(d.folder / "away", d.folder / "alfa");
  d.pair.run_for(48h);
  CHECK(d.at("alfa").empty());
  const auto all = d.avsb().deliveries.all();
  CHECK(std::none_of(all.begin(), all.end(), [](const Delivery& x) { return x.is_pending(); }));
}

TEST_CASE("of a delivery that lapses under way nothing stays on the fund's share, and nothing else goes") {
  Distributing d;
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  const Delivery under_way = d.avsb().deliveries.all().front();
  REQUIRE(under_way.fund == "alfa");
  REQUIRE(under_way.stage == DeliveryStage::delivering);
  const std::string sealed = read_file(d.avsb().spool / under_way.file);
  CHECK(has(d.told("withdraw", under_way.request, kOperator), "is not delivered"));
  fs::rename(d.folder / "away", d.folder / "alfa");
  write_file(d.folder / "alfa" / ("." + under_way.file + ".part"), sealed.substr(0, 100));
  write_file(d.folder / "alfa/other.pgp", "not ours");
  Names left = {"other.pgp"};
  SECTION("a part") {}
  SECTION("all of it") { write_file(d.folder / "alfa" / under_way.file, sealed); }
  SECTION("and other bytes under its name") {
    write_file(d.folder / "alfa" / under_way.file, "not ours");
    left.push_back(under_way.file);
  }
  d.pair.run_for(48h);
  CHECK(d.at("alfa") == left);
  CHECK(has(d.record("delivery-cleared"), under_way.file));
  // beta has its part, and nobody knows whether alfa fetched its own.
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DISTRIBUTION_STALE"});
}

TEST_CASE("what stands before a digest is never taken for a person's number with it") {
  CHECK(without_typed_numbers(Approval{"distribute-2026-17", "12345" + std::string(59, 'a')}.text()) ==
        "distribute-2026-17 sha256:12345" + std::string(59, 'a'));
}

TEST_CASE("who was forgotten before a restore is in no delivery after it") {
  Distributing d;
  const Insz dead = d.numbers[3];
  const std::string request = d.told("forget", "notice 12", kOperator, digits_of(dead));
  REQUIRE(has(d.told("approve-forget", request, kApprover, digits_of(dead)), "is carried out"));
  const std::string marks = read_file(d.avsb().config.state / "erased.marks");
  d.pair.avsb.reset();
  fs::remove_all(d.pair.avsb_config.state);
  fs::remove_all(d.pair.aii_config.state);
  d.pair.start_aii();
  d.start();
  d.exchange();  // as before the death
  REQUIRE(d.lists().count(kYear) == 50);
  d.ask();
  write_file(d.avsb().config.state / "erased.marks", marks);
  d.start();
  CHECK(d.lists().count(kYear) == 49);
  CHECK(d.avsb().holds.open_ones(HoldKind::distribution) == 0);
  for (const std::string& name : Pair::names(d.avsb().spool)) CHECK_FALSE(is_care_fund_file(name));
}

TEST_CASE(
    "who was forgotten stands in no delivery that follows, and every fund that had the person gets a new "
    "one") {
  Distributing d;
  d.deliver();
  const Insz dead = d.numbers[3];
  const std::string request = d.told("forget", "notice 12", kOperator, digits_of(dead));
  REQUIRE(has(d.told("approve-forget", request, kApprover, digits_of(dead)), "is carried out"));
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DISTRIBUTION_STALE"});
  for (const Delivery& delivery : d.avsb().deliveries.all()) CHECK(delivery.salt.empty());
  d.deliver();
  REQUIRE(d.at("alfa").size() == 2);
  const auto numbers = d.read("alfa", d.at("alfa").back()).second;
  CHECK(std::find(numbers.begin(), numbers.end(), dead) == numbers.end());
  CHECK(numbers.size() == 9);
}

TEST_CASE("a fund's share that is away is waited for, and foreign bytes under our name there are a finding") {
  Distributing d;
  SECTION("away") {
    fs::rename(d.folder / "alfa", d.folder / "away");
    d.deliver();
    CHECK(d.at("beta").size() == 1);
    fs::rename(d.folder / "away", d.folder / "alfa");
    d.pair.run_for(2h);
    CHECK(d.at("alfa").size() == 1);
    CHECK(d.pair.open_alerts(*d.pair.avsb).empty());
  }
  SECTION("taken") {
    const std::string subject = d.ask();
    for (const Delivery& delivery : d.avsb().deliveries.all())
      write_file(d.folder / delivery.fund / delivery.file, "not ours");
    d.told("approve", d.approval(subject), kApprover);
    d.pair.run_for(1h);
    const Names alerts = d.pair.open_alerts(*d.pair.avsb);
    CHECK(std::count(alerts.begin(), alerts.end(), "finding T_REPLAY") == 2);
    CHECK(read_file(d.folder / "alfa" / d.at("alfa").front()) == "not ours");
  }
}

TEST_CASE(
    "a fund that may have fetched what was recalled gets what it is to have now, whatever it had before") {
  Distributing d;
  d.deliver();
  const std::vector<Insz> right = d.funds["alfa"];
  d.funds["alfa"].push_back(d.numbers[40]);  // no member of it
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  const auto all = d.avsb().deliveries.all();
  const auto under_way = std::find_if(all.begin(), all.end(),
                                      [](const Delivery& x) { return x.stage == DeliveryStage::delivering; });
  REQUIRE(under_way != all.end());
  CHECK(has(d.told("withdraw", under_way->request, kOperator), "is not delivered"));
  fs::rename(d.folder / "away", d.folder / "alfa");
  d.pair.run_for(3h);
  d.funds["alfa"] = right;
  for (const fs::path& file : fs::directory_iterator(d.folder / "alfa")) fs::remove(file);
  d.deliver();
  REQUIRE(d.at("alfa").size() == 1);
  const auto [manifest, numbers] = d.read("alfa", d.at("alfa").front());
  CHECK(numbers == right);
  CHECK(manifest.revision == 3);
  CHECK(d.ask() == "U_STATE");
}

TEST_CASE("what binds a delivery to its persons is kept for the newest of each fund alone") {
  Distributing d;
  d.deliver();
  d.funds["alfa"].pop_back();
  d.deliver();
  d.funds["alfa"].pop_back();
  d.told("reject", d.ask(), kApprover);
  std::map<std::string, int> bound;
  for (const Delivery& x : d.avsb().deliveries.all()) {
    CHECK(x.salt.empty() == x.commitment.empty());
    if (!x.salt.empty()) ++bound[x.fund];
  }
  CHECK(bound == std::map<std::string, int>{{"alfa", 1}, {"beta", 1}});
}

TEST_CASE(
    "who approves a distribution sees how many each fund had before, and nothing to deliver is the end of "
    "it") {
  Distributing d;
  d.deliver();
  d.funds["alfa"].pop_back();
  const std::string subject = d.ask();
  CHECK(has(d.avsb().holds.find(HoldKind::distribution, subject)->purpose, "alfa 9 (before: 10)"));
  d.told("withdraw", subject, kOperator);
  d.funds["alfa"].push_back(d.numbers[9]);
  d.avsb().db.transaction([&] {
    d.avsb().alerts.raise("distribution-stale:2026", AlertKind::attention, "DISTRIBUTION_STALE", "", "x");
  });
  CHECK(d.ask() == "U_STATE");
  CHECK(d.pair.open_alerts(*d.pair.avsb).empty());
}

TEST_CASE("asking anew stops what waits for release, though every fund has what it is to have") {
  Distributing d;
  d.deliver();
  d.funds["alfa"].swap(d.funds["beta"]);  // a register that is wrong
  const std::string wrong = d.approval(d.ask());
  d.funds["alfa"].swap(d.funds["beta"]);
  CHECK(d.ask() == "U_STATE");
  CHECK(d.told("approve", wrong, kApprover) == "U_STATE");
  CHECK(d.avsb().holds.open_ones(HoldKind::distribution) == 0);
  CHECK(d.pair.open_alerts(*d.pair.avsb).empty());
  CHECK(d.at("alfa").size() == 1);
}

TEST_CASE("a fund to which something else is on its way gets what it is to have, though it had that before") {
  Distributing d;
  d.deliver();
  const std::vector<Insz> right = d.funds["alfa"];
  d.funds["alfa"].push_back(d.numbers[40]);  // no member of it
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  d.funds["alfa"] = right;
  d.deliver();
  fs::rename(d.folder / "away", d.folder / "alfa");
  d.pair.run_for(3h);
  REQUIRE(d.at("alfa").size() == 2);
  CHECK(d.read("alfa", d.at("alfa").back()).second == right);
}

TEST_CASE(
    "whoever has an older list is to get the new one, though its delivery was released and then rejected") {
  Distributing d;
  d.deliver();
  write_file(d.folder / kListName, csv_of(std::vector<Insz>(d.numbers.begin() + 1, d.numbers.end())));
  d.pair.aii->instance.agenda.ask("send-correction", d.folder / kListName, kOperator);
  d.pair.run_for(10min);
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  const auto all = d.avsb().deliveries.all();
  const auto pending = std::find_if(all.begin(), all.end(), [](const Delivery& x) { return x.is_pending(); });
  REQUIRE(pending != all.end());
  CHECK(has(d.told("reject", pending->request, kApprover), "is not delivered"));
  const Names alerts = d.pair.open_alerts(*d.pair.avsb);
  CHECK(std::count(alerts.begin(), alerts.end(), "attention DISTRIBUTION_STALE") == 1);
}

TEST_CASE("what was to go out when a backup was made does not go out of the restored books") {
  Distributing d;
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  d.avsb().db.transaction([&] { d.avsb().settings.set(kRestoredBooks, "1"); });
  d.start();
  CHECK(d.avsb().settings.text(kRestoredBooks).empty());
  fs::rename(d.folder / "away", d.folder / "alfa");
  d.pair.run_for(3h);
  CHECK(d.at("alfa").empty());
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DISTRIBUTION_STALE"});
}

TEST_CASE(
    "what care funds got after a backup was made is not known to the restored books, which deliver anew "
    "under "
    "other revisions") {
  Distributing d;
  const fs::path state = d.pair.avsb_config.state;
  const fs::path backup = d.folder / "backup";
  d.deliver();
  d.pair.avsb.reset();
  fs::copy(state, backup, fs::copy_options::recursive);
  d.start();
  d.funds["alfa"].push_back(d.numbers[40]);  // no member of it
  d.deliver();
  REQUIRE(d.at("alfa").size() == 2);
  d.funds["alfa"].pop_back();
  d.pair.avsb.reset();
  fs::remove_all(state);
  fs::rename(backup, state);
  d.start();
  d.avsb().db.transaction([&] { d.avsb().settings.set(kRestoredBooks, "1"); });
  d.start();
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DISTRIBUTION_STALE"});
  d.deliver();
  std::map<std::int64_t, std::vector<Insz>> revisions;
  for (const std::string& file : d.at("alfa")) {
    const auto [manifest, numbers] = d.read("alfa", file);
    CHECK(revisions.emplace(manifest.revision, numbers).second);
  }
  CHECK(revisions.size() == 3);
  CHECK(revisions.rbegin()->second == d.funds["alfa"]);
  CHECK(d.at("beta").size() == 2);
  CHECK(d.at("gamma").size() == 1);  // it has no member on the list, and may have got some
  CHECK(d.pair.open_alerts(*d.pair.avsb).empty());
  CHECK(d.ask() == "U_STATE");
}

TEST_CASE("a list that funds may have got for the first time after the backup is told of too") {
  Distributing d;
  d.avsb().db.transaction([&] { d.avsb().settings.set(kRestoredBooks, "1"); });
  d.start();
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DISTRIBUTION_STALE"});
  d.deliver();
  REQUIRE(d.at("alfa").size() == 1);
  CHECK(d.read("alfa", d.at("alfa").front()).first.revision > 1);
}

TEST_CASE(
    "what cannot be taken off a fund's share is told of until a person closes that, whatever is delivered "
    "after it") {
  Distributing d;
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  const Delivery under_way = d.avsb().deliveries.all().front();
  REQUIRE(under_way.stage == DeliveryStage::delivering);
  fs::rename(d.folder / "away", d.folder / "alfa");
  fs::copy(d.avsb().spool / under_way.file, d.folder / "alfa" / under_way.file);
  d.avsb().open_share = [](const ShareConfig& config) {
    const auto& folder = std::get<FolderShareConfig>(config.kind);
    auto share = std::make_unique<ScriptedShare>(folder.outgoing, folder.incoming);
    share->forbid_remove(true);
    return share;
  };
  CHECK(has(d.told("withdraw", under_way.request, kOperator), "is not delivered"));
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DELIVERY_LEFT", "attention DISTRIBUTION_STALE"});
  d.deliver();
  CHECK(d.at("alfa").size() == 2);
  CHECK(d.ask() == "U_STATE");
  REQUIRE(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DELIVERY_LEFT"});
  const Alert left = d.avsb().alerts.open().front();
  CHECK(has(left.text, under_way.file));
  CHECK(has(d.told("close-alert", std::to_string(left.id), kOperator), "closed"));
  CHECK(d.pair.open_alerts(*d.pair.avsb).empty());
}

TEST_CASE("a fund whose server is no more keeps no path open once it is configured no more") {
  Distributing d;
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  const Delivery under_way = d.avsb().deliveries.all().front();
  CHECK(has(d.told("withdraw", under_way.request, kOperator), "is not delivered"));
  d.pair.run_for(2h);
  const auto close_out = [&] {
    const auto id = d.avsb().agenda.ask("close-out", "remove-unread", kApprover);
    d.pair.run_for(1min);
    return d.avsb().agenda.result_of(id).text;
  };
  CHECK(has(close_out(), under_way.file + " is to be cleared from the share of alfa (when that is no more: "
                                          "take alfa out of [distribution])"));
  auto& recipients = d.pair.avsb_config.distribution.recipients;
  recipients.erase(recipients.begin());
  d.start();
  d.pair.run_for(1min);
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names{"attention DELIVERY_LEFT", "attention DISTRIBUTION_STALE"});
  CHECK(has(d.record("delivery-cleared"), "\"found\":\"unknown\""));
  CHECK(has(close_out(), "care funds may not have the newest list"));
  d.avsb().db.transaction(
      [&] { d.avsb().alerts.close(fmt::format("distribution-stale:{}", kYear)); });  // they were told
  CHECK(has(close_out(), "closed for good"));
}

TEST_CASE(
    "Q14: suspended, without a legal basis or closed, nothing goes to a care fund and the desk is not "
    "answered") {
  Distributing d;
  fs::rename(d.folder / "alfa", d.folder / "away");
  d.deliver();
  std::string code;
  SECTION("suspended") {
    d.told("suspend", "", kOperator);
    code = "C_SUSPENDED";
  }
  SECTION("without a legal basis") {
    make_production(d.pair.avsb_config);
    d.pair.avsb_config.legal_basis->valid_until = parse_date("2026-02-28").value();
    d.start();
    code = "C_LEGAL_BASIS";
  }
  SECTION("closed") {
    d.avsb().db.transaction([&] { d.avsb().settings.close_out(); });
    code = "C_CLOSED";
  }
  fs::rename(d.folder / "away", d.folder / "alfa");
  d.pair.run_for(3h);
  CHECK(d.at("alfa").empty());
  CHECK(d.ask() == code);
  CHECK(d.Asking::told(d.avsb(), "lookup", "2026-01-01 a question", {1003, "desk"},
                       file_with(digits_of(d.numbers[3]))) == code);
}

TEST_CASE("Q27: another key of a fund's server is a finding of its own beside that of the share") {
  Distributing d;
  d.avsb().open_share = [](const ShareConfig& config) {
    const auto& folder = std::get<FolderShareConfig>(config.kind);
    auto share = std::make_unique<ScriptedShare>(folder.outgoing, folder.incoming);
    share->fail_all(Code::s_host_key);
    return share;
  };
  d.pair.avsb_share.fail_all(Code::s_host_key);
  d.pair.run_for(1h);
  d.deliver();
  d.pair.run_for(1h);
  CHECK(d.pair.open_alerts(*d.pair.avsb) == Names(3, "finding S_HOST_KEY"));  // the share's, alfa's, beta's
  CHECK(d.avsb().alerts.incidents().all().size() == 3);
}

// Crash everywhere: whole exchanges of both sides, good and bad ones, ended before and after every durable
// effect, and run to rest again.

#include <cstdlib>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/files.h"
#include "support/canary.h"
#include "support/effects.h"
#include "support/fictitious.h"
#include "support/handmade.h"
#include "support/pair.h"
#include "support/shell.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

namespace {

constexpr int kCrashed = 99;
constexpr std::size_t kNumbers = 30;

const std::vector<Insz>& numbers() {
  static const std::vector<Insz> list = fictitious_list(kNumbers, 5);
  return list;
}
const std::vector<Insz>& earlier_numbers() {
  static const std::vector<Insz> list = fictitious_list(10, 6);
  return list;
}

/// Tells each key operation as an effect of its own, before and after.
class CountedSeal : public Seal {
 public:
  explicit CountedSeal(std::unique_ptr<Seal> seal) : seal_(std::move(seal)) {}
  std::string own_key() override { return seal_->own_key(); }
  std::string counterparty_key() override { return seal_->counterparty_key(); }
  void seal(const Blob& plain, Sink& sealed, const Transfer& transfer) override {
    effect();
    seal_->seal(plain, sealed, transfer);
    effect();
  }
  Opened open(const Blob& sealed, Sink& plain, const Transfer& transfer) override {
    effect();
    return seal_->open(sealed, plain, transfer);
  }
  std::string sign(std::string_view text) override {
    effect();
    return seal_->sign(text);
  }
  Opened verify(std::string_view text, std::string_view signature) override {
    effect();
    return seal_->verify(text, signature);
  }

 private:
  std::unique_ptr<Seal> seal_;
};

/// A life of both sides. What people do in it goes by what is durable, so that it may be lived again from
/// wherever a crash left it, to the same end.
struct Scenario {
  std::function<void(const fs::path&)> prepare;  ///< what stood before, not counted
  std::function<void(Pair&)> live;
  Names stages = {"acknowledged"};  ///< of the sender's exchanges, oldest first
  Names aii_alerts = {};
  Names avsb_alerts = {};
  std::size_t quarantined = 0;
  bool dropped = true;  ///< or sent by hand, which leaves no note
};

Side& aii(Pair& pair) { return *pair.aii; }
Side& avsb(Pair& pair) { return *pair.avsb; }

/// As a person's program saves: whole or not at all.
void save(const Pair& pair, const std::string& name, const std::vector<Insz>& list) {
  if (fs::exists(pair.drop_folder() / name)) return;
  pair.drop("." + name + ".saving", csv_of(list));
  fs::rename(pair.drop_folder() / ("." + name + ".saving"), pair.drop_folder() / name);
}

void save_list(const fs::path& folder) { save(Pair(folder), kListName, numbers()); }

std::size_t times_asked(Side& side, const std::string& verb) {
  return side.instance.db.query("SELECT 1 FROM command WHERE verb = :verb", {verb}).size();
}

void ask(Side& side, const std::string& verb, const std::string& argument) {
  side.instance.db.transaction([&] { side.instance.agenda.ask(verb, argument, {1001, "operator"}); });
}

Names stages_of(Side& side) {
  Names stages;
  for (const Exchange& x : side.instance.ledger.exchanges()) stages.emplace_back(stage_name(x.stage));
  std::reverse(stages.begin(), stages.end());
  return stages;
}

// Scenarios.

Scenario plain() {
  return {.prepare = save_list, .live = [](Pair& pair) {
            pair.start();
            pair.run_to_rest();
          }};
}

Scenario refused_and_corrected() {
  const auto live = [](Pair& pair) {
    pair.start_aii();
    if (stages_of(aii(pair)).empty() || stages_of(aii(pair)).front() != "refused") {
      pair.avsb_config.window.last_reference_year = kYear - 1;
      pair.start_avsb();
      pair.run_to_rest();
      pair.avsb.reset();
      pair.avsb_config.window.last_reference_year = kYear;
    }
    if (stages_of(aii(pair)) == Names{"refused"}) save(pair, kListName, numbers());
    pair.start_avsb();
    pair.run_to_rest();
  };
  return {.prepare = save_list, .live = live, .stages = {"refused", "acknowledged"}};
}

Scenario cut_and_resumed() {
  return {.prepare = save_list, .live = [](Pair& pair) {
            pair.avsb_share.cut_next_fetch(200);
            pair.start();
            pair.run_to_rest();
          }};
}

Scenario bad_then_good() {
  const auto live = [](Pair& pair) {
    pair.start();
    Instance& receiver = avsb(pair).instance;
    pair.avsb_share.on_fetch = [&](const std::string&, std::string bytes) {
      const bool changes = receiver.ledger.quarantined() == 0 && !receiver.lists.recorded_exchange(kYear);
      if (changes) bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
      return bytes;
    };
    pair.run_to_rest();
    if (pair.sent().stage == Stage::sent && pair.to_avsb().empty()) ask(aii(pair), "resend", pair.sent().id);
    pair.run_to_rest();
    pair.avsb_share.on_fetch = nullptr;
  };
  return {.prepare = save_list, .live = live, .avsb_alerts = {"finding T_INTEGRITY"}, .quarantined = 1};
}

Scenario name_taken() {
  const auto live = [](Pair& pair) {
    pair.start_aii();
    pair.aii_share.forbid_put(true);
    pair.run_for(std::chrono::seconds(10));
    if (pair.sent().stage == Stage::sealed && pair.sent().copy == 1 && pair.to_avsb().empty())
      lay_bytes(pair, pair.sent().package, "somebody else's");
    pair.aii_share.forbid_put(false);
    pair.run_for(std::chrono::minutes(10));
    pair.start_avsb();
    pair.run_to_rest();
  };
  return {.prepare = save_list,
          .live = live,
          .aii_alerts = {"finding T_REPLAY"},
          .avsb_alerts = {"finding T_INTEGRITY"},
          .quarantined = 1};
}

Scenario commanded() {
  const auto live = [](Pair& pair) {
    const std::string file = (pair.root / kListName).native();
    pair.start_aii();
    if (times_asked(aii(pair), "send") == 0) ask(aii(pair), "send", file);
    pair.run_for(std::chrono::minutes(1));
    if (times_asked(aii(pair), "withdraw") == 0) ask(aii(pair), "withdraw", pair.sent().id);
    pair.run_for(std::chrono::minutes(1));
    if (times_asked(aii(pair), "send") == 1) ask(aii(pair), "send", file);
    pair.run_for(std::chrono::minutes(1));
    pair.start_avsb();
    pair.run_to_rest();
    if (times_asked(aii(pair), "resend") == 0) ask(aii(pair), "resend", pair.sent().id);
    pair.run_to_rest();
  };
  const auto prepare = [](const fs::path& folder) {
    const Pair pair(folder);
    write_file(folder / kListName, csv_of(numbers()));
  };
  return {.prepare = prepare, .live = live, .stages = {"withdrawn", "acknowledged"}, .dropped = false};
}

Scenario held_and_approved() {
  const auto prepare = [](const fs::path& folder) {
    Pair pair(folder);
    pair.start();
    save(pair, "inburgeringsplicht-2025.csv", earlier_numbers());
    pair.run_to_rest();
    pair.avsb.reset();
    fs::remove_all(pair.avsb_config.state);
    fs::remove(pair.drop_folder() / "inburgeringsplicht-2025.csv.result.txt");
    save(pair, kListName, numbers());
  };
  const auto live = [](Pair& pair) {
    pair.start();
    pair.run_to_rest();
    const auto arrivals = avsb(pair).instance.ledger.open_arrivals();
    if (!arrivals.empty() && times_asked(avsb(pair), "approve") == 0)
      ask(avsb(pair), "approve", arrivals.front().name);
    pair.run_to_rest();
  };
  return {.prepare = prepare, .live = live, .stages = {"acknowledged", "acknowledged"}};
}

// What must hold.

/// Gathers what does not.
class Promises {
 public:
  void keep(const std::string& promise, bool kept) {
    if (!kept) broken_.push_back(promise);
  }
  template <typename T>
  void equal(const std::string& promise, const T& found, const T& wanted) {
    if (found != wanted) broken_.push_back(promise + ", not " + Catch::StringMaker<T>::convert(found));
  }
  const Names& broken() const { return broken_; }

 private:
  Names broken_;
};

/// Nothing partial is visible to those who read the receiver's database, at any moment: a list is there with
/// all its numbers, its receipt and its exchange, or none of it is.
Names seen_partial(const fs::path& folder) {
  const fs::path path = folder / "avsb/ledger.db";
  if (!fs::exists(path)) return {};
  // It was being made: nobody can read it yet.
  if (fs::exists(path.native() + "-journal") && !fs::exists(path.native() + "-wal")) return {};
  Database db("sqlite:" + path.native(), Database::Access::read_only);
  if (!db.has_table("list") || !db.has_table("anchor")) return {};
  const auto none = [&](const std::string& sql) { return db.query(sql).empty(); };
  Promises promises;
  promises.keep("each list has all its numbers",
                none("SELECT id FROM list WHERE records <> (SELECT count(*) FROM entry WHERE list = id)"));
  promises.keep("no number stands there without its list",
                none("SELECT list FROM entry WHERE list NOT IN (SELECT id FROM list)"));
  promises.keep("each list has its exchange and its receipt",
                none("SELECT id FROM list WHERE exchange NOT IN (SELECT id FROM exchange WHERE stage IN"
                     " ('recorded', 'answered')) OR exchange NOT IN (SELECT exchange FROM receipt)"));
  promises.keep("each recorded exchange has its list",
                none("SELECT exchange FROM receipt WHERE status = 'recorded' AND exchange NOT IN"
                     " (SELECT exchange FROM list)"));
  promises.keep("each exchange has its receipt",
                none("SELECT id FROM exchange WHERE id NOT IN (SELECT exchange FROM receipt)"));
  promises.keep("each receipt has its exchange",
                none("SELECT exchange FROM receipt WHERE exchange NOT IN (SELECT id FROM exchange)"));
  return promises.broken();
}

void check_receipt(Pair& pair, const Exchange& x, Promises& promises) {
  const auto stored = aii(pair).instance.ledger.receipt_of(x.id);
  const auto given = avsb(pair).instance.ledger.receipt_of(x.id);
  promises.keep("both sides hold the receipt", stored && given && stored->json == given->json);
  if (!stored) return;
  const Receipt receipt = parse_receipt(stored->json);
  try {
    pair.aii_seal->verify(stored->json, stored->signature);
  } catch (const Error&) {
    promises.keep("the receipt verifies", false);
  }
  promises.equal("it is for the bytes that were sealed", receipt.package_sha256,
                 sha256_hex(FileBlob(aii(pair).instance.sealed_file(x))));
  promises.equal("it is for all numbers", receipt.records, std::uint64_t{kNumbers});
}

void check_leavings(Pair& pair, const Scenario& scenario, Promises& promises) {
  const Names notes = scenario.dropped ? Names{kListName + ".result.txt"} : Names{};
  promises.equal("the drop folder holds the note alone", Pair::names(pair.drop_folder()), notes);
  if (scenario.dropped)
    promises.keep("the note tells the end",
                  pair.note(kListName).find("Recorded at the receiver") != std::string::npos);
  promises.equal("the share is empty towards the receiver", pair.to_avsb(), Names{});
  promises.equal("the share is empty towards the sender", pair.to_aii(), Names{});
  Names sealed;
  for (const Exchange& x : aii(pair).instance.ledger.exchanges()) sealed.push_back(x.stem + ".pgp");
  for (const std::string& name : Pair::names(pair.aii_config.state / "spool"))
    promises.keep("the sender keeps only what it sealed: " + name,
                  std::find(sealed.begin(), sealed.end(), name) != sealed.end());
  promises.equal("the receiver's spool is empty", Pair::names(pair.avsb_config.state / "spool"), Names{});
  promises.equal("what was set aside is kept once", Pair::names(pair.avsb_config.state / "quarantine").size(),
                 scenario.quarantined);
}

/// What does not hold once both sides are at rest, whatever happened before.
Names broken_promises(const fs::path& folder, const Scenario& scenario) {
  Promises promises;
  Pair pair(folder);
  pair.random = SeededRandom(9);
  pair.clock.advance(std::chrono::hours(12));
  scenario.live(pair);
  pair.clock.advance(std::chrono::hours(25));  // past the life of half-written files
  pair.run_for(std::chrono::minutes(1));

  Database& db = avsb(pair).instance.db;
  promises.equal("one list is recorded", db.query("SELECT id FROM list").size(), std::size_t{1});
  promises.equal("with every number", avsb(pair).instance.lists.count(kYear), std::int64_t{kNumbers});
  promises.equal("each exchange came to its end", stages_of(aii(pair)), scenario.stages);
  if (stages_of(aii(pair)) == scenario.stages) {
    const Exchange x = pair.sent();
    promises.keep("the recorded list is the last one",
                  avsb(pair).instance.lists.recorded_exchange(kYear) == x.id);
    check_receipt(pair, x, promises);
  }
  check_leavings(pair, scenario, promises);
  promises.equal("the sender's alerts", pair.open_alerts(aii(pair)), scenario.aii_alerts);
  promises.equal("the receiver's alerts", pair.open_alerts(avsb(pair)), scenario.avsb_alerts);
  promises.keep("the sender's chain is whole",
                verify_audit(aii(pair).instance.db, "aii", {}).problems.empty());
  promises.keep("the receiver's chain is whole", verify_audit(db, "avsb", {}).problems.empty());

  pair.avsb.reset();
  pair.aii.reset();
  fs::remove(folder / kListName);
  std::vector<Insz> all = numbers();
  all.insert(all.end(), earlier_numbers().begin(), earlier_numbers().end());
  promises.equal("no number stands anywhere but in the register",
                 files_holding(folder, all, {pair.avsb_config.state / "ledger.db"}), Names{});
  return promises.broken();
}

// Crashes.

/// Runs `work` in a process of its own; its exit status.
template <typename Work>
int in_child(Work work) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    try {
      work();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void live_counted(const fs::path& folder, const Scenario& scenario) {
  Pair pair(folder);
  pair.random = SeededRandom(8);
  pair.aii_seal = std::make_unique<CountedSeal>(std::move(pair.aii_seal));
  pair.avsb_seal = std::make_unique<CountedSeal>(std::move(pair.avsb_seal));
  scenario.live(pair);
}

/// A scenario's beginning, made once and copied for each crash.
class Beginning {
 public:
  explicit Beginning(Scenario scenario) : scenario_(std::move(scenario)) {
    scenario_.prepare(beginning_.path());
    const TempFolder folder(TempFolder::Place::in_memory);
    lay(folder.path());
    count_effects();
    live_counted(folder.path(), scenario_);
    effects_ = effects_counted();
    syncs_ = syncs_counted();
    ignore_effects();
    CHECK(broken_promises(folder.path(), scenario_) == Names{});
  }
  void lay(const fs::path& folder) const { fs::copy(beginning_.path(), folder, fs::copy_options::recursive); }
  std::size_t effects() const { return effects_; }
  const std::vector<std::size_t>& syncs() const { return syncs_; }
  const Scenario& scenario() const { return scenario_; }

 private:
  Scenario scenario_;
  TempFolder beginning_{TempFolder::Place::in_memory};
  std::size_t effects_ = 0;
  std::vector<std::size_t> syncs_;
};

void crash(const Beginning& start, std::size_t n, CrashWhen when) {
  INFO((when == CrashWhen::before ? "before" : "after") << " effect " << n << " of " << start.effects());
  const TempFolder folder(TempFolder::Place::in_memory);
  start.lay(folder.path());
  const int status = in_child([&] {
    crash_at(n, when);
    live_counted(folder.path(), start.scenario());
  });
  CHECK(status == kCrashed);
  CHECK(seen_partial(folder.path()) == Names{});
  CHECK(broken_promises(folder.path(), start.scenario()) == Names{});
}

/// The step that whoever runs the tests wishes, or the usual one.
std::size_t told_or(std::size_t usual) {
  const char* const told = std::getenv("VEER_CRASH_STRIDE");
  return told != nullptr ? std::stoul(told) : usual;
}

/// Every `stride`-th effect of a life. What a crash leaves after one effect is what it leaves before the
/// next, so that only the last needs one after it.
void crash_everywhere(const Scenario& scenario, std::size_t stride) {
  const Beginning start(scenario);
  CHECK(start.effects() > 200);
  for (std::size_t n = 1; n <= start.effects(); n += told_or(stride)) crash(start, n, CrashWhen::before);
  crash(start, start.effects(), CrashWhen::after);
}

/// What is broken after a power cut behind effect `n`; syncs of the receiver's disk are believed or not.
Names after_power_cut(const Beginning& start, std::size_t n, bool lying_disk) {
  const TempFolder folder(TempFolder::Place::in_memory);
  const TempFolder stash(TempFolder::Place::in_memory);
  start.lay(folder.path());
  const int status = in_child([&] {
    power_cut_at(n, stash.path(), lying_disk ? folder / "avsb" : fs::path());
    live_counted(folder.path(), start.scenario());
  });
  CHECK(status == kCrashed);
  Names broken = seen_partial(folder.path());
  const Names later = broken_promises(folder.path(), start.scenario());
  broken.insert(broken.end(), later.begin(), later.end());
  return broken;
}

// How far apart the effects are that the longer lives are crashed at: docs/decisions/0008-crash-tests.md.
constexpr std::size_t kStride = 11;

}  // namespace

TEST_CASE(
    "whichever durable effect a crash comes before or after, the exchange ends recorded once and "
    "acknowledged") {
  crash_everywhere(plain(), 1);
}

TEST_CASE("a crash on the way through a refusal to the corrected list changes nothing of its end") {
  crash_everywhere(refused_and_corrected(), kStride);
}

TEST_CASE("a crash around a fetch that was cut and goes on changes nothing of its end") {
  crash_everywhere(cut_and_resumed(), kStride);
}

TEST_CASE(
    "a crash around bytes that are set aside and the good ones after them changes nothing of their end") {
  crash_everywhere(bad_then_good(), kStride);
}

TEST_CASE("a crash while foreign bytes hold our name changes nothing of the end under the next name") {
  crash_everywhere(name_taken(), kStride);
}

TEST_CASE("a crash while commands are pending carries each of them out, and a repeated answer too") {
  crash_everywhere(commanded(), kStride);
}

TEST_CASE("a crash around a package that is held and approved changes nothing of its end") {
  crash_everywhere(held_and_approved(), kStride);
}

TEST_CASE("a second crash while the first is being mended does no harm either") {
  const Beginning start(plain());
  for (std::size_t n = 10; n <= start.effects(); n += told_or(24)) {
    const TempFolder folder(TempFolder::Place::in_memory);
    start.lay(folder.path());
    bool first = true;
    for (const std::size_t m : {n, n / 2 + 1, n / 3 + 1}) {
      INFO("effect " << n << ", then " << m);
      const int status = in_child([&] {
        crash_at(m, CrashWhen::before);
        live_counted(folder.path(), start.scenario());
      });
      // What is left to do after the first crash may be less than m effects.
      CHECK((status == kCrashed || (!first && status == 0)));
      CHECK(seen_partial(folder.path()) == Names{});
      first = false;
    }
    CHECK(broken_promises(folder.path(), start.scenario()) == Names{});
  }
}

TEST_CASE("a power cut that takes all that was not synced takes nothing that was promised") {
  const Beginning start(plain());
  CHECK(start.syncs().size() > 50);
  for (std::size_t i = 0; i < start.syncs().size(); i += told_or(1)) {
    INFO("effect " << start.syncs()[i] << " of " << start.effects());
    CHECK(after_power_cut(start, start.syncs()[i], false) == Names{});
  }
}

TEST_CASE("a power cut in the longer lives takes nothing that was promised either") {
  for (const Scenario& scenario : {refused_and_corrected(), cut_and_resumed(), bad_then_good(), name_taken(),
                                   commanded(), held_and_approved()}) {
    const Beginning start(scenario);
    for (std::size_t i = 0; i < start.syncs().size(); i += told_or(7)) {
      INFO("effect " << start.syncs()[i] << " of " << start.effects());
      CHECK(after_power_cut(start, start.syncs()[i], false) == Names{});
    }
  }
}

TEST_CASE("a power cut on a disk that lies about its syncs is noticed by these tests") {
  const Beginning start(plain());
  std::size_t noticed = 0;
  for (std::size_t i = 0; i < start.syncs().size(); i += 5)
    if (!after_power_cut(start, start.syncs()[i], true).empty()) ++noticed;
  CHECK(noticed > 0);
}

TEST_CASE("what these tests say of a register that lacks a row is that") {
  const TempFolder folder;
  const Beginning start(plain());
  start.lay(folder.path());
  {
    Pair pair(folder.path());
    start.scenario().live(pair);
    avsb(pair).instance.db.execute("DELETE FROM entry WHERE insz = :insz",
                                   {static_cast<std::int64_t>(numbers()[3].value())});
  }
  CHECK(seen_partial(folder.path()) == Names{"each list has all its numbers"});
  CHECK(broken_promises(folder.path(), start.scenario()) == Names{"with every number, not 29"});
}

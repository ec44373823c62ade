#include "exchange/promises.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/files.h"
#include "support/canary.h"

namespace veer::test {
namespace {

Side& aii(Pair& pair) { return *pair.aii; }
Side& avsb(Pair& pair) { return *pair.avsb; }

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

}  // namespace

Names seen_partial(const fs::path& folder) {
  const fs::path path = folder / "avsb/ledger.db";
  if (!fs::exists(path)) return {};
  // It was being made: nobody can read it yet.
  if (fs::exists(path.native() + "-journal") && !fs::exists(path.native() + "-wal")) return {};
  Database db("sqlite:" + path.native(), Database::Access::read_only);
  if (!db.has_table("list") || !db.has_table("erased")) return {};
  const auto none = [&](const std::string& sql) { return db.query(sql).empty(); };
  Promises promises;
  promises.keep(
      "each list has all its numbers",
      none("SELECT id FROM list l WHERE records - (SELECT count(*) FROM audit WHERE event = 'forgotten') > "
           "(SELECT count(*) FROM entry WHERE list = id) AND NOT EXISTS (SELECT 1 FROM list WHERE "
           "reference_year = l.reference_year AND"
           " revision > l.revision)"));
  promises.keep(
      "a replaced list has none of its numbers",
      none("SELECT id FROM list l WHERE EXISTS (SELECT 1 FROM entry WHERE list = l.id) AND EXISTS"
           " (SELECT 1 FROM list WHERE reference_year = l.reference_year AND revision > l.revision)"));
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

Names broken_promises(Pair& pair, const Scenario& scenario) {
  Promises promises;
  pair.random = SeededRandom(9);
  pair.clock.advance(std::chrono::hours(12));
  scenario.live(pair);
  pair.clock.advance(std::chrono::hours(25));  // past the life of half-written files
  pair.run_for(std::chrono::minutes(1));

  Database& db = avsb(pair).instance.db;
  promises.equal("each list is recorded once", db.query("SELECT id FROM list").size(), scenario.lists);
  promises.equal("with every number", avsb(pair).instance.lists.count(kYear), std::int64_t{kNumbers});
  promises.equal("each exchange came to its end", stages_of(aii(pair)), scenario.stages);
  if (stages_of(aii(pair)) == scenario.stages) {
    const Exchange x = pair.sent();
    promises.keep("the recorded list is the last one",
                  avsb(pair).instance.lists.recorded_exchange(kYear) == x.id);
    check_receipt(pair, x, promises);
  }
  check_leavings(pair, scenario, promises);
  if (scenario.case_ended)
    for (Side* side : {&aii(pair), &avsb(pair)}) {
      const auto cases = side->instance.cases.all();
      promises.keep("the one case ended in one way on both sides",
                    cases.size() == 1 && cases.front().stage == CaseStage::answered &&
                        cases.front().outcome == scenario.case_ended);
    }
  if (scenario.delivered) {
    const auto all = avsb(pair).instance.deliveries.all();
    promises.equal("the fund has one file", Pair::names(pair.root / "fund").size(), std::size_t{1});
    promises.equal("and the books know it as delivered",
                   std::count_if(all.begin(), all.end(),
                                 [](const Delivery& d) { return d.stage == DeliveryStage::delivered; }),
                   std::ptrdiff_t{1});
  }
  if (scenario.undone)
    promises.keep("no mark is left, in the books or beside them",
                  db.query("SELECT 1 FROM erased").empty() &&
                      read_file(pair.avsb_config.state / "erased.marks").empty());
  promises.equal("the sender's alerts", pair.open_alerts(aii(pair)), scenario.aii_alerts);
  promises.equal("the receiver's alerts", pair.open_alerts(avsb(pair)), scenario.avsb_alerts);
  promises.keep("the sender's chain is whole",
                verify_audit(aii(pair).instance.db, "aii", {}).problems.empty());
  promises.keep("the receiver's chain is whole", verify_audit(db, "avsb", {}).problems.empty());

  pair.avsb.reset();
  pair.aii.reset();
  fs::remove(pair.root / kListName);
  fs::remove_all(pair.root / "files");
  if (scenario.handed_over) {
    const fs::path file = pair.root / "exports/inburgeringsplicht-2026-r2.csv";
    promises.equal("it was handed over, once", Pair::names(pair.root / "exports").size(), std::size_t{1});
    promises.keep("with every number", fs::exists(file) && read_file(file).size() == 5 + 12 * kNumbers);
    fs::remove_all(pair.root / "exports");
  }
  promises.equal("who was forgotten stands nowhere", files_holding(pair.root, scenario.forgotten), Names{});
  std::vector<Insz> all = numbers();
  all.insert(all.end(), earlier_numbers().begin(), earlier_numbers().end());
  promises.equal("no number stands anywhere but in the register",
                 files_holding(pair.root, all, {pair.avsb_config.state / "ledger.db"}), Names{});
  return promises.broken();
}

}  // namespace veer::test

#include "exchange/simulation.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "core/files.h"
#include "core/log.h"
#include "daemon/audit.h"
#include "daemon/rules.h"
#include "exchange/crashing.h"
#include "exchange/promises.h"
#include "formats/list.h"
#include "formats/ustar.h"
#include "support/canary.h"
#include "support/effects.h"
#include "support/fictitious.h"
#include "support/seeded_random.h"

namespace veer::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr int kFirstYear = 2022;
constexpr int kLastYear = 2026;
constexpr std::size_t kStretches = 50;
constexpr std::size_t kOnList = 12;
constexpr std::size_t kVariants = 4;
constexpr std::size_t kFaulty = kVariants;  // stands in faulty files alone, which are never recorded
const Person kClerk{1001, "operator"};

/// Draws from a seed, evenly.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_.next() % n); }
  bool once_in(std::size_t n) { return below(n) == 0; }

 private:
  SeededRandom random_;
};

/// Without a leading zero: what is left of a number without it is short enough to stand in a digest by
/// chance.
std::vector<Insz> make_list(int year, std::size_t variant) {
  std::vector<Insz> numbers = fictitious_list(kOnList * 20, static_cast<std::uint64_t>(year) * 10 + variant);
  std::erase_if(numbers, [](const Insz& number) { return number.value() < 10'000'000'000; });
  numbers.resize(kOnList + variant);
  return numbers;
}

/// Made once, and for all the processes of all lives.
const std::vector<Insz>& list_of(int year, std::size_t variant) {
  static const std::map<std::pair<int, std::size_t>, std::vector<Insz>> lists = [] {
    std::map<std::pair<int, std::size_t>, std::vector<Insz>> made;
    for (int each = kFirstYear - 1; each <= kLastYear; ++each)
      for (std::size_t other = 0; other <= kFaulty; ++other) made[{each, other}] = make_list(each, other);
    return made;
  }();
  return lists.at({year, variant});
}

std::string faulty_file(int year) { return csv_of(list_of(year, kFaulty)) + "12345678901\n"; }

std::string list_name(int year) { return fmt::format("inburgeringsplicht-{}.csv", year); }

class Life {
 public:
  Life(std::uint64_t seed, const Cut& cut) : seed_(seed), cut_(cut) {}

  Simulated live() {
    for (std::size_t i = 0; i < std::min(kStretches, cut_.stretches) && told_.broken.empty(); ++i) stretch(i);
    if (told_.broken.empty()) come_to_rest();
    return std::move(told_);
  }

 private:
  const fs::path& root() const { return folder_.path(); }
  Dice dice(std::size_t stretch, std::uint64_t salt) const {
    return Dice(seed_ * 1'000'003 + stretch * 101 + salt);
  }

  /// What happens in one process after another, each alive for some hours; then both are away for some weeks.
  void stretch(std::size_t i) {
    Dice chance = dice(i, 1);
    const bool calm = cut_.calm.contains(i);
    std::string line = fmt::format("{:2} {}", i, format_time(now_).substr(0, 16));
    people(chance, line);
    if (!calm && chance.once_in(4)) meddle(dice(i, 2), line);
    const std::string command = command_of(dice(i, 3), line);
    Time begin = now_;
    Dice skew = dice(i, 4);
    if (!calm && skew.once_in(12)) {
      begin += (skew.once_in(2) ? 1 : -1) * std::chrono::days(1 + skew.below(3650));
      line += fmt::format("; the clock says {}", format_time(begin).substr(0, 10));
      ++told_.faults;
    }
    if (!calm)
      for (Dice share = dice(i, 6); const bool lied : lied_to(share)) told_.faults += lied ? 1 : 0;
    Dice end = dice(i, 5);
    const std::size_t how = calm ? 9 : end.below(10);
    const std::size_t effect = 1 + end.below(how < 2 ? 60 : 700);
    const TempFolder stash(TempFolder::Place::in_memory);
    const int status = in_child([&] {
      if (how < 4) crash_at(effect, CrashWhen::before);
      if (how == 4) power_cut_at(effect, stash.path());
      Pair pair = Pair(root());
      open(pair, begin);
      if (!calm) script(pair, dice(i, 6));
      pair.start();
      if (!command.empty()) obey(pair, command);
      pair.run_for(std::chrono::hours(2 + end.below(40)));
    });
    if (status == kCrashed) {
      ++told_.crashes;
      line += fmt::format("; {} at effect {}", how == 4 ? "power cut" : "crash", effect);
    } else if (status != 0) {
      told_.broken.push_back(fmt::format("stretch {} ended with status {}", i, status));
    }
    for (const std::string& partial : seen_partial(root())) told_.broken.push_back(partial);
    if (i % 5 == 4) add(numbers_in({"aii/spool", "share", "avsb/spool", "avsb/quarantine"}, {}));
    told_.story.push_back(line);
    now_ += std::chrono::hours(48 + chance.below(24 * 60));
  }

  static void configure(Pair& pair) {
    for (Config* config : {&pair.aii_config, &pair.avsb_config}) {
      config->share.poll = 6h;
      config->share.retry_first = 10min;
      config->share.retry_most = 3h;
      config->share.keep_sealed = std::chrono::days(40000);  // what was sent is looked into at the end
    }
    pair.aii_config.intake.rescan = 6h;
    pair.aii_config.rehearse_every = std::chrono::days(30);
  }
  void open(Pair& pair, Time begin) const {
    configure(pair);
    pair.clock.set(begin);
    pair.random = SeededRandom(seed_ * 7919 + static_cast<std::uint64_t>(to_millis(now_)));
  }

  int year_now() const {
    return std::clamp(
        static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now_)).year()),
        kFirstYear, kLastYear);
  }

  /// At AII lists are saved: this year's, an earlier one that is still to come, now and then a faulty one.
  void people(Dice& chance, std::string& line) {
    const int year = year_now();
    const fs::path drop = root() / "drop" / list_name(year);
    fs::create_directories(drop.parent_path());
    if (fs::exists(drop) || chance.once_in(3)) return;
    const bool faulty = chance.once_in(5);
    const std::size_t variant = faulty ? kFaulty : chance.below(kVariants);
    write_file(drop, faulty ? faulty_file(year) : csv_of(list_of(year, variant)), 0644);
    if (!faulty) ++saved_[year];
    line += fmt::format("; {} {} saved{}", year, variant, faulty ? ", faulty" : "");
  }

  /// What an operator asks for in this stretch, or nothing.
  std::string command_of(Dice chance, std::string& line) {
    if (!chance.once_in(4)) return "";
    const int year = year_now() - static_cast<int>(chance.below(2));
    const std::size_t variant = chance.below(kVariants);
    switch (chance.below(4)) {
      case 0: {
        fs::create_directories(root() / "own");
        write_file(root() / "own" / list_name(year), csv_of(list_of(year, variant)));
        line += fmt::format("; {} {} sent as a correction", year, variant);
        return fmt::format("send-correction {}", (root() / "own" / list_name(year)).native());
      }
      case 1:
        line += "; what is open is withdrawn";
        return "withdraw";
      case 2:
        line += "; the last one is resent";
        return "resend";
      default:
        line += "; rehearsed";
        return "rehearse";
    }
  }

  static void withdraw(Pair& pair, const Exchange& x) {
    Instance& aii = pair.aii->instance;
    aii.db.transaction([&] { aii.agenda.ask("withdraw", x.id, kClerk); });
  }

  static void obey(Pair& pair, const std::string& command) {
    Instance& aii = pair.aii->instance;
    const auto ask = [&](const std::string& verb, const std::string& argument) {
      aii.db.transaction([&] { aii.agenda.ask(verb, argument, kClerk); });
    };
    if (command.starts_with("send-correction ")) return ask("send-correction", command.substr(16));
    if (command == "rehearse") return ask("rehearse", "");
    for (const Exchange& x : aii.ledger.exchanges()) {
      if (x.purpose != Purpose::list) continue;
      const bool open = x.stage == Stage::sealed || x.stage == Stage::sent;
      if (open == (command == "withdraw")) return ask(command, x.id);
    }
  }

  /// Which sides the share fails or lies to in a stretch: the first draws of script().
  static std::array<bool, 2> lied_to(Dice& chance) {
    const bool aii = chance.once_in(3);
    return {aii, chance.once_in(3)};
  }

  /// How the share behaves towards each side in a stretch.
  void script(Pair& pair, Dice chance) {
    const auto lied = lied_to(chance);
    for (const auto& [share, is_lied_to] :
         {std::pair(&pair.aii_share, lied[0]), {&pair.avsb_share, lied[1]}}) {
      if (!is_lied_to) continue;
      switch (chance.below(9)) {
        case 0:
          share->fail_all(chance.once_in(2) ? Code::s_unreachable : Code::s_rights);
          break;
        case 1:
          share->fail_next(static_cast<Verb>(1 + chance.below(4)), Code::s_timeout, 20min);
          break;
        case 2:
          share->fail_next_after(static_cast<Verb>(1 + chance.below(4)), Code::s_unreachable);
          break;
        case 3:
          share->forbid_remove(true);
          break;
        case 4:
          share->pretend_to_remove(true);
          break;
        case 5:
          share->coarsen_revisions();
          break;
        case 6:
          share->cut_next_fetch(chance.below(2000));
          break;
        case 7:  // a listing lacks some, and has others twice
          share->on_list = [lie = Dice(chance.below(1'000'000))](std::vector<ShareEntry> entries) mutable {
            std::vector<ShareEntry> shown;
            for (const ShareEntry& entry : entries)
              for (std::size_t n = lie.below(3); n > 0; --n) shown.push_back(entry);
            return shown;
          };
          break;
        default:  // what is fetched has a bit that is another
          share->on_fetch = [lie = Dice(chance.below(1'000'000))](const std::string&,
                                                                  std::string bytes) mutable {
            if (!bytes.empty() && lie.once_in(2))
              bytes[lie.below(bytes.size())] ^= static_cast<char>(1 << lie.below(8));
            return bytes;
          };
      }
    }
  }

  /// What somebody who may do anything on the share does to its files.
  void meddle(Dice chance, std::string& line) {
    ++told_.faults;
    const fs::path folder = root() / "share" / (chance.once_in(2) ? "to_avsb" : "to_aii");
    fs::create_directories(folder);
    fs::create_directories(root() / "kept-by-them");
    std::vector<std::string> names = names_in(folder);
    const std::vector<std::string> copies = names_in(root() / "kept-by-them");
    const std::string name =
        names.empty() ? "inburgeringsplicht-2024_x.pgp" : names[chance.below(names.size())];
    const fs::path file = folder / name;
    const bool there = fs::is_regular_file(file);
    if (there) fs::copy_file(file, root() / "kept-by-them" / name, fs::copy_options::overwrite_existing);
    switch (chance.below(6)) {
      case 0:
        if (there) fs::remove(file);
        line += fmt::format("; {} is deleted", name);
        break;
      case 1:
        if (there) fs::rename(file, folder / ("x" + name));
        line += fmt::format("; {} is renamed", name);
        break;
      case 2: {
        if (!there) break;
        std::string bytes = read_file(file);
        if (!bytes.empty()) bytes[chance.below(bytes.size())] ^= 1;
        write_file(file, bytes, 0644);
        line += fmt::format("; a bit of {} is changed", name);
        break;
      }
      case 3:
        if (there) fs::resize_file(file, fs::file_size(file) / 2);
        line += fmt::format("; {} is cut", name);
        break;
      case 4:
        if (copies.empty()) break;
        for (const std::string& copy : {copies[chance.below(copies.size())]})
          if (!fs::exists(folder / copy)) fs::copy_file(root() / "kept-by-them" / copy, folder / copy);
        line += "; an old file is put there again";
        break;
      default:
        write_file(folder / fmt::format("junk-{}.pgp", chance.below(100)), "no OpenPGP message", 0644);
        line += "; junk is put there";
    }
  }

  // --- the end ---

  /// What is lived without faults: `people_do` at its start, then days.
  Names in_peace(std::chrono::hours time, const std::function<void(Pair&)>& people_do,
                 const std::function<Names(Pair&)>& look) {
    const Time begin = now_ += 1min;
    now_ += time;
    return told_by_child([&]() -> Names {
      try {
        Pair pair = Pair(root());
        open(pair, begin);
        pair.start();
        people_do(pair);
        pair.run_for(time);
        return look(pair);
      } catch (const std::exception& error) {
        return {fmt::format("a life went on in peace: {}", error.what())};
      }
    });
  }

  void come_to_rest() {
    add(in_peace(
        1h, [](Pair&) {}, [this](Pair& pair) { return vanished(pair); }));
    clear_up();
    // Upload sessions, half-written files and what waits longest have their time; then each open exchange is
    // over.
    // What was made, or answered, under a clock that was years ahead would wait for that day: it is taken
    // back.
    const auto take_back = [this](Pair& pair) {
      Instance& aii = pair.aii->instance;
      const auto alerts = aii.alerts.open();
      const bool waits = std::any_of(alerts.begin(), alerts.end(),
                                     [](const Alert& alert) { return alert.code == "L_CLOCK"; });
      for (const Exchange& x : aii.ledger.exchanges())
        if (x.opened_at > now_ || waits) withdraw(pair, x);
    };
    add(in_peace(24h * 6, take_back, [](Pair& pair) {
      Names open;
      for (Side* side : {pair.aii.get(), pair.avsb.get()})
        for (const Exchange& x : side->instance.ledger.exchanges())
          if (x.stage == Stage::sealed || x.stage == Stage::sent || x.stage == Stage::recorded)
            open.push_back(fmt::format("exchange of {} at {} is {} still", x.reference_year,
                                       side->instance.config.party, stage_name(x.stage)));
      return open;
    }));
    // People bring what is still to come, one year after the other.
    for (int year = kFirstYear; year <= year_now() && told_.broken.empty(); ++year)
      add(in_peace(
          24h * 2,
          [&](Pair& pair) {
            if (pair.avsb->instance.lists.newest(year)) return;
            write_file(pair.drop_folder() / list_name(year), csv_of(list_of(year, 0)), 0644);
          },
          [&](Pair& pair) {
            return pair.avsb->instance.lists.newest(year)
                       ? Names{}
                       : Names{fmt::format("{} is recorded in the end", year)};
          }));
    // One more walk of the path: whatever it shows to be well again is told no more.
    const auto rehearse = [](Pair& pair) { obey(pair, "rehearse"); };
    if (told_.broken.empty())
      add(in_peace(std::chrono::days(3), rehearse, [this](Pair& pair) { return looked_at(pair); }));
    if (told_.broken.empty()) add(numbers_elsewhere());
  }
  /// The share's owner empties it, and people take what was refused from the drop folder.
  void clear_up() const {
    for (const char* folder : {"share/to_avsb", "share/to_aii"})
      for (const std::string& name : names_in(root() / folder)) fs::remove(root() / folder / name);
    for (int year = kFirstYear; year <= kLastYear; ++year) fs::remove(root() / "drop" / list_name(year));
  }
  /// Each good list that was saved was taken in, or lies there still.
  Names vanished(Pair& pair) const {
    Names broken;
    const auto exchanges = pair.aii->instance.ledger.exchanges();
    for (const auto& [year, saved] : saved_) {
      const fs::path drop = pair.drop_folder() / list_name(year);
      const bool lies_there = fs::exists(drop) && read_file(drop) != faulty_file(year);
      const auto taken = std::count_if(exchanges.begin(), exchanges.end(), [&](const Exchange& x) {
        return x.noted && x.origin == drop.filename();
      });
      if (taken + (lies_there ? 1 : 0) != saved)
        broken.push_back(fmt::format("{} lists of {} were saved, {} taken in{}", saved, year, taken,
                                     lies_there ? ", and one lies there" : ""));
    }
    return broken;
  }
  void add(const Names& broken) { told_.broken.insert(told_.broken.end(), broken.begin(), broken.end()); }

  Names looked_at(Pair& pair) const {
    Names broken;
    const auto keep = [&](bool kept, const std::string& promise) {
      if (!kept) broken.push_back(promise);
    };
    Instance& aii = pair.aii->instance;
    Instance& avsb = pair.avsb->instance;
    for (int year = kFirstYear; year <= year_now(); ++year) {
      const auto newest = avsb.lists.newest(year);
      const std::vector<Insz> numbers = avsb.lists.numbers(year);
      bool is_one = false;
      for (std::size_t variant = 0; variant < kVariants; ++variant)
        is_one |= numbers == list_of(year, variant);
      keep(is_one, fmt::format("{} holds one list that was given, whole, and no faulty one", year));
      if (!newest) continue;
      const Exchange x = aii.ledger.find(newest->exchange);
      const bool was_withdrawn =
          !aii.db.query("SELECT 1 FROM audit WHERE event = 'withdrawn' AND exchange = :x LIMIT 1", {x.id})
               .empty();
      keep((x.stage == Stage::acknowledged || was_withdrawn) && x.revision == newest->revision,
           fmt::format("AII holds the receipt of what is recorded for {}", year));
      keep(fs::exists(aii.sealed_file(x)) && numbers == sealed_in(pair, x),
           fmt::format("{} holds what its exchange brought, and AII has the sealed list still", year));
      for (const Exchange& other : aii.ledger.exchanges())
        keep(other.reference_year != year || other.stage != Stage::acknowledged ||
                 other.purpose != Purpose::list || other.revision <= newest->revision,
             fmt::format("{} holds the newest of what AII has receipts for", year));
    }
    for (const Exchange& x : aii.ledger.exchanges()) {
      const auto receipt = aii.ledger.receipt_of(x.id);
      if (x.stage != Stage::acknowledged || x.purpose != Purpose::list) continue;
      keep(receipt && parse_receipt(receipt->json).package_sha256 == x.package_sha256,
           "what is acknowledged has a receipt for its very bytes");
      keep(avsb.ledger.exchange(x.id).has_value(), "what is acknowledged is known at AVSB");
    }
    const auto twice = [&](const std::string& sql) { return !avsb.db.query(sql).empty(); };
    keep(!twice("SELECT reference_year, revision FROM list GROUP BY 1, 2 HAVING count(*) > 1"),
         "no revision is recorded twice");
    keep(!twice("SELECT exchange FROM list GROUP BY 1 HAVING count(*) > 1"), "no exchange is recorded twice");
    keep(!twice("SELECT 1 FROM entry WHERE list NOT IN (SELECT max(id) FROM list GROUP BY reference_year)"),
         "no number of an earlier revision stands in the register");
    std::map<std::int64_t, std::int64_t> last;  // revision, by year
    for (const Row& row : avsb.db.query("SELECT reference_year, revision FROM list ORDER BY id")) {
      keep(row.integer(1) == last[row.integer(0)] + 1, "revisions follow one another");
      last[row.integer(0)] = row.integer(1);
    }
    for (Instance* side : {&aii, &avsb})
      keep(verify_audit(side->db, side->config.party, {}).problems.empty(),
           side->config.party + "'s chain is whole");
    for (Instance* side : {&aii, &avsb})
      for (const Alert& alert : side->alerts.open())
        keep((alert.kind == "finding" && told_.faults > 0) || may_stay(alert),
             fmt::format("an alert of {} has no cause any more: {} {}", side->config.party, alert.code,
                         alert.cause));
    return broken;
  }

  static std::vector<Insz> sealed_in(Pair& pair, const Exchange& x) {
    MemFile plain(1'000'000);
    pair.clock.set(parse_time("2060-01-01T00:00:00Z").value());  // whenever it was signed
    pair.avsb_seal->open(FileBlob(pair.aii->instance.sealed_file(x)), plain, {});
    plain.seal();
    return read_package_list(read_ustar(plain.bytes(), {"manifest.json", "list.csv"})[1],
                             reference_date_of(x.reference_year))
        .numbers;
  }

  /// What stays open until a person closes it, or what still lies in the drop folder is taken away.
  bool may_stay(const Alert& alert) const {
    static const std::set<std::string> kForPersons = {"L_CLOCK", "ADOPTED", "INCIDENT_DUE",
                                                      "INCIDENT_OVERDUE"};
    const std::string topic = topic_of(alert);
    // A list that was withdrawn too late, and another that followed it; and what follows from a clock that
    // was years off, or a share that withheld receipts.
    return kForPersons.contains(alert.code) || topic == "withdrawn" || topic == "second-list" ||
           (told_.faults > 0 && (topic == "anchor" || topic == "receipts-unseen"));
  }

  Names numbers_elsewhere() const {
    fs::remove_all(root() / "own");
    for (int year = kFirstYear; year <= kLastYear; ++year) fs::remove(root() / "drop" / list_name(year));
    return numbers_in({""}, {root() / "avsb/ledger.db"});
  }
  /// Where below these folders any number of any list stands, in whatever form.
  Names numbers_in(const Names& folders, const std::vector<fs::path>& spared) const {
    std::vector<Insz> all;
    for (int year = kFirstYear; year <= kLastYear; ++year)
      for (std::size_t variant = 0; variant <= kFaulty; ++variant)
        for (const Insz& number : list_of(year, variant)) all.push_back(number);
    Names places;
    for (const std::string& folder : folders)
      if (fs::exists(root() / folder))
        for (const std::string& place : files_holding(root() / folder, all, spared))
          places.push_back("a number stands in " + place);
    return places;
  }

  std::uint64_t seed_;
  const Cut& cut_;
  TempFolder folder_{TempFolder::Place::in_memory};
  Time now_ = parse_time("2022-01-10T08:00:00Z").value();
  std::map<int, std::int64_t> saved_;  // good lists, by year
  Simulated told_;
};

}  // namespace

Simulated simulate(std::uint64_t seed, const Cut& cut) {
  list_of(kFirstYear, 0);  // before a process is forked that would make them again
  return Life(seed, cut).live();
}

Cut shrink(std::uint64_t seed) {
  Cut cut{.stretches = kStretches, .calm = {}};
  const auto breaks = [&](const Cut& smaller) { return !simulate(seed, smaller).broken.empty(); };
  while (cut.stretches > 0 && breaks({cut.stretches - 1, cut.calm})) --cut.stretches;
  for (std::size_t i = 0; i < cut.stretches; ++i) {
    Cut calmer = cut;
    calmer.calm.insert(i);
    if (breaks(calmer)) cut = calmer;
  }
  return cut;
}

}  // namespace veer::test

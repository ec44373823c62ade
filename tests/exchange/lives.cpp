#include "exchange/lives.h"

#include <algorithm>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/files.h"
#include "support/fictitious.h"
#include "support/handmade.h"

namespace veer::test {
namespace {

Side& aii(Pair& pair) { return *pair.aii; }
Side& avsb(Pair& pair) { return *pair.avsb; }

/// As a person's program saves: whole or not at all, and there to stay.
void save(const Pair& pair, const std::string& name, const std::vector<Insz>& list) {
  if (fs::exists(pair.drop_folder() / name)) return;
  write_file(pair.drop_folder() / name, csv_of(list), 0644);
}

void save_list(const fs::path& folder) { save(Pair(folder), kListName, numbers()); }

std::size_t times_asked(Side& side, const std::string& verb) {
  return side.instance.db.query("SELECT 1 FROM command WHERE verb = :verb", {verb}).size();
}

void ask(Side& side, const std::string& verb, const std::string& argument) {
  side.instance.db.transaction([&] { side.instance.agenda.ask(verb, argument, {1001, "operator"}); });
}

}  // namespace

const std::vector<Insz>& numbers() {
  static const std::vector<Insz> list = fictitious_list(kNumbers, 5);
  return list;
}
const std::vector<Insz>& earlier_numbers() {
  static const std::vector<Insz> list = fictitious_list(10, 6);
  return list;
}

Names stages_of(Side& side) {
  Names stages;
  for (const Exchange& x : side.instance.ledger.exchanges()) stages.emplace_back(stage_name(x.stage));
  std::reverse(stages.begin(), stages.end());
  return stages;
}

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
  return {.prepare = save_list,
          .live = live,
          .avsb_alerts = {"attention INCIDENT_OVERDUE", "finding T_INTEGRITY"},
          .quarantined = 1};
}

namespace {

bool is_laid(Pair& pair) {
  const Names there = pair.to_avsb();
  return std::find(there.begin(), there.end(), pair.sent().package) != there.end();
}

}  // namespace

Scenario name_taken() {
  const auto live = [](Pair& pair) {
    pair.start_aii();
    pair.aii_share.forbid_put(true);
    pair.run_for(std::chrono::seconds(10));
    if (pair.sent().stage == Stage::sealed && pair.sent().copy == 1 && !is_laid(pair))
      lay_bytes(pair, pair.sent().package, "somebody else's");
    pair.aii_share.forbid_put(false);
    pair.run_for(std::chrono::minutes(10));
    pair.start_avsb();
    pair.run_to_rest();
  };
  return {.prepare = save_list,
          .live = live,
          .aii_alerts = {"attention INCIDENT_OVERDUE", "finding T_REPLAY"},
          .avsb_alerts = {"attention INCIDENT_OVERDUE", "finding T_INTEGRITY"},
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
      ask(avsb(pair), "approve", arrivals.front().name + " " + arrivals.front().sha256);
    pair.run_to_rest();
  };
  return {.prepare = prepare, .live = live, .stages = {"acknowledged", "acknowledged"}};
}

Scenario held_and_released() {
  const auto live = [](Pair& pair) {
    pair.aii_config.intake.release = Release::always;
    pair.start();
    pair.run_for(std::chrono::minutes(3));
    const auto decide = [&](const std::string& verb) {
      const Exchange x = pair.sent();
      if (x.stage != Stage::held || times_asked(aii(pair), verb) > 0) return;
      ask(aii(pair), verb, verb == "approve" ? x.id + " " + x.package_sha256 : x.id);
      pair.run_for(std::chrono::minutes(1));
    };
    decide("reject");
    if (stages_of(aii(pair)) == Names{"rejected"}) save(pair, kListName, numbers());
    pair.run_for(std::chrono::minutes(3));
    decide("approve");
    pair.run_to_rest();
  };
  return {.prepare = save_list, .live = live, .stages = {"rejected", "acknowledged"}};
}

Scenario corrected_and_handed_over() {
  const auto file = [](const fs::path& folder, const char* which) {
    return folder / "files" / which / kListName;
  };
  const auto prepare = [=](const fs::path& folder) {
    const Pair pair(folder);
    for (const char* which : {"first", "second"}) fs::create_directories(file(folder, which).parent_path());
    fs::create_directory(folder / "exports");
    write_file(file(folder, "first"), csv_of(earlier_numbers()));
    write_file(file(folder, "second"), csv_of(numbers()));
  };
  const auto live = [=](Pair& pair) {
    pair.avsb_config.export_to.folder = pair.root / "exports";
    pair.start();
    if (times_asked(aii(pair), "send") == 0) ask(aii(pair), "send", file(pair.root, "first"));
    pair.run_to_rest();
    if (times_asked(aii(pair), "send-correction") == 0)
      ask(aii(pair), "send-correction", file(pair.root, "second"));
    pair.run_to_rest();
    if (times_asked(avsb(pair), "export") == 0) ask(avsb(pair), "export", "2026 premium");
    pair.run_to_rest();
    const auto hold = avsb(pair).instance.holds.find(HoldKind::hand_over, "export-2026-r2");
    if (hold && times_asked(avsb(pair), "approve") == 0)
      avsb(pair).instance.db.transaction([&] {
        avsb(pair).instance.agenda.ask("approve", hold->subject + " " + hold->digest, {1002, "approver"});
      });
    pair.run_to_rest();
  };
  return {.prepare = prepare,
          .live = live,
          .stages = {"acknowledged", "acknowledged"},
          .lists = 2,
          .handed_over = true,
          .dropped = false};
}

namespace {

/// As somebody types it.
Fd typed(const Insz& person) {
  const std::string digits = digits_of(person);
  Fd file(memfd_create("persons", MFD_CLOEXEC));
  if (write(file.get(), digits.data(), digits.size()) != static_cast<ssize_t>(digits.size())) return {};
  return file;
}

/// Until it is done: what was asked for before a crash has lost its file.
void entrust(Side& side, const std::string& verb, const std::string& argument, Fd file, const Person& who) {
  const auto is_done = [&] {
    return !side.instance.db.query("SELECT 1 FROM command WHERE verb = :verb AND stage = 'done'", {verb})
                .empty();
  };
  if (is_done()) return;
  std::int64_t id = 0;
  side.instance.db.transaction([&] { id = side.instance.agenda.ask(verb, argument, who); });
  side.instance.files.put(id, std::move(file));
}

/// The list of the year before is recorded, and this year's saved.
void a_year_ago(const fs::path& folder) {
  Pair pair(folder);
  pair.start();
  save(pair, "inburgeringsplicht-2025.csv", earlier_numbers());
  pair.run_to_rest();
  fs::remove(pair.drop_folder() / "inburgeringsplicht-2025.csv.result.txt");
  save(pair, kListName, numbers());
}

/// A case is opened, and somebody ends it.
Scenario reported(CaseOutcome outcome, const std::function<void(Pair&)>& end) {
  const auto live = [end](Pair& pair) {
    pair.start();
    pair.run_to_rest();
    entrust(avsb(pair), "case-open", "2026 superfluous register", typed(numbers().front()),
            {1001, "operator"});
    pair.run_for(std::chrono::minutes(5));
    end(pair);
    pair.run_for(std::chrono::hours(1));
  };
  return {.prepare = a_year_ago,
          .live = live,
          .stages = {"acknowledged", "acknowledged"},
          .lists = 2,
          .case_ended = outcome};
}

}  // namespace

Scenario forgetting() {
  const auto live = [](Pair& pair) {
    pair.start();
    pair.run_to_rest();
    entrust(avsb(pair), "forget", "a notice", typed(earlier_numbers().front()), {1001, "operator"});
    pair.run_for(std::chrono::minutes(2));
    const auto asked = avsb(pair).instance.db.query(
        "SELECT subject FROM hold WHERE kind = 'forget' AND state = 'open' LIMIT 1");
    if (!asked.empty())
      entrust(avsb(pair), "approve-forget", asked.front().text(0), typed(earlier_numbers().front()),
              {1002, "approver"});
    pair.run_for(std::chrono::minutes(2));
  };
  return {.prepare = a_year_ago,
          .live = live,
          .stages = {"acknowledged", "acknowledged"},
          .lists = 2,
          .forgotten = {earlier_numbers().front()}};
}

Scenario forgotten_by_mistake() {
  Scenario life = forgetting();
  life.live = [forget = life.live](Pair& pair) {
    forget(pair);
    Instance& at = avsb(pair).instance;
    const auto requests = [&](const std::string& state) {
      return at.db.query("SELECT subject FROM hold WHERE subject LIKE 'forget-undo-%' AND state = :state",
                         {state});
    };
    const auto give = [&](const std::string& verb, const std::string& argument, const Person& who) {
      std::int64_t id = 0;
      at.db.transaction([&] { id = at.agenda.ask(verb, argument, who); });
      at.files.put(id, typed(earlier_numbers().front()));
      pair.run_for(std::chrono::minutes(2));
    };
    if (!requests("released").empty()) return;
    if (requests("open").empty()) give("forget", "--undo a notice", {1001, "operator"});
    const auto asked = requests("open");
    if (!asked.empty()) give("approve-forget", asked.front().text(0), {1002, "approver"});
  };
  life.undone = true;
  return life;
}

Scenario reported_and_answered() {
  return reported(CaseOutcome::unfounded, [](Pair& pair) {
    if (!aii(pair).instance.cases.all().empty() && times_asked(aii(pair), "case-answer") == 0)
      ask(aii(pair), "case-answer", "2026-1 unfounded it was right");
  });
}

Scenario reported_and_closed() {
  return reported(CaseOutcome::closed, [](Pair& pair) {
    if (!avsb(pair).instance.cases.all().empty() && times_asked(avsb(pair), "case-close") == 0)
      ask(avsb(pair), "case-close", "2026-1 a mistake of ours");
  });
}

Scenario distributed() {
  const auto live = [](Pair& pair) {
    const fs::path folder = pair.root / "fund";
    Recipient fund{.name = "fund1", .keys = {{std::string(40, '1'), {}, {}}}, .share = {}};
    fund.share.kind = FolderShareConfig{folder, folder};
    pair.avsb_config.distribution = {.recipients = {fund}, .members_at_least = 1};
    pair.start();
    avsb(pair).instance.open_seal = [&pair](const std::vector<PinnedKey>& recipient) {
      return std::make_unique<FakeSeal>(pair.avsb_config.own_keys, recipient, pair.clock);
    };
    pair.run_to_rest();
    const std::string members = "zorgkas;insz\nfund1;" + digits_of(numbers().front()) + "\neinde;1\n";
    const std::string name = fmt::format("ledenbestand-{}.csv", format_date(date_of(pair.clock.now())));
    fs::create_directories(pair.root / "files");
    write_file(pair.root / "files" / name, members);
    entrust(avsb(pair), "distribute", "2026 " + name,
            Fd(open((pair.root / "files" / name).c_str(), O_RDONLY | O_CLOEXEC)), {1001, "operator"});
    pair.run_for(std::chrono::minutes(2));
    const auto asked = avsb(pair).instance.holds.of(HoldKind::distribution, HoldState::open);
    if (!asked.empty() && times_asked(avsb(pair), "approve") == 0)
      avsb(pair).instance.db.transaction([&] {
        avsb(pair).instance.agenda.ask(
            "approve", Approval{asked.front().subject, asked.front().digest}.text(), {1002, "approver"});
      });
    pair.run_for(std::chrono::hours(1));
  };
  const auto prepare = [](const fs::path& folder) {
    a_year_ago(folder);
    fs::create_directories(folder / "fund");  // it is there before, so that no power cut takes it
  };
  return {.prepare = prepare,
          .live = live,
          .stages = {"acknowledged", "acknowledged"},
          .lists = 2,
          .delivered = true};
}

}  // namespace veer::test

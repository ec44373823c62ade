#include "support/pair.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"

namespace veer::test {
namespace {

const std::string kAiiKey = "A11A11A11A11A11A11A11A11A11A11A11A11A11A";
const std::string kAvsbKey = "B22B22B22B22B22B22B22B22B22B22B22B22B22B";

const fs::path& made(const fs::path& folder) {
  fs::create_directories(folder);
  return folder;
}

Config config_for(const fs::path& root, Role role) {
  Config config;
  const bool sender = role == Role::sender;
  config.role = role;
  config.party = sender ? "aii" : "avsb";
  config.counterparty = sender ? "avsb" : "aii";
  config.language = Language::en;
  config.state = root / config.party;
  if (sender) config.drop = made(root / "drop");
  config.own_keys = {{sender ? kAiiKey : kAvsbKey, {}, {}}};
  config.counterparty_keys = {{sender ? kAvsbKey : kAiiKey, {}, {}}};
  config.share.poll = std::chrono::minutes(1);
  config.database_url = "sqlite:" + (config.state / "ledger.db").string();
  return config;
}

}  // namespace

void make_production(Config& config) {
  static constexpr std::string_view kText = "the provision in force, as it was published\n";
  config.environment = Environment::production;
  const fs::path document = config.state.parent_path() / (config.party + "-legal-basis.txt");
  fs::create_directories(document.parent_path());
  write_file(document, kText);
  config.legal_basis = LegalBasis{.provision = "a provision",
                                  .document = document,
                                  .document_sha256 = sha256_hex(kText),
                                  .confirmed_by = "the legal service",
                                  .confirmed_on = Date(std::chrono::January / 1 / 2022),
                                  .valid_until = Date(std::chrono::December / 31 / 2099),
                                  .notice_given = {}};
}

bool Side::run() {
  bool worked = false;
  while (engine.run_one({})) worked = true;
  return worked;
}

Pair::Pair(const fs::path& folder)
    : Pair(folder,
           {std::make_unique<FolderShare>(made(folder / "share/to_avsb"), made(folder / "share/to_aii")),
            std::make_unique<FolderShare>(folder / "share/to_aii", folder / "share/to_avsb")}) {}

Pair::Pair(const fs::path& folder, SharePair shares)
    : root(folder),
      clock(parse_time("2026-03-01T08:00:00Z").value()),
      aii_config(config_for(root, Role::sender)),
      avsb_config(config_for(root, Role::receiver)),
      aii_share(std::move(shares.aii)),
      avsb_share(std::move(shares.avsb)),
      aii_seal(std::make_unique<FakeSeal>(aii_config.own_keys, aii_config.counterparty_keys, clock)),
      avsb_seal(std::make_unique<FakeSeal>(avsb_config.own_keys, avsb_config.counterparty_keys, clock)) {
  log_to(LogTarget::stderr_plain, LogLevel::none);
}

void Pair::drop(const std::string& name, std::string_view bytes) const {
  std::ofstream(aii_config.drop / name, std::ios::binary) << bytes;
}

// At rest: both sides wait only for polls, scans and a receipt that may be overdue much later.
bool Pair::at_rest() {
  const auto waiting = [&](const std::unique_ptr<Side>& side) {
    if (!side) return false;
    Ledger& ledger = side->instance.ledger;
    const auto x = ledger.next_exchange();
    const auto offers = side->instance.offers.all();
    const bool settling = std::any_of(offers.begin(), offers.end(),
                                      [](const Offer& offer) { return offer.stage == OfferStage::settling; });
    return settling || ledger.next_arrival(clock.now()) ||
           (x && *x->wait.due < clock.now() + std::chrono::hours(1));
  };
  return !waiting(aii) && !waiting(avsb);
}

void Pair::run_to_rest() {
  // Twice at rest after a full round of polls: what one side put, the other has had the time to see.
  int rested = 0;
  for (int round = 0; round < 400 && rested < 3; ++round) {
    run_for(std::chrono::minutes(1));
    rested = at_rest() ? rested + 1 : 0;
  }
}

void Pair::run_for(std::chrono::milliseconds time) {
  const Time end = clock.now() + time;
  while (true) {
    if (aii) aii->run();
    if (avsb && avsb->run() && aii) aii->run();
    std::optional<Time> next;
    for (Side* side : {aii.get(), avsb.get()})
      if (const auto due = side != nullptr ? side->engine.next_due() : std::nullopt)
        next = next ? std::min(*next, *due) : *due;
    if (!next || *next > end) break;
    clock.set(std::max(*next, clock.now()));
  }
  clock.set(end);
}

std::string Pair::note(const std::string& name) const {
  std::ifstream file(aii_config.drop / (name + std::string(kNoteSuffix)), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> Pair::names(const fs::path& folder) { return names_in(folder); }

std::vector<std::string> Pair::on_share(const std::string& name, Folder folder) {
  if (fs::exists(root / "share")) return names(root / "share" / name);
  std::vector<std::string> found;
  for (const ShareEntry& entry : aii_share.files().list(folder, {})) found.push_back(entry.name);
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> Pair::open_alerts(Side& side) {
  std::vector<std::string> codes;
  for (const Alert& alert : side.instance.alerts.open()) codes.push_back(alert.kind + " " + alert.code);
  std::sort(codes.begin(), codes.end());
  return codes;
}

std::string csv_of(const std::vector<Insz>& numbers) { return write_package_list(numbers); }

}  // namespace veer::test

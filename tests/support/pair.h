#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine.h"
#include "support/fake_seal.h"
#include "support/manual_clock.h"
#include "support/scripted_share.h"
#include "support/seeded_random.h"

namespace veer::test {

/// One agency's side: its instance and engine on a folder that survives them.
class Side {
 public:
  Side(Config config, Share& share, Seal& seal, ManualClock& clock, Random& random)
      : instance(std::move(config), share, seal, clock, random), engine(instance) {
    engine.start();
  }
  /// Runs what is due now; false when nothing was.
  bool run();

  Instance instance;
  Engine engine;
};

/// What each side sees of a share that both have.
struct SharePair {
  std::unique_ptr<Share> aii;
  std::unique_ptr<Share> avsb;
};

/// Both sides on one scripted share, with a fast seal and a clock that the test moves: a whole exchange in
/// milliseconds. All that is durable lies below one folder; sides may be stopped, destroyed and started
/// again.
class Pair {
 public:
  /// Uses what already lies in `folder`.
  explicit Pair(const std::filesystem::path& folder);
  /// The files of the share are elsewhere.
  Pair(const std::filesystem::path& folder, SharePair shares);

  void start_aii() { aii = std::make_unique<Side>(aii_config, aii_share, *aii_seal, clock, random); }
  void start_avsb() { avsb = std::make_unique<Side>(avsb_config, avsb_share, *avsb_seal, clock, random); }
  void start() {
    start_aii();
    start_avsb();
  }

  /// Puts a file into the drop folder.
  void drop(const std::string& name, std::string_view bytes) const;
  /// Runs both sides and moves the clock from one due row to the next until nothing but polls is left to do.
  void run_to_rest();
  void run_for(std::chrono::milliseconds time);

  std::string note(const std::string& name) const;
  std::filesystem::path drop_folder() const { return aii_config.drop; }
  /// What lies in a folder of the share.
  std::vector<std::string> to_avsb() { return on_share("to_avsb", Folder::outgoing); }
  std::vector<std::string> to_aii() { return on_share("to_aii", Folder::incoming); }
  static std::vector<std::string> names(const std::filesystem::path& folder);
  /// The sender's only exchange, or its newest.
  Exchange sent() { return aii->instance.ledger.exchanges().at(0); }
  std::vector<std::string> open_alerts(Side& side);

  std::filesystem::path root;
  ManualClock clock;
  SeededRandom random{7};
  Config aii_config;
  Config avsb_config;
  ScriptedShare aii_share;
  ScriptedShare avsb_share;
  std::unique_ptr<Seal> aii_seal;
  std::unique_ptr<Seal> avsb_seal;
  std::unique_ptr<Side> aii;
  std::unique_ptr<Side> avsb;

 private:
  bool at_rest();
  std::vector<std::string> on_share(const std::string& name, Folder folder);
};

/// As production demands it: with a legal basis on record that holds from 2022 to 2099, in a text beside the
/// state folder.
void make_production(Config& config);

/// A list of `count` fictitious numbers as a person would save it, and the numbers.
std::string csv_of(const std::vector<Insz>& numbers);

inline const std::string kListName = "inburgeringsplicht-2026.csv";
inline constexpr int kYear = 2026;

}  // namespace veer::test

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "daemon/config_share.h"
#include "daemon/toml_reader.h"
#include "formats/seal.h"

namespace veer {

/// The protocol names six care funds (article 4).
inline constexpr std::size_t kMostCareFunds = 6;

/// Who gets the entries of their own members: a care fund, or somebody else of whom AII was notified first.
struct Recipient {
  std::string name;
  std::vector<PinnedKey> keys;
  ShareConfig share;
  std::string notification = {};         ///< where it is on record; empty for a care fund
  std::optional<Date> notified_on = {};  ///< empty for a care fund
};

/// The table [distribution] (docs/configuration.md); receiver only.
struct DistributionConfig {
  std::vector<Recipient> recipients;  ///< empty: nothing is distributed
  std::chrono::milliseconds members_no_older = std::chrono::days(35);
  std::uint64_t members_at_least = 0;  ///< a register with fewer is not believed

  const Recipient* find(const std::string& name) const;
};

/// Problems go to the table's list.
DistributionConfig read_distribution(TomlTable table);

}  // namespace veer

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "support/pair.h"

namespace veer::test {

using Names = std::vector<std::string>;

inline constexpr std::size_t kNumbers = 30;
/// The list of each life, and one of the year before.
const std::vector<Insz>& numbers();
const std::vector<Insz>& earlier_numbers();

/// A life of both sides. What people do in it goes by what is durable, so that it may be lived again from
/// wherever a crash left it, to the same end.
struct Scenario {
  std::function<void(const fs::path&)> prepare;  ///< what stood before, not counted
  std::function<void(Pair&)> live;
  Names stages = {"acknowledged"};  ///< of the sender's exchanges, oldest first
  Names aii_alerts = {};
  Names avsb_alerts = {};
  std::size_t quarantined = 0;
  std::size_t lists = 1;                       ///< that are recorded, replaced ones included
  bool handed_over = false;                    ///< to another system, as a file
  std::vector<Insz> forgotten = {};            ///< who stands nowhere any more
  bool undone = false;                         ///< that they were forgotten: no mark of them is left
  std::optional<CaseOutcome> case_ended = {};  ///< at both sides
  bool delivered = false;                      ///< to a care fund, once
  bool dropped = true;                         ///< or sent by hand, which leaves no note
};

Scenario plain();
Scenario refused_and_corrected();
Scenario cut_and_resumed();
Scenario bad_then_good();
Scenario name_taken();
Scenario commanded();
Scenario held_and_approved();
Scenario held_and_released();
Scenario corrected_and_handed_over();
Scenario forgetting();
Scenario forgotten_by_mistake();
Scenario reported_and_answered();
Scenario reported_and_closed();
Scenario distributed();

/// Of a side's exchanges, oldest first.
Names stages_of(Side& side);

}  // namespace veer::test

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/clock.h"
#include "daemon/database.h"

namespace veer {

/// AVSB's recorded lists: INSZ by reference year and revision (docs/register.md). What is recorded is visible
/// whole or not at all. Callers open the transactions. One thread.
class Register {
 public:
  Register(Database& database, const Clock& clock) : db_(database), clock_(clock) {}

  /// The exchange whose list is recorded for a reference year.
  std::optional<std::string> recorded_exchange(int reference_year);
  /// Enters a list within the running transaction. `numbers` ascending and unique; the count is checked again
  /// in the same transaction. `set_aside`: faulty lines that the sender's approver chose to leave out.
  void record(int reference_year, std::int64_t revision, const std::string& exchange,
              std::span<const Insz> numbers, std::uint64_t set_aside = 0);
  /// How many numbers stand in the register for a year, counted one by one.
  std::int64_t count(int reference_year);

 private:
  Database& db_;
  const Clock& clock_;
};

}  // namespace veer

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "daemon/database.h"

namespace veer {

struct RecordedList {
  std::int64_t revision = 0;
  std::string exchange;
  std::int64_t records = 0;  ///< as it was recorded, whoever was forgotten since
};
/// Against the revision that was there before.
struct Change {
  std::uint64_t added = 0;
  std::uint64_t withdrawn = 0;
};

/// AVSB's recorded lists: INSZ by reference year and revision (docs/register.md). What is recorded is visible
/// whole or not at all. Callers open the transactions. One thread.
class Register {
 public:
  Register(Database& database, const Clock& clock) : db_(database), clock_(clock) {}

  /// The newest revision of a year's list.
  std::optional<RecordedList> newest(int reference_year);
  /// The exchange whose list is recorded for a reference year.
  std::optional<std::string> recorded_exchange(int reference_year);
  /// Enters a list within the running transaction, in the place of the year's older revision, whose numbers
  /// go and whose count stays. `numbers` ascending and unique; the count is checked again in the same
  /// transaction. `set_aside`: faulty lines that the sender's approver chose to leave out.
  Change record(int reference_year, std::int64_t revision, const std::string& exchange,
                std::span<const Insz> numbers, std::uint64_t set_aside = 0);
  /// How many numbers stand in the register for a year, counted one by one.
  std::int64_t count(int reference_year);
  /// Whether a person stands in the newest revision of a year's list.
  bool holds(int reference_year, const Insz& person);
  /// A year's numbers, ascending.
  std::vector<Insz> numbers(int reference_year);
  /// A year's numbers under the heading "insz", a line each, ascending.
  std::string as_csv(int reference_year);

 private:
  Database& db_;
  const Clock& clock_;
};

}  // namespace veer

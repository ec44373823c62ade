#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "daemon/instance.h"

namespace veer {

/// How many numbers a file that is handed over now holds, and why that is not what was recorded: "47 numbers
/// (50 recorded, 3 kept out or forgotten since)".
std::string numbers_handed(std::int64_t now, std::int64_t recorded);

/// AVSB's hand-over of a recorded list to its other systems (Q31): one person asks for it and says what for,
/// another one releases it, and the service writes the file into the folder of [export]. Each method may be
/// repeated: what was carried out, and stopped before that was written down, is done again to the same end.
class HandOver {
 public:
  explicit HandOver(Instance& instance) : at_(instance) {}

  /// "YEAR PURPOSE…". Returns what it is called from then on. Throws C_CONFIG without a folder,
  /// C_LEGAL_BASIS, U_STATE when no list of that year is recorded.
  std::string ask(const Command& command);
  /// Whether an approval or a rejection is about one.
  static bool is_called(const std::string& subject);
  std::string approve(const Approval& approval, const Command& command);
  std::string reject(const Rejection& rejection, const Person& who);
  /// Within the transaction that records a correction: whoever uses what was handed over is to hear of it.
  void tell_corrected(const Exchange& exchange, const Change& change);
  /// Within the transaction that forgets somebody: likewise, and what was handed over before is to go.
  void tell_taken_back();
  /// Removes what may not lie in the folder any more, nor in one that [export] named before: longer there
  /// than configured, made before somebody was forgotten, or of a list that was corrected since. What cannot
  /// be removed, or looked for, is told of. By age only where the clock is steady.
  enum class Age { counts, is_unsure };
  void tidy(Age age);
  /// Whether something could not be removed yet.
  bool owes_removal();

 private:
  std::filesystem::path file_of(int year, std::int64_t revision) const;
  /// Why a list that was handed over is the newest no more.
  struct Since {
    std::string corrected;  ///< by which revision; "" when by none
    bool forgotten = false;
  };
  void tell_stale(int year, const Hold& released, const Since& since, const std::string& exchange);
  std::set<std::filesystem::path> folders();
  bool must_go(int year, std::int64_t revision, Time written, Age age);
  /// Whether something of ours stays there.
  bool sweep(const std::filesystem::path& folder, Age age);
  std::filesystem::path write(int year, std::int64_t revision);

  Instance& at_;
};

}  // namespace veer

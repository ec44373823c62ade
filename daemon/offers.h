#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "daemon/database.h"

namespace veer {

/// settling: not yet known to be whole. taken: sealed and durable, to be unlinked. refused: waits until the
/// person changes or removes the file.
enum class OfferStage { settling, taken, refused };

/// A file in the drop folder, as last seen.
struct Offer {
  std::string name;
  std::string identity;  ///< FileIdentity::text()
  OfferStage stage = OfferStage::settling;
  Time seen_at;
  std::string refused_as = {};  ///< code of the last refusal of this very file, so that it is told once
};

/// A note that stands, or shall stand, beside the drop file.
struct ResultNote {
  std::string name;  ///< the drop file's name
  std::string text;
};

/// Cause of the alert that tells of a note that cannot be written.
inline std::string note_cause(const std::string& name) { return "note:" + name; }

/// What lies in the drop folder and what its owners were told. Callers open the transactions. One thread.
class Offers {
 public:
  explicit Offers(Database& database) : db_(database) {}

  std::optional<Offer> find(const std::string& name);
  std::vector<Offer> all();
  /// Names of what was refused, also while it is looked at afresh: it asks for a person.
  std::vector<std::string> refused();
  bool more_refused_than(std::size_t count);
  bool any_settling();
  void save(const Offer& offer);
  void forget(const std::string& name);
  /// What was refused is looked at afresh: what stood in its way may be gone.
  void reconsider(Time now);

  /// Records what the file's owner is to be told; the note itself is written afterwards.
  void tell(const ResultNote& note);
  /// One that is due at `now`.
  std::optional<ResultNote> next_note(Time now);
  void note_written(const ResultNote& note);
  void defer_note(const ResultNote& note, Time due);

 private:
  Database& db_;
};

}  // namespace veer

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "daemon/access.h"
#include "daemon/database.h"

namespace veer {

/// What an officer says of a finding: an attempt on the exchange, or none.
enum class Verdict { open, confirmed, dismissed };
std::string_view verdict_name(Verdict verdict);

/// A finding as the protocol asks for it (articles 6 and 9; Q26, Q27): attempts count, and the other side is
/// told within 24 hours of the finding. Texts hold no personal data.
struct Incident {
  std::int64_t id = 0;
  std::string cause;  ///< of its alert
  std::string code;
  std::string exchange;  ///< may be empty
  std::string text;
  Time found_at;
  Verdict verdict = Verdict::open;
  std::string decided_by = {};
  std::optional<Time> decided_at = {};
  std::string why = {};
  std::string notified_by = {};
  std::optional<Time> notified_at = {};
  std::optional<Time> closed_at = {};

  /// Until when the other side is to be told, unless it is dismissed.
  Time due() const { return found_at + std::chrono::hours(24); }
  /// When it is told that the limit is near: four hours before.
  Time warning() const { return due() - std::chrono::hours(4); }
  bool waits() const { return !closed_at && !notified_at && verdict != Verdict::dismissed; }
  /// Until when the officer tells the supervisor of it, where there is a risk to persons (article 33 GDPR);
  /// and when that is told: twelve hours before, of what was confirmed and is not closed.
  Time supervisor_due() const { return found_at + std::chrono::hours(72); }
  Time supervisor_warning() const { return supervisor_due() - std::chrono::hours(12); }
  bool is_breach() const { return !closed_at && verdict == Verdict::confirmed; }
};

/// The book of incidents: one for each finding, opened in the transaction that tells of it. Callers open the
/// transactions. One thread.
class Incidents {
 public:
  Incidents(Database& database, const Clock& clock) : db_(database), clock_(clock) {}

  /// Brings the chore that looks at limits forward to the first of them.
  void open(const std::string& cause, std::string_view code, const std::string& exchange,
            const std::string& text);
  /// All, oldest first; those that still ask for somebody alone.
  std::vector<Incident> all();
  std::vector<Incident> waiting();
  /// Whether one of this cause still asks for somebody.
  bool is_waiting(const std::string& cause);
  /// Throws U_UNKNOWN.
  Incident find(std::int64_t id);
  /// When the next limit of 24 hours, or a warning before it or before that of the supervisor, is reached
  /// after `now`.
  std::optional<Time> next_limit(Time now);

  /// What still waits, and was found on a later day, by a clock that went wrong, counts from `now`.
  void pull_in(Time now);

  /// Each throws U_STATE when it does not fit what was said before, and may be repeated by the same person.
  void decide(std::int64_t id, Verdict verdict, const Person& who, const std::string& why);
  void notified(std::int64_t id, const Person& who, const std::string& how);
  void close(std::int64_t id);

 private:
  Database& db_;
  const Clock& clock_;
};

}  // namespace veer

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "daemon/access.h"
#include "daemon/database.h"

namespace veer {

/// What waits for a second person. list: a sealed list, by its exchange. package: one of the other side's
/// that quotes lost history, by its digest. suspension: everything, since somebody said so, by that person's
/// number, or since the books were restored. hand_over: a recorded list, to be handed to other systems, by
/// year and revision. erasure: persons, to be forgotten; distribution: sealed files for care funds: both by
/// the request's name.
enum class HoldKind { list, package, suspension, hand_over, erasure, distribution };
inline constexpr std::array kHoldKinds = {HoldKind::list,      HoldKind::package, HoldKind::suspension,
                                          HoldKind::hand_over, HoldKind::erasure, HoldKind::distribution};
std::string_view hold_kind_name(HoldKind kind);
/// lapsed: what was held came to its end by itself.
enum class HoldState { open, released, rejected, lapsed };
std::string_view hold_state_name(HoldState state);

struct Hold {
  std::int64_t id = 0;
  HoldKind kind = HoldKind::list;
  std::string subject;  ///< exchange, digest, number of a person or name of a request
  std::string digest;   ///< SHA-256 of exactly the bytes or the request to be released; "" when there is none
  std::optional<Person> asked_by;  ///< who may not release it; empty: nobody of this machine
  Time asked_at;
  HoldState state = HoldState::open;
  std::optional<Person> decided_by;
  std::optional<Time> decided_at;
  std::string reason;   ///< of a rejection; what came of an erasure
  std::string purpose;  ///< of a hand-over, or the notice of an erasure; else ""

  bool was_decided_by(HoldState how, const Person& who) const {
    return state == how && decided_by && decided_by->uid == who.uid;
  }
};

/// Who suspended it: "alice (1000), bob (1001)".
std::string names_of(const std::vector<Hold>& holds);

/// What 'approve' is given: what is released, and exactly which bytes.
struct Approval {
  std::string subject;
  std::string sha256;
  std::uint64_t set_aside = 0;  ///< how many faulty lines the approver was shown to be left out

  /// "SUBJECT [sha256:]DIGEST", or "SUBJECT [sha256:]DIGEST COUNT". Throws U_USAGE.
  static Approval parse(const std::string& argument);
  std::string text() const;
};

/// What 'reject' is given, or 'withdraw' by whoever asked.
struct Rejection {
  std::string subject;
  std::string reason;   ///< fit to be kept and shown: without numbers of people, and short
  bool is_own = false;  ///< taken back by whoever asked

  /// "SUBJECT", or "SUBJECT REASON…".
  static Rejection parse(const std::string& argument);
};

/// What is held, and who held and decided it: one row each time. Callers open the transactions, in which they
/// write the fact that follows from a decision too. One thread.
class Holds {
 public:
  Holds(Database& database, const Clock& clock) : db_(database), clock_(clock) {}

  /// Nothing happens when it is held already.
  void open(HoldKind kind, const std::string& subject, const std::string& digest,
            const std::optional<Person>& asked_by, const std::string& purpose = {});
  /// The newest row; empty when it was never held.
  std::optional<Hold> find(HoldKind kind, const std::string& subject);
  /// Whether it had to wait for a release that never came, so that it cannot have left.
  bool kept_back(HoldKind kind, const std::string& subject);
  /// The newest one that was released.
  std::optional<Hold> last_released(HoldKind kind, const std::string& subject);
  /// All of a kind in a state, oldest first.
  std::vector<Hold> of(HoldKind kind, HoldState state);
  void decide(const Hold& hold, HoldState state, const Person& who, const std::string& reason = {});
  /// What was released, and what follows from that can still be stopped.
  void take_back(const Hold& hold, const Person& who, const std::string& reason);
  /// Nothing happens when it is not held.
  void lapse(HoldKind kind, const std::string& subject);
  /// What was asked is over, and its digest could tell of whom: "" from then on.
  void forget_digest(HoldKind kind, const std::string& subject);
  /// The clock went back: nobody asked for what is open later than now.
  void pull_in(Time now);
  /// The open ones, oldest first: by whom the exchange is suspended. Empty when it goes on.
  std::vector<Hold> suspensions();
  /// How many of this kind are held now.
  std::int64_t open_ones(HoldKind kind);
  /// Whether it ever was suspended.
  bool was_suspended();

 private:
  void change(const Hold& hold, HoldState from, HoldState to, const Person& who, const std::string& reason);

  Database& db_;
  const Clock& clock_;
};

}  // namespace veer

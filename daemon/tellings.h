#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "daemon/database.h"
#include "daemon/ledger.h"

namespace veer {

/// At which turn of an alert's life people are told.
enum class AlertTurn { opened, changed, reminder, escalated, closed };
std::string_view alert_turn_name(AlertTurn turn);

/// Cause of the alert that tells of a channel by which nobody can be told.
inline std::string channel_cause(std::string_view channel) { return "channel:" + std::string(channel); }

/// By which ways, and how often.
struct TellingRules {
  std::vector<std::string> channels = {};  ///< by name, see AlertsConfig
  std::chrono::milliseconds repeat = std::chrono::hours(24);
  std::chrono::milliseconds escalate_after = std::chrono::hours(48);
  bool escalates = false;  ///< there is somebody else to tell, by mail
};

/// One message that is to go out by one channel.
struct Telling {
  std::int64_t id = 0;
  std::int64_t alert = 0;
  std::string channel;
  AlertTurn turn = AlertTurn::opened;
  Wait wait;
};

/// What people are to be told of alerts: rows like everything that waits, written in the transaction of the
/// alert. A message goes out once, and once more only after a crash at that moment. Callers open the
/// transactions. One thread.
class Tellings {
 public:
  Tellings(Database& database, const Clock& clock, TellingRules rules)
      : db_(database), clock_(clock), rules_(std::move(rules)) {}

  /// An alert was opened. Reminders follow until it is acknowledged or closed, but for a notice. A channel is
  /// never told of its own failure.
  void opened(std::int64_t alert, bool notice);
  /// It tells something else from now on: reminders and escalation begin anew.
  void changed(std::int64_t alert);
  /// Nobody needs to be reminded any more.
  void acknowledged(std::int64_t alert);
  /// Its cause is gone, or a person closed it: told wherever it was told of, and nowhere else.
  void closed(std::int64_t alert);

  /// Forgets what was to go out by a channel that is configured no more, and tells a new one what is open.
  void start();
  /// The clock went back: nothing waits for longer than it would from now on.
  void pull_in(Time now);

  std::optional<Telling> next();
  void set_due(const Telling& telling, Time due);
  void sent(const Telling& telling);
  /// It failed; what goes by the same channel waits as long.
  void defer(const Telling& telling, Time due, const Error& error);
  /// Those of an alert, also those that went out, oldest first.
  std::vector<Telling> of(std::int64_t alert);
  /// Forgets what went out about alerts that were closed before `old`, and those alerts.
  void prune(Time old);

 private:
  void open(std::int64_t alert, const std::string& channel, bool notice);
  bool is_configured(const std::string& channel) const;
  bool is_about(std::int64_t alert, const std::string& channel);
  bool is_due(std::int64_t alert, const std::string& channel, AlertTurn turn);
  void add(std::int64_t alert, const std::string& channel, AlertTurn turn, Time due);

  Database& db_;
  const Clock& clock_;
  TellingRules rules_;
};

}  // namespace veer

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/alert_channel.h"
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

/// Cause of the alert that tells of messages that a channel refuses while it takes others.
inline std::string message_cause(std::string_view channel) { return channel_cause(channel) + ":message"; }

/// One recipient of a channel, as a channel of its own: it fails, and is tried again, alone.
inline std::string recipient_channel(std::string_view channel, std::string_view recipient) {
  return std::string(channel) + ":" + std::string(recipient);
}
/// By which ways, and how often.
struct TellingRules {
  std::vector<std::string> channels = {};  ///< by name, see AlertsConfig
  std::chrono::milliseconds repeat = std::chrono::hours(24);
  std::chrono::milliseconds escalate_after = std::chrono::hours(48);  ///< twelve hours at most of a finding
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
/// alert. A message goes out once, and once more only after a crash at that moment, or when nobody said
/// whether it was taken. Callers open the transactions. One thread.
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
  /// Its cause is gone, or a person closed it: told wherever it was told of. When no channel could tell of it
  /// for an hour, it is told by all that were to.
  void closed(std::int64_t alert);
  /// Whether it told something else within the time of a reminder.
  bool changed_lately(std::int64_t alert);
  /// Whether further people were told, who are to hear how it goes on.
  bool is_escalated(std::int64_t alert);

  /// Forgets what was to go out by a channel that is configured no more, tells a new one what is open, and
  /// lets what was open before there was somebody else to tell be escalated too.
  void start();
  /// The clock went back: nothing waits for longer than it would from now on.
  void pull_in(Time now);

  std::optional<Telling> next();
  void set_due(const Telling& telling, Time due);
  void sent(const Telling& telling);
  /// It reached others, and is to be told to this one alone.
  void missed(const Telling& telling, const std::string& recipient, Time due);
  /// Nobody is there any more to tell it to.
  void forget(const Telling& telling);
  /// It failed; what goes by the same channel waits as long, unless the fault is the message's.
  void defer(const Telling& telling, Time due, Mishap mishap, const Error& error);
  /// How often it failed so in a row: the channel, or this message.
  std::int64_t failures(const Telling& telling, Mishap mishap);
  std::int64_t failures(const std::string& channel);
  /// Whether messages wait that the channel refused.
  bool has_refused(const std::string& channel);
  /// Those of an alert, also those that went out, oldest first.
  std::vector<Telling> of(std::int64_t alert);
  /// Forgets what went out about alerts that were closed before `old`, and those alerts.
  void prune(Time old);

 private:
  void open(std::int64_t alert, const std::string& channel, bool notice);
  void escalate_later(std::int64_t alert);
  bool is_configured(const std::string& channel) const;
  bool is_about(std::int64_t alert, const std::string& channel);
  bool is_due(std::int64_t alert, const std::string& channel, AlertTurn turn);
  void add(std::int64_t alert, const std::string& channel, AlertTurn turn, Time due);
  void open_next(std::int64_t alike, const std::string& channel);
  Time from(const std::string& channel, Time due);

  Database& db_;
  const Clock& clock_;
  TellingRules rules_;
};

}  // namespace veer

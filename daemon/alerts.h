#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "daemon/database.h"
#include "daemon/incidents.h"
#include "daemon/tellings.h"

namespace veer {

/// A finding is an attempt on the exchange; attention is a matter of our own; a notice is to be known.
enum class AlertKind { finding, attention, notice };
std::string_view alert_kind_name(AlertKind kind);

struct Alert {
  std::int64_t id = 0;
  std::string cause;
  std::string kind;
  std::string code;
  std::string exchange;
  std::string text;
  Time opened_at;
  std::optional<Time> closed_at;
  std::optional<Time> acknowledged_at;
  std::string acknowledged_by;  ///< empty until somebody has
  std::string closed_by;        ///< empty when it closed with its cause
};

/// What the alert is about: its cause up to the first colon, a word of docs/alerts.md.
std::string topic_of(const Alert& alert);

/// Cause of the alert that tells of a step that fails: of an exchange, by its id; of a file, by its name; of
/// a chore, by its.
inline std::string step_cause(std::string_view what) { return "step:" + std::string(what); }

/// Cause of the alert that tells of one recipient whom messages do not reach.
inline std::string recipient_cause(std::string_view recipient) {
  return "recipient:" + std::string(recipient);
}

/// What needs a person: one open row per cause, however often it recurs, written in the same transaction as
/// the fact that it tells of, together with the messages that tell people. Texts hold no personal data. One
/// thread.
class AlertBook {
 public:
  AlertBook(Database& database, const Clock& clock, TellingRules rules = {})
      : db_(database),
        clock_(clock),
        tellings_(database, clock, std::move(rules)),
        incidents_(database, clock) {}

  /// Opens an alert. One with this cause that is open already tells from now on what is told here. `cause`
  /// begins with a topic of kTopics (alert_topics.h).
  void raise(const std::string& cause, AlertKind kind, std::string_view code, const std::string& exchange,
             const std::string& text);
  /// The cause of a finding about `content` among others of `cause`, for raise(): one of its own, so that an
  /// attempt that differs from the one before is told, and counts, however that one was dealt with. Once
  /// twenty are open, `cause` itself stands for what follows, until it is closed.
  std::string cause_among(const std::string& cause, std::string_view content);
  /// A notice of something that is over with that, told once however often this is called.
  void tell(const std::string& cause, std::string_view code, const std::string& exchange,
            const std::string& text);
  /// Nothing happens when no alert with this cause is open.
  void close(const std::string& cause);
  bool is_open(const std::string& cause);
  /// Open, or closed and not forgotten yet.
  bool is_known(const std::string& cause);
  /// Somebody closes one by its number. Throws U_UNKNOWN when there is none open of that number.
  Alert close(std::int64_t id, const std::string& who);
  /// Somebody deals with it: no reminders any more. Throws as close() does.
  Alert acknowledge(std::int64_t id, const std::string& who);
  std::vector<Alert> open();
  std::optional<Alert> find(std::int64_t id);

  Tellings& tellings() { return tellings_; }
  /// One for each finding.
  Incidents& incidents() { return incidents_; }

 private:
  Alert open_one(std::int64_t id);
  std::int64_t add(const std::string& cause, AlertKind kind, std::string_view code,
                   const std::string& exchange, const std::string& text);

  Database& db_;
  const Clock& clock_;
  Tellings tellings_;
  Incidents incidents_;
};

}  // namespace veer

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "daemon/database.h"

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
};

/// Cause of the alert that tells of a step that fails: of an exchange, by its id; of a file, by its name; of
/// a chore, by its.
inline std::string step_cause(std::string_view what) { return "step:" + std::string(what); }

/// What needs a person: one open row per cause, however often it recurs, written in the same transaction as
/// the fact that it tells of. Texts hold no personal data. One thread.
class AlertBook {
 public:
  AlertBook(Database& database, const Clock& clock) : db_(database), clock_(clock) {}

  /// Opens an alert. One with this cause that is open already tells from now on what is told here.
  void raise(const std::string& cause, AlertKind kind, std::string_view code, const std::string& exchange,
             const std::string& text);
  /// Nothing happens when no alert with this cause is open.
  void close(const std::string& cause);
  bool is_open(const std::string& cause);
  /// Closes one by its number. Throws U_UNKNOWN when there is none open of that number.
  Alert close(std::int64_t id);
  std::vector<Alert> open();

 private:
  Database& db_;
  const Clock& clock_;
};

}  // namespace veer

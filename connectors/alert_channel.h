#pragma once

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "core/stream.h"

namespace veer {

/// What people are told of one alert at one turn of its life. Holds no personal data.
struct AlertMessage {
  std::string id;      ///< of this telling, the same at each try, so that a double can be known: [a-z0-9.-]+
  std::string thread;  ///< id of the first telling of the same alert
  std::string instance;
  std::string environment;
  std::string turn;      ///< opened, reminder, escalated, closed or trial
  std::string severity;  ///< finding, attention or notice
  std::string topic;     ///< what it is about, a stable word (docs/alerts.md)
  std::string code;
  std::string exchange;  ///< empty when it is about none
  Time opened;
  Time at;
  std::string language;  ///< of the texts: "nl" or "en"
  std::string headline;  ///< one line
  std::vector<std::string> paragraphs;
  std::string command;  ///< to type next; empty when there is nothing to do
};

/// The message as JSON, additive only (docs/alerts.md).
std::string to_json(const AlertMessage& message);
/// The message as plain text, lines at most as long as its paragraphs are.
std::string to_text(const AlertMessage& message);
/// The message as an HTML page without scripts and outside resources.
std::string to_html(const AlertMessage& message);

/// Somebody whom a message did not reach.
struct Missed {
  std::string recipient;
  Code code = Code::s_rights;  ///< S_UNREACHABLE: for now. S_RIGHTS: for good
  std::string answer;          ///< the server's words
};

/// Why a message did not go out. channel: no message would. message: this one is refused, others may go.
/// unanswered: it was handed over as a whole, and nobody says whether it was taken.
enum class Mishap { channel, message, unanswered };

/// A way by which people are told. One thread.
class AlertChannel {
 public:
  virtual ~AlertChannel() = default;

  /// One attempt. When it returns, another machine, or the hook, has taken the message over. A crash just
  /// before leads to the same message, with the same id, once more. Returns what a person should know all the
  /// same ("2 of 3 recipients …"), or nothing. Throws veer::Error with an S_ code, C_CREDENTIAL or L_STOPPED;
  /// its text holds no secret.
  virtual std::string send(const AlertMessage& message, const Transfer& transfer) = 0;
  /// Whom the last message did not reach, whatever send() ended with.
  virtual std::vector<Missed> missed() const { return {}; }
  /// Why the last send() threw.
  virtual Mishap mishap() const { return Mishap::channel; }
};

}  // namespace veer

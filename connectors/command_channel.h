#pragma once

#include <chrono>
#include <string>

#include "connectors/alert_channel.h"

namespace veer {

/// A program of the agency's own: it gets the message as JSON on its standard input, its turn, severity and
/// topic as arguments, and nothing of our environment but PATH and LANG. What it prints is thrown away. It
/// has taken the message when it ends with 0; whatever it left running in its process group is ended.
///
/// Errors: S_UNREACHABLE (it cannot be started), S_TIMEOUT, S_PROTOCOL (it ended otherwise).
class CommandChannel : public AlertChannel {
 public:
  explicit CommandChannel(std::string program, std::chrono::milliseconds timeout = std::chrono::seconds(30))
      : program_(std::move(program)), timeout_(timeout) {}
  std::string send(const AlertMessage& message, const Transfer& transfer) override;

 private:
  std::string program_;  ///< absolute path
  std::chrono::milliseconds timeout_;
};

}  // namespace veer

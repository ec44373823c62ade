#pragma once

#include <string>

#include "daemon/instance.h"

namespace veer {

/// Takes to people what they are to be told (Tellings), one message a step. A channel that fails is tried
/// again, ever more seldom, and told of by the others; so is a recipient, alone. One thread.
class AlertPost {
 public:
  explicit AlertPost(Instance& instance) : at_(instance) {}

  /// Closes what is told of channels and recipients that are configured no more. Within a transaction.
  void start();
  /// Throws L_STOPPED, and what the ledger throws.
  void send(const Telling& telling, const Transfer& transfer);
  /// Sends a trial message by every channel. Returns what came of it, a line for each; throws U_STATE with
  /// that text when one of them failed, and when there is none.
  std::string try_all(const Transfer& transfer);

 private:
  Time when_again(const Error& error, std::int64_t attempts);
  void went_out(const Telling& telling, AlertTurn reach, const AlertChannel& channel);
  void failed(const Telling& telling, Mishap mishap, const Error& error);
  /// Closes what was told of those whom a message reached, and tells of those whom it will not reach.
  void mind_recipients(const std::string& channel, AlertTurn turn, const std::vector<Missed>& missed);

  Instance& at_;
};

}  // namespace veer

#pragma once

#include <chrono>

namespace veer {

/// Keeps the whole instance from asking a service that told it to wait: until then every call ends at once.
/// Calls during that time would count against us. One thread.
class GraphGate {
 public:
  using Steady = std::chrono::steady_clock;

  /// For `wait` from `now` on; never shorter than an earlier word said.
  void close(std::chrono::seconds wait, Steady::time_point now = Steady::now());
  /// Throws S_THROTTLED, with what is left as retry_after, while it is closed.
  void require_open(Steady::time_point now = Steady::now()) const;

 private:
  Steady::time_point until_{};
};

}  // namespace veer

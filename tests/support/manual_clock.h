#pragma once

#include <mutex>

#include "core/clock.h"

namespace veer::test {

/// A clock that stands still until a test moves it.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Time start) : now_(start) {}

  Time now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  std::chrono::milliseconds uptime() const override {
    const std::lock_guard lock(mutex_);
    return now_.time_since_epoch() - jumped_;
  }
  /// Somebody sets the clock, while no time passes.
  void jump(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
    jumped_ += by;
  }
  void set(Time time) {
    const std::lock_guard lock(mutex_);
    now_ = time;
  }
  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    now_ += by;
  }

 private:
  mutable std::mutex mutex_;
  Time now_;
  std::chrono::milliseconds jumped_{0};
};

}  // namespace veer::test

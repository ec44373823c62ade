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
};

}  // namespace veer::test

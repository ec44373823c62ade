#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "core/files.h"

namespace veer {

/// Files that people handed over open, by the command that is to read them. They live as long as the process:
/// a command whose file is not here any more must be given again. Any thread.
class OpenFiles {
 public:
  void put(std::int64_t command, Fd file) {
    const std::lock_guard lock(mutex_);
    files_[command] = std::make_shared<Fd>(std::move(file));
  }
  /// Null when there is none.
  std::shared_ptr<const Fd> find(std::int64_t command) const {
    const std::lock_guard lock(mutex_);
    const auto it = files_.find(command);
    return it == files_.end() ? nullptr : it->second;
  }
  void forget(std::int64_t command) {
    const std::lock_guard lock(mutex_);
    files_.erase(command);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::int64_t, std::shared_ptr<const Fd>> files_;
};

}  // namespace veer

#pragma once

#include <optional>

#include "core/files.h"

namespace veer {

/// Removes the folders with secrets of ours that a killed process left, a minute ago at least. Throws L_IO.
void remove_left_homes();

/// A key folder for one piece of work, gone with everything in it. Private to this room. Throws L_IO, L_LOCK.
class ThrowawayHome {
 public:
  /// refused: for a look at somebody's key; without an agent gpg cannot keep a secret key there, should the
  /// file hold one. kept: has an agent, ended with it, and lies in memory where the machine has a file system
  /// there; one that a killed process left is removed by the next.
  enum class Secrets { refused, kept };
  explicit ThrowawayHome(Secrets secrets);
  ~ThrowawayHome();
  ThrowawayHome(const ThrowawayHome&) = delete;
  ThrowawayHome& operator=(const ThrowawayHome&) = delete;
  const fs::path& path() const { return path_; }

 private:
  Secrets secrets_;
  fs::path path_;
  std::optional<FolderLock> lock_;  ///< of a folder with secrets: somebody still works with it
};

}  // namespace veer

#pragma once

#include <utility>
#include <vector>

#include "connectors/share.h"

namespace veer {

/// Gathers the files of a folder, as many as Share::list returns at most.
class Listing {
 public:
  bool is_full() const { return files_.size() >= kMostEntries; }
  void add(ShareEntry file) { files_.push_back(std::move(file)); }
  /// Counts what is no file. Throws S_PROTOCOL when so much of it lies there that files may hide behind it.
  void pass_over();
  std::vector<ShareEntry> take() { return std::move(files_); }

 private:
  std::vector<ShareEntry> files_;
  std::size_t others_ = 0;
};

}  // namespace veer

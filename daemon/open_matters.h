#pragma once

#include <string>
#include <vector>

#include "daemon/instance.h"

namespace veer {

// What close-out is given so that files on the share, or a share that is no more, do not keep a path open for
// ever.
inline constexpr const char* kRemoveUnread = "remove-unread";
inline constexpr const char* kShareGone = "share-gone";

/// What is not over yet, with the way out of each, and whether some of it is over where there is no share.
struct OpenMatters {
  std::vector<std::string> all;
  bool of_share = false;
};
/// For whoever types `command` to close the path ('veer close-out'). Looks at the share, unless it is said to
/// be gone, and throws what that throws.
OpenMatters open_matters(Instance& at, const Command& command, const Transfer& transfer);

}  // namespace veer

#pragma once

#include <span>
#include <string_view>

namespace veer::test {

/// One reader of foreign bytes. `read` ends the process when a promise is broken; what it throws is an Error,
/// as the reader's contract says.
struct FuzzTarget {
  std::string_view name;
  void (*read)(std::string_view bytes);
};

std::span<const FuzzTarget> fuzz_targets();

/// Lets a target read `bytes`: anything but an Error with a code and a text ends the process.
void read_with(const FuzzTarget& target, std::string_view bytes);

}  // namespace veer::test

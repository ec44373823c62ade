#pragma once

#include <functional>
#include <string>

#include "formats/package.h"
#include "support/pair.h"

namespace veer::test {

/// A package as the sender of a Pair would seal it, with what a test wants otherwise.
struct Handmade {
  Manifest manifest;
  std::string list;                                                              ///< list.csv
  std::string name;                                                              ///< on the share
  std::function<std::string(const Manifest&, const std::string&)> archive = {};  ///< default: write_package
};

/// A faultless first list for kYear.
Handmade good_package(Pair& pair, const std::vector<Insz>& numbers);
/// Seals it with `seal` (the sender's by default) and lays it on the share; returns its bytes.
std::string lay(Pair& pair, const Handmade& package, Seal* seal = nullptr);
/// Lays bytes on the share under a name, as somebody with its credentials could.
void lay_bytes(Pair& pair, const std::string& name, std::string_view bytes);

}  // namespace veer::test

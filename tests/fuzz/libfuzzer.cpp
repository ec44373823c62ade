// libFuzzer's way to one target: VEER_FUZZ_TARGET names it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/targets.h"

using namespace veer::test;

namespace {

const FuzzTarget* target = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const name = std::getenv("VEER_FUZZ_TARGET");
  const auto all = fuzz_targets();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const FuzzTarget& one) { return name != nullptr && one.name == name; });
  if (found == all.end()) {
    std::fputs("VEER_FUZZ_TARGET must name one of:\n", stderr);
    for (const FuzzTarget& one : all) std::fprintf(stderr, "  %s\n", one.name.data());
    std::exit(2);
  }
  target = &*found;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  read_with(*target, {reinterpret_cast<const char*>(bytes), size});
  return 0;
}

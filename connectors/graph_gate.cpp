#include "connectors/graph_gate.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"

namespace veer {

void GraphGate::close(std::chrono::seconds wait, Steady::time_point now) {
  until_ = std::max(until_, now + wait);
}

void GraphGate::require_open(Steady::time_point now) const {
  if (now >= until_) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - now);
  throw Error(Code::s_throttled,
              fmt::format("Microsoft asked to wait {} s more before anything is asked again",
                          std::chrono::ceil<std::chrono::seconds>(left).count()),
              left);
}

}  // namespace veer

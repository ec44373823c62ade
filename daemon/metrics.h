#pragma once

#include <string>

#include "daemon/instance.h"

namespace veer {

/// What a monitoring system draws and judges (docs/metrics.md): gauges in Prometheus' text format, version
/// 0.0.4, every number from the books. Holds no number of a person, no account and no file's name. Changes
/// nothing.
std::string metrics_of(const Config& config, Database& books, const Clock& clock);
std::string metrics_of(Instance& instance);

}  // namespace veer

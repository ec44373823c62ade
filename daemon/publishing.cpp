#include "daemon/publishing.h"

#include <exception>

#include <fmt/format.h>

#include "core/files.h"
#include "daemon/metrics.h"

namespace veer {
namespace {

constexpr std::chrono::seconds kAtMost{5};
constexpr std::chrono::minutes kAtLeast{1};
// Whoever collects it is another user.
constexpr unsigned kForAll = 0644;

}  // namespace

Publishing::Publishing(Instance& instance) : at_(instance) {
  if (!at_.config.metrics_file.empty()) files_.push_back({"metrics", at_.config.metrics_file, metrics_of});
}

Publishing::~Publishing() {
  if (!changed_) return;
  try {
    for (const File& file : files_) publish(file);
  } catch (...) {  // the ledger cannot be written, as whoever works next will see
  }
}

std::optional<Time> Publishing::next_due() {
  if (files_.empty()) return std::nullopt;
  if (!last_) return at_.clock.now();
  return *last_ + (changed_ ? std::chrono::milliseconds(kAtMost) : kAtLeast);
}

void Publishing::publish_if_due(bool changed) {
  changed_ = changed_ || changed;
  const auto due = next_due();
  if (!due) return;
  const Time now = at_.clock.now();
  const bool clock_went_back = last_ && now < *last_;
  if (*due > now && !clock_went_back) return;
  last_ = now;
  changed_ = false;
  for (const File& file : files_) publish(file);
}

void Publishing::publish(const File& file) {
  try {
    write_file(file.path, file.text_of(at_), kForAll);
    if (at_.alerts.is_open(file.topic)) at_.db.transaction([&] { at_.alerts.close(file.topic); });
  } catch (...) {
    const Error error = error_of(std::current_exception());
    at_.db.transaction([&] {
      at_.alerts.raise(file.topic, AlertKind::attention, code_name(error.code()), "",
                       fmt::format("{} could not be written: {}; its folder must be there, and the service's "
                                   "to write in (ReadWritePaths= of its unit)",
                                   file.path.native(), error.message()));
    });
  }
}

}  // namespace veer

#include "daemon/publishing.h"

#include <exception>

#include <fmt/format.h>

#include "core/files.h"
#include "daemon/metrics.h"
#include "daemon/page.h"

namespace veer {
namespace {

constexpr std::chrono::seconds kAtMost{5};
// Whoever collects or reads it is another user.
constexpr unsigned kForAll = 0644;

}  // namespace

Publishing::Publishing(Instance& instance) : at_(instance) {
  if (!at_.config.metrics_file.empty())
    all_.push_back({"metrics", at_.config.metrics_file,
                    [](Instance& at) {
                      return Texts{{at.config.metrics_file, metrics_of(at)}};
                    },
                    std::chrono::minutes(1)});
  if (!at_.config.page_folder.empty())
    all_.push_back({"page", at_.config.page_folder,
                    [](Instance& at) {
                      Texts texts;
                      for (PageFile& page : pages_of(at))
                        texts[at.config.page_folder / page.name] = std::move(page.html);
                      return texts;
                    },
                    std::chrono::minutes(10)});
}

Publishing::~Publishing() {
  try {
    for (const Files& files : all_)
      if (files.changed) publish(files);
  } catch (...) {  // the ledger cannot be written, as whoever works next will see
  }
}

Time Publishing::due(const Files& files) {
  if (!files.last) return {};
  return *files.last + (files.changed ? std::chrono::milliseconds(kAtMost) : files.at_least);
}

std::optional<Time> Publishing::next_due() {
  std::optional<Time> next;
  for (const Files& files : all_) next = std::min(next.value_or(Time::max()), due(files));
  return next;
}

void Publishing::publish_if_due(bool changed) {
  const Time now = at_.clock.now();
  for (Files& files : all_) {
    files.changed = files.changed || changed;
    const bool clock_went_back = files.last && now < *files.last;
    if (due(files) > now && !clock_went_back) continue;
    files.last = now;
    files.changed = false;
    publish(files);
  }
}

void Publishing::publish(const Files& files) {
  try {
    for (const auto& [path, text] : files.texts(at_)) write_file(path, text, kForAll);
    if (at_.alerts.is_open(files.topic)) at_.db.transaction([&] { at_.alerts.close(files.topic); });
  } catch (...) {
    const Error error = error_of(std::current_exception());
    at_.db.transaction([&] {
      at_.alerts.raise(files.topic, AlertKind::attention, code_name(error.code()), "",
                       fmt::format("{} could not be written: {}; its folder must be there, and the service's "
                                   "to write in (ReadWritePaths= of its unit)",
                                   files.place.native(), error.message()));
    });
  }
}

}  // namespace veer

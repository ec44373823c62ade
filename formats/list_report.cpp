#include "formats/list_report.h"

#include <utility>

#include <fmt/format.h>

namespace veer {

void note(ListReport& report, Code code, std::string place) {
  ++report.counts[code];
  if (report.faults.size() < kFaultsListed) report.faults.push_back({std::move(place), code});
}

std::uint64_t ListReport::faulty() const {
  std::uint64_t all = 0;
  for (const auto& [code, count] : counts) all += count;
  return all;
}

std::string summary(const std::map<Code, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [code, count] : counts)
    text += fmt::format("{}{} × {}", text.empty() ? "" : ", ", count, code_name(code));
  return text;
}

}  // namespace veer

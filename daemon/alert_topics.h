#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace veer {

/// What an alert can be about: every word that a cause may begin with (docs/alerts.md). alert_texts.cpp says
/// what each means.
inline constexpr std::array<std::string_view, 41> kTopics = {
    "step",          "host-key",    "receipt",    "refused",       "history",     "receipts-unseen",
    "contradiction", "withdrawn",   "adopted",    "orphan",        "anchor",      "bytes",
    "size",          "flood",       "renamed",    "foreign",       "restless",    "names",
    "misplaced",     "drop",        "leftover",   "note",          "channel",     "recorded",
    "release",       "suspended",   "unreleased", "restored",      "list-due",    "key",
    "disk",          "audit",       "rehearsal",  "unheard",       "second-list", "metrics",
    "page",          "certificate", "window",     "configuration", "clock",
};

constexpr bool is_topic(std::string_view word) {
  return std::find(kTopics.begin(), kTopics.end(), word) != kTopics.end();
}

}  // namespace veer

#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "core/digest.h"

namespace veer {

/// What an alert can be about: every word that a cause may begin with (docs/alerts.md). alert_meanings.cpp
/// says what each means.
inline constexpr std::array<std::string_view, 72> kTopics = {
    "step",          "host-key",     "receipt",
    "refused",       "history",      "receipts-unseen",
    "contradiction", "withdrawn",    "adopted",
    "orphan",        "anchor",       "bytes",
    "size",          "flood",        "renamed",
    "foreign",       "restless",     "names",
    "misplaced",     "drop",         "leftover",
    "note",          "channel",      "recorded",
    "release",       "suspended",    "unreleased",
    "restored",      "list-due",     "key",
    "disk",          "audit",        "rehearsal",
    "unheard",       "second-list",  "metrics",
    "page",          "certificate",  "window",
    "configuration", "clock",        "not-taken-in",
    "legal-basis",   "review",       "unproven",
    "export-stale",  "incident",     "request",
    "export-folder", "left-out",     "case",
    "case-answered", "case-unknown", "export-failed",
    "export-lapsed", "old-pages",    "distribution-stale",
    "closed-out",    "processors",   "marks",
    "case-closed",   "case-opened",  "case-unrepaired",
    "crashed",       "recipient",    "incident-dismissed",
    "delivery-left", "another-year", "case-contradiction",
    "withdraw",      "supervisor",   "forget-lapsed",
};

inline constexpr const char* kClockCause = "clock";
inline constexpr const char* kConfigurationCause = "configuration";

/// By which the journal knows a message of that topic, and finds its entry in the catalog (journalctl(1),
/// -x): 32 hex digits.
inline std::string message_id(std::string_view topic) {
  return sha256_hex("org.veerdienst.Alert." + std::string(topic)).substr(0, 32);
}

constexpr bool is_topic(std::string_view word) {
  return std::find(kTopics.begin(), kTopics.end(), word) != kTopics.end();
}

}  // namespace veer

#pragma once

#include <array>
#include <string_view>

#include "daemon/access.h"

/// Everything that people may ask of the service (docs/bus.md), whatever its role. Evidence tells it.
namespace veer {

/// A command by its name on the bus, and what it needs.
struct Verb {
  std::string_view name;
  Right right;
};

inline constexpr std::array kAsked = {
    Verb{"send-empty", Right::operate},
    Verb{"send-empty-correction", Right::operate},
    Verb{"poll", Right::operate},
    Verb{"retry", Right::operate},
    Verb{"resend", Right::operate},
    Verb{"withdraw", Right::operate},
    Verb{"rehearse", Right::operate},
    Verb{"close-alert", Right::operate},
    Verb{"acknowledge-alert", Right::operate},
    Verb{"test-alerts", Right::operate},
    Verb{"suspend", Right::operate},
    Verb{"approve", Right::approve},
    Verb{"reject", Right::approve},
    Verb{"resume", Right::approve},
    Verb{"close-out", Right::approve},
    Verb{"export", Right::operate},
    Verb{"incident-confirm", Right::operate},
    Verb{"incident-dismiss", Right::approve},
    Verb{"incident-notified", Right::operate},
    Verb{"incident-close", Right::approve},
    Verb{"case-answer", Right::operate},
    Verb{"case-resend", Right::operate},
    Verb{"case-close", Right::operate},
};
/// With a file, which the caller hands over open.
inline constexpr std::array kEntrusted = {
    Verb{"lookup", Right::desk},          Verb{"forget", Right::operate},
    Verb{"case-open", Right::operate},    Verb{"distribute", Right::operate},
    Verb{"case-persons", Right::operate}, Verb{"approve-forget", Right::approve},
    Verb{"evidence", Right::audit},
};
/// With a list, by operators.
inline constexpr std::array<std::string_view, 4> kOffers = {"send", "send-set-aside", "send-correction",
                                                            "send-correction-set-aside"};
/// What only looks.
inline constexpr std::array kLooks = {
    Verb{"status", Right::look},    Verb{"list", Right::look},          Verb{"show", Right::look},
    Verb{"alerts", Right::look},    Verb{"alert", Right::look},         Verb{"receipt", Right::look},
    Verb{"incidents", Right::look}, Verb{"incident", Right::look},      Verb{"metrics", Right::look},
    Verb{"release", Right::look},   Verb{"audit verify", Right::audit}, Verb{"audit anchors", Right::audit},
    Verb{"cases", Right::look},     Verb{"case", Right::look},
};

}  // namespace veer

#pragma once

#include <span>
#include <string_view>

#include "daemon/phrase.h"

namespace veer {

/// What a topic of alerts (alert_topics.h) means, and what a person types next.
struct AlertMeaning {
  std::string_view name;
  Phrase headline;                      ///< what happened
  Phrase meaning;                       ///< for the yearly list
  std::string_view command = "status";  ///< behind invocation(config); {0}: exchange, {1}: alert, {2}: what
                                        ///< stands behind the topic in its cause
  std::string_view subject = "NUMBER";  ///< stands for {2} where that is nothing
};

/// One for each of kTopics, in that order.
std::span<const AlertMeaning> alert_meanings();
const AlertMeaning& meaning_of(std::string_view topic);

}  // namespace veer

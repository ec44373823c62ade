#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/incidents.h"
#include "daemon/instance.h"

/// What an officer says of incidents, and the texts that they need (articles 6 and 9).
namespace veer {

/// Carries out 'incident-confirm', 'incident-dismiss', 'incident-notified' and 'incident-close': "NUMBER
/// TEXT…". May be repeated. Who dismisses is told of. Throws C_USER when, in production, somebody else than
/// an approver dismisses or closes.
std::string obey_incident(Instance& instance, const Command& command);

/// What is ready to be sent to the other side's officer: no personal data.
std::string notice_of(const Incident& incident, const Config& config);
/// What a data-protection officer must report of a breach (article 33(3) GDPR; Q47): what the program knows,
/// and a blank for each thing that only a person can say. `records`: how many numbers the exchange concerns;
/// empty when no exchange is known.
std::string breach_report_of(const Incident& incident, const Config& config,
                             std::optional<std::uint64_t> records, Time now);

}  // namespace veer

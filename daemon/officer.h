#pragma once

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

/// What is ready to be sent to the other side's officer: what was found, under which names on the share and
/// when. No personal data, and nothing of this machine.
std::string notice_of(const Incident& incident, const Config& config);
/// What a data-protection officer must report of a breach (article 33(3) GDPR; Q47): what the program knows,
/// and a blank for each thing that only a person can say. `exchange`: that it concerns; empty when none
/// is known.
std::string breach_report_of(const Incident& incident, const Config& config,
                             const std::optional<Exchange>& exchange, Time now);

}  // namespace veer

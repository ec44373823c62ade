#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/alert_channel.h"
#include "daemon/alerts.h"
#include "daemon/config.h"

/// What people are told of alerts, in Dutch and in English: what happened, since when, what it means for the
/// yearly list, and what to type next. No personal data.
namespace veer {

/// A text of the program with the commands that it quotes ('veer …') as they are typed for this instance.
std::string as_typed(std::string_view text, const Config& config);
/// `open`: how many alerts are, which is told when they are many. `waiting`: incidents of which the other
/// side is to be told; a finding tells until when, and shows its own.
AlertMessage message_of(const Alert& alert, const Telling& telling, const Config& config, Time now,
                        std::size_t open = 0, const std::vector<Incident>& waiting = {});
/// A message that only shows that the channel works.
AlertMessage trial_message(const Config& config, Time now);
/// What the journal tells of each topic ('journalctl -x'), as systemd's message catalogs are written.
std::string journal_catalog(Language language);
/// That a unit of systemd failed, and nobody else tells of it: the service's, for good, or its daily check's.
AlertMessage failure_message(const Config& config, const std::string& unit, bool check, Time now);

}  // namespace veer

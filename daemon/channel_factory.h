#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/alert_channel.h"
#include "daemon/config.h"

namespace veer {

/// Whom the channel addresses at that turn, an escalated message further people too; itself, when it is a
/// recipient's own (recipient_channel()) who is configured. Empty where nobody is named.
std::vector<std::string> recipients_of(const Config& config, const std::string& name, AlertTurn turn);

/// The channel that the configuration calls so, for a message of that turn. Throws C_CREDENTIAL when a
/// credential of it is missing, U_STATE when it, or the recipient, is not configured any more.
std::unique_ptr<AlertChannel> open_channel(const Config& config, const std::string& name, AlertTurn turn);

}  // namespace veer

#pragma once

#include <memory>
#include <string>

#include "connectors/alert_channel.h"
#include "daemon/config.h"

namespace veer {

/// The channel that the configuration calls so, for a message of that turn: an escalated one goes to further
/// people too. Throws C_CREDENTIAL when a credential of it is missing, U_STATE when it is not configured any
/// more.
std::unique_ptr<AlertChannel> open_channel(const Config& config, const std::string& name, AlertTurn turn);

}  // namespace veer

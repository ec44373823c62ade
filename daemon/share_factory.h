#pragma once

#include <memory>

#include "connectors/share.h"
#include "daemon/config.h"

namespace veer {

/// The connector that configuration names. Reads its credentials: throws C_CREDENTIAL.
std::unique_ptr<Share> open_share(const ShareConfig& config);

}  // namespace veer

#pragma once

#include <memory>
#include <string>

#include "connectors/share.h"
#include "daemon/config.h"

namespace veer {

/// The connector that configuration names. Reads its credentials: throws C_CREDENTIAL. `proxy` is
/// "http://host:port" or empty; SFTP and FTPS do without.
std::unique_ptr<Share> open_share(const ShareConfig& config, const std::string& proxy);

}  // namespace veer

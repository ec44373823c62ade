#pragma once

#include "daemon/commands/context.h"

namespace veer {

/// `keys offline` and `keys renew`.
void add_primary_key(CLI::App& keys, Context& context);

}  // namespace veer

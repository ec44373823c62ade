#pragma once

#include <vector>

#include "connectors/share.h"
#include "core/random.h"

namespace veer {

/// Puts a share to the test with what an exchange asks of it, for `veer doctor --write`: a file of 24 MiB,
/// which goes up in pieces wherever pieces are, is put, listed, fetched whole and in part, not overwritten,
/// put anew after a stop half way, and removed for good. Its names, ".veer-probe-…", are nobody's: the other
/// side passes over them, and what a run that was cut off leaves is removed by the service a day later. Never
/// throws for what it finds; whatever failed, it removes what it put.
std::vector<ProbeResult> try_share(Share& share, Random& random);

}  // namespace veer

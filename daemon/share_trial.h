#pragma once

#include <string>
#include <vector>

#include "connectors/share.h"
#include "core/random.h"

namespace veer {

/// Puts a share to the test with what an exchange asks of it, for `veer doctor --write`: a file of 24 MiB,
/// which goes up in pieces wherever pieces are, is put, listed, fetched whole and in part, not overwritten,
/// put anew after a stop half way, and removed for good. Its names, ".veer-probe-…", are nobody's: the other
/// side passes over them, and what a run that was cut off leaves is removed by the service a day later. Never
/// throws for what it finds, but L_STOPPED; whatever failed, it removes what it put.
std::vector<ProbeResult> try_share(Share& share, Random& random, const Transfer& transfer);

/// Share::probe(), and with `large`, when that found nothing bad, try_share() too.
std::vector<ProbeResult> examine_share(Share& share, bool large, Random& random, const Transfer& transfer);
/// What was found, as the result of a command that a service carried out, and back. Throws L_ENGINE for a
/// text that is none.
std::string text_of(const std::vector<ProbeResult>& results);
std::vector<ProbeResult> probe_results_of(const std::string& text);

}  // namespace veer

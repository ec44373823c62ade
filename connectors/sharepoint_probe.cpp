#include "connectors/probe.h"
#include "connectors/sharepoint_share.h"

namespace veer {

std::vector<ProbeResult> SharePointShare::probe() { return probe_by_verbs(*this); }

}  // namespace veer

#pragma once

#include <string>

#include "connectors/share.h"

namespace veer {

enum class Published {
  now,      ///< put by this call
  before,   ///< our very bytes stood there already: an earlier put had succeeded
  foreign,  ///< other bytes hold the name; nothing was changed
};

/// Puts `content`, whose SHA-256 is `digest`, under `name`; a name that is taken by equal bytes counts as
/// put, so that a put whose answer was lost may be repeated. Throws what the share throws.
Published publish(Share& share, const std::string& name, const Blob& content, const std::string& digest,
                  const ResumeNote& resume, const Transfer& transfer);

/// Number of the next name to try when foreign bytes hold the one with `copy`. Throws S_NAME_TAKEN when they
/// hold so many that trying goes nowhere.
int next_copy(int copy);

}  // namespace veer

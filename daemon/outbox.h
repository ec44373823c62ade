#pragma once

#include <string>

#include "connectors/share.h"
#include "daemon/ledger.h"

namespace veer {

enum class Published {
  now,      ///< put by this call
  before,   ///< our very bytes stood there already: an earlier put had succeeded
  foreign,  ///< other bytes hold the name; nothing was changed
  hidden,   ///< the share keeps the name from us, and no listing showed by what, for `kHiddenTries` tries
};

/// An upload that nobody can end, or a name in other capitals, may go again. With the waits between tries as
/// configured by default, they take 10 to 20 minutes.
inline constexpr std::int64_t kHiddenTries = 8;

/// Puts `content`, whose SHA-256 is `digest`, under `name`; a name that is taken by equal bytes counts as
/// put, so that a put whose answer was lost may be repeated. `wait` tells of the tries before. Throws what
/// the share throws.
Published publish(Share& share, const std::string& name, const Blob& content, const std::string& digest,
                  const ResumeNote& resume, const Wait& wait, const Transfer& transfer);

/// Removes what a put of `name` may have left, by its note: a part of it, and under the name itself bytes of
/// that SHA-256 and no others; whether those were there. Throws what the share throws.
bool unpublish(Share& share, const std::string& name, const std::string& digest, const std::string& note,
               const Transfer& transfer);

/// Number of the next name to try when the one with `copy` is not to be had. Throws S_PUBLISH when so many
/// are not that trying goes nowhere.
int next_copy(int copy);

}  // namespace veer

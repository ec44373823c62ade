#pragma once

#include <cstdint>
#include <string>

namespace veer {

/// A point of an audit chain: number of the last record and its hash (64 hex digits); seq 0 with 64 zeros
/// when the chain is empty.
struct AuditHead {
  std::int64_t seq = 0;
  std::string head;
};

struct PartyKey {
  std::string party;  ///< "aii", "avsb"
  std::string key;    ///< primary fingerprint, 40 hex digits, upper case
};

}  // namespace veer

#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/stream.h"

namespace veer {

/// OpenPGP packet tags (RFC 4880, 4.3) that matter here.
inline constexpr int kTagSessionKey = 1;
inline constexpr int kTagSignature = 2;
inline constexpr int kTagProtectedData = 18;

/// The tags of the outermost packets that `bytes` is made of, from its first byte to its last. Empty when it
/// is not whole binary packets, when there are more than `most`, or when a packet has no length or is chopped
/// smaller than RFC 4880, 4.2.2.4 allows. Reads headers only.
std::optional<std::vector<int>> packet_tags(const Blob& bytes, std::size_t most);

/// What a signature packet of version 4 says of itself (RFC 4880, 5.2.3; the numbers are those of 5.2.1, 9.1
/// and 9.4).
struct SignatureKind {
  int type = 0;
  int public_key = 0;
  int digest = 0;
};

/// The kind of the one signature packet that `bytes` is, from its first byte to its last. Empty when it is
/// anything else, or a signature of another version. Reads no further than the kind.
std::optional<SignatureKind> signature_kind(const Blob& bytes);

}  // namespace veer

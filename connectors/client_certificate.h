#pragma once

#include <string_view>
#include <vector>

#include "core/clock.h"

namespace veer {

/// The dates between which a certificate counts.
struct Validity {
  Time from;
  Time until;
};

/// The certificates in a PEM text, in order; empty when there is none that can be read.
std::vector<Validity> read_certificates(std::string_view pem);

/// Throws C_CREDENTIAL unless `certificate` begins with a certificate that can be read and `key` (PEM,
/// `passphrase` or none) is its private key.
void require_pair(std::string_view certificate, std::string_view key, std::string_view passphrase);

/// Throws C_CREDENTIAL when `now` is outside, saying since when or from when on.
void require_valid(const Validity& certificate, Time now);

}  // namespace veer

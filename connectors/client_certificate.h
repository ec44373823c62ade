#pragma once

#include <string>
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

/// SHA-256 of the first certificate in a PEM text (of its DER form): 32 bytes. Throws C_CREDENTIAL.
std::string certificate_digest(std::string_view pem);

/// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes (PS256, RFC 7518, 3.5) of `text`. Throws
/// C_CREDENTIAL when `key` (PEM, `passphrase` or none) is no RSA key of at least 2048 bits.
std::string sign_ps256(std::string_view key, std::string_view passphrase, std::string_view text);

/// Throws C_CREDENTIAL when `now` is outside, saying since when or from when on.
void require_valid(const Validity& certificate, Time now);

}  // namespace veer

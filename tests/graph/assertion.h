#pragma once

#include <string>

#include "graph/encoding.h"

namespace veer::test {

/// Base64url without padding of the certificate's thumbprint: SHA-256 ("x5t#S256") or SHA-1 ("x5t").
std::string thumbprint(const std::string& certificate_pem, bool sha256);
bool is_in_force(const std::string& certificate_pem, ServiceTime now);
/// Whether `signature` over `text` is of the certificate's key: RSASSA-PSS with SHA-256 and a salt of 32
/// bytes (PS256), or PKCS #1 v1.5 with SHA-256 (RS256).
bool is_signed(const std::string& certificate_pem, bool pss, const std::string& text,
               const std::string& signature);

}  // namespace veer::test

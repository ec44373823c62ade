#pragma once

#include <string>

#include "core/clock.h"
#include "core/random.h"
#include "core/secret.h"

namespace veer {

/// Who signs in, and what it proves that with.
struct AssertionOptions {
  std::string client_id;
  std::string audience;     ///< the token endpoint's address
  std::string certificate;  ///< PEM, our own first
  const Secret& key;        ///< PEM
  const Secret& passphrase;
};

/// A signed statement that stands for a password at the token endpoint (private_key_jwt, RFC 7523; PS256 with
/// x5t#S256). It counts from 30 s before `now` to 8 minutes after, and once. As good as a password as long as
/// that. Throws C_CREDENTIAL.
Secret make_assertion(const AssertionOptions& options, Time now, Random& random);

/// Base64 for addresses, without padding (RFC 4648, 5).
std::string base64url(std::string_view bytes);

}  // namespace veer

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/stream.h"

namespace veer {

/// Incremental SHA-256 (FIPS 180-4). One thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::string_view bytes);
  /// 32 bytes. Ends the computation, as hex() does.
  std::string bytes();
  /// 64 lower-case hex digits.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
/// In base64, as a Content-Security-Policy names a style.
std::string sha256_base64(std::string_view bytes);
/// Digest of all of `blob`. Throws what the blob throws, and L_STOPPED.
std::string sha256_hex(const Blob& blob, const Transfer& transfer = {});
/// Whether a text is one, in small hex digits.
bool is_sha256(std::string_view text);
/// HMAC-SHA-256 (RFC 2104), 64 small hex digits.
std::string hmac_sha256_hex(std::string_view key, std::string_view text);
/// Base64 (RFC 4648, with padding).
std::string base64(std::string_view bytes);
/// Reverse of base64(); empty when malformed.
std::string from_base64(std::string_view text);

/// Hands bytes on and digests what passed.
class DigestingSink : public Sink {
 public:
  explicit DigestingSink(Sink& next) : next_(next) {}
  void write(std::string_view bytes) override {
    next_.write(bytes);
    digest_.update(bytes);
    size_ += bytes.size();
  }
  std::uint64_t size() const { return size_; }
  std::string hex() { return digest_.hex(); }

 private:
  Sink& next_;
  Sha256 digest_;
  std::uint64_t size_ = 0;
};

}  // namespace veer

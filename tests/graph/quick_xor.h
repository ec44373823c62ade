#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace veer::test {

/// Microsoft's QuickXorHash, 160 bits: byte i of the file is XORed in at bit (11 i) mod 160, and the length
/// (64 bits, little-endian) into the last 8 bytes. Written by that definition, bit by bit where it matters
/// little and folded where it matters, so that it shares nothing with the connector's.
class QuickXor {
 public:
  void update(std::string_view bytes);
  /// Base64 with padding, as Graph writes it: 28 characters.
  std::string base64() const;

 private:
  std::array<std::uint8_t, 160> columns_{};  // bytes whose index has the same remainder meet at one bit
  std::uint64_t length_ = 0;
};

std::string quick_xor(std::string_view bytes);

}  // namespace veer::test

#include "connectors/quick_xor.h"

#include <algorithm>
#include <cstring>

#include "core/digest.h"

namespace veer {

/// All whole blocks, word by word.
void QuickXor::fold_blocks(std::string_view& bytes) {
  std::array<std::uint64_t, kBits / sizeof(std::uint64_t)> sum{};
  std::array<std::uint64_t, kBits / sizeof(std::uint64_t)> block{};
  std::memcpy(sum.data(), folded_.data(), kBits);
  while (bytes.size() >= kBits) {
    std::memcpy(block.data(), bytes.data(), kBits);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] ^= block[i];
    bytes.remove_prefix(kBits);
  }
  std::memcpy(folded_.data(), sum.data(), kBits);
}

void QuickXor::update(std::string_view bytes) {
  std::size_t at = size_ % kBits;
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (at == 0) fold_blocks(bytes);
    const std::size_t n = std::min(bytes.size(), kBits - at);
    for (std::size_t i = 0; i < n; ++i) folded_[at + i] ^= static_cast<std::uint8_t>(bytes[i]);
    bytes.remove_prefix(n);
    at = 0;
  }
}

std::string QuickXor::text() const {
  static constexpr std::size_t kBytes = kBits / 8;
  static constexpr std::size_t kLength = 12;  // byte where the length begins
  std::string hash(kBytes, '\0');
  const auto mix = [&](std::size_t at, unsigned value) {
    hash[at % kBytes] = static_cast<char>(static_cast<unsigned char>(hash[at % kBytes]) ^ (value & 0xffU));
  };
  for (std::size_t i = 0; i < kBits; ++i) {
    const std::size_t bit = i * 11 % kBits;
    const unsigned value = static_cast<unsigned>(folded_[i]) << (bit % 8);
    mix(bit / 8, value);
    mix(bit / 8 + 1, value >> 8);
  }
  for (std::size_t k = 0; k < 8; ++k) mix(kLength + k, static_cast<unsigned>(size_ >> (8 * k)));
  return base64(hash);
}

}  // namespace veer

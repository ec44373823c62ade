#include "graph/quick_xor.h"

#include "core/digest.h"

namespace veer::test {

void QuickXor::update(std::string_view bytes) {
  std::size_t column = length_ % columns_.size();
  length_ += bytes.size();
  for (const char byte : bytes) {
    columns_[column] ^= static_cast<std::uint8_t>(byte);
    if (++column == columns_.size()) column = 0;
  }
}

std::string QuickXor::base64() const {
  std::string hash(20, '\0');
  const auto flip = [&](std::size_t bit) {
    hash[bit / 8] = static_cast<char>(static_cast<unsigned char>(hash[bit / 8]) ^ (1U << (bit % 8)));
  };
  for (std::size_t column = 0; column < columns_.size(); ++column)
    for (std::size_t bit = 0; bit < 8; ++bit)
      if ((columns_[column] >> bit & 1U) != 0) flip((column * 11 + bit) % 160);
  for (std::size_t bit = 0; bit < 64; ++bit)
    if ((length_ >> bit & 1U) != 0) flip(96 + bit);
  return veer::base64(hash);
}

std::string quick_xor(std::string_view bytes) {
  QuickXor hash;
  hash.update(bytes);
  return hash.base64();
}

}  // namespace veer::test

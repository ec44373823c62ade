#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace veer {

/// QuickXorHash, the one digest that SharePoint tells of a file: 160 bits, of which byte i of the content is
/// XORed in from bit 11·i on, and the length at the end. It finds what transport did wrong, and no forgery.
class QuickXor {
 public:
  void update(std::string_view bytes);
  /// Base64 with padding, 28 characters, as Graph writes it. More may be added afterwards.
  std::string text() const;

 private:
  static constexpr std::size_t kBits = 160;
  void fold_blocks(std::string_view& bytes);
  std::array<std::uint8_t, kBits> folded_{};  ///< bytes 160 apart meet at the same bit
  std::uint64_t size_ = 0;
};

}  // namespace veer

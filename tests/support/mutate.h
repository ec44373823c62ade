#pragma once

#include <random>
#include <string>

namespace veer::test {

/// `text` with one to four small random changes: bytes flipped, set, put in, taken out, repeated, or cut off.
inline std::string mutate(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  static constexpr char kTelling[] = {'\0', '"', '{', '}', '[', ']',  ',',  ':',
                                      '-',  '.', '0', '9', ' ', '\n', '\\', '\xff'};
  for (std::size_t changes = 1 + below(3); changes > 0 && !text.empty(); --changes) {
    const std::size_t at = below(text.size() - 1);
    const std::size_t length = std::min(text.size() - at, 1 + below(below(3) == 0 ? 600 : 8));
    switch (below(5)) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << below(7)));
        break;
      case 1:
        text[at] = kTelling[below(sizeof kTelling - 1)];
        break;
      case 2:
        text.insert(at, 1, kTelling[below(sizeof kTelling - 1)]);
        break;
      case 3:
        text.erase(at, length);
        break;
      case 4:
        text.insert(at, text.substr(at, length));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

}  // namespace veer::test

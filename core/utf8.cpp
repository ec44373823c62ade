#include "core/utf8.h"

#include <algorithm>

namespace veer {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!follows(1) || !follows(2)) return 0;
    const bool overlong = lead == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = lead == 0xed && byte(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    const bool outside = (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f);
    return outside ? 0 : 4;
  }
  return 0;
}

}  // namespace

Letter first_letter(std::string_view text) {
  const std::size_t length = utf8_length(text);
  const std::string_view letter = text.substr(0, std::max<std::size_t>(length, 1));
  const auto byte = static_cast<unsigned char>(letter[0]);
  const bool c1 = length == 2 && byte == 0xc2 && static_cast<unsigned char>(letter[1]) < 0xa0;
  // What turns the direction of writing or breaks a line makes a text look like another (Unicode TR 36).
  const bool unseen = (letter >= "\u200b" && letter <= "\u200f") ||
                      (letter >= "\u2028" && letter <= "\u202e") ||
                      (letter >= "\u2066" && letter <= "\u2069") || letter == "\u061c" ||
                      letter == "\ufeff" || letter == "\ufffe" || letter == "\uffff";
  return {letter, length != 0 && byte >= 0x20 && byte != 0x7f && !c1 && !unseen};
}

}  // namespace veer

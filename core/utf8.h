#pragma once

#include <string_view>

namespace veer {

/// The first letter of a text from outside.
struct Letter {
  std::string_view bytes;  ///< one well-formed UTF-8 sequence (RFC 3629), or one byte that begins none
  bool shows = false;  ///< well-formed, no control character, and nothing that makes others look different
};
/// `text` is not empty.
Letter first_letter(std::string_view text);

}  // namespace veer

#pragma once

#include <string_view>

#include "daemon/config.h"

namespace veer {

/// A text that people read, in both languages.
struct Phrase {
  std::string_view nl;
  std::string_view en;
  constexpr std::string_view in(Language language) const { return language == Language::nl ? nl : en; }
};

}  // namespace veer

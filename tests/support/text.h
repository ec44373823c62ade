#pragma once

#include <string>

namespace veer::test {

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace veer::test

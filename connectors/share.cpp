#include "connectors/share.h"

#include <algorithm>

namespace veer {

void Share::abandon(const std::string&, const std::string&, const Transfer&) {}

bool is_share_name(std::string_view name) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto allowed = [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; };
  return !name.empty() && name.size() <= 100 && name != "." && name != ".." &&
         (plain(name.front()) || name.front() == '.') && std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace veer

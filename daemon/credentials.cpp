#include "daemon/credentials.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"

namespace veer {

Secret read_word(const std::string& reference) {
  if (reference.empty()) return {};
  const Secret secret = read_secret(reference);
  const std::string_view text = secret.reveal();
  return Secret(std::string(text.substr(0, text.find_last_not_of("\r\n") + 1)));
}

std::string read_pem(std::string_view key, const fs::path& path) {
  if (path.empty()) return {};
  try {
    return read_file(path, std::uint64_t{1} << 20);
  } catch (const Error& error) {
    throw Error(Code::c_credential,
                fmt::format("{}: {} cannot be read: {}", key, path.native(), error.message()));
  }
}

}  // namespace veer

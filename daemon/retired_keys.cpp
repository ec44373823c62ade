#include "daemon/retired_keys.h"

#include <fmt/format.h>

#include "core/files.h"
#include "formats/keyring.h"

namespace veer {
namespace {

constexpr const char* kFolder = "retired-keys";
constexpr std::string_view kEnding = ".asc";
constexpr std::size_t kFingerprint = 40;  // hex digits
constexpr std::uint64_t kMostOfAKey = std::uint64_t{1} << 20;

}  // namespace

void keep_retired_key(const Config& config, const std::string& party, const std::string& fingerprint) {
  make_folder(config.state / kFolder);
  write_file(config.state / kFolder / fmt::format("{}-{}{}", party, fingerprint, kEnding),
             export_public(config.openpgp_home, fingerprint));
}

std::vector<RetiredKey> retired_keys(const Config& config) {
  std::vector<RetiredKey> keys;
  std::error_code none;
  if (!fs::exists(config.state / kFolder, none)) return keys;
  for (const std::string& name : names_in(config.state / kFolder)) {
    if (!name.ends_with(kEnding) || name.size() < kFingerprint + kEnding.size() + 2) continue;
    const std::size_t line = name.size() - kEnding.size() - kFingerprint - 1;
    keys.push_back({name.substr(0, line), name.substr(line + 1, kFingerprint),
                    read_file(config.state / kFolder / name, kMostOfAKey)});
  }
  return keys;
}

}  // namespace veer

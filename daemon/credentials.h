#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/secret.h"

namespace veer {

/// The secret that `reference` names (read_secret()), without the line end that editors leave in a file. An
/// empty reference is an empty secret.
Secret read_word(const std::string& reference);
/// A file of certificates; empty for an empty path. Throws C_CREDENTIAL, naming the configuration's `key`.
std::string read_pem(std::string_view key, const std::filesystem::path& path);

}  // namespace veer

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "daemon/toml_reader.h"

namespace veer {

/// "90d", "24h", "5m", "2s", "250ms"; empty when malformed.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Whether one of two folders is the other, or lies in it, as their paths are written.
bool overlap(const std::filesystem::path& one, const std::filesystem::path& other);

/// Whether a text holds no control characters.
bool is_plain(std::string_view text);

/// Whether a text is an OpenPGP primary key's fingerprint as gpg prints it: 40 hex digits, capitals.
bool is_fingerprint(std::string_view text);

/// Whether a text says where a secret is: read_secret().
bool is_reference(std::string_view text);

/// Values of a configuration, read by key; what is wrong with one goes to the table's list of problems.
namespace value {

/// Empty, with a problem, when it is missing or empty.
std::string required(TomlTable& table, std::string_view key, std::string_view example);
/// A whole path that is required.
std::filesystem::path absolute(TomlTable& table, std::string_view key, std::string_view example);
/// A whole path; empty when the key is absent.
std::filesystem::path maybe_absolute(TomlTable& table, std::string_view key);
/// A host's name or address alone. Required.
std::string host(TomlTable& table, std::string_view key, std::string_view example);
int port(TomlTable& table, int fallback);
/// Where a secret is; empty when the key is absent.
std::string reference(TomlTable& table, std::string_view key);
/// Stays as it is when the key is absent.
void duration(TomlTable& table, std::string_view key, std::chrono::milliseconds& into,
              std::chrono::milliseconds least, std::chrono::milliseconds most);
/// Megabytes, as bytes. Stays as it is when the key is absent.
void bytes(TomlTable& table, std::string_view key, std::uint64_t& into);

/// One of some words; required when there is no fallback.
template <typename Enum>
Enum choice(TomlTable& table, std::string_view key,
            std::initializer_list<std::pair<std::string_view, Enum>> choices,
            std::optional<Enum> fallback = std::nullopt) {
  const auto value = table.text(key);
  std::string names;
  for (const auto& [name, meaning] : choices) {
    if (value == name) return meaning;
    names += fmt::format("{}\"{}\"", names.empty() ? "" : " or ", name);
  }
  if (value || !fallback) table.problem(key, fmt::format("must be {}", names));
  return fallback.value_or(choices.begin()->second);
}

}  // namespace value
}  // namespace veer

#include "daemon/config_values.h"

#include <algorithm>
#include <array>

namespace veer {
namespace {

using Millis = std::chrono::milliseconds;

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;

std::filesystem::path checked(TomlTable& table, std::string_view key, const std::filesystem::path& path) {
  if (!path.empty() && !path.is_absolute()) table.problem(key, "must be a whole path, from /");
  return path.lexically_normal();
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t millis;
  };
  static constexpr std::array<Unit, 5> kUnits = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                                 Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 9) return std::nullopt;
  for (const Unit& unit : kUnits)
    if (text.substr(digits) == unit.name)
      return Millis(std::stoll(std::string(text.substr(0, digits))) * unit.millis);
  return std::nullopt;
}

bool overlap(const std::filesystem::path& one, const std::filesystem::path& other) {
  const auto text = [](const std::filesystem::path& path) {
    std::string whole = path.lexically_normal().native();
    if (!whole.ends_with('/')) whole += '/';
    return whole;
  };
  const std::string a = text(one);
  const std::string b = text(other);
  return a.starts_with(b) || b.starts_with(a);
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
}

bool is_fingerprint(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

bool is_reference(std::string_view text) {
  return text.starts_with("credential:") || text.starts_with("file:/");
}

namespace value {

std::string required(TomlTable& table, std::string_view key, std::string_view example) {
  auto value = table.text(key);
  if (!value && !table.has(key)) table.problem(key, fmt::format("is missing: add {} = {}", key, example));
  if (value && value->empty()) table.problem(key, "is empty");
  return value.value_or("");
}

std::filesystem::path absolute(TomlTable& table, std::string_view key, std::string_view example) {
  return checked(table, key, required(table, key, example));
}

std::filesystem::path maybe_absolute(TomlTable& table, std::string_view key) {
  return checked(table, key, table.text(key).value_or(""));
}

std::string host(TomlTable& table, std::string_view key, std::string_view example) {
  std::string value = required(table, key, example);
  if (value.find_first_of("/@[] \t\r\n%") != std::string::npos)
    table.problem(key, "must be a host name or an address alone, without a scheme like ftp:// and a port");
  return value;
}

int port(TomlTable& table, int fallback) {
  const std::int64_t value = table.integer("port").value_or(fallback);
  if (value < 1 || value > 65535) table.problem("port", "must be 1 to 65535");
  return static_cast<int>(std::clamp<std::int64_t>(value, 1, 65535));
}

std::string reference(TomlTable& table, std::string_view key) {
  const auto value = table.text(key);
  if (value && !is_reference(*value))
    table.problem(
        key, "must say where the secret is: \"credential:NAME\" or \"file:/PATH\", never the secret itself");
  return value.value_or("");
}

void duration(TomlTable& table, std::string_view key, Millis& into, Millis least, Millis most) {
  const auto value = table.text(key);
  if (!value) return;
  const auto parsed = parse_duration(*value);
  if (!parsed || *parsed < least || *parsed > most)
    table.problem(key, "must be a time like \"90d\", \"24h\", \"5m\", \"2s\" or \"250ms\", within reason");
  else
    into = *parsed;
}

void bytes(TomlTable& table, std::string_view key, std::uint64_t& into) {
  const auto megabytes = table.integer(key);
  if (!megabytes) return;
  if (*megabytes < 1 || *megabytes > 4096)
    table.problem(key, "must be a number of megabytes from 1 to 4096");
  else
    into = static_cast<std::uint64_t>(*megabytes * kMegabyte);
}

}  // namespace value
}  // namespace veer

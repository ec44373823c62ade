#include "connectors/url.h"

#include <algorithm>

#include <fmt/format.h>

namespace veer {
namespace {

constexpr std::size_t kLongest = std::size_t{16} << 10;
constexpr std::string_view kScheme = "https://";

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

std::string escaped(std::string_view text, std::string_view plain) {
  std::string all;
  for (const char c : text) {
    if (is_alphanumeric(c) || plain.find(c) != std::string_view::npos)
      all += c;
    else
      all += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return all;
}

bool is_host(std::string_view host) {
  if (host.starts_with('['))
    return host.ends_with(']') && host.find_first_not_of("[]0123456789abcdef:.") == std::string_view::npos;
  return !host.empty() && !host.starts_with('.') && std::all_of(host.begin(), host.end(), [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '-';
  });
}

/// Takes ":port" off the end; false when what stands there is none.
bool take_port(std::string_view& authority, int& port) {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.ends_with(']')) return true;
  const std::string_view digits = authority.substr(colon + 1);
  static constexpr std::size_t kMostDigits = 5;
  if (digits.empty() || digits.size() > kMostDigits ||
      digits.find_first_not_of("0123456789") != std::string_view::npos)
    return false;
  port = std::stoi(std::string(digits));
  authority = authority.substr(0, colon);
  return port >= 1 && port <= 65535;
}

}  // namespace

std::string HttpsUrl::authority() const { return port == 443 ? host : fmt::format("{}:{}", host, port); }

std::optional<HttpsUrl> parse_https(std::string_view url) {
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!plain || url.size() > kLongest || in_small_letters(url.substr(0, kScheme.size())) != kScheme ||
      url.find_first_of("#\\") != std::string_view::npos)
    return std::nullopt;
  url.remove_prefix(kScheme.size());
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  const std::string small = in_small_letters(url.substr(0, end));
  std::string_view authority = small;
  HttpsUrl parsed;
  if (!take_port(authority, parsed.port) || !is_host(authority)) return std::nullopt;
  parsed.host = authority;
  parsed.target = url.substr(end);
  if (!parsed.target.starts_with('/')) parsed.target.insert(0, "/");
  return parsed;
}

std::string in_path(std::string_view text) { return escaped(text, "-._~!,"); }

std::string in_form(std::string_view text) { return escaped(text, "-._~"); }

bool HostList::allows(const HttpsUrl& url) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const std::string& entry) {
    if (entry.starts_with('.'))
      return url.port == 443 && url.host.size() > entry.size() && url.host.ends_with(entry);
    return url.authority() == entry;
  });
}

}  // namespace veer

#include "graph/encoding.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

namespace veer::test {

std::optional<std::string> from_any_base64(std::string_view text) {
  std::string standard(text);
  while (standard.ends_with('=')) standard.pop_back();
  const std::size_t size = standard.size() * 3 / 4;
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  standard.resize((standard.size() + 3) / 4 * 4, '=');
  std::string bytes(standard.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(standard.data()),
                      static_cast<int>(standard.size())) < 0)
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c | 0x20) - 'a' + 10;
  };
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (text[at] == '%' && at + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[at + 1])) &&
        std::isxdigit(static_cast<unsigned char>(text[at + 2]))) {
      decoded += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
      at += 2;
    } else {
      decoded += text[at];
    }
  return decoded;
}

std::map<std::string, std::string> form_fields(std::string_view text) {
  std::map<std::string, std::string> fields;
  for (std::string pair : split(text, '&')) {
    std::replace(pair.begin(), pair.end(), '+', ' ');
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.empty()) continue;
    fields[percent_decoded(pair.substr(0, equals))] =
        equals < pair.size() ? percent_decoded(pair.substr(equals + 1)) : "";
  }
  return fields;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts{""};
  for (const char c : text)
    if (c == at)
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string random_hex(std::size_t digits) {
  std::string text;
  while (text.size() < digits) {
    std::uint32_t value = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value);
    text += fmt::format("{:08x}", value);
  }
  text.resize(digits);
  return text;
}

std::string random_guid() {
  const std::string hex = random_hex(32);
  return fmt::format("{}-{}-4{}-8{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(13, 3),
                     hex.substr(17, 3), hex.substr(20));
}

std::string rfc3339(ServiceTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::optional<ServiceTime> from_rfc3339(const std::string& text) {
  std::tm fields{};
  const char* const rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (rest == nullptr) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&fields));
}

std::string http_date(ServiceTime time) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace veer::test

#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer::test {

using ServiceTime = std::chrono::system_clock::time_point;

/// Both alphabets, with or without padding; empty when it is neither.
std::optional<std::string> from_any_base64(std::string_view text);
/// %XX becomes a byte; "+" stays.
std::string percent_decoded(std::string_view text);
/// Of "a=b&c=d": names and values decoded, "+" as a space.
std::map<std::string, std::string> form_fields(std::string_view text);
std::vector<std::string> split(std::string_view text, char at);
std::string lower_case(std::string_view text);
/// So many random hexadecimal digits.
std::string random_hex(std::size_t digits);
std::string random_guid();
/// "2026-01-09T02:02:12Z".
std::string rfc3339(ServiceTime time);
std::optional<ServiceTime> from_rfc3339(const std::string& text);
/// "Fri, 09 Jan 2026 02:02:12 GMT".
std::string http_date(ServiceTime time);

}  // namespace veer::test

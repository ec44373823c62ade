#include "connectors/graph_json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace veer {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestCode = 64;
constexpr std::size_t kDeepest = 10;

[[noreturn]] void throw_nonsense(const char* what) {
  throw Error(Code::s_protocol, std::string("the service's answer lacks ") + what +
                                    ": what answers may be no Microsoft Graph, or something on the way");
}

Json parse(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) throw_nonsense("JSON");
  return json;
}

const Json& at(const Json& object, const char* key) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found != object.end() ? *found : kNone;
}

std::string text(const Json& object, const char* key) {
  const Json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

std::string needed(const Json& object, const char* key) {
  std::string value = text(object, key);
  if (value.empty()) throw_nonsense(key);
  return value;
}

// Graph tells times with up to seven decimals.
std::optional<Time> time_of(std::string text) {
  const std::size_t point = text.find('.');
  static constexpr std::size_t kDecimals = 3;
  if (point != std::string::npos && text.ends_with('Z') && text.size() > point + kDecimals + 2)
    text.erase(point + kDecimals + 1, text.size() - point - kDecimals - 2);
  return parse_time(text);
}

GraphItem item_of(const Json& json) {
  GraphItem item;
  item.id = needed(json, "id");
  item.name = needed(json, "name");
  item.parent = text(at(json, "parentReference"), "id");
  item.etag = text(json, "eTag");
  item.tag = text(json, "cTag");
  if (item.tag.empty()) item.tag = item.etag;
  item.hash = text(at(at(json, "file"), "hashes"), "quickXorHash");
  item.download = text(json, "@microsoft.graph.downloadUrl");
  item.is_file = at(json, "file").is_object() && at(json, "folder").is_null() &&
                 at(json, "remoteItem").is_null() && at(json, "package").is_null();
  item.modified = time_of(text(json, "lastModifiedDateTime"));
  const Json& size = at(json, "size");
  if (size.is_number_unsigned())
    item.size = size.get<std::uint64_t>();
  else if (item.is_file)
    throw_nonsense("size");
  return item;
}

const Json& values(const Json& json) {
  const Json& all = at(json, "value");
  if (!all.is_array()) throw_nonsense("value");
  return all;
}

std::optional<std::uint64_t> number(std::string_view digits) {
  static constexpr std::size_t kMostDigits = 18;
  if (digits.empty() || digits.size() > kMostDigits ||
      digits.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  return std::stoull(std::string(digits));
}

std::uint64_t beginning_of_range(const Json& json) {
  const std::string text = json.is_string() ? json.get<std::string>() : "";
  const std::size_t dash = std::min(text.find('-'), text.size());
  const auto from = number(std::string_view(text).substr(0, dash));
  if (!from || dash == text.size()) throw_nonsense("ranges that can be read");
  return *from;
}

std::string plain(std::string text) {
  std::erase_if(text, [](char c) {
    return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
  });
  return text.substr(0, kLongestCode);
}

}  // namespace

GraphItem parse_item(std::string_view json) { return item_of(parse(json)); }

GraphPage parse_page(std::string_view json) {
  const Json page = parse(json);
  GraphPage parsed;
  for (const Json& each : values(page)) parsed.items.push_back(item_of(each));
  parsed.next = text(page, "@odata.nextLink");
  return parsed;
}

GraphDrives parse_drives(std::string_view json) {
  const Json page = parse(json);
  GraphDrives parsed;
  for (const Json& each : values(page))
    parsed.drives.push_back({needed(each, "id"), text(each, "name"), text(each, "webUrl")});
  parsed.next = text(page, "@odata.nextLink");
  return parsed;
}

std::string parse_id(std::string_view json) { return needed(parse(json), "id"); }

std::optional<std::uint64_t> parse_room(std::string_view json) {
  const Json drive = parse(json);
  const Json& left = at(at(drive, "quota"), "remaining");
  if (!left.is_number_integer()) return std::nullopt;
  return left.is_number_unsigned() ? left.get<std::uint64_t>() : 0;
}

GraphUpload parse_upload(std::string_view json) {
  const Json session = parse(json);
  GraphUpload parsed;
  parsed.url = text(session, "uploadUrl");
  const Json& missing = at(session, "nextExpectedRanges");
  if (missing.is_array())
    for (const Json& each : missing) parsed.missing.push_back(beginning_of_range(each));
  std::sort(parsed.missing.begin(), parsed.missing.end());
  return parsed;
}

GraphTicket parse_ticket(std::string_view json) {
  const Json ticket = parse(json);
  const Json& lasts = at(ticket, "expires_in");
  std::int64_t seconds = 0;
  if (lasts.is_number_integer()) seconds = lasts.get<std::int64_t>();
  if (lasts.is_string())
    seconds = static_cast<std::int64_t>(number(lasts.get_ref<const std::string&>()).value_or(0));
  return {Secret(needed(ticket, "access_token")), std::chrono::seconds(seconds)};
}

GraphProblem parse_problem(std::string_view json) {
  GraphProblem problem;
  const Json whole = Json::parse(json, nullptr, false);
  const Json* error = &at(whole, "error");
  problem.message = text(*error, "message");
  while (error->is_object() && problem.codes.size() < kDeepest) {
    if (std::string code = plain(text(*error, "code")); !code.empty())
      problem.codes.push_back(std::move(code));
    const Json& inner = at(*error, "innerError");
    error = inner.is_object() ? &inner : &at(*error, "innererror");
  }
  return problem;
}

SignInProblem parse_sign_in_problem(std::string_view json) {
  SignInProblem problem;
  const Json whole = Json::parse(json, nullptr, false);
  problem.error = text(whole, "error");
  const Json& numbers = at(whole, "error_codes");
  if (numbers.is_array())
    for (const Json& each : numbers)
      if (each.is_number_integer()) problem.numbers.push_back(each.get<int>());
  return problem;
}

}  // namespace veer

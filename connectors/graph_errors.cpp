#include "connectors/graph_errors.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "connectors/graph_json.h"

namespace veer {
namespace {

constexpr std::size_t kLongestId = 64;
constexpr std::chrono::minutes kLocked(2);
constexpr std::chrono::seconds kLongestWait = std::chrono::days(1);

struct Row {
  std::string_view code;  ///< small letters
  Code ours;
  std::string_view text;
};

constexpr std::string_view kNoRights =
    "the application may not do that: an administrator gives it the role write on this site "
    "(docs/sharepoint.md)";
constexpr std::string_view kTaken = "the name is taken";
constexpr std::string_view kLockedText = "the file is locked on the share: it is tried again";
constexpr std::string_view kFull = "no room left in the site: have files removed there, or its quota raised";
constexpr std::string_view kOther = "the file is another one by now";
constexpr std::string_view kSignIn = "the sign-in does not count any more";
constexpr std::string_view kGone = "it is not there";
constexpr std::string_view kRanges = "other bytes are expected than were sent";
constexpr std::string_view kBad = "the service does not take what this program asks for: report it";
constexpr std::string_view kTrouble = "the service cannot for now: it is tried again";

constexpr std::array kCodes = {
    Row{"accessdenied", Code::s_rights, kNoRights},
    Row{"entitytagdoesnotmatch", Code::s_changed, kOther},
    Row{"expiredtoken", Code::s_rights, kSignIn},
    Row{"fragmentoutoforder", Code::s_protocol, kRanges},
    Row{"fragmentoverlap", Code::s_protocol, kRanges},
    Row{"invalidauthenticationtoken", Code::s_rights, kSignIn},
    Row{"invalidrange", Code::s_protocol, kRanges},
    Row{"itemnotfound", Code::s_not_found, kGone},
    Row{"malwaredetected", Code::s_rights,
        "Microsoft takes the file for malware and keeps it: an administrator looks at it in the site"},
    Row{"namealreadyexists", Code::s_name_taken, kTaken},
    Row{"quotalimitreached", Code::s_full, kFull},
    Row{"resourcelocked", Code::s_throttled, kLockedText},
    Row{"resourcemodified", Code::s_changed, kOther},
    Row{"unauthenticated", Code::s_rights, kSignIn},
};

// Statuses whose meaning no code changes.
constexpr bool speaks_for_itself(int status) {
  return status == 408 || status == 423 || status == 429 || status >= 500;
}

Row by_status(int status) {
  switch (status) {
    case 401:
      return {"", Code::s_rights, kSignIn};
    case 403:
      return {"", Code::s_rights, kNoRights};
    case 404:
    case 410:
      return {"", Code::s_not_found, kGone};
    case 408:
    case 504:
      return {"", Code::s_timeout, kTrouble};
    case 409:
    case 412:
      return {"", Code::s_changed, kOther};
    case 416:
      return {"", Code::s_protocol, kRanges};
    case 423:
      return {"", Code::s_throttled, kLockedText};
    case 429:
    case 509:
      return {"", Code::s_throttled, "Microsoft asked to ask less often"};
    case 507:
      return {"", Code::s_full, kFull};
    default:
      if (status >= 500) return {"", Code::s_unreachable, kTrouble};
      return {"", Code::s_protocol, kBad};
  }
}

std::string small_letters(std::string_view text) {
  std::string small(text);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return small;
}

std::string id_in(const HttpAnswer& answer) {
  for (const char* name : {"request-id", "sprequestguid", "x-ms-request-id"}) {
    std::string id = answer.header(name);
    std::erase_if(id, [](char c) {
      return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-');
    });
    if (!id.empty()) return id.substr(0, kLongestId);
  }
  return "none";
}

}  // namespace

bool is_of_the_way(Code code) {
  return code == Code::s_unreachable || code == Code::s_timeout || code == Code::s_protocol;
}

std::string ids_of(const GraphAnswer& answer) {
  return fmt::format("Microsoft's request id {}, ours {}", id_in(answer.http), answer.id);
}

bool is_busy(int status) { return status == 429 || status == 503 || status == 509; }

void heed_wait(const GraphAnswer& answer, const std::string& doing, GraphGate& gate, Time now) {
  const auto wait = is_busy(answer.status()) ? retry_after(answer.http, now) : std::nullopt;
  if (!wait) return;
  gate.close(*wait);
  throw Error(Code::s_throttled, refusal(answer, doing).message(), *wait);
}

Error with_ids(const Error& error, const std::string& ids) {
  const bool told = error.message().find("request id") != std::string::npos;
  if (ids.empty() || told || !code_name(error.code()).starts_with("S_")) return error;
  return {error.code(), fmt::format("{} ({})", error.message(), ids), error.retry_after()};
}

Error refusal(const GraphAnswer& answer, const std::string& doing) {
  const GraphProblem problem = parse_problem(answer.http.body);
  Row row = by_status(answer.status());
  std::string seen;
  for (auto code = problem.codes.rbegin(); code != problem.codes.rend(); ++code) {
    const auto* const known = std::find_if(
        kCodes.begin(), kCodes.end(), [&](const Row& each) { return each.code == small_letters(*code); });
    if (known == kCodes.end()) continue;
    seen = " " + *code;
    if (!speaks_for_itself(answer.status())) row = *known;
    break;
  }
  if (seen.empty() && !problem.codes.empty()) seen = " " + problem.codes.back();
  std::optional<std::chrono::milliseconds> wait;
  if (row.text == kLockedText) wait = kLocked;
  return {row.ours, fmt::format("{}: {} ({}{}; {})", doing, row.text, answer.status(), seen, ids_of(answer)),
          wait};
}

std::optional<std::chrono::seconds> retry_after(const HttpAnswer& answer, Time now) {
  const std::string text = answer.header("retry-after");
  static constexpr std::size_t kMostDigits = 9;
  if (!text.empty() && text.size() <= kMostDigits &&
      text.find_first_not_of("0123456789") == std::string::npos)
    return std::min(std::chrono::seconds(std::stol(text)), kLongestWait);
  if (const auto until = parse_http_date(text))
    return std::clamp(std::chrono::ceil<std::chrono::seconds>(*until - answer.date().value_or(now)),
                      std::chrono::seconds(0), kLongestWait);
  return std::nullopt;
}

bool bears_code(const GraphAnswer& answer, std::string_view code) {
  const GraphProblem problem = parse_problem(answer.http.body);
  return std::any_of(problem.codes.begin(), problem.codes.end(),
                     [&](const std::string& each) { return small_letters(each) == small_letters(code); });
}

}  // namespace veer

// What stands behind the upload and download URLs.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "graph/graph_service.h"

namespace veer::test {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kForgotten = 100'000;

HttpReply json_reply(int status, const Json& body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json; odata.metadata=none"}},
          .body = body.dump()};
}

Refusal dead_url() { return {401, "unauthenticated", "The caller is not authenticated.", "expiredToken"}; }

/// Reads decimal numbers with what stands between them, as sscanf would.
bool scan(std::string_view text, std::string_view before, std::uint64_t& value, std::string_view& rest) {
  if (!text.starts_with(before)) return false;
  text.remove_prefix(before.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  rest = text.substr(static_cast<std::size_t>(end - text.data()));
  return true;
}

struct ContentRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  ///< the last byte
  std::uint64_t total = 0;
};

ContentRange content_range(const std::string& text) {
  ContentRange range;
  std::string_view rest = text;
  if (!scan(rest, "bytes ", range.begin, rest) || !scan(rest, "-", range.end, rest) ||
      !scan(rest, "/", range.total, rest) || !rest.empty() || range.end < range.begin)
    throw Refusal{400, "invalidRequest",
                  "Content-Range must be 'bytes a-b/total', and must include a total length."};
  return range;
}

Json status_of(const UploadSession& session, bool several) {
  const std::uint64_t next = session.content.size();
  Json ranges = Json::array();
  if (several) {
    ranges.push_back(fmt::format("{}-{}", next, next + 99'999));
    ranges.push_back(fmt::format("{}-", next + 100'000));
  } else if (!session.total || next < *session.total) {
    ranges.push_back(fmt::format("{}-", next));
  }
  return {{"expirationDateTime", rfc3339(session.expires)}, {"nextExpectedRanges", ranges}};
}

}  // namespace

void GraphService::prepare(const Asked& asked, int status) {
  const auto session = store_.sessions().find(asked.http.target);
  const bool in_session = session != store_.sessions().end();
  switch (asked.trick) {
    case GraphTrick::session_lost:
      if (in_session) store_.sessions().erase(session);
      if (status == 401) throw dead_url();
      if (status != 0 && status != 404) throw usual_refusal(status, true);
      return;
    case GraphTrick::session_forgets:
      if (in_session)
        store_.cut(session->second,
                   session->second.content.size() - std::min(kForgotten, session->second.content.size()));
      return;
    case GraphTrick::name_taken:
      if (in_session)
        store_.write(store_.drive(session->second.drive), session->second.parent, session->second.name,
                     "somebody else's", Conflict::replace);
      else if (const auto [where, name] = place(asked); !name.empty())
        store_.write(store_.drive(asked.route.drive), where->id, name, "somebody else's", Conflict::replace);
      return;
    case GraphTrick::bump_etag:
      ++addressed(asked).version;
      return;
    default:
      return;
  }
}

HttpReply GraphService::storage(const Asked& asked) {
  const HttpRequest& http = asked.http;
  if (options_.refuse_authorization_on_storage && http.headers.contains("authorization"))
    throw Refusal{401, "unauthenticated", "The caller is not authenticated."};
  if (asked.route.call == GraphCall::download) return download(asked);
  const auto found = store_.sessions().find(http.target);
  if (asked.route.call == GraphCall::other)
    throw Refusal{404, "itemNotFound", "The resource could not be found."};
  if (found == store_.sessions().end()) {
    // A URL with another query is not one that was issued.
    const std::string path = http.target.substr(0, http.target.find('?'));
    for (const auto& [target, session] : store_.sessions())
      if (target.starts_with(path)) throw dead_url();
    throw Refusal{404, "itemNotFound", "The upload session was not found"};
  }
  UploadSession& session = found->second;
  if (session.dies <= now_()) throw dead_url();
  switch (asked.route.call) {
    case GraphCall::fragment:
      return fragment(asked, session);
    case GraphCall::session_status:
      return json_reply(200, status_of(session, asked.trick == GraphTrick::several_ranges));
    case GraphCall::session_cancel:
      store_.sessions().erase(found);
      return {.status = 204};
    default:
      break;
  }
  if (!session.total || session.content.size() < *session.total)
    throw Refusal{400, "invalidRequest", "The upload is not complete."};
  Drive& drive = store_.drive(session.drive);
  return finished(asked, drive, store_.commit(http.target));
}

HttpReply GraphService::fragment(const Asked& asked, UploadSession& session) {
  const ContentRange range = content_range(asked.http.header("content-range"));
  if (range.end - range.begin + 1 != asked.http.body.size())
    throw Refusal{400, "invalidRequest", "Content-Length and Content-Range do not agree."};
  store_.take_fragment(session, range.begin, range.total, asked.http.body);
  session.expires = std::min(now_() + std::chrono::minutes(15), session.dies);
  if (session.content.size() < *session.total || session.defer)
    return json_reply(202, status_of(session, asked.trick == GraphTrick::several_ranges));
  Drive& drive = store_.drive(session.drive);
  const auto result = store_.commit(asked.http.target);
  result.second->late = asked.trick == GraphTrick::late_commit;
  return finished(asked, drive, result);
}

HttpReply GraphService::download(const Asked& asked) {
  const auto found = downloads_.find(asked.http.target);
  if (found == downloads_.end() || found->second.expires <= now_()) throw dead_url();
  if (asked.http.method != "GET" && asked.http.method != "HEAD")
    throw Refusal{405, "invalidRequest", "The method is not allowed."};
  const Item& item = store_.item(store_.drive(found->second.drive), found->second.item);
  const std::uint64_t size = item.content->size();
  HttpReply reply{.headers = {{"Content-Type", "application/octet-stream"},
                              {"Accept-Ranges", "bytes"},
                              {"ETag", item.etag()}},
                  .content = item.content,
                  .begin = 0,
                  .end = size};
  const std::string wanted = asked.http.header("range");
  if (wanted.empty() || asked.trick == GraphTrick::ignore_range) return reply;
  std::string_view rest = wanted;
  std::uint64_t begin = 0;
  std::uint64_t last = size - 1;
  if (scan(rest, "bytes=-", begin, rest)) {
    begin = size - std::min(begin, size);
  } else if (!scan(rest, "bytes=", begin, rest) || !rest.starts_with("-") ||
             (rest.size() > 1 && !scan(rest, "-", last, rest))) {
    return reply;  // not a range that is understood: as if there were none
  }
  if (begin >= size || last < begin) {
    return {.status = 416, .headers = {{"Content-Range", fmt::format("bytes */{}", size)}}};
  }
  last = std::min(last, size - 1);
  if (asked.trick == GraphTrick::wrong_range && begin < last) ++begin;
  reply.status = 206;
  reply.begin = begin;
  reply.end = last + 1;
  reply.headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", begin, last, size));
  return reply;
}

Drive& GraphService::library(const std::string& name) {
  for (auto& [id, drive] : store_.drives())
    if (drive.name == name) return drive;
  throw Refusal{404, "itemNotFound", "The library was not found."};
}

void GraphService::expire_urls() {
  for (auto& [target, session] : store_.sessions()) session.dies = now_();
  for (auto& [target, ticket] : downloads_) ticket.expires = now_();
}

Refusal usual_refusal(int status, bool storage) {
  switch (status) {
    case 400:
      return {400, "invalidRequest", "The request is malformed or incorrect."};
    case 401:
      if (storage) return dead_url();
      return {401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid."};
    case 403:
      return {403, "accessDenied", "Access denied"};
    case 404:
      return {404, "itemNotFound", "The resource could not be found."};
    case 409:
      return {409, "nameAlreadyExists", "An item with the same name already exists under the parent."};
    case 410:
      return {410, "itemNotFound", "The resource is gone."};
    case 412:
      return {412, "resourceModified", "ETag does not match current item's value", "entityTagDoesNotMatch"};
    case 416:
      return {416, "invalidRange", "The specified byte range is invalid.", "fragmentOverlap"};
    case 423:
      return {423, "notAllowed", "The resource you are attempting to access is locked.", "resourceLocked"};
    case 429:
      return {429, "activityLimitReached", "The app or user has been throttled.", "throttledRequest"};
    case 503:
      return {503, "serviceNotAvailable", "The service is not available."};
    case 504:
      return {504, "generalException", "The gateway timed out."};
    case 507:
      return {507, "quotaLimitReached", "The user has reached their quota limit.", "insufficientQuota"};
    case 509:
      return {509, "bandwidthLimitExceeded", "The bandwidth limit is exceeded."};
    default:
      return {status, "generalException", "An unspecified error has occurred."};
  }
}

Json error_body(const Refusal& refusal, bool storage, const std::string& request_id,
                const std::string& client_id, ServiceTime now) {
  Json inner{
      {"date", rfc3339(now).substr(0, 19)}, {"request-id", request_id}, {"client-request-id", client_id}};
  if (!refusal.inner.empty()) inner["code"] = refusal.inner;
  if (refusal.status == 429) inner["innerError"] = {{"code", "quota"}};
  Json error{{"code", refusal.code}, {"message", refusal.message}};
  // What stands behind Graph spells the key its own way, and leaves it out when it has nothing to say.
  if (!storage)
    error["innerError"] = inner;
  else if (!refusal.inner.empty())
    error["innererror"] = {{"code", refusal.inner}};
  return {{"error", error}};
}

}  // namespace veer::test

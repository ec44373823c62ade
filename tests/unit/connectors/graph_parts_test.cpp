// The parts of the SharePoint connector that need no server: its gate, and what it reads and makes of
// answers.

#include <catch2/catch.hpp>

#include "connectors/graph_errors.h"
#include "connectors/graph_gate.h"
#include "connectors/graph_json.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;

namespace {

GraphAnswer refused(int status, const std::string& body, std::map<std::string, std::string> headers = {}) {
  return {{status, std::move(headers), body}, "11111111-2222-4333-8444-555555555555"};
}

Error error_of(int status, const std::string& body = "") {
  return refusal(refused(status, body, {{"request-id", "abc-1"}}), "putting a.pgp");
}

std::string problem(const std::string& outer, const std::string& inner = "") {
  return R"({"error":{"code":")" + outer + R"(","message":"secret words","innererror":{"code":")" + inner +
         R"(","date":"x"}}})";
}

}  // namespace

TEST_CASE("a closed gate lets nothing through before its time, and an earlier end does not open it") {
  const GraphGate::Steady::time_point start{};
  GraphGate gate;
  CHECK_NOTHROW(gate.require_open(start));
  gate.close(41s, start);
  gate.close(3s, start + 1s);
  const auto error = thrown([&] { gate.require_open(start + 40s); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_throttled);
  CHECK(error->retry_after() == 1000ms);
  CHECK(code_of([&] { gate.require_open(start + 41s - 1ms); }) == Code::s_throttled);
  CHECK_NOTHROW(gate.require_open(start + 41s));
}

TEST_CASE("Retry-After is read as seconds or as a date") {
  const Time now = parse_time("2026-11-26T10:00:00Z").value();
  const auto of = [&](const std::string& text) {
    return retry_after({429, {{"retry-after", text}}, ""}, now);
  };
  CHECK(of("315") == 315s);
  CHECK(of("0") == 0s);
  CHECK(of("Thu, 26 Nov 2026 10:02:00 GMT") == 120s);
  CHECK(of("Thu, 26 Nov 2026 09:00:00 GMT") == 0s);
  CHECK(of("999999999") == 24h);
  CHECK(of("Thu, 26 Nov 2099 10:02:00 GMT") == 24h);
  CHECK_FALSE(of(""));
  CHECK_FALSE(of("soon"));
  CHECK_FALSE(of("-1"));
  // By the server's own clock, when it tells it.
  CHECK(retry_after(
            {429,
             {{"retry-after", "Thu, 26 Nov 2026 10:02:00 GMT"}, {"date", "Thu, 26 Nov 2026 10:01:30 GMT"}},
             ""},
            now) == 30s);
}

TEST_CASE("a refusal is told by the innermost code that is known, else by the status, with both ids") {
  CHECK(error_of(400, problem("invalidRequest", "quotaLimitReached")).code() == Code::s_full);
  CHECK(error_of(409, problem("nameAlreadyExists", "madeUpYesterday")).code() == Code::s_name_taken);
  CHECK(error_of(409, problem("NAMEALREADYEXISTS")).code() == Code::s_name_taken);
  CHECK(error_of(403, problem("accessDenied", "malwareDetected")).message().find("malware") !=
        std::string::npos);
  CHECK(error_of(409, problem("resourceModified")).code() == Code::s_changed);
  CHECK(error_of(403, "<html>no</html>").code() == Code::s_rights);
  CHECK(error_of(404).code() == Code::s_not_found);
  CHECK(error_of(410).code() == Code::s_not_found);
  CHECK(error_of(400).code() == Code::s_protocol);
  CHECK(error_of(412).code() == Code::s_changed);
  CHECK(error_of(500).code() == Code::s_unreachable);
  CHECK(error_of(504).code() == Code::s_timeout);
  CHECK(error_of(507).code() == Code::s_full);
  CHECK(error_of(509).code() == Code::s_throttled);
  // The inner "quota" of a throttled call is no full library.
  CHECK(error_of(429, R"({"error":{"code":"activityLimitReached","innerError":{"code":"throttledRequest",
                         "innerError":{"code":"quotaLimitReached"}}}})")
            .code() == Code::s_throttled);
  const Error locked = error_of(423, problem("notAllowed", "resourceLocked"));
  CHECK(locked.code() == Code::s_throttled);
  CHECK(locked.retry_after() == 120s);
  const std::string message = error_of(409, problem("nameAlreadyExists")).message();
  CHECK(message.find("abc-1") != std::string::npos);
  CHECK(message.find("11111111-2222-4333-8444-555555555555") != std::string::npos);
  CHECK(message.find("nameAlreadyExists") != std::string::npos);
  CHECK(message.find("secret words") == std::string::npos);
}

TEST_CASE("nothing that a service writes but letters and digits gets into a message") {
  const std::string message =
      refusal(refused(403, problem("a\x1b[31m\\n evil", ""), {{"request-id", "id\r\nX: y"}}), "x").message();
  CHECK(message.find("a31mevil") == std::string::npos);
  CHECK(message.find('\x1b') == std::string::npos);
  CHECK(message.find('\r') == std::string::npos);
  CHECK(message.find("idXy") != std::string::npos);
}

TEST_CASE("an item is read with the times, tags and digests that a service may tell or not") {
  const GraphItem item =
      parse_item(R"({"id":"1","name":"a.pgp","size":5,"eTag":"\"{G},3\"","cTag":"\"c:{G},2\"",
    "lastModifiedDateTime":"2026-01-02T03:04:05.1234567Z","parentReference":{"id":"p"},
    "file":{"hashes":{"quickXorHash":"xyz"}},"@microsoft.graph.downloadUrl":"https://x/"})");
  CHECK(item.tag == "\"c:{G},2\"");
  CHECK(item.etag == "\"{G},3\"");
  CHECK(item.parent == "p");
  CHECK(item.hash == "xyz");
  CHECK(item.download == "https://x/");
  CHECK(item.is_file);
  CHECK(item.modified == parse_time("2026-01-02T03:04:05.123Z"));
  CHECK(parse_item(R"({"id":"1","name":"a","size":0,"file":{},"eTag":"e"})").tag == "e");
  CHECK_FALSE(parse_item(R"({"id":"1","name":"a","folder":{}})").is_file);
  CHECK_FALSE(parse_item(R"({"id":"1","name":"a","size":1,"file":{},"remoteItem":{}})").is_file);
  for (const char* bad :
       {"", "[]", "<html>", R"({"name":"a"})", R"({"id":"1","name":"a","file":{}})",
        R"({"id":1,"name":"a","size":1,"file":{}})", R"({"id":"1","name":"a","size":-1,"file":{}})"}) {
    CAPTURE(bad);
    CHECK(code_of([&] { parse_item(bad); }) == Code::s_protocol);
  }
}

TEST_CASE("what a session still wants is told by where it begins, in order") {
  const auto session = parse_upload(R"({"uploadUrl":"https://x/","nextExpectedRanges":["300-","100-199"]})");
  CHECK(session.url == "https://x/");
  CHECK(session.missing == std::vector<std::uint64_t>{100, 300});
  CHECK(parse_upload("{}").missing.empty());
  for (const char* bad : {R"(["x-"])", R"([5])", R"(["5"])", R"(["-5"])", R"(["99999999999999999999-"])"}) {
    CAPTURE(bad);
    CHECK(code_of([&] { parse_upload(R"({"nextExpectedRanges":)" + std::string(bad) + "}"); }) ==
          Code::s_protocol);
  }
}

TEST_CASE("a ticket, a page and a problem are read from what Microsoft documents") {
  const GraphTicket ticket =
      parse_ticket(R"({"token_type":"Bearer","expires_in":3599,"access_token":"eyJ"})");
  CHECK(ticket.token.reveal() == "eyJ");
  CHECK(ticket.lasts == 3599s);
  CHECK(parse_ticket(R"({"expires_in":"60","access_token":"x"})").lasts == 60s);
  CHECK(code_of([] { parse_ticket(R"({"expires_in":3599})"); }) == Code::s_protocol);
  CHECK(parse_page(R"({"value":[]})").next.empty());
  CHECK(code_of([] { parse_page("{}"); }) == Code::s_protocol);
  const SignInProblem refused = parse_sign_in_problem(
      R"({"error":"invalid_client","error_codes":[700027,"x"],"error_description":"AADSTS"})");
  CHECK(refused.error == "invalid_client");
  CHECK(refused.numbers == std::vector<int>{700027});
  CHECK(parse_problem("<html>").codes.empty());
  CHECK(parse_room(R"({"quota":{"remaining":0}})") == 0U);
  CHECK(parse_room(R"({"quota":{"remaining":-5}})") == 0U);
  CHECK_FALSE(parse_room("{}"));
}

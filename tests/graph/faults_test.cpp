#include <algorithm>

#include <catch2/catch.hpp>
#include <curl/curl.h>

#include "graph/quick_xor.h"
#include "graph/visitor.h"

using namespace veer::test;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kUnit = 327'680;

}  // namespace

TEST_CASE("a throttled call says when, or does not") {
  Visitor visitor;
  const std::string drive = "/drives/" + visitor.drive();
  const auto throttled = [&](int status, std::optional<int> seconds) {
    visitor.graph.fail_next({.call = GraphCall::item}, {.status = status, .retry_after = seconds});
    const HttpsAnswer answer = visitor.call("GET", drive);
    CHECK(answer.status == status);
    const auto told = answer.headers.find("retry-after");
    return told == answer.headers.end() ? "" : told->second;
  };
  CHECK(throttled(429, 41) == "41");
  CHECK(throttled(503, 0) == "0");
  CHECK(throttled(509, std::nullopt).empty());
  CHECK(visitor.call("GET", drive).status == 200);
  CHECK(visitor.graph.pending_faults() == 0);
}

TEST_CASE("faults meet what they are meant for, as often as they are meant") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "a");
  visitor.graph.put_file("Documents", "to_avsb/b.bin", "b");
  visitor.graph.fail_next({.call = GraphCall::item, .path = "b\\.bin", .skip = 1}, {.status = 500}, 2);
  CHECK(visitor.call("GET", visitor.at("b.bin")).status == 200);
  CHECK(visitor.call("GET", visitor.at("a.bin")).status == 200);
  CHECK(visitor.call("GET", visitor.at("b.bin")).status == 500);
  CHECK(visitor.call("GET", visitor.at("b.bin")).status == 500);
  CHECK(visitor.call("GET", visitor.at("b.bin")).status == 200);
}

TEST_CASE("the token endpoint fails in words of its own") {
  Visitor visitor;
  visitor.graph.fail_next({.call = GraphCall::token}, {.status = 503, .retry_after = 3});
  const HttpsAnswer answer = visitor.sign_in(visitor.assertion());
  CHECK(answer.status == 503);
  CHECK(Json::parse(answer.body)["error"] == "temporarily_unavailable");
  CHECK(answer.headers.at("retry-after") == "3");
}

TEST_CASE("a session can be lost in three ways") {
  Visitor visitor;
  for (const int status : {404, 401, 410}) {
    const std::string url = visitor.open_session("a.bin");
    visitor.graph.fail_next({.call = GraphCall::fragment},
                            {.trick = GraphTrick::session_lost, .status = status});
    CHECK(visitor.fragment(url, 0, 4, "ours").status == status);
    CHECK(visitor.https("GET", url).status == 404);
    CHECK(visitor.graph.open_sessions() == 0);
  }
}

TEST_CASE("a fragment can be stored though the answer says 503, and a last one too") {
  Visitor visitor;
  const std::string bytes = sample(kUnit + 10);
  const std::string url = visitor.open_session("a.bin");
  visitor.graph.fail_next({.call = GraphCall::fragment}, {.status = 503, .serve_first = true}, 2);
  CHECK(visitor.fragment(url, 0, bytes.size(), bytes.substr(0, kUnit)).status == 503);
  CHECK(Json::parse(visitor.https("GET", url).body)["nextExpectedRanges"] == Json{"327680-"});
  CHECK(visitor.fragment(url, kUnit, bytes.size(), bytes.substr(kUnit)).status == 503);
  CHECK(visitor.https("GET", url).status == 404);
  CHECK(visitor.graph.read_file("Documents", "to_avsb/a.bin") == bytes);
}

TEST_CASE("a session can forget some bytes, and tell of its ranges in pieces") {
  Visitor visitor;
  const std::string bytes = sample(2 * kUnit);
  const std::string url = visitor.open_session("a.bin");
  visitor.fragment(url, 0, bytes.size(), bytes.substr(0, kUnit));
  visitor.graph.fail_next({.call = GraphCall::session_status}, {.trick = GraphTrick::session_forgets});
  CHECK(Json::parse(visitor.https("GET", url).body)["nextExpectedRanges"] == Json{"227680-"});
  visitor.graph.fail_next({.call = GraphCall::session_status}, {.trick = GraphTrick::several_ranges});
  CHECK(Json::parse(visitor.https("GET", url).body)["nextExpectedRanges"] ==
        Json{"227680-327679", "327680-"});
  const HttpsAnswer last = visitor.fragment(url, 227'680, bytes.size(), bytes.substr(227'680));
  CHECK(last.status == 201);
  CHECK(Json::parse(last.body)["file"]["hashes"]["quickXorHash"] == quick_xor(bytes));
}

TEST_CASE("somebody can take the name at the last moment") {
  Visitor visitor;
  const std::string url = visitor.open_session("a.bin");
  visitor.graph.fail_next({.call = GraphCall::fragment}, {.trick = GraphTrick::name_taken});
  CHECK(visitor.fragment(url, 0, 4, "ours").status == 409);
  visitor.graph.fail_next({.call = GraphCall::put_content}, {.trick = GraphTrick::name_taken});
  CHECK(visitor.call("PUT", visitor.at("b.bin") + "/content?@microsoft.graph.conflictBehavior=fail", "ours")
            .status == 409);
  CHECK(visitor.graph.read_file("Documents", "to_avsb/b.bin") == "somebody else's");
}

TEST_CASE("a simple put can break with half of the file in place") {
  Visitor visitor;
  visitor.graph.fail_next({.call = GraphCall::put_content}, {.trick = GraphTrick::half_stored});
  CHECK(visitor.call("PUT", visitor.at("a.bin") + "/content", "hello world").error != CURLE_OK);
  CHECK(visitor.graph.read_file("Documents", "to_avsb/a.bin") == "hello");
}

TEST_CASE("a download can ignore the range, or begin elsewhere") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "hello world");
  const std::string url = visitor.download_url("a.bin");
  visitor.graph.fail_next({.call = GraphCall::download}, {.trick = GraphTrick::ignore_range});
  const HttpsAnswer whole = visitor.https("GET", url, {"Range: bytes=6-"});
  CHECK(whole.status == 200);
  CHECK(whole.body == "hello world");
  visitor.graph.fail_next({.call = GraphCall::download}, {.trick = GraphTrick::wrong_range});
  const HttpsAnswer shifted = visitor.https("GET", url, {"Range: bytes=6-"});
  CHECK(shifted.status == 206);
  CHECK(shifted.body == "orld");
}

TEST_CASE("hashes can be absent or wrong, and an eTag can change by itself") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "hello world");
  const GraphMatch item{.call = GraphCall::item};
  visitor.graph.fail_next(item, {.trick = GraphTrick::no_hash});
  CHECK_FALSE(visitor.get(visitor.at("a.bin"))["file"].contains("hashes"));
  visitor.graph.fail_next(item, {.trick = GraphTrick::wrong_hash});
  CHECK(visitor.get(visitor.at("a.bin"))["file"]["hashes"]["quickXorHash"] != quick_xor("hello world"));
  const Json before = visitor.get(visitor.at("a.bin"));
  CHECK(before["file"]["hashes"]["quickXorHash"] == quick_xor("hello world"));
  visitor.graph.fail_next(item, {.trick = GraphTrick::bump_etag});
  const Json after = visitor.get(visitor.at("a.bin"));
  CHECK(after["eTag"] != before["eTag"]);
  CHECK(after["cTag"] == before["cTag"]);
}

TEST_CASE("pages can repeat, be empty and go in circles") {
  Visitor visitor({.page_size = 1});
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "a");
  const std::string first = "/drives/" + visitor.drive() + "/root:/to_avsb:/children";
  const auto page = [&](GraphTrick trick) {
    visitor.graph.fail_next({.call = GraphCall::list}, {.trick = trick});
    return visitor.get(first);
  };
  CHECK(page(GraphTrick::repeat_page)["value"].size() == 2);
  const auto next_of = [&](const Json& one) {
    const std::string link = one["@odata.nextLink"];
    REQUIRE(link.starts_with(visitor.graph.graph_url() + "/v1.0"));
    return visitor.get(link.substr(visitor.graph.graph_url().size() + 5));
  };
  const Json empty = page(GraphTrick::empty_page);
  CHECK(empty["value"].empty());
  CHECK(next_of(empty)["value"].size() == 1);
  const Json looping = page(GraphTrick::looping_pages);
  CHECK(looping["value"].size() == 1);
  CHECK(next_of(looping)["value"][0]["name"] == "a.bin");
}

TEST_CASE("content can redirect to a stranger, and answers can be no JSON") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "a");
  visitor.graph.fail_next({.call = GraphCall::content},
                          {.trick = GraphTrick::foreign_redirect, .location = "https://files.example.org/a"});
  CHECK(visitor.download_url("a.bin") == "https://files.example.org/a");
  visitor.graph.fail_next({.call = GraphCall::item},
                          {.status = 502, .body = "<html>Bad gateway</html>", .content_type = "text/html"});
  const HttpsAnswer html = visitor.call("GET", visitor.at("a.bin"));
  CHECK(html.status == 502);
  CHECK(html.headers.at("content-type") == "text/html");
  CHECK(html.body == "<html>Bad gateway</html>");
}

TEST_CASE("the connection can break, stall and dawdle") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", std::string(100'000, 'x'));
  const std::string url = visitor.download_url("a.bin");
  const auto fetched = [&](GraphTrick trick, long most) {
    visitor.graph.fail_next({.call = GraphCall::download},
                            {.trick = trick, .delay = std::chrono::milliseconds(200)});
    return visitor.https("GET", url, {}, {}, most);
  };
  const HttpsAnswer truncated = fetched(GraphTrick::truncated, 20'000);
  CHECK(truncated.error != CURLE_OK);
  CHECK(truncated.body.size() == 50'000);
  CHECK(fetched(GraphTrick::reset, 20'000).error != CURLE_OK);
  CHECK(fetched(GraphTrick::stalled, 400).error == CURLE_OPERATION_TIMEDOUT);
  const HttpsAnswer stalled = fetched(GraphTrick::stalled_body, 1000);
  CHECK(stalled.error == CURLE_OPERATION_TIMEDOUT);
  CHECK(stalled.body.size() == 50'000);
  const HttpsAnswer slow = fetched(GraphTrick::slow, 20'000);
  CHECK(slow.error == CURLE_OK);
  CHECK(slow.body.size() == 100'000);
}

TEST_CASE("a fault can change the world around a request") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "first");
  const std::string url = visitor.download_url("a.bin");
  visitor.graph.fail_next({.call = GraphCall::download},
                          {.after = [&] { visitor.graph.put_file("Documents", "to_avsb/a.bin", "second"); }});
  CHECK(visitor.https("GET", url).body == "first");
  visitor.graph.fail_next({.call = GraphCall::download},
                          {.before = [&] { visitor.graph.put_file("Documents", "to_avsb/a.bin", "third"); }});
  CHECK(visitor.https("GET", url).body == "third");
}

TEST_CASE("every request is written down") {
  Visitor visitor;
  visitor.graph.clear_requests();
  visitor.call(
      "PUT", visitor.at("a.bin") + "/content", "hello",
      {"client-request-id: 00000000-1111-4222-8333-444444444444", "User-Agent: NONISV|Test|veer/1.0"});
  const HttpsAnswer lost = visitor.call("GET", visitor.at("b.bin"));
  visitor.https("GET", visitor.download_url("a.bin"), {"Range: bytes=1-"});
  const auto requests = visitor.graph.requests();
  const auto put = std::find_if(requests.begin(), requests.end(),
                                [](const auto& one) { return one.call == GraphCall::put_content; });
  REQUIRE(put != requests.end());
  CHECK(put->method == "PUT");
  CHECK(put->authorization);
  CHECK(put->client_request_id == "00000000-1111-4222-8333-444444444444");
  CHECK(put->user_agent == "NONISV|Test|veer/1.0");
  CHECK(put->size == 5);
  CHECK(put->status == 201);
  const auto missing =
      std::find_if(requests.begin(), requests.end(), [](const auto& one) { return one.status == 404; });
  REQUIRE(missing != requests.end());
  CHECK(missing->request_id == lost.headers.at("request-id"));
  CHECK(Json::parse(lost.body)["error"]["innerError"]["request-id"] == missing->request_id);
  CHECK(requests.back().host == visitor.graph.storage_host());
  CHECK(requests.back().range == "bytes=1-");
  CHECK_FALSE(requests.back().authorization);
  CHECK(visitor.graph.count({.call = GraphCall::item}) == 1);
  CHECK(visitor.graph.count({.path = "a\\.bin:/content"}) == 2);
}

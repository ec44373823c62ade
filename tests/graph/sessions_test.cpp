#include <catch2/catch.hpp>

#include "graph/quick_xor.h"
#include "graph/visitor.h"

using namespace veer::test;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kUnit = 327'680;

Json ranges_of(const Visitor& visitor, const std::string& url) {
  return Json::parse(visitor.https("GET", url).body)["nextExpectedRanges"];
}

}  // namespace

TEST_CASE("a fragment that is out of order, overlaps or is of an odd size is refused") {
  Visitor visitor;
  const std::string bytes = sample(3 * kUnit);
  const std::string url = visitor.open_session("big.bin");
  const auto refusal = [&](std::size_t begin, std::size_t size) {
    const HttpsAnswer answer = visitor.fragment(url, begin, bytes.size(), bytes.substr(begin, size));
    return std::to_string(answer.status) + " " + inner_code_of(answer);
  };
  CHECK(refusal(0, kUnit - 1) == "400 ");
  CHECK(refusal(kUnit, kUnit) == "416 fragmentOutOfOrder");
  REQUIRE(visitor.fragment(url, 0, bytes.size(), bytes.substr(0, kUnit)).status == 202);
  CHECK(refusal(0, kUnit) == "416 fragmentOverlap");
  CHECK(visitor.fragment(url, kUnit, bytes.size() + 1, bytes.substr(kUnit, kUnit)).status == 400);
  CHECK(visitor.https("PUT", url, {"Content-Range: bytes 327680-655359"}, bytes.substr(0, kUnit)).status ==
        400);
  CHECK(
      visitor.https("PUT", url, {"Content-Range: bytes 327680-655359/983040"}, bytes.substr(0, 100)).status ==
      400);
  CHECK(ranges_of(visitor, url) == Json{"327680-"});
  CHECK(visitor.fragment(url, kUnit, bytes.size(), bytes.substr(kUnit)).status == 201);
  CHECK(visitor.graph.read_file("Documents", "to_avsb/big.bin") == bytes);
}

TEST_CASE("a fragment of 60 MiB is too large") {
  Visitor visitor;
  const std::string url = visitor.open_session("big.bin");
  const std::string bytes(192 * kUnit, 'x');
  CHECK(visitor.fragment(url, 0, 2 * bytes.size(), bytes).status == 413);
  CHECK(visitor.fragment(url, 0, 2 * bytes.size(), bytes.substr(kUnit)).status == 202);
}

TEST_CASE("a session that is cancelled or unknown is not found, and frees the name") {
  Visitor visitor;
  const std::string url = visitor.open_session("big.bin");
  const HttpsAnswer second = visitor.call("POST", visitor.at("BIG.bin") + "/createUploadSession");
  CHECK(second.status == 409);
  CHECK(second.body.find("An upload session already exists for this file") != std::string::npos);
  CHECK(visitor.https("DELETE", url).status == 204);
  const HttpsAnswer gone = visitor.https("GET", url);
  CHECK(gone.status == 404);
  CHECK(code_of(gone) == "itemNotFound");
  CHECK_NOTHROW(visitor.open_session("big.bin"));
}

TEST_CASE("an upload URL is a secret that works alone and as it was given") {
  Visitor visitor;
  const std::string url = visitor.open_session("big.bin");
  CHECK(url.starts_with("https://localhost:"));
  CHECK(visitor.https("GET", url, {"Authorization: Bearer " + visitor.token}).status == 401);
  std::string reordered = url.substr(0, url.find('?') + 1) + url.substr(url.find("tempauth")) + "&" +
                          url.substr(url.find('?') + 1, url.find("&tempauth") - url.find('?') - 1);
  CHECK(visitor.https("GET", reordered).status == 401);
  CHECK(visitor.https("GET", url).status == 200);
  visitor.graph.refuse_authorization_on_storage(false);
  CHECK(visitor.https("GET", url, {"Authorization: Bearer x"}).status == 200);
}

TEST_CASE("a session works past the time that it tells, and dies after a day with 401") {
  Visitor visitor;
  const std::string url = visitor.open_session("big.bin");
  visitor.graph.pass_time(std::chrono::hours(1));
  CHECK(visitor.https("GET", url).status == 200);
  visitor.graph.pass_time(std::chrono::hours(24));
  const HttpsAnswer late = visitor.https("GET", url);
  CHECK(late.status == 401);
  CHECK(inner_code_of(late) == "expiredToken");
}

TEST_CASE("what happens to a taken name is as conflictBehavior says") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "first");
  const auto create = [&](const std::string& behaviour) {
    return visitor.call("POST", visitor.at("a.bin") + "/createUploadSession",
                        Json{{"item", {{"@microsoft.graph.conflictBehavior", behaviour}}}}.dump());
  };
  CHECK(code_of(create("fail")) == "nameAlreadyExists");
  CHECK(create("Fail").status == 400);

  const auto end = [&](const HttpsAnswer& session) {
    return visitor.fragment(Json::parse(session.body)["uploadUrl"], 0, 6, "second");
  };
  const HttpsAnswer renamed = end(create("rename"));
  CHECK(renamed.status == 201);
  CHECK(Json::parse(renamed.body)["name"] == "a 1.bin");
  CHECK(visitor.graph.read_file("Documents", "to_avsb/a.bin") == "first");
  CHECK(end(create("replace")).status == 200);
  CHECK(visitor.graph.read_file("Documents", "to_avsb/a.bin") == "second");
}

TEST_CASE("a name that is taken meanwhile is found at the last fragment") {
  Visitor visitor;
  const std::string url = visitor.open_session("a.bin");
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "somebody else's");
  const HttpsAnswer last = visitor.fragment(url, 0, 4, "ours");
  CHECK(last.status == 409);
  CHECK(code_of(last) == "nameAlreadyExists");
  CHECK(visitor.graph.read_file("Documents", "to_avsb/a.bin") == "somebody else's");
  CHECK(visitor.https("GET", url).status == 200);
  visitor.graph.remove_file("Documents", "to_avsb/a.bin");
  CHECK(visitor.https("POST", url).status == 201);
}

TEST_CASE("a file that does not fit is refused before its first byte") {
  Visitor visitor;
  visitor.drive();
  visitor.graph.set_quota(1000);
  const auto create = [&](int size) {
    return visitor.call("POST", visitor.at("a.bin") + "/createUploadSession",
                        Json{{"item", {{"fileSize", size}}}}.dump());
  };
  const HttpsAnswer refused = create(1001);
  CHECK(refused.status == 507);
  CHECK(code_of(refused) == "quotaLimitReached");
  CHECK(create(1000).status == 200);
  CHECK(visitor.call("PUT", visitor.at("b.bin") + "/content", std::string(1001, 'x')).status == 507);
  CHECK(visitor.get("/drives/" + visitor.drive())["quota"]["remaining"] == 1000);
}

TEST_CASE("a session with deferCommit is seen when it is committed") {
  Visitor visitor;
  const HttpsAnswer session =
      visitor.call("POST", visitor.at("a.bin") + "/createUploadSession", R"({"deferCommit":true})");
  const std::string url = Json::parse(session.body)["uploadUrl"];
  CHECK(visitor.https("POST", url).status == 400);
  CHECK(visitor.fragment(url, 0, 4, "ours").status == 202);
  CHECK(visitor.call("GET", visitor.at("a.bin")).status == 404);
  CHECK(visitor.https("POST", url).status == 201);
  CHECK(visitor.graph.read_file("Documents", "to_avsb/a.bin") == "ours");
}

TEST_CASE("an upload onto an item keeps its id, and its tags guard it") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "first");
  const auto before = *visitor.graph.file("Documents", "to_avsb/a.bin");
  const std::string create = "/drives/" + visitor.drive() + "/items/" + before.id + "/createUploadSession";
  const HttpsAnswer stale = visitor.call("POST", create, "{}", {"If-Match: \"{X},9\""});
  CHECK(stale.status == 412);
  CHECK(inner_code_of(stale) == "entityTagDoesNotMatch");
  const HttpsAnswer session = visitor.call("POST", create, "{}", {"If-Match: " + before.ctag});
  REQUIRE(session.status == 200);
  CHECK(visitor.fragment(Json::parse(session.body)["uploadUrl"], 0, 6, "second").status == 200);
  const auto after = *visitor.graph.file("Documents", "to_avsb/a.bin");
  CHECK(after.id == before.id);
  CHECK(after.ctag != before.ctag);
  CHECK(visitor.get("/drives/" + visitor.drive() + "/items/" + after.id + "/versions")["value"].size() == 2);
}

TEST_CASE("the hash is Microsoft's") {
  CHECK(quick_xor("") == "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  CHECK(quick_xor("abc") == "YRDDGAAAAAAAAAAAAwAAAAAAAAA=");
  CHECK(quick_xor(std::string(20, '\xff')) == "HOc4xznOcX784x//7Mc//vGPf/w=");
  CHECK(quick_xor(std::string(161, '\x01')) == "/v//////////////Xv////////8=");
  CHECK(quick_xor(sample(1000)) == "KbphcpColXb1/3Wm950vUzeX1es=");
  CHECK(quick_xor(sample(327'681)) == "CFxjLVlWbbPTEZb19KiSkx+BLpI=");
  QuickXor parts;
  parts.update(sample(1000).substr(0, 333));
  parts.update(sample(1000).substr(333));
  CHECK(parts.base64() == "KbphcpColXb1/3Wm950vUzeX1es=");
}

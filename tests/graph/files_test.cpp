#include <catch2/catch.hpp>

#include "graph/quick_xor.h"
#include "graph/visitor.h"

using namespace veer::test;
using Json = nlohmann::json;

TEST_CASE("a small put is there, with size, hash and tags") {
  Visitor visitor;
  const HttpsAnswer put = visitor.call("PUT", visitor.at("one.bin") + "/content", "hello world");
  REQUIRE(put.status == 201);
  const Json item = Json::parse(put.body);
  CHECK(item["size"] == 11);
  CHECK(item["file"]["hashes"]["quickXorHash"] == "aCgDG9jwBhDc4Q1yawMZAAAAAAA=");
  CHECK(item["parentReference"]["driveId"] == visitor.drive());
  CHECK(visitor.graph.read_file("Documents", "to_avsb/one.bin") == "hello world");
  CHECK(visitor.graph.list_files("Documents", "to_avsb") == std::vector<std::string>{"one.bin"});
}

TEST_CASE("an upload in fragments is seen with its last one, and not before") {
  Visitor visitor;
  const std::string bytes = sample(327'680 * 2 + 100);
  const std::string url = visitor.open_session("big.bin");
  const HttpsAnswer first = visitor.fragment(url, 0, bytes.size(), bytes.substr(0, 327'680 * 2));
  REQUIRE(first.status == 202);
  CHECK(Json::parse(first.body)["nextExpectedRanges"] == Json{"655360-"});
  CHECK(visitor.call("GET", visitor.at("big.bin")).status == 404);
  CHECK(visitor.get("/drives/" + visitor.drive() + "/root:/to_avsb:/children")["value"].empty());
  const HttpsAnswer last = visitor.fragment(url, 327'680 * 2, bytes.size(), bytes.substr(327'680 * 2));
  REQUIRE(last.status == 201);
  CHECK(Json::parse(last.body)["file"]["hashes"]["quickXorHash"] == quick_xor(bytes));
  CHECK(visitor.graph.read_file("Documents", "to_avsb/big.bin") == bytes);
  CHECK(visitor.graph.open_sessions() == 0);
}

TEST_CASE("a download is a redirect to another host, without a token, from any byte") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/one.bin", "hello world");
  const std::string url = visitor.download_url("one.bin");
  CHECK(url.starts_with("https://localhost:"));
  const HttpsAnswer whole = visitor.https("GET", url);
  CHECK(whole.status == 200);
  CHECK(whole.body == "hello world");
  const HttpsAnswer rest = visitor.https("GET", url, {"Range: bytes=6-"});
  CHECK(rest.status == 206);
  CHECK(rest.body == "world");
  CHECK(rest.headers.at("content-range") == "bytes 6-10/11");
  CHECK(visitor.https("GET", url, {"Authorization: Bearer " + visitor.token}).status == 401);
}

TEST_CASE("what is removed for good is in no bin") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/one.bin", "1");
  visitor.graph.put_file("Documents", "to_avsb/two.bin", "2");
  const auto id = [&](const std::string& name) {
    return visitor.graph.file("Documents", "to_avsb/" + name)->id;
  };
  CHECK(visitor.call("POST", "/drives/" + visitor.drive() + "/items/" + id("one.bin") + "/permanentDelete")
            .status == 204);
  CHECK(visitor.graph.recycle_bin().empty());
  CHECK(visitor.call("DELETE", "/drives/" + visitor.drive() + "/items/" + id("two.bin")).status == 204);
  CHECK(visitor.graph.recycle_bin() == std::vector<std::string>{"two.bin"});
  CHECK(visitor.graph.list_files("Documents", "to_avsb").empty());
}

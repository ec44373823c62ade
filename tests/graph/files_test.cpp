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

TEST_CASE("listings come in pages, whichever way the options are spelled") {
  Visitor visitor({.page_size = 3});
  for (const char* name : {"a", "b", "c", "d", "e"})
    visitor.graph.put_file("Documents", std::string("to_avsb/") + name, name);
  const std::string folder = "/drives/" + visitor.drive() + "/root:/to_avsb:/children";
  const auto names = [&](const std::string& query) {
    std::string found;
    for (Json page = visitor.get(folder + query);;) {
      for (const Json& item : page["value"]) found += item["name"].get<std::string>();
      if (!page.contains("@odata.nextLink")) return found;
      found += "|";
      page = visitor.get(
          page["@odata.nextLink"].get<std::string>().substr(visitor.graph.graph_url().size() + 5));
    }
  };
  CHECK(names("") == "abc|de");
  CHECK(names("?$top=2") == "ab|cd|e");
  CHECK(names("?%24top=2&unknown=1") == "ab|cd|e");
  CHECK(names("?top=4") == "abc|de");
  CHECK(visitor.call("GET", folder + "?$top=1001").status == 400);
  CHECK(visitor.call("GET", folder + "?$skip=1").status == 400);
  const Json chosen = visitor.get(folder + "?$select=name,id");
  CHECK(chosen["value"][0].size() == 2);
}

TEST_CASE("paths may be written in many ways") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a b#%.bin", "x");
  const std::string drive = "/drives/" + visitor.drive();
  for (const char* path : {"/root:/to_avsb/a%20b%23%25.bin",
                           "/root:/to_avsb/a%20b%23%25.bin:", "/root:/to_avsb%2Fa%20b%23%25.bin:/",
                           "/root:/./to_avsb/A%20B%23%25.BIN", "/items/root:/to_avsb/a%20b%23%25.bin:"})
    CHECK(visitor.call("GET", drive + path).status == 200);
  CHECK(visitor.call("GET", drive + "/root:/to_avsb/a+b%23%25.bin").status == 404);
  CHECK(visitor.call("GET", drive + "/").status == 200);
  CHECK(visitor.call("GET", drive + "/root").status == 200);
  const std::string folder = visitor.get(drive + "/root:/to_avsb")["id"];
  CHECK(visitor.call("GET", drive + "/items/" + folder + ":/a%20b%23%25.bin").status == 200);
  CHECK(visitor.get(drive + "/items/" + folder + "/children")["value"].size() == 1);
  const HttpsAnswer wrong =
      visitor.call("GET", "/sites/contoso.sharepoint.com:/sites/uitwisseling:/drives:/Documents");
  CHECK(wrong.status == 400);
  CHECK(code_of(wrong) == "BadRequest");
}

TEST_CASE("an item is renamed, moved and guarded by its tags") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "a");
  visitor.graph.put_file("Documents", "to_avsb/b.bin", "b");
  const std::string drive = "/drives/" + visitor.drive();
  const Json item = visitor.get(visitor.at("a.bin"));
  const std::string path = drive + "/items/" + item["id"].get<std::string>();
  CHECK(visitor.call("PATCH", path, R"({"name":"B.bin"})").status == 409);
  CHECK(visitor.call("PATCH", path, R"({"name":"c.bin"})", {"If-Match: \"{X},1\""}).status == 412);
  CHECK(visitor
            .call("PATCH", path, R"({"name":"c.bin","parentReference":{"id":"","driveId":""}})",
                  {"If-Match: " + item["eTag"].get<std::string>()})
            .status == 200);
  CHECK(visitor.call("PATCH", path, R"({"parentReference":{"id":"root"}})").status == 400);
  const std::string other = visitor.get(drive + "/root:/to_aii")["id"];
  CHECK(visitor.call("PATCH", path, Json{{"parentReference", {{"id", other}}}}.dump()).status == 200);
  CHECK(visitor.graph.list_files("Documents", "to_aii") == std::vector<std::string>{"c.bin"});
  CHECK(visitor.get(path)["cTag"] == item["cTag"]);
  CHECK(visitor.get(path)["eTag"] != item["eTag"]);
}

TEST_CASE("another time of change is another version of full size") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", std::string(1000, 'x'));
  const std::string path = visitor.at("a.bin");
  CHECK(visitor.call("PATCH", path, R"({"fileSystemInfo":{"lastModifiedDateTime":"2026-01-02T03:04:05Z"}})")
            .status == 200);
  CHECK(visitor.get(path)["lastModifiedDateTime"] == "2026-01-02T03:04:05Z");
  CHECK(visitor.get("/drives/" + visitor.drive())["quota"]["used"] == 2000);
}

TEST_CASE("a retention policy keeps a file, and permanentDelete may be missing") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "a");
  const std::string item =
      "/drives/" + visitor.drive() + "/items/" + visitor.graph.file("Documents", "to_avsb/a.bin")->id;
  visitor.graph.hold("Documents", "to_avsb/a.bin");
  const HttpsAnswer held = visitor.call("DELETE", item);
  CHECK(held.status == 403);
  CHECK(held.body.find("on hold") != std::string::npos);
  visitor.graph.hold("Documents", "to_avsb/a.bin", false);
  visitor.graph.support_permanent_delete(false);
  CHECK(visitor.call("POST", item + "/permanentDelete").status == 400);
  CHECK(visitor.call("DELETE", item, {}, {"If-Match: \"{X},1\""}).status == 412);
  CHECK(visitor.call("DELETE", item).status == 204);
  CHECK(visitor.call("DELETE", item).status == 404);
}

TEST_CASE("names that SharePoint forbids are refused, and documents are rewritten") {
  Visitor visitor;
  const auto put = [&](const std::string& name) {
    return visitor.call("PUT", visitor.at(name) + "/content", "x");
  };
  for (const char* name : {"a%3Ab", "a%2Ab", "%20a", "a.", "~$a", "CON", "lpt1", "x_vti_y", "desktop.ini"}) {
    INFO(name);
    CHECK(put(name).status == 400);
  }
  CHECK(put("con.bin").status == 201);
  CHECK(Json::parse(put("a.docx").body)["size"] > 1);
}

TEST_CASE("a name differs by more than its case") {
  Visitor visitor;
  CHECK(visitor.call("PUT", visitor.at("a.bin") + "/content", "x").status == 201);
  CHECK(visitor.call("PUT", visitor.at("A.BIN") + "/content", "y").status == 200);
  CHECK(visitor.call("PUT", visitor.at("A.bin") + "/content?@name.conflictBehavior=fail", "z").status == 409);
  CHECK(visitor.graph.read_file("Documents", "to_avsb/a.bin") == "y");
}

TEST_CASE("the eTag changes in the background after an upload, and the cTag stays") {
  Visitor visitor;
  const Json put = Json::parse(visitor.call("PUT", visitor.at("a.bin") + "/content", "x").body);
  const Json later = visitor.get(visitor.at("a.bin"));
  CHECK(put["eTag"] != later["eTag"]);
  CHECK(put["cTag"] == later["cTag"]);
  CHECK(visitor.get(visitor.at("a.bin"))["eTag"] == later["eTag"]);
}

TEST_CASE("a download URL ends at its time") {
  Visitor visitor({.token_lifetime = std::chrono::hours(24)});
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "hello");
  const std::string url = visitor.get(visitor.at("a.bin"))["@microsoft.graph.downloadUrl"];
  CHECK(visitor.https("GET", url, {"Range: bytes=-2"}).body == "lo");
  CHECK(visitor.https("GET", url, {"Range: bytes=1-2"}).body == "el");
  CHECK(visitor.https("GET", url, {"Range: bytes=5-"}).status == 416);
  CHECK(visitor.https("GET", url + "x").status == 401);
  visitor.graph.pass_time(std::chrono::seconds(3600));
  CHECK(visitor.https("GET", url).status == 401);
  const std::string fresh = visitor.download_url("a.bin");
  visitor.graph.expire_urls();
  CHECK(visitor.https("GET", fresh).status == 401);
}

TEST_CASE("a folder that was made anew has another id") {
  Visitor visitor;
  visitor.graph.put_file("Documents", "to_avsb/a.bin", "hello");
  const std::string path = "/drives/" + visitor.drive() + "/root:/to_avsb";
  const std::string before = visitor.get(path)["id"];
  visitor.graph.replace_folder("Documents", "to_avsb");
  CHECK(visitor.get(path)["id"] != before);
  CHECK(visitor.graph.list_files("Documents", "to_avsb").empty());
  CHECK(visitor.call("GET", "/drives/" + visitor.drive() + "/items/" + before).status == 404);
  const HttpsAnswer made =
      visitor.call("POST", "/drives/" + visitor.drive() + "/root/children", R"({"name":"new","folder":{}})");
  CHECK(made.status == 201);
  visitor.graph.rename_library("Documents", "Documenten");
  CHECK(visitor.get("/drives/" + visitor.drive())["name"] == "Documenten");
}

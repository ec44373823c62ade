#include <algorithm>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "connectors/sharepoint_share.h"
#include "core/digest.h"
#include "graph/graph_share.h"
#include "graph/https.h"
#include "graph/quick_xor.h"
#include "support/connect_proxy.h"
#include "support/server_process.h"
#include "support/shell.h"
#include "support/temp_folder.h"

/// Clients of Graph that were written elsewhere: what they and the emulator disagree on, the emulator has
/// wrong.
namespace {

using namespace veer::test;
using Json = nlohmann::json;

constexpr const char* kLibrary = GraphShare::kLibrary;

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  REQUIRE(out.flush());
}

std::string some_bytes(std::size_t size, unsigned seed) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 1'664'525U + 1'013'904'223U;
    byte = static_cast<char>(seed >> 24U);
  }
  return bytes;
}

/// An emulated tenant, and a folder for files on this side.
struct Place {
  explicit Place(GraphOptions options = {}) : tenant(with_secret(std::move(options))), graph(tenant.graph()) {
    write(folder / "ca.pem", graph.ca_pem());
    write(folder / "certificate.pem", tenant.certificate().certificate);
    write(folder / "key.pem", tenant.certificate().key);
  }
  static GraphOptions with_secret(GraphOptions options) {
    options.apps[0].secret = "rclone's";
    return options;
  }
  std::string path(const std::string& name) const { return (folder / name).string(); }

  /// Microsoft's clients; one line of JSON for each step.
  std::vector<Json> node(const std::string& steps) const {
    const Json settings{{"modules", VEER_STRANGERS},
                        {"login", graph.login_url()},
                        {"graph", graph.graph_url()},
                        {"tenant", graph.options().tenant},
                        {"app", graph.options().apps[0].id},
                        {"certificate", path("certificate.pem")},
                        {"key", path("key.pem")},
                        {"site", "contoso.sharepoint.com:/sites/uitwisseling"},
                        {"library", kLibrary}};
    write(folder / "settings.json", settings.dump());
    const ShellResult result =
        shell(fmt::format("cd {} && env -u HTTPS_PROXY -u https_proxy NODE_EXTRA_CA_CERTS={} LSAN_OPTIONS= "
                          "node --dns-result-order=ipv4first "
                          "{}/tests/strangers/graph_client.mjs settings.json {} 2>{}",
                          path(""), path("ca.pem"), VEER_SOURCE_DIR, steps, path("node.log")));
    INFO(text_in(folder / "node.log"));
    REQUIRE(result.exit_code == 0);
    std::vector<Json> lines;
    std::istringstream in(result.output);
    for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  TempFolder folder;
  GraphShare tenant;
  GraphEmulator& graph;
};

/// What our connector puts into "to_avsb", and what the other side's fetches from there.
void put(veer::SharePointOptions side, const std::string& name, const std::string& bytes) {
  veer::SharePointShare(std::move(side)).put(name, veer::MemoryBlob(bytes), {}, {});
}
std::string fetched(veer::SharePointOptions side, const std::string& name) {
  veer::SharePointShare share(std::move(side));
  const auto entries = share.list(veer::Folder::incoming, {});
  const auto entry =
      std::find_if(entries.begin(), entries.end(), [&](const auto& one) { return one.name == name; });
  REQUIRE(entry != entries.end());
  veer::StringSink sink(std::size_t{1} << 26);
  share.fetch(veer::Folder::incoming, *entry, 0, sink, {});
  return sink.take();
}

}  // namespace

TEST_CASE("Microsoft's sign-in library signs in with a certificate, in both forms") {
  const Place place;
  const auto lines = place.node("sign-in,sha256 sign-in,sha1");
  REQUIRE(lines.size() == 2);
  for (const Json& line : lines) {
    CHECK(line["token"] == true);
    CHECK(line["cached"] == true);
  }
  CHECK(place.graph.count({.call = GraphCall::token}) == 2);
}

TEST_CASE("Microsoft's Graph client uploads, downloads, lists and removes") {
  const Place place;
  const std::string small = some_bytes(10'000, 1);
  const std::string large = some_bytes(9'000'001, 2);
  write(place.folder / "small", small);
  write(place.folder / "large", large);
  const auto lines = place.node(
      "put,to_avsb/small.bin,small upload,to_avsb/large.bin,large get,to_avsb/large.bin,back "
      "put,to_avsb/gone.bin,small "
      "list,to_avsb remove,to_avsb/gone.bin list,to_avsb");
  REQUIRE(lines.size() == 7);
  CHECK(lines[0]["hash"] == quick_xor(small));
  CHECK(lines[1]["hash"] == quick_xor(large));
  CHECK(lines[1]["size"] == large.size());
  CHECK(place.graph.read_file(kLibrary, "to_avsb/large.bin") == large);
  CHECK(place.graph.count({.call = GraphCall::fragment}) == 3);
  CHECK(lines[2]["sha256"] == veer::sha256_hex(large));
  CHECK(text_in(place.folder / "back") == large);
  CHECK(lines[4]["names"] == Json{"gone.bin", "large.bin", "small.bin"});
  CHECK(place.graph.count({.call = GraphCall::list}) == 3);  // in pages of two
  CHECK(lines[6]["names"] == Json{"large.bin", "small.bin"});
  CHECK(place.graph.recycle_bin().empty());
  for (const GraphRequest& request : place.graph.requests()) {
    INFO(request.method << " " << request.host);
    CHECK(request.status < 400);
    CHECK(request.authorization ==
          (request.host != place.graph.storage_host() && request.call != GraphCall::token &&
           request.call != GraphCall::discovery));
  }
}

TEST_CASE("what Microsoft's client uploads our connector fetches, and the other way round") {
  // As unkind as Microsoft may be: chunks, long and odd addresses, storage of another origin.
  const Place place({.chunked = true, .odd_urls = true, .storage_apart = true});
  const std::string small = some_bytes(10'000, 4);
  const std::string large = some_bytes(12'345'678, 5);
  write(place.folder / "small", small);
  write(place.folder / "large", large);
  place.node("put,to_avsb/their-small.bin,small upload,to_avsb/their-large.bin,large");
  CHECK(fetched(place.tenant.other_side(), "their-small.bin") == small);
  CHECK(veer::sha256_hex(fetched(place.tenant.other_side(), "their-large.bin")) == veer::sha256_hex(large));

  put(place.tenant.share(), "our-small.bin", small);
  put(place.tenant.share(), "our-large.bin", large);
  const auto lines = place.node("get,to_avsb/our-small.bin,back-small get,to_avsb/our-large.bin,back-large");
  CHECK(lines[0]["sha256"] == veer::sha256_hex(small));
  CHECK(lines[1]["sha256"] == veer::sha256_hex(large));
}

TEST_CASE("Microsoft's Graph client is throttled, waits as long as it is told, and goes on") {
  Place place;
  place.graph.fail_next({.call = GraphCall::list}, {.status = 429, .retry_after = 1});
  place.graph.put_file(kLibrary, "to_avsb/a.bin", "a");
  CHECK(place.node("list,to_avsb").at(0)["names"] == Json{"a.bin"});
  CHECK(place.graph.count({.call = GraphCall::list}) == 2);
}

TEST_CASE("rclone copies, hashes and purges through a proxy, and reaches nothing else") {
  // Its hosts are fixed, and it sends its token on upload URLs.
  Place place({.storage_host = "contoso.sharepoint.com",
               .refuse_authorization_on_storage = false,
               .chunked = true,
               .odd_urls = true});
  const ConnectProxy proxy({.routes = {{"graph.microsoft.com:443", place.graph.port()},
                                       {"contoso.sharepoint.com:443", place.graph.port()}}});
  const Https https(place.graph.ca_pem());
  const HttpsAnswer answer =
      https("POST", place.graph.login_url() + "/" + place.graph.options().tenant + "/oauth2/v2.0/token", {},
            "grant_type=client_credentials&scope=https://graph.microsoft.com/.default&client_secret=rclone's"
            "&client_id=" +
                place.graph.options().apps[0].id);
  const std::string token = Json::parse(answer.body)["access_token"];
  const std::vector<std::string> bearer = {"Authorization: Bearer " + token};
  const auto get = [&](const std::string& path) {
    return Json::parse(https("GET", place.graph.graph_url() + "/v1.0" + path, bearer).body);
  };
  const std::string site = get("/sites/contoso.sharepoint.com:/sites/uitwisseling")["id"];
  const std::string drive = get("/sites/" + site + "/drives")["value"][0]["id"];
  write(place.folder / "rclone.conf",
        fmt::format("[share]\ntype = onedrive\ndrive_type = documentLibrary\ndrive_id = {}\ntoken = {}\n",
                    drive,
                    Json{{"access_token", token},
                         {"token_type", "Bearer"},
                         {"refresh_token", "none"},
                         {"expiry", "2199-01-01T00:00:00Z"}}
                        .dump()));
  const auto rclone = [&](const std::string& words) {
    const ShellResult result =
        shell(fmt::format("cd {} && env -u NO_PROXY -u no_proxy HTTPS_PROXY={} SSL_CERT_FILE={} "
                          "RCLONE_CONFIG={} rclone --retries 1 2>{} {}",
                          place.path(""), proxy.url(), place.path("ca.pem"), place.path("rclone.conf"),
                          place.path("rclone.log"), words));
    INFO(words);
    INFO(text_in(place.folder / "rclone.log"));
    REQUIRE(result.exit_code == 0);
    return result.output;
  };
  const std::string large = some_bytes(11'000'000, 3);
  std::filesystem::create_directory(place.folder / "out");
  write(place.folder / "out" / "large.bin", large);
  write(place.folder / "out" / "small.bin", "small");
  write(place.folder / "out" / "empty.bin", "");
  rclone("copy out share:to_avsb");
  CHECK(place.graph.read_file(kLibrary, "to_avsb/large.bin") == large);
  CHECK(place.graph.read_file(kLibrary, "to_avsb/small.bin") == "small");
  CHECK(place.graph.read_file(kLibrary, "to_avsb/empty.bin") == "");
  // SharePoint tells no hash of an empty file.
  const std::string hashes = "hashsum quickxor --min-size 1B ";
  CHECK(rclone(hashes + "share:to_avsb | sort") == rclone(hashes + "out | sort"));
  rclone("check out share:to_avsb");
  rclone("copy share:to_avsb back");
  CHECK(text_in(place.folder / "back" / "large.bin") == large);

  veer::SharePointOptions ours = place.tenant.share();
  veer::SharePointOptions theirs = place.tenant.other_side();
  ours.proxy = theirs.proxy = proxy.url();
  CHECK(veer::sha256_hex(fetched(std::move(theirs), "large.bin")) == veer::sha256_hex(large));
  put(std::move(ours), "ours.bin", large);
  rclone("copy share:to_avsb/ours.bin back");
  CHECK(text_in(place.folder / "back" / "ours.bin") == large);
  rclone("deletefile share:to_avsb/ours.bin");

  rclone("moveto share:to_avsb/small.bin share:to_aii/moved.bin");
  CHECK(place.graph.read_file(kLibrary, "to_aii/moved.bin") == "small");
  rclone("deletefile share:to_avsb/empty.bin");
  CHECK(place.graph.list_files(kLibrary, "to_avsb") == std::vector<std::string>{"large.bin"});
  const std::vector<std::string> known = {"graph.microsoft.com:443", "contoso.sharepoint.com:443",
                                          fmt::format("127.0.0.1:{}", place.graph.port())};
  for (const std::string& asked : proxy.asked())
    CHECK(std::find(known.begin(), known.end(), asked) != known.end());
}

// Puts to SharePoint, against the emulator and the traps that other clients fell into.

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "unit/connectors/sharepoint_world.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using World = SharePointWorld;

namespace {

constexpr std::size_t kMega = std::size_t{1} << 20;

/// The process ends here, without a word.
struct Killed {};

/// How often the service took each fragment, by its Content-Range.
std::map<std::string, int> fragments_taken(const GraphEmulator& graph) {
  std::map<std::string, int> taken;
  for (const GraphRequest& request : graph.requests())
    if (request.call == GraphCall::fragment && request.status >= 200 && request.status < 300)
      ++taken[request.content_range];
  return taken;
}

bool overlap(const std::map<std::string, int>& fragments) {
  std::uint64_t end = 0;
  std::map<std::uint64_t, std::uint64_t> ranges;
  for (const auto& [text, times] : fragments) {
    std::smatch parts;
    if (times != 1 || !std::regex_match(text, parts, std::regex("bytes (\\d+)-(\\d+)/\\d+"))) return true;
    ranges[std::stoull(parts[1])] = std::stoull(parts[2]);
  }
  for (const auto& [from, last] : ranges) {
    if (from < end) return true;
    end = last + 1;
  }
  return false;
}

}  // namespace

TEST_CASE("the address of an upload is kept before the first byte goes, and bears no token") {
  World world;
  const std::string bytes = some_bytes(20 * kMega + 12345);
  std::vector<std::size_t> fragments_before;
  std::vector<bool> addresses;
  world.ours->put("a.pgp", MemoryBlob(bytes),
                  {"",
                   [&](const std::string& note) {
                     addresses.push_back(note.find("uploadSession") != std::string::npos);
                     fragments_before.push_back(world.count(GraphCall::fragment));
                   }},
                  {});
  // Once more before the last fragment; and of the address nothing stays when the file is there.
  CHECK(fragments_before == std::vector<std::size_t>{0, 2, 3});
  CHECK(addresses == std::vector<bool>{true, true, false});
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 1);
  CHECK(world.count(GraphCall::fragment) == 3);
  CHECK(world.graph.open_sessions() == 0);
  for (const GraphRequest& request : world.graph.requests()) {
    CAPTURE(request.target);
    if (request.call == GraphCall::fragment) {
      CHECK_FALSE(request.authorization);
      CHECK((request.size % 327680 == 0 || request.content_range.find("/20983865") != std::string::npos));
    }
    CHECK(request.user_agent.starts_with("NONISV|Veerdienst|Veerdienst/"));
    CHECK(request.client_request_id.size() == 36);
  }
}

TEST_CASE("200 MB killed at ten moments go on each time, and no fragment goes twice") {
  World world;
  const std::string bytes = some_bytes(200 * kMega + 1);
  std::vector<std::uint64_t> moments;
  for (std::uint64_t state = 7; moments.size() < 10;
       state = state * 6364136223846793005ULL + 1442695040888963407ULL)
    moments.push_back((state >> 16) % bytes.size());
  std::sort(moments.begin(), moments.end());
  for (const std::uint64_t moment : moments) {
    const Transfer dying{{}, [&](std::uint64_t done) {
                           if (done >= moment) throw Killed{};
                         }};
    CHECK_THROWS_AS(world.put("big.pgp", bytes, dying), Killed);
    CHECK_FALSE(world.stored("big.pgp"));
    world.restart();
  }
  world.put("big.pgp", bytes);
  CHECK(world.stored("big.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 1);
  CHECK(world.kept == 3);
  CHECK(world.note.empty());
  CHECK_FALSE(overlap(fragments_taken(world.graph)));
}

TEST_CASE("a stop in an upload leaves it to go on with") {
  World world;
  const std::string bytes = some_bytes(21 * kMega);
  std::stop_source stop;
  CHECK(code_of([&] {
          world.put("a.pgp", bytes, {stop.get_token(), [&](std::uint64_t done) {
                                       if (done > 11 * kMega) stop.request_stop();
                                     }});
        }) == Code::l_stopped);
  world.restart();
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 1);
  CHECK_FALSE(overlap(fragments_taken(world.graph)));
}

TEST_CASE("an upload that nobody can take up again leaves the name free") {
  World world;
  const std::string bytes = some_bytes(21 * kMega);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 500});
  CHECK(code_of([&] { world.ours->put("a.pgp", MemoryBlob(bytes), {}, {}); }) == Code::s_unreachable);
  CHECK(world.graph.open_sessions() == 0);
  world.ours->put("a.pgp", MemoryBlob(bytes), {}, {});
  CHECK(world.stored("a.pgp") == bytes);
}

TEST_CASE("removing what is on its way ends its upload") {
  World world;
  world.graph.fail_next({.call = GraphCall::fragment}, {.status = 500});
  CHECK(code_of([&] { world.put("a.pgp", some_bytes(5 * kMega)); }) == Code::s_unreachable);
  CHECK(world.graph.open_sessions() == 1);
  world.ours->remove(Folder::outgoing, "a.pgp", {});
  CHECK(world.graph.open_sessions() == 0);
}

TEST_CASE("a note of another file or of nonsense is not gone on with") {
  World world;
  const std::string bytes = some_bytes(5 * kMega);
  for (const std::string& note :
       {std::string("sharepoint-upload b.pgp 5242880 https://localhost/x"), std::string("nonsense"),
        std::string("sharepoint-upload a.pgp 5242880 https://evil.example.org/x"),
        "sharepoint-upload a.pgp 5242881 https://" + world.graph.storage_host() + "/x"}) {
    CAPTURE(note);
    world.note = note;
    world.put("a.pgp", bytes);
    CHECK(world.stored("a.pgp") == bytes);
    CHECK(world.count(GraphCall::session_status) == 0);
    world.ours->remove(Folder::outgoing, "a.pgp", {});
  }
}

TEST_CASE("a fragment that was stored though the answer was an error is not sent again") {
  World world;
  const std::string bytes = some_bytes(20 * kMega + 1);
  const int status = GENERATE(500, 502, 503, 504);
  CAPTURE(status);
  const Code expected = status == 504 ? Code::s_timeout : Code::s_unreachable;
  SECTION("in the midst") {
    world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = status, .serve_first = true});
    CHECK(code_of([&] { world.put("a.pgp", bytes); }) == expected);
    world.restart();
    world.put("a.pgp", bytes);
    CHECK(world.count(GraphCall::fragment) == 3);
  }
  SECTION("the last") {
    world.graph.fail_next({.call = GraphCall::fragment, .skip = 2}, {.status = status, .serve_first = true});
    CHECK(code_of([&] { world.put("a.pgp", bytes); }) == expected);
    world.restart();
    world.put("a.pgp", bytes);
    CHECK(world.count(GraphCall::fragment) == 3);
    CHECK(world.count(GraphCall::create_session) == 1);
  }
  CHECK(world.stored("a.pgp") == bytes);
}

TEST_CASE("a connection that breaks in an upload costs one fragment at most") {
  World world;
  const std::string bytes = some_bytes(20 * kMega + 1);
  const GraphTrick trick = GENERATE(GraphTrick::reset, GraphTrick::truncated);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.trick = trick});
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_unreachable);
  world.restart();
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 1);
  CHECK(world.count(GraphCall::fragment) <= 4);
}

TEST_CASE("a session that is lost begins anew, under a new address") {
  World world;
  const std::string bytes = some_bytes(20 * kMega + 1);
  const int status = GENERATE(401, 404, 410);
  CAPTURE(status);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1},
                        {.trick = GraphTrick::session_lost, .status = status});
  const auto error = thrown([&] { world.put("a.pgp", bytes); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_unreachable);
  CHECK(world.note.empty());
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 2);
  std::map<std::string, int> addresses;
  for (const GraphRequest& request : world.graph.requests())
    if (request.call == GraphCall::fragment) ++addresses[request.target];
  CHECK(addresses.size() == 2);
}

TEST_CASE("a session that died between two starts begins anew") {
  World world;
  const std::string bytes = some_bytes(20 * kMega + 1);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 500});
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_unreachable);
  SECTION("its address expired, and it with it") { world.graph.expire_urls(); }
  SECTION("the service forgot it") {
    world.graph.fail_next({.call = GraphCall::session_status},
                          {.trick = GraphTrick::session_lost, .status = GENERATE(401, 404, 410)});
  }
  world.restart();
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 2);
}

TEST_CASE("a session that a busy service does not know yet is asked for again") {
  World world;
  const std::string bytes = some_bytes(5 * kMega);
  world.graph.fail_next({.call = GraphCall::fragment}, {.status = 404});
  const auto error = thrown([&] { world.put("a.pgp", bytes); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_unreachable);
  CHECK(error->retry_after() == 5000ms);
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 1);
}

TEST_CASE("what the service says that it lacks decides what is sent next") {
  World world;
  const std::string bytes = some_bytes(20 * kMega + 1);
  SECTION("it forgot some") {
    world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.trick = GraphTrick::session_forgets});
  }
  SECTION("it names several ranges") {
    world.graph.fail_next({.call = GraphCall::fragment}, {.trick = GraphTrick::several_ranges});
  }
  SECTION("it names none") {
    world.graph.fail_next({.call = GraphCall::fragment}, {.status = 202, .serve_first = true, .body = "{}"});
  }
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 1);
}

TEST_CASE("a service that loses the same bytes over and over is given up for now") {
  World world;
  world.graph.fail_next({.call = GraphCall::fragment}, {.status = 416}, 100);
  CHECK(code_of([&] { world.put("a.pgp", some_bytes(5 * kMega)); }) == Code::s_protocol);
  CHECK(world.count(GraphCall::fragment) <= 4);
}

TEST_CASE("a name that another takes meanwhile stays the other's") {
  World world;
  const std::string bytes = GENERATE(some_bytes(11 * kMega), some_bytes(1000));
  if (bytes.size() > 4 * kMega)
    world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.trick = GraphTrick::name_taken});
  else
    world.graph.fail_next({.call = GraphCall::put_content}, {.trick = GraphTrick::name_taken});
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_name_taken);
  CHECK(world.stored("a.pgp") == "somebody else's");
  CHECK(world.graph.open_sessions() == 0);
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_name_taken);
}

TEST_CASE("a conflict at the last fragment of what is there by now is a success") {
  World world;
  const std::string bytes = some_bytes(11 * kMega);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 409, .serve_first = true});
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
}

TEST_CASE(
    "a name that the service keeps from us without a file to be seen is told as taken, so that the next is "
    "tried") {
  World world;
  const auto [size, call] = GENERATE(table<std::size_t, GraphCall>({{1000, GraphCall::put_content},
                                                                    {11 * kMega, GraphCall::create_session},
                                                                    {11 * kMega, GraphCall::fragment}}));
  CAPTURE(size, call);
  world.graph.fail_next({.call = call}, {.status = 409});
  const std::string bytes = some_bytes(size);
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_name_taken);
  CHECK(world.graph.open_sessions() == 0);
  world.put("a-2.pgp", bytes);
  CHECK(world.stored("a-2.pgp") == bytes);
}

TEST_CASE("a small put that broke off is put again whole, and another's file stays") {
  World world;
  const std::string bytes = some_bytes(100'000);
  world.graph.fail_next({.call = GraphCall::put_content}, {.trick = GraphTrick::half_stored});
  // On a connection that was kept open it is sent anew at once, else by the next call.
  if (code_of([&] { world.put("a.pgp", bytes); })) {
    world.restart();
    world.put("a.pgp", bytes);
  }
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::put_content) >= 2);
  world.graph.put_file(GraphShare::kLibrary, "to_avsb/b.pgp", "another's");
  world.graph.put_file(GraphShare::kLibrary, "to_avsb/c.pgp", "");
  CHECK(code_of([&] { world.put("b.pgp", bytes); }) == Code::s_name_taken);
  CHECK(code_of([&] { world.put("c.pgp", bytes); }) == Code::s_name_taken);
  CHECK(world.stored("b.pgp") == "another's");
}

TEST_CASE("what the site keeps otherwise than it was put is removed and told") {
  World world;
  const std::string bytes = GENERATE(some_bytes(5 * kMega), some_bytes(1000));
  const GraphCall last = bytes.size() > 4 * kMega ? GraphCall::fragment : GraphCall::put_content;
  SECTION("another digest") {
    world.graph.fail_next({.call = last}, {.trick = GraphTrick::wrong_hash});
    CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_protocol);
    CHECK_FALSE(world.stored("a.pgp"));
    world.put("a.pgp", bytes);
    CHECK(world.stored("a.pgp") == bytes);
  }
  SECTION("SharePoint writes into documents that it knows") {
    CHECK(code_of([&] { world.put("a.docx", bytes); }) == Code::s_protocol);
    CHECK_FALSE(world.stored("a.docx"));
    CHECK(world.graph.recycle_bin().empty());
  }
  SECTION("no digest: it is read back") {
    world.graph.fail_next({.call = last}, {.trick = GraphTrick::no_hash});
    world.graph.fail_next({.call = GraphCall::item, .path = "a\\.pgp"}, {.trick = GraphTrick::no_hash});
    world.put("a.pgp", bytes);
    CHECK(world.stored("a.pgp") == bytes);
    CHECK(world.count(GraphCall::download) == 1);
  }
  SECTION("an answer that cannot be read: it is looked at") {
    world.graph.fail_next({.call = last}, {.status = 201, .serve_first = true, .body = "<html>ok</html>"});
    world.put("a.pgp", bytes);
    CHECK(world.stored("a.pgp") == bytes);
  }
}

TEST_CASE("a full library, a locked file and a refusal are told as what they are") {
  World world;
  SECTION("quota") {
    world.graph.set_quota(1 * kMega);
    CHECK(code_of([&] { world.put("a.pgp", some_bytes(2 * kMega)); }) == Code::s_full);
    CHECK(code_of([&] { world.put("b.pgp", some_bytes(5 * kMega)); }) == Code::s_full);
  }
  SECTION("lock") {
    world.graph.fail_next({.call = GraphCall::put_content}, {.status = 423});
    const auto error = thrown([&] { world.put("a.pgp", "x"); });
    REQUIRE(error);
    CHECK(error->code() == Code::s_throttled);
    CHECK(error->retry_after() == 120s);
  }
  SECTION("rights") {
    world.graph.grant(world.graph.options().apps.front().id, "/sites/uitwisseling", "read");
    CHECK(code_of([&] { world.put("a.pgp", "x"); }) == Code::s_rights);
    CHECK(code_of([&] { world.put("b.pgp", some_bytes(5 * kMega)); }) == Code::s_rights);
  }
}

TEST_CASE("an upload never goes to a host that is not the site's") {
  World world;
  GraphEmulator elsewhere({.authority = world.graph.options().authority});  // trusted, but not named
  const std::string host = "localhost:" + std::to_string(elsewhere.port());
  world.graph.fail_next(
      {.call = GraphCall::create_session},
      {.status = 200,
       .body = R"({"uploadUrl":"https://)" + host + R"(/upload","nextExpectedRanges":["0-"]})"},
      2);
  const auto error = thrown([&] { world.put("a.pgp", some_bytes(5 * kMega)); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_protocol);
  CHECK(error->message().find("transfer_hosts") != std::string::npos);
  CHECK(elsewhere.requests().empty());
  CHECK(world.kept == 0);
  // Named, it is reached, and sees no token all the same.
  SharePointOptions options = world.place.share();
  options.transfer_hosts = {host};
  world.ours = std::make_unique<SharePointShare>(std::move(options));
  CHECK(code_of([&] { world.put("a.pgp", some_bytes(5 * kMega)); }) == Code::s_unreachable);
  REQUIRE_FALSE(elsewhere.requests().empty());
  for (const GraphRequest& request : elsewhere.requests()) CHECK_FALSE(request.authorization);
}

TEST_CASE("what answers in the service's place that all is well makes no file of what is not there") {
  World world;
  const std::string large = some_bytes(25 * kMega);
  const GraphFault proxy{.status = 200, .body = "<html>fine</html>", .content_type = "text/html"};
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, proxy);
  CHECK(code_of([&] { world.put("a.pgp", large); }) == Code::s_unreachable);
  CHECK_FALSE(world.stored("a.pgp"));
  CHECK_FALSE(world.note.empty());
  world.restart();
  world.put("a.pgp", large);
  CHECK(world.stored("a.pgp") == large);

  for (const int status : {200, 201, 204}) {
    const std::string name = "small" + std::to_string(status) + ".pgp";
    world.graph.fail_next({.call = GraphCall::put_content}, {.status = status, .body = "<html>fine</html>"});
    CHECK(code_of([&] { world.put(name, "whole"); }) == Code::s_unreachable);
    world.put(name, "whole");
    CHECK(world.stored(name) == "whole");
  }
}

TEST_CASE("a file of somebody else is not removed, whoever answers that it was put") {
  World world;
  const GraphFault proxy{.status = 200, .body = "<html>fine</html>", .content_type = "text/html"};
  world.graph.put_file(GraphShare::kLibrary, "to_avsb/a.pgp", "of somebody else");
  world.graph.fail_next({.call = GraphCall::put_content}, proxy);
  CHECK(code_of([&] { world.put("a.pgp", "ours"); }) == Code::s_unreachable);
  CHECK(world.stored("a.pgp") == "of somebody else");
  CHECK(code_of([&] { world.put("a.pgp", "ours"); }) == Code::s_name_taken);
  CHECK(world.stored("a.pgp") == "of somebody else");
}

TEST_CASE("an upload that waits is not given up for another one") {
  World world;
  const std::string first = some_bytes(25 * kMega);
  std::string note;
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 500});
  const auto keep = [&](const std::string& text) { note = text; };
  CHECK(code_of([&] {
          world.ours->put("a.pgp", MemoryBlob(first), {note, keep}, {});
        }) == Code::s_unreachable);
  world.put("b.pgp", some_bytes(6 * kMega));
  CHECK(world.graph.open_sessions() == 1);
  world.ours->put("a.pgp", MemoryBlob(first), {note, keep}, {});
  CHECK(world.stored("a.pgp") == first);
  CHECK_FALSE(overlap(fragments_taken(world.graph)));
}

TEST_CASE("an upload that was begun in another folder does not end there") {
  World world;
  const std::string bytes = some_bytes(25 * kMega);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 500});
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_unreachable);
  SharePointOptions options = world.place.share();
  std::swap(options.outgoing, options.incoming);
  world.ours = std::make_unique<SharePointShare>(std::move(options));
  world.put("a.pgp", bytes);
  CHECK_FALSE(world.stored("a.pgp"));
  CHECK(world.graph.read_file(GraphShare::kLibrary, "to_aii/a.pgp") == bytes);
  CHECK(world.graph.open_sessions() == 0);
}

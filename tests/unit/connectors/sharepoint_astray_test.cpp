// What goes astray between us and SharePoint: folders that get another name, addresses that are lost, files
// that are seen late, names in other capitals.

#include <algorithm>

#include <catch2/catch.hpp>

#include "support/text.h"
#include "unit/connectors/sharepoint_world.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using World = SharePointWorld;
using Names = std::vector<std::string>;

namespace {

constexpr std::size_t kMega = std::size_t{1} << 20;
constexpr const char* kLibrary = GraphShare::kLibrary;

std::shared_ptr<ManualClock> clock_by_hand() { return std::make_shared<ManualClock>(SystemClock().now()); }

}  // namespace

TEST_CASE("a folder that got another name is told as missing, and nothing goes there") {
  World world;
  world.put("first.pgp", "x");
  world.arrives("a.pgp", "content");
  const ShareEntry entry = world.listed("a.pgp");
  const std::string bytes = GENERATE(some_bytes(5 * kMega), some_bytes(1000));
  if (bytes.size() > 4 * kMega) {
    world.graph.fail_next({.call = GraphCall::fragment}, {.status = 500});
    CHECK(code_of([&] { world.put("b.pgp", bytes); }) == Code::s_unreachable);
  }
  world.graph.rename_folder(kLibrary, "to_avsb", "old_out");
  world.graph.rename_folder(kLibrary, "to_aii", "old_in");
  StringSink sink(100);
  const auto missing = [&](const std::string& folder, const auto& verb) {
    const auto error = thrown(verb);
    REQUIRE(error);
    CHECK(error->code() == Code::s_not_found);
    CHECK(has(error->message(), "folder " + folder + " is not in the library"));
  };
  missing("to_avsb", [&] { world.ours->list(Folder::outgoing, {}); });
  missing("to_avsb", [&] { world.put("b.pgp", bytes); });
  missing("to_aii", [&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); });
  missing("to_aii", [&] { world.ours->remove(Folder::incoming, "a.pgp", {}); });

  world.graph.make_folder(kLibrary, "to_avsb");
  world.graph.make_folder(kLibrary, "to_aii");
  CHECK(world.ours->list(Folder::outgoing, {}).empty());
  world.put("b.pgp", bytes);
  CHECK(world.stored("b.pgp") == bytes);
  CHECK(code_of([&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); }) == Code::s_not_found);
  world.ours->remove(Folder::incoming, "a.pgp", {});
  CHECK(sink.bytes().empty());
  CHECK(world.graph.list_files(kLibrary, "old_in") == Names{"a.pgp"});
  CHECK(world.graph.list_files(kLibrary, "old_out") == Names{"first.pgp"});
  CHECK(world.graph.open_sessions() == 0);
}

TEST_CASE("a name that an upload of unknown address keeps is taken, and its next one is free") {
  World world;
  const std::string bytes = some_bytes(5 * kMega);
  world.graph.fail_next({.call = GraphCall::create_session}, {.status = 504, .serve_first = true});
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_timeout);
  const auto error = thrown([&] { world.put("a.pgp", bytes); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_name_taken);
  CHECK(has(error->message(), "keeps this name from us"));
  CHECK(has(error->message(), "Microsoft's request id"));
  world.put("a-2.pgp", bytes);
  CHECK(world.stored("a-2.pgp") == bytes);
  CHECK_FALSE(world.stored("a.pgp"));
}

TEST_CASE("an upload is not begun twice when the answer to the first breaks off") {
  World world;
  world.put("before.pgp", "x");  // the connection is one that was kept open
  world.graph.fail_next({.call = GraphCall::create_session}, {.trick = GraphTrick::reset});
  CHECK(code_of([&] { world.put("a.pgp", some_bytes(5 * kMega)); }) == Code::s_unreachable);
  CHECK(world.count(GraphCall::create_session) == 1);
}

TEST_CASE("a file that is seen late is waited for, and not put again") {
  World world(clock_by_hand());
  const std::string bytes = some_bytes(11 * kMega);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1},
                        {.trick = GraphTrick::late_commit, .status = 503, .serve_first = true});
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_unreachable);
  for (int look = 0; look < 3; ++look) {
    world.restart();
    world.clock->advance(2min);
    const auto error = thrown([&] { world.put("a.pgp", bytes); });
    REQUIRE(error);
    CHECK(error->code() == Code::s_unreachable);
    CHECK(error->retry_after() == 5000ms);
    CHECK(has(error->message(), "not seen yet"));
    CHECK_FALSE(world.note.empty());
  }
  world.graph.show_late();
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 1);
  CHECK(world.count(GraphCall::fragment) == 2);
  CHECK(world.note.empty());
}

TEST_CASE("a file that is not seen ten minutes after its last byte is put again") {
  World world(clock_by_hand());
  const std::string bytes = some_bytes(11 * kMega);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 503});
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_unreachable);
  world.graph.fail_next({.call = GraphCall::session_status},
                        {.trick = GraphTrick::session_lost, .status = 404});
  world.restart();
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_unreachable);
  CHECK(world.count(GraphCall::create_session) == 1);
  world.clock->advance(10min);
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 2);
}

TEST_CASE("what bears a name in other capitals, or is a folder, is not our file") {
  World world;
  const std::string bytes = GENERATE(some_bytes(5 * kMega), some_bytes(1000));
  world.arrives("A.pgp", bytes);
  ShareEntry entry = world.listed("A.pgp");
  entry.name = "a.pgp";
  StringSink sink(bytes.size());
  CHECK(code_of([&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); }) == Code::s_not_found);
  world.ours->remove(Folder::incoming, "a.pgp", {});
  CHECK(world.graph.list_files(kLibrary, "to_aii") == Names{"A.pgp"});

  world.graph.put_file(kLibrary, "to_aii/folder.pgp/inside", "x");
  world.ours->remove(Folder::incoming, "folder.pgp", {});
  CHECK(world.graph.read_file(kLibrary, "to_aii/folder.pgp/inside") == "x");

  for (const std::string& name : {std::string("OURS.pgp"), std::string("Ours.pgp")}) {
    world.graph.put_file(kLibrary, "to_avsb/" + name, name == "Ours.pgp" ? bytes.substr(0, 500) : bytes);
    CHECK(code_of([&] { world.put("ours.pgp", bytes); }) == Code::s_name_taken);
    CHECK(world.graph.list_files(kLibrary, "to_avsb").size() == 1);
  }
  CHECK(world.graph.open_sessions() == 0);
}

TEST_CASE("a stop does not wait for an upload to be ended") {
  World world;
  world.graph.fail_next({.call = GraphCall::session_cancel}, {.trick = GraphTrick::stalled});
  std::stop_source stop;
  const Transfer stopping{stop.get_token(), [&](std::uint64_t) { stop.request_stop(); }};
  CHECK(code_of([&] { world.ours->put("a.pgp", MemoryBlob(some_bytes(5 * kMega)), {}, stopping); }) ==
        Code::l_stopped);
  CHECK(world.count(GraphCall::session_cancel) == 0);
  world.graph.clear_faults();
  world.ours->put("a.pgp", MemoryBlob(some_bytes(5 * kMega)), {}, {});  // which ends it first
  CHECK(world.count(GraphCall::session_cancel) == 1);
}

TEST_CASE("an upload that is abandoned ends, by what was noted of it alone") {
  World world;
  world.graph.fail_next({.call = GraphCall::fragment}, {.status = 500});
  CHECK(code_of([&] { world.put("a.pgp", some_bytes(5 * kMega)); }) == Code::s_unreachable);
  CHECK(world.graph.open_sessions() == 1);
  world.restart();
  world.graph.clear_requests();
  for (const std::string& other : {std::string(), std::string("nonsense"), "x" + world.note})
    world.ours->abandon("a.pgp", other, {});
  world.ours->abandon("b.pgp", world.note, {});
  CHECK(world.graph.requests().empty());
  world.ours->abandon("a.pgp", world.note, {});
  CHECK(world.graph.open_sessions() == 0);
  CHECK_NOTHROW(world.ours->abandon("a.pgp", world.note, {}));  // gone already
}

TEST_CASE("the address of an upload is forgotten when it has ended") {
  World world;
  const std::string bytes = some_bytes(11 * kMega);
  SECTION("well") { world.put("a.pgp", bytes); }
  SECTION("by another's file") {
    world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.trick = GraphTrick::name_taken});
    CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_name_taken);
  }
  SECTION("when the file was there already") {
    world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 500, .serve_first = true});
    CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_unreachable);
    CHECK(has(world.note, "uploadSession"));
    world.restart();
    world.put("a.pgp", bytes);
  }
  CHECK(world.kept > 0);
  CHECK(world.note.empty());
}

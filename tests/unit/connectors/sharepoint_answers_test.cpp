// Answers without end, in chunks, and from addresses that are to be left as they are; and the ids that every
// error bears.

#include <algorithm>

#include <catch2/catch.hpp>

#include "support/text.h"
#include "unit/connectors/sharepoint_world.h"

using namespace veer;
using namespace veer::test;
using World = SharePointWorld;

namespace {

constexpr std::size_t kMega = std::size_t{1} << 20;

}  // namespace

TEST_CASE("an answer that does not end is cut off, and takes no memory to speak of") {
  World world;
  world.arrives("a.pgp", some_bytes(1000));
  const ShareEntry entry = world.listed("a.pgp");
  const GraphTrick trick =
      GENERATE(GraphTrick::endless_header, GraphTrick::endless_chunk, GraphTrick::endless_body);
  StringSink sink(kMega);
  SECTION("a listing") {
    world.graph.fail_next({.call = GraphCall::list}, {.trick = trick});
    const auto error = thrown([&] { world.ours->list(Folder::incoming, {}); });
    REQUIRE(error);
    CHECK(error->code() == Code::s_protocol);
    CHECK(has(error->message(), "any answer should"));
  }
  SECTION("a file") {
    world.graph.fail_next({.call = GraphCall::download}, {.trick = trick});
    const auto error = thrown([&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); });
    REQUIRE(error);
    CHECK(error->code() == (trick == GraphTrick::endless_body ? Code::s_changed : Code::s_protocol));
  }
  // What the sockets hold besides is the kernel's.
  CHECK(world.graph.endured() < 40 * kMega);
  CHECK(world.fetched("a.pgp") == some_bytes(1000));
}

TEST_CASE("answers in chunks, from long and odd addresses elsewhere, are taken as any") {
  World world({.chunked = true, .odd_urls = true, .storage_apart = true});
  const std::string bytes = some_bytes(25 * kMega + 1);
  world.graph.fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 500});
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_unreachable);
  world.restart();
  world.put("a.pgp", bytes);
  CHECK(world.stored("a.pgp") == bytes);
  CHECK(world.count(GraphCall::create_session) == 1);
  world.arrives("b.pgp", bytes);
  CHECK(world.fetched("b.pgp") == bytes);
  CHECK(world.fetched("b.pgp", 7'000'001) == bytes.substr(7'000'001));
  CHECK(code_of([&] { world.put("a.pgp", bytes); }) == Code::s_name_taken);
}

TEST_CASE("an address is asked for as it was told, to the byte") {
  World world;
  const std::string target =
      "/sites/it's/_api//v2.0/./d/..;x=1,2/(a)!$*/uploadSession?q=%2F%2f%7E~+'()*!;:@/"
      "?&&a=&=b&c&tempauth=v1.e30=";
  world.graph.fail_next({.call = GraphCall::create_session},
                        {.status = 200,
                         .body = R"({"uploadUrl":"https://)" + world.graph.storage_host() + target +
                                 R"(","nextExpectedRanges":["0-"]})"});
  CHECK(code_of([&] { world.put("a.pgp", some_bytes(5 * kMega)); }) == Code::s_unreachable);
  const auto requests = world.graph.requests();
  CHECK(std::count_if(requests.begin(), requests.end(), [&](const GraphRequest& one) {
          return one.method == "PUT" && one.target == target;
        }) == 1);
}

TEST_CASE("every error that the service is the cause of bears its request's ids") {
  World world({.page_size = 10});
  for (int i = 0; i < 15; ++i) world.arrives("a" + std::to_string(i) + ".pgp", "content");
  ShareEntry entry = world.listed("a1.pgp");
  const std::string large = some_bytes(11 * kMega);
  StringSink sink(1000);
  const auto list = [&] { world.ours->list(Folder::incoming, {}); };
  const auto fetch = [&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); };
  const auto put_large = [&] { world.put("large.pgp", large); };
  const auto put_small = [&] { world.put("small.pgp", "x"); };
  const auto fails = [&](const GraphMatch& match, const GraphFault& fault, int times = 1) {
    world.graph.fail_next(match, fault, times);
  };
  std::function<void()> verb;
  Code code = Code::s_protocol;
  SECTION("a listing that is no JSON") {
    fails({.call = GraphCall::list}, {.status = 200, .body = "<html>"});
    verb = list;
  }
  SECTION("one whose next page lies elsewhere") {
    fails({.call = GraphCall::list},
          {.status = 200, .body = R"({"value":[],"@odata.nextLink":"https://example.org/v1.0/x"})"});
    verb = list;
  }
  SECTION("one whose pages go round") {
    fails({.call = GraphCall::list}, {.trick = GraphTrick::looping_pages}, 100);
    verb = list;
  }
  SECTION("one that breaks off") {
    fails({.call = GraphCall::list}, {.trick = GraphTrick::truncated});
    verb = list;
    code = Code::s_unreachable;
  }
  SECTION("a token that is none") {
    world.restart();
    fails({.call = GraphCall::token}, {.status = 200, .body = "{}"});
    verb = list;
  }
  SECTION("a library that is not there") {
    SharePointOptions options = world.place.share();
    options.library = "Documenten";
    world.ours = std::make_unique<SharePointShare>(std::move(options));
    verb = list;
    code = Code::s_not_found;
  }
  SECTION("a file that is gone") {
    entry.name = "gone.pgp";
    verb = fetch;
    code = Code::s_not_found;
  }
  SECTION("another file") {
    entry.revision += "x";
    verb = fetch;
    code = Code::s_changed;
  }
  SECTION("bytes too few") {
    fails({.call = GraphCall::download}, {.status = 200, .body = "cont", .content_type = "x/y"});
    verb = fetch;
    code = Code::s_changed;
  }
  SECTION("bytes too many") {
    fails({.call = GraphCall::download}, {.status = 200, .body = "content and more", .content_type = "x/y"});
    verb = fetch;
    code = Code::s_changed;
  }
  SECTION("bytes of another range") {
    fails({.call = GraphCall::download}, {.status = 206, .body = "content", .content_type = "x/y"});
    verb = fetch;
    code = Code::s_changed;
  }
  SECTION("an address that may not be asked") {
    fails({.call = GraphCall::download}, {.status = 401});
    fails({.call = GraphCall::content},
          {.trick = GraphTrick::foreign_redirect, .location = "https://example.org/x"});
    verb = fetch;
  }
  SECTION("a name that is taken") {
    const std::string bytes = GENERATE(some_bytes(5 * kMega), some_bytes(10));
    world.graph.put_file(GraphShare::kLibrary, "to_avsb/taken.pgp", "another's");
    verb = [&world, bytes] { world.put("taken.pgp", bytes); };
    code = Code::s_name_taken;
  }
  SECTION("a name that is taken at the last moment") {
    fails({.call = GraphCall::fragment, .skip = 1}, {.trick = GraphTrick::name_taken});
    verb = put_large;
    code = Code::s_name_taken;
  }
  SECTION("bytes that are wanted and not there") {
    fails({.call = GraphCall::fragment}, {.status = 202, .body = R"({"nextExpectedRanges":["99999999-"]})"});
    verb = put_large;
  }
  SECTION("bytes that are lost again") {
    fails({.call = GraphCall::fragment}, {.status = 416}, 100);
    verb = put_large;
  }
  SECTION("ranges that are none") {
    fails({.call = GraphCall::fragment}, {.status = 202, .body = R"({"nextExpectedRanges":["x"]})"});
    verb = put_large;
  }
  SECTION("a file that is not there after all") {
    fails({.call = GraphCall::put_content}, {.status = 201, .body = "<html>"});
    verb = put_small;
    code = Code::s_unreachable;
  }
  const auto error = thrown(verb);
  REQUIRE(error);
  CAPTURE(error->message());
  CHECK(error->code() == code);
  const auto requests = world.graph.requests();
  CHECK(std::any_of(requests.begin(), requests.end(), [&](const GraphRequest& one) {
    return has(error->message(), "Microsoft's request id " + one.request_id) &&
           has(error->message(), "ours " + one.client_request_id);
  }));
}

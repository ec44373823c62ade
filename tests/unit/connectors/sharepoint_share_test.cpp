// Listing, fetching, removing, signing in and being told to wait: the SharePoint share against the emulator.

#include <thread>

#include <catch2/catch.hpp>

#include "support/connect_proxy.h"
#include "support/text.h"
#include "unit/connectors/sharepoint_world.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using World = SharePointWorld;

namespace {

std::optional<Code> listing(World& world, Folder folder = Folder::incoming) {
  return code_of([&] { world.ours->list(folder, {}); });
}

/// How Graph would tell of it without the address of its content.
std::string item_without_address(const ShareEntry& entry, const std::string& id) {
  std::string tag;
  for (const char c : entry.revision) tag += c == '"' ? std::string("\\\"") : std::string(1, c);
  return fmt::format(R"({{"id":"{}","name":"{}","size":{},"file":{{}},"cTag":"{}"}})", id, entry.name,
                     entry.size, tag);
}

}  // namespace

TEST_CASE("polling an unchanged folder costs one request") {
  World world;
  for (int i = 0; i < 150; ++i) world.arrives("a" + std::to_string(i), "x");
  CHECK(world.ours->list(Folder::incoming, {}).size() == 150);
  world.graph.clear_requests();
  for (int i = 0; i < 3; ++i) CHECK(world.ours->list(Folder::incoming, {}).size() == 150);
  CHECK(world.graph.requests().size() == 3);
}

TEST_CASE("a token is asked for once, renewed early, and got anew once when it is refused") {
  SECTION("once") {
    World world;
    for (int i = 0; i < 5; ++i) CHECK_FALSE(listing(world));
    CHECK(world.count(GraphCall::token) == 1);
  }
  const auto clock = std::make_shared<ManualClock>(SystemClock().now());
  SECTION("five minutes before its end, and not before that") {
    World world(clock);
    CHECK_FALSE(listing(world));
    clock->advance(3299s - 1ms);
    CHECK_FALSE(listing(world));
    CHECK(world.count(GraphCall::token) == 1);
    clock->advance(1ms);
    CHECK_FALSE(listing(world));
    CHECK(world.count(GraphCall::token) == 2);
    // One that was got by a clock that has been set back since is not trusted.
    clock->advance(-1h);
    CHECK_FALSE(listing(world));
    CHECK(world.count(GraphCall::token) == 3);
  }
  SECTION("at half its time, when that is shorter than ten minutes") {
    World world(clock, 400s);
    CHECK_FALSE(listing(world));
    clock->advance(200s - 1ms);
    CHECK_FALSE(listing(world));
    CHECK(world.count(GraphCall::token) == 1);
    clock->advance(1ms);
    CHECK_FALSE(listing(world));
    CHECK(world.count(GraphCall::token) == 2);
  }
  SECTION("refused") {
    World world;
    CHECK_FALSE(listing(world));
    world.graph.revoke_tokens();
    CHECK_FALSE(listing(world));
    CHECK(world.count(GraphCall::token) == 2);
    world.graph.fail_next({.call = GraphCall::list}, {.status = 401}, 2);
    CHECK(listing(world) == Code::s_rights);
    CHECK(world.graph.pending_faults() == 0);
    CHECK_FALSE(listing(world));
  }
}

TEST_CASE("it signs in with a secret too, and says what is wrong with a sign-in") {
  World world;
  SharePointOptions options = world.place.share();
  const std::string app = options.client_id;
  const auto signing_in = [&](SharePointOptions with) {
    const auto error = thrown([&] { SharePointShare(std::move(with)).list(Folder::incoming, {}); });
    return error ? fmt::format("{}: {}", code_name(error->code()), error->message()) : "fine";
  };
  SECTION("secret") {
    world.graph.set_secret(app, "s3cr3t+& =");
    options.certificate.clear();
    options.key = Secret();
    options.secret = Secret("s3cr3t+& =");
    CHECK(signing_in(std::move(options)) == "fine");
    options = world.place.share();
    options.certificate.clear();
    options.secret = Secret("wrong");
    const std::string wrong = signing_in(std::move(options));
    CHECK(has(wrong, "S_RIGHTS"));
    CHECK(has(wrong, "client secret is wrong"));
    CHECK_FALSE(has(wrong, "s3cr3t"));
  }
  SECTION("both, or neither") {
    options.secret = Secret("x");
    CHECK(has(signing_in(std::move(options)), "C_CREDENTIAL"));
    options = world.place.share();
    options.certificate.clear();
    CHECK(has(signing_in(std::move(options)), "C_CREDENTIAL"));
  }
  SECTION("a certificate that the registration does not know") {
    world.graph.trust(app, {});
    CHECK(has(signing_in(std::move(options)), "does not know our certificate"));
  }
  SECTION("an expired certificate is not even sent") {
    const Certificate old = rsa_certificate({.from = -48h, .until = -24h});
    options.certificate = old.certificate;
    options.key = Secret(std::string(old.key));
    CHECK(has(signing_in(std::move(options)), "C_CREDENTIAL: our client certificate expired 1 day(s) ago"));
    CHECK(world.count(GraphCall::token) == 0);
  }
  SECTION("another application, tenant or scope") {
    options.client_id = "99999999-1111-4222-8333-444455556666";
    CHECK(has(signing_in(std::move(options)), "share.sharepoint.client_id"));
    options = world.place.share();
    options.tenant = "99999999-0000-4000-8000-0123456789ab";
    CHECK(has(signing_in(std::move(options)), "share.sharepoint.tenant"));
    options = world.place.share();
    options.scope = "https://example.org/.default";
    CHECK(has(signing_in(std::move(options)), "share.sharepoint.scope"));
  }
  SECTION("a service that cannot for now is no wrong sign-in") {
    world.graph.fail_next({.call = GraphCall::token}, {.status = 503});
    CHECK(has(signing_in(std::move(options)), "S_UNREACHABLE"));
    options = world.place.share();
    world.graph.fail_next({.call = GraphCall::token}, {.status = 500, .body = "<html>"});
    CHECK(has(signing_in(std::move(options)), "S_UNREACHABLE"));
  }
}

TEST_CASE("our clock being wrong is told as that") {
  World world;
  world.graph.pass_time(-20min);
  const auto error = thrown([&] { world.ours->list(Folder::incoming, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::l_clock);
  CHECK(has(error->message(), "ahead"));
}

TEST_CASE("no token and no content reach a host that Graph names but the site does not have") {
  World world;
  GraphEmulator elsewhere({.authority = world.graph.options().authority});  // trusted, but not named
  world.arrives("a.pgp", "content");
  const ShareEntry entry = world.listed("a.pgp");
  const std::string id = world.graph.file(GraphShare::kLibrary, "to_aii/a.pgp").value().id;
  const std::string other = "https://localhost:" + std::to_string(elsewhere.port());
  StringSink sink(100);
  SECTION("as a redirect") {
    world.graph.fail_next({.call = GraphCall::download}, {.status = 401});
    world.graph.fail_next({.call = GraphCall::content},
                          {.trick = GraphTrick::foreign_redirect, .location = other + "/x"});
    CHECK(code_of([&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); }) == Code::s_protocol);
  }
  SECTION("as the next page") {
    world.graph.fail_next(
        {.call = GraphCall::list},
        {.status = 200, .body = R"({"value":[],"@odata.nextLink":")" + other + R"(/v1.0/x"})"});
    CHECK(listing(world) == Code::s_protocol);
  }
  SECTION("as a redirect that a client would follow by itself") {
    world.graph.fail_next({.call = GraphCall::list}, {.status = 307, .location = other + "/v1.0/x"});
    CHECK(listing(world) == Code::s_protocol);
  }
  SECTION("as a redirect to a host that is named, it sees no token") {
    SharePointOptions options = world.place.share();
    options.transfer_hosts.push_back("localhost:" + std::to_string(elsewhere.port()));
    world.graph.fail_next({.call = GraphCall::content},
                          {.trick = GraphTrick::foreign_redirect, .location = other + "/x"});
    world.graph.fail_next({.call = GraphCall::item, .path = "a\\.pgp"},
                          {.status = 200, .serve_first = true, .body = item_without_address(entry, id)}, 2);
    SharePointShare share(std::move(options));
    share.fetch(Folder::incoming, entry, 0, sink, {});  // which asks for another address then
    CHECK(sink.bytes() == "content");
    REQUIRE_FALSE(elsewhere.requests().empty());
    for (const GraphRequest& request : elsewhere.requests()) CHECK_FALSE(request.authorization);
    return;
  }
  CHECK(sink.bytes().empty());
  CHECK(elsewhere.requests().empty());
}

TEST_CASE("only Graph itself ever sees a token") {
  World world;
  world.put("big.pgp", some_bytes(5 << 20));
  world.put("small.pgp", "x");
  world.arrives("a.pgp", "content");
  CHECK(world.fetched("a.pgp") == "content");
  world.ours->remove(Folder::incoming, "a.pgp", {});
  std::size_t without = 0;
  for (const GraphRequest& request : world.graph.requests()) {
    CAPTURE(request.method, request.host, request.target);
    const bool storage = request.host == world.graph.storage_host();
    CHECK(request.authorization == (!storage && request.call != GraphCall::token));
    without += storage ? 1U : 0U;
  }
  CHECK(without >= 2);
}

TEST_CASE("no token, assertion, address of an upload or secret is in any log or message") {
  World world;
  const LogCapture log;
  std::string told;
  const auto note_error = [&](const auto& call) {
    if (const auto error = thrown(call)) told += error->message() + "\n";
  };
  const std::string bytes = some_bytes(5 << 20);
  for (const int status : {0, 401, 404, 409, 429, 500}) {
    for (const GraphCall call :
         {GraphCall::token, GraphCall::create_session, GraphCall::fragment, GraphCall::download}) {
      if (status != 0) world.graph.fail_next({.call = call}, {.status = status});
      const std::string name = fmt::format("f{}-{}.pgp", status, static_cast<int>(call));
      world.restart();
      world.note.clear();
      world.arrives(name, "content");
      note_error([&] { world.put(name, bytes); });
      note_error([&] { world.put("s" + name, "small"); });
      note_error([&] { world.fetched(name); });
      world.graph.clear_faults();
    }
  }
  world.graph.fail_next({.call = GraphCall::fragment}, {.trick = GraphTrick::reset});
  note_error([&] { world.put("reset.pgp", bytes); });
  const std::string all = log.text() + told;
  CHECK(has(all, "graph: "));
  CHECK(has(all, "request id"));
  for (const char* secret : {"tempauth", "eyJ", "Bearer", "uploadSession?", "download.aspx",
                             "client_assertion", "guid=", "PRIVATE KEY"})
    CHECK_FALSE(has(all, secret));
  for (const GraphRequest& request : world.graph.requests())
    if (request.host == world.graph.storage_host()) CHECK_FALSE(has(all, request.target));
}

TEST_CASE(
    "a word to wait holds for every call of the instance, to the second, and nothing is asked meanwhile") {
  World world;
  CHECK_FALSE(listing(world));
  const int status = GENERATE(429, 503, 509);
  CAPTURE(status);
  world.graph.fail_next({.call = GraphCall::list}, {.status = status, .retry_after = 2});
  const auto begun = std::chrono::steady_clock::now();
  const auto error = thrown([&] { world.ours->list(Folder::incoming, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_throttled);
  CHECK(error->retry_after() == 2000ms);
  world.graph.clear_requests();
  const auto meanwhile = thrown([&] { world.put("a.pgp", "x"); });
  REQUIRE(meanwhile);
  CHECK(meanwhile->code() == Code::s_throttled);
  CHECK(meanwhile->retry_after().value() <= 2000ms);
  CHECK(world.graph.requests().empty());
  while (listing(world) == Code::s_throttled) std::this_thread::sleep_for(20ms);
  CHECK(std::chrono::steady_clock::now() - begun >= 2s);
  CHECK(world.graph.requests().size() == 1);
}

TEST_CASE("a word to wait without a time, or in a sign-in, an upload or a fetch, is a word to wait") {
  World world;
  const std::string bytes = some_bytes(5 << 20);
  world.arrives("a.pgp", "content");
  const ShareEntry entry = world.listed("a.pgp");
  SECTION("without a time") {
    world.graph.fail_next({.call = GraphCall::list}, {.status = 429});
    const auto error = thrown([&] { world.ours->list(Folder::incoming, {}); });
    REQUIRE(error);
    CHECK(error->code() == Code::s_throttled);
    CHECK_FALSE(error->retry_after());
    CHECK_FALSE(listing(world));
  }
  SECTION("of no time at all") {
    world.graph.fail_next({.call = GraphCall::list}, {.status = 429, .retry_after = 0});
    CHECK(listing(world) == Code::s_throttled);
    CHECK_FALSE(listing(world));
  }
  SECTION("503 without a time is a service that cannot for now") {
    world.graph.fail_next({.call = GraphCall::list}, {.status = 503});
    CHECK(listing(world) == Code::s_unreachable);
  }
  SECTION("a sign-in") {
    world.restart();
    world.graph.fail_next({.call = GraphCall::token}, {.status = 429, .retry_after = 315});
    CHECK(thrown([&] { world.ours->list(Folder::incoming, {}); })->retry_after() == 315s);
    CHECK(listing(world) == Code::s_throttled);
    CHECK(world.count(GraphCall::token) == 2);
  }
  SECTION("in an answer that breaks off") {
    world.graph.fail_next({.call = GraphCall::list},
                          {.trick = GraphTrick::truncated, .status = 429, .retry_after = 315});
    CHECK(thrown([&] { world.ours->list(Folder::incoming, {}); })->retry_after() == 315s);
    CHECK(listing(world) == Code::s_throttled);
  }
  SECTION("in a sign-in that breaks off") {
    world.restart();
    world.graph.fail_next({.call = GraphCall::token},
                          {.trick = GraphTrick::truncated, .status = 429, .retry_after = 315});
    CHECK(thrown([&] { world.ours->list(Folder::incoming, {}); })->retry_after() == 315s);
    CHECK(listing(world) == Code::s_throttled);
  }
  SECTION("a fragment") {
    world.graph.fail_next({.call = GraphCall::fragment}, {.status = 429, .retry_after = 315});
    CHECK(thrown([&] { world.put("a.pgp", bytes); })->retry_after() == 315s);
    CHECK(listing(world) == Code::s_throttled);
    world.restart();
    world.put("a.pgp", bytes);
    CHECK(world.count(GraphCall::create_session) == 1);
  }
  SECTION("a fetch") {
    world.graph.fail_next({.call = GraphCall::download}, {.status = 503, .retry_after = 315});
    StringSink sink(100);
    CHECK(thrown([&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); })->retry_after() == 315s);
    CHECK(sink.bytes().empty());
  }
}

TEST_CASE("a folder that was made anew, and a library under another name, are noticed") {
  World world;
  CHECK_FALSE(listing(world));
  CHECK_FALSE(listing(world, Folder::outgoing));
  SECTION("folders") {
    for (const char* folder : {"to_aii", "to_avsb"}) world.graph.replace_folder(GraphShare::kLibrary, folder);
    world.put("a.pgp", "x");
    CHECK(world.stored("a.pgp") == "x");
    world.graph.replace_folder(GraphShare::kLibrary, "to_avsb");
    world.put("big.pgp", some_bytes(5 << 20));
    world.graph.replace_folder(GraphShare::kLibrary, "to_avsb");
    world.graph.put_file(GraphShare::kLibrary, "to_avsb/b.pgp", "x");
    world.ours->remove(Folder::outgoing, "b.pgp", {});
    CHECK_FALSE(world.stored("b.pgp"));
    world.arrives("c.pgp", "content");
    CHECK(world.fetched("c.pgp") == "content");
  }
  SECTION("library") {
    world.graph.rename_library(GraphShare::kLibrary, "Documenten");
    CHECK_FALSE(listing(world));
    world.restart();
    const auto error = thrown([&] { world.ours->list(Folder::incoming, {}); });
    REQUIRE(error);
    CHECK(error->code() == Code::s_not_found);
    CHECK(has(error->message(), "\"Documenten\""));
  }
}

TEST_CASE("pages that repeat, are empty or lead to themselves are survived") {
  World world({.page_size = 10});
  for (int i = 0; i < 35; ++i) world.arrives("a" + std::to_string(i), "x");
  const auto count = [&] { return world.ours->list(Folder::incoming, {}).size(); };
  CHECK(count() == 35);
  for (const GraphTrick trick :
       {GraphTrick::repeat_page, GraphTrick::empty_page, GraphTrick::looping_pages}) {
    world.graph.fail_next({.call = GraphCall::list, .skip = 1}, {.trick = trick});
    CHECK(count() == 35);
  }
  for (const GraphTrick trick : {GraphTrick::empty_page, GraphTrick::looping_pages}) {
    world.graph.fail_next({.call = GraphCall::list}, {.trick = trick}, 1000);
    CHECK(listing(world) == Code::s_protocol);
    world.graph.clear_faults();
  }
}

TEST_CASE("a page of another folder, and what is no JSON, are told") {
  World world({.page_size = 10});
  for (int i = 0; i < 15; ++i) world.arrives("a" + std::to_string(i), "x");
  CHECK_FALSE(listing(world));
  SECTION("another folder's") {
    world.graph.fail_next({.call = GraphCall::list, .skip = 1},
                          {.status = 200, .body = R"({"value":[{"id":"1","name":"b","size":1,"file":{},
                                                     "parentReference":{"id":"root"}}]})"});
  }
  SECTION("HTML") {
    world.graph.fail_next({.call = GraphCall::list},
                          {.status = 200, .body = "<html>", .content_type = "text/html"});
  }
  SECTION("nothing") { world.graph.fail_next({.call = GraphCall::list}, {.status = 204}); }
  SECTION("half of it") {
    world.graph.fail_next({.call = GraphCall::list}, {.trick = GraphTrick::truncated});
    CHECK(listing(world) == Code::s_unreachable);
    return;
  }
  CHECK(listing(world) == Code::s_protocol);
}

TEST_CASE("a fetch gets the bytes from its offset, whatever the service makes of the range") {
  World world;
  const std::string bytes = some_bytes(3'000'000);
  world.arrives("a.pgp", bytes);
  SECTION("as asked") { CHECK(world.fetched("a.pgp", 1'234'567) == bytes.substr(1'234'567)); }
  SECTION("all of it") {
    world.graph.fail_next({.call = GraphCall::download}, {.trick = GraphTrick::ignore_range});
    CHECK(world.fetched("a.pgp", 1'234'567) == bytes.substr(1'234'567));
  }
  SECTION("other bytes") {
    world.graph.fail_next({.call = GraphCall::download}, {.trick = GraphTrick::wrong_range});
    CHECK(code_of([&] { world.fetched("a.pgp", 1'234'567); }) == Code::s_changed);
  }
  SECTION("an address that has expired: by a fresh one") {
    world.graph.fail_next({.call = GraphCall::download}, {.status = GENERATE(401, 404)});
    CHECK(world.fetched("a.pgp", 5) == bytes.substr(5));
    CHECK(world.count(GraphCall::content) == 1);
  }
  SECTION("half of it") {
    world.graph.fail_next({.call = GraphCall::download}, {.trick = GraphTrick::truncated});
    CHECK(code_of([&] { world.fetched("a.pgp"); }) == Code::s_unreachable);
    CHECK(world.fetched("a.pgp") == bytes);
  }
  SECTION("slowly") {
    world.graph.fail_next({.call = GraphCall::download}, {.trick = GraphTrick::slow, .delay = 300ms});
    CHECK(world.fetched("a.pgp") == bytes);
  }
  SECTION("which its digest shows to be the file's, or else a second look") {
    const auto looks = [&](std::uint64_t offset) {
      const auto before = world.count(GraphCall::item);
      CHECK(world.fetched("a.pgp", offset) == bytes.substr(offset));
      return world.count(GraphCall::item) - before;
    };
    CHECK(looks(0) == 1);
    CHECK(looks(5) == 2);
    world.graph.fail_next({.call = GraphCall::item}, {.trick = GraphTrick::no_hash});
    CHECK(looks(0) == 2);
  }
  SECTION("another that took its place meanwhile") {
    world.graph.fail_next({.call = GraphCall::download},
                          {.before = [&] { world.arrives("a.pgp", some_bytes(bytes.size(), 2)); }});
    CHECK(code_of([&] { world.fetched("a.pgp"); }) == Code::s_changed);
  }
}

TEST_CASE("an error is never taken for content") {
  World world;
  world.arrives("a.pgp", std::string(100, 'x'));
  const ShareEntry entry = world.listed("a.pgp");
  StringSink sink(1000);
  world.graph.fail_next({.call = GraphCall::download},
                        {.status = 403, .code = "accessDenied", .inner = "malwareDetected"});
  const auto error = thrown([&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_rights);
  CHECK(has(error->message(), "malware"));
  CHECK(sink.bytes().empty());
}

TEST_CASE("a file is the same when its properties change, and another when its content does") {
  World world;
  world.arrives("a.pgp", "first");
  const ShareEntry entry = world.listed("a.pgp");
  StringSink sink(100);
  world.graph.touch_metadata(GraphShare::kLibrary, "to_aii/a.pgp");
  world.graph.fail_next({.call = GraphCall::item, .path = "a\\.pgp"}, {.trick = GraphTrick::bump_etag});
  CHECK_NOTHROW(world.ours->fetch(Folder::incoming, entry, 0, sink, {}));
  CHECK(sink.bytes() == "first");
  world.arrives("a.pgp", "other");
  CHECK(code_of([&] { world.ours->fetch(Folder::incoming, entry, 0, sink, {}); }) == Code::s_changed);
}

TEST_CASE("what is removed is in no bin, unless the service cannot, which is told") {
  World world;
  world.arrives("a.pgp", "x");
  SECTION("for good") {
    world.ours->remove(Folder::incoming, "a.pgp", {});
    CHECK(world.graph.recycle_bin().empty());
  }
  SECTION("into the bin") {
    const LogCapture log;
    world.graph.support_permanent_delete(false);
    world.ours->remove(Folder::incoming, "a.pgp", {});
    CHECK(world.graph.recycle_bin() == std::vector<std::string>{"a.pgp"});
    CHECK(has(log.text(), "recycle bin"));
  }
  SECTION("gone meanwhile") {
    world.graph.fail_next({.call = GraphCall::remove_for_good},
                          {.before = [&] { world.graph.remove_file(GraphShare::kLibrary, "to_aii/a.pgp"); }});
    CHECK_NOTHROW(world.ours->remove(Folder::incoming, "a.pgp", {}));
  }
  CHECK(world.graph.list_files(GraphShare::kLibrary, "to_aii").empty());
}

TEST_CASE("a file that a retention policy holds stays, and is told") {
  World world;
  world.arrives("a.pgp", "x");
  world.graph.hold(GraphShare::kLibrary, "to_aii/a.pgp");
  const auto error = thrown([&] { world.ours->remove(Folder::incoming, "a.pgp", {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_rights);
  CHECK(has(error->message(), "retention"));
  CHECK(world.listed("a.pgp").size == 1);
}

TEST_CASE("a server that falls silent is given up in time, and a stop ends the wait at once") {
  World world;
  world.arrives("a.pgp", some_bytes(1'000'000));
  const ShareEntry entry = world.listed("a.pgp");
  StringSink sink(2'000'000);
  const GraphTrick trick = GENERATE(GraphTrick::stalled, GraphTrick::stalled_body);
  SECTION("in time") {
    SharePointOptions options = world.place.share();
    options.timeout = 300ms;
    world.graph.fail_next({.call = GraphCall::download}, {.trick = trick});
    SharePointShare impatient(std::move(options));
    CHECK(code_of([&] { impatient.fetch(Folder::incoming, entry, 0, sink, {}); }) == Code::s_timeout);
  }
  SECTION("a stop") {
    world.graph.fail_next({.call = GraphCall::download}, {.trick = trick});
    std::stop_source stop;
    const std::jthread later([&](const std::stop_token&) {
      while (world.graph.pending_faults() > 0) std::this_thread::sleep_for(5ms);
      stop.request_stop();
    });
    CHECK(code_of([&] {
            world.ours->fetch(Folder::incoming, entry, 0, sink, {.stop = stop.get_token(), .progress = {}});
          }) == Code::l_stopped);
  }
}

TEST_CASE("a server whose certificate comes from elsewhere is not talked to") {
  World world;
  SharePointOptions options = world.place.share();
  options.ca = Authority("another").certificate();
  SharePointShare share(std::move(options));
  const auto error = thrown([&] { share.list(Folder::incoming, {}); });
  REQUIRE(error);
  CHECK(error->code() == Code::s_host_key);
  CHECK(has(error->message(), "share.sharepoint.ca"));
  CHECK(world.graph.requests().empty());
  SharePointOptions none = world.place.share();
  none.ca = "nonsense";
  CHECK(code_of([&] { SharePointShare(std::move(none)); }) == Code::c_credential);
}

TEST_CASE("hosts that are not there or do not answer as they should are told apart") {
  World world;
  const auto listing_at = [&](const std::string& login) {
    SharePointOptions options = world.place.share();
    options.login = login;
    options.timeout = 2s;
    const auto error = thrown([&] { SharePointShare(std::move(options)).list(Folder::incoming, {}); });
    return error ? fmt::format("{}: {}", code_name(error->code()), error->message()) : "fine";
  };
  CHECK(has(listing_at("https://nowhere.invalid"),
            "S_UNREACHABLE: signing in: nowhere.invalid: the host's name is not known"));
  CHECK(has(listing_at("https://127.0.0.1:1"), "S_UNREACHABLE: signing in: 127.0.0.1:1 cannot be reached"));
}

TEST_CASE("everything goes through the proxy that is named") {
  World world;
  const auto with = [&](const std::string& proxy) {
    SharePointOptions options = world.place.share();
    options.proxy = proxy;
    return SharePointShare(std::move(options));
  };
  SECTION("one that lets through") {
    const ConnectProxy proxy;
    SharePointShare share = with(proxy.url());
    share.put("a.pgp", MemoryBlob(some_bytes(5 << 20)), {}, {});
    CHECK(world.stored("a.pgp") == some_bytes(5 << 20));
    const auto asked = proxy.asked();
    CHECK(std::count(asked.begin(), asked.end(), "127.0.0.1:" + std::to_string(world.graph.port())) > 0);
    CHECK(std::count(asked.begin(), asked.end(), world.graph.storage_host()) > 0);
  }
  SECTION("one that wants a sign-in") {
    const ConnectProxy proxy({.credentials = "user:word"});
    SharePointShare share = with(proxy.url());
    const auto error = thrown([&] { share.list(Folder::incoming, {}); });
    REQUIRE(error);
    CHECK(error->code() == Code::s_unreachable);
    CHECK(has(error->message(), "407"));
  }
  SECTION("none") {
    SharePointShare share = with("http://127.0.0.1:1");
    const auto error = thrown([&] { share.list(Folder::incoming, {}); });
    REQUIRE(error);
    CHECK(has(error->message(), "[proxy] https"));
  }
  CHECK(world.graph.requests().size() < 20);
}

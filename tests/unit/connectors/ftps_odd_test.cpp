// FTPS against a server that departs from the RFCs, in each way that one may, or that a hostile one would.

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "connectors/ftps_share.h"
#include "core/error.h"
#include "support/odd_ftps.h"
#include "support/text.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using Files = std::map<std::string, std::string>;

namespace {

const std::string kBytes(3'000'000, 'x');
const std::string kPath = "to_avsb/a.pgp";

void put(OddFtps& server, const std::string& bytes = "some bytes") {
  FtpsShare(server.share()).put("a.pgp", MemoryBlob(bytes), {}, {});
}

/// The error that a put ends in, as "CODE message"; empty when it does not.
std::string told_of_put(OddFtps& server, const std::string& bytes = "some bytes") {
  const auto error = thrown([&] { put(server, bytes); });
  return error ? std::string(code_name(error->code())) + " " + error->message() : "";
}

std::string read(FtpsShare& share, std::uint64_t offset = 0) {
  StringSink sink(kBytes.size());
  share.fetch(Folder::outgoing, share.list(Folder::outgoing, {}).at(0), offset, sink, {});
  return sink.take();
}

/// A habit: says `reply` to each command that begins with `begin`.
auto says(std::string begin, std::string reply) {
  return [begin = std::move(begin), reply = std::move(reply)](const std::string& command) {
    return command.starts_with(begin) ? std::optional(reply) : std::nullopt;
  };
}

}  // namespace

TEST_CASE("a server that keeps to the rules is served, with MLST and without") {
  OddFtps server({.knows_mlst = GENERATE(true, false)});
  CHECK(told_of_put(server, kBytes).empty());
  CHECK(server.files() == Files{{kPath, kBytes}});
}

TEST_CASE("folders count from where the sign-in leads to, also when the server does not tell where that is") {
  OddFtps server({.home = "/home/aii", .knows_mlst = false});
  const bool tells = GENERATE(true, false);
  if (!tells) server.turn({.home = "/home/aii", .instead = says("PWD", "550 no\r\n"), .knows_mlst = false});
  FtpsShare share(server.share());
  for (int i = 0; i < 2; ++i) {
    share.list(Folder::incoming, {});
    share.put("a.pgp", MemoryBlob("some bytes"), {}, {});
    CHECK(server.files() == Files{{kPath, "some bytes"}});
    share.remove(Folder::outgoing, "a.pgp", {});
    CHECK(server.files().empty());
  }
}

TEST_CASE("session tickets that come when all was sent lose nothing of it") {
  OddFtps server({.late_tickets = true});
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}, kBytes.size()}) {
    const std::string bytes = kBytes.substr(0, size);
    CHECK(told_of_put(server, bytes).empty());
    CHECK(server.files() == Files{{kPath, bytes}});
    FtpsShare(server.share()).remove(Folder::outgoing, "a.pgp", {});
  }
}

TEST_CASE("a complaint about how an upload ended does not count when all of it is there") {
  OddFtps server({.after_upload = "426 how rude\r\n"});
  SECTION("it is") {
    CHECK(told_of_put(server, kBytes).empty());
    CHECK(server.files() == Files{{kPath, kBytes}});
  }
  SECTION("some lacks") {
    server.turn({.keeps = [](auto&, const std::string& bytes) { return bytes.substr(1); },
                 .after_upload = "426 how rude\r\n"});
    const std::string text = told_of_put(server);
    CHECK(text.starts_with("S_UNREACHABLE"));
    CHECK_FALSE(has(text, "room"));
    CHECK_FALSE(server.files().contains(kPath));
  }
  SECTION("other bytes are") {
    server.turn({.keeps = [](auto&, const std::string& bytes) { return std::string(bytes.size(), '?'); },
                 .after_upload = "426 how rude\r\n"});
    CHECK(told_of_put(server).starts_with("S_UNREACHABLE"));
    CHECK_FALSE(server.files().contains(kPath));
  }
}

TEST_CASE("a lack of room is told where the server says so, or stores nothing any more") {
  const auto nothing = [](auto&, const std::string&) { return std::string(); };
  SECTION("it says so") {
    OddFtps server({.keeps = nothing, .after_upload = "452 full\r\n"});
    CHECK(has(told_of_put(server), "has no room for it (452)"));
  }
  SECTION("it does not store a little either") {
    OddFtps server({.keeps = nothing, .after_upload = "451 trouble\r\n"});
    const std::string text = told_of_put(server);
    CHECK(text.starts_with("S_FULL"));
    CHECK(has(text, "(451) and does not store a little beside it either"));
  }
  SECTION("it stores a little") {
    OddFtps server({.keeps = nothing});
    server.turn({.instead = [](const std::string& command) -> std::optional<std::string> {
      if (command == "STOR to_avsb/.a.pgp.part") return "451 trouble\r\n";
      return std::nullopt;
    }});
    CHECK(told_of_put(server).starts_with("S_UNREACHABLE"));
    CHECK(server.files().empty());
  }
}

TEST_CASE("what the server keeps less of than it confirms is not published") {
  OddFtps server(
      {.keeps = [](auto&, const std::string& bytes) { return bytes.substr(0, bytes.size() / 2); }});
  CHECK(told_of_put(server, kBytes).starts_with("S_PROTOCOL"));
  CHECK_FALSE(server.files().contains(kPath));
}

TEST_CASE("a server that leaves the data connection open after an upload costs a wait, and no more") {
  OddFtps server({.data_stays = true});
  FtpsOptions options = server.share();
  options.timeout = std::chrono::milliseconds(300);
  FtpsShare(std::move(options)).put("a.pgp", MemoryBlob("some bytes"), {}, {});
  CHECK(server.files() == Files{{kPath, "some bytes"}});
}

TEST_CASE("a server that ends data without TLS's farewell is read all the same") {
  OddFtps server({.no_farewell = true});
  put(server, kBytes);
  FtpsShare share(server.share());
  CHECK(read(share) == kBytes);
  CHECK(read(share, 1'000'000) == kBytes.substr(1'000'000));
}

TEST_CASE("nothing but the wish for TLS is said in clear, whatever a server says before it") {
  OddFtps server;
  SECTION("that we are signed in already") {
    server.turn({.greeting = "230 welcome\r\n", .instead = says("AUTH", "230 in\r\n")});
  }
  SECTION("that TLS begins, and more behind it that nobody protects") {
    server.turn({.instead = says("AUTH", "234 go\r\n331 who\r\n230 in\r\n")});
  }
  SECTION("that it knows no TLS") { server.turn({.instead = says("AUTH", "502 no\r\n")}); }
  CHECK_FALSE(told_of_put(server).empty());
  for (const std::string& command : server.commands_in_clear()) CHECK(command.starts_with("AUTH "));
  CHECK(server.count("USER") == 0);
}

TEST_CASE("no data goes where the server's own authority does not vouch, nor in clear") {
  OddFtps server;
  FtpsShare share(server.share());
  share.list(Folder::outgoing, {});
  SECTION("another's certificate on the data connection") {
    server.turn({.other_for_data = true});
    const auto error = thrown([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {}); });
    REQUIRE(error);
    INFO(error->message());
    CHECK(error->code() == Code::s_host_key);
    CHECK(has(error->message(), "the pinned authority did not issue"));
    CHECK(has(told_of_put(server), "the pinned authority did not issue"));
  }
  SECTION("a data connection without TLS") {
    server.turn({.data_in_clear = true});
    CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {}); }));
    for (const auto& [path, bytes] : server.files()) CHECK_FALSE(has(bytes, "xxx"));
  }
  CHECK_FALSE(server.files().contains(kPath));
}

TEST_CASE("data goes to the host of the commands, wherever a reply points") {
  OddFtps server;
  const auto pointing = [&](const std::string& epsv, const std::string& pasv) {
    server.turn({.instead = [=](const std::string& command) -> std::optional<std::string> {
      if (command == "EPSV") return epsv;
      if (command == "PASV" && !pasv.empty()) return pasv;
      return std::nullopt;
    }});
  };
  SECTION("PASV elsewhere") {
    pointing("502 no\r\n", "227 there (192,0,2,1,1,1)\r\n");  // port 257: nobody
    const std::string text = told_of_put(server);
    CHECK(text.starts_with("S_UNREACHABLE"));
    CHECK(has(text, "the data connection is refused"));
  }
  SECTION("EPSV elsewhere") {
    pointing("229 there (|1|192.0.2.1|21|)\r\n", "");
    CHECK(told_of_put(server).starts_with("S_PROTOCOL"));
  }
  SECTION("nonsense") {
    pointing("229 there (|||99999|)\r\n", "");
    CHECK_FALSE(told_of_put(server).empty());
    pointing("502 no\r\n", "227 there (999,0,0,1,1,1)\r\n");
    CHECK_FALSE(told_of_put(server).empty());
  }
  CHECK(server.files().empty());
}

TEST_CASE("replies that do not end are cut off") {
  OddFtps server;
  FtpsOptions options = server.share();
  options.timeout = std::chrono::milliseconds(700);
  FtpsShare share(std::move(options));
  SECTION("lines and lines") {
    std::string lines;
    while (lines.size() < 2'000'000) lines += "211-and another thing\r\n";
    server.turn({.instead = says("FEAT", lines)});
    const auto error = thrown([&] { share.list(Folder::outgoing, {}); });
    REQUIRE(error);
    CHECK(error->code() == Code::s_protocol);
    CHECK(has(error->message(), "does not stop talking"));
  }
  SECTION("one line without an end") {
    server.turn({.instead = says("FEAT", "211 " + std::string(4'000'000, 'x'))});
    CHECK(code_of([&] { share.list(Folder::outgoing, {}); }));
  }
  SECTION("beginnings of a reply and no last line") {
    server.turn({.instead = says("FEAT", "211-and\r\n more\r\n")});
    CHECK(code_of([&] { share.list(Folder::outgoing, {}); }) == Code::s_timeout);
  }
  server.turn({});
  CHECK_NOTHROW(share.list(Folder::outgoing, {}));
}

TEST_CASE("a reply too many neither publishes what is not there nor makes the next call fail") {
  OddFtps server;
  FtpsShare share(server.share());
  share.list(Folder::outgoing, {});
  SECTION("to a removal") { server.turn({.instead = says("DELE", "550 no\r\n226 done\r\n")}); }
  SECTION("to a look") { server.turn({.instead = says("MLST", "550 no\r\n250 yes\r\n")}); }
  SECTION("before an upload") {
    server.turn({.keeps = [](auto&, const std::string&) { return std::string(); },
                 .after_upload = "226 done\r\n226 done\r\n226 done\r\n"});
  }
  CHECK(code_of([&] { share.put("a.pgp", MemoryBlob(kBytes), {}, {}); }));
  CHECK_FALSE(server.files().contains(kPath));
  server.turn({});
  share.put("a.pgp", MemoryBlob(kBytes), {}, {});
  CHECK(server.files() == Files{{kPath, kBytes}});
}

TEST_CASE("a rename that was confirmed and did not happen is not taken for a file that was fetched") {
  OddFtps server({.instead = says("RNTO", "250 of course\r\n")});
  CHECK(told_of_put(server).starts_with("S_PROTOCOL"));
}

TEST_CASE("a listing without an end, or of nothing but noise, is cut off") {
  OddFtps server;
  FtpsOptions options = server.share();
  options.timeout = std::chrono::milliseconds(500);
  FtpsShare share(std::move(options));
  std::string noise;
  noise.resize(20'000'000, 'x');
  SECTION("one line") {
    server.turn({.hands_over = [&](auto&, const std::string&) { return noise; }});
    CHECK(code_of([&] { share.list(Folder::outgoing, {}); }) == Code::s_protocol);
  }
  SECTION("folders") {
    std::string folders;
    while (folders.size() < 20'000'000) folders += "type=dir; x\r\n";
    server.turn({.hands_over = [&](auto&, const std::string&) { return folders; }});
    CHECK(code_of([&] { share.list(Folder::outgoing, {}); }) == Code::s_protocol);
  }
  SECTION("files") {
    std::string files;
    while (files.size() < 20'000'000) files += "type=file;size=1;modify=20260115093000; x\r\n";
    server.turn({.hands_over = [&](auto&, const std::string&) { return files; }});
    CHECK(share.list(Folder::outgoing, {}).size() == kMostEntries);
  }
}

TEST_CASE("names in a listing lead to no command, whatever they hold") {
  OddFtps server({.hands_over =
                      [](const std::string& command, std::string bytes) {
                        const std::string row = "-rw-r--r-- 1 a a 5 Jan 01 2026 ";
                        if (!command.starts_with("LIST")) return bytes;
                        return row + "b.pgp\rDELE a.pgp\r\n" + row + "../c\r\n" + row + "d.pgp x\r\n" + row +
                               "good.pgp\r\n";
                      },
                  .knows_mlst = false});
  server.lay("to_avsb/good.pgp", "bytes");
  FtpsShare share(server.share());
  CHECK(share.list(Folder::outgoing, {}).size() == 3);
  CHECK(server.count("DELE") == 0);
  CHECK(server.count("MDTM to_avsb/..") == 0);
  CHECK(server.count("MDTM to_avsb/good.pgp") == 1);
  CHECK(server.count("MDTM to_avsb/d") == 0);
}

TEST_CASE("a file that is not as long as the server told is never taken for whole") {
  OddFtps server;
  server.lay(kPath, kBytes);
  FtpsShare share(server.share());
  const ShareEntry entry = share.list(Folder::outgoing, {}).at(0);
  StringSink sink(2 * kBytes.size());
  const auto fetch = [&](std::uint64_t offset) {
    return code_of([&] { share.fetch(Folder::outgoing, entry, offset, sink, {}); });
  };
  SECTION("shorter") {
    server.turn({.hands_over = [](auto&, const std::string& bytes) { return bytes.substr(1); }});
    CHECK(fetch(0));
  }
  SECTION("longer") {
    server.turn({.hands_over = [](auto& command, std::string bytes) {
      return command.starts_with("RETR") ? bytes + "x" : bytes;
    }});
    fetch(0);
    CHECK(sink.bytes().size() <= kBytes.size());
  }
  SECTION("all of it instead of the rest") {
    server.turn({.instead = says("REST", "350 sure\r\n")});
    fetch(1'000'000);
    CHECK(sink.bytes().size() <= 2'000'000);
    share.remove(Folder::outgoing, "a.pgp", {});
    const auto results = share.probe();
    CHECK(std::any_of(results.begin(), results.end(),
                      [](const auto& each) { return each.what == "resume" && !each.good; }));
  }
  SECTION("where it cannot begin in the middle") {
    server.turn({.instead = says("REST", "502 no\r\n")});
    CHECK(fetch(1'000'000) == Code::s_protocol);
    CHECK(sink.bytes().empty());
  }
}

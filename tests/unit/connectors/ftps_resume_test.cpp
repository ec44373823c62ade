// A put over FTPS that was cut goes on where it was cut, when what lies there is what was sent.

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <random>
#include <span>
#include <string>

#include <catch2/catch.hpp>

#include "connectors/ftps_share.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"
#include "support/child.h"
#include "support/ftps_server.h"
#include "support/odd_ftps.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

std::string bytes_of(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 7 + i / 251) & 0xff);
  return bytes;
}

/// From where the put went on that kept this note.
std::uint64_t verified_of(const std::string& note) { return std::stoull(note.substr(note.rfind(' '))); }

/// Many bytes that nobody holds.
class Pattern : public Blob {
 public:
  explicit Pattern(std::uint64_t size) : size_(size) {}
  std::uint64_t size() const override { return size_; }
  std::size_t read(std::uint64_t offset, std::span<char> into) const override {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
    for (std::size_t i = 0; i < n; ++i) into[i] = static_cast<char>((offset + i) * 7 + (offset + i) / 251);
    return n;
  }

 private:
  std::uint64_t size_;
};

/// One exchange's puts: its note is kept from one to the next, as the ledger does.
class Puts {
 public:
  explicit Puts(FtpsOptions options) : share_(std::move(options)) {}

  /// Stopped once `most` bytes of it have been dealt with.
  void put(const std::string& bytes, std::uint64_t most = ~std::uint64_t{0}) {
    std::stop_source stop;
    const auto progress = [&](std::uint64_t done) {
      if (done >= most) stop.request_stop();
    };
    const auto code = code_of([&] {
      share_.put("a.pgp", MemoryBlob(bytes), {note, [&](const std::string& text) { note = text; }},
                 {stop.get_token(), progress});
    });
    CHECK(code == (most < bytes.size() ? std::optional(Code::l_stopped) : std::nullopt));
  }
  /// From where the last put went on.
  std::uint64_t began() const { return verified_of(note); }
  std::string note;

 private:
  FtpsShare share_;
};

const std::string kBytes = bytes_of(40'000'000);
const std::string kPath = "to_avsb/a.pgp";
const std::string kPart = "to_avsb/.a.pgp.part";

FtpsServerOptions appending(FtpServerKind kind) {
  if (kind == FtpServerKind::proftpd)
    return {.kind = kind, .lines = {"AllowStoreRestart on", "AllowOverwrite on"}};
  return {.kind = kind};
}

}  // namespace

TEST_CASE("a put that is cut again and again goes on each time from what the server has") {
  const FtpServerKind kind =
      GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd, FtpServerKind::pure_ftpd);
  CAPTURE(static_cast<int>(kind));
  const FtpsServer server(appending(kind));
  const fs::path part = server.root() / kPart;
  Puts puts(server.share());
  std::uint64_t there = 0;
  for (std::uint64_t cut = 8'000'000; cut < kBytes.size(); cut += 8'000'000) {
    puts.put(kBytes, cut);
    CHECK(puts.began() == there);
    wait_until([&] { return server.sessions().empty(); });  // it has written what came
    there = fs::file_size(part);
    CHECK(there > puts.began());
  }
  puts.put(kBytes);
  CHECK(puts.began() == there);
  CHECK(read_file(server.root() / kPath) == kBytes);
  CHECK_FALSE(fs::exists(part));
}

TEST_CASE("an upload killed at ten random moments goes on each time from what the server has") {
  // 200 MB in the long tests.
  const std::uint64_t size = std::getenv("VEER_KILL_ROUNDS") != nullptr ? 200'000'000 : 40'000'000;
  const Pattern content(size);
  const FtpServerKind kind = GENERATE(FtpServerKind::proftpd, FtpServerKind::vsftpd);
  const FtpsServer server(appending(kind));
  const fs::path part = server.root() / kPart;
  const TempFolder folder;
  const fs::path note = folder / "note";
  write_file(note, "");
  // Killed once it says to have sent so much.
  const auto work = [&](std::uint64_t most) {
    const ResumeNote resume{read_file(note), [&](const std::string& text) { write_file(note, text); }};
    FtpsShare(server.share()).put("a.pgp", content, resume, {.stop = {}, .progress = [&](std::uint64_t n) {
                                                               if (n >= most) raise(SIGKILL);
                                                             }});
    return 0;
  };
  const unsigned seed = std::random_device()();
  CAPTURE(static_cast<int>(kind), seed);
  std::mt19937 random(seed);
  std::uint64_t there = 0;
  for (std::uint64_t life = 0; life < 10; ++life) {
    const std::uint64_t moment = size / 11 * life + random() % (size / 11) + 1;
    CHECK(Child([&] { return work(std::max(moment, there + 1)); }).wait() == -1);
    wait_until([&] { return server.sessions().empty(); });  // it has written what came
    CHECK(verified_of(read_file(note)) == there);
    CHECK(fs::file_size(part) >= there);
    there = fs::file_size(part);
  }
  CHECK(work(size + 1) == 0);
  CHECK(verified_of(read_file(note)) == there);
  CHECK(sha256_hex(FileBlob(server.root() / kPath)) == sha256_hex(content));
}

TEST_CASE("a server that does not append gets all of it again") {
  const FtpsServer server;
  Puts puts(server.share());
  puts.put(kBytes, 8'000'000);
  puts.put(kBytes);
  CHECK(read_file(server.root() / kPath) == kBytes);
  CHECK(server.commands().find("APPE 4") != std::string::npos);
}

TEST_CASE("what lies there is gone on from only when it is the beginning of what is put") {
  OddFtps server;
  Puts puts(server.share());
  const std::string bytes = kBytes.substr(0, 3'000'000);
  puts.put(bytes, 1'500'000);
  wait_until([&] { return server.open_sessions() == 0; });
  const auto begins_anew = [&] {
    puts.put(bytes);
    CHECK(puts.began() == 0);
    CHECK(server.count("APPE") == 0);
    CHECK(server.files() == std::map<std::string, std::string>{{kPath, bytes}});
  };
  SECTION("one byte is another") {
    std::string other = bytes.substr(0, 2'000'000);
    other[1'000'000] ^= 1;
    server.lay(kPart, other);
    begins_anew();
  }
  SECTION("it is longer") {
    server.lay(kPart, bytes + "x");
    begins_anew();
  }
  SECTION("nothing lies there") {
    server.lay(kPart, "");
    begins_anew();
  }
  SECTION("the note is of other content") {
    puts.note = "ftps " + std::string(64, 'a') + " 0";
    server.lay(kPart, bytes.substr(0, 2'000'000));
    begins_anew();
  }
  SECTION("the note is nonsense") {
    puts.note = GENERATE("", "ftps ", "https://example.org/session", "\r\nDELE x");
    server.lay(kPart, bytes.substr(0, 2'000'000));
    begins_anew();
  }
  SECTION("less lies there than was compared once") {
    server.lay(kPart, bytes.substr(0, 2'000'000));
    puts.note.replace(puts.note.rfind(' '), std::string::npos, " 2500000");
    begins_anew();
  }
}

TEST_CASE("what lies there is compared anew each time, and what is whole is only renamed") {
  OddFtps server;
  Puts puts(server.share());
  const std::string bytes = kBytes.substr(0, 3'000'000);
  puts.put(bytes, 1'500'000);
  wait_until([&] { return server.open_sessions() == 0; });
  server.lay(kPart, bytes.substr(0, 2'000'000));
  puts.put(bytes, 2'400'000);
  CHECK(puts.began() == 2'000'000);
  wait_until([&] { return server.open_sessions() == 0; });
  SECTION("it is whole") {
    server.lay(kPart, bytes);
    puts.put(bytes);
    CHECK(server.count("APPE") == 1);
  }
  SECTION("the server lost since what was compared once") {
    server.lay(kPart, std::string(1'000'000, '\0') + bytes.substr(1'000'000, 1'400'000));
    puts.put(bytes);
    CHECK(puts.began() == 0);
  }
  CHECK(server.files() == std::map<std::string, std::string>{{kPath, bytes}});
}

TEST_CASE("a session that still writes while the rest is appended spoils nothing that is published") {
  OddFtps server;
  Puts puts(server.share());
  const std::string bytes = kBytes.substr(0, 3'000'000);
  puts.put(bytes, 1'500'000);
  wait_until([&] { return server.open_sessions() == 0; });
  server.lay(kPart, bytes.substr(0, 2'000'000));
  // What came late lies between what was there and what is appended.
  server.turn({.keeps = [](auto&, const std::string& more) { return "late" + more; }});
  FtpsShare share(server.share());
  CHECK(code_of([&] {
          share.put("a.pgp", MemoryBlob(bytes), {puts.note, [](auto&) {}}, {});
        }) == Code::s_protocol);
  CHECK_FALSE(server.files().contains(kPath));
  server.turn({});
  puts.put(bytes);
  CHECK(server.files() == std::map<std::string, std::string>{{kPath, bytes}});
}

TEST_CASE("a small put keeps no note") {
  OddFtps server;
  Puts puts(server.share());
  puts.put("some bytes");
  CHECK(puts.note.empty());
}

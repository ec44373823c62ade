// Packages of 200 MB, as the program carries them: an upload that is killed again and again, and the memory
// that it takes. A list that large would have seventeen million numbers; so a small one is sealed and, before
// it goes up, other bytes take its place in spool and ledger. Bytes are bytes to a share.

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "connectors/quick_xor.h"
#include "core/digest.h"
#include "core/files.h"
#include "daemon/database.h"
#include "graph/graph_share.h"
#include "graph/quick_xor.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;

namespace {

constexpr std::uint64_t kSize = 200'000'000;
constexpr std::uint64_t kFragment = 10 << 20;  // bytes of a request over SharePoint

struct Large {
  std::string name;    ///< on the share
  std::string sha256;  ///< of its bytes
};

Database ledger_of(const Installation& both, const std::string& party) {
  return Database("sqlite:" + (both.path(party) / "ledger.db").native());
}

void write_noise(const fs::path& file, std::uint64_t size) {
  std::mt19937_64 noise(7);
  std::vector<std::uint64_t> piece(std::size_t{1} << 17);
  std::ofstream out(file, std::ios::binary);
  for (std::uint64_t done = 0; done < size;) {
    std::generate(piece.begin(), piece.end(), std::ref(noise));
    const std::uint64_t n = std::min<std::uint64_t>(piece.size() * sizeof(std::uint64_t), size - done);
    out.write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(n));
    done += n;
  }
}

/// A sealed package of `kSize` bytes that waits to be put.
Large seal_large(const Installation& both) {
  const fs::path config = both.config("aii");
  replace_line(config, "outgoing ", "outgoing = \"elsewhere\"");
  both.drop(both.list_name(), fictitious_csv(1000, 5));
  both.veer("aii", "run --once");
  replace_line(config, "outgoing ", "outgoing = \"to_avsb\"");
  Database ledger = ledger_of(both, "aii");
  const auto sealed = ledger.query_one("SELECT stem, package FROM exchange WHERE stage = 'sealed'");
  REQUIRE(sealed);
  const fs::path file = both.path("aii") / "spool" / (sealed->text(0) + ".pgp");
  REQUIRE(fs::exists(file));
  write_noise(file, kSize);
  const std::string digest = sha256_hex(FileBlob(file));
  ledger.execute("UPDATE exchange SET package_sha256 = :digest, package_size = :size",
                 {digest, static_cast<std::int64_t>(kSize)});
  return {sealed->text(1), digest};
}

bool is_sent(const Installation& both) {
  return !ledger_of(both, "aii").query("SELECT id FROM exchange WHERE stage = 'sent'").empty();
}

/// Most memory that it has had so far, bytes.
std::uint64_t peak_of(const Process& process) {
  const std::string status = text_in(fmt::format("/proc/{}/status", process.pid()));
  static constexpr std::string_view kPeak = "VmHWM:";
  return std::stoull(status.substr(status.find(kPeak) + kPeak.size())) * 1024;
}

/// Through the shell, since the service makes the ledger while we look.
bool has_polled(const Installation& both, const std::string& party) {
  const ShellResult found = shell(fmt::format(
      "sqlite3 -readonly {} \"SELECT 1 FROM chore WHERE name = 'poll' AND last_done_at > 0\" 2>/dev/null",
      (both.path(party) / "ledger.db").native()));
  return has(found.output, "1");
}

// Fragments: "bytes 0-10485759/200000000".
struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

std::vector<Range> fragments(const GraphEmulator& graph) {
  std::vector<Range> found;
  for (const GraphRequest& request : graph.requests()) {
    if (request.call != GraphCall::fragment) continue;
    const std::string& text = request.content_range;
    found.push_back({std::stoull(text.substr(6)), std::stoull(text.substr(text.find('-') + 1))});
  }
  return found;
}

std::string hash_at_once(const std::string& bytes) {
  veer::QuickXor hash;
  hash.update(bytes);
  return hash.text();
}

}  // namespace

TEST_CASE("an upload of 200 MB that is killed ten times goes on without sending a finished fragment again") {
  constexpr int kKills = 10;
  constexpr std::chrono::milliseconds kAnswer(150);
  const Installation both("sharepoint");
  GraphEmulator& graph = both.graph();
  const std::size_t idle = names_in("/proc/self/task").size();
  const Large large = seal_large(both);
  graph.clear_requests();
  // A fragment is stored, and its answer comes later: kills strike before, in and after the storing.
  graph.fail_next({.call = GraphCall::fragment}, {.delay = kAnswer}, 1000);
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int kill = 0; kill < kKills; ++kill) {
    const GraphMatch at_work{.call = kill == 0 ? GraphCall::fragment : GraphCall::session_status};
    const std::size_t before = graph.count(at_work);
    auto aii = both.serve("aii");
    wait_until([&] { return graph.count(at_work) > before; }, 60);
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 250));
    aii->end(SIGKILL);
    // What it had sent until then is taken.
    wait_until([&] { return names_in("/proc/self/task").size() <= idle; });
    REQUIRE(graph.open_sessions() == 1);
  }
  graph.clear_faults();
  auto aii = both.serve("aii");
  wait_until([&] { return is_sent(both); }, 60);
  CHECK(aii->end(SIGTERM) == 0);

  CHECK(graph.count({.call = GraphCall::create_session}) == 1);
  std::uint64_t next = 0;
  for (const Range& range : fragments(graph)) {
    CHECK(range.first == next);
    next = range.last + 1;
  }
  CHECK(next == kSize);
  CHECK(fragments(graph).size() == kSize / kFragment + 1);
  const auto there = graph.read_file(GraphShare::kLibrary, "to_avsb/" + large.name);
  REQUIRE(there);
  CHECK(sha256_hex(*there) == large.sha256);
  veer::test::QuickXor theirs;
  theirs.update(*there);
  CHECK(hash_at_once(*there) == theirs.base64());
}

TEST_CASE("a put and a fetch of 200 MB take no more memory than one fragment and 20 MB above rest") {
  const std::string share = GENERATE(as<std::string>(), "sharepoint", "ftps", "sftp");
  CAPTURE(share);
  const Installation both(share);
  std::map<std::string, std::uint64_t> at_rest;
  for (const char* party : {"aii", "avsb"}) {
    const auto service = both.serve(party);
    wait_until([&] { return has_polled(both, party); });
    at_rest[party] = peak_of(*service);
    CHECK(service->end(SIGTERM) == 0);
  }
  seal_large(both);
  const auto most = [&](const char* party) { return at_rest[party] + kFragment + 20'000'000; };

  const auto aii = both.serve("aii");
  wait_until([&] { return is_sent(both); }, 60);
  CHECK(peak_of(*aii) < most("aii"));
  CHECK(aii->end(SIGTERM) == 0);

  const auto avsb = both.serve("avsb");
  const fs::path quarantine = both.path("avsb") / "quarantine";
  wait_until([&] { return fs::exists(quarantine) && !fs::is_empty(quarantine); }, 60);
  CHECK(fs::file_size(quarantine / names_in(quarantine).front()) == kSize);
  CHECK(peak_of(*avsb) < most("avsb"));
  CHECK(avsb->end(SIGTERM) == 0);
}

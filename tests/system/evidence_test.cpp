// The evidence of a year (Q37): verified with bare tools, and not fooled.

#include <algorithm>
#include <csignal>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "daemon/bus_verbs.h"
#include "support/canary.h"
#include "support/child.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;

namespace {

/// A list and its correction, acknowledged, and what both sides have to show for it.
struct Proven {
  Installation both;
  std::string year = std::to_string(both.year());

  Proven() {
    for (const char* party : {"aii", "avsb"}) {
      const fs::path config = both.config(party);
      write_file(config,
                 text_in(config) + "\n[[processors]]\nname = \"a provider\"\ntask = \"runs the share\"\n");
    }
    const auto avsb = both.serve("avsb");
    send(1000, "send ");
    send(900, "send --correction ");
    CHECK(avsb->end(SIGTERM) == 0);
    write(folder("aii"), "aii");
    write(folder("avsb"), "avsb");
  }
  void send(std::size_t count, const std::string& how) {
    const fs::path file = both.path(both.list_name());
    write_file(file, fictitious_csv(count, 3));
    const ShellResult sent = both.veer("aii", how + file.native() + " --wait --timeout 60");
    INFO(sent.output);
    REQUIRE(sent.exit_code == 0);
    fs::remove(file);
  }
  fs::path folder(const std::string& party) const { return both.path(party + "-evidence"); }
  void write(const fs::path& to, const std::string& party) const {
    const ShellResult written = both.veer(party, fmt::format("evidence {} -o {}", year, to.native()));
    INFO(written.output);
    REQUIRE(written.exit_code == 0);
  }
  static ShellResult verify(const fs::path& folder, const std::string& other = "") {
    return shell(fmt::format("{}/verify.sh {} 2>&1", folder.native(), other));
  }
  /// As somebody does who knows how the folder is made.
  static void sum_anew(const fs::path& folder) {
    shell(
        fmt::format("cd {} && find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.sig | sed 's,^\\./,,' | "
                    "sort | xargs sha256sum > ../sums && "
                    "mv ../sums SHA256SUMS",
                    folder.native()));
  }
  static void change(const fs::path& file, const std::string& from, const std::string& to) {
    std::string text = read_file(file);
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    write_file(file, text.replace(at, from.size(), to), 0644);
  }
};

}  // namespace

TEST_CASE("Q37: each side's evidence of a year is verified with bare tools, against the other's too") {
  const Proven p;
  for (const auto& [mine, theirs] : {std::pair{"aii", "avsb"}, {"avsb", "aii"}}) {
    const ShellResult verified = Proven::verify(p.folder(mine), (p.folder(theirs) / "anchors.txt").native());
    CAPTURE(mine, verified.output);
    CHECK(verified.exit_code == 0);
    CHECK(has(verified.output, "All of it holds."));
    CHECK(has(verified.output, "that the other side knows stand in this chain"));
    CHECK(count_of(verified.output, "is signed by the receiver") == 2);
    CHECK(count_of(verified.output, "): recorded, a package that is known here") == 2);
    CHECK(has(verified.output, std::string("the folder as a whole is signed by ") + mine));
    CHECK_FALSE(has(verified.output, "NOT GOOD"));
    const ShellResult alone = Proven::verify(p.folder(mine));
    CHECK(alone.exit_code == 0);
    CHECK(has(alone.output, "Nothing here contradicts itself"));
    CHECK_FALSE(has(alone.output, "All of it holds."));
    const json facts = json::parse(read_file(p.folder(mine) / "facts.json"));
    CHECK(facts["exchanges"].size() == 2);
    CHECK(facts["processors"][0]["name"] == "a provider");
    for (const char* duty : {"cases", "deliveries", "hand_overs", "erasures", "erasures_undone", "incidents"})
      CHECK(facts[duty].empty());
    CHECK(facts["configuration_sha256"] == sha256_hex(text_in(p.both.config(mine))));
    CHECK_FALSE(facts.contains("members"));
    const std::string page = text_in(p.folder(mine) / "index.html");
    for (const auto& [right, group, commands] :
         {std::tuple{"operate", "veer-operators",
                     std::vector{"send", "withdraw", "close-alert", "distribute", "case-open", "case-answer",
                                 "case-close", "case-persons", "incident-confirm", "incident-notified"}},
          {"approve", "veer-approvers",
           std::vector{"approve", "approve-forget", "close-out", "incident-dismiss", "incident-close"}},
          {"audit", "veer-auditors", std::vector{"evidence", "audit verify"}},
          {"desk", "veer-desk", std::vector{"lookup"}}}) {
      CHECK(facts["access"][right]["groups"] == json::array({group}));
      const json& may = facts["access"][right]["commands"];
      for (const char* command : commands) {
        CAPTURE(right, command);
        CHECK(std::find(may.begin(), may.end(), command) != may.end());
        CHECK((std::string_view(right) == "desk" || has(page, command)));
      }
    }
    std::size_t told = 0;
    for (const json& each : facts["access"]) told += each["commands"].size();
    CHECK(told == kAsked.size() + kEntrusted.size() + kOffers.size() + kLooks.size());
    const json sbom = json::parse(read_file(p.folder(mine) / "sbom.cdx.json"));
    CHECK("veerdienst " + sbom["metadata"]["component"]["version"].get<std::string>() == facts["program"]);
    std::set<std::string> components;
    for (const json& component : sbom["components"])
      if (!component["version"].get<std::string>().empty()) components.insert(component["name"]);
    for (const char* name : {"sqlite", "gpgme", "libssh2", "gnupg"}) CHECK(components.contains(name));
    CHECK(has(read_file(p.folder(mine) / "index.html"), "./verify.sh"));
    CHECK(files_holding(p.folder(mine), fictitious_list(1000, 3)).empty());
  }
  CHECK(p.both.veer("aii", fmt::format("evidence {} -o {}", p.year, p.folder("aii").native())).exit_code ==
        2);
  CHECK(has(p.both.veer("aii", "evidence 2022 -o " + p.both.path("none").native()).output, "U_STATE"));
  CHECK_FALSE(fs::exists(p.both.path("none")));
}

TEST_CASE("Q37: evidence names who is in each group only when that is asked for") {
  const Proven p;
  const fs::path folder = p.both.path("with-names");
  REQUIRE(p.both.veer("avsb", fmt::format("evidence {} --names -o {}", p.year, folder.native())).exit_code ==
          0);
  const json members = json::parse(read_file(folder / "facts.json"))["members"];
  for (const char* group : {"veer-operators", "veer-approvers", "veer-auditors", "veer-desk"})
    CHECK(members.contains(group));
  CHECK(has(read_file(folder / "index.html"), "veer-desk"));
}

TEST_CASE("Q37: evidence that somebody changed does not verify") {
  const Proven p;
  const fs::path folder = p.folder("avsb");
  const auto does_not = [&](const std::string& why, const std::string& other = "") {
    const ShellResult verified = Proven::verify(folder, other);
    CAPTURE(verified.output);
    CHECK(verified.exit_code == 1);
    CHECK(has(verified.output, why));
    CHECK_FALSE(has(verified.output, "All of it holds."));
  };
  const fs::path receipt =
      *std::find_if(fs::begin(fs::directory_iterator(folder / "receipts")), fs::directory_iterator(),
                    [](const fs::path& path) { return path.extension() == ".json"; });
  SECTION("a file") {
    Proven::change(folder / "facts.json", "avsb", "aiia");
    does_not("a file is not as it was written");
  }
  SECTION("a file too many") {
    write_file(folder / "receipts/more.txt", "x");
    does_not("was added");
  }
  SECTION("a receipt, and the sums") {
    Proven::change(receipt, "\"recorded\"", "\"recorded\" ");
    Proven::sum_anew(folder);
    does_not("does not bear one good signature");
  }
  SECTION("a package's digest, and the sums") {
    const std::string digest = read_file(folder / "packages.txt").substr(0, 64);
    Proven::change(folder / "packages.txt", digest, std::string(64, '0'));
    Proven::sum_anew(folder);
    does_not("tells of a package that is not known here");
  }
  SECTION("a record of the chain, and the sums") {
    Proven::change(folder / "audit.jsonl", "\"records\":\"1000\"", "\"records\":\"1001\"");
    Proven::sum_anew(folder);
    does_not("does not follow the one before it");
  }
  SECTION("a receipt that the sender signs for the receiver, twice over") {
    Proven::change(receipt, "\"recorded\"", "\"recorded\" ");
    const std::string sign = fmt::format("gpg --homedir {} --batch --detach-sign -o - {}",
                                         (p.both.path("aii") / "gnupg").native(), receipt.native());
    REQUIRE(shell(fmt::format("({0}; {0}) > {1}.sig 2>/dev/null", sign, receipt.native())).exit_code == 0);
    Proven::sum_anew(folder);
    does_not("does not bear one good signature", (p.folder("aii") / "anchors.txt").native());
  }
  SECTION("what became of a package, likewise") {
    fs::remove(folder / "SHA256SUMS.sig");
    Proven::change(folder / "packages.txt", "revision 1 answered", "revision 1 refused");
    Proven::sum_anew(folder);
    does_not("says recorded, and packages.txt refused");
  }
  SECTION("no receipt") {
    fs::remove(receipt);
    fs::remove(receipt.native() + ".sig");
    Proven::sum_anew(folder);
    does_not("there is no receipt for");
  }
  SECTION("what stands nowhere else, and the sums") {
    Proven::change(folder / "facts.json", "\"environment\": \"test\"", "\"environment\": \"production\"");
    Proven::sum_anew(folder);
    does_not("the signature of the folder is not a good one");
    // Without its signature the folder says what it is not.
    fs::remove(folder / "SHA256SUMS.sig");
    const ShellResult verified = Proven::verify(folder, (p.folder("aii") / "anchors.txt").native());
    CAPTURE(verified.output);
    CHECK(has(verified.output, "The folder bears no signature"));
    CHECK_FALSE(has(verified.output, "All of it holds."));
  }
  SECTION("a correction that is left out, by whoever takes the signature away too") {
    fs::remove(folder / "SHA256SUMS.sig");
    const std::string packages = read_file(folder / "packages.txt");
    write_file(folder / "packages.txt", packages.substr(0, packages.find('\n') + 1), 0644);
    std::vector<fs::path> gone;
    for (const fs::path& path : fs::directory_iterator(folder / "receipts"))
      if (has(path.filename().native(), "-r2_")) gone.push_back(path);
    REQUIRE(gone.size() == 2);
    for (const fs::path& path : gone) fs::remove(path);
    Proven::sum_anew(folder);
    does_not("and packages.txt does not", (p.folder("aii") / "anchors.txt").native());
  }
  SECTION("no answer to anything, likewise") {
    fs::remove(folder / "SHA256SUMS.sig");
    for (const char* revision : {"revision 1 answered", "revision 2 answered"})
      Proven::change(folder / "packages.txt", revision, std::string(revision).substr(0, 11) + "withdrawn");
    fs::remove_all(folder / "receipts");
    fs::create_directory(folder / "receipts");
    Proven::sum_anew(folder);
    does_not("the chain tells of an answer");
  }
  SECTION("no answer, called recorded by the sender") {
    fs::remove(p.folder("aii") / "SHA256SUMS.sig");
    Proven::change(p.folder("aii") / "packages.txt", "revision 1 acknowledged", "revision 1 recorded");
    Proven::sum_anew(p.folder("aii"));
    const ShellResult verified = Proven::verify(p.folder("aii"));
    CAPTURE(verified.output);
    CHECK(verified.exit_code == 1);
    CHECK(has(verified.output, "is called recorded by who does not record"));
  }
  SECTION("another count, likewise") {
    fs::remove(folder / "SHA256SUMS.sig");
    Proven::change(folder / "packages.txt", "1000 numbers", "1001 numbers");
    Proven::sum_anew(folder);
    does_not("and packages.txt does not");
  }
  SECTION("an argument that is not there") {
    does_not("cannot be read", (p.folder("none") / "anchors.txt").native());
    does_not("cannot be read", "''");
    does_not("is it the other side's?", (folder / "anchors.txt").native());
  }
  SECTION("a chain that was cut, with its end and the sums") {
    const std::string chain = read_file(folder / "audit.jsonl");
    write_file(folder / "audit.jsonl", chain.substr(0, chain.find('\n') + 1), 0644);
    const std::string first = chain.substr(0, chain.find('\n'));
    std::string length(8, '\0');
    length[6] = static_cast<char>(first.size() >> 8U);
    length[7] = static_cast<char>(first.size() & 0xffU);
    write_file(folder / "head.txt", "1:" + sha256_hex("veerdienst-audit/1" + length + first) + "\n", 0644);
    Proven::sum_anew(folder);
    does_not("which this chain does not hold");
    does_not("the other side knows", (p.folder("aii") / "anchors.txt").native());
  }
}

TEST_CASE("Q37: what a restore took away is told as such, and is nothing that somebody changed") {
  const Proven p;
  const fs::path backup = p.both.path("backup");
  const auto must = [&](const std::string& what) {
    const ShellResult done = p.both.veer("avsb", what);
    INFO(done.output);
    REQUIRE(done.exit_code == 0);
  };
  must("backup " + backup.native());
  const auto avsb = p.both.serve("avsb");
  const fs::path file = p.both.path(p.both.list_name());
  write_file(file, fictitious_csv(800, 3));
  REQUIRE(p.both.veer("aii", "send --correction " + file.native() + " --wait --timeout 60").exit_code == 0);
  CHECK(avsb->end(SIGTERM) == 0);
  p.write(p.both.path("theirs"), "aii");
  fs::remove_all(p.both.path("avsb"));
  must("restore --none-erased " + backup.native());
  p.write(p.both.path("restored"), "avsb");
  const ShellResult verified =
      Proven::verify(p.both.path("restored"), (p.both.path("theirs") / "anchors.txt").native());
  CAPTURE(verified.output);
  CHECK(verified.exit_code == 3);
  CHECK(has(verified.output, "LOST "));
  CHECK(has(verified.output, "It holds but for what a restore took away"));
  CHECK_FALSE(has(verified.output, "NOT GOOD"));
}

TEST_CASE("Q37: evidence of which the other side knows no point is not called false, nor proven by it") {
  const Proven p;
  const fs::path other = p.both.path("empty-anchors.txt");  // a first list's, sealed before any record
  write_file(other, "", 0644);
  const ShellResult verified = Proven::verify(p.folder("aii"), other.native());
  CAPTURE(verified.output);
  CHECK(verified.exit_code == 2);
  CHECK(has(verified.output, "nothing could be compared"));
  CHECK_FALSE(has(verified.output, "NOT"));
  CHECK_FALSE(has(verified.output, "All of it holds."));
  Proven::change(p.folder("aii") / "facts.json", "avsb", "aiia");
  CHECK(Proven::verify(p.folder("aii"), other.native()).exit_code == 1);
}

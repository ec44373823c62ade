#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/digest.h"
#include "formats/gpgme_seal.h"
#include "formats/package.h"
#include "formats/quality_case.h"
#include "formats/receipt.h"
#include "support/gpg_home.h"
#include "support/samples.h"
#include "support/shell.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

/// The commands of docs/protocol.md, By hand, are run as they stand there, against what the program makes and
/// reads.
namespace {

const std::string kList = "insz\n00010199875\n05070999751\n99123199742\n";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The shell blocks under `heading`, one after the other.
std::string commands(const std::string& heading) {
  static const std::string page = read_file(VEER_SOURCE_DIR "/docs/protocol.md");
  std::size_t at = page.find("\n" + heading + "\n");
  REQUIRE(at != std::string::npos);
  const std::size_t end = page.find("\n#", at + heading.size());
  std::string found;
  static constexpr std::string_view kOpen = "\n```sh\n";
  while ((at = page.find(kOpen, at)) < end) {
    at += kOpen.size();
    const std::size_t close = page.find("\n```", at);
    REQUIRE(close != std::string::npos);
    found += page.substr(at, close - at) + "\n";
    at = close;
  }
  REQUIRE_FALSE(found.empty());
  return found;
}

// Somebody at one side's keyboard, with the two keys and a folder of files.
class Person {
 public:
  Person(fs::path home, std::string own, std::string other)
      : home_(std::move(home)), own_(std::move(own)), other_(std::move(other)) {}

  /// Types the commands under `heading`, with `settings` ("year=2026\n") set before.
  ShellResult type(const std::string& settings, const std::string& heading) const {
    const std::string frame = commands("## By hand");
    const std::size_t end = frame.find("cd /\n");
    REQUIRE(end != std::string::npos);
    std::string script = replaced(frame.substr(0, end), "/var/lib/veerdienst/aii/gnupg", home_.native());
    script = replaced(script, "own=0123456789ABCDEF0123456789ABCDEF01234567", "own=" + own_);
    script = replaced(script, "other=89ABCDEF0123456789ABCDEF0123456789ABCDEF", "other=" + other_);
    script += "finish() {\n" + frame.substr(end) + "}\ntrap finish EXIT\n" + settings + commands(heading);
    write_file(folder_ / "script", script);
    return shell(
        fmt::format("sh -eu '{}' 2>'{}'", (folder_ / "script").native(), (folder_ / "said").native()));
  }
  fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  TempFolder folder_;
  fs::path home_;
  std::string own_;
  std::string other_;
};

class ByHand {
 public:
  GpgPair keys;
  SystemClock clock;
  Person at_sender{keys.sender_home, keys.sender_key, keys.receiver_key};
  Person at_receiver{keys.receiver_home, keys.receiver_key, keys.sender_key};
  GpgmeSeal sender{keys.sender_home, {{keys.sender_key, {}, {}}}, {{keys.receiver_key, {}, {}}}, clock};
  GpgmeSeal receiver{keys.receiver_home, {{keys.receiver_key, {}, {}}}, {{keys.sender_key, {}, {}}}, clock};

  std::string sealed(std::string_view bytes) {
    StringSink sink(std::size_t{1} << 20);
    sender.seal(MemoryBlob(bytes), sink, {});
    return sink.take();
  }
};

bool said(const ShellResult& result, const std::string& line) {
  return ("\n" + result.output).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("a package made by hand is opened and read by the program") {
  ByHand by_hand;
  const Person& person = by_hand.at_sender;
  fs::create_directory(person / "share");
  write_file(person / "numbers", "99123199742\n05070999751\n00010199875\n05070999751\n");
  const std::string previous(64, 'b');
  const ShellResult result =
      person.type(fmt::format("numbers={}\nyear=2026\nenvironment=test\nshare={}\nprevious='\"{}\"'\n",
                              (person / "numbers").native(), (person / "share").native(), previous),
                  "### Make a package");
  REQUIRE(result.exit_code == 0);

  const std::vector<std::string> names = names_in(person / "share");
  REQUIRE(names.size() == 1);
  const auto name = parse_file_name(names[0]);
  REQUIRE(name);
  CHECK(name->kind == FileKind::package);
  const std::string message = read_file(person / "share" / names[0]);
  CHECK(said(result, sha256_hex(message) + "  " + names[0]));

  StringSink archive(std::size_t{1} << 20);
  CHECK(by_hand.receiver.open(MemoryBlob(message), archive, {}).signer == by_hand.keys.sender_key);
  const PackageView package = read_package(archive.bytes());
  CHECK(package.list_csv == kList);
  const Manifest manifest = parse_manifest(package.manifest_json);
  CHECK(name->stem == make_stem(Purpose::list, 2026, 1, manifest.sealed_at));
  CHECK(manifest.sender.key == by_hand.keys.sender_key);
  CHECK(manifest.receiver.key == by_hand.keys.receiver_key);
  CHECK(manifest.environment == "test");
  CHECK(manifest.reference_date == parse_date("2026-01-01"));
  CHECK(manifest.records == 3);
  CHECK(manifest.list_sha256 == sha256_hex(kList));
  CHECK(manifest.previous_receipt_sha256 == previous);
}

TEST_CASE("a line that is no number is shown before a package is made of it") {
  ByHand by_hand;
  const Person& person = by_hand.at_sender;
  fs::create_directory(person / "share");
  write_file(person / "numbers", "99123199742\n0507099975\n");
  const ShellResult result =
      person.type(fmt::format("numbers={}\nyear=2026\nenvironment=test\nshare={}\nprevious=null\n",
                              (person / "numbers").native(), (person / "share").native()),
                  "### Make a package");
  CHECK(said(result, "2:0507099975"));
}

TEST_CASE("a package of the program is opened by hand") {
  ByHand by_hand;
  const Person& person = by_hand.at_receiver;
  write_file(person / "p.pgp", by_hand.sealed(write_package(sample_manifest(), kList)));
  const ShellResult result =
      person.type(fmt::format("package={}\n", (person / "p.pgp").native()), "### Open a package");
  CHECK(result.exit_code == 0);
  CHECK(said(result, "authentic"));
  CHECK(said(result, "manifest.json\nlist.csv"));
  CHECK(result.output.find(test_data("manifest.json")) != std::string::npos);
  CHECK(said(result, sha256_hex(kList) + "  list.csv"));
  CHECK(said(result, "3"));
}

TEST_CASE("a package that the sender did not sign is not authentic by hand either") {
  ByHand by_hand;
  const Person& person = by_hand.at_receiver;
  const GpgHome& home = by_hand.keys.receiver();
  const std::string package = home.file("p.tar", write_package(sample_manifest(), kList));
  const std::string to_us = "--trust-model always --recipient " + by_hand.keys.receiver_key;
  std::string message;
  SECTION("unsigned") { message = home.gpg(to_us + " --encrypt --output - " + package); }
  SECTION("signed by somebody else") {
    const std::string other = home.create_key("Other <other@example.org>");
    message =
        home.gpg(fmt::format("{} --local-user {} --sign --encrypt --output - {}", to_us, other, package));
  }
  SECTION("damaged") {
    message = by_hand.sealed(write_package(sample_manifest(), kList));
    message[message.size() / 2] = static_cast<char>(message[message.size() / 2] ^ 1);
  }
  write_file(person / "p.pgp", message);
  const ShellResult result =
      person.type(fmt::format("package={}\n", (person / "p.pgp").native()), "### Open a package");
  CHECK_FALSE(said(result, "authentic"));
  CHECK((result.exit_code != 0 || said(result, "NOT AUTHENTIC")));
}

TEST_CASE("a receipt of the program is verified by hand, and another's is not") {
  ByHand by_hand;
  const Person& person = by_hand.at_sender;
  const std::string json = receipt_json(sample_receipt());
  std::string signature = by_hand.receiver.sign(json);
  bool good = true;
  SECTION("the receiver's") {}
  SECTION("our own") {
    signature = by_hand.sender.sign(json);
    good = false;
  }
  SECTION("of another text") {
    signature = by_hand.receiver.sign(json + " ");
    good = false;
  }
  write_file(person / "r.tar", write_receipt_archive({json, signature}));
  write_file(person / "p.pgp", "the package");
  const ShellResult result = person.type(
      fmt::format("receipt={}\npackage={}\n", (person / "r.tar").native(), (person / "p.pgp").native()),
      "### Verify a receipt");
  CHECK(said(result, "authentic") == good);
  CHECK((result.exit_code != 0 || said(result, "NOT AUTHENTIC")) != good);
  if (good) {
    CHECK(result.output.find(json) != std::string::npos);
    CHECK(said(result, sha256_hex(json) + "  receipt.json"));
    CHECK(said(result, fmt::format("{}  {}", sha256_hex("the package"), (person / "p.pgp").native())));
  }
}

TEST_CASE("the examples of the page are what the program reads and writes") {
  const std::string page = read_file(VEER_SOURCE_DIR "/docs/protocol.md");
  std::vector<std::string> examples;
  static constexpr std::string_view kOpen = "\n```json\n";
  for (std::size_t at = page.find(kOpen); at != std::string::npos; at = page.find(kOpen, at + 1))
    examples.push_back(
        page.substr(at + kOpen.size(), page.find("```", at + kOpen.size()) - at - kOpen.size()));
  REQUIRE(examples.size() == 4);
  CHECK(manifest_json(parse_manifest(examples[0])) == examples[0]);
  CHECK(receipt_json(parse_receipt(examples[1])) == examples[1]);
  CHECK(case_json(parse_case(examples[2])) == examples[2]);
  CHECK(answer_json(parse_answer(examples[3])) == examples[3]);
}

TEST_CASE("the page explains every code that a receipt may bear, and no other") {
  const std::string page = read_file(VEER_SOURCE_DIR "/docs/protocol.md");
  for (int i = 0; i <= static_cast<int>(Code::r_deceased); ++i) {
    const std::string name(code_name(static_cast<Code>(i)));
    INFO(name);
    CHECK(page.find("\n| `" + name + "`") != std::string::npos);
  }
}

// The real seal against everything that somebody on the share could put in a message's place
// (docs/threat-model.md).
#include <algorithm>
#include <functional>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "support/seal_world.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

using World = SealWorld;

struct Row {
  const char* what;
  std::string message;
};

/// Some megabytes in which no two kilobytes are alike.
std::string large_text() {
  std::string text;
  for (std::size_t i = 0; text.size() < 3'000'000; ++i) text += fmt::format("{:08} ", i * 7919);
  return text;
}

std::string flipped(const std::string& message, std::function<std::size_t(std::size_t)> where) {
  return reframed(message, [&](std::string& body) { body[where(body.size())] ^= 1; });
}

std::string cut(const std::string& message, std::function<std::size_t(std::size_t)> size) {
  return reframed(message, [&](std::string& body) { body.resize(size(body.size())); });
}

/// A signature with each of its hashed bytes changed, twice: in its lowest bit and in its highest.
std::vector<std::string> changed_signatures(const std::string& signature) {
  const Packet packet = packets_of(signature).at(0);
  const std::size_t body = packet.end - packet.body.size();
  // Version, type, two algorithms, a length, and so many octets of subpackets (RFC 4880, 5.2.3).
  const std::size_t hashed = 6 + static_cast<unsigned char>(packet.body.at(5));
  REQUIRE(hashed > 30);
  REQUIRE(hashed < packet.body.size());
  std::vector<std::string> all;
  for (std::size_t i = 0; i < hashed; ++i)
    for (const int bit : {0x01, 0x80}) {
      all.push_back(signature);
      all.back()[body + i] = static_cast<char>(all.back()[body + i] ^ bit);
    }
  return all;
}

bool is_finding(std::optional<Code> code) { return code && remedy_of(*code) == Remedy::quarantine; }

}  // namespace

TEST_CASE("a signature that does not fit, or of a weak kind, is refused") {
  World world;
  std::string forged = world.craft(world.as_sender + " -s", "pay one euro");
  forged.replace(forged.find("one"), 3, "ten");
  // gpg stops at it, as it does at a damaged message.
  CHECK(world.opening(world.wrap(forged)) == Code::t_integrity);
  CHECK(world.opening(world.craft(world.both + " --digest-algo SHA1 -se")) == Code::t_signature);
  CHECK_FALSE(world.opening(world.craft(world.both + " --digest-algo SHA256 -se")));
}

TEST_CASE("a changed byte of what a signature claims about itself is a finding, never a reason to wait") {
  World world;
  const std::string text = "text";
  const std::string detached = world.craft(world.as_sender + " -b", text);
  REQUIRE_FALSE(code_of([&] { world.receiver.verify(text, detached); }));
  for (const std::string& bad : changed_signatures(detached)) {
    const auto code = code_of([&] { world.receiver.verify(text, bad); });
    CAPTURE(code);
    CHECK(is_finding(code));
  }

  // Anybody can put such a signature into a message for us: it takes public keys only.
  const std::string whole = world.craft(world.as_sender + " -s", text);
  const Packet signature = packets_of(whole).back();
  REQUIRE_FALSE(world.opening(world.wrap(whole)));
  std::vector<std::string> messages;
  for (const std::string& bad : changed_signatures(whole.substr(signature.begin)))
    messages.push_back(world.wrap(whole.substr(0, signature.begin) + bad));
  const auto codes = opening_all(world, messages);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    INFO("byte " << i / 2);
    CAPTURE(codes[i]);
    CHECK(is_finding(codes[i]));
  }
}

TEST_CASE("a detached signature of a kind that gpg does not know or the protocol does not allow is refused") {
  World world;
  const std::string good = world.craft(world.as_sender + " -b", "text");
  const Packet packet = packets_of(good).at(0);
  const std::size_t body = packet.end - packet.body.size();
  const auto refused = [&](std::size_t at, std::vector<int> values) {
    for (const int value : values) {
      std::string bad = good;
      bad[body + at] = static_cast<char>(value);
      INFO("octet " << at << " is " << value);
      CHECK(code_of([&] { world.receiver.verify("text", bad); }) == Code::t_signature);
    }
  };
  refused(0, {0, 2, 3, 5, 6, 255});                        // version
  refused(1, {0x01, 0x02, 0x10, 0x18, 0x1f, 0x40, 0xff});  // type
  refused(2, {0, 1, 2, 4, 16, 17, 18, 19, 20, 21, 25, 27, 99, 110, 255});
  refused(3, {0, 1, 2, 3, 4, 5, 7, 11, 12, 14, 99, 110, 255});  // digest
}

TEST_CASE("a signature is taken only as one binary packet") {
  World world;
  const std::string binary = world.craft(world.as_sender + " -b", "text");
  CHECK(world.receiver.verify("text", binary).signer == world.pair.sender_key);
  for (const std::string& bad :
       {world.craft(world.as_sender + " --armor -b", "text"), world.craft(world.as_sender + " -s", "text"),
        world.craft(world.as_sender + " --textmode -b", "text"),
        world.craft(world.as_sender + " --clearsign", "text"), binary + literal("text"), world.good()})
    CHECK(code_of([&] { world.receiver.verify("text", bad); }) == Code::t_signature);
}

TEST_CASE("what is not one whole binary message, encrypted for one, is refused before gpg sees it") {
  World world;
  const std::string large = large_text();
  const std::string good = world.good(large);
  const std::string sender_only = "-r " + world.pair.sender_key;
  const std::string plain_file = "insz\n00010199875\n05070999751\n";
  for (const auto& [what, message] : std::vector<Row>{
           {"signed only", world.craft(world.as_sender + " -s", large)},
           {"clear-signed", world.craft(world.as_sender + " --clearsign")},
           {"armored", world.craft(world.both + " --armor -se")},
           {"half", good.substr(0, good.size() / 2)},
           {"without its last byte", good.substr(0, good.size() - 1)},
           {"without its last 30 bytes", good.substr(0, good.size() - 30)},
           {"twice", good + good},
           {"followed by a text packet", good + literal("text")},
           {"followed by a plain file", good + plain_file},
           {"followed by a line end", good + "\n"},
           {"preceded by a text packet", literal("text") + good},
           {"preceded by a plain file", plain_file + good},
           {"for two", world.craft(world.both + " " + sender_only + " -se")},
           {"for a password", world.craft("--passphrase x -c")},
           {"for us and a password", world.craft(world.both + " --passphrase x -c -se")},
           {"without integrity protection",
            world.craft(world.both + " --rfc2440 --cipher-algo AES256 --digest-algo SHA512 -se", large)},
           {"empty", ""},
           {"plain text", "insz\n"},
           {"noise", std::string(5000, '\xd2')},
           {"a public key", export_public(world.pair.sender_home, world.pair.sender_key)},
       }) {
    INFO(what);
    CHECK(world.opening(message) == Code::t_integrity);
    CHECK(world.plain.empty());
  }
}

TEST_CASE("what only gpg can tell from a good message is refused") {
  World world;
  const std::string good = world.good();
  const std::string signed_only = world.craft(world.as_sender + " -s");
  std::vector<Row> rows{
      {"for somebody else", world.craft(world.as_sender + " -r " + world.pair.sender_key + " -se")},
      {"half", cut(good, [](std::size_t size) { return size / 2; })},
      {"without its last byte", cut(good, [](std::size_t size) { return size - 1; })},
      {"a changed byte early", flipped(good, [](std::size_t) { return 20; })},
      {"a changed byte late", flipped(good, [](std::size_t size) { return size - 1; })},
      {"a changed version", reframed(good, [](std::string& body) { body[0] = 9; })},
      {"nothing within", cut(good, [](std::size_t) { return 0; })},
      {"AES-128", world.craft(world.both + " --cipher-algo AES -se")},
      {"with a hidden recipient", world.craft(world.as_sender + " -R " + world.pair.receiver_key + " -se")},
      {"text before the signed text", world.wrap(literal("text") + signed_only)},
      {"text after the signed text", world.wrap(signed_only + literal("text"))},
      {"two texts", world.wrap(literal("text") + literal("text"))},
      {"two signed texts", world.wrap(signed_only + signed_only)},
      {"encrypted twice", world.wrap(good)},
      {"encrypted for a password within", world.wrap(world.craft("--passphrase x -c"))},
      {"noise within", world.wrap(std::string(200, '\xff'))},
      {"nothing encrypted", world.wrap("")},
  };
  std::vector<std::string> messages;
  for (const Row& row : rows) messages.push_back(row.message);
  const auto codes = opening_all(world, messages);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    INFO(rows[i].what);
    CHECK(codes[i] == Code::t_integrity);
  }
}

TEST_CASE("megabytes that came out before gpg found the fault are refused all the same") {
  World world;
  const std::string large = large_text();
  const std::string good = world.good(large);
  REQUIRE_FALSE(world.opening(good));
  REQUIRE(world.plain == large);
  std::string forged = world.craft(world.as_sender + " -s", large);
  forged[forged.size() / 2] ^= 1;
  struct Case {
    Row row;
    double emitted;  // of the text, at least
    Code code = Code::t_integrity;
  };
  for (const auto& [row, emitted, code] : std::vector<Case>{
           {{"half", cut(good, [](std::size_t size) { return size / 2; })}, 0.4},
           {{"without its last byte", cut(good, [](std::size_t size) { return size - 1; })}, 0.9},
           {{"without its last 30 bytes", cut(good, [](std::size_t size) { return size - 30; })}, 0.9},
           {{"a changed byte midway", flipped(good, [](std::size_t size) { return size / 2; })}, 0.9},
           {{"a changed byte late", flipped(good, [](std::size_t size) { return size - 1000; })}, 0.9},
           {{"a changed last byte", flipped(good, [](std::size_t size) { return size - 1; })}, 0.9},
           {{"a signature that does not fit", world.wrap(forged)}, 0.9},
           {{"unsigned", world.craft(world.to_receiver + " -e", large)}, 1, Code::t_unsigned},
           {{"encrypted twice", world.wrap(good)}, 0.9},
       }) {
    INFO(row.what);
    CHECK(world.opening(row.message) == code);
    CHECK(static_cast<double>(world.plain.size()) >= emitted * static_cast<double>(large.size()));
  }
}

TEST_CASE("a message that is cut anywhere, and framed as if it were whole, is refused") {
  World world;
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += fmt::format("{:08}\n", i * 7919);
  const std::string good = world.good(text);
  const std::vector<Packet> outer = packets_of(good);
  const std::size_t size = outer.at(1).body.size();

  // Where the packets within begin and end: behind a version and the cipher's 18 octets of prefix.
  constexpr std::size_t kPrefix = 19;
  std::vector<std::size_t> sizes{0, 1, 2, 17, 18, kPrefix - 1, kPrefix + 1};
  const std::string within = world.pair.receiver().gpg("--unwrap", good);
  const std::vector<Packet> inner = packets_of(within);
  REQUIRE(inner.size() == 3);
  REQUIRE(kPrefix + within.size() + 22 == size);
  for (const Packet& packet : inner)
    for (const std::size_t at : {packet.begin, packet.end - packet.body.size(), packet.end})
      sizes.insert(sizes.end(), {kPrefix + at, kPrefix + at - 1, kPrefix + at + 1});
  for (std::size_t i = 1; i < 30; ++i) sizes.push_back(size * i / 30 + i);
  for (const std::size_t less : {1, 2, 10, 19, 20, 21, 22, 23, 30, 64}) sizes.push_back(size - less);
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  REQUIRE(sizes.size() > 50);

  std::vector<std::string> messages;
  for (const std::size_t rest : sizes) messages.push_back(cut(good, [&](std::size_t) { return rest; }));
  messages.push_back(reframed(good, [](std::string&) {}));
  const auto codes = opening_all(world, messages);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    INFO("cut to " << sizes[i] << " of " << size);
    CHECK(codes[i] == Code::t_integrity);
  }
  CHECK_FALSE(codes.back());

  // Cut without a new frame, no byte of it comes out.
  for (std::size_t rest = 0; rest < good.size(); rest += 997) {
    CHECK(world.opening(std::string_view(good).substr(0, rest)) == Code::t_integrity);
    CHECK(world.plain.empty());
  }
}

TEST_CASE("compressed content is refused as soon as it outgrows its message") {
  World world;
  const std::string command = world.both + " --compress-algo zlib -z 9 -se";
  CHECK(world.opening(world.craft(command, std::string(100'000, 'x'))) == Code::t_size);
  CHECK(world.plain.size() < 10'000);
}

TEST_CASE("2 GiB in 3 kB are refused at once") {
  World world;
  const std::string message = world.wrap(read_file(VEER_TEST_DATA "/openpgp/two-gibibytes.pgp"));
  CHECK(message.size() < 10'000);
  const auto start = std::chrono::steady_clock::now();
  CHECK(world.opening(message) == Code::t_size);
  CHECK(std::chrono::steady_clock::now() - start < 4s);
  CHECK(world.plain.size() < 10'000);
}

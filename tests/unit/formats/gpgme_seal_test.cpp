// The real seal against messages that the real gpg made, good and hostile (docs/threat-model.md).
#include "formats/gpgme_seal.h"

#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "core/error.h"
#include "support/seal_world.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

using World = SealWorld;

/// The process named `program` that works on `home`; it is one of ours.
pid_t process_on(const fs::path& home, std::string_view program) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    std::string line;
    std::getline(file, line);  // of one that ends meanwhile there is none
    if (line.find(home.native()) != std::string::npos && fs::path(line.c_str()).filename() == program)
      return std::stoi(entry.path().filename());
  }
  return 0;
}

/// Kills `program` on `home` once its first `after` bytes were read.
struct KillingBlob : MemoryBlob {
  KillingBlob(std::string_view bytes, fs::path where, std::string_view what, std::uint64_t when)
      : MemoryBlob(bytes), home(std::move(where)), program(what), after(when) {}
  std::size_t read(std::uint64_t offset, std::span<char> into) const override {
    // Short reads are those of the packet check.
    if (offset >= after && into.size() > 100 && !killed) {
      // It was started, but may not have begun to be the program that it is going to be.
      pid_t pid = 0;
      for (int look = 0; look < 1000 && pid == 0; ++look) {
        pid = process_on(home, program);
        if (pid == 0) usleep(5000);
      }
      killed = pid > 0 && kill(pid, SIGKILL) == 0;
    }
    return MemoryBlob::read(offset, into);
  }
  fs::path home;
  std::string_view program;
  std::uint64_t after;
  mutable bool killed = false;
};

}  // namespace

TEST_CASE("a message made by hand with gpg opens") {
  World world;
  CHECK_FALSE(world.opening(world.good()));
  CHECK(world.plain == "some text");
}

TEST_CASE(
    "our message opens by hand with gpg, and is AES-256 and SHA-512 without compression or a file name") {
  World world;
  // A key that prefers weaker algorithms does not get them.
  world.pair.receiver().gpg("--command-fd 0 --edit-key " + world.pair.receiver_key,
                            "setpref S7 H8 Z1\ny\nsave\n");
  world.pair.sender().take_key(world.pair.receiver(), world.pair.receiver_key);
  StringSink sealed(kCap);
  world.sender.seal(MemoryBlob(std::string(100'000, 'x')), sealed, {});

  const GpgHome& receiver = world.pair.receiver();
  CHECK(receiver.gpg("-d", sealed.bytes()) == std::string(100'000, 'x'));
  const std::string packets = receiver.gpg("--list-packets", sealed.bytes());
  CAPTURE(packets);
  CHECK(packets.find(":compressed packet") == std::string::npos);
  CHECK(packets.find("digest 10,") != std::string::npos);
  CHECK(packets.find("mdc_method: 2") != std::string::npos);
  CHECK(packets.find("name=\"\"") != std::string::npos);
  const std::string status = receiver.gpg("--status-fd 1 -d", sealed.bytes());
  CHECK(status.find("[GNUPG:] DECRYPTION_INFO 2 9 0") != std::string::npos);
  CHECK(status.find("[GNUPG:] VALIDSIG") != std::string::npos);

  const std::string signature = world.sender.sign("text");
  CHECK(receiver.gpg("--list-packets", signature).find("digest algo 10") != std::string::npos);
  receiver.gpg(fmt::format("--verify {} {}", receiver.file("sig", signature), receiver.file("text", "text")));
  CHECK_FALSE(world.opening(sealed.bytes()));
}

TEST_CASE("a message without a signature is refused") {
  World world;
  CHECK(world.opening(world.craft(world.to_receiver + " -e")) == Code::t_unsigned);
  CHECK(world.opening(world.craft(world.to_receiver + " --set-filename 'x\n[GNUPG:] VALIDSIG " +
                                  world.pair.sender_key + "' -e")) == Code::t_unsigned);
  CHECK(world.opening(world.wrap(literal("text"))) == Code::t_unsigned);
}

TEST_CASE("a file name within a good message means nothing") {
  World world;
  CHECK_FALSE(world.opening(
      world.craft(world.as_sender + " " + world.to_receiver + " --set-filename '../../etc/passwd' -se")));
}

TEST_CASE("an unknown signer, and an impostor of the same name whose key is in the folder, are refused") {
  World world;
  const GpgHome other;
  const std::string impostor = other.create_key("AII <exchange@aii.example.org>");
  other.take_key(world.pair.receiver(), world.pair.receiver_key);
  const std::string message =
      other.gpg(fmt::format("-u {} {} -se", impostor, world.to_receiver), "some text");
  const std::string signature = other.gpg(fmt::format("-u {} -b", impostor), "text");
  CHECK(world.opening(message) == Code::t_signer);
  CHECK(code_of([&] { world.receiver.verify("text", signature); }) == Code::t_signer);
  world.pair.receiver().take_key(other, impostor);
  CHECK(world.opening(message) == Code::t_signer);
  CHECK(code_of([&] { world.receiver.verify("text", signature); }) == Code::t_signer);
}

TEST_CASE("an unknown signer is no verdict while a pinned key is missing here") {
  World world;
  const std::string message = world.good();
  world.pair.receiver().gpg("--delete-keys " + world.pair.sender_key);
  CHECK(world.opening(message) == Code::l_key);
}

TEST_CASE("a known signer whose key is revoked is the operator's matter") {
  World world;
  const std::string message = world.good();
  const std::string signature = world.sender.sign("text");
  std::string revocation =
      read_file(world.pair.sender_home / "openpgp-revocs.d" / (world.pair.sender_key + ".rev"));
  revocation = revocation.substr(revocation.find(":-----") + 1);
  world.pair.sender().gpg("--import", revocation);
  world.pair.receiver().take_key(world.pair.sender(), world.pair.sender_key);
  CHECK(world.opening(message) == Code::t_key_expired);
  CHECK(code_of([&] { world.receiver.verify("text", signature); }) == Code::t_key_expired);
  CHECK(code_of([&] { world.sender.sign("text"); }) == Code::l_key);
}

TEST_CASE("a known signer whose key has expired since is the operator's matter") {
  World world;
  // The clock of each gpg starts at the day that it is told: the key must be older than what it signs.
  const auto in_2020 = [](const std::string& day) {
    return fmt::format("--faked-system-time 2020{}T000000 --ignore-time-conflict --ignore-valid-from ", day);
  };
  world.craft(in_2020("0601") + "--passphrase '' --quick-gen-key old@example.org ed25519 sign,cert 1y");
  const std::string listing = world.craft("--with-colons --list-keys old@example.org");
  const std::size_t at = listing.find("\nfpr:");
  REQUIRE(at != std::string::npos);
  const std::string old = listing.substr(at + 13, 40);
  world.pair.receiver().take_key(world.pair.sender(), old);
  GpgmeSeal receiver(world.pair.receiver_home, {pin(world.pair.receiver_key)}, {pin(old)}, world.clock);
  const std::string message =
      world.craft(fmt::format("{} -u {} {} -se", in_2020("0602"), old, world.to_receiver));
  StringSink sink(kCap);
  CHECK(code_of([&] { receiver.open(MemoryBlob(message), sink, {}); }) == Code::t_key_expired);
  const std::string signature = world.craft(fmt::format("{} -u {} -b", in_2020("0602"), old), "text");
  CHECK(code_of([&] { receiver.verify("text", signature); }) == Code::t_key_expired);
  // Whatever its signer, what is not encrypted is no message.
  const std::string signed_only = world.craft(fmt::format("{} -u {} -s", in_2020("0602"), old));
  CHECK(code_of([&] { receiver.open(MemoryBlob(signed_only), sink, {}); }) == Code::t_integrity);
  CHECK(code_of([&] { receiver.verify("some text", signed_only); }) == Code::t_signature);
  world.craft(fmt::format("{} --passphrase '' --quick-add-key {} cv25519 encr 1y", in_2020("0601"), old));
  GpgmeSeal sender(world.pair.sender_home, {pin(old)}, {pin(world.pair.receiver_key)}, world.clock);
  CHECK(code_of([&] { sender.seal(MemoryBlob("text"), sink, {}); }) == Code::l_key);
}

TEST_CASE("a message with two signatures is refused, though both are good") {
  World world;
  const std::string second = world.pair.sender().create_key("AII <next@aii.example.org>");
  world.pair.receiver().take_key(world.pair.sender(), second);
  GpgmeSeal receiver(world.pair.receiver_home, {pin(world.pair.receiver_key)},
                     {pin(world.pair.sender_key), pin(second)}, world.clock);
  const std::string message =
      world.craft(fmt::format("{} -u {} {} -se", world.as_sender, second, world.to_receiver));
  StringSink sink(kCap);
  CHECK(code_of([&] { receiver.open(MemoryBlob(message), sink, {}); }) == Code::t_signature);
}

TEST_CASE("a passphrase opens our key and is given to nothing else") {
  World world;
  const GpgHome home;
  // An agent that makes little of guarding the key: what that costs is not tested.
  REQUIRE(std::system(fmt::format("gpg-agent --homedir '{}' --s2k-count 65536 --daemon >/dev/null 2>&1",
                                  home.path().native())
                          .c_str()) == 0);
  const Secret passphrase("sesame"s);
  const std::string key =
      create_key(home.path(), "AVSB <exchange@avsb.example.org>", {.passphrase = &passphrase});
  home.take_key(world.pair.sender(), world.pair.sender_key);
  world.pair.sender().take_key(home, key);
  const auto with = [&](std::string word) {
    return GpgmeSeal(home.path(), {pin(key)}, {pin(world.pair.sender_key)}, world.clock,
                     Secret(std::move(word)));
  };
  const auto opening = [&](GpgmeSeal receiver, const std::string& message) {
    StringSink sink(kCap);
    const auto code = code_of([&] { receiver.open(MemoryBlob(message), sink, {}); });
    world.plain = sink.take();
    return code;
  };
  const std::string to_key = " -r " + key;
  const std::string good = world.craft(world.as_sender + to_key + " -se");
  CHECK_FALSE(opening(with("sesame"), good));
  CHECK(with("sesame").sign("text").size() > 50);

  // A wrong or missing one is our matter: the message stays good.
  CHECK(opening(with("wrong"), good) == Code::l_key);
  CHECK(opening(with(""), good) == Code::l_key);
  CHECK(code_of([&] { with("wrong").sign("text"); }) == Code::l_key);
  CHECK(code_of([&] { with("").sign("text"); }) == Code::l_key);

  // Would open if the passphrase were offered.
  const std::string baited = world.craft("--passphrase sesame -c", "bait");
  CHECK(opening(with("sesame"), world.craft(kRaw + to_key + " -e", baited)) == Code::t_integrity);
  CHECK(world.plain.empty());
}

TEST_CASE("the folder must hold the pinned keys, ours with their secret halves, and is checked for others") {
  World world;
  const std::string message = world.good();
  CHECK_NOTHROW(world.receiver.check());
  CHECK(world.receiver.keys().size() == 2);

  const std::string foreign = world.pair.sender().create_key("Other <other@example.org>");
  world.pair.receiver().take_key(world.pair.sender(), foreign);
  CHECK(code_of([&] { world.receiver.check(); }) == Code::l_key);
  CHECK_FALSE(world.opening(message));
  world.pair.receiver().gpg("--delete-keys " + foreign);
  CHECK_NOTHROW(world.receiver.check());

  world.pair.receiver().gpg("--delete-secret-keys " + world.pair.receiver_key);
  CHECK(code_of([&] { world.receiver.check(); }) == Code::l_key);
  CHECK(world.opening(message) == Code::l_key);
  CHECK(code_of([&] { world.receiver.sign("text"); }) == Code::l_key);
  world.pair.receiver().gpg("--delete-keys " + world.pair.receiver_key);
  CHECK(code_of([&] { world.receiver.check(); }) == Code::l_key);
}

TEST_CASE("a pinned subkey or a short key id is not taken for a primary key") {
  World world;
  const std::string short_id = world.pair.receiver_key.substr(24);
  GpgmeSeal sender(world.pair.sender_home, {pin(world.pair.sender_key)}, {pin(short_id)}, world.clock);
  StringSink sink(kCap);
  CHECK(code_of([&] { sender.seal(MemoryBlob("text"), sink, {}); }) == Code::l_key);
  CHECK(sink.bytes().empty());
}

TEST_CASE("an agent that was killed is started again") {
  World world;
  const std::string message = world.good();
  CHECK_FALSE(world.opening(message));
  const pid_t agent = process_on(world.pair.receiver_home, "gpg-agent");
  REQUIRE(agent > 0);
  kill(agent, SIGKILL);
  CHECK_FALSE(world.opening(message));
  stop_agent(world.pair.receiver_home);
  CHECK_FALSE(world.opening(message));
}

TEST_CASE("a gpg that dies is our matter and says nothing about the message") {
  World world;
  StringSink sealed(std::size_t{1} << 30);
  const std::string plain(20'000'000, 'x');
  world.sender.seal(MemoryBlob(plain), sealed, {});
  StringSink sink(std::size_t{1} << 30);

  const KillingBlob message(sealed.bytes(), world.pair.receiver_home, "gpg", 10'000'000);
  CHECK(code_of([&] { world.receiver.open(message, sink, {}); }) == Code::l_engine);
  CHECK(message.killed);
  const KillingBlob text(plain, world.pair.sender_home, "gpg", 10'000'000);
  CHECK(code_of([&] { world.sender.seal(text, sink, {}); }) == Code::l_engine);
  CHECK(text.killed);
}

TEST_CASE("a gpg that dies before it said anything gets a second chance") {
  World world;
  StringSink sealed(kCap);
  world.sender.seal(MemoryBlob("text"), sealed, {});
  const KillingBlob message(sealed.bytes(), world.pair.receiver_home, "gpg", 0);
  StringSink sink(kCap);
  CHECK_NOTHROW(world.receiver.open(message, sink, {}));
  CHECK(message.killed);
  CHECK(sink.bytes() == "text");
}

TEST_CASE("a gpg or an agent that cannot run is our matter") {
  World world;
  const fs::path home = world.pair.receiver_home;
  const std::string message = world.good();
  const std::string signature = world.sender.sign("text");
  const bool listed = GENERATE(false, true);
  if (listed) world.receiver.check();  // and the ring is remembered
  stop_agent(home);
  // A folder where the agent's socket goes.
  fs::remove(home / "S.gpg-agent");
  fs::create_directories(home / "S.gpg-agent" / "x");
  // Who signed needs no agent.
  if (listed) CHECK_NOTHROW(world.receiver.verify("text", signature));
  CHECK(world.opening(message) == Code::l_engine);
  CHECK(code_of([&] { world.receiver.verify("text", signature); }) == Code::l_engine);
  CHECK(code_of([&] { world.receiver.sign("text"); }) == Code::l_engine);
  CHECK(code_of([&] { world.receiver.check(); }) == Code::l_engine);

  // gpg gives up at once.
  fs::remove_all(home / "S.gpg-agent");
  write_file(home / "gpg.conf", "trust-model none-such\n");
  CHECK(code_of([&] { list_keys(home); }) == Code::l_engine);
}

TEST_CASE("settings that are not the program's are our matter and say nothing about a message") {
  World world;
  const fs::path home = world.pair.receiver_home;
  const std::string message =
      world.craft(world.as_sender + " " + world.to_receiver + " -se", std::string(200'000, 'x'));
  const std::string signature = world.sender.sign("text");
  const auto [name, line] = GENERATE(table<std::string, std::string>(
      {{"gpg.conf", "max-output 100000"}, {"gpg.conf-2", "max-output 100000"}, {"gpg-agent.conf", "# x"}}));
  INFO(name);
  std::ofstream(home / name, std::ios::app) << line << '\n';
  CHECK(world.opening(message) == Code::l_engine);
  CHECK(world.plain.empty());
  CHECK(code_of([&] { world.receiver.verify("text", signature); }) == Code::l_engine);
  CHECK(code_of([&] { world.receiver.sign("text"); }) == Code::l_engine);
  CHECK(code_of([&] { world.receiver.check(); }) == Code::l_engine);
  prepare_home(home);
  CHECK_NOTHROW(world.receiver.check());
  CHECK_FALSE(world.opening(message));
}

TEST_CASE("a clock ten years behind is the operator's matter in every operation") {
  World world;
  const std::string message = world.good();
  const std::string signature = world.sender.sign("text");
  world.clock.advance(-24h * 3652);
  CHECK(world.opening(message) == Code::l_clock);
  CHECK(code_of([&] { world.receiver.verify("text", signature); }) == Code::l_clock);
  CHECK(code_of([&] { world.receiver.sign("text"); }) == Code::l_clock);
  CHECK(code_of([&] { world.receiver.check(); }) == Code::l_clock);
}

TEST_CASE("a clock ten years ahead finds expired keys, and destroys nothing") {
  World world;
  const std::string key = create_key(world.pair.sender_home, "AII <mortal@aii.example.org>");
  world.pair.receiver().take_key(world.pair.sender(), key);
  GpgmeSeal sender(world.pair.sender_home, {pin(key)}, {pin(world.pair.receiver_key)}, world.clock);
  GpgmeSeal receiver(world.pair.receiver_home, {pin(world.pair.receiver_key)}, {pin(key)}, world.clock);
  StringSink sealed(kCap);
  sender.seal(MemoryBlob("text"), sealed, {});
  const std::string signature = sender.sign("text");
  StringSink sink(kCap);
  world.clock.advance(24h * 3652);
  CHECK(code_of([&] { receiver.open(MemoryBlob(sealed.bytes()), sink, {}); }) == Code::t_key_expired);
  CHECK(code_of([&] { receiver.verify("text", signature); }) == Code::t_key_expired);
}

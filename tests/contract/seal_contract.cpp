// What every Seal promises (formats/seal.h), held against the real one and the one that simulations use.
#include <memory>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "formats/gpgme_seal.h"
#include "formats/seal.h"
#include "support/fake_seal.h"
#include "support/gpg_home.h"
#include "support/manual_clock.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;

namespace {

enum class Party { sender, receiver, foreign };

/// Three parties. The sender has two keys, the receiver has two, and the foreign party knows everybody's.
class FakeWorld {
 public:
  std::string sender = std::string(40, 'A');
  std::string sender_next = std::string(40, 'B');
  std::string receiver = std::string(40, 'C');
  std::string receiver_next = std::string(40, 'D');
  std::string foreign = std::string(40, 'E');
  ManualClock clock{SystemClock().now()};

  std::unique_ptr<Seal> seal(Party, std::vector<PinnedKey> own, std::vector<PinnedKey> other,
                             const Clock& time) {
    return std::make_unique<FakeSeal>(std::move(own), std::move(other), time);
  }
};

class GpgWorld {
  GpgHome sender_home_;
  GpgHome receiver_home_;
  GpgHome foreign_home_;

 public:
  std::string sender = sender_home_.create_key("Sender <sender@example.org>");
  std::string sender_next = sender_home_.create_key("Sender <sender@example.org>");
  std::string receiver = receiver_home_.create_key("Receiver <receiver@example.org>");
  std::string receiver_next = receiver_home_.create_key("Receiver <receiver@example.org>");
  std::string foreign = foreign_home_.create_key("Foreign <foreign@example.org>");
  // gpg dates by the system's clock.
  ManualClock clock{SystemClock().now()};

  GpgWorld() {
    for (const auto* key : {&sender, &sender_next}) receiver_home_.take_key(sender_home_, *key);
    for (const auto* key : {&receiver, &receiver_next}) {
      sender_home_.take_key(receiver_home_, *key);
      foreign_home_.take_key(receiver_home_, *key);
    }
    sender_home_.take_key(foreign_home_, foreign);
  }

  std::unique_ptr<Seal> seal(Party party, std::vector<PinnedKey> own, std::vector<PinnedKey> other,
                             const Clock& time) {
    const GpgHome& home = party == Party::sender     ? sender_home_
                          : party == Party::receiver ? receiver_home_
                                                     : foreign_home_;
    return std::make_unique<GpgmeSeal>(home.path(), std::move(own), std::move(other), time);
  }
};

template <typename World>
struct Fixture : World {
  std::unique_ptr<Seal> from_sender = always(Party::sender, this->sender, this->receiver);
  std::unique_ptr<Seal> at_receiver = always(Party::receiver, this->receiver, this->sender);

  std::unique_ptr<Seal> always(Party party, const std::string& own, const std::string& other) {
    return this->seal(party, {pin(own)}, {pin(other)}, this->clock);
  }
  static PinnedKey pin(const std::string& key, std::optional<Time> from = {},
                       std::optional<Time> until = {}) {
    return {key, from, until};
  }
};

std::string sealed(Seal& seal, std::string_view plain) {
  StringSink sink(std::size_t{1} << 30);
  seal.seal(MemoryBlob(plain), sink, {});
  return sink.take();
}

std::string opened(Seal& seal, std::string_view message) {
  StringSink sink(std::size_t{1} << 30);
  seal.open(MemoryBlob(message), sink, {});
  return sink.take();
}

std::optional<Code> opening(Seal& seal, std::string_view message) {
  return code_of([&] { opened(seal, message); });
}

std::optional<Code> verifying(Seal& seal, std::string_view text, std::string_view signature) {
  return code_of([&] { seal.verify(text, signature); });
}

std::string patterned(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('0' + i * i % 10);
  return text;
}

struct Refusal : std::exception {};

struct RefusingSink : Sink {
  void write(std::string_view) override { throw Refusal(); }
};

struct BrokenBlob : Blob {
  std::uint64_t size() const override { return 1 << 20; }
  std::size_t read(std::uint64_t offset, std::span<char> into) const override {
    if (offset > 300'000) throw Refusal();
    std::fill(into.begin(), into.end(), 'x');
    return into.size();
  }
};

struct ShorterBlob : Blob {
  std::uint64_t size() const override { return 1 << 20; }
  std::size_t read(std::uint64_t offset, std::span<char> into) const override {
    return MemoryBlob("only this").read(offset, into);
  }
};

}  // namespace

TEMPLATE_TEST_CASE("what one side seals the other opens, and knows who and when", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5'000'000}}) {
    const std::string plain = patterned(size);
    const std::string message = sealed(*world.from_sender, plain);
    StringSink sink(size);
    const Opened result = world.at_receiver->open(MemoryBlob(message), sink, {});
    CHECK(sink.bytes() == plain);
    CHECK(result.signer == world.sender);
    CHECK(result.signed_at > world.clock.now() - 2min);
    CHECK(result.signed_at < world.clock.now() + 2min);
  }
}

TEMPLATE_TEST_CASE("a seal names the keys that it uses", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  CHECK(world.from_sender->own_key() == world.sender);
  CHECK(world.from_sender->counterparty_key() == world.receiver);
}

TEMPLATE_TEST_CASE("plaintext does not show in a message", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const std::string message = sealed(*world.from_sender, std::string(1000, 'x') + "a telling word");
  CHECK(message.find("telling") == std::string::npos);
  CHECK(message.find("xxxx") == std::string::npos);
}

TEMPLATE_TEST_CASE("a message with a changed byte is damaged", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const std::string good = sealed(*world.from_sender, patterned(300'000));
  for (const std::size_t at : {std::size_t{0}, std::size_t{5}, std::size_t{60}, std::size_t{97},
                               good.size() / 2, good.size() - 30, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    INFO("byte " << at);
    CHECK(opening(*world.at_receiver, bad) == Code::t_integrity);
  }
}

TEMPLATE_TEST_CASE("a message that was cut or prolonged is damaged", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const std::string good = sealed(*world.from_sender, patterned(300'000));
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{96}, good.size() / 2,
                                 good.size() - 30, good.size() - 1}) {
    INFO("cut to " << size);
    CHECK(opening(*world.at_receiver, std::string_view(good).substr(0, size)) == Code::t_integrity);
  }
  CHECK(opening(*world.at_receiver, good + '\0') == Code::t_integrity);
  CHECK(opening(*world.at_receiver, good + good) == Code::t_integrity);
}

TEMPLATE_TEST_CASE("a message for somebody else is not opened", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const auto to_foreign = world.always(Party::sender, world.sender, world.foreign);
  CHECK(opening(*world.at_receiver, sealed(*to_foreign, "text")) == Code::t_integrity);
}

TEMPLATE_TEST_CASE("a message by somebody else is not accepted", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const auto from_foreign = world.always(Party::foreign, world.foreign, world.receiver);
  CHECK(opening(*world.at_receiver, sealed(*from_foreign, "text")) == Code::t_signer);
}

TEMPLATE_TEST_CASE("a key counts within its window only", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const Time now = world.clock.now();
  const std::string message = sealed(*world.from_sender, "text");
  const std::string signature = world.from_sender->sign("text");
  const auto receiver = [&](std::optional<Time> from, std::optional<Time> until) {
    return world.seal(Party::receiver, {world.pin(world.receiver)}, {world.pin(world.sender, from, until)},
                      world.clock);
  };
  CHECK_FALSE(opening(*receiver(now - 1h, now + 1h), message));
  CHECK(opening(*receiver(std::nullopt, now - 1h), message) == Code::t_key_expired);
  CHECK(opening(*receiver(now + 1h, std::nullopt), message) == Code::t_key_expired);
  CHECK(verifying(*receiver(std::nullopt, now - 1h), "text", signature) == Code::t_key_expired);

  world.clock.advance(2h);
  CHECK(opening(*receiver(now + 1h, std::nullopt), message) == Code::t_key_expired);
  CHECK(opening(*receiver(std::nullopt, now + 1h), message) == Code::t_key_expired);
  CHECK_FALSE(opening(*receiver(std::nullopt, now + 3h), message));
}

TEMPLATE_TEST_CASE("without a key in force nothing is sealed or signed", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const Time now = world.clock.now();
  const auto no_own = world.seal(Party::sender, {world.pin(world.sender, now + 1h)},
                                 {world.pin(world.receiver)}, world.clock);
  CHECK(code_of([&] { no_own->own_key(); }) == Code::l_key);
  CHECK(code_of([&] { sealed(*no_own, "text"); }) == Code::l_key);
  CHECK(code_of([&] { no_own->sign("text"); }) == Code::l_key);
  const auto no_other = world.seal(Party::sender, {world.pin(world.sender)},
                                   {world.pin(world.receiver, std::nullopt, now - 1h)}, world.clock);
  CHECK(code_of([&] { no_other->counterparty_key(); }) == Code::l_key);
  CHECK(code_of([&] { sealed(*no_other, "text"); }) == Code::l_key);
}

TEMPLATE_TEST_CASE("of two keys in force the newer is used, and what was sealed with the older still opens",
                   "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const Time now = world.clock.now();
  const std::vector<PinnedKey> senders{world.pin(world.sender_next, now - 1h),
                                       world.pin(world.sender, now - 24h)};
  const std::vector<PinnedKey> receivers{world.pin(world.receiver, std::nullopt, now - 1h),
                                         world.pin(world.receiver_next, now - 1h)};
  const auto sender = world.seal(Party::sender, senders, receivers, world.clock);
  const auto receiver = world.seal(Party::receiver, receivers, senders, world.clock);
  CHECK(sender->own_key() == world.sender_next);
  CHECK(sender->counterparty_key() == world.receiver_next);

  StringSink sink(100);
  CHECK(receiver->open(MemoryBlob(sealed(*sender, "text")), sink, {}).signer == world.sender_next);
  CHECK(receiver->verify("text", sender->sign("text")).signer == world.sender_next);

  // In flight when both sides changed: by the old key, for a key of ours whose window has passed.
  StringSink late(100);
  CHECK(receiver->open(MemoryBlob(sealed(*world.from_sender, "text")), late, {}).signer == world.sender);
}

TEMPLATE_TEST_CASE("what was signed in the future is a matter of clocks", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const std::string message = sealed(*world.from_sender, "text");
  const std::string signature = world.from_sender->sign("text");
  world.clock.advance(-5min);
  CHECK_FALSE(opening(*world.at_receiver, message));
  CHECK_FALSE(verifying(*world.at_receiver, "text", signature));
  world.clock.advance(-24h * 3650);
  CHECK(opening(*world.at_receiver, message) == Code::l_clock);
  CHECK(verifying(*world.at_receiver, "text", signature) == Code::l_clock);
}

TEMPLATE_TEST_CASE("the sink's cap, and whatever else a stream throws, passes through", "", FakeWorld,
                   GpgWorld) {
  Fixture<TestType> world;
  const std::string message = sealed(*world.from_sender, patterned(2'000'000));
  StringSink small(1'000'000);
  CHECK(code_of([&] { world.at_receiver->open(MemoryBlob(message), small, {}); }) == Code::t_size);
  CHECK(small.bytes().size() <= 1'000'000);
  RefusingSink refusing;
  CHECK_THROWS_AS(world.at_receiver->open(MemoryBlob(message), refusing, {}), Refusal);
  CHECK_THROWS_AS(world.from_sender->seal(MemoryBlob("text"), refusing, {}), Refusal);
  StringSink sink(std::size_t{1} << 30);
  CHECK_THROWS_AS(world.from_sender->seal(BrokenBlob(), sink, {}), Refusal);
}

TEMPLATE_TEST_CASE("a file that ends before its size is never sealed as if it were whole", "", FakeWorld,
                   GpgWorld) {
  Fixture<TestType> world;
  StringSink sink(std::size_t{1} << 30);
  CHECK(code_of([&] { world.from_sender->seal(ShorterBlob(), sink, {}); }) == Code::l_io);
}

TEMPLATE_TEST_CASE("a stop ends a long operation, and progress is told", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const std::string plain = patterned(4'000'000);
  const std::string message = sealed(*world.from_sender, plain);
  StringSink sink(std::size_t{1} << 30);
  std::stop_source stop;
  std::uint64_t most = 0;
  const Transfer stopped_midway{stop.get_token(), [&](std::uint64_t done) {
                                  most = std::max(most, done);
                                  if (done > 1'000'000) stop.request_stop();
                                }};
  CHECK(code_of([&] { world.from_sender->seal(MemoryBlob(plain), sink, stopped_midway); }) ==
        Code::l_stopped);
  CHECK(most > 1'000'000);
  CHECK(most < plain.size());

  std::stop_source at_once;
  at_once.request_stop();
  CHECK(code_of([&] {
          world.at_receiver->open(MemoryBlob(message), sink, {at_once.get_token(), {}});
        }) == Code::l_stopped);

  most = 0;
  StringSink whole(plain.size());
  world.at_receiver->open(MemoryBlob(message), whole,
                          {{}, [&](std::uint64_t done) { most = std::max(most, done); }});
  CHECK(most > plain.size() / 2);
}

TEMPLATE_TEST_CASE("a detached signature proves its text and nothing else", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  const std::string signature = world.at_receiver->sign("the receipt");
  const Opened result = world.from_sender->verify("the receipt", signature);
  CHECK(result.signer == world.receiver);
  CHECK(result.signed_at > world.clock.now() - 2min);

  CHECK(verifying(*world.from_sender, "the receipT", signature) == Code::t_signature);
  CHECK(verifying(*world.from_sender, "", signature) == Code::t_signature);
  CHECK(verifying(*world.from_sender, "the receipt", "") == Code::t_unsigned);
  CHECK(verifying(*world.from_sender, "the receipt", "not a signature") == Code::t_signature);
  CHECK(verifying(*world.from_sender, "the receipt", signature + signature) == Code::t_signature);
  CHECK(verifying(*world.from_sender, "the receipt",
                  std::string_view(signature).substr(0, signature.size() - 1)) == Code::t_signature);
  CHECK(verifying(*world.from_sender, "the receipt", sealed(*world.at_receiver, "the receipt")) ==
        Code::t_signature);
}

TEMPLATE_TEST_CASE("a signature by somebody else, or by oneself, is not the other side's", "", FakeWorld,
                   GpgWorld) {
  Fixture<TestType> world;
  const auto foreign = world.always(Party::foreign, world.foreign, world.receiver);
  CHECK(verifying(*world.at_receiver, "text", foreign->sign("text")) == Code::t_signer);
  CHECK(verifying(*world.at_receiver, "text", world.at_receiver->sign("text")) == Code::t_signer);
}

TEMPLATE_TEST_CASE("an empty text can be signed", "", FakeWorld, GpgWorld) {
  Fixture<TestType> world;
  CHECK(world.from_sender->verify("", world.at_receiver->sign("")).signer == world.receiver);
}

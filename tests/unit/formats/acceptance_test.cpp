#include "formats/acceptance.h"

#include <catch2/catch.hpp>

#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Status = SignatureFacts::Status;

namespace {

const std::string kOurs(40, 'A');
const std::string kOurSubkey = std::string(24, '0') + "0123456789ABCDEF";
const std::string kTheirs(40, 'B');
const Time kNow = std::chrono::sys_days(std::chrono::January / 15 / 2026);

EnvelopeFacts good_envelope() {
  return {.whole = true,
          .integrity_protected = true,
          .cipher = "AES256.CFB",
          .recipients = {"0123456789ABCDEF"},
          .opened_with = kOurSubkey,
          .opened_with_primary = kOurs};
}

SignatureFacts good_signature() {
  return {.status = Status::good,
          .signer = SignerFacts{.primary = kTheirs, .created = kNow - 24h, .expires = kNow + 24h},
          .key_may_sign = true,
          .strong_digest = true,
          .made_at = kNow - 1h};
}

std::optional<Code> envelope_code(const EnvelopeFacts& envelope) {
  return code_of([&] { accept_envelope(envelope, {{kOurs, {}, {}}}); });
}

std::optional<Code> signature_code(const SignatureFacts& signature, const PinnedKey& pin = {kTheirs, {}, {}},
                                   Time now = kNow) {
  return code_of([&] { accept_signature({signature}, {pin}, now); });
}

template <typename Facts, typename Change>
Facts with(Facts facts, Change change) {
  change(facts);
  return facts;
}

}  // namespace

TEST_CASE("a whole AES-256 message for our key alone is taken") {
  CHECK_FALSE(envelope_code(good_envelope()));
  const PinnedKey past{kOurs, {}, kNow - 24h};
  CHECK_NOTHROW(accept_envelope(good_envelope(), {{kTheirs, {}, {}}, past}));
}

TEST_CASE("every fault of an envelope is a matter of integrity") {
  const auto faulty = [](auto change) { return envelope_code(with(good_envelope(), change)); };
  CHECK(faulty([](auto& e) { e.whole = false; }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.integrity_protected = false; }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.cipher = "AES.CFB"; }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.cipher = "AES256.OCB"; }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.cipher.clear(); }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.recipients.clear(); }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.recipients.push_back("FEDCBA9876543210"); }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.recipients = {"0000000000000000"}; }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.recipients = {""}; }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.opened_with.clear(); }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.opened_with_primary = kTheirs; }) == Code::t_integrity);
  CHECK(faulty([](auto& e) { e.opened_with_primary.clear(); }) == Code::t_integrity);
}

TEST_CASE("one good signature by a pinned key is taken, and says who and when") {
  const Opened opened = accept_signature({good_signature()}, {{kOurs, {}, {}}, {kTheirs, {}, {}}}, kNow);
  CHECK(opened.signer == kTheirs);
  CHECK(opened.signed_at == kNow - 1h);
}

TEST_CASE("no signature and two signatures are refused") {
  CHECK(code_of([] { accept_signature({}, {{kTheirs, {}, {}}}, kNow); }) == Code::t_unsigned);
  CHECK(code_of([] {
          accept_signature({good_signature(), good_signature()}, {{kTheirs, {}, {}}}, kNow);
        }) == Code::t_signature);
}

TEST_CASE("a signature that does not fit its text is bad, whoever made it") {
  CHECK(signature_code(with(good_signature(), [](auto& s) { s.status = Status::bad; })) == Code::t_signature);
  CHECK(signature_code(with(good_signature(), [](auto& s) {
          s.status = Status::bad;
          s.signer.reset();
        })) == Code::t_signature);
}

TEST_CASE("a signer that is not pinned is not the other side") {
  const auto faulty = [](auto change) { return signature_code(with(good_signature(), change)); };
  CHECK(faulty([](auto& s) { s.signer.reset(); }) == Code::t_signer);
  CHECK(faulty([](auto& s) { s.signer->primary = kOurs; }) == Code::t_signer);
  CHECK(faulty([](auto& s) { s.signer->primary.clear(); }) == Code::t_signer);
  CHECK(faulty([](auto& s) { s.status = Status::unknown_key; }) == Code::t_signer);
}

TEST_CASE("times that cannot be are a matter of clocks, before anything is said of the key") {
  const auto faulty = [](auto change) { return signature_code(with(good_signature(), change)); };
  CHECK_FALSE(faulty([](auto& s) { s.made_at = kNow + kClockSkew; }));
  CHECK(faulty([](auto& s) { s.made_at = kNow + kClockSkew + 1s; }) == Code::l_clock);
  CHECK_FALSE(faulty([](auto& s) { s.made_at = s.signer->created; }));
  CHECK(faulty([](auto& s) { s.made_at = s.signer->created - 1s; }) == Code::l_clock);
  CHECK(faulty([](auto& s) {
          s.status = Status::key_expired;
          s.made_at = kNow + 1h;
        }) == Code::l_clock);
}

TEST_CASE("of a signature that could not be checked nothing is believed, neither who nor when") {
  const auto unclear = [](auto change, const PinnedKey& pin = {kTheirs, {}, {}}) {
    return signature_code(with(with(good_signature(), [](auto& s) { s.status = Status::unclear; }), change),
                          pin);
  };
  CHECK(unclear([](auto&) {}) == Code::t_signature);
  CHECK(unclear([](auto& s) { s.made_at = kNow + 24h * 365; }) == Code::t_signature);
  CHECK(unclear([](auto& s) { s.made_at = s.signer->created - 24h * 365; }) == Code::t_signature);
  CHECK(unclear([](auto& s) { s.made_at = Time(); }) == Code::t_signature);
  CHECK(unclear([](auto& s) { s.signer->revoked = true; }) == Code::t_signature);
  CHECK(unclear([](auto& s) { s.signer->expires = kNow - 1h; }) == Code::t_signature);
  CHECK(unclear([](auto& s) { s.signer.reset(); }) == Code::t_signature);
  CHECK(unclear([](auto& s) { s.signer->primary = kOurs; }) == Code::t_signature);
  CHECK(unclear([](auto&) {}, {kTheirs, std::nullopt, kNow - 24h}) == Code::t_signature);
  CHECK(unclear([](auto&) {}, {kTheirs, kNow + 24h, std::nullopt}) == Code::t_signature);
}

TEST_CASE("a signature that a clock behind its key keeps from being checked is a matter of clocks") {
  const auto created = [](Time when, Status status, const std::string& primary = kTheirs) {
    return signature_code(with(good_signature(), [&](auto& s) {
      s.status = status;
      s.signer->primary = primary;
      s.signer->created = when;
    }));
  };
  CHECK(created(kNow + kClockSkew + 1s, Status::unclear) == Code::l_clock);
  CHECK(created(kNow + 1s, Status::unclear) == Code::l_clock);
  CHECK(created(kNow, Status::unclear) == Code::t_signature);
  CHECK(created(kNow + 24h, Status::unclear, kOurs) == Code::t_signature);
  CHECK(created(kNow + 24h, Status::bad) == Code::t_signature);
}

TEST_CASE("a known key that has expired or is revoked is the operator's matter") {
  const auto faulty = [](auto change) { return signature_code(with(good_signature(), change)); };
  CHECK(faulty([](auto& s) { s.status = Status::key_expired; }) == Code::t_key_expired);
  CHECK(faulty([](auto& s) { s.status = Status::key_revoked; }) == Code::t_key_expired);
  CHECK(faulty([](auto& s) { s.signer->revoked = true; }) == Code::t_key_expired);
  CHECK(faulty([](auto& s) { s.signer->expires = kNow; }) == Code::t_key_expired);
  CHECK_FALSE(faulty([](auto& s) { s.signer->expires = kNow + 1ms; }));
  CHECK_FALSE(faulty([](auto& s) { s.signer->expires.reset(); }));
}

TEST_CASE("a pinned key counts when its window holds both the signature and now") {
  const SignatureFacts signature = good_signature();
  const auto within = [&](std::optional<Time> from, std::optional<Time> until) {
    return signature_code(signature, {kTheirs, from, until});
  };
  CHECK_FALSE(within(kNow - 1h, kNow));
  CHECK_FALSE(within(kNow - 1h + 999ms, std::nullopt));
  CHECK(within(kNow - 1h + 1s, std::nullopt) == Code::t_key_expired);
  CHECK(within(std::nullopt, kNow - 1ms) == Code::t_key_expired);
  CHECK(within(std::nullopt, kNow - 1h - 1s) == Code::t_key_expired);
  CHECK(within(kNow + 1h, std::nullopt) == Code::t_key_expired);
}

TEST_CASE("a signature of a kind that the protocol does not allow is refused") {
  const auto faulty = [](auto change) { return signature_code(with(good_signature(), change)); };
  CHECK(faulty([](auto& s) { s.strong_digest = false; }) == Code::t_signature);
  CHECK(faulty([](auto& s) { s.key_may_sign = false; }) == Code::t_signature);
  CHECK(faulty([](auto& s) { s.status = Status::unclear; }) == Code::t_signature);
}

TEST_CASE("the key in force is the one whose window began last") {
  const PinnedKey always{"1", {}, {}};
  const PinnedKey since{"2", kNow - 2h, {}};
  const PinnedKey later{"3", kNow - 1h, kNow + 1h};
  const std::vector<PinnedKey> keys{later, always, since};
  CHECK(in_force(keys, kNow - 3h)->fingerprint == "1");
  CHECK(in_force(keys, kNow - 2h)->fingerprint == "2");
  CHECK(in_force(keys, kNow)->fingerprint == "3");
  CHECK(in_force(keys, kNow + 1h)->fingerprint == "3");
  CHECK(in_force(keys, kNow + 2h)->fingerprint == "2");
  CHECK(in_force({later}, kNow + 2h) == nullptr);
  CHECK(in_force({}, kNow) == nullptr);
}

TEST_CASE("a pinned key ends by its window or by itself, whichever is first") {
  const std::vector<KeyEnd> ends{{"1", kNow, true}, {"2", std::nullopt, false}};
  const auto end = [&](const char* key, std::optional<Time> until) { return end_of({key, {}, until}, ends); };
  CHECK(end("1", {}).at == kNow);
  CHECK(end("1", {}).renewable);
  CHECK(end("1", kNow + 1h).at == kNow);
  CHECK(end("1", kNow + 1h).renewable);
  CHECK(end("1", kNow - 1h).at == kNow - 1h);
  CHECK_FALSE(end("1", kNow - 1h).renewable);
  CHECK(end("2", kNow).at == kNow);
  CHECK_FALSE(end("2", {}).at);
  CHECK(end("3", kNow).at == kNow);
  CHECK_FALSE(end("3", {}).at);
}

#include "formats/gpgme_seal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/log.h"
#include "formats/acceptance.h"
#include "formats/gpgme_handles.h"
#include "formats/packets.h"

namespace veer {
namespace {

constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

// Feeds gpg from a blob and takes what it says into a sink. Keeps what either throws: nothing may be thrown
// through C.
class Pump {
 public:
  Pump(const Blob& from, Sink& to, std::uint64_t most, const Transfer& transfer)
      : from_(from),
        to_(to),
        most_(most),
        transfer_(transfer),
        input_(stream(input_calls_)),
        output_(stream(output_calls_)) {}

  gpgme_data_t input() { return input_.get(); }
  gpgme_data_t output() { return output_.get(); }
  std::uint64_t written() const { return written_; }

  /// Throws what a stream threw, L_STOPPED when a stop was asked for, and L_IO when the blob ended early.
  void finish() const {
    if (failure_) std::rethrow_exception(failure_);
    transfer_.tick(read_);
    if (ended_ && read_ != from_.size())
      throw Error(Code::l_io, "a file of ours is shorter than it was: check the disk");
  }

 private:
  gpg::Data stream(gpgme_data_cbs& callbacks) {
    gpgme_data_t raw = nullptr;
    gpg::check(gpgme_data_new_from_cbs(&raw, &callbacks, this), "opening a stream");
    gpg::Data data(raw);
    gpg::check(gpgme_data_set_flag(raw, "io-buffer-size", "65536"), "opening a stream");
    return data;
  }

  template <typename Step>
  ssize_t guarded(Step step) noexcept {
    try {
      return static_cast<ssize_t>(step());
    } catch (...) {
      failure_ = std::current_exception();
      errno = ECANCELED;
      return -1;
    }
  }

  static ssize_t read(void* handle, void* buffer, std::size_t size) noexcept {
    Pump& pump = *static_cast<Pump*>(handle);
    return pump.guarded([&] {
      pump.transfer_.tick(pump.read_);
      const std::size_t n = pump.from_.read(pump.read_, {static_cast<char*>(buffer), size});
      pump.read_ += n;
      pump.ended_ = n == 0;
      return n;
    });
  }

  static ssize_t write(void* handle, const void* buffer, std::size_t size) noexcept {
    Pump& pump = *static_cast<Pump*>(handle);
    return pump.guarded([&] {
      pump.transfer_.tick(pump.read_);
      if (size > pump.most_ - pump.written_)
        throw Error(Code::t_size,
                    "the content is larger than the message that carries it, so it was compressed, which "
                    "the protocol does not allow");
      pump.to_.write({static_cast<const char*>(buffer), size});
      pump.written_ += size;
      return size;
    });
  }

  const Blob& from_;
  Sink& to_;
  std::uint64_t most_;
  const Transfer& transfer_;
  std::uint64_t read_ = 0;
  std::uint64_t written_ = 0;
  bool ended_ = false;
  std::exception_ptr failure_;
  gpgme_data_cbs input_calls_{&Pump::read, nullptr, nullptr, nullptr};
  gpgme_data_cbs output_calls_{nullptr, &Pump::write, nullptr, nullptr};
  gpg::Data input_;
  gpg::Data output_;
};

// Throws unless exactly one SHA-512 signature by `signer` was made.
void require_signed(gpgme_ctx_t context, gpgme_key_t signer) {
  const gpgme_sign_result_t result = gpgme_op_sign_result(context);
  const gpgme_new_signature_t made = result != nullptr ? result->signatures : nullptr;
  if (made == nullptr || made->next != nullptr || result->invalid_signers != nullptr ||
      made->hash_algo != GPGME_MD_SHA512 || made->fpr == nullptr ||
      gpg::part_of(signer, made->fpr) == nullptr)
    throw Error(Code::l_engine, "gpg did not sign as it was told: check that gpg is that of Debian 12");
}

SignatureFacts::Status status_of(gpgme_signature_t signature) {
  using Status = SignatureFacts::Status;
  switch (gpgme_err_code(signature->status)) {
    case GPG_ERR_NO_ERROR:
      return Status::good;
    case GPG_ERR_BAD_SIGNATURE:
      return Status::bad;
    case GPG_ERR_NO_PUBKEY:
      return Status::unknown_key;
    case GPG_ERR_KEY_EXPIRED:
      return Status::key_expired;
    case GPG_ERR_CERT_REVOKED:
      return Status::key_revoked;
    default:
      return Status::unclear;
  }
}

bool strong(gpgme_hash_algo_t algorithm) {
  return algorithm == GPGME_MD_SHA256 || algorithm == GPGME_MD_SHA384 || algorithm == GPGME_MD_SHA512;
}

// One binary message for one recipient, integrity-protected, and nothing before or after: all else stays away
// from gpg.
void require_one_message(const Blob& sealed) {
  if (packet_tags(sealed, 2) != std::vector{kTagSessionKey, kTagProtectedData})
    throw Error(Code::t_integrity,
                "it is not one whole, binary, integrity-protected OpenPGP message for one recipient");
}

// One signature of a binary text, by algorithms that gpg knows and the protocol allows. gpg says nothing at
// all of others, as if it had been killed.
void require_one_signature(const Blob& signature) {
  static constexpr std::array kPublicKey{1, 3, 17, 19, 22};  // RSA, RSA for signing only, DSA, ECDSA, EdDSA
  static constexpr std::array kDigest{8, 9, 10};             // SHA-256, SHA-384, SHA-512
  const auto known = [](const auto& numbers, int number) {
    return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
  };
  const auto kind = signature_kind(signature);
  if (!kind || kind->type != 0 || !known(kPublicKey, kind->public_key) || !known(kDigest, kind->digest))
    throw Error(Code::t_signature,
                "it is not one binary detached OpenPGP signature of a kind that the protocol allows");
}

// Whether secret keys lie in the folder, so that an agent that knows none does not run.
bool holds_secret_keys(const fs::path& home) {
  std::error_code none;
  return fs::directory_iterator(home / "private-keys-v1.d", none) != fs::directory_iterator();
}

[[noreturn]] void cut_short() {
  throw Error(Code::l_engine,
              "gpg ended before it had finished: look for memory limits and gpg's own messages");
}

// gpg with other settings might take a good message for a bad one.
gpg::Context open_context(const fs::path& home) {
  gpg::Context context = gpg::open_context(home);
  require_settings(home);
  return context;
}

// What one pass of gpg over a message found.
struct Reading {
  EnvelopeFacts envelope;
  std::vector<SignatureFacts> signatures;
  bool concluded = false;
  bool emitted = false;
};

}  // namespace

// One operation: its context, the ring as it is now, whom the passphrase is told, and what gpg's status lines
// said that GPGME does not keep.
class GpgmeSeal::Session {
 public:
  // Throws as check() does, but lets keys be that are not pinned.
  explicit Session(GpgmeSeal& seal)
      : seal_(seal), context_(open_context(seal.home_)), ring_(seal.ring_->keys(context_.get(), seal.home_)) {
    for (const auto* pins : {&seal.own_, &seal.counterparty_})
      for (const PinnedKey& pin : *pins) require_known(pin.fingerprint);
    for (const PinnedKey& pin : seal.own_) require_secret(pin.fingerprint);
    gpg::check(gpgme_set_ctx_flag(context_.get(), "full-status", "1"), "asking gpg for its status");
    gpgme_set_status_cb(context_.get(), &Session::status, this);
    if (seal.passphrase_.empty()) return;
    gpg::check(gpgme_set_pinentry_mode(context_.get(), GPGME_PINENTRY_MODE_LOOPBACK),
               "setting the passphrase");
    gpgme_set_passphrase_cb(context_.get(), &Session::answer, this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  gpgme_ctx_t get() { return context_.get(); }
  const std::vector<gpg::Key>& ring() const { return ring_; }

  /// The key with that primary fingerprint; null when the folder does not hold it.
  gpgme_key_t key(std::string_view fingerprint) const {
    const auto found = std::find_if(ring_.begin(), ring_.end(),
                                    [&](const gpg::Key& key) { return fingerprint == key->fpr; });
    return found == ring_.end() ? nullptr : found->get();
  }

  /// A pinned key that can do what is asked of it today. Throws L_KEY.
  gpgme_key_t able_key(const std::string& fingerprint, bool KeyState::*ability, std::string_view what) const {
    const gpgme_key_t found = key(fingerprint);
    if (!(gpg::state_of(found).*ability))
      throw Error(Code::l_key,
                  fmt::format("the key {} cannot {} any more (expired, revoked, or without a subkey for "
                              "it): renew it",
                              fingerprint, what));
    return found;
  }

  void sign_as(gpgme_key_t signer) {
    gpg::check(gpgme_signers_add(context_.get(), signer), "choosing our key");
  }

  /// What gpg and the ring say of the signatures that were just checked.
  std::vector<SignatureFacts> signatures() const {
    std::vector<SignatureFacts> all;
    const gpgme_verify_result_t result = gpgme_op_verify_result(context_.get());
    for (gpgme_signature_t s = result != nullptr ? result->signatures : nullptr; s != nullptr; s = s->next)
      all.push_back(facts_of(s));
    return all;
  }

  /// gpg came to its end by itself: what it said is a verdict on the bytes, not an accident of this machine.
  bool concluded() const { return concluded_; }
  /// gpg said of a signature what it is.
  bool judged() const { return judged_; }

  Reading read(const Blob& sealed, Sink& plain, const Transfer& transfer) {
    Pump pump(sealed, plain, sealed.size(), transfer);
    const gpgme_error_t error = gpgme_op_decrypt_verify(context_.get(), pump.input(), pump.output());
    pump.finish();
    Reading reading{.envelope = {.whole = error == GPG_ERR_NO_ERROR,
                                 .integrity_protected = false,
                                 .cipher = {},
                                 .recipients = {},
                                 .opened_with = opened_with_,
                                 .opened_with_primary = opened_with_primary_},
                    .signatures = signatures(),
                    .concluded = concluded_,
                    .emitted = pump.written() > 0};
    if (const gpgme_decrypt_result_t result = gpgme_op_decrypt_result(context_.get())) {
      reading.envelope.integrity_protected = !result->legacy_cipher_nomdc;
      reading.envelope.cipher = result->symkey_algo != nullptr ? result->symkey_algo : "";
      for (gpgme_recipient_t r = result->recipients; r != nullptr; r = r->next)
        reading.envelope.recipients.emplace_back(r->keyid);
    }
    return reading;
  }

  /// Throws L_KEY unless our key in force opens what was encrypted to it just now.
  void require_own_key_opens() {
    const std::string own = seal_.own_key();
    std::array<gpgme_key_t, 2> recipients{able_key(own, &KeyState::can_encrypt, "be encrypted to"), nullptr};
    const gpg::Data word = gpg::data_of("veerdienst");
    const gpg::Data sealed = gpg::empty_data();
    const gpg::Data opened = gpg::empty_data();
    gpg::check(gpgme_op_encrypt(context_.get(), recipients.data(), GPGME_ENCRYPT_ALWAYS_TRUST, word.get(),
                                sealed.get()),
               "trying our own key");
    gpgme_data_seek(sealed.get(), 0, SEEK_SET);
    if (gpgme_op_decrypt(context_.get(), sealed.get(), opened.get()) != GPG_ERR_NO_ERROR)
      throw Error(Code::l_key,
                  fmt::format("our key {} does not open what is encrypted to it: check its passphrase", own));
  }

 private:
  void require_known(const std::string& fingerprint) const {
    const gpgme_key_t found = key(fingerprint);
    if (found == nullptr)
      throw Error(Code::l_key,
                  fmt::format("the key folder does not hold the pinned primary key {}: import it",
                              printable(fingerprint)));
    const Time created = gpg::time_of(found->subkeys->timestamp);
    const Time now = seal_.clock_.now();
    if (created > now + kClockSkew)
      throw Error(Code::l_clock,
                  fmt::format("the key {} was made on {}, and this machine's clock says {}: set it",
                              fingerprint, format_time(created), format_time(now)));
  }

  void require_secret(const std::string& fingerprint) const {
    if (gpg::state_of(key(fingerprint)).has_secret) return;
    throw Error(
        holds_secret_keys(seal_.home_) ? Code::l_engine : Code::l_key,
        fmt::format("gpg-agent does not have the secret half of our key {}: check that it can run, and "
                    "restore the key folder if the key is lost",
                    fingerprint));
  }

  SignatureFacts facts_of(gpgme_signature_t signature) const {
    SignatureFacts facts{.status = status_of(signature),
                         .signer = std::nullopt,
                         .named = signature->fpr != nullptr ? signature->fpr : "",
                         .key_may_sign = false,
                         .strong_digest = strong(signature->hash_algo),
                         .made_at = gpg::time_of(static_cast<long>(signature->timestamp))};
    for (const gpg::Key& key : ring_) {
      const gpgme_subkey_t part = gpg::part_of(key.get(), facts.named);
      if (part == nullptr) continue;
      facts.key_may_sign = part->can_sign && !signature->wrong_key_usage;
      facts.signer = SignerFacts{.primary = key->fpr,
                                 .created = gpg::time_of(part->timestamp),
                                 .expires = gpg::earlier(gpg::expiry_of(part), gpg::expiry_of(key->subkeys)),
                                 .revoked = key->revoked || part->revoked};
    }
    return facts;
  }

  // Only for a private key of ours, and once: a message from the share may ask for a password of its own
  // choosing. GPGME may still hold the hint of an earlier question, so the question itself must name the key
  // too: gpg asks for a key by "<key id> <primary key id> ...", for a password by "<cipher> <mode> <hash>".
  static gpgme_error_t answer(void* hook, const char* hint, const char* question, int prev_was_bad, int fd) {
    const Session& session = *static_cast<const Session*>(hook);
    const std::string_view passphrase = session.seal_.passphrase_.reveal();
    if (prev_was_bad != 0 || !session.is_ours(hint) || !session.is_ours(question) ||
        gpgme_io_writen(fd, passphrase.data(), passphrase.size()) != 0 || gpgme_io_writen(fd, "\n", 1) != 0)
      return gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_CANCELED);
    return GPG_ERR_NO_ERROR;
  }

  // Whether `text` begins with the id of a key of ours.
  bool is_ours(const char* text) const {
    const std::string_view id = std::string_view(text != nullptr ? text : "").substr(0, 16);
    for (const PinnedKey& pin : seal_.own_)
      for (gpgme_subkey_t part = key(pin.fingerprint)->subkeys; part != nullptr; part = part->next)
        if (id == part->keyid) return true;
    return false;
  }

  static gpgme_error_t status(void* hook, const char* keyword, const char* arguments) {
    // GPGME ends an operation itself when a message asks for a password or holds more than one text.
    static constexpr std::array<std::string_view, 4> kEnds{"END_DECRYPTION", "FAILURE", "NODATA",
                                                           "NEED_PASSPHRASE_SYM"};
    static constexpr std::string_view kSecondText = "proc_pkt.plaintext ";
    static constexpr std::array<std::string_view, 6> kVerdicts{"GOODSIG", "BADSIG",    "ERRSIG",
                                                               "EXPSIG",  "EXPKEYSIG", "REVKEYSIG"};
    Session& session = *static_cast<Session*>(hook);
    const std::string_view word(keyword);
    if (std::find(kEnds.begin(), kEnds.end(), word) != kEnds.end() ||
        (word == "ERROR" && std::string_view(arguments).starts_with(kSecondText)))
      session.concluded_ = true;
    if (std::find(kVerdicts.begin(), kVerdicts.end(), word) != kVerdicts.end()) session.judged_ = true;
    // DECRYPTION_KEY <fingerprint> <fingerprint of its primary key> <trust>
    if (word == "DECRYPTION_KEY" && std::string_view(arguments).size() > 81) {
      session.opened_with_ = std::string_view(arguments).substr(0, 40);
      session.opened_with_primary_ = std::string_view(arguments).substr(41, 40);
    }
    return GPG_ERR_NO_ERROR;
  }

  GpgmeSeal& seal_;
  gpg::Context context_;
  const std::vector<gpg::Key>& ring_;
  bool concluded_ = false;
  bool judged_ = false;
  std::string opened_with_;
  std::string opened_with_primary_;
};

GpgmeSeal::GpgmeSeal(fs::path home, std::vector<PinnedKey> own, std::vector<PinnedKey> counterparty,
                     const Clock& clock, Secret passphrase)
    : home_(std::move(home)),
      own_(std::move(own)),
      counterparty_(std::move(counterparty)),
      clock_(clock),
      passphrase_(std::move(passphrase)),
      ring_(std::make_unique<gpg::Ring>()) {}

GpgmeSeal::~GpgmeSeal() = default;

// Before a key is blamed: the ring as it is now, by an agent that runs now. Throws when there is none.
void GpgmeSeal::look_again() {
  ring_->forget();
  const Session now(*this);
}

std::string GpgmeSeal::own_key() {
  const PinnedKey* const key = in_force(own_, clock_.now());
  if (key == nullptr)
    throw Error(Code::l_key, "no key of ours is in force today: configure one, or its window");
  return key->fingerprint;
}

std::string GpgmeSeal::counterparty_key() {
  const PinnedKey* const key = in_force(counterparty_, clock_.now());
  if (key == nullptr)
    throw Error(Code::l_key,
                "no key of the other side is in force today: ask for one, or correct its window");
  return key->fingerprint;
}

void GpgmeSeal::seal(const Blob& plain, Sink& sealed, const Transfer& transfer) {
  const std::string own = own_key();
  const std::string counterparty = counterparty_key();
  Session session(*this);
  const gpgme_key_t signer = session.able_key(own, &KeyState::can_sign, "sign");
  std::array<gpgme_key_t, 2> recipients{
      session.able_key(counterparty, &KeyState::can_encrypt, "be encrypted to"), nullptr};
  session.sign_as(signer);
  const auto flags = static_cast<gpgme_encrypt_flags_t>(
      GPGME_ENCRYPT_ALWAYS_TRUST | GPGME_ENCRYPT_NO_ENCRYPT_TO | GPGME_ENCRYPT_NO_COMPRESS);
  Pump pump(plain, sealed, kUnlimited, transfer);
  const gpgme_error_t error =
      gpgme_op_encrypt_sign(session.get(), recipients.data(), flags, pump.input(), pump.output());
  pump.finish();
  if (error != GPG_ERR_NO_ERROR) look_again();
  gpg::check(error, "signing and encrypting");
  require_signed(session.get(), signer);
}

Opened GpgmeSeal::open(const Blob& sealed, Sink& plain, const Transfer& transfer) {
  require_one_message(sealed);
  Reading reading = Session(*this).read(sealed, plain, transfer);
  if (!reading.envelope.whole && !reading.emitted) {
    // Whether the message or our own key is at fault: prove our key, then let the message try once more.
    look_again();
    Session(*this).require_own_key_opens();
    reading = Session(*this).read(sealed, plain, transfer);
  }
  if (!reading.envelope.whole && !reading.concluded) cut_short();
  accept_envelope(reading.envelope, own_);
  return accept_signature(reading.signatures, counterparty_, clock_.now());
}

std::string GpgmeSeal::sign(std::string_view text) {
  const std::string own = own_key();
  Session session(*this);
  const gpgme_key_t signer = session.able_key(own, &KeyState::can_sign, "sign");
  session.sign_as(signer);
  const gpg::Data in = gpg::data_of(text);
  gpg::Data out = gpg::empty_data();
  const gpgme_error_t error = gpgme_op_sign(session.get(), in.get(), out.get(), GPGME_SIG_MODE_DETACH);
  if (error != GPG_ERR_NO_ERROR) look_again();
  gpg::check(error, "signing");
  require_signed(session.get(), signer);
  return gpg::take(std::move(out));
}

Opened GpgmeSeal::verify(std::string_view text, std::string_view signature) {
  if (signature.empty()) return accept_signature({}, counterparty_, clock_.now());
  require_one_signature(MemoryBlob(signature));
  Session session(*this);
  const gpg::Data signature_data = gpg::data_of(signature);
  const gpg::Data text_data = gpg::data_of(text);
  const gpgme_error_t error = gpgme_op_verify(session.get(), signature_data.get(), text_data.get(), nullptr);
  if (!session.judged() && !session.concluded()) cut_short();
  if (error != GPG_ERR_NO_ERROR) throw Error(Code::t_signature, "it is not a signature that gpg can read");
  return accept_signature(session.signatures(), counterparty_, clock_.now());
}

std::vector<KeyEnd> GpgmeSeal::key_ends() {
  std::vector<KeyEnd> ends;
  for (const KeyState& key : list_keys(home_)) {
    const bool renewable = key.expires && (!key.primary_expires || *key.expires < *key.primary_expires);
    ends.push_back({key.fingerprint, key.expires, renewable && !key.revoked});
  }
  return ends;
}

std::vector<GpgmeSeal::RingKey> GpgmeSeal::keys() {
  const auto owner_of = [&](const std::string& fingerprint) {
    if (pinned(own_, fingerprint) != nullptr) return RingKey::Owner::own;
    return pinned(counterparty_, fingerprint) != nullptr ? RingKey::Owner::counterparty
                                                         : RingKey::Owner::foreign;
  };
  std::vector<RingKey> ring;
  for (KeyState& state : list_keys(home_)) {
    const RingKey::Owner owner = owner_of(state.fingerprint);
    ring.push_back({owner, std::move(state)});
  }
  return ring;
}

void GpgmeSeal::check(const std::vector<PinnedKey>& besides) {
  const Session session(*this);
  for (const PinnedKey& pin : besides)
    if (session.key(pin.fingerprint) == nullptr)
      throw Error(Code::l_key,
                  fmt::format("the key folder does not hold the pinned primary key {}: import it",
                              printable(pin.fingerprint)));
  for (const gpg::Key& key : session.ring())
    if (pinned(own_, key->fpr) == nullptr && pinned(counterparty_, key->fpr) == nullptr &&
        pinned(besides, key->fpr) == nullptr)
      throw Error(Code::l_key, fmt::format("the key folder holds {}, which is not configured: remove it "
                                           "('veer keys retire' and its fingerprint), or pin it",
                                           key->fpr));
}

}  // namespace veer

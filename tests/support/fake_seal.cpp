#include "support/fake_seal.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "formats/acceptance.h"

namespace veer::test {
namespace {

// A message is a header of fixed length, the hidden bytes and a code over both; a signature is a header and a
// code over it and the text. The first byte is as in an OpenPGP message.
constexpr std::string_view kMessage =
    "\xC1"
    "fake-message/1";
constexpr std::string_view kSignature = "fake-signed!!/1";
constexpr std::size_t kCodeLength = 64;

struct Header {
  std::string signer;
  std::string recipient;
  std::int64_t signed_at = 0;  // seconds, as OpenPGP has them
  std::uint64_t size = 0;
};

std::string text_of(std::string_view kind, const Header& header) {
  return fmt::format("{} {} {} {:012} {:020}\n", kind, header.signer, header.recipient, header.signed_at,
                     header.size);
}

const std::size_t kHeaderLength =
    text_of(kMessage, {std::string(40, '0'), std::string(40, '0'), 0, 0}).size();

// Whatever does not print back as it was read is no header.
bool read_header(std::string_view kind, std::string_view text, Header& header) {
  if (text.size() != kHeaderLength) return false;
  const char* const at = text.data() + kind.size() + 1;
  header.signer = std::string(at, 40);
  header.recipient = std::string(at + 41, 40);
  std::from_chars(at + 82, at + 94, header.signed_at);
  std::from_chars(at + 95, at + 115, header.size);
  return text_of(kind, header) == text;
}

// SplitMix64 over a seed that the message's keys and time give.
class Keystream {
 public:
  explicit Keystream(std::string_view header) {
    for (const char c : header) state_ = state_ * 1099511628211U + static_cast<unsigned char>(c);
  }
  void apply(std::span<char> bytes) {
    for (char& byte : bytes) {
      if (left_ == 0) refill();
      byte = static_cast<char>(byte ^ static_cast<char>(word_));
      word_ >>= 8;
      --left_;
    }
  }

 private:
  void refill() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    word_ = z ^ (z >> 31);
    left_ = 8;
  }
  std::uint64_t state_ = 1469598103934665603U;
  std::uint64_t word_ = 0;
  int left_ = 0;
};

// Keyed by a constant: enough against a test's flipped bytes.
Sha256 code_over(std::string_view header) {
  Sha256 code;
  code.update("not a secret");
  code.update(header);
  return code;
}

std::size_t read_fully(const Blob& blob, std::uint64_t offset, std::span<char> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const std::size_t n = blob.read(offset + done, into.subspan(done));
    if (n == 0) break;
    done += n;
  }
  return done;
}

// Reads `size` bytes from `offset`, passes them through the keystream to `each`, in pieces.
template <typename Each>
void stream(const Blob& blob, std::uint64_t offset, std::uint64_t size, const Transfer& transfer, Each each) {
  std::array<char, 65536> buffer{};
  for (std::uint64_t done = 0; done < size;) {
    transfer.tick(done);
    const std::span<char> piece(buffer.data(),
                                static_cast<std::size_t>(std::min<std::uint64_t>(size - done, 65536)));
    if (read_fully(blob, offset + done, piece) != piece.size())
      throw Error(Code::l_io, "a file of ours is shorter than it was");
    each(piece);
    done += piece.size();
  }
  transfer.tick(size);
}

std::string_view view(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }

[[noreturn]] void damaged() { throw Error(Code::t_integrity, "the message is damaged or not for us"); }

}  // namespace

std::string FakeSeal::own_key() {
  const PinnedKey* const key = in_force(own_, clock_.now());
  if (key == nullptr) throw Error(Code::l_key, "no key of ours is in force");
  return key->fingerprint;
}

std::string FakeSeal::counterparty_key() {
  const PinnedKey* const key = in_force(counterparty_, clock_.now());
  if (key == nullptr) throw Error(Code::l_key, "no key of the other side is in force");
  return key->fingerprint;
}

void FakeSeal::seal(const Blob& plain, Sink& sealed, const Transfer& transfer) {
  const std::string header =
      text_of(kMessage, {own_key(), counterparty_key(), to_millis(clock_.now()) / 1000, plain.size()});
  sealed.write(header);
  Sha256 code = code_over(header);
  Keystream keystream(header);
  stream(plain, 0, plain.size(), transfer, [&](std::span<char> piece) {
    keystream.apply(piece);
    code.update(view(piece));
    sealed.write(view(piece));
  });
  sealed.write(code.hex());
}

Opened FakeSeal::open(const Blob& sealed, Sink& plain, const Transfer& transfer) {
  std::string text(kHeaderLength, '\0');
  Header header;
  if (read_fully(sealed, 0, text) != kHeaderLength || !read_header(kMessage, text, header) ||
      sealed.size() != kHeaderLength + header.size + kCodeLength || pinned(own_, header.recipient) == nullptr)
    damaged();
  Sha256 code = code_over(text);
  Keystream keystream(text);
  stream(sealed, kHeaderLength, header.size, transfer, [&](std::span<char> piece) {
    code.update(view(piece));
    keystream.apply(piece);
    plain.write(view(piece));
  });
  std::string claimed(kCodeLength, '\0');
  if (read_fully(sealed, kHeaderLength + header.size, claimed) != kCodeLength || claimed != code.hex())
    damaged();
  return accept(header.signer, from_millis(header.signed_at * 1000), true);
}

std::string FakeSeal::sign(std::string_view text) {
  const std::string header =
      text_of(kSignature, {own_key(), std::string(40, '0'), to_millis(clock_.now()) / 1000, text.size()});
  Sha256 code = code_over(header);
  code.update(text);
  return header + code.hex();
}

Opened FakeSeal::verify(std::string_view text, std::string_view signature) {
  if (signature.empty()) return accept_signature({}, counterparty_, clock_.now());
  Header header;
  if (!read_header(kSignature, signature.substr(0, kHeaderLength), header))
    throw Error(Code::t_signature, "it is not a signature");
  Sha256 code = code_over(signature.substr(0, kHeaderLength));
  code.update(text);
  return accept(header.signer, from_millis(header.signed_at * 1000),
                signature.substr(kHeaderLength) == code.hex());
}

Opened FakeSeal::accept(const std::string& signer, Time signed_at, bool fits) const {
  const SignatureFacts facts{.status = fits ? SignatureFacts::Status::good : SignatureFacts::Status::bad,
                             .signer = SignerFacts{.primary = signer, .created = {}, .expires = {}},
                             .key_may_sign = true,
                             .strong_digest = true,
                             .made_at = signed_at};
  return accept_signature({facts}, counterparty_, clock_.now());
}

}  // namespace veer::test

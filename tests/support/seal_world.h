#pragma once

#include <array>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "formats/gpgme_seal.h"
#include "support/gpg_home.h"
#include "support/manual_clock.h"
#include "support/thrown.h"

/// Messages that the real gpg makes, good and hostile, for the real seal.
namespace veer::test {

inline constexpr std::size_t kCap = 20'000'000;

/// Encrypts what it reads as packets, not as a text; our settings do not go with it.
inline const std::string kRaw = "--no-options --trust-model always --cipher-algo AES256 -z 0 --no-literal ";

inline PinnedKey pin(const std::string& fingerprint) { return {fingerprint, {}, {}}; }

/// Both sides, and messages that somebody who has the sender's or other keys could make.
struct SealWorld {
  GpgPair pair;
  ManualClock clock{SystemClock().now()};
  GpgmeSeal sender{pair.sender_home, {pin(pair.sender_key)}, {pin(pair.receiver_key)}, clock};
  GpgmeSeal receiver = make_receiver();
  std::string as_sender = "-u " + pair.sender_key;
  std::string to_receiver = "-r " + pair.receiver_key;
  std::string both = as_sender + " " + to_receiver;

  GpgmeSeal make_receiver() const {
    return {pair.receiver_home, {pin(pair.receiver_key)}, {pin(pair.sender_key)}, clock};
  }
  /// gpg at the sender's, with our settings unless `arguments` say otherwise.
  std::string craft(const std::string& arguments, std::string_view input = "some text") const {
    return pair.sender().gpg(arguments, input);
  }
  std::string good(std::string_view text = "some text") const { return craft(both + " -se", text); }
  /// Encrypts OpenPGP packets instead of a text.
  std::string wrap(std::string_view packets) const { return craft(kRaw + to_receiver + " -e", packets); }

  /// What opening `message` ends in; what came out before is in `plain`.
  std::optional<Code> opening(std::string_view message) {
    StringSink sink(kCap);
    const std::optional<Code> code = code_of([&] { receiver.open(MemoryBlob(message), sink, {}); });
    plain = sink.take();
    return code;
  }
  std::string plain;
};

/// What opening each of `messages` ends in, several at a time.
inline std::vector<std::optional<Code>> opening_all(const SealWorld& world,
                                                    const std::vector<std::string>& messages) {
  std::vector<std::optional<Code>> codes(messages.size());
  std::array<std::future<void>, 4> workers;
  for (std::size_t first = 0; first < workers.size(); ++first)
    workers[first] = std::async(std::launch::async, [&, first] {
      GpgmeSeal receiver = world.make_receiver();
      for (std::size_t i = first; i < messages.size(); i += workers.size()) {
        StringSink sink(kCap);
        codes[i] = code_of([&] { receiver.open(MemoryBlob(messages[i]), sink, {}); });
      }
    });
  for (auto& worker : workers) worker.get();
  return codes;
}

/// A binary literal packet (RFC 4880, 5.9).
inline std::string literal(const std::string& text) {
  using namespace std::string_literals;
  return "\xcb"s + static_cast<char>(text.size() + 6) + "b\0\0\0\0\0"s + text;
}

struct Packet {
  std::size_t begin;
  std::size_t end;
  std::string body;  ///< its parts joined
};

/// The packets that `bytes` are made of, which are whole and have a length (RFC 4880, 4.2).
inline std::vector<Packet> packets_of(std::string_view bytes) {
  std::size_t at = 0;
  const auto number = [&](std::size_t octets) {
    std::size_t value = 0;
    for (; octets > 0; --octets) value = value << 8 | static_cast<unsigned char>(bytes.at(at++));
    return value;
  };
  std::vector<Packet> packets;
  while (at < bytes.size()) {
    Packet packet{at, 0, {}};
    const auto take = [&](std::size_t size) {
      packet.body += bytes.substr(at, size);
      at += size;
    };
    const std::size_t header = number(1);
    if ((header & 0x40) == 0) {
      take(number(std::size_t{1} << (header & 3)));
    } else {
      for (bool last = false; !last;) {
        const std::size_t first = number(1);
        last = first < 224 || first == 255;
        take(first < 192   ? first
             : first < 224 ? ((first - 192) << 8) + number(1) + 192
             : last        ? number(4)
                           : std::size_t{1} << (first & 0x1f));
      }
    }
    packet.end = at;
    packets.push_back(std::move(packet));
  }
  return packets;
}

/// `message` with the content of its second and last packet changed, and its length right again: only gpg can
/// tell.
template <typename Change>
std::string reframed(const std::string& message, Change change) {
  const std::vector<Packet> packets = packets_of(message);
  std::string body = packets.at(1).body;
  change(body);
  std::string made = message.substr(0, packets[1].begin) + "\xd2\xff";
  for (const int shift : {24, 16, 8, 0}) made += static_cast<char>(body.size() >> shift & 0xff);
  return made + body;
}

}  // namespace veer::test

#include "connectors/ssh_algorithms.h"

#include <array>
#include <optional>

namespace veer {
namespace {

using Offer = std::array<std::string_view, 6>;  // key exchange, host key, ciphers both ways, MACs both ways

std::optional<std::size_t> number(std::string_view text, std::size_t at) {
  if (text.size() < 4 || at > text.size() - 4) return std::nullopt;
  std::size_t value = 0;
  for (const char c : text.substr(at, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::optional<Offer> offer_in(std::string_view hello) {
  // Lines of text, of which the last begins with SSH-; then one packet: size, padding, kind, cookie, lists.
  while (!hello.starts_with("SSH-")) {
    const std::size_t end = hello.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    hello.remove_prefix(end + 1);
  }
  const std::size_t packet = hello.find('\n');
  static constexpr std::size_t kBeforeLists = 4 + 1 + 1 + 16;
  static constexpr char kKexInit = 20;
  if (packet == std::string_view::npos) return std::nullopt;
  hello.remove_prefix(packet + 1);
  if (hello.size() < kBeforeLists || hello[5] != kKexInit) return std::nullopt;
  Offer offer;
  std::size_t at = kBeforeLists;
  for (std::string_view& list : offer) {
    const auto size = number(hello, at);
    if (!size || *size > hello.size() - at - 4) return std::nullopt;
    list = hello.substr(at + 4, *size);
    at += 4 + *size;
  }
  return offer;
}

bool holds(std::string_view list, std::string_view name) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    if (list.substr(begin, end - begin) == name) return true;
    begin = end + 1;
  }
  return false;
}

bool have_one_in_common(std::string_view ours, std::string_view theirs) {
  for (std::size_t begin = 0; begin <= ours.size();) {
    const std::size_t end = std::min(ours.find(',', begin), ours.size());
    if (holds(theirs, ours.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

std::string what_is_missing(std::string_view hello) {
  static constexpr SshAlgorithms kOurs;
  const auto offer = offer_in(hello);
  if (!offer)
    return "it has no algorithm in common with this program, which needs an ed25519 or ECDSA host key, an "
           "AES-CTR cipher and hmac-sha2-256 or -512";
  const auto& [key_exchange, host_key, cipher_out, cipher_in, mac_out, mac_in] = *offer;
  if (!have_one_in_common(kOurs.host_key, host_key))
    return host_key.find("rsa") != std::string_view::npos
               ? "it has an RSA host key alone, which this program does not take: ask its owner to add an "
                 "ed25519 or ECDSA host key"
               : "it has no host key that this program takes: ask its owner to add an ed25519 or ECDSA host "
                 "key";
  if (!have_one_in_common(kOurs.key_exchange, key_exchange))
    return "it has no key exchange in common with this program: ask its owner to allow curve25519-sha256 or "
           "ecdh-sha2-nistp256 (KexAlgorithms)";
  if (!have_one_in_common(kOurs.cipher, cipher_out) || !have_one_in_common(kOurs.cipher, cipher_in))
    return "it has no cipher in common with this program: ask its owner to allow aes128-ctr or aes256-ctr "
           "(Ciphers)";
  if (!have_one_in_common(kOurs.mac, mac_out) || !have_one_in_common(kOurs.mac, mac_in))
    return "it has no MAC in common with this program: ask its owner to allow hmac-sha2-256 or hmac-sha2-512 "
           "(MACs)";
  return "the key exchange failed, though there are algorithms in common: ask its owner to look in its log";
}

}  // namespace veer

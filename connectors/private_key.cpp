#include "connectors/private_key.h"

#include <memory>
#include <string>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/digest.h"

namespace veer {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

int no_passphrase(char*, int, int, void*) { return -1; }

// Takes an SSH string (RFC 4251, section 5) off the front; empty when there is no whole one.
std::string_view take_string(std::string_view& from) {
  if (from.size() < 4) return {};
  std::size_t size = 0;
  for (const char c : from.substr(0, 4)) size = size << 8 | static_cast<unsigned char>(c);
  from.remove_prefix(4);
  if (size > from.size()) return {};
  const std::string_view taken = from.substr(0, size);
  from.remove_prefix(size);
  return taken;
}

// OpenSSH's PROTOCOL.key: the public half stands in front, and no more than its beginning is decoded.
bool is_openssh_rsa(std::string_view body) {
  static constexpr std::size_t kDecoded = 128;  // characters: the type stands before, the secret half behind
  static constexpr std::string_view kMagic("openssh-key-v1\0", 15);
  std::string text;
  for (const char c : body) {
    if (text.size() == kDecoded || c == '-') break;
    if (c != '\n' && c != '\r') text += c;
  }
  const std::string decoded = from_base64(text);
  std::string_view rest = decoded;
  if (!rest.starts_with(kMagic)) return false;
  rest.remove_prefix(kMagic.size());
  for (int field = 0; field < 3; ++field) take_string(rest);  // cipher, derivation and its options
  static constexpr std::size_t kCounts = 8;                   // number of keys, size of the public half
  if (rest.size() < kCounts) return false;
  rest.remove_prefix(kCounts);
  return take_string(rest) == "ssh-rsa";
}

}  // namespace

bool is_rsa_key(std::string_view key) {
  static constexpr std::string_view kOpenssh = "-----BEGIN OPENSSH PRIVATE KEY-----";
  const std::size_t begin = key.find(kOpenssh);
  if (begin != std::string_view::npos) return is_openssh_rsa(key.substr(begin + kOpenssh.size()));
  const std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const std::unique_ptr<EVP_PKEY, FreeKey> parsed(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return parsed != nullptr && EVP_PKEY_base_id(parsed.get()) == EVP_PKEY_RSA;
}

}  // namespace veer

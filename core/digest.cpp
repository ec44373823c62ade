#include "core/digest.h"

#include <array>
#include <vector>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "core/error.h"

namespace veer {

namespace {

std::string hex_of(std::string_view bytes) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kHex[static_cast<unsigned char>(c) >> 4];
    text += kHex[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1)
    throw Error(Code::l_memory, "SHA-256 could not be started: out of memory");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1)
    throw Error(Code::l_memory, "SHA-256 failed");
}

std::string Sha256::bytes() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size) != 1)
    throw Error(Code::l_memory, "SHA-256 failed");
  return {digest.begin(), digest.begin() + size};
}

std::string Sha256::hex() { return hex_of(bytes()); }

std::string sha256_base64(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return base64(digest.bytes());
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.hex();
}

std::string sha256_hex(const Blob& blob, const Transfer& transfer) {
  Sha256 digest;
  std::vector<char> buffer(std::size_t{1} << 20);
  std::uint64_t offset = 0;
  while (const std::size_t n = blob.read(offset, buffer)) {
    digest.update({buffer.data(), n});
    offset += n;
    transfer.tick(offset);
  }
  return digest.hex();
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string hmac_sha256_hex(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size) == nullptr)
    throw Error(Code::l_engine, "OpenSSL cannot sign with HMAC-SHA-256");
  return hex_of({reinterpret_cast<const char*>(digest.data()), size});
}

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int n =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes(3 * (text.size() / 4), '\0');
  const int n =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return "";
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(n) - padding);
  return base64(bytes) == text ? bytes : "";  // the library skips spaces and takes padding anywhere
}

}  // namespace veer

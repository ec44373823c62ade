#include "graph/assertion.h"

#include <array>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/digest.h"

namespace veer::test {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::unique_ptr<X509, Free> read(const std::string& pem) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::unique_ptr<X509, Free> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) throw std::invalid_argument("a certificate of an application is no PEM");
  return certificate;
}

}  // namespace

std::string thumbprint(const std::string& certificate_pem, bool sha256) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  X509_digest(read(certificate_pem).get(), sha256 ? EVP_sha256() : EVP_sha1(), digest.data(), &size);
  std::string text = base64({reinterpret_cast<const char*>(digest.data()), size});
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

bool is_in_force(const std::string& certificate_pem, ServiceTime now) {
  std::time_t time = std::chrono::system_clock::to_time_t(now);
  const auto certificate = read(certificate_pem);
  return X509_cmp_time(X509_get0_notBefore(certificate.get()), &time) < 0 &&
         X509_cmp_time(X509_get0_notAfter(certificate.get()), &time) > 0;
}

bool is_signed(const std::string& certificate_pem, bool pss, const std::string& text,
               const std::string& signature) {
  const auto certificate = read(certificate_pem);
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* choice = nullptr;  // owned by the context
  if (EVP_DigestVerifyInit(context.get(), &choice, EVP_sha256(), nullptr,
                           X509_get0_pubkey(certificate.get())) != 1)
    return false;
  if (pss && (EVP_PKEY_CTX_set_rsa_padding(choice, RSA_PKCS1_PSS_PADDING) != 1 ||
              EVP_PKEY_CTX_set_rsa_pss_saltlen(choice, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                          text.size()) == 1;
}

}  // namespace veer::test

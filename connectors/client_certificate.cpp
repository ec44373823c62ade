#include "connectors/client_certificate.h"

#include <array>
#include <ctime>
#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/error.h"

namespace veer {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioHandle = std::unique_ptr<BIO, FreeBio>;
using CertificateHandle = std::unique_ptr<X509, FreeCertificate>;
struct FreeDigest {
  void operator()(EVP_MD_CTX* digest) const { EVP_MD_CTX_free(digest); }
};
using DigestHandle = std::unique_ptr<EVP_MD_CTX, FreeDigest>;
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeKey>;

BioHandle reader_of(std::string_view text) {
  BioHandle bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) throw Error(Code::l_memory, "no memory for a certificate");
  return bio;
}

// Without one of its own, OpenSSL would ask at the terminal.
int give_passphrase(char* into, int size, int, void* passphrase) {
  const auto& text = *static_cast<const std::string_view*>(passphrase);
  if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
  return static_cast<int>(text.copy(into, text.size()));
}

CertificateHandle next_certificate(BIO* from) {
  CertificateHandle certificate(PEM_read_bio_X509(from, nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

CertificateHandle first_certificate(std::string_view pem) {
  const BioHandle bio = reader_of(pem);
  CertificateHandle own = next_certificate(bio.get());
  if (!own)
    throw Error(Code::c_credential,
                "the client certificate cannot be read: it must be a PEM file that begins with our own "
                "certificate (-----BEGIN CERTIFICATE-----)");
  return own;
}

KeyHandle private_key(std::string_view pem, std::string_view passphrase) {
  const BioHandle bio = reader_of(pem);
  KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_passphrase, &passphrase));
  ERR_clear_error();
  if (!key)
    throw Error(Code::c_credential,
                passphrase.empty()
                    ? "the private key of the client certificate cannot be read: it must be in "
                      "PEM format, and key_passphrase must be given when it has one"
                    : "the private key of the client certificate cannot be read: it must be in "
                      "PEM format, and key_passphrase must be the right one");
  return key;
}

Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return Time(std::chrono::seconds(timegm(&parts)));
}

std::int64_t days(std::chrono::milliseconds time) {
  return std::chrono::floor<std::chrono::days>(time).count();
}

}  // namespace

std::vector<Validity> read_certificates(std::string_view pem) {
  std::vector<Validity> found;
  const BioHandle bio = reader_of(pem);
  while (const CertificateHandle certificate = next_certificate(bio.get()))
    found.push_back(
        {time_of(X509_get0_notBefore(certificate.get())), time_of(X509_get0_notAfter(certificate.get()))});
  return found;
}

void require_pair(std::string_view certificate, std::string_view key, std::string_view passphrase) {
  const CertificateHandle own = first_certificate(certificate);
  const KeyHandle ours = private_key(key, passphrase);
  const bool belong = X509_check_private_key(own.get(), ours.get()) == 1;
  ERR_clear_error();
  if (!belong)
    throw Error(Code::c_credential,
                "the private key does not belong to the client certificate: give both of the same request, "
                "our own certificate first when the file holds a chain");
}

std::string certificate_digest(std::string_view pem) {
  const CertificateHandle own = first_certificate(pem);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(own.get(), EVP_sha256(), digest.data(), &size) != 1)
    throw Error(Code::l_memory, "no memory for a digest");
  return {digest.begin(), digest.begin() + size};
}

std::string sign_ps256(std::string_view key, std::string_view passphrase, std::string_view text) {
  static constexpr int kLeastBits = 2048;
  const KeyHandle ours = private_key(key, passphrase);
  if (EVP_PKEY_base_id(ours.get()) != EVP_PKEY_RSA || EVP_PKEY_bits(ours.get()) < kLeastBits)
    throw Error(Code::c_credential,
                "the private key cannot sign in: Microsoft takes RSA keys of at least 2048 bits; have a "
                "certificate made for one");
  const DigestHandle digest(EVP_MD_CTX_new());
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  EVP_PKEY_CTX* context = nullptr;  // belongs to the digest
  std::size_t size = static_cast<std::size_t>(EVP_PKEY_size(ours.get()));
  std::string signature(size, '\0');
  if (!digest || EVP_DigestSignInit(digest.get(), &context, EVP_sha256(), nullptr, ours.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1 ||
      EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                     text.size()) != 1) {
    ERR_clear_error();
    throw Error(Code::c_credential, "the private key refuses to sign: have a certificate made anew");
  }
  signature.resize(size);
  return signature;
}

void require_valid(const Validity& certificate, Time now) {
  if (now > certificate.until)
    throw Error(
        Code::c_credential,
        fmt::format("our client certificate expired {} day(s) ago, on {}: have a new one issued, put it "
                    "and its key in place and restart the service",
                    days(now - certificate.until), format_date(date_of(certificate.until))));
  if (now < certificate.from)
    throw Error(Code::c_credential,
                fmt::format("our client certificate counts from {} on, in {} day(s): use the one before it "
                            "until then, or set the clock",
                            format_date(date_of(certificate.from)), days(certificate.from - now)));
}

}  // namespace veer

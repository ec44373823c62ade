#include "support/certificates.h"

#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

namespace veer::test {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, Free>;
using CertificateHandle = std::unique_ptr<X509, Free>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, Free>;
using BioHandle = std::unique_ptr<BIO, Free>;

void require(bool holds) {
  if (!holds) throw std::runtime_error("a test certificate cannot be made");
}

std::string text_of(const BioHandle& bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(bio.get(), certificate) == 1);
  return text_of(bio);
}

std::string pem_of(EVP_PKEY* key) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_of(bio);
}

void add(X509* certificate, X509* issuer, int which, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, which, value.c_str()));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

CertificateHandle blank(const CertificateWishes& wishes, EVP_PKEY* key) {
  CertificateHandle made(X509_new());
  require(made != nullptr && X509_set_version(made.get(), 2) == 1 && X509_set_pubkey(made.get(), key) == 1);
  std::uint32_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial);
  const auto seconds = [](std::chrono::hours time) { return static_cast<long>(time.count()) * 3600; };
  X509_gmtime_adj(X509_getm_notBefore(made.get()), seconds(wishes.from));
  X509_gmtime_adj(X509_getm_notAfter(made.get()), seconds(wishes.until));
  require(X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(wishes.name.c_str()), -1, -1,
                                     0) == 1);
  return made;
}

}  // namespace

struct Authority::Pair {
  KeyHandle key;
  CertificateHandle certificate;
};

Authority::Authority(const std::string& name) : pair_(std::make_unique<Pair>()) {
  pair_->key.reset(EVP_EC_gen("P-256"));
  pair_->certificate = blank({.name = name, .until = std::chrono::hours(20000)}, pair_->key.get());
  X509* const own = pair_->certificate.get();
  require(X509_set_issuer_name(own, X509_get_subject_name(own)) == 1);
  add(own, own, NID_basic_constraints, "critical,CA:TRUE");
  add(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  add(own, own, NID_subject_key_identifier, "hash");
  require(X509_sign(own, pair_->key.get(), EVP_sha256()) > 0);
  certificate_ = pem_of(own);
}

Authority::~Authority() = default;

Certificate Authority::issue(const CertificateWishes& wishes) const {
  const KeyHandle key(EVP_EC_gen("P-256"));
  const CertificateHandle made = blank(wishes, key.get());
  require(X509_set_issuer_name(made.get(), X509_get_subject_name(pair_->certificate.get())) == 1);
  add(made.get(), pair_->certificate.get(), NID_authority_key_identifier, "keyid");
  std::string hosts;
  for (const std::string& host : wishes.hosts) hosts += (hosts.empty() ? "" : ",") + host;
  if (!hosts.empty()) add(made.get(), pair_->certificate.get(), NID_subject_alt_name, hosts);
  require(X509_sign(made.get(), pair_->key.get(), EVP_sha256()) > 0);
  return {pem_of(made.get()), pem_of(key.get())};
}

Certificate rsa_certificate(const CertificateWishes& wishes) {
  const KeyHandle key(EVP_RSA_gen(2048));
  const CertificateHandle made = blank(wishes, key.get());
  require(X509_set_issuer_name(made.get(), X509_get_subject_name(made.get())) == 1 &&
          X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
  return {pem_of(made.get()), pem_of(key.get())};
}

std::string encrypted_key(const std::string& key, const std::string& passphrase) {
  const BioHandle in(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
  const KeyHandle handle(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const BioHandle out(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PrivateKey(out.get(), handle.get(), EVP_aes_256_cbc(),
                                   reinterpret_cast<const unsigned char*>(passphrase.data()),
                                   static_cast<int>(passphrase.size()), nullptr, nullptr) == 1);
  return text_of(out);
}

}  // namespace veer::test

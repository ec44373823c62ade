#include "connectors/client_certificate.h"

#include <ctime>
#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
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
  const BioHandle certificate_text = reader_of(certificate);
  const CertificateHandle own = next_certificate(certificate_text.get());
  if (!own)
    throw Error(Code::c_credential,
                "the client certificate cannot be read: it must be a PEM file that begins with our own "
                "certificate (-----BEGIN CERTIFICATE-----)");
  const BioHandle key_text = reader_of(key);
  const KeyHandle ours(PEM_read_bio_PrivateKey(key_text.get(), nullptr, give_passphrase, &passphrase));
  ERR_clear_error();
  if (!ours)
    throw Error(Code::c_credential,
                passphrase.empty()
                    ? "the private key of the client certificate cannot be read: it must be in "
                      "PEM format, and key_passphrase must be given when it has one"
                    : "the private key of the client certificate cannot be read: it must be in "
                      "PEM format, and key_passphrase must be the right one");
  const bool belong = X509_check_private_key(own.get(), ours.get()) == 1;
  ERR_clear_error();
  if (!belong)
    throw Error(Code::c_credential,
                "the private key does not belong to the client certificate: give both of the same request, "
                "our own certificate first when the file holds a chain");
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

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace veer::test {

/// A certificate and its private key, both PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

struct CertificateWishes {
  std::string name = "veer test";                       ///< common name
  std::vector<std::string> hosts = {};                  ///< "DNS:…" and "IP:…"
  std::chrono::hours from = std::chrono::hours(-24);    ///< counted from now
  std::chrono::hours until = std::chrono::hours(9000);  ///< counted from now
};

/// An authority of its own, with a P-256 key, that issues certificates to P-256 keys.
class Authority {
 public:
  explicit Authority(const std::string& name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  /// PEM.
  const std::string& certificate() const { return certificate_; }
  Certificate issue(const CertificateWishes& wishes) const;

 private:
  struct Pair;
  std::unique_ptr<Pair> pair_;
  std::string certificate_;
};

/// A certificate that vouches for itself, with an RSA key of 2048 bits: what an application signs in with.
Certificate rsa_certificate(const CertificateWishes& wishes = {});

/// The key, encrypted under a passphrase.
std::string encrypted_key(const std::string& key, const std::string& passphrase);

}  // namespace veer::test

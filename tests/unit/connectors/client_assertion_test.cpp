#include "connectors/client_assertion.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "connectors/client_certificate.h"
#include "core/digest.h"
#include "support/certificates.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;

namespace {

std::string from_base64url(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return from_base64(text);
}

std::vector<std::string> parts_of(std::string_view token) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t dot = token.find('.');
    parts.emplace_back(token.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    token.remove_prefix(dot + 1);
  }
}

/// PSS with exactly 32 bytes of salt, by the public half of `certificate`.
bool is_signed_by(const std::string& certificate, const std::string& text, const std::string& signature) {
  BIO* bio = BIO_new_mem_buf(certificate.data(), static_cast<int>(certificate.size()));
  X509* read = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  EVP_PKEY* key = X509_get_pubkey(read);
  EVP_MD_CTX* digest = EVP_MD_CTX_new();
  EVP_PKEY_CTX* context = nullptr;
  const bool good =
      EVP_DigestVerifyInit(digest, &context, EVP_sha256(), nullptr, key) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
      EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1 &&
      EVP_DigestVerify(digest, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(digest);
  EVP_PKEY_free(key);
  X509_free(read);
  BIO_free(bio);
  return good;
}

struct Made {
  Certificate own = rsa_certificate({.name = "veerdienst aii"});
  Secret key{std::string(own.key)};
  Secret none;

  std::string assertion(Time now) {
    SystemRandom random;
    return std::string(make_assertion({.client_id = "app",
                                       .audience = "https://login.example.org/t/oauth2/v2.0/token",
                                       .certificate = own.certificate,
                                       .key = key,
                                       .passphrase = none},
                                      now, random)
                           .reveal());
  }
};

}  // namespace

TEST_CASE("an assertion says who signs in where, for minutes, under the certificate's key") {
  Made made;
  const Time now = parse_time("2026-11-26T10:00:00.500Z").value();
  const auto parts = parts_of(made.assertion(now));
  REQUIRE(parts.size() == 3);
  const json header = json::parse(from_base64url(parts[0]));
  CHECK(header["alg"] == "PS256");
  CHECK(header["typ"] == "JWT");
  const std::string thumbprint = certificate_digest(made.own.certificate);
  CHECK(thumbprint.size() == 32);
  CHECK(header["x5t#S256"] == base64url(thumbprint));
  const json claims = json::parse(from_base64url(parts[1]));
  CHECK(claims["aud"] == "https://login.example.org/t/oauth2/v2.0/token");
  CHECK(claims["iss"] == "app");
  CHECK(claims["sub"] == "app");
  const std::int64_t begun = to_millis(now) / 1000;
  CHECK(claims["nbf"] == begun - 30);
  CHECK(claims["exp"].get<std::int64_t>() - begun >= 5 * 60);
  CHECK(claims["exp"].get<std::int64_t>() - claims["nbf"].get<std::int64_t>() <= 10 * 60);
  CHECK(is_signed_by(made.own.certificate, parts[0] + "." + parts[1], from_base64url(parts[2])));
  CHECK_FALSE(is_signed_by(made.own.certificate, parts[0] + "." + parts[1] + "x", from_base64url(parts[2])));
  const json again = json::parse(from_base64url(parts_of(made.assertion(now))[1]));
  CHECK(again["jti"] != claims["jti"]);
}

TEST_CASE("what cannot sign in is refused with what to do") {
  Made made;
  SECTION("a key that is no RSA key") {
    const Certificate other = Authority("x").issue({});
    made.own = other;
    made.key = Secret(std::string(other.key));
    const auto error = thrown([&] { made.assertion({}); });
    REQUIRE(error);
    CHECK(error->code() == Code::c_credential);
    CHECK(error->message().find("RSA") != std::string::npos);
  }
  SECTION("a key under another passphrase") {
    made.key = Secret(encrypted_key(made.own.key, "open"));
    made.none = Secret("close");
    CHECK(code_of([&] { made.assertion({}); }) == Code::c_credential);
    made.none = Secret("open");
    CHECK_NOTHROW(made.assertion({}));
  }
  SECTION("no certificate") {
    made.own.certificate = "nonsense";
    CHECK(code_of([&] { made.assertion({}); }) == Code::c_credential);
  }
}

#include "connectors/client_certificate.h"

#include <catch2/catch.hpp>

#include "support/certificates.h"
#include "support/text.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

const Authority& authority() {
  static const Authority one("Authority");
  return one;
}

/// What is said of a pair; empty when it fits.
std::string told(const std::string& certificate, const std::string& key, const std::string& passphrase = "") {
  const auto error = thrown([&] { require_pair(certificate, key, passphrase); });
  if (!error) return "";
  CHECK(error->code() == Code::c_credential);
  return error->message();
}

}  // namespace

TEST_CASE("a certificate and its own key fit, with what is between it and its authority behind it") {
  const Certificate own = authority().issue({});
  CHECK(told(own.certificate, own.key).empty());
  CHECK(told(own.certificate + authority().certificate(), own.key).empty());
  CHECK(read_certificates(own.certificate + authority().certificate()).size() == 2);
}

TEST_CASE("each thing that is wrong with a certificate and its key has its own words, and none of theirs") {
  const Certificate own = authority().issue({});
  const Certificate other = authority().issue({});
  CHECK(has(told("", own.key), "client certificate cannot be read"));
  CHECK(has(told("nonsense", own.key), "client certificate cannot be read"));
  CHECK(has(told(own.certificate, "nonsense"), "private key of the client certificate cannot be read"));
  CHECK(has(told(own.certificate, own.certificate), "private key of the client certificate cannot be read"));
  CHECK(has(told(own.certificate, other.key), "does not belong to"));
  CHECK(has(told(authority().certificate() + own.certificate, own.key), "does not belong to"));
}

TEST_CASE("a key under a passphrase opens with that one, and never asks at a terminal") {
  const Certificate own = authority().issue({});
  const std::string key = encrypted_key(own.key, "sesame");
  CHECK(told(own.certificate, key, "sesame").empty());
  CHECK(has(told(own.certificate, key, "wrong"), "key_passphrase must be the right one"));
  CHECK(has(told(own.certificate, key), "key_passphrase must be given"));
}

TEST_CASE("a certificate counts between its dates, and says for how long it has not") {
  const Validity own{parse_time("2026-01-01T00:00:00Z").value(), parse_time("2026-12-31T23:59:59Z").value()};
  const auto at = [&](const char* time) {
    const auto error = thrown([&] { require_valid(own, parse_time(time).value()); });
    return error ? std::string(code_name(error->code())) + " " + error->message() : "";
  };
  CHECK(at("2026-01-01T00:00:00Z").empty());
  CHECK(at("2026-12-31T23:59:59Z").empty());
  CHECK(has(at("2027-01-11T00:00:00Z"),
            "C_CREDENTIAL our client certificate expired 10 day(s) ago, on 2026-12-31"));
  CHECK(has(at("2025-12-30T00:00:00Z"), "counts from 2026-01-01 on, in 2 day(s)"));
}

TEST_CASE("the dates of a certificate are read as they were issued") {
  const Certificate own =
      authority().issue({.from = std::chrono::hours(-48), .until = std::chrono::hours(72)});
  const Validity read = read_certificates(own.certificate).at(0);
  CHECK(read.until - read.from == std::chrono::hours(120));
  CHECK(std::chrono::abs(read.until - SystemClock().now() - std::chrono::hours(72)) < std::chrono::hours(1));
}

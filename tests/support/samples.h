#pragma once

#include <cassert>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "formats/package.h"
#include "formats/receipt.h"

/// Manifests and receipts to test with: the two that tests/data holds as text, and random ones.
namespace veer::test {

inline std::string test_data(const std::string& name) {
  std::ifstream file(std::string(VEER_TEST_DATA "/") + name, std::ios::binary);
  assert(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Manifest sample_manifest() {
  Manifest manifest;
  manifest.exchange = "7b0d1c52-9f3e-4a6b-8c1d-2e5f60718293";
  manifest.environment = "production";
  manifest.reference_date = *parse_date("2026-01-01");
  manifest.revision = 2;
  manifest.supersedes = "0a1b2c3d-4e5f-4a6b-9c7d-8e9fa0b1c2d3";
  manifest.sender = {"aii", "0123456789ABCDEF0123456789ABCDEF01234567"};
  manifest.receiver = {"avsb", "89ABCDEF0123456789ABCDEF0123456789ABCDEF"};
  manifest.sealed_at = *parse_time("2026-01-15T09:30:00.123Z");
  manifest.records = 3;
  manifest.set_aside = 1;
  manifest.list_sha256 = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
  manifest.audit = {118, "ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d"};
  manifest.generator = "veerdienst 1.0.0";
  return manifest;
}

inline Receipt sample_receipt() {
  Receipt receipt;
  receipt.exchange = "7b0d1c52-9f3e-4a6b-8c1d-2e5f60718293";
  receipt.package = "vsb-inburgering-2026-r2_20260115093000123.pgp";
  receipt.package_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  receipt.records = 3;
  receipt.set_aside = 1;
  receipt.status = ReceiptStatus::refused;
  receipt.reasons = {{Code::r_check, 2, "2 nummers hebben een fout controlegetal: coördineer met KBI"},
                     {Code::f_count, 1, ""}};
  receipt.found_at = *parse_time("2026-01-15T09:35:00Z");
  receipt.recorded_at = *parse_time("2026-01-15T09:35:02.007Z");
  receipt.receiver = {"avsb", "89ABCDEF0123456789ABCDEF0123456789ABCDEF"};
  receipt.audit = {0, std::string(64, '0')};
  return receipt;
}

/// Random values of the right shape, the same for the same seed.
class Samples {
 public:
  explicit Samples(std::uint64_t seed) : random_(seed) {}

  Manifest manifest() {
    Manifest m;
    m.exchange = uuid();
    m.purpose = one_in(2) ? Purpose::list : Purpose::rehearsal;
    m.environment = one_in(2) ? "test" : "production";
    m.reference_date = date_of(time());
    m.revision = static_cast<std::int64_t>(between(1, 999));
    if (one_in(2)) m.supersedes = uuid();
    m.sender = party();
    m.receiver = party();
    m.sealed_at = time();
    m.records = count();
    m.set_aside = count();
    m.list_sha256 = text("0123456789abcdef", 64);
    if (one_in(2)) m.previous_receipt_sha256 = text("0123456789abcdef", 64);
    m.audit = audit();
    m.generator = text("abc XYZ~!\"\\/<>'{}0.9", between(1, 100));
    return m;
  }

  Receipt receipt() {
    Receipt r;
    r.status = static_cast<ReceiptStatus>(between(0, 2));
    if (r.status != ReceiptStatus::refused || one_in(2)) r.exchange = uuid();
    r.package = file_name(make_stem(Purpose::list, static_cast<int>(between(2022, 2026)), 1, time()),
                          FileKind::package);
    r.package_sha256 = text("0123456789abcdef", 64);
    r.records = count();
    r.set_aside = count();
    for (std::uint64_t n = one_in(3) ? 0 : between(1, 5); n > 0; --n)
      r.reasons.push_back({static_cast<Code>(between(0, static_cast<std::uint64_t>(Code::r_deceased))),
                           between(1, 1000),
                           text("abc \"\\/{}[]:,.", between(0, 80)) + (one_in(2) ? "é€𝄞" : "")});
    r.added = count();
    r.withdrawn = count();
    r.found_at = time();
    r.recorded_at = time();
    r.receiver = party();
    r.audit = audit();
    return r;
  }

  std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random_);
  }
  bool one_in(std::uint64_t n) { return between(1, n) == 1; }
  std::mt19937_64& random() { return random_; }

 private:
  std::string uuid() {
    std::string made = text("0123456789abcdef", 36);
    for (const std::size_t at : {8U, 13U, 18U, 23U}) made[at] = '-';
    return made;
  }
  Time time() {  // 1970 to 2286
    return from_millis(static_cast<std::int64_t>(between(0, 9'999'999'999'999)));
  }
  PartyKey party() { return {text("abcxyz059", between(1, 16)), text("0123456789ABCDEF", 40)}; }
  AuditHead audit() { return {static_cast<std::int64_t>(count()), text("0123456789abcdef", 64)}; }
  std::uint64_t count() { return one_in(2) ? between(0, 3) : between(0, (std::uint64_t{1} << 53) - 1); }
  std::string text(std::string_view letters, std::size_t size) {
    std::string made;
    while (made.size() < size) made += letters[between(0, letters.size() - 1)];
    return made;
  }
  std::mt19937_64 random_;
};

}  // namespace veer::test

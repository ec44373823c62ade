#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "formats/package.h"

namespace veer {

enum class ReceiptStatus { recorded, refused, rehearsed };
std::string_view status_name(ReceiptStatus status);

struct Reason {
  Code code;
  std::uint64_t count = 1;
  std::string text;
};

/// receipt.json, "veerdienst-receipt/1" (docs/protocol.md, Receipt).
struct Receipt {
  std::optional<std::string>
      exchange;                ///< absent only in a refusal of a package whose manifest could not be read
  std::string package;         ///< file name
  std::string package_sha256;  ///< of the file as fetched
  std::uint64_t records = 0;
  std::uint64_t set_aside = 0;
  ReceiptStatus status = ReceiptStatus::recorded;
  std::vector<Reason> reasons;
  std::uint64_t added = 0;
  std::uint64_t withdrawn = 0;
  Time found_at;
  Time recorded_at;
  PartyKey receiver;
  AuditHead audit;
};

/// The receipt as it travels. Throws F_MANIFEST for a value that parse_receipt() would refuse.
std::string receipt_json(const Receipt& receipt);
/// Strict, as parse_manifest. Throws F_MANIFEST.
Receipt parse_receipt(std::string_view json);

/// The receipt as it travels: a ustar of receipt.json and receipt.json.sig.
struct SignedReceipt {
  std::string json;
  std::string signature;
};
/// Throws F_ARCHIVE above kReceiptCap.
std::string write_receipt_archive(const SignedReceipt& receipt);
/// Strict, as read_package. Throws F_ARCHIVE.
SignedReceipt read_receipt_archive(std::string_view archive);

/// Most bytes that a receipt's archive may have.
inline constexpr std::uint64_t kReceiptCap = std::uint64_t{64} * 1024;

}  // namespace veer

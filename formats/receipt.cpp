#include "formats/receipt.h"

#include <algorithm>
#include <array>

#include "formats/shared_fields.h"
#include "formats/strict_json.h"
#include "formats/ustar.h"

namespace veer {
namespace {

constexpr std::string_view kReceiptName = "receipt.json";
constexpr std::string_view kSignatureName = "receipt.json.sig";
constexpr std::string_view kFormat = "veerdienst-receipt/1";
constexpr std::size_t kMostReasons = 100;

std::optional<ReceiptStatus> status_named(std::string_view name) {
  for (const ReceiptStatus status :
       {ReceiptStatus::recorded, ReceiptStatus::refused, ReceiptStatus::rehearsed})
    if (status_name(status) == name) return status;
  return std::nullopt;
}

bool is_package_name(std::string_view text) {
  const auto name = parse_file_name(text);
  return name && name->kind == FileKind::package;
}

// T_, F_ and R_ codes travel; the others stay on the machine they arose on.
bool is_reason_code(std::string_view text) {
  return (text.starts_with("T_") || text.starts_with("F_") || text.starts_with("R_")) && code_named(text);
}

const TextShape kFormatShape{[](std::string_view text) { return text == kFormat; }, "veerdienst-receipt/1"};
const TextShape kPackageShape{is_package_name, "the name of a package"};
const TextShape kStatusShape{[](std::string_view text) { return status_named(text).has_value(); },
                             "recorded, refused or rehearsed"};
const TextShape kCodeShape{is_reason_code, "a known code that starts with T_, F_ or R_"};

void fields(JsonFields& json, Reason& reason) {
  std::string code(code_name(reason.code));
  json.text("code", code, kCodeShape);
  json.number("count", reason.count, 1, kMostCount);
  json.text("text", reason.text, kSentenceShape);
  reason.code = *code_named(code);
}

// Every key of receipt.json, in its order (docs/protocol.md, Receipt).
void fields(JsonFields& json, Receipt& receipt) {
  std::string format(kFormat);
  std::string status(status_name(receipt.status));

  json.text("format", format, kFormatShape);
  json.text("exchange", receipt.exchange, kUuidShape);
  json.text("package", receipt.package, kPackageShape);
  json.text("package_sha256", receipt.package_sha256, kSha256Shape);
  json.number("records", receipt.records, 0, kMostCount);
  json.number("set_aside", receipt.set_aside, 0, kMostCount);
  json.text("status", status, kStatusShape);
  json.array("reasons", receipt.reasons, kMostReasons,
             [](JsonFields& inner, Reason& reason) { fields(inner, reason); });
  json.number("added", receipt.added, 0, kMostCount);
  json.number("withdrawn", receipt.withdrawn, 0, kMostCount);
  time_field(json, "found_at", receipt.found_at);
  time_field(json, "recorded_at", receipt.recorded_at);
  party_field(json, "receiver", receipt.receiver);
  audit_field(json, receipt.audit);

  receipt.status = *status_named(status);
  if (!receipt.exchange && receipt.status != ReceiptStatus::refused)
    json.refuse("exchange", "there unless it is refused");
}

}  // namespace

std::string_view status_name(ReceiptStatus status) {
  switch (status) {
    case ReceiptStatus::recorded:
      return "recorded";
    case ReceiptStatus::refused:
      return "refused";
    case ReceiptStatus::rehearsed:
      return "rehearsed";
  }
  return "";
}

std::string receipt_json(const Receipt& receipt) {
  Receipt copy = receipt;
  return write_json(kReceiptName, [&](JsonFields& json) { fields(json, copy); });
}

Receipt parse_receipt(std::string_view json) {
  Receipt receipt;
  read_json(json, kReceiptName, [&](JsonFields& object) { fields(object, receipt); });
  return receipt;
}

std::string write_receipt_archive(const SignedReceipt& receipt) {
  std::string archive =
      write_ustar({UstarMember{kReceiptName, receipt.json}, UstarMember{kSignatureName, receipt.signature}});
  if (archive.size() > kReceiptCap)
    throw Error(Code::f_archive, "the receipt is larger than a receipt may be");
  return archive;
}

SignedReceipt read_receipt_archive(std::string_view archive) {
  if (archive.size() > kReceiptCap)
    throw Error(Code::f_archive, "the receipt is larger than a receipt may be");
  const auto [json, signature] = read_ustar(archive, {kReceiptName, kSignatureName});
  return {.json = std::string(json), .signature = std::string(signature)};
}

}  // namespace veer

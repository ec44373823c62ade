#include "formats/package.h"

#include <algorithm>

#include "formats/shared_fields.h"
#include "formats/strict_json.h"
#include "formats/ustar.h"

namespace veer {
namespace {

constexpr std::string_view kManifestName = "manifest.json";
constexpr std::string_view kListName = "list.csv";
constexpr std::string_view kFormat = "veerdienst-package/1";

const TextShape kFormatShape{[](std::string_view text) { return text == kFormat; }, "veerdienst-package/1"};
const TextShape kPurposeShape{[](std::string_view text) { return text == "list" || text == "rehearsal"; },
                              "list or rehearsal"};
const TextShape kEnvironmentShape{
    [](std::string_view text) { return text == "test" || text == "production"; }, "test or production"};
const TextShape kDateShape{[](std::string_view text) { return parse_date(text).has_value(); },
                           "a date such as 2026-01-01"};
const TextShape kGeneratorShape{[](std::string_view text) {
                                  return !text.empty() && text.size() <= 100 &&
                                         std::all_of(text.begin(), text.end(),
                                                     [](char c) { return c >= ' ' && c <= '~'; });
                                },
                                "1 to 100 printable ASCII characters"};

// Every key of manifest.json, in its order (docs/protocol.md, Package).
void fields(JsonFields& json, Manifest& manifest) {
  std::string format(kFormat);
  std::string purpose(purpose_name(manifest.purpose));
  std::string reference_date = format_date(manifest.reference_date);

  json.text("format", format, kFormatShape);
  json.text("exchange", manifest.exchange, kUuidShape);
  json.text("purpose", purpose, kPurposeShape);
  json.text("environment", manifest.environment, kEnvironmentShape);
  json.text("reference_date", reference_date, kDateShape);
  json.number("revision", manifest.revision, 1, 999);
  json.text("supersedes", manifest.supersedes, kUuidShape);
  party_field(json, "sender", manifest.sender);
  party_field(json, "receiver", manifest.receiver);
  time_field(json, "sealed_at", manifest.sealed_at);
  json.number("records", manifest.records, 0, kMostCount);
  json.number("set_aside", manifest.set_aside, 0, kMostCount);
  json.text("list_sha256", manifest.list_sha256, kSha256Shape);
  json.text("previous_receipt_sha256", manifest.previous_receipt_sha256, kSha256Shape);
  audit_field(json, manifest.audit);
  json.text("generator", manifest.generator, kGeneratorShape);

  manifest.purpose = purpose == purpose_name(Purpose::list) ? Purpose::list : Purpose::rehearsal;
  manifest.reference_date = *parse_date(reference_date);
}

}  // namespace

std::string manifest_json(const Manifest& manifest) {
  Manifest copy = manifest;
  return write_json(kManifestName, [&](JsonFields& json) { fields(json, copy); });
}

Manifest parse_manifest(std::string_view json) {
  Manifest manifest;
  read_json(json, kManifestName, [&](JsonFields& object) { fields(object, manifest); });
  return manifest;
}

std::string write_package(const Manifest& manifest, std::string_view list_csv) {
  const std::string json = manifest_json(manifest);
  return write_ustar({UstarMember{kManifestName, json}, UstarMember{kListName, list_csv}});
}

PackageView read_package(std::string_view archive) {
  const auto [json, list] = read_ustar(archive, {kManifestName, kListName});
  return {.manifest_json = std::string(json), .list_csv = list};
}

}  // namespace veer

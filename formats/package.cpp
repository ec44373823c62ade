#include "formats/package.h"

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

// Every key of manifest.json, in its order (docs/protocol.md, Package).
void fields(JsonFields& json, Manifest& manifest) {
  std::string format(kFormat);
  std::string purpose(purpose_name(manifest.purpose));

  json.text("format", format, kFormatShape);
  json.text("exchange", manifest.exchange, kUuidShape);
  json.text("purpose", purpose, kPurposeShape);
  json.text("environment", manifest.environment, kEnvironmentShape);
  date_field(json, "reference_date", manifest.reference_date);
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

#include "formats/care_fund.h"

#include <fmt/format.h>

#include "formats/names.h"
#include "formats/shared_fields.h"
#include "formats/strict_json.h"
#include "formats/ustar.h"

namespace veer {
namespace {

constexpr std::string_view kPrefix = "vsb-zorgkas-";
constexpr std::string_view kManifestName = "manifest.json";
constexpr std::string_view kFormat = "veerdienst-care-fund/1";
const TextShape kFormatShape{[](std::string_view text) { return text == kFormat; }, "veerdienst-care-fund/1"};

// Every key, in its order (docs/protocol.md, Care funds).
void fields(JsonFields& json, CareFundManifest& manifest) {
  std::string format(kFormat);
  json.text("format", format, kFormatShape);
  json.text("delivery", manifest.delivery, kUuidShape);
  json.text("environment", manifest.environment, kEnvironmentShape);
  date_field(json, "reference_date", manifest.reference_date);
  json.number("revision", manifest.revision, 1, 999);
  json.text("exchange", manifest.exchange, kUuidShape);
  date_field(json, "members_as_of", manifest.members_as_of);
  party_field(json, "sender", manifest.sender);
  party_field(json, "receiver", manifest.receiver);
  time_field(json, "sealed_at", manifest.sealed_at);
  json.number("records", manifest.records, 0, kMostCount);
  json.text("list_sha256", manifest.list_sha256, kSha256Shape);
  audit_field(json, manifest.audit);
  json.text("generator", manifest.generator, kGeneratorShape);
}

}  // namespace

std::string care_fund_json(const CareFundManifest& manifest) {
  CareFundManifest copy = manifest;
  return write_json(kManifestName, [&](JsonFields& json) { fields(json, copy); });
}

CareFundManifest parse_care_fund(std::string_view json) {
  CareFundManifest manifest;
  read_json(json, kManifestName, [&](JsonFields& object) { fields(object, manifest); });
  return manifest;
}

std::string care_fund_file(std::string_view fund, int reference_year, std::int64_t revision, Time sealed_at) {
  const std::string stem = make_stem(Purpose::list, reference_year, static_cast<int>(revision), sealed_at);
  return fmt::format("{}{}-{}-r{}{}.pgp", kPrefix, fund, reference_year, revision,
                     stem.substr(stem.rfind('_')));
}

bool is_care_fund_file(std::string_view name) { return name.starts_with(kPrefix) && name.ends_with(".pgp"); }

std::string write_care_fund(const CareFundManifest& manifest, std::string_view list_csv) {
  const std::string json = care_fund_json(manifest);
  return write_ustar({UstarMember{kManifestName, json}, UstarMember{"list.csv", list_csv}});
}

}  // namespace veer

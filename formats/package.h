#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "formats/insz.h"
#include "formats/names.h"
#include "formats/party.h"

namespace veer {

/// manifest.json of a package, "veerdienst-package/1" (docs/protocol.md, Package).
struct Manifest {
  std::string exchange;  ///< UUID
  Purpose purpose = Purpose::list;
  std::string environment;  ///< "test" or "production"
  Date reference_date;
  std::int64_t revision = 1;
  std::optional<std::string> supersedes;
  PartyKey sender;
  PartyKey receiver;
  Time sealed_at;
  std::uint64_t records = 0;
  std::uint64_t set_aside = 0;
  std::string list_sha256;
  std::optional<std::string> previous_receipt_sha256;
  AuditHead audit;
  std::string generator;
};

/// The manifest as it travels: keys in the order of docs/protocol.md, one a line. Throws F_MANIFEST for a
/// value that parse_manifest() would refuse.
std::string manifest_json(const Manifest& manifest);
/// Strict: every key exactly once, no other, right types and shapes, caps on size and depth. Throws
/// F_MANIFEST.
Manifest parse_manifest(std::string_view json);

/// The archive that is sealed: a POSIX ustar of manifest.json and list.csv. The bytes are the same for the
/// same input. Personal data.
std::string write_package(const Manifest& manifest, std::string_view list_csv);

struct PackageView {
  std::string manifest_json;
  std::string_view list_csv;  ///< within the archive's bytes
};

/// Takes the archive apart without trusting it: exactly those two members in that order, regular files,
/// nothing before, between or after but what ustar demands. Throws F_ARCHIVE.
PackageView read_package(std::string_view archive);

}  // namespace veer

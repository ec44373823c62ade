#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "formats/party.h"

namespace veer {

/// manifest.json of what a care fund gets (article 4), "veerdienst-care-fund/1" (docs/protocol.md, Care
/// funds): a complete list of its own members on the recorded list, in the place of the one before.
struct CareFundManifest {
  std::string delivery;  ///< UUID
  std::string environment;
  Date reference_date;
  std::int64_t revision = 1;  ///< of what this fund gets for that date
  std::string exchange;       ///< whose list is recorded
  Date members_as_of;
  PartyKey sender;
  PartyKey receiver;
  Time sealed_at;
  std::uint64_t records = 0;
  std::string list_sha256;
  AuditHead audit;
  std::string generator;
};

/// Each throws F_MANIFEST for a value or a text that breaks its shape.
std::string care_fund_json(const CareFundManifest& manifest);
CareFundManifest parse_care_fund(std::string_view json);
/// "vsb-zorgkas-<fund>-<Y>-r<revision>_<time>.pgp".
std::string care_fund_file(std::string_view fund, int reference_year, std::int64_t revision, Time sealed_at);
/// Whether a file is called so, by whatever fund.
bool is_care_fund_file(std::string_view name);
/// The archive that is sealed: a POSIX ustar of manifest.json and list.csv. Personal data.
std::string write_care_fund(const CareFundManifest& manifest, std::string_view list_csv);

}  // namespace veer

#pragma once

#include <map>
#include <string>

#include "daemon/config.h"
#include "daemon/database.h"

namespace veer {

/// What is to be proven.
struct EvidenceWish {
  int reference_year = 0;
  bool names = false;  ///< in the access report: who is in each group now, not the groups alone
  std::string sbom;    ///< CycloneDX of the program that runs
};

/// What an auditor is handed to verify a year's exchange without this program (article 6; Q37): by path in a
/// folder. No number of a person stands in it, and no digest of one. docs/evidence.md tells each file.
/// Throws U_STATE for a year of which nothing is known.
std::map<std::string, std::string> evidence_of(const Config& config, Database& books,
                                               const EvidenceWish& wish, const Clock& clock);

}  // namespace veer

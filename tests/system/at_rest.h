#pragma once

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/files.h"
#include "daemon/audit.h"
#include "daemon/database.h"
#include "support/canary.h"
#include "support/fictitious.h"
#include "support/installation.h"

namespace veer::test {

/// Of the list of fictitious numbers that is offered.
inline constexpr std::uint64_t kSeedOfList = 11;

/// What a list of so many numbers leaves behind, whatever happened on its way: recorded once, acknowledged
/// for the very bytes that were sent, both trails whole, and no number where none belongs.
inline void check_at_rest(const Installation& agencies, std::size_t numbers) {
  Database avsb("sqlite:" + (agencies.path("avsb") / "ledger.db").native());
  Database aii("sqlite:" + (agencies.path("aii") / "ledger.db").native());
  CHECK(avsb.query("SELECT id FROM list").size() == 1);
  CHECK(avsb.query_one("SELECT count(*) FROM inburgeringsplicht")->integer(0) ==
        static_cast<std::int64_t>(numbers));
  CHECK(aii.query("SELECT id FROM exchange WHERE stage = 'acknowledged'").size() == 1);
  CHECK(aii.query("SELECT id FROM exchange").size() == 1);
  const auto receipt = aii.query_one(
      "SELECT e.package_sha256, e.stem, r.json FROM receipt r JOIN exchange e ON e.id = r.exchange");
  REQUIRE(receipt);
  CHECK(receipt->text(0) ==
        sha256_hex(FileBlob(agencies.path("aii") / "spool" / (receipt->text(1) + ".pgp"))));
  CHECK(receipt->text(2).find(receipt->text(0)) != std::string::npos);
  CHECK(names_in(agencies.path("aii") / "spool").size() == 1);
  CHECK(names_in(agencies.path("drop")) == std::vector<std::string>{agencies.list_name() + ".result.txt"});
  CHECK(verify_audit(aii, "aii", {}).problems.empty());
  CHECK(verify_audit(avsb, "avsb", {}).problems.empty());
  CHECK(avsb.query("SELECT 1 FROM quarantine").empty());

  const auto all = fictitious_list(numbers, kSeedOfList);
  const std::vector<Insz> canaries = {all.front(), all[numbers / 2], all.back()};
  CHECK(files_holding(agencies.path(""), canaries, {agencies.path("avsb") / "ledger.db"}) ==
        std::vector<std::string>{});
}

}  // namespace veer::test

// Both agencies over one SharePoint site: set up, looked at, an exchange there and back.

#include <csignal>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("doctor names the link of the chain to a SharePoint site that fails, with the next step") {
  const Installation both("sharepoint");
  const ShellResult well = both.veer("aii", "doctor");
  INFO(well.output);
  CHECK(well.exit_code == 0);
  for (const char* link : {"certificate", "DNS", "clock", "tenant", "sign-in", "consent", "site", "library",
                           "folder to_avsb", "quota", "write", "publish once", "put in fragments"})
    CHECK(has(well.output, std::string("ok    share: ") + link));
  const std::string app = both.graph().options().apps.front().id;
  both.graph().consent(app, false);
  const ShellResult unknown = both.veer("aii", "doctor");
  CHECK(unknown.exit_code == 1);
  CHECK(has(unknown.output, "fail  share: consent: S_RIGHTS"));
  both.graph().consent(app, true);
  replace_line(both.config("aii"), "certificate ",
               "certificate = \"" + (both.path("aii") / "none.pem").native() + "\"");
  const ShellResult missing = both.veer("aii", "doctor");
  CHECK(missing.exit_code == 1);
  CHECK(has(missing.output, "C_CREDENTIAL: share.sharepoint.certificate:"));
}

TEST_CASE("a list that is dropped comes back as a receipt over SharePoint, and nothing secret is logged") {
  const Installation both("sharepoint");
  auto avsb = both.serve("avsb");
  auto aii = both.serve("aii");
  // Throttled on the way, as it happens.
  both.graph().fail_next({.call = GraphCall::put_content}, {.status = 429, .retry_after = 1});
  both.graph().fail_next({.call = GraphCall::download}, {.status = 503, .retry_after = 1});
  both.drop(both.list_name(), fictitious_csv(1000, 5));
  wait_until([&] { return has(both.note(both.list_name()), "Recorded at the receiver"); }, 60);
  CHECK(aii->end(SIGTERM) == 0);
  CHECK(avsb->end(SIGTERM) == 0);
  CHECK(both.graph().pending_faults() == 0);
  for (const char* party : {"aii", "avsb"}) {
    const std::string log = text_in(both.path(std::string(party) + ".log"));
    for (const char* secret : {"eyJ", "Bearer", "tempauth", "PRIVATE KEY"}) CHECK_FALSE(has(log, secret));
  }
}

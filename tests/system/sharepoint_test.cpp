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

TEST_CASE("the acceptance run tries a share with a large file, tells each step and leaves nothing") {
  const std::string kind = GENERATE(as<std::string>(), "sharepoint", "ftps", "sftp");
  CAPTURE(kind);
  const Installation both(kind);
  const ShellResult well = both.veer("aii", "doctor --share --write");
  INFO(well.output);
  CHECK(well.exit_code == 0);
  for (const char* step :
       {"put a large file", "list it", "fetch it whole", "fetch it in part", "refuse another under its name",
        "go on after a stop", "remove them", "leave nothing"})
    CHECK(has(well.output, std::string("ok    share: ") + step));
  CHECK_FALSE(has(well.output, "key ring"));
  CHECK(both.server().is_empty("to_avsb"));
  CHECK(both.server().is_empty("to_aii"));
  const nlohmann::json lines = json_of(both, "aii", "doctor --share --write");
  CHECK(std::count_if(lines.begin(), lines.end(), [](const nlohmann::json& line) {
          return line.at("finding") == "ok" && line.at("what") == "share: go on after a stop";
        }) == 1);
  if (kind != "sharepoint") return;
  CHECK(has(well.output, "go on after a stop: from byte "));
  // Both runs put it once, and began the one that is stopped once.
  const auto requests = both.graph().requests();
  CHECK(std::count_if(requests.begin(), requests.end(), [](const GraphRequest& request) {
          return request.content_range == "bytes 0-10485759/25165824";
        }) == 4);
  CHECK(both.graph().recycle_bin().empty());
  both.graph().fail_next({.call = GraphCall::fragment, .skip = 1}, {.status = 403}, 10);
  const ShellResult refused = both.veer("aii", "doctor --share --write");
  INFO(refused.output);
  CHECK(refused.exit_code == 1);
  CHECK(has(refused.output, "fail  share: put a large file: S_RIGHTS"));
  CHECK_FALSE(has(refused.output, "share: list it"));
  CHECK(both.server().is_empty("to_avsb"));
}

TEST_CASE("a look at an unchanged SharePoint folder is one request") {
  const Installation both("sharepoint");
  replace_line(both.config("avsb"), "poll ", "poll = \"1h\"");
  auto avsb = both.serve("avsb");
  // What it does at its start, and once an hour, is over.
  const std::string done =
      "sqlite3 -readonly " + (both.path("avsb") / "ledger.db").native() +
      " \"SELECT count(*) FROM chore WHERE name IN ('poll', 'tidy') AND last_done_at > 0\"";
  wait_until([&] { return shell(done + " 2>/dev/null").output == "2\n"; });
  both.graph().clear_requests();
  for (int i = 0; i < 5; ++i) CHECK(both.veer("avsb", "poll").exit_code == 0);
  CHECK(both.graph().count({.call = GraphCall::list}) == 5);
  CHECK(both.graph().requests().size() == 5);
  CHECK(avsb->end(SIGTERM) == 0);
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

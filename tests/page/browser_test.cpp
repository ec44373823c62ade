// The page in a real browser, in the states that a side can be in.

#include <filesystem>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "daemon/page.h"
#include "exchange/exchanging.h"
#include "support/shell.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Json = nlohmann::json;
using Names = std::vector<std::string>;

namespace {

/// Looks at pages in Chromium (look.mjs), at each width, in light and in dark; one line of JSON for each
/// look.
std::vector<Json> look_at(const Names& pages, const std::vector<int>& widths,
                          const std::filesystem::path& pictures) {
  const TempFolder home;
  write_file(home / "settings.json", Json{{"modules", VEER_PAGE_MODULES},
                                          {"browser", "/usr/bin/chromium"},
                                          {"pages", pages},
                                          {"widths", widths},
                                          {"folder", pictures}}
                                         .dump());
  const ShellResult result =
      shell(fmt::format("cd {0} && env HOME={0} LSAN_OPTIONS= node {1}/tests/page/look.mjs "
                        "settings.json 2>{0}/node.log",
                        home.path().native(), VEER_SOURCE_DIR));
  INFO(read_file(home / "node.log"));
  REQUIRE(result.exit_code == 0);
  std::vector<Json> looks;
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) looks.push_back(Json::parse(line));
  return looks;
}

Names written(Instance& side, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  Names files;
  for (const PageFile& page : pages_of(side)) {
    files.push_back(folder / page.name);
    write_file(files.back(), page.html);
  }
  return files;
}

void looks_good(Instance& side, const std::string& state) {
  const std::filesystem::path folder = std::filesystem::path(VEER_LOOKS) / state;
  const auto looks = look_at(written(side, folder), {320, 360, 1280}, folder);
  REQUIRE(looks.size() == 2 * 3 * 2);
  std::set<std::string> languages;
  for (const Json& seen : looks) {
    INFO(seen.dump(1));
    languages.insert(seen["lang"]);
    CHECK(seen["violations"].empty());
    CHECK(seen["unsure"].empty());
    CHECK(seen["rules"] > 10);
    CHECK(seen["said"].empty());
    CHECK(seen["requests"].empty());
    CHECK(seen["tooWide"] == false);
    // Its own style is allowed, and the reader's choice followed.
    CHECK(seen["background"] == (seen["colorScheme"] == "dark" ? "rgb(23, 24, 27)" : "rgb(255, 255, 255)"));
    CHECK(seen["focus"] == Json{{"element", "A"}, {"outline", "solid"}});
    CHECK(seen["stopped"] == 3);
    CHECK(seen["ran"] == false);
  }
  CHECK(languages == std::set<std::string>{"en", "nl"});
}

}  // namespace

TEST_CASE("a browser shows the page to everybody, asks for nothing, and lets nothing else in") {
  Exchanging e;
  Instance* aii = &e.pair.aii->instance;
  const Person operating{1001, "operator"};
  SECTION("of a side where nothing happened yet") { looks_good(*aii, "nothing-yet"); }
  SECTION("of both sides when a list is recorded") {
    e.exchange();
    aii->agenda.ask("rehearse", "", operating);
    e.pair.run_to_rest();
    looks_good(*aii, "sender-recorded");
    looks_good(e.pair.avsb->instance, "receiver-recorded");
  }
  SECTION("of a side that needs somebody for much at once") {
    e.pair.aii_config.intake.release = Release::always;
    e.pair.aii_config.window.list_due = std::chrono::March / 31;
    e.pair.start_aii();
    aii = &e.pair.aii->instance;
    e.exchange();
    REQUIRE(e.pair.sent().stage == Stage::held);
    e.pair.drop("a-list-by-another-name-that-is-as-long-as-some-people-name-their-files.csv",
                csv_of(e.numbers));
    e.pair.run_for(5min);
    e.pair.clock.advance(60 * 24h);
    aii->agenda.ask("suspend", "", operating);
    e.pair.run_for(25h);
    aii->db.transaction(
        [&] { aii->alerts.raise("host-key", AlertKind::finding, "S_HOST_KEY", "", "another host key"); });
    looks_good(*aii, "much-at-once");
  }
}

TEST_CASE("what is wrong with a page is found by the same looks") {
  const TempFolder folder;
  const std::string page = folder / "bad.html";
  write_file(page,
             "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>Bad</title></head><body "
             "style=\"width:2000px\">"
             "<p style=\"color:#bbb;background:#fff\">pale</p><img "
             "src=\"missing.png\"><script>console.log('said')</script>"
             "</body></html>");
  const auto looks = look_at({page}, {360}, folder.path());
  REQUIRE(looks.size() == 2);
  for (const Json& seen : looks) {
    INFO(seen.dump(1));
    const std::string violations = seen["violations"].dump();
    for (const char* rule : {"color-contrast", "html-has-lang", "image-alt"}) CHECK(has(violations, rule));
    CHECK(has(seen["said"].dump(), "said"));
    CHECK(seen["requests"].size() == 1);
    CHECK(seen["tooWide"] == true);
    CHECK(seen["stopped"] == 0);
    CHECK(seen["ran"] == true);
  }
}

// Metrics as Prometheus' own tool judges them: the file that a real service leaves, and the rules of the
// handbook.

#include <chrono>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "core/files.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using Names = std::set<std::string>;

namespace {

ShellResult promtool(const std::string& arguments) {
  return shell(std::string(VEER_PROMTOOL) + " " + arguments + " 2>&1");
}

/// Names and labels, without their values.
Names series_of(const std::string& text) {
  std::istringstream in(text);
  Names series;
  for (std::string line; std::getline(in, line);)
    if (!line.starts_with('#')) series.insert(line.substr(0, line.rfind(' ')));
  return series;
}

Names metrics_in(const std::string& text) {
  static const std::regex kName("veerdienst_[a-z_]+");
  return {std::sregex_token_iterator(text.begin(), text.end(), kName), std::sregex_token_iterator()};
}

std::string rules_of_the_handbook() {
  static constexpr std::string_view kBegin = "```yaml\n";
  const std::string page = read_file(fs::path(VEER_SOURCE_DIR) / "docs/metrics.md");
  const std::size_t begin = page.find(kBegin);
  REQUIRE(begin != std::string::npos);
  return page.substr(begin + kBegin.size(),
                     page.find("```\n", begin + kBegin.size()) - begin - kBegin.size());
}

}  // namespace

TEST_CASE("promtool finds nothing to say against the metrics that a running service writes") {
  const Installation both;
  const fs::path folder = both.path("collected");
  fs::create_directory(folder);
  for (const std::string party : {"aii", "avsb"})
    std::ofstream(both.config(party), std::ios::app)
        << "\n[metrics]\nfile = \"" << (folder / (party + ".prom")).native() << "\"\n";
  both.drop(both.list_name(), fictitious_csv(20, 4));
  for (const char* party : {"aii", "avsb", "aii"}) both.veer(party, "run --once");
  const std::string recorded = "reference_year=\"" + std::to_string(both.year()) + "\",revision=\"1\"} 20\n";
  for (const std::string party : {"aii", "avsb"}) {
    const fs::path file = folder / (party + ".prom");
    const std::string text = read_file(file);
    CAPTURE(text);
    CHECK(has(text, recorded));
    CHECK(has(text, "veerdienst_key_end_timestamp_seconds{party=\"" + party));
    const ShellResult judged = promtool("check metrics <" + file.native());
    CHECK(judged.output.empty());
    CHECK(judged.exit_code == 0);
    const ShellResult shown = both.veer(party, "metrics");
    CHECK(shown.exit_code == 0);
    CHECK(series_of(shown.output) == series_of(text));
  }
  std::ofstream(folder / "wrong.prom") << "veerdienst_wrong_total{party=\"aii\"} 1\n";
  CHECK(promtool("check metrics <" + (folder / "wrong.prom").native()).exit_code != 0);

  const auto service = both.serve("aii");
  const auto now = [&] { return fs::last_write_time(folder / "aii.prom"); };
  const auto before = now();
  wait_until([&] { return now() != before; });
  CHECK(service->end(SIGTERM) == 0);
}

TEST_CASE("the handbook's rules name metrics that exist, and each fires for what it is there for") {
  const TempFolder folder;
  const std::string rules = rules_of_the_handbook();
  write_file(folder / "rules.yml", rules);
  fs::copy_file(fs::path(VEER_TEST_DATA) / "metrics_rules.yml", folder / "tests.yml");
  const ShellResult checked = promtool("check rules " + (folder / "rules.yml").native());
  CAPTURE(checked.output);
  CHECK(checked.exit_code == 0);
  CHECK(has(checked.output, "SUCCESS: 9 rules found"));
  const ShellResult tested = promtool("test rules " + (folder / "tests.yml").native());
  CAPTURE(tested.output);
  CHECK(tested.exit_code == 0);
  CHECK(has(tested.output, "SUCCESS"));
  agencies().veer("aii", "run --once");
  const Names told = metrics_in(agencies().veer("aii", "metrics").output);
  CHECK(told.size() > 20);
  for (const std::string& name : metrics_in(rules)) {
    CAPTURE(name);
    CHECK(told.contains(name));
  }
}

// What a monitoring system is given: numbers of the books, in a file that is whole and in nobody's way.

#include "daemon/metrics.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/files.h"
#include "daemon/legal_basis.h"
#include "daemon/schema.h"
#include "exchange/exchanging.h"
#include "support/canary.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

const std::string kAii = R"(party="aii",role="sender",environment="test")";
const std::string kAvsb = R"(party="avsb",role="receiver",environment="test")";

Names lines_of(const std::string& text) {
  std::istringstream in(text);
  Names lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// Every sample by all that stands before its value; a sample that stands there twice fails the test.
std::map<std::string, double> samples_of(const std::string& text) {
  std::map<std::string, double> samples;
  for (const std::string& line : lines_of(text)) {
    if (line.starts_with('#')) continue;
    const std::size_t blank = line.rfind(' ');
    CAPTURE(line);
    REQUIRE(blank != std::string::npos);
    CHECK(samples.emplace(line.substr(0, blank), std::stod(line.substr(blank + 1))).second);
  }
  return samples;
}

double unix_time(Time time) { return static_cast<double>(to_millis(time)) / 1000; }

struct Measuring : Exchanging {
  Instance& aii() { return pair.aii->instance; }
  Instance& avsb() { return pair.avsb->instance; }
  double aii(const std::string& name, const std::string& labels = {}) {
    return value(metrics_of(aii()), name, kAii, labels);
  }
  double avsb(const std::string& name, const std::string& labels = {}) {
    return value(metrics_of(avsb()), name, kAvsb, labels);
  }

 private:
  static double value(const std::string& text, const std::string& name, const std::string& common,
                      const std::string& labels) {
    const auto samples = samples_of(text);
    const auto found =
        samples.find(fmt::format("veerdienst_{}{{{}{}}}", name, common, labels.empty() ? "" : "," + labels));
    CAPTURE(text, name, labels);
    REQUIRE(found != samples.end());
    return found->second;
  }
};

/// AII with a metrics file.
struct Collected : Measuring {
  fs::path file = folder.path() / "collected/veerdienst-aii.prom";

  Collected() {
    fs::create_directory(file.parent_path());
    pair.aii.reset();
    pair.aii_config.metrics_file = file;
    pair.start_aii();
  }
  double read_at() const {
    const auto samples = samples_of(read_file(file));
    return samples.at("veerdienst_metrics_timestamp_seconds{" + kAii + "}");
  }
};

}  // namespace

TEST_CASE(
    "after an exchange both sides' metrics tell its end, its size, how long it took and who was heard") {
  Measuring m;
  const double begin = unix_time(m.pair.clock.now());
  m.exchange();
  const double now = unix_time(m.pair.clock.now());
  const std::string list = R"(purpose="list")";
  CHECK(m.aii("exchanges", list + R"(,stage="acknowledged")") == 1);
  CHECK(m.aii("exchanges", list + R"(,stage="sent")") == 0);
  CHECK(m.avsb("exchanges", list + R"(,stage="answered")") == 1);
  CHECK(m.aii("list_numbers", R"(reference_year="2026",revision="1")") == 50);
  CHECK(m.avsb("list_numbers", R"(reference_year="2026",revision="1")") == 50);
  for (const double ended :
       {m.aii("last_exchange_timestamp_seconds", list), m.avsb("last_exchange_timestamp_seconds", list)}) {
    CHECK(ended > begin);
    CHECK(ended <= now);
  }
  CHECK(m.aii("last_exchange_duration_seconds", list) > 0);
  CHECK(m.aii("last_exchange_duration_seconds", list) < now - begin);
  CHECK(m.aii("heard_timestamp_seconds") == m.aii("last_exchange_timestamp_seconds", list));
  CHECK(m.aii("chore_done_timestamp_seconds", R"(chore="poll")") > now - 61);
  CHECK(m.avsb("chore_done_timestamp_seconds", R"(chore="tidy")") == begin);
  CHECK(m.aii("chore_failed_attempts", R"(chore="poll")") == 0);
  CHECK(m.aii("audit_records_total") == static_cast<double>(m.aii().audit.head().seq));
  CHECK(m.aii("audit_head_timestamp_seconds") > begin);
  CHECK(m.aii("metrics_timestamp_seconds") == now);
  CHECK(m.aii("build_info", fmt::format(R"(version="1.0.0",schema="{}")", kSchemaVersion)) == 1);
  CHECK_FALSE(has(metrics_of(m.aii()), "open_exchange_opened_timestamp_seconds{"));
  CHECK_FALSE(has(metrics_of(m.aii()), kListName));
  for (const std::string& text : {metrics_of(m.aii()), metrics_of(m.avsb())})
    CHECK_FALSE(holds_number(text, m.numbers));
}

TEST_CASE("an exchange that is not over is told with its age, its size and how often it failed") {
  Measuring m;
  m.pair.avsb.reset();
  m.pair.aii_share.fail_next(Verb::put, Code::s_unreachable);
  m.pair.drop(kListName, csv_of(m.numbers));
  m.pair.run_for(7s);
  const Exchange x = m.pair.sent();
  REQUIRE(x.wait.attempts > 0);
  const auto labels = [&](const std::string& stage) {
    return fmt::format(R"(exchange="{}",purpose="list",reference_year="2026",stage="{}")", x.id, stage);
  };
  CHECK(m.aii("open_exchange_failed_attempts", labels("sealed")) == static_cast<double>(x.wait.attempts));
  m.pair.run_to_rest();
  CHECK(m.aii("open_exchange_opened_timestamp_seconds", labels("sent")) == unix_time(x.opened_at));
  CHECK(m.aii("open_exchange_stage_timestamp_seconds", labels("sent")) ==
        unix_time(m.pair.sent().changed_at));
  CHECK(m.aii("open_exchange_package_bytes", labels("sent")) == static_cast<double>(x.package_size));
  CHECK(m.aii("open_exchange_failed_attempts", labels("sent")) == 0);
  m.pair.run_for(25h);
  CHECK(m.aii("open_alerts", R"(severity="attention",topic="receipt")") == 1);
  CHECK(m.aii("unacknowledged_alerts", R"(severity="attention")") == 1);
  m.aii().db.transaction([&] { m.aii().alerts.acknowledge(m.aii().alerts.open().at(0).id, "operator"); });
  CHECK(m.aii("open_alerts", R"(severity="attention",topic="receipt")") == 1);
  CHECK(m.aii("unacknowledged_alerts", R"(severity="attention")") == 0);
}

TEST_CASE("what waits for people is counted, and neither they nor their files are named") {
  Measuring m;
  m.pair.aii.reset();
  m.pair.aii_config.intake.release = Release::always;
  m.pair.start_aii();
  m.pair.drop(kListName, csv_of(m.numbers));
  m.pair.drop("inburgeringsplicht-2025.csv", "not a number\n");
  m.pair.run_to_rest();
  m.aii().agenda.ask("suspend", "", {1001, "somebody"});
  CHECK(m.aii("pending_commands") == 1);
  m.pair.run_for(1min);
  CHECK(m.aii("pending_commands") == 0);
  CHECK(m.aii("holds", R"(kind="list")") == 1);
  CHECK(m.aii("holds", R"(kind="package")") == 0);
  CHECK(m.aii("holds", R"(kind="suspension")") == 1);
  CHECK(m.aii("refused_files") == 1);
  for (const char* name : {"somebody", "inburgeringsplicht", "csv"})
    CHECK_FALSE(has(metrics_of(m.aii()), name));
}

TEST_CASE("the end of the last key that may be used is told for each side, and none that never ends") {
  Measuring m;
  CHECK_FALSE(has(metrics_of(m.aii()), "key_end_timestamp_seconds{"));
  const Time end = m.pair.clock.now() + 20 * 24h;
  m.pair.aii.reset();
  m.pair.aii_config.counterparty_keys.at(0).until = end;
  m.pair.start_aii();
  m.pair.run_for(1min);
  CHECK(m.aii("key_end_timestamp_seconds", R"(owner="avsb")") == unix_time(end));
  CHECK_FALSE(has(metrics_of(m.aii()), R"(owner="aii")"));
  m.pair.aii.reset();
  m.pair.aii_config.counterparty_keys.at(0).until.reset();
  m.pair.start_aii();
  m.pair.run_for(1min);
  CHECK_FALSE(has(metrics_of(m.aii()), "key_end_timestamp_seconds{"));
}

TEST_CASE("the ends of the way in, the transition and the legal basis are told, where there are any") {
  Measuring m;
  CHECK(m.aii("window_end_timestamp_seconds") ==
        unix_time(Time(std::chrono::sys_days(m.pair.aii_config.window.closes)) + 24h));
  for (const char* name : {"legal_basis_end_timestamp_seconds{", "way_in_end_timestamp_seconds{"})
    CHECK_FALSE(has(metrics_of(m.aii()), name));
  m.pair.aii.reset();
  Config production = m.pair.aii_config;
  make_production(production);
  m.pair.aii_config.legal_basis = production.legal_basis;
  const Time end = m.pair.clock.now() + 20 * 24h;
  SharePointShareConfig graph;
  graph.secret_ends = date_of(end);
  m.pair.aii_config.share.kind = graph;
  m.pair.start_aii();
  m.pair.run_for(1min);
  CHECK(m.aii("legal_basis_end_timestamp_seconds") ==
        unix_time(Time(std::chrono::sys_days(last_day(*m.pair.aii_config.legal_basis))) + 24h));
  CHECK(m.aii("way_in_end_timestamp_seconds") == unix_time(Time(std::chrono::sys_days(date_of(end))) + 24h));
}

TEST_CASE("a label holds whatever stands in the books, in one line") {
  Measuring m;
  m.aii().db.execute(
      "INSERT INTO alert (id, cause, kind, code, text, opened_at) VALUES (1, :cause, 'attention', '', '', 0)",
      {std::string("a\"b\\c\nd")});
  CHECK(m.aii("open_alerts", R"(severity="attention",topic="a\"b\\c\nd")") == 1);
}

TEST_CASE(
    "the metrics file is written when the books change and every minute, and not more often than it may") {
  Collected p;
  const double start = unix_time(p.pair.clock.now());
  p.pair.aii->run();
  CHECK(p.read_at() == start);
  struct stat status {};
  REQUIRE(stat(p.file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0644);
  CHECK(names_in(p.file.parent_path()) == Names{"veerdienst-aii.prom"});

  const auto look_after = [&](std::chrono::milliseconds time) {
    p.pair.clock.advance(time);
    p.aii().db.transaction([&] { p.aii().agenda.schedule(Chore::poll, p.pair.clock.now()); });
    p.pair.aii->run();
  };
  look_after(2s);
  CHECK(p.read_at() == start);
  CHECK(*p.pair.aii->engine.next_due() <= p.pair.clock.now() + 3s);
  p.pair.clock.advance(3s);
  p.pair.aii->run();
  CHECK(p.read_at() == start + 5);
  look_after(6s);
  CHECK(p.read_at() == start + 11);

  look_after(1s);
  CHECK(p.read_at() == start + 11);
  p.pair.aii.reset();  // who ends leaves what was last
  CHECK(p.read_at() == start + 12);
  p.pair.start_aii();

  // Nothing happens at a suspended side, and yet the file shows that its service lives.
  p.aii().agenda.ask("suspend", "", {1001, "operator"});
  p.pair.run_for(1h);
  CHECK(p.read_at() > unix_time(p.pair.clock.now()) - 61);
  p.pair.clock.set(from_millis(static_cast<std::int64_t>(start * 1000)));
  p.pair.aii->run();
  CHECK(p.read_at() == start);
}

TEST_CASE(
    "a metrics file that cannot be written is one alert, stops nothing, and is written when it can be") {
  Collected p;
  fs::remove_all(p.file.parent_path());
  p.exchange();
  CHECK(p.pair.sent().stage == Stage::acknowledged);
  CHECK(p.lists().count(kYear) == 50);
  CHECK(p.pair.open_alerts(*p.pair.aii) == Names{"attention L_IO"});
  const Alert alert = p.aii().alerts.open().at(0);
  CHECK(topic_of(alert) == "metrics");
  CHECK(has(alert.text, p.file.native()));
  CHECK(has(alert.text, "ReadWritePaths"));
  fs::create_directory(p.file.parent_path());
  p.pair.run_for(1min);
  CHECK(p.pair.open_alerts(*p.pair.aii).empty());
  CHECK(samples_of(read_file(p.file))
            .at("veerdienst_list_numbers{" + kAii + R"(,reference_year="2026",revision="1"})") == 50);
}

TEST_CASE("every metric is described, and nothing else is") {
  Measuring m;
  m.exchange();
  m.pair.avsb.reset();
  m.pair.aii->instance.agenda.ask("rehearse", "", {1001, "operator"});
  m.pair.run_for(25h);
  std::set<std::string> told;
  for (const std::string& line : lines_of(metrics_of(m.aii())))
    if (line.starts_with("# TYPE ")) told.insert(line.substr(7, line.rfind(' ') - 7));
  std::set<std::string> described;
  for (const std::string& line : lines_of(read_file(fs::path(VEER_SOURCE_DIR) / "docs/metrics.md")))
    if (line.starts_with("| `veerdienst_")) described.insert(line.substr(3, line.find('`', 3) - 3));
  CHECK(told == described);
}

// What a share, or others on it, make of listings, names and removals, against the real engine.

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/files.h"
#include "exchange/receiving.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("a share that forbids removal is survived without repeating answers for ever") {
  Receiving r;
  r.pair.avsb_share.forbid_remove(true);
  lay(r.pair, good_package(r.pair, r.numbers));
  r.receive();
  CHECK(r.answer() == "recorded");
  fs::remove(r.pair.root / "share/to_aii" / r.pair.to_aii().at(0));
  r.pair.run_for(std::chrono::hours(24));
  CHECK(r.answer() == "none");
  CHECK(r.recorded() == 20);
}

TEST_CASE("a share that pretends to remove is answered a few times and then left alone") {
  Receiving r;
  r.pair.avsb_share.pretend_to_remove(true);
  lay(r.pair, good_package(r.pair, r.numbers));
  r.receive();
  r.pair.run_for(std::chrono::hours(2));
  const auto puts = r.pair.avsb_share.calls(Verb::put);
  r.pair.run_for(std::chrono::hours(24));
  CHECK(r.pair.avsb_share.calls(Verb::put) == puts);
  CHECK(puts <= 6);
  CHECK(r.alerts() == Names{"attention S_PUBLISH"});
  r.pair.avsb_share.pretend_to_remove(false);
  for (const std::string& name : r.pair.to_avsb()) fs::remove(r.pair.root / "share/to_avsb" / name);
  r.pair.run_for(std::chrono::hours(2));
  CHECK(r.alerts().empty());
}

// Names and floods.

namespace {

void dismiss_first(Receiving& r) {
  r.avsb().agenda.ask("incident-dismiss", "1 a trial of the provider's", {1005, "officer"});
  r.pair.run_for(std::chrono::minutes(2));
  REQUIRE(r.avsb().alerts.incidents().find(1).verdict == veer::Verdict::dismissed);
}

}  // namespace

TEST_CASE("names that are not ours are counted once and never opened") {
  Receiving r;
  lay_bytes(r.pair, "readme.txt", "hello");
  lay_bytes(r.pair, "x\xff.pgp", "hello");
  lay_bytes(r.pair, ".half.part", "hello");
  r.receive();
  CHECK(r.alerts() == Names{"attention T_NAME"});
  const std::string text = r.avsb().alerts.open().at(0).text;
  CHECK(text.starts_with("2 file(s)"));
  CHECK(text.find("readme.txt") != std::string::npos);
  CHECK(text.find('\xff') == std::string::npos);
  CHECK(r.pair.avsb_share.calls(Verb::fetch) == 0);
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.alerts().size() == 1);
}

TEST_CASE(
    "Q27: names that lead out of the folder are a finding each, are shown harmlessly, and lead nowhere") {
  Receiving r;
  const std::string name = GENERATE(as<std::string>(), "../etc/passwd", "/etc/passwd", "..\\x.pgp", "..",
                                    "...", "x\x1b[31m.pgp", "x\n.pgp");
  CAPTURE(name);
  bool renamed = false;
  r.pair.avsb_share.on_list = [&](std::vector<ShareEntry> entries) {
    entries.push_back({renamed ? name + "/x" : name, 5, "1", {}});
    entries.push_back({std::string("a\0b", 3), 5, "1", {}});
    return entries;
  };
  lay(r.pair, good_package(r.pair, r.numbers));
  r.receive();
  renamed = true;
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.answer() == "recorded");
  CHECK(r.alerts() == Names(3, "finding T_NAME"));
  CHECK(r.avsb().alerts.incidents().all().size() == 3);
  for (const Alert& alert : r.avsb().alerts.open())
    CHECK(std::none_of(alert.text.begin(), alert.text.end(), [](char c) { return c >= 0 && c < ' '; }));
  CHECK(r.pair.avsb_share.calls(Verb::fetch) == 1);
}

TEST_CASE("Q27: another name that leads out of the folder is another attempt, whatever became of the first") {
  Receiving r;
  Names names = {"../first"};
  r.pair.avsb_share.on_list = [&](std::vector<ShareEntry> entries) {
    for (const std::string& name : names) entries.push_back({name, 5, "1", {}});
    return entries;
  };
  r.receive();
  Incidents& incidents = r.avsb().alerts.incidents();
  REQUIRE(incidents.all().size() == 1);
  dismiss_first(r);
  names = {"../second"};
  r.pair.run_for(std::chrono::hours(1));
  CHECK(incidents.all().size() == 2);
  CHECK(incidents.waiting().size() == 1);
  for (const Names& again : {Names{"../second", "../first"}, Names{}, Names{"../first"}}) {
    names = again;
    r.pair.run_for(std::chrono::hours(1));
    CHECK(incidents.all().size() == 2);
  }
  // A flood of them is no flood of incidents.
  for (int i = 0; i < 100; ++i) names.push_back("../x" + std::to_string(i));
  r.pair.run_for(std::chrono::hours(1));
  CHECK(incidents.all().size() == 21);
  CHECK(r.alerts() == Names(21, "finding T_NAME"));
  CHECK(r.avsb().alerts.is_open("names:tricks"));
}

TEST_CASE("what only the other side makes, in the folder that is ours to write, is told as folders swapped") {
  Receiving r;
  const Handmade made = good_package(r.pair, r.numbers);
  lay(r.pair, made);
  const auto from = r.pair.root / "share/to_avsb" / made.name;
  std::filesystem::rename(from, r.pair.root / "share/to_aii" / made.name);
  r.receive();
  CHECK(r.alerts() == Names{"attention T_NAME"});
  CHECK(r.avsb().alerts.open().at(0).text.find("wrong way round") != std::string::npos);
  std::filesystem::rename(r.pair.root / "share/to_aii" / made.name, from);
  r.pair.run_for(std::chrono::hours(25));
  CHECK(r.alerts().empty());
  CHECK(r.recorded() > 0);
}

TEST_CASE(
    "Q10: a package that somebody renamed on the share is recorded and acknowledged under its own name") {
  TempFolder folder{TempFolder::Place::in_memory};
  Pair pair(folder.path());
  pair.start();
  const auto numbers = fictitious_list(20, 3);
  pair.drop(kListName, csv_of(numbers));
  while (pair.to_avsb().empty() || is_part_name(pair.to_avsb()[0])) {
    pair.aii->run();
    pair.clock.advance(std::chrono::seconds(1));
  }
  const fs::path share = pair.root / "share/to_avsb";
  fs::rename(share / pair.sent().package, share / "vsb-inburgering-2025-r1_20260101000000000.pgp");
  pair.run_to_rest();
  CHECK(pair.sent().stage == Stage::acknowledged);
  CHECK(pair.avsb->instance.lists.count(kYear) == 20);
  CHECK(pair.open_alerts(*pair.avsb) == Names{"finding T_NAME"});
  CHECK(pair.open_alerts(*pair.aii).empty());
}

TEST_CASE("a listing that was cut is a finding, and what is seen of it is worked on") {
  Receiving r;
  r.pair.avsb_share.on_list = [](std::vector<ShareEntry> entries) {
    while (entries.size() < kMostEntries)
      entries.push_back({"junk" + std::to_string(entries.size()), 1, "1", {}});
    return entries;
  };
  lay(r.pair, good_package(r.pair, r.numbers));
  r.receive();
  CHECK(r.answer() == "recorded");
  CHECK(r.alerts() == Names{"attention T_NAME", "finding T_SIZE"});
}

TEST_CASE("Q27: a flood that comes after one that was dealt with is another finding") {
  Receiving r;
  bool flooded = true;
  r.pair.avsb_share.on_list = [&](std::vector<ShareEntry> entries) {
    while (flooded && entries.size() < kMostEntries)
      entries.push_back({"junk" + std::to_string(entries.size()), 1, "1", {}});
    return entries;
  };
  r.receive();
  flooded = false;
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(r.alerts() == Names{"finding T_SIZE"});
  flooded = true;
  dismiss_first(r);
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(r.avsb().alerts.incidents().all().size() == 1);
  flooded = false;
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(r.alerts().empty());
  flooded = true;
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(r.avsb().alerts.incidents().all().size() == 2);
}

TEST_CASE("bytes of equal size in the same second as those that were removed are taken all the same") {
  Receiving r;
  r.pair.avsb_share.coarsen_revisions();
  const Handmade made = good_package(r.pair, r.numbers);
  const std::string bytes = lay(r.pair, made);
  lay_bytes(r.pair, made.name, std::string(bytes.size(), '!'));
  r.receive();
  CHECK(r.answer() == "none");
  lay_bytes(r.pair, made.name, bytes);
  r.pair.run_to_rest();
  CHECK(r.answer() == "recorded");
}

TEST_CASE(
    "a file larger than allowed is a finding as long as it lies there, and is taken when it is allowed") {
  Receiving r;
  r.pair.avsb.reset();
  r.pair.avsb_config.share.package_cap = 100;
  r.pair.start_avsb();
  lay(r.pair, good_package(r.pair, r.numbers));
  r.receive();
  CHECK(r.alerts() == Names{"finding T_SIZE"});
  CHECK(r.pair.avsb_share.calls(Verb::fetch) == 0);

  const Alert told = r.avsb().alerts.open().at(0);
  CHECK(told.text.find("raise max_megabytes in [share]") != std::string::npos);
  r.avsb().db.transaction([&] { r.avsb().alerts.close(told.id, "officer"); });
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(r.alerts() == Names{"finding T_SIZE"});  // it lies there all the same
  CHECK(r.avsb().db.query("SELECT 1 FROM arrival").size() == 1);

  r.pair.avsb.reset();
  r.pair.avsb_config.share.package_cap = 1 << 20;
  r.pair.start_avsb();
  r.receive();
  CHECK(r.answer() == "recorded");
  CHECK(r.recorded() == 20);
  CHECK(r.alerts().empty());
  CHECK(verify_audit(r.avsb().db, "avsb", {}).problems.empty());
}

TEST_CASE("a finding about a file that was too large and has gone is closed for good") {
  Receiving r;
  r.pair.avsb.reset();
  r.pair.avsb_config.share.package_cap = 100;
  r.pair.start_avsb();
  const Handmade made = good_package(r.pair, r.numbers);
  lay(r.pair, made);
  r.receive();
  REQUIRE(std::filesystem::remove(r.pair.root / "share/to_avsb" / made.name));
  r.pair.run_for(std::chrono::minutes(2));
  REQUIRE(r.alerts() == Names{"finding T_SIZE"});
  r.avsb().db.transaction([&] { r.avsb().alerts.close(r.avsb().alerts.open().at(0).id, "officer"); });
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(r.alerts().empty());
}

TEST_CASE("foreign bytes under our receipt's name are a finding, and ours goes out under the next name") {
  Receiving r;
  const Handmade made = good_package(r.pair, r.numbers);
  const std::string stem = parse_file_name(made.name)->stem;
  write_file(r.pair.root / "share/to_aii" / (stem + ".recorded.tar"), "somebody else's");
  lay(r.pair, made);
  r.receive();
  r.pair.run_for(std::chrono::minutes(30));
  CHECK(r.alerts() == Names{"finding T_REPLAY"});
  CHECK(r.pair.to_aii() == Names{stem + "-2.recorded.tar", stem + ".recorded.tar"});
}

// Packages that quote lost history: they wait for an approver, who lets them pass or rejects them.

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/files.h"
#include "daemon/alert_texts.h"
#include "exchange/receiving.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("a package that quotes a receipt unknown here waits for an approver") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  made.manifest.previous_receipt_sha256 = std::string(64, 'a');
  lay(r.pair, made);
  r.receive();
  CHECK(r.answer() == "none");
  CHECK(r.recorded() == 0);
  CHECK(r.alerts() == Names{"attention F_HISTORY"});
  const Alert told = r.avsb().alerts.open().front();
  CHECK(topic_of(told) == "history");
  CHECK(message_of(told, {}, r.pair.avsb_config, r.pair.clock.now()).command ==
        "veer -i avsb approve " + made.name);
  const auto closing = r.avsb().agenda.ask("close-alert", std::to_string(told.id), {1001, "operator"});
  r.pair.run_to_rest();
  CHECK(r.avsb().agenda.result_of(closing).code == "U_STATE");
  CHECK(r.alerts() == Names{"attention F_HISTORY"});

  r.avsb().agenda.ask("approve", made.name + " " + r.avsb().ledger.last_arrival(made.name)->sha256,
                      {1001, "approver"});
  r.pair.run_to_rest();
  CHECK(r.answer() == "recorded");
  CHECK(r.alerts().empty());
}

TEST_CASE("a held package that comes a second time leaves nothing behind when it is let pass") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  made.manifest.previous_receipt_sha256 = std::string(64, 'a');
  const std::string bytes = lay(r.pair, made);
  r.receive();
  fs::remove(r.pair.root / "share/to_avsb" / made.name);
  lay_bytes(r.pair, file_name(parse_file_name(made.name)->stem, FileKind::package, 2), bytes);
  r.pair.run_to_rest();
  r.avsb().agenda.ask("approve", made.name + " " + r.avsb().ledger.last_arrival(made.name)->sha256,
                      {1001, "approver"});
  r.pair.run_to_rest();
  CHECK(r.answer() == "recorded");
  CHECK(r.avsb().ledger.open_arrivals().empty());
  CHECK(Pair::names(r.avsb().spool).empty());
}

TEST_CASE("a held package that came under two names is rejected under both") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  made.manifest.previous_receipt_sha256 = std::string(64, 'a');
  const std::string bytes = lay(r.pair, made);
  lay_bytes(r.pair, file_name(parse_file_name(made.name)->stem, FileKind::package, 2), bytes);
  r.receive();
  REQUIRE(r.avsb().ledger.open_arrivals().size() == 2);
  r.avsb().agenda.ask("reject", made.name, {1001, "approver"});
  r.pair.run_to_rest();
  CHECK(r.pair.to_avsb().empty());
  lay_bytes(r.pair, made.name, bytes);  // as a sender does that gets no receipt
  r.pair.run_to_rest();
  CHECK(r.recorded() == 0);
  CHECK(r.avsb().ledger.open_arrivals().empty());
  CHECK(r.alerts().empty());
  CHECK(r.pair.to_avsb().empty());
  CHECK(Pair::names(r.avsb().spool).empty());
}

TEST_CASE("a held package that its sender took back leaves nothing behind when it is let pass") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  made.manifest.previous_receipt_sha256 = std::string(64, 'a');
  lay(r.pair, made);
  r.receive();
  fs::remove(r.pair.root / "share/to_avsb" / made.name);
  r.avsb().agenda.ask("approve", made.name + " " + r.avsb().ledger.last_arrival(made.name)->sha256,
                      {1001, "approver"});
  r.pair.run_to_rest();
  CHECK(r.recorded() == 0);
  CHECK(r.alerts().empty());
  CHECK(r.avsb().ledger.open_arrivals().empty());
  CHECK(Pair::names(r.avsb().spool).empty());
}

// Every line of the failure table in docs/protocol.md, against the real engine.

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/files.h"
#include "exchange/receiving.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("a hand-made package that follows the format is recorded and answered") {
  Receiving r;
  lay(r.pair, good_package(r.pair, r.numbers));
  r.receive();
  CHECK(r.answer() == "recorded");
  CHECK(r.recorded() == 20);
}

// Cannot be authenticated; meant for somebody else; known exchange with other bytes: quarantine, finding, no
// answer.

TEST_CASE("bytes that cannot be authenticated are set aside with one finding, and not answered") {
  Receiving r;
  const Handmade made = good_package(r.pair, r.numbers);
  std::string bytes = lay(r.pair, made);
  SECTION("changed") { bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1); }
  SECTION("cut short") { bytes.resize(bytes.size() / 2); }
  SECTION("not ours at all") { bytes = "hello"; }
  SECTION("empty") { bytes.clear(); }
  lay_bytes(r.pair, made.name, bytes);
  r.receive();
  CHECK(r.answer() == "none");
  CHECK(r.recorded() == 0);
  REQUIRE(r.alerts().size() == 1);
  CHECK(r.alerts()[0].starts_with("finding T_"));
  CHECK(Pair::names(r.avsb().quarantine) == Names{sha256_hex(bytes)});
  CHECK(r.pair.to_avsb().empty());

  // The same bytes again are nothing new; the good ones still complete the exchange.
  lay_bytes(r.pair, made.name, bytes);
  r.pair.run_to_rest();
  CHECK(r.alerts().size() == 1);
  lay(r.pair, made);
  r.pair.run_to_rest();
  CHECK(r.answer() == "recorded");
}

TEST_CASE("what an unknown key signed is accepted once that key is pinned, and the same bytes come again") {
  Receiving r;
  const std::vector<PinnedKey> renewed = {{"C33C33C33C33C33C33C33C33C33C33C33C33C33C", {}, {}}};
  FakeSeal seal(renewed, r.pair.aii_config.counterparty_keys, r.pair.clock);
  Handmade made = good_package(r.pair, r.numbers);
  made.manifest.sender.key = renewed[0].fingerprint;
  const std::string bytes = lay(r.pair, made, &seal);
  r.receive();
  CHECK(r.alerts() == Names{"finding T_SIGNER"});
  r.pair.avsb.reset();
  r.pair.avsb_config.counterparty_keys.push_back(renewed[0]);
  r.pair.avsb_seal = std::make_unique<FakeSeal>(r.pair.avsb_config.own_keys,
                                                r.pair.avsb_config.counterparty_keys, r.pair.clock);
  r.pair.start_avsb();
  lay_bytes(r.pair, made.name, bytes);
  r.pair.run_to_rest();
  CHECK(r.answer() == "recorded");
  CHECK(r.avsb().ledger.quarantined() == 0);
}

TEST_CASE("what was set aside for how this side was configured is judged afresh when it comes again") {
  Receiving r;
  const Handmade made = good_package(r.pair, r.numbers);
  const std::string bytes = lay(r.pair, made);
  r.pair.aii.reset();
  r.pair.avsb.reset();
  r.pair.avsb_config.party = "asvb";
  r.pair.start_avsb();
  r.pair.run_to_rest();
  CHECK(r.alerts() == Names{"finding F_PARTY"});
  r.pair.avsb.reset();
  r.pair.avsb_config.party = "avsb";
  r.pair.start_avsb();
  lay_bytes(r.pair, made.name, bytes);
  r.pair.run_to_rest();
  CHECK(r.answer() == "recorded");
}

TEST_CASE("bytes that come again after their finding was closed are a finding anew") {
  Receiving r;
  const std::string name = good_package(r.pair, r.numbers).name;
  lay_bytes(r.pair, name, "hello");
  r.receive();
  const auto close = [&] {
    r.avsb().agenda.ask("close-alert", std::to_string(r.avsb().alerts.open().at(0).id), {1005, "officer"});
    r.pair.run_to_rest();
    REQUIRE(r.alerts().empty());
  };
  close();
  lay_bytes(r.pair, name, "hello");
  r.pair.run_to_rest();
  CHECK(r.alerts().size() == 1);
  CHECK(r.avsb().alerts.incidents().all().size() == 2);
  CHECK(r.avsb().ledger.quarantined() == 1);
}

TEST_CASE("a package that its sender took back while it waited here is not recorded") {
  Receiving r;
  const Time now = r.pair.clock.now();
  const Handmade first = good_package(r.pair, r.numbers);
  lay(r.pair, first);
  r.pair.aii.reset();
  r.pair.clock.set(now - std::chrono::days(30));
  r.pair.avsb.reset();
  r.pair.start_avsb();
  r.pair.run_for(std::chrono::minutes(2));
  REQUIRE(r.alerts() == Names{"attention L_CLOCK"});
  fs::remove(r.pair.root / "share/to_avsb" / first.name);
  r.pair.clock.set(now + std::chrono::minutes(1));
  Handmade second = good_package(r.pair, fictitious_list(30, 9));
  second.name = file_name(make_stem(Purpose::list, kYear, 1, r.pair.clock.now()), FileKind::package);
  lay(r.pair, second);
  r.pair.run_to_rest();
  CHECK(r.answer() == "recorded");
  CHECK(r.recorded() == 30);
  CHECK(r.alerts().empty());
  CHECK(r.avsb().ledger.open_arrivals().empty());
  CHECK(Pair::names(r.avsb().spool).empty());
}

TEST_CASE("a known exchange in a package for another environment is a replay all the same") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  lay(r.pair, made);
  r.receive();
  made.manifest.environment = "production";
  r.pair.clock.advance(std::chrono::seconds(1));
  made.name = file_name(make_stem(Purpose::list, kYear, 1, r.pair.clock.now()), FileKind::package);
  lay(r.pair, made);
  r.pair.run_to_rest();
  CHECK(r.alerts() == Names{"finding T_REPLAY"});
}

TEST_CASE("a file that cannot be fetched for a while is fetched when it can be, however often that failed") {
  Receiving r;
  r.pair.aii.reset();
  r.pair.avsb_share.fail_next(Verb::fetch, Code::s_not_found);
  lay(r.pair, good_package(r.pair, r.numbers));
  for (int i = 0; i < 12; ++i) {
    r.pair.run_for(std::chrono::minutes(16));
    if (r.recorded() == 0)
      r.pair.avsb_share.fail_next(Verb::fetch, i % 2 == 0 ? Code::s_changed : Code::s_not_found);
  }
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.answer() == "recorded");
}

TEST_CASE("a file that changes whenever it is fetched is told of, and is not fetched without end") {
  Receiving r;
  r.pair.aii.reset();
  int look = 0;
  lay(r.pair, good_package(r.pair, r.numbers));
  r.pair.avsb_share.on_list = [&](std::vector<ShareEntry> entries) {
    for (ShareEntry& entry : entries) entry.revision += std::to_string(++look);
    return entries;
  };
  r.pair.run_for(std::chrono::minutes(30));
  CHECK(r.alerts() == Names{"attention S_CHANGED"});
  CHECK(r.pair.avsb_share.calls(Verb::fetch) < 30 * 5);  // a few tries a look
}

TEST_CASE("our key may change between recording and signing: the receipt names the key that signs it") {
  Receiving r;
  lay(r.pair, good_package(r.pair, r.numbers));
  r.pair.avsb_share.fail_next(Verb::put, Code::s_unreachable);
  while (r.avsb().ledger.exchanges().empty()) r.pair.avsb->engine.run_one({});
  REQUIRE(r.avsb().ledger.receipt_of(r.avsb().ledger.exchanges()[0].id)->signature.empty());
  r.pair.avsb.reset();
  const std::string renewed = "D44D44D44D44D44D44D44D44D44D44D44D44D44D";
  r.pair.avsb_config.own_keys = {{renewed, {}, {}}};
  r.pair.avsb_seal = std::make_unique<FakeSeal>(r.pair.avsb_config.own_keys,
                                                r.pair.avsb_config.counterparty_keys, r.pair.clock);
  r.pair.start_avsb();
  r.receive();
  const auto receipt = r.avsb().ledger.receipt_of(r.avsb().ledger.exchanges()[0].id).value();
  CHECK(parse_receipt(receipt.json).receiver.key == renewed);
  CHECK(r.answer() == "recorded");
}

TEST_CASE("when the quarantine is full, what is set aside stays on the share, and the finding says so") {
  Receiving r;
  r.pair.aii.reset();
  for (int i = 0; i < 64; ++i) write_file(r.avsb().quarantine / std::to_string(i), "x");
  const Handmade made = good_package(r.pair, r.numbers);
  lay_bytes(r.pair, made.name, "hello");
  r.pair.run_to_rest();
  CHECK(r.pair.to_avsb() == Names{made.name});
  CHECK(r.avsb().alerts.open().at(0).text.find("stays on the share") != std::string::npos);
  const auto fetches = r.pair.avsb_share.calls(Verb::fetch);
  r.pair.run_for(std::chrono::hours(2));
  CHECK(r.pair.avsb_share.calls(Verb::fetch) == fetches);
}

TEST_CASE("of many files that come at once one is fetched and read before the next") {
  Receiving r;
  r.pair.aii.reset();
  for (int i = 0; i < 20; ++i) {
    r.pair.clock.advance(std::chrono::seconds(1));
    lay_bytes(r.pair, good_package(r.pair, r.numbers).name, "junk " + std::to_string(i));
  }
  std::size_t most = 0;
  while (r.pair.avsb->engine.run_one({})) most = std::max(most, Pair::names(r.avsb().spool).size());
  CHECK(most == 1);
  CHECK(r.avsb().ledger.quarantined() == 20);
}

TEST_CASE("a package signed by a key that is not pinned is set aside") {
  Receiving r;
  const std::vector<PinnedKey> stranger = {{"C33C33C33C33C33C33C33C33C33C33C33C33C33C", {}, {}}};
  FakeSeal seal(stranger, r.pair.aii_config.counterparty_keys, r.pair.clock);
  lay(r.pair, good_package(r.pair, r.numbers), &seal);
  r.receive();
  CHECK(r.answer() == "none");
  CHECK(r.alerts() == Names{"finding T_SIGNER"});
}

TEST_CASE("an authentic package that is meant for somebody else is set aside") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  SECTION("another receiving party") { made.manifest.receiver.party = "other"; }
  SECTION("another receiving key") { made.manifest.receiver.key = std::string(40, 'D'); }
  SECTION("another sending party") { made.manifest.sender.party = "other"; }
  SECTION("another sending key") { made.manifest.sender.key = std::string(40, 'D'); }
  lay(r.pair, made);
  r.receive();
  CHECK(r.answer() == "none");
  CHECK(r.alerts() == Names{"finding F_PARTY"});
  CHECK(r.recorded() == 0);
}

TEST_CASE("a known exchange with other bytes is set aside as a replay and changes nothing") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  lay(r.pair, made);
  r.receive();
  made.list = write_package_list(fictitious_list(30, 9));
  made.manifest.records = 30;
  made.manifest.list_sha256 = sha256_hex(made.list);
  r.pair.clock.advance(std::chrono::seconds(1));
  made.name = file_name(make_stem(Purpose::list, kYear, 1, r.pair.clock.now()), FileKind::package);
  lay(r.pair, made);
  r.pair.run_to_rest();
  CHECK(r.recorded() == 20);
  CHECK(r.alerts() == Names{"finding T_REPLAY"});
}

TEST_CASE(
    "a fetch that was resumed and fails is fetched once more from the start before anything is concluded") {
  Receiving r;
  lay(r.pair, good_package(r.pair, r.numbers));
  r.pair.aii.reset();
  r.pair.avsb_share.cut_next_fetch(40);
  r.pair.run_for(std::chrono::milliseconds(1));
  const auto arrival = r.avsb().ledger.open_arrivals().at(0);
  write_file(r.avsb().fetched_file(arrival), std::string(40, '!'));  // what lay half written was lost
  r.pair.run_to_rest();
  CHECK(r.answer() == "recorded");
  CHECK(r.alerts().empty());
}

TEST_CASE("a package that a person rejects leaves the share, also when it was fetched in pieces") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  made.manifest.previous_receipt_sha256 = std::string(64, 'a');  // of a history that this side has not
  lay(r.pair, made);
  r.pair.aii.reset();
  r.pair.avsb_share.cut_next_fetch(40);
  r.pair.run_for(std::chrono::hours(1));
  REQUIRE(r.avsb().ledger.last_arrival(made.name)->resumed);
  REQUIRE(r.alerts() == Names{"attention F_HISTORY"});
  r.avsb().agenda.ask("reject", made.name, {1005, "approver"});
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.pair.to_avsb().empty());
}

TEST_CASE("a share that breaks each fetch off keeps bad bytes from being judged no longer than a few times") {
  Receiving r;
  const Handmade made = good_package(r.pair, r.numbers);
  lay(r.pair, made);
  const std::filesystem::path file = r.pair.root / "share/to_avsb" / made.name;
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] ^= 1;
  write_file(file, bytes);
  r.pair.aii.reset();
  r.pair.avsb_share.cut_each_fetch(40);
  r.pair.run_for(std::chrono::hours(6));
  CHECK(r.alerts() == Names{"finding T_INTEGRITY"});
  CHECK(r.pair.to_avsb().size() == 1);  // it may be good where it lies
  CHECK(r.pair.avsb_share.calls(Verb::fetch) < 30);
  r.pair.run_for(std::chrono::hours(6));
  CHECK(r.pair.avsb_share.calls(Verb::fetch) < 30);
}

// Key expired, clock implausible: the operator's, nothing destroyed, tried again.

TEST_CASE("an expired key of the sender stops this route only until it is put right") {
  Receiving r;
  r.pair.avsb.reset();
  r.pair.avsb_config.counterparty_keys[0].until = r.pair.clock.now() - std::chrono::hours(1);
  r.pair.avsb_seal = std::make_unique<FakeSeal>(r.pair.avsb_config.own_keys,
                                                r.pair.avsb_config.counterparty_keys, r.pair.clock);
  r.pair.start_avsb();
  lay(r.pair, good_package(r.pair, r.numbers));
  r.receive();
  CHECK(r.alerts() == Names{"attention KEY_1", "attention T_KEY_EXPIRED"});
  CHECK(r.pair.to_avsb().size() == 1);
  CHECK(r.recorded() == 0);

  r.pair.avsb.reset();
  r.pair.avsb_config.counterparty_keys[0].until.reset();
  r.pair.avsb_seal = std::make_unique<FakeSeal>(r.pair.avsb_config.own_keys,
                                                r.pair.avsb_config.counterparty_keys, r.pair.clock);
  r.pair.start_avsb();
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.answer() == "recorded");
  CHECK(r.alerts().empty());
}

TEST_CASE("a clock that stands before the signature is the operator's matter, and the package is kept") {
  Receiving r;
  lay(r.pair, good_package(r.pair, r.numbers));
  const Time now = r.pair.clock.now();
  r.pair.clock.set(now - std::chrono::days(3650));
  r.pair.aii.reset();
  r.pair.avsb.reset();
  r.pair.start_avsb();
  r.pair.run_for(std::chrono::minutes(2));
  CHECK(r.alerts() == Names{"attention L_CLOCK"});
  CHECK(r.pair.to_avsb().size() == 1);
  r.pair.clock.set(now + std::chrono::hours(1));
  r.pair.run_for(std::chrono::hours(1));
  CHECK(r.answer() == "recorded");
  CHECK(r.alerts().empty());
}

TEST_CASE(
    "a sender that has not seen a receipt that was there for long is told of, and the exchange goes on") {
  for (const auto& [later, alerts] : {std::pair{std::chrono::minutes(50), Names{}},
                                      std::pair{std::chrono::minutes(90), Names{"attention F_HISTORY"}}}) {
    CAPTURE(later.count());
    Receiving r;
    lay(r.pair, good_package(r.pair, r.numbers));
    r.receive();
    r.pair.clock.advance(later);
    Handmade made = good_package(r.pair, r.numbers);
    made.manifest.reference_date = Date(std::chrono::year(2025), std::chrono::January, std::chrono::day(1));
    made.name = file_name(make_stem(Purpose::list, 2025, 1, made.manifest.sealed_at), FileKind::package);
    lay(r.pair, made);
    r.pair.run_to_rest();
    CHECK(r.avsb().lists.count(2025) == 20);
    CHECK(r.alerts() == alerts);
  }
}

// Authentic, but breaks a rule: refused, with all reasons.

TEST_CASE("an authentic package of a year that no name can bear is refused") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  SECTION("a list") {}
  SECTION("a rehearsal") { made.manifest.purpose = Purpose::rehearsal; }
  made.archive = [](const Manifest& manifest, const std::string& list) {
    std::string bytes = write_package(manifest, list);
    bytes.replace(bytes.find("2026-01-01"), 10, "0226-01-01");
    return bytes;
  };
  lay(r.pair, made);
  r.receive();
  CHECK(r.answer() == "refused F_MANIFEST=1");
}

TEST_CASE("an authentic package that cannot be read is refused as what its name says that it is") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  made.archive = [](const Manifest&, const std::string&) { return std::string("not an archive"); };
  const bool list = GENERATE(true, false);
  made.name =
      file_name(make_stem(list ? Purpose::list : Purpose::rehearsal, kYear, list ? 2 : 1, r.pair.clock.now()),
                FileKind::package);
  lay(r.pair, made);
  r.receive();
  REQUIRE(r.answer() == "refused F_ARCHIVE=1");
  const Exchange x = r.avsb().ledger.exchanges().at(0);
  CHECK(x.package == made.name);
  CHECK(x.reference_year == kYear);
  CHECK(x.revision == (list ? 2 : 1));
  CHECK((x.purpose == Purpose::list) == list);
}

TEST_CASE("an authentic package that breaks a rule is refused with a receipt that says why") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  std::string expected;
  SECTION("the archive") {
    made.archive = [](const Manifest&, const std::string&) { return std::string("not an archive"); };
    expected = "refused F_ARCHIVE=1";
  }
  SECTION("a third member") {
    made.archive = [](const Manifest& m, const std::string& list) {
      std::string archive = write_package(m, list);
      const std::string member = archive.substr(0, 512 + 512 * ((manifest_json(m).size() + 511) / 512));
      return archive.substr(0, archive.size() - 1024) + member + std::string(1024, '\0');
    };
    expected = "refused F_ARCHIVE=1";
  }
  SECTION("the manifest") {
    made.archive = [](const Manifest& m, const std::string& list) {
      std::string archive = write_package(m, list);
      archive.replace(archive.find("\"records\""), 9, "\"rekords\"");
      return archive;
    };
    expected = "refused F_MANIFEST=1";
  }
  SECTION("environment") {
    made.manifest.environment = "production";
    expected = "refused F_ENVIRONMENT=1";
  }
  SECTION("Q07: window") {
    made.manifest.reference_date = Date(std::chrono::year(2031), std::chrono::January, std::chrono::day(1));
    expected = "refused F_WINDOW=1";
  }
  SECTION("Q02: reference date") {
    made.manifest.reference_date = Date(std::chrono::year(2026), std::chrono::February, std::chrono::day(1));
    expected = "refused F_REFERENCE_DATE=1";
  }
  SECTION("revision") {
    made.manifest.revision = 2;
    made.manifest.supersedes = made.manifest.exchange;
    expected = "refused F_REVISION=1";
  }
  SECTION("count") {
    made.manifest.records = 21;
    expected = "refused F_COUNT=1";
  }
  SECTION("digest") {
    made.manifest.list_sha256 = std::string(64, '0');
    expected = "refused F_DIGEST=1";
  }
  SECTION("Q01: more than numbers") {
    made.list = "insz;naam\n" + digits_of(r.numbers[0]) + ";iemand\n";
    expected = "refused F_EXTRA_DATA=1";
  }
  SECTION("records: all are counted") {
    made.list = "insz\n05070999752\n05070999753\n85130999727\n";
    made.manifest.records = 3;
    made.manifest.list_sha256 = sha256_hex(made.list);
    expected = "refused R_CHECK=2 R_MONTH=1";
  }
  SECTION("a record twice") {
    made.list = "insz\n" + digits_of(r.numbers[0]) + "\n" + digits_of(r.numbers[0]) + "\n";
    made.manifest.records = 2;
    made.manifest.list_sha256 = sha256_hex(made.list);
    expected = "refused R_DUPLICATE=1";
  }
  lay(r.pair, made);
  r.receive();
  CHECK(r.answer() == expected);
  CHECK(r.recorded() == 0);
  CHECK(r.avsb().db.query("SELECT 1 FROM entry").empty());
  CHECK(r.pair.to_avsb().empty());
}

TEST_CASE(
    "Q04: after one list is recorded, a second first revision is refused, naming the recorded exchange") {
  Receiving r;
  const Handmade first = good_package(r.pair, r.numbers);
  lay(r.pair, first);
  r.receive();
  fs::remove_all(r.pair.root / "share/to_aii");
  fs::create_directories(r.pair.root / "share/to_aii");
  r.pair.clock.advance(std::chrono::hours(1));
  lay(r.pair, good_package(r.pair, fictitious_list(25, 8)));
  r.pair.run_to_rest();
  // It does not know what is recorded, and so that receipt comes again too.
  CHECK(r.pair.to_aii().size() == 2);
  CHECK(r.answer() == "recorded");
  fs::remove(r.pair.root / "share/to_aii" / r.pair.to_aii().at(0));
  CHECK(r.answer() == "refused F_SECOND_LIST=1");
  const auto text =
      read_receipt_archive(read_file(r.pair.root / "share/to_aii" / r.pair.to_aii().at(0))).json;
  CHECK(text.find(first.manifest.exchange) != std::string::npos);
  CHECK(r.recorded() == 20);
  // Nobody is told that nothing is recorded for this year.
  std::vector<std::string> topics;
  for (const Alert& alert : r.avsb().alerts.open()) topics.push_back(topic_of(alert));
  CHECK(topics == Names{"receipts-unseen", "second-list"});
}

TEST_CASE("a sender that has seen none of several answers is told of, and gets the next one") {
  Receiving r;
  for (int i = 0; i < 3; ++i) {
    lay(r.pair, good_package(r.pair, fictitious_list(20, 5 + i)));
    r.receive();
    r.pair.clock.advance(std::chrono::hours(2));
  }
  std::vector<std::string> codes;
  for (const Exchange& x : r.avsb().ledger.exchanges()) codes.emplace_back(stage_name(x.stage));
  CHECK(codes == Names{"answered", "answered", "answered"});
  std::vector<std::string> topics;
  for (const Alert& alert : r.avsb().alerts.open()) topics.push_back(topic_of(alert));
  CHECK(std::find(topics.begin(), topics.end(), "receipts-unseen") != topics.end());
}

// Repeats.

TEST_CASE(
    "known bytes that appear again get the stored answer again, byte for byte, once for each appearance") {
  Receiving r;
  const Handmade made = good_package(r.pair, r.numbers);
  const std::string bytes = lay(r.pair, made);
  r.receive();
  const fs::path answer = r.pair.root / "share/to_aii" / r.pair.to_aii().at(0);
  const std::string first = read_file(answer);
  fs::remove(answer);
  r.pair.run_to_rest();
  CHECK(r.answer() == "none");
  lay_bytes(r.pair, made.name, bytes);
  r.pair.run_to_rest();
  CHECK(read_file(answer) == first);
  CHECK(r.recorded() == 20);
  CHECK(r.alerts().empty());
}

TEST_CASE("a rehearsal is checked and answered, and never in the register") {
  Receiving r;
  Handmade made = good_package(r.pair, r.numbers);
  made.manifest.purpose = Purpose::rehearsal;
  made.name = file_name(make_stem(Purpose::rehearsal, kYear, 1, r.pair.clock.now()), FileKind::package);
  lay(r.pair, made);
  r.receive();
  CHECK(r.answer() == "rehearsed");
  CHECK(r.recorded() == 0);
  CHECK(r.avsb().db.query("SELECT 1 FROM entry").empty());
}

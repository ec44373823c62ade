// What works when (docs/operations.md): by the window and by the record of a legal basis, row by row.

#include <functional>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/files.h"
#include "daemon/case_letters.h"
#include "exchange/asking.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;

namespace {

Time at(const char* time) { return parse_time(time).value(); }
Date day(const char* text) { return parse_date(text).value(); }

/// Both sides in production, with windows and records as a test wants them; whoever runs it may do
/// everything.
struct Production : Exchanging {
  Production() {
    pair.aii.reset();
    pair.avsb.reset();
    for (Config* config : {&pair.aii_config, &pair.avsb_config}) {
      fs::remove_all(config->state);
      make_production(*config);
    }
    pair.start();
  }
  Instance& aii() { return pair.aii->instance; }
  Instance& avsb() { return pair.avsb->instance; }
  void both(const std::function<void(Config&)>& change) {
    change(pair.aii_config);
    change(pair.avsb_config);
    pair.start();
  }
  static void without_basis(Config& config) { config.legal_basis->valid_until = day("2026-03-01"); }

  std::int64_t asked(const std::string& verb, const std::string& argument, const Person& who = kOperator) {
    const auto id = aii().agenda.ask(verb, argument, who);
    pair.run_for(10min);
    return id;
  }
  CommandResult told(const std::string& verb, const std::string& argument, const Person& who = kOperator) {
    return aii().agenda.result_of(asked(verb, argument, who));
  }
  /// Offered by one and released by another; as far as it gets.
  Exchange send(const std::string& verb = "send") {
    const fs::path file = folder / kListName;
    write_file(file, csv_of(numbers));
    const CommandResult offered = told(verb, file);
    INFO(offered.text);
    REQUIRE(offered.stage == CommandStage::done);
    REQUIRE(pair.sent().stage == Stage::held);
    return release();
  }
  Exchange release() {
    told("approve", Approval{pair.sent().id, pair.sent().package_sha256, 0}.text(), approver());
    return pair.sent();
  }
  Person approver() {
    const Person daemon = person_of(1);
    pair.aii_config.access.approvers = {"daemon"};  // on every Debian, and so is its user of that number
    if (aii().config.access.approvers != pair.aii_config.access.approvers) pair.start_aii();
    return daemon;
  }
  std::string code_of(const std::string& verb) {
    write_file(folder / kListName, csv_of(numbers));
    return told(verb, folder / kListName).code;
  }
  static const Person kOperator;
};
const Person Production::kOperator{1001, "operator"};

/// The list of 2026 is recorded at AVSB, which may hand it over and deliver it to a care fund.
struct Receiving : Production {
  const std::string person = digits_of(numbers[3]);

  Receiving() {
    fs::create_directory(folder / "exports");
    fs::create_directory(folder / "fund");
    Recipient fund{"alfa", {{std::string(40, '1'), {}, {}}}, {}};
    fund.share.kind = FolderShareConfig{folder / "fund", folder / "fund"};
    pair.avsb_config.export_to.folder = folder / "exports";
    pair.avsb_config.distribution = {.recipients = {fund}, .members_at_least = 1};
    pair.avsb_config.access.approvers = {"daemon"};
    pair.start_avsb();
    REQUIRE(send().stage == Stage::acknowledged);
    avsb().db.transaction(
        [&] { avsb().alerts.raise("bytes:x", AlertKind::finding, "T_INTEGRITY", "", "A trial."); });
  }
  /// What AVSB answers, or the code of what was wrong.
  std::string answered(const std::string& verb, const std::string& argument, Fd file = Fd(),
                       const Person& who = kOperator) {
    const auto id = avsb().agenda.ask(verb, argument, who);
    if (file) avsb().files.put(id, std::move(file));
    pair.run_for(10min);
    const CommandResult result = avsb().agenda.result_of(id);
    REQUIRE(result.stage != CommandStage::pending);
    return result.stage == CommandStage::failed ? result.code : result.text;
  }
  std::string distributed() {
    avsb().open_seal = [this](const std::vector<PinnedKey>& recipient) {
      return std::make_unique<FakeSeal>(pair.avsb_config.own_keys, recipient, pair.clock);
    };
    write_file(folder / "members", fmt::format("zorgkas;insz\nalfa;{}\neinde;1\n", person));
    return answered("distribute",
                    fmt::format("{} ledenbestand-{}.csv", kYear, format_date(date_of(pair.clock.now()))),
                    Fd(open((folder / "members").c_str(), O_RDONLY | O_CLOEXEC)));
  }
  std::string released(HoldKind kind, const std::string& subject) {
    const std::string digest = avsb().holds.find(kind, subject).value().digest;
    return answered("approve", Approval{subject, digest}.text(), Fd(), person_of(1));
  }
};

}  // namespace

TEST_CASE("Q13: what works when, by window and legal basis, on both sides") {
  Production p;
  SECTION("open: a list is taken in, sent and recorded, and a correction likewise") {
    CHECK(p.send().stage == Stage::acknowledged);
    CHECK(p.send("send-correction").stage == Stage::acknowledged);
    CHECK(p.lists().newest(kYear)->revision == 2);
  }
  SECTION("window closed: no first list, but corrections and receipts") {
    REQUIRE(p.send().stage == Stage::acknowledged);
    p.pair.clock.set(at("2027-01-02T08:00:00Z"));
    CHECK(p.code_of("send") == "F_WINDOW");
    CHECK(p.send("send-correction").stage == Stage::acknowledged);
  }
  SECTION("window closed: what was sent before is put again when the share lost it, recorded and answered") {
    p.pair.avsb.reset();
    REQUIRE(p.send().stage == Stage::sent);
    for (const std::string& name : p.pair.to_avsb()) fs::remove(p.folder / "share/to_avsb" / name);
    REQUIRE(p.pair.to_avsb().empty());
    p.pair.clock.set(at("2027-01-02T08:00:00Z"));
    p.pair.start_avsb();
    p.pair.run_for(48h);
    CHECK(p.pair.sent().stage == Stage::acknowledged);
    CHECK(p.lists().count(kYear) == 50);
    CHECK(p.told("resend", p.pair.sent().id).code.empty());
  }
  SECTION("window closed while a list waits for release: it does not leave") {
    write_file(p.folder / kListName, csv_of(p.numbers));
    REQUIRE(p.told("send", p.folder / kListName).stage == CommandStage::done);
    p.pair.clock.set(at("2027-01-02T08:00:00Z"));
    CHECK(p.release().stage == Stage::held);
    CHECK(p.pair.to_avsb().empty());
  }
  SECTION("no legal basis: neither list nor correction; what is recorded is answered, and rehearsals walk") {
    REQUIRE(p.send().stage == Stage::acknowledged);
    p.pair.clock.set(at("2026-03-05T08:00:00Z"));
    p.both(&Production::without_basis);
    CHECK(p.code_of("send-correction") == "C_LEGAL_BASIS");
    CHECK(p.told("resend", p.pair.sent().id).code == "C_LEGAL_BASIS");
    const CommandResult rehearsal = p.told("rehearse", "");
    REQUIRE(rehearsal.stage == CommandStage::done);
    CHECK(p.aii().ledger.exchange(rehearsal.text)->stage == Stage::acknowledged);
  }
  SECTION("no legal basis at AII when a released list is about to leave: it waits, and goes on by itself") {
    p.pair.aii_share.fail_all(Code::s_unreachable);
    REQUIRE(p.send().stage == Stage::sealed);
    p.pair.clock.set(at("2026-03-05T08:00:00Z"));
    p.both(&Production::without_basis);
    p.pair.aii_share.heal();
    p.pair.run_for(3h);
    CHECK(p.pair.to_avsb().empty());
    CHECK(p.aii().db.query("SELECT 1 FROM alert WHERE closed_at IS NULL AND code = 'C_LEGAL_BASIS'").size() ==
          2);
    p.both([](Config& config) { config.legal_basis->valid_until = day("2026-12-31"); });
    p.pair.run_for(3h);
    CHECK(p.pair.sent().stage == Stage::acknowledged);
    CHECK(p.lists().count(kYear) == 50);
  }
  SECTION(
      "no legal basis at AVSB when a list comes: it waits unopened, is not answered, and is recorded later") {
    p.pair.avsb.reset();
    REQUIRE(p.send().stage == Stage::sent);
    p.pair.clock.set(at("2026-03-05T08:00:00Z"));
    p.both(&Production::without_basis);
    p.pair.run_for(2h);
    CHECK_FALSE(p.lists().newest(kYear));
    CHECK(p.pair.to_aii().empty());
    REQUIRE(p.avsb().ledger.open_arrivals().size() == 1);
    CHECK(p.avsb().ledger.open_arrivals().front().wait.problem_code == "C_LEGAL_BASIS");
    p.both([](Config& config) { config.legal_basis->valid_until = day("2026-12-31"); });
    p.pair.run_for(3h);
    CHECK(p.pair.sent().stage == Stage::acknowledged);
    CHECK(p.lists().count(kYear) == 50);
  }
  SECTION("no legal basis: neither a case nor an answer leaves, and both go on by themselves") {
    REQUIRE(p.send().stage == Stage::acknowledged);
    const auto ask = [&](Instance& side, const std::string& verb, const std::string& argument,
                         Fd file = Fd()) {
      const auto id = side.agenda.ask(verb, argument, Production::kOperator);
      if (file) side.files.put(id, std::move(file));
      p.pair.run_for(10min);
      return side.agenda.result_of(id);
    };
    p.pair.avsb_share.fail_all(Code::s_unreachable);
    Fd persons(memfd_create("persons", MFD_CLOEXEC));
    const std::string digits = digits_of(p.numbers[3]);
    REQUIRE(write(persons.get(), digits.data(), digits.size()) == 11);
    REQUIRE(ask(p.avsb(), "case-open", "2026 superfluous register", std::move(persons)).text == "2026-1");
    p.pair.clock.set(at("2026-03-05T08:00:00Z"));
    p.both(&Production::without_basis);
    p.pair.avsb_share.heal();
    p.pair.run_for(3h);
    CHECK(p.pair.to_aii().empty());
    CHECK(p.aii().cases.all().empty());
    CHECK(ask(p.avsb(), "case-resend", "2026-1").code == "C_LEGAL_BASIS");
    p.both([](Config& config) { config.legal_basis->valid_until = day("2026-12-31"); });
    p.pair.run_for(3h);
    REQUIRE(p.aii().cases.all().size() == 1);
    p.both(&Production::without_basis);
    CHECK(ask(p.aii(), "case-answer", "2026-1 source put right").code == "C_LEGAL_BASIS");
  }
  SECTION("a text of the legal basis that is gone, or another one, is none") {
    const fs::path text = p.pair.aii_config.legal_basis->document;
    const std::string confirmed = read_file(text);
    fs::remove(text);
    CHECK(p.code_of("send") == "C_LEGAL_BASIS");
    write_file(text, confirmed + "and more", 0644);
    CHECK(p.code_of("send") == "C_LEGAL_BASIS");
    write_file(text, confirmed, 0644);
    CHECK(p.send().stage == Stage::acknowledged);
  }
  SECTION("in test everything goes on without either") {
    p.pair.clock.set(at("2030-01-02T08:00:00Z"));
    p.pair.aii.reset();
    p.pair.avsb.reset();
    p.both([](Config& config) {
      fs::remove_all(config.state);
      config.environment = Environment::test;
      config.legal_basis.reset();
    });
    p.exchange();
    CHECK(p.pair.sent().stage == Stage::acknowledged);
  }
}

TEST_CASE("Q13: what AVSB does with a recorded list when, by window and legal basis") {
  Receiving r;
  SECTION("window closed: it is handed over, delivered, asked about, and what it has wrong is a case") {
    r.pair.clock.set(at("2027-01-02T08:00:00Z"));
    REQUIRE(r.answered("export", "2026 premium") == "export-2026-r1");
    CHECK(has(r.released(HoldKind::hand_over, "export-2026-r1"), "inburgeringsplicht-2026-r1.csv"));
    const std::string subject = r.distributed();
    REQUIRE(subject.starts_with("distribute-2026-"));
    CHECK(has(r.released(HoldKind::distribution, subject), "is released"));
    CHECK(Pair::names(r.folder / "fund").size() == 1);
    CHECK(r.answered("lookup", "2026-01-01 a question", file_with(r.person)) ==
          "listed for reference date 2026-01-01, by revision 1");
    REQUIRE(r.answered("case-open", "2026 superfluous register", file_with(r.person)) == "2026-1");
    CHECK(r.told("case-answer", "2026-1 source put right").stage == CommandStage::done);
    CHECK(r.avsb().cases.find("2026-1").stage == CaseStage::answered);
  }
  SECTION("no legal basis: nothing of that; but who died is forgotten, and findings and evidence go on") {
    r.pair.clock.set(at("2026-03-05T08:00:00Z"));
    r.both(&Production::without_basis);
    CHECK(r.answered("export", "2026 premium") == "C_LEGAL_BASIS");
    CHECK(r.distributed() == "C_LEGAL_BASIS");
    CHECK(r.answered("lookup", "2026-01-01 a question", file_with(r.person)) == "C_LEGAL_BASIS");
    CHECK(r.answered("case-open", "2026 superfluous register", file_with(r.person)) == "C_LEGAL_BASIS");
    const std::string subject = r.answered("forget", "notice 12", file_with(r.person));
    REQUIRE(subject.starts_with("forget-"));
    CHECK(has(r.answered("approve-forget", subject, file_with(r.person), person_of(1)), "is carried out"));
    CHECK(r.lists().count(kYear) == 49);
    CHECK(has(r.answered("incident-confirm", "1 nobody of ours put it there"), "is confirmed"));
    CHECK(has(r.answered("incident-notified", "1 by telephone"), "on record"));
    r.avsb().evidence = [](const std::string& wish) { return "the proof of " + wish; };
    CHECK(r.answered("evidence", "2026", file_with("")) == "the evidence was handed over");
  }
}

TEST_CASE(
    "Q13: without a legal basis nobody is looked up for what came of a case: it waits, and goes on by "
    "itself") {
  Receiving r;
  REQUIRE(r.answered("case-open", "2026 superfluous register", file_with(r.person)) == "2026-1");
  REQUIRE(r.aii().cases.all().size() == 1);
  const auto basis_ends = [&] {
    r.pair.clock.set(at("2026-03-05T08:00:00Z"));
    r.both(&Production::without_basis);
    r.pair.run_for(3h);
  };
  const auto basis_returns = [&] {
    r.both([](Config& config) { config.legal_basis->valid_until = day("2026-12-31"); });
    r.pair.run_for(3h);
  };
  const auto waits = [](Instance& side) {
    const auto open = side.ledger.open_arrivals();
    return open.size() == 1 && open.front().wait.problem_code == "C_LEGAL_BASIS";
  };
  SECTION("an answer, by which AVSB would look persons up") {
    r.pair.avsb.reset();
    REQUIRE(r.told("case-answer", "2026-1 source put right").stage == CommandStage::done);
    basis_ends();
    CHECK(waits(r.avsb()));
    CHECK(r.avsb().cases.find("2026-1").stage == CaseStage::sent);
    basis_returns();
    CHECK(r.avsb().cases.find("2026-1").stage == CaseStage::answered);
  }
  SECTION("a closing, which names nobody, ends the case all the same, and what named somebody goes") {
    r.pair.aii.reset();
    REQUIRE(has(r.answered("case-close", "2026-1 a mistake of ours"), "is closed"));
    basis_ends();
    CHECK(r.aii().ledger.open_arrivals().empty());
    CHECK(r.aii().cases.find("2026-1").stage == CaseStage::answered);
    CHECK(names_in(r.aii().config.state / kCasesFolder).empty());
  }
  SECTION("a closing that lies unread does, for it ends the case") {
    r.pair.aii.reset();
    REQUIRE(has(r.answered("case-close", "2026-1 a mistake of ours"), "is closed"));
    r.answered("incident-dismiss", "1 a trial", Fd(), person_of(1));
    r.pair.clock.set(at("2026-03-05T08:00:00Z"));
    r.pair.avsb_config.legal_basis->valid_until = day("2026-03-01");
    r.pair.start_avsb();
    CHECK(r.answered("close-out", "", Fd(), person_of(1)) == "U_STATE");
  }
  SECTION("an answer that lies unread keeps no path from being closed, on neither side") {
    r.pair.avsb.reset();
    REQUIRE(r.told("case-answer", "2026-1 source put right").stage == CommandStage::done);
    basis_ends();
    REQUIRE(waits(r.avsb()));
    CHECK(has(r.told("close-out", "", r.approver()).text, "closed for good"));
    r.answered("incident-dismiss", "1 a trial", Fd(), r.approver());
    CHECK(has(r.answered("close-out", "", Fd(), r.approver()), "closed for good"));
  }
}

TEST_CASE("books of the test environment never become those of production") {
  Exchanging e;
  e.exchange();
  CHECK_THROWS_AS(e.pair.aii->instance.settings.claim("production"), Error);
  e.pair.aii->instance.settings.claim("test");
  CHECK_THROWS_AS(e.pair.aii->instance.settings.claim("production"), Error);
}

TEST_CASE("Q36: a change of processors is on record, and asks for the other side to be told") {
  Exchanging e;
  e.pair.avsb_config.processors = {{"a provider", "runs the share"}};
  e.pair.start_avsb();
  e.pair.run_for(25h);
  CHECK(e.pair.open_alerts(*e.pair.avsb).empty());
  e.pair.avsb_config.processors.push_back({"another", "keeps backups"});
  e.pair.avsb.reset();
  e.pair.start_avsb();
  e.pair.run_for(25h);
  CHECK(e.pair.open_alerts(*e.pair.avsb) == std::vector<std::string>{"attention PROCESSORS"});
  CHECK(e.pair.avsb->instance.db.query("SELECT 1 FROM audit WHERE event = 'processors'").size() >= 2);
}

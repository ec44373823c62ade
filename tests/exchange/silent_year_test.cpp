// A year in which what should happen does not: each deadline raises its alert on its day, is repeated and
// escalated as configured, and is over when its cause is.

#include <functional>
#include <map>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "support/certificates.h"
#include "support/fictitious.h"
#include "support/pair.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

Time at(const char* time) { return parse_time(time).value(); }

/// Both sides, looked at once a day in the morning; what people are told, each line with its day.
struct Year {
  TempFolder folder{TempFolder::Place::in_memory};
  Pair pair{folder.path()};
  Names told;

  explicit Year(const char* begin) {
    pair.clock.set(at(begin));
    for (Config* config : {&pair.aii_config, &pair.avsb_config}) {
      config->rehearse_every = 30 * 24h;
      config->window.unheard_after = 40 * 24h;
      config->window.list_due = std::chrono::March / 1;
      config->alerts.mail = MailConfig{};
      config->alerts.mail->escalate_to = {"head@example.org"};
      config->alerts.repeat = 10 * 24h;
      config->alerts.escalate_after = 15 * 24h;
    }
  }

  /// One side that expects nothing of the other, and reminds nobody.
  void without_partner() {
    Config& config = pair.avsb_config;
    config.window.list_due = std::nullopt;
    config.window.unheard_after = 0ms;
    config.alerts.repeat = config.alerts.escalate_after = 400 * 24h;
  }

  class Mailbox : public AlertChannel {
   public:
    Mailbox(Year& year, std::string party) : year_(year), party_(std::move(party)) {}
    std::string send(const AlertMessage& message, const Transfer&) override {
      year_.told.push_back(fmt::format("{} {}: {} {}", format_date(date_of(year_.pair.clock.now())).substr(5),
                                       party_, message.turn, message.code));
      return {};
    }

   private:
    Year& year_;
    std::string party_;
  };

  void start_aii() {
    pair.start_aii();
    listen(*pair.aii);
  }
  void start_avsb() {
    pair.start_avsb();
    listen(*pair.avsb);
  }
  void listen(Side& side) {
    side.instance.open_channel = [this](const Config& config, const std::string&, AlertTurn) {
      return std::make_unique<Mailbox>(*this, config.party);
    };
  }

  /// What is done on a morning, before the sides look at anything.
  std::map<std::string, std::function<void()>> doings;
  void go_until(const char* end) {
    while (pair.clock.now() < at(end)) {
      const auto doing = doings.find(format_date(date_of(pair.clock.now())).substr(5));
      if (doing != doings.end()) doing->second();
      pair.run_for(10min);
      pair.clock.advance(24h - 10min);
    }
  }

  void acknowledge(Side& side, const std::string& code) {
    for (const Alert& alert : side.instance.alerts.open())
      if (alert.code == code)
        side.instance.db.transaction([&] { side.instance.alerts.acknowledge(alert.id, "operator (1001)"); });
  }
  /// What 'veer alerts test' leaves.
  void prove_mail() {
    Instance& at = pair.avsb->instance;
    at.db.transaction([&] { at.settings.keep_proof("mail", at.config.alerts.digest_of("mail")); });
  }
  FakeSeal& seal() { return dynamic_cast<FakeSeal&>(*pair.aii_seal); }
};

}  // namespace

TEST_CASE("in a silent year each deadline is told on its day, repeated, escalated, and over with its cause") {
  Year year("2026-01-02T08:00:00Z");
  const std::string key = year.pair.aii_config.own_keys.front().fingerprint;
  year.seal().ends = {{key, at("2026-09-30T12:00:00Z"), true}};
  year.start_aii();
  year.start_avsb();
  year.doings["03-26"] = [&] { year.acknowledge(*year.pair.aii, "LIST_DUE"); };
  year.doings["04-15"] = [&] { year.pair.drop(kListName, csv_of(fictitious_list(50, 1))); };
  year.doings["04-20"] = [&] { year.pair.avsb.reset(); };
  year.doings["06-10"] = [&] { year.start_avsb(); };
  year.doings["07-04"] = [&] { year.acknowledge(*year.pair.aii, "KEY_90"); };
  year.doings["09-30"] = [&] { year.seal().ends = {{key, at("2027-09-30T12:00:00Z"), true}}; };
  year.go_until("2027-01-01T00:00:00Z");
  // The rehearsal of 3 May is not answered; 40 days after the receipt of 15 April nothing was heard.
  CHECK(
      year.told ==
      Names{
          "03-02 aii: opened LIST_DUE",    "03-02 avsb: opened LIST_DUE",   "03-12 aii: reminder LIST_DUE",
          "03-12 avsb: reminder LIST_DUE", "03-17 aii: escalated LIST_DUE", "03-17 avsb: escalated LIST_DUE",
          "03-22 aii: reminder LIST_DUE",  "03-22 avsb: reminder LIST_DUE", "04-01 avsb: reminder LIST_DUE",
          "04-11 avsb: reminder LIST_DUE", "04-15 avsb: closed LIST_DUE",   "04-15 avsb: opened RECORDED",
          "04-15 aii: closed LIST_DUE",    "04-15 aii: opened RECORDED",    "05-04 aii: opened OVERDUE",
          "05-14 aii: reminder OVERDUE",   "05-19 aii: escalated OVERDUE",  "05-24 aii: reminder OVERDUE",
          "05-26 aii: opened UNHEARD",     "06-03 aii: reminder OVERDUE",   "06-05 aii: reminder UNHEARD",
          "06-10 aii: escalated UNHEARD",  "06-10 aii: closed UNHEARD",     "06-10 aii: closed OVERDUE",
          "07-03 aii: opened KEY_90",      "09-01 aii: changed KEY_30",     "09-11 aii: reminder KEY_30",
          "09-16 aii: escalated KEY_30",   "09-21 aii: reminder KEY_30",    "09-24 aii: changed KEY_7",
          "09-30 aii: closed KEY_7"});
}

TEST_CASE("the end of the certificate for the share is told 90, 30, 7 days and a day before") {
  Year year("2026-08-01T08:00:00Z");
  year.without_partner();
  const fs::path file = year.folder.path() / "certificate.pem";
  const auto until = [&](const char* end) {
    const auto hours = std::chrono::round<std::chrono::hours>(at(end) - SystemClock().now());
    write_file(file, rsa_certificate({.from = hours - 9000h, .until = hours}).certificate);
  };
  until("2026-11-15T12:00:00Z");
  SECTION("FTPS") { year.pair.avsb_config.share.kind.emplace<FtpsShareConfig>().certificate = file; }
  SECTION("SharePoint") {
    year.pair.avsb_config.share.kind.emplace<SharePointShareConfig>().certificate = file;
  }
  year.start_avsb();
  year.doings["11-11"] = [&] { write_file(file, "half of one"); };  // which is no good news
  year.doings["11-13"] = [&] { until("2026-11-15T12:00:00Z"); };
  year.doings["11-16"] = [&] { until("2027-11-15T12:00:00Z"); };
  year.go_until("2026-12-01T00:00:00Z");
  CHECK(year.told == Names{"08-18 avsb: opened CERTIFICATE_90", "10-17 avsb: changed CERTIFICATE_30",
                           "11-09 avsb: changed CERTIFICATE_7", "11-15 avsb: changed CERTIFICATE_1",
                           "11-16 avsb: closed CERTIFICATE_1"});
}

TEST_CASE(
    "the end of the client secret for the share is told 90, 30, 7 days and a day before, on its day too") {
  Year year("2026-08-01T08:00:00Z");
  year.without_partner();
  year.pair.avsb_config.share.kind.emplace<SharePointShareConfig>().secret_ends =
      std::chrono::November / 14 / 2026;
  year.start_avsb();
  year.go_until("2026-12-01T00:00:00Z");
  CHECK(year.told == Names{"08-17 avsb: opened SECRET_90", "10-16 avsb: changed SECRET_30",
                           "11-08 avsb: changed SECRET_7", "11-14 avsb: changed SECRET_1"});
}

TEST_CASE("Q07: in production the end of the transition is told before it comes") {
  Year year("2026-09-20T08:00:00Z");
  year.without_partner();
  make_production(year.pair.avsb_config);
  year.start_avsb();
  year.prove_mail();
  year.go_until("2027-01-03T00:00:00Z");
  CHECK(year.told == Names{"10-03 avsb: opened WINDOW_90", "12-02 avsb: changed WINDOW_30",
                           "12-25 avsb: changed WINDOW_7", "12-31 avsb: changed WINDOW_1",
                           "01-01 avsb: closed WINDOW_1"});
}

TEST_CASE("Q13: the end of the legal basis on record is told before it comes, and its absence") {
  Year year("2026-01-02T08:00:00Z");
  year.without_partner();
  Config& config = year.pair.avsb_config;
  make_production(config);
  const std::string text = read_file(config.legal_basis->document);
  SECTION("as it was confirmed") { config.legal_basis->valid_until = Date(std::chrono::May / 31 / 2026); }
  SECTION("by a notice a year before") {
    config.legal_basis->notice_given = Date(std::chrono::May / 31 / 2025);
  }
  year.start_avsb();
  year.prove_mail();
  year.doings["01-10"] = [&] { write_file(config.legal_basis->document, "another text"); };
  year.doings["01-12"] = [&] { write_file(config.legal_basis->document, text); };
  year.go_until("2026-06-10T00:00:00Z");
  CHECK(year.told == Names{"01-10 avsb: opened C_LEGAL_BASIS", "01-12 avsb: closed C_LEGAL_BASIS",
                           "03-03 avsb: opened LEGAL_BASIS_90", "05-02 avsb: changed LEGAL_BASIS_30",
                           "05-25 avsb: changed LEGAL_BASIS_7", "05-31 avsb: changed LEGAL_BASIS_1",
                           "06-01 avsb: changed C_LEGAL_BASIS"});
}

TEST_CASE(
    "Q41: the yearly review is asked for on its day, once a year, until somebody says that it is done") {
  Year year("2026-01-02T08:00:00Z");
  year.without_partner();
  year.pair.avsb_config.review_due = std::chrono::March / 15;
  year.pair.avsb_config.share.keep_sealed = 30 * 24h;  // and what was closed is forgotten as soon
  year.start_avsb();
  year.doings["03-20"] = [&] {
    AlertBook& book = year.pair.avsb->instance.alerts;
    year.pair.avsb->instance.db.transaction([&] { book.close("review:2026"); });
  };
  year.go_until("2027-03-17T00:00:00Z");
  CHECK(year.told ==
        Names{"03-15 avsb: opened REVIEW", "03-20 avsb: closed REVIEW", "03-15 avsb: opened REVIEW"});
}

TEST_CASE("in production a channel that was never tried as it is configured now is told of") {
  Year year("2026-01-02T08:00:00Z");
  year.without_partner();
  make_production(year.pair.avsb_config);
  year.start_avsb();
  year.doings["01-04"] = [&] { year.prove_mail(); };
  year.doings["01-08"] = [&] {
    year.pair.avsb_config.alerts.mail->to = {"somebody-else@example.org"};
    year.start_avsb();
  };
  year.go_until("2026-01-10T00:00:00Z");
  CHECK(year.told ==
        Names{"01-02 avsb: opened UNPROVEN", "01-04 avsb: closed UNPROVEN", "01-08 avsb: opened UNPROVEN"});
}

TEST_CASE("a configuration file that was changed and not taken over is told within a day") {
  Year year("2026-08-01T08:00:00Z");
  year.without_partner();
  const fs::path file = year.folder.path() / "avsb.toml";
  const auto write = [&](const char* text) { write_file(file, text); };
  write("as it was read");
  year.pair.avsb_config.file = file;
  year.pair.avsb_config.sha256 = sha256_hex("as it was read");
  year.start_avsb();
  year.doings["08-03"] = [&] { write("as somebody changed it"); };
  year.doings["08-04"] = [&] { year.acknowledge(*year.pair.avsb, "CHANGED"); };
  year.doings["08-05"] = [&] { write("as somebody else changed it"); };
  year.doings["08-06"] = [&] { fs::remove(file); };
  year.doings["08-07"] = [&] { write("as it was read"); };
  year.go_until("2026-08-10T00:00:00Z");
  CHECK(year.told == Names{"08-03 avsb: opened CHANGED", "08-05 avsb: changed CHANGED",
                           "08-06 avsb: changed UNREADABLE", "08-07 avsb: closed UNREADABLE"});
}

TEST_CASE("a list that was due at the end of a year is missed in the next one too") {
  Year year("2026-10-01T08:00:00Z");
  year.without_partner();
  year.pair.avsb_config.window.list_due = std::chrono::December / 31;
  year.start_avsb();
  year.go_until("2026-12-30T00:00:00Z");
  year.pair.avsb.reset();
  year.pair.clock.set(at("2027-01-04T08:00:00Z"));
  year.start_avsb();
  year.go_until("2027-02-01T00:00:00Z");
  CHECK(year.told == Names{"01-04 avsb: opened LIST_DUE"});
}

TEST_CASE("a GnuPG that does not answer hides no deadline") {
  Year year("2026-01-02T08:00:00Z");
  year.without_partner();
  year.pair.avsb_config.window.list_due = std::chrono::March / 1;
  year.start_avsb();
  dynamic_cast<FakeSeal&>(*year.pair.avsb_seal).ends_unknown = true;
  year.go_until("2026-03-05T00:00:00Z");
  CHECK(std::count(year.told.begin(), year.told.end(), "03-02 avsb: opened LIST_DUE") == 1);
  CHECK(std::count(year.told.begin(), year.told.end(), "01-02 avsb: opened L_ENGINE") == 1);
}

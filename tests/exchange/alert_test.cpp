// Telling people: each message once, by every channel, again until somebody takes it up, and whatever fails.

#include <deque>
#include <map>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/files.h"
#include "daemon/alert_texts.h"
#include "daemon/alert_topics.h"
#include "daemon/dates.h"
#include "daemon/deadlines.h"
#include "daemon/ends.h"
#include "daemon/old_pages.h"
#include "daemon/shared_alerts.h"
#include "support/canary.h"
#include "support/fictitious.h"
#include "support/pair.h"
#include "support/temp_folder.h"
#include "support/text.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

struct Told {
  std::string channel;
  AlertMessage message;
  AlertTurn reach = AlertTurn::opened;
  std::string text() const {
    return fmt::format("{}: {} {} {}", channel, message.turn, message.topic, message.code);
  }
};

/// How a channel is odd.
struct Oddity {
  Mishap mishap = Mishap::channel;
  std::string refused;  ///< a code whose messages it does not take
  std::vector<Missed> missed;
  int tries = 0;
};

/// Keeps what it is given, and fails as it is told.
class Recorder : public AlertChannel {
 public:
  Recorder(std::string name, std::vector<Told>& told, const std::optional<Error>& failure, Oddity& odd,
           AlertTurn reach = AlertTurn::opened)
      : name_(std::move(name)), told_(told), failure_(failure), odd_(odd), reach_(reach) {}
  std::string send(const AlertMessage& message, const Transfer&) override {
    ++odd_.tries;
    if (failure_) throw Error(*failure_);
    if (message.code == odd_.refused) throw Error(Code::s_rights, "554 no");
    told_.push_back({name_, message, reach_});
    return odd_.missed.empty() ? "" : "it refused some";
  }
  std::vector<Missed> missed() const override { return odd_.missed; }
  Mishap mishap() const override { return odd_.mishap; }

 private:
  std::string name_;
  std::vector<Told>& told_;
  const std::optional<Error>& failure_;
  Oddity& odd_;
  AlertTurn reach_;
};

/// AVSB with a mail address, somebody to escalate to, and a hook; and what people were told.
struct Watched {
  TempFolder folder{TempFolder::Place::in_memory};
  Pair pair{folder.path()};
  std::vector<Told> told;
  std::map<std::string, std::optional<Error>> failures;
  std::map<std::string, Oddity> odd;

  Watched() {
    pair.avsb_config.alerts.mail = MailConfig{};
    pair.avsb_config.alerts.mail->escalate_to = {"head@avsb.example.org"};
    pair.avsb_config.alerts.hook = "/bin/true";
    pair.start_aii();
    start();
  }
  void start() {
    pair.start_avsb();
    pair.avsb->instance.open_channel = [this](const Config&, const std::string& name, AlertTurn reach) {
      return std::make_unique<Recorder>(name, told, failures[name], odd[name], reach);
    };
  }
  /// With mail alone.
  void without_hook() {
    pair.avsb.reset();
    pair.avsb_config.alerts.hook.clear();
    start();
  }
  Instance& avsb() { return pair.avsb->instance; }
  void raise(const std::string& code = "T_NAME") {
    avsb().db.transaction(
        [&] { avsb().alerts.raise("names:incoming", AlertKind::attention, code, "", "Look."); });
  }
  void raise(const std::string& cause, const std::string& code) {
    avsb().db.transaction([&] { avsb().alerts.raise(cause, AlertKind::attention, code, "", "Look."); });
  }
  void acknowledge(std::int64_t alert) {
    avsb().db.transaction([&] { avsb().alerts.acknowledge(alert, "operator (1001)"); });
  }
  void close() {
    avsb().db.transaction([&] { avsb().alerts.close("names:incoming"); });
  }
  /// Works for so long without the chores, which would close what a test raised.
  void pass(std::chrono::milliseconds time) {
    const Time end = pair.clock.now() + time;
    while (true) {
      const auto next = avsb().alerts.tellings().next();
      if (!next || *next->wait.due > end) break;
      pair.clock.set(std::max(pair.clock.now(), *next->wait.due));
      AlertPost(avsb()).send(*next, {});
    }
    pair.clock.set(end);
  }
  Names taken() {
    Names texts;
    for (const Told& one : std::exchange(told, {})) texts.push_back(one.text());
    return texts;
  }
};

}  // namespace

TEST_CASE("an alert is told once by every channel, and its end too") {
  Watched w;
  w.raise();
  w.raise();
  w.pass(1h);
  REQUIRE(w.told.size() == 2);
  CHECK(w.told[0].message.id == w.told[1].message.id);
  const std::string thread = w.told[0].message.id;
  CHECK(w.taken() == Names{"mail: opened names T_NAME", "hook: opened names T_NAME"});
  w.close();
  w.close();
  w.pass(30 * 24h);
  REQUIRE(w.told.size() == 2);
  CHECK(w.told[0].message.thread == thread);
  CHECK(w.told[0].message.id != thread);
  CHECK(w.taken() == Names{"hook: closed names T_NAME", "mail: closed names T_NAME"});
}

TEST_CASE("an alert that nobody takes up is repeated, and told to somebody else") {
  Watched w;
  w.raise();
  w.pass(73h);
  CHECK(w.taken() ==
        Names{"mail: opened names T_NAME", "hook: opened names T_NAME", "mail: reminder names T_NAME",
              "hook: reminder names T_NAME", "mail: escalated names T_NAME", "mail: reminder names T_NAME",
              "hook: reminder names T_NAME", "mail: reminder names T_NAME", "hook: reminder names T_NAME"});
  w.avsb().db.transaction([&] { w.avsb().alerts.acknowledge(1, "operator (1001)"); });
  w.pass(30 * 24h);
  CHECK(w.taken().empty());
  CHECK(w.avsb().alerts.is_open("names:incoming"));
}

TEST_CASE("an alert that is taken up within a day is told of once") {
  Watched w;
  w.raise();
  w.pass(1h);
  w.avsb().db.transaction([&] { w.avsb().alerts.acknowledge(1, "operator (1001)"); });
  w.pass(30 * 24h);
  CHECK(w.taken().size() == 2);
}

TEST_CASE("an alert that comes to mean something else is told anew") {
  Watched w;
  w.raise("T_NAME");
  w.pass(1h);
  w.taken();
  w.raise("T_SIZE");
  w.pass(1h);
  CHECK(w.taken() == Names{"mail: changed names T_SIZE", "hook: changed names T_SIZE"});
}

TEST_CASE(
    "a list that others have and that is stale for another reason is told of anew, whoever took it up") {
  for (const char* topic : {"export-stale", "distribution-stale"}) {
    Watched w;
    const auto raise = [&](const std::string& why) {
      w.avsb().db.transaction([&] {
        w.avsb().alerts.raise(fmt::format("{}:2026", topic), AlertKind::attention, "STALE", "", why);
      });
      w.pass(1h);
    };
    raise("a correction");
    w.acknowledge(1);
    w.taken();
    raise("a correction");
    CHECK(w.taken().empty());
    raise("a death");
    CHECK(w.taken() ==
          Names{fmt::format("mail: changed {} STALE", topic), fmt::format("hook: changed {} STALE", topic)});
    CHECK_FALSE(w.avsb().alerts.find(1)->acknowledged_at);
  }
}

TEST_CASE("who took up an alert did not take up what it comes to mean: that is repeated and escalated too") {
  Watched w;
  w.raise("T_NAME");
  w.pass(1h);
  w.avsb().db.transaction([&] { w.avsb().alerts.acknowledge(1, "operator (1001)"); });
  w.pass(100h);
  w.taken();
  w.raise("T_SIZE");
  w.pass(49h);
  CHECK(w.taken() == Names{"mail: changed names T_SIZE", "hook: changed names T_SIZE",
                           "mail: reminder names T_SIZE", "hook: reminder names T_SIZE",
                           "mail: escalated names T_SIZE", "mail: reminder names T_SIZE",
                           "hook: reminder names T_SIZE"});
}

TEST_CASE("what opens and closes while a channel fails is told by the others alone") {
  Watched w;
  w.failures["mail"] = Error(Code::s_unreachable, "gone");
  w.raise();
  w.pass(10min);
  w.close();
  w.pass(2h);
  w.failures["mail"].reset();
  w.pass(24h);
  const Names told = w.taken();
  CHECK(std::count(told.begin(), told.end(), "hook: opened names T_NAME") == 1);
  CHECK(std::count(told.begin(), told.end(), "hook: closed names T_NAME") == 1);
  for (const std::string& one : told) CHECK_FALSE(one.starts_with("mail: opened names"));
}

TEST_CASE("that a person closed an alert is told as that, and not as the end of its cause") {
  Watched w;
  w.raise();
  w.pass(1h);
  w.taken();
  w.avsb().db.transaction([&] { w.avsb().alerts.close(1, "operator (1001)"); });
  w.pass(1h);
  REQUIRE(w.told.size() == 2);
  for (const Told& one : w.told) {
    CHECK(one.message.turn == "closed");
    CHECK(one.message.headline.starts_with("Closed: "));
    CHECK(has(to_text(one.message), "operator (1001) closed this alert"));
    CHECK_FALSE(has(to_text(one.message), "Over:"));
  }
  w.taken();
  w.raise();
  w.pass(1h);
  w.taken();
  w.close();
  w.pass(1h);
  REQUIRE(w.told.size() == 2);
  CHECK(w.told.front().message.headline.starts_with("Over: "));
}

TEST_CASE("a finding tells until when the other side is to know of it, and is escalated before that") {
  Watched w;
  const Time found = w.pair.clock.now();
  w.avsb().db.transaction(
      [&] { w.avsb().alerts.raise("bytes:x", AlertKind::finding, "T_SIZE", "", "Look."); });
  w.pass(1h);
  REQUIRE(w.told.size() == 2);
  const AlertMessage message = w.told.front().message;
  CHECK(message.command == "veer -i avsb incident show 1");
  CHECK(has(to_text(message), said_time(found + 24h, Language::en)));
  CHECK(has(to_text(message), "'veer -i avsb incident notice 1'"));
  w.taken();
  w.pass(10h);
  CHECK(w.taken().empty());
  w.pass(2h);
  CHECK(w.taken() == Names{"mail: escalated bytes T_SIZE"});
  w.raise("incident:1", "INCIDENT_DUE");
  w.pass(1h);
  REQUIRE(w.told.size() >= 2);
  CHECK(w.told.front().message.command == "veer -i avsb incident notice 1");
  w.pass(12h);
  const Names told = w.taken();
  CHECK(std::count(told.begin(), told.end(), "mail: escalated incident INCIDENT_DUE") == 1);
}

TEST_CASE("the commands that an alert quotes are those of its instance") {
  Config config;
  config.party = "aii";
  CHECK(as_typed("'veer keys renew' there, 'veer -i b list', of the 'veerdienst', 'veer list'", config) ==
        "'veer -i aii keys renew' there, 'veer -i b list', of the 'veerdienst', 'veer -i aii list'");
  CHECK(as_typed("", config).empty());
  config.file = "/srv/aii.toml";
  CHECK(as_typed("type 'veer status'", config) == "type 'veer -c /srv/aii.toml status'");
  Alert alert;
  alert.cause = "export-stale:2026";
  alert.kind = "attention";
  alert.text = "whoever uses it must have the new one, 'veer export 2026 --purpose …'";
  const AlertMessage message = message_of(alert, {}, config, {});
  CHECK(has(to_text(message), "'veer -c /srv/aii.toml export 2026 --purpose …'"));
  CHECK(message.command == "veer -c /srv/aii.toml export 2026 --purpose TEXT");
  const AlertMessage failed = failure_message(config, "veerdienst-check@aii.service", true, {});
  CHECK(has(to_text(failed), "'veer -c /srv/aii.toml doctor'"));
}

TEST_CASE("nobody is asked to take up an alert that somebody took up") {
  Alert alert;
  alert.cause = "export-stale:2026";
  alert.kind = "attention";
  CHECK(has(to_text(message_of(alert, {}, {}, {})), "alerts acknowledge"));
  alert.acknowledged_at = Time{};
  CHECK_FALSE(has(to_text(message_of(alert, {}, {}, {})), "alerts acknowledge"));
}

TEST_CASE("whom to escalate to may be named while an alert is open, which is then escalated too, once") {
  Watched w;
  const auto again = [&](const std::vector<std::string>& others) {
    w.pair.avsb.reset();
    w.pair.avsb_config.alerts.mail->escalate_to = others;
    w.start();
    w.pass(49h);
    const Names told = w.taken();
    return std::count(told.begin(), told.end(), "mail: escalated names T_NAME");
  };
  CHECK(again({}) == 0);
  w.raise();
  CHECK(again({}) == 0);
  CHECK(again({"head@avsb.example.org"}) == 1);
  CHECK(again({"head@avsb.example.org"}) == 0);
}

TEST_CASE(
    "a service that ends again and again is one open matter from the third time within a day on, until a day "
    "passes without") {
  Watched w;
  const auto crash = [&] {
    w.avsb().db.transaction([&] { tell_crashed(w.avsb(), "2026-03-01T07:00:00.000Z"); });
    w.pass(1h);
    return w.taken();
  };
  const auto look = [&] { w.avsb().db.transaction([&] { look_at_crashes(w.avsb()); }); };
  const Names singly = {"mail: opened crashed CRASHED", "hook: opened crashed CRASHED"};
  CHECK(crash() == singly);
  CHECK(crash() == singly);
  CHECK(crash() == Names{"mail: opened crashed CRASHES", "hook: opened crashed CRASHES"});
  CHECK(crash().empty());
  w.pass(22h);
  look();
  CHECK(w.pair.open_alerts(*w.pair.avsb) == Names{"attention CRASHES"});
  w.pass(2h);
  look();
  CHECK(w.pair.open_alerts(*w.pair.avsb).empty());
  w.pass(1h);
  w.taken();
  CHECK(crash() == singly);
  w.pass(30h);
  w.taken();
  CHECK(crash() == singly);
  w.pass(30h);
  w.taken();
  CHECK(crash() == singly);
}

TEST_CASE("a clock that goes back and forth is told anew once within the time of a reminder") {
  Watched w;
  const auto flip = [&](const std::string& text) {
    w.avsb().db.transaction(
        [&] { w.avsb().alerts.raise(kClockCause, AlertKind::attention, "L_CLOCK", "", text); });
    w.pass(10min);
  };
  for (int i = 0; i < 20; ++i) flip(fmt::format("the clock went back, for the {}th time", i));
  CHECK(w.taken() == Names{"mail: opened clock L_CLOCK", "hook: opened clock L_CLOCK",
                           "mail: changed clock L_CLOCK", "hook: changed clock L_CLOCK"});
}

TEST_CASE("what is told of a channel, a recipient or a fund's key is over once that is configured no more") {
  Watched w;
  w.raise("channel:webhook", "S_TIMEOUT");
  w.raise("channel:hook", "S_TIMEOUT");
  w.raise(recipient_cause("gone@avsb.example.org"), "S_RIGHTS");
  w.raise(recipient_cause("head@avsb.example.org"), "S_RIGHTS");
  w.raise("key:a-fund", "KEY_30");
  w.pair.avsb.reset();
  w.start();
  w.avsb().db.transaction([&] { look_at_ends(w.avsb(), {}); });
  Names causes;
  for (const Alert& alert : w.avsb().alerts.open()) causes.push_back(alert.cause);
  CHECK(causes == Names{"channel:hook", recipient_cause("head@avsb.example.org")});
}

TEST_CASE(
    "what was deleted and still stands in the database's files is told of after a day, until it is gone") {
  Watched w;
  Database& db = w.avsb().db;
  const auto look = [&] {
    db.transaction([&] { look_at_old_pages(w.avsb()); });
    const auto open = w.avsb().alerts.open();
    return open.empty() ? "" : topic_of(open.front());
  };
  SECTION("while somebody reads the database without end") {
    Database reader(w.pair.avsb_config.database_url, Database::Access::read_only);
    reader.execute("BEGIN");
    reader.query("SELECT count(*) FROM entry");
    db.transaction([&] { note_old_pages(db, w.pair.clock.now()); });
    CHECK_FALSE(forget_old_pages(db));  // waits for the reader as long as for a writer
    CHECK(look().empty());
    w.pair.clock.advance(25h);
    CHECK(look() == "old-pages");
    reader.execute("COMMIT");
    CHECK(forget_old_pages(db));
    CHECK(look().empty());
  }
  SECTION("also when it was noted under a clock that stood ahead") {
    db.transaction([&] { note_old_pages(db, w.pair.clock.now() + 3650 * 24h); });
    CHECK(look().empty());
    w.pair.clock.advance(25h);
    CHECK(look() == "old-pages");
  }
}

TEST_CASE("a new channel hears what is open, and one that is configured no more is forgotten") {
  Watched w;
  w.raise();
  w.pass(1h);
  w.taken();
  w.pair.avsb.reset();
  w.pair.avsb_config.alerts.hook.clear();
  w.pair.avsb_config.alerts.webhook = WebhookConfig{};
  w.start();
  w.pass(1h);
  CHECK(w.taken() == Names{"webhook: opened names T_NAME"});
  w.close();
  w.pass(48h);
  CHECK(w.taken() == Names{"mail: closed names T_NAME", "webhook: closed names T_NAME"});
}

TEST_CASE("a clock that was years ahead for a while leaves no telling in those years") {
  Watched w;
  const Time now = w.pair.clock.now();
  w.pair.clock.set(now + 3650 * 24h);
  w.pair.avsb->run();
  w.avsb().db.transaction(
      [&] { w.avsb().alerts.raise("bytes:x", AlertKind::finding, "T_SIZE", "", "Look."); });
  w.failures["mail"] = w.failures["hook"] = Error(Code::s_unreachable, "no network yet");
  w.pass(5min);
  w.failures.clear();
  w.taken();
  w.pair.clock.set(now + 1h);
  w.pair.avsb->run();
  w.pass(1h);
  const Names told = w.taken();
  CHECK(std::count(told.begin(), told.end(), "hook: opened bytes T_SIZE") == 1);
}

TEST_CASE("a channel that fails is told of by the other, once, and its recovery too") {
  Watched w;
  w.failures["mail"] = Error(Code::s_unreachable, "the mail server does not take connections");
  w.raise();
  w.pass(23h);
  CHECK(w.taken() == Names{"hook: opened names T_NAME", "hook: opened channel S_UNREACHABLE"});
  w.failures["mail"].reset();
  w.pass(90min);
  const Names after = w.taken();
  CHECK(std::count(after.begin(), after.end(), "hook: closed channel S_UNREACHABLE") == 1);
  CHECK(std::count(after.begin(), after.end(), "mail: opened names T_NAME") == 1);
  CHECK_FALSE(w.avsb().alerts.is_open("channel:mail"));
}

TEST_CASE("a channel without its credential fails at once, and the other tells it") {
  Watched w;
  w.failures["mail"] = Error(Code::c_credential, "no such credential");
  w.raise();
  w.pass(5min);
  CHECK(w.taken() == Names{"hook: opened names T_NAME", "hook: opened channel C_CREDENTIAL"});
}

TEST_CASE("a restart between two tries loses and doubles nothing") {
  Watched w;
  w.failures["mail"] = w.failures["hook"] = Error(Code::s_timeout, "slow");
  w.raise();
  w.pass(2min);
  w.pair.avsb.reset();
  w.start();
  w.failures.clear();
  w.pass(2h);
  CHECK(w.taken() == Names{"mail: opened names T_NAME", "hook: opened names T_NAME"});
}

TEST_CASE("both sides tell once that a list is recorded") {
  Watched w;
  w.pair.aii_config.alerts.hook = "/bin/true";
  w.pair.aii.reset();
  w.pair.start_aii();
  w.pair.aii->instance.open_channel = [&](const Config&, const std::string&, AlertTurn) {
    return std::make_unique<Recorder>("aii", w.told, w.failures["aii"], w.odd["aii"]);
  };
  const auto numbers = fictitious_list(300, 5);
  w.pair.drop(kListName, csv_of(numbers));
  w.pair.run_for(48h);
  Names told;
  for (const Told& one : w.told)
    if (one.message.topic == "recorded") told.push_back(one.text());
  std::sort(told.begin(), told.end());
  CHECK(told == Names{"aii: opened recorded RECORDED", "hook: opened recorded RECORDED",
                      "mail: opened recorded RECORDED"});
  CHECK(w.pair.open_alerts(*w.pair.avsb).empty());
  for (const Told& one : w.told) {
    const std::string all = to_json(one.message) + to_text(one.message) + to_html(one.message);
    for (const Insz& number : numbers) {
      const auto digits = number.digits();
      CHECK(all.find(std::string_view(digits.data(), digits.size())) == std::string::npos);
    }
  }
}

TEST_CASE(
    "the list of a year that does not come by its day is missed on both sides, and no more once it is "
    "there") {
  Watched w;
  const int year = static_cast<int>(date_of(w.pair.clock.now()).year());
  REQUIRE(year == kYear);
  w.pair.aii_config.window.list_due = w.pair.avsb_config.window.list_due = std::chrono::March / 1;
  w.pair.aii_config.share.poll = w.pair.avsb_config.share.poll = 30min;
  w.pair.clock.set(parse_time("2026-02-27T12:00:00Z").value());
  w.pair.aii.reset();
  w.pair.start_aii();
  w.pair.avsb.reset();
  w.start();
  w.pair.run_for(59h);  // 1 March, 23:00
  CHECK(w.pair.open_alerts(*w.pair.aii).empty());
  CHECK(w.pair.open_alerts(*w.pair.avsb).empty());
  w.pair.run_for(14h);
  CHECK(w.pair.open_alerts(*w.pair.aii) == Names{"attention LIST_DUE"});
  CHECK(w.pair.open_alerts(*w.pair.avsb) == Names{"attention LIST_DUE"});
  const auto told = w.taken();
  CHECK(std::count(told.begin(), told.end(), "mail: opened list-due LIST_DUE") == 1);
  w.pair.drop(kListName, csv_of(fictitious_list(300, 5)));
  w.pair.run_for(2h);
  CHECK(w.pair.open_alerts(*w.pair.aii).empty());
  CHECK(w.pair.open_alerts(*w.pair.avsb).empty());
}

TEST_CASE("keys that end are told of at 90, 30, 7 and 1 days, unless the next one is there") {
  Watched w;
  w.pair.aii.reset();
  w.pair.avsb.reset();
  w.pair.avsb_config.share.poll = 24h;
  w.pair.clock.set(parse_time("2026-01-15T12:00:00Z").value());
  w.start();
  auto& seal = dynamic_cast<FakeSeal&>(*w.pair.avsb_seal);
  const std::string key = w.pair.avsb_config.own_keys.front().fingerprint;
  const Time end = w.pair.clock.now() + 100 * 24h;
  seal.ends = {{key, end}};
  Names codes;
  for (int day = 0; day < 100; ++day) {
    w.pair.clock.advance(24h);
    while (w.pair.avsb->run()) {
    }
    for (const Told& one : std::exchange(w.told, {}))
      if (one.channel == "hook" && one.message.topic == "key" && one.message.turn != "reminder")
        codes.push_back(fmt::format("{} {} day {}", one.message.turn, one.message.code, day));
  }
  CHECK(codes.size() == 4);
  CHECK(codes.front().starts_with("opened KEY_90"));
  CHECK(codes.back().starts_with("changed KEY_1 "));
  w.pair.avsb.reset();
  w.pair.avsb_config.own_keys.push_back({std::string(40, 'F'), std::nullopt, std::nullopt});
  w.start();
  while (w.pair.avsb->run()) {
  }
  CHECK(w.pair.open_alerts(*w.pair.avsb).empty());
}

TEST_CASE(
    "a flood of alerts is no flood of messages: thirty tell how many there are, and as many on each day that "
    "follows, until all were told") {
  Watched w;
  w.avsb().db.transaction([&] {
    for (int i = 0; i < 200; ++i)
      w.avsb().alerts.raise(fmt::format("bytes:{}", i), AlertKind::finding, "T_INTEGRITY", "", "Look.");
  });
  w.pair.run_for(1h);
  const auto opened = [&](const std::string& channel) {
    const auto told = w.taken();
    return std::count(told.begin(), told.end(), channel + ": opened bytes T_INTEGRITY");
  };
  REQUIRE(w.told.size() == 60);  // by mail and by the hook
  for (const Told& told : w.told) {
    const auto& all = told.message.paragraphs;
    CHECK(std::any_of(all.begin(), all.end(),
                      [](const std::string& text) { return text.find("200 ") != std::string::npos; }));
  }
  CHECK(opened("mail") == 30);
  std::ptrdiff_t told = 30;
  for (int day = 0; day < 14; ++day) {
    w.pass(24h);
    const auto today = opened("mail");
    CHECK(today <= 31);
    told += today;
  }
  CHECK(told == 200);
}

TEST_CASE("findings that drip are no flood either: some thirty a day are told, each of them in the end") {
  Watched w;
  std::set<std::string> threads;
  int today = 0;
  for (int i = 0; i < 8 * 144; ++i) {
    if (i < 90) w.raise(fmt::format("bytes:{}", i), "T_INTEGRITY");
    w.pass(10min);
    for (const Told& one : std::exchange(w.told, {}))
      if (one.channel == "mail" && one.message.turn == "opened") {
        threads.insert(one.message.thread);
        ++today;
      }
    if (i % 144 != 143) continue;
    CHECK(today <= 31);
    today = 0;
  }
  CHECK(threads.size() == 90);
}

TEST_CASE("whom an escalation did not reach is told alone until it does, and then hears how it goes on") {
  const std::string head = "mail:head@avsb.example.org";
  Watched w;
  w.raise();
  w.pass(47h);
  w.taken();
  w.odd["mail"].missed = {{"head@avsb.example.org", Code::s_unreachable, "450 come back later"}};
  w.failures[head] = Error(Code::s_unreachable, "come back later");
  w.pass(61min);
  CHECK(w.taken() ==
        Names{"mail: escalated names T_NAME", "mail: reminder names T_NAME", "hook: reminder names T_NAME"});
  w.odd["mail"].missed.clear();
  w.pass(2h);
  CHECK(w.taken() == Names{"mail: opened recipient S_UNREACHABLE", "hook: opened recipient S_UNREACHABLE"});
  w.failures.clear();
  w.pass(2h);
  const Names told = w.taken();
  CHECK(std::count(told.begin(), told.end(), head + ": escalated names T_NAME") == 1);
  CHECK(std::count(told.begin(), told.end(), "mail: closed recipient S_UNREACHABLE") == 1);
  CHECK(std::count(told.begin(), told.end(), "hook: closed recipient S_UNREACHABLE") == 1);
  w.pass(24h);
  w.close();
  w.pass(1h);
  for (const Told& one : w.told)
    if (one.channel == "mail") CHECK(one.reach == AlertTurn::escalated);
  CHECK(w.taken() == Names{"mail: reminder names T_NAME", "hook: reminder names T_NAME",
                           "hook: closed names T_NAME", "mail: closed names T_NAME"});
}

TEST_CASE("an address that is configured no more is not tried alone any longer") {
  Watched w;
  w.odd["mail"].missed = {{"gone@avsb.example.org", Code::s_unreachable, "450 come back later"}};
  w.failures["mail:gone@avsb.example.org"] = Error(Code::u_state, "it is not configured any more");
  w.raise();
  w.pass(2h);
  CHECK(w.taken().size() == 2);
  CHECK(w.odd["mail:gone@avsb.example.org"].tries == 1);
}

TEST_CASE("a recipient who is refused for good is told of by the very mail that others get") {
  Watched w;
  w.pair.avsb_config.alerts.mail->to = {"gone@avsb.example.org", "operator@avsb.example.org"};
  w.without_hook();
  w.odd["mail"].missed = {{"gone@avsb.example.org", Code::s_rights, "550 no such mailbox"}};
  w.raise();
  w.pass(1h);
  CHECK(w.taken() == Names{"mail: opened names T_NAME", "mail: opened recipient S_RIGHTS"});
  w.odd["mail"].missed.clear();
  w.raise("T_SIZE");
  w.pass(1h);
  CHECK(w.taken() == Names{"mail: changed names T_SIZE", "mail: closed recipient S_RIGHTS"});
}

TEST_CASE("a message that a channel refuses holds up no other, and is told of until it goes") {
  Watched w;
  w.odd["mail"].mishap = Mishap::message;
  w.odd["mail"].refused = "T_NAME";
  w.raise();
  w.pass(2h);
  CHECK(w.taken() ==
        Names{"hook: opened names T_NAME", "mail: opened channel S_RIGHTS", "hook: opened channel S_RIGHTS"});
  w.raise("bytes:x", "T_SIZE");
  w.pass(1min);
  CHECK(w.taken() == Names{"mail: opened bytes T_SIZE", "hook: opened bytes T_SIZE"});
  w.odd["mail"].refused.clear();
  w.pass(1h);
  CHECK(w.taken() ==
        Names{"mail: opened names T_NAME", "hook: closed channel S_RIGHTS", "mail: closed channel S_RIGHTS"});
}

TEST_CASE("a message that makes a channel fail goes behind those that did not") {
  Watched w;
  w.odd["hook"].refused = "T_NAME";
  w.raise();
  w.pass(10min);
  w.taken();
  w.raise("bytes:x", "T_SIZE");
  w.pass(1h);
  const Names told = w.taken();
  CHECK(std::count(told.begin(), told.end(), "hook: opened bytes T_SIZE") == 1);
}

TEST_CASE("a message that nobody answers is said twice more, and counts as told then") {
  Watched w;
  w.failures["mail"] = Error(Code::s_timeout, "nobody says whether it was taken");
  w.odd["mail"].mishap = Mishap::unanswered;
  w.raise();
  w.pass(12h);
  CHECK(w.odd["mail"].tries == 3);
  CHECK(w.taken() == Names{"hook: opened names T_NAME", "hook: opened channel S_TIMEOUT"});
}

TEST_CASE("a channel that hangs is tried once a while, however many messages wait for it") {
  Watched w;
  w.failures["mail"] = Error(Code::s_timeout, "it hangs");
  for (int i = 0; i < 60; ++i) {
    w.raise(fmt::format("names:{}", i), fmt::format("T_{}", i));
    w.pass(1min);
  }
  CHECK(w.odd["mail"].tries <= 7);
  w.failures.clear();
  w.pass(1h);
  const Names told = w.taken();
  for (int i = 0; i < 60; ++i)
    CHECK(std::count(told.begin(), told.end(), fmt::format("mail: opened names T_{}", i)) == 1);
}

TEST_CASE("what was wrong for more than an hour while nobody could be told is told once it is over") {
  Watched w;
  w.without_hook();
  w.failures["mail"] = Error(Code::s_unreachable, "gone");
  w.raise();
  w.pass(10min);
  w.close();
  w.raise();
  w.pass(2h);
  w.close();
  w.pass(1h);
  w.failures.clear();
  w.pass(2h);
  REQUIRE(w.told.size() == 1);
  const auto& all = w.told.front().message.paragraphs;
  CHECK(std::any_of(all.begin(), all.end(), [](const std::string& text) {
    return text.starts_with("Van ") || text.starts_with("From ");
  }));
  CHECK(w.taken() == Names{"mail: closed names T_NAME"});
}

TEST_CASE("a step that somebody took up is told anew when it comes to need a person, once a day at most") {
  Watched w;
  const std::string cause = step_cause("0190a1b2");
  w.raise(cause, "S_UNREACHABLE");
  w.pass(1h);
  w.acknowledge(1);
  w.taken();
  w.raise(cause, "S_TIMEOUT");
  w.pass(1h);
  CHECK(w.taken().empty());
  w.raise(cause, "S_RIGHTS");
  CHECK_FALSE(w.avsb().alerts.find(1)->acknowledged_at);
  w.pass(1h);
  CHECK(w.taken() == Names{"mail: changed step S_RIGHTS", "hook: changed step S_RIGHTS"});
  w.acknowledge(1);
  w.raise(cause, "S_UNREACHABLE");
  w.raise(cause, "S_RIGHTS");
  w.pass(24h);
  CHECK(w.taken().empty());
  w.raise(cause, "S_UNREACHABLE");
  w.raise(cause, "S_RIGHTS");
  w.pass(1h);
  CHECK(w.taken() == Names{"mail: changed step S_RIGHTS", "hook: changed step S_RIGHTS"});
}

TEST_CASE("a trial that does not reach every recipient proves nothing") {
  Watched w;
  w.odd["mail"].missed = {{"operator@avsb.example.org", Code::s_unreachable, "450 come back later"}};
  CHECK(code_of([&] { AlertPost(w.avsb()).try_all({}); }) == Code::u_state);
  CHECK(w.avsb().settings.proof_of("mail").empty());
  CHECK(w.avsb().settings.proof_of("hook") == w.avsb().config.alerts.digest_of("hook"));
  w.odd["mail"].missed.clear();
  AlertPost(w.avsb()).try_all({});
  CHECK(w.avsb().settings.proof_of("mail") == w.avsb().config.alerts.digest_of("mail"));
}

TEST_CASE("of a key whose primary lasts longer people are told that it can be renewed") {
  Watched w;
  w.pair.avsb.reset();
  w.pair.clock.set(parse_time("2026-01-15T12:00:00Z").value());
  w.start();
  auto& seal = dynamic_cast<FakeSeal&>(*w.pair.avsb_seal);
  const std::string ours = w.pair.avsb_config.own_keys.front().fingerprint;
  const std::string theirs = w.pair.avsb_config.counterparty_keys.front().fingerprint;
  const auto renewable = GENERATE(true, false);
  const Time end = w.pair.clock.now() + 20 * 24h;
  seal.ends = {{ours, end, renewable}, {theirs, end, renewable}};
  w.pair.run_for(25h);
  const auto rows = w.avsb().db.query("SELECT text FROM alert WHERE code = 'KEY_30'");
  CHECK(rows.size() == 2);
  for (const Row& row : rows) {
    INFO(row.text(0));
    CHECK((row.text(0).find("keys renew") != std::string::npos) == renewable);
  }
}

TEST_CASE("an audit chain that somebody changed is found within a day") {
  Watched w;
  w.pair.drop(kListName, csv_of(fictitious_list(300, 5)));
  w.pair.run_for(1h);
  w.avsb().db.execute("UPDATE audit SET record = replace(record, '300', '299') WHERE event = 'recorded'");
  w.pair.run_for(25h);
  CHECK(w.pair.open_alerts(*w.pair.avsb) == Names{"finding L_AUDIT"});
}

TEST_CASE("every topic has a headline and a meaning in both languages, and a command that exists") {
  Config config;
  config.party = "aii";
  for (const std::string_view topic : kTopics)
    for (const Language language : {Language::nl, Language::en})
      for (const AlertTurn turn :
           {AlertTurn::opened, AlertTurn::reminder, AlertTurn::escalated, AlertTurn::closed}) {
        config.language = language;
        Alert alert;
        alert.cause = fmt::format("{}:x", topic);
        alert.kind = "attention";
        alert.exchange = "0190a1b2-0000-7000-8000-000000000000";
        alert.text = "What happened.";
        Telling telling;
        telling.turn = turn;
        const AlertMessage message = message_of(alert, telling, config, {});
        CAPTURE(topic, message.headline);
        CHECK(message.topic == topic);
        CHECK(message.headline.size() > 10);
        CHECK(message.paragraphs.size() >= (turn == AlertTurn::closed ? 3U : 4U));
        CHECK(to_text(message).find('{') == std::string::npos);
        if (turn != AlertTurn::closed && topic != "recorded")
          CHECK(message.command.starts_with("veer -i aii "));
        alert.cause = "no-such:x";
        CHECK(message_of(alert, telling, config, {}).headline.size() > 10);
      }
}

TEST_CASE("the journal's catalog says what every topic means, in both languages") {
  for (const Language language : {Language::nl, Language::en}) {
    const std::string catalog = journal_catalog(language);
    CHECK(catalog.find('{') == std::string::npos);
    std::size_t subjects = 0;
    for (std::size_t at = 0; (at = catalog.find("\nSubject: ", at)) != std::string::npos; ++at) ++subjects;
    CHECK(subjects == kTopics.size());
    for (const std::string_view topic : kTopics) {
      const std::string id = message_id(topic);
      CHECK(id.size() == 32);
      const std::size_t at = catalog.find("-- " + id + "\n");
      REQUIRE(at != std::string::npos);
      CHECK(catalog.find("-- " + id, at + 1) == std::string::npos);
    }
  }
}

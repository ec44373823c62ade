// People are told by the real program, through a real mail server, a webhook and a hook.

#include <algorithm>
#include <regex>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "daemon/alert_texts.h"
#include "daemon/alert_topics.h"
#include "support/fictitious.h"
#include "support/mail_server.h"
#include "support/webhook_receiver.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;

namespace {

/// AII, which is told by all three ways.
struct Told {
  Installation both;
  MailServer mail;
  WebhookReceiver webhook;

  Told() {
    write_file(both.path("mail-ca.pem"), mail.ca());
    write_file(both.path("mail-password"), std::string(MailServer::kPassword) + "\n");
    write_file(both.path("webhook-ca.pem"), webhook.ca());
    write_file(both.path("webhook-url"), webhook.url() + "\n");
    write_file(both.path("webhook-secret"), WebhookReceiver::kSecret);
    write_file(both.path("hook"), fmt::format("#!/bin/sh\ncat >> {}\n", both.path("hook.out").native()),
               0700);
    write_file(
        both.config("aii"),
        read_file(both.config("aii")) +
            fmt::format("\n[alerts]\nhook = \"{0}/hook\"\n"
                        "[alerts.mail]\nserver = \"localhost\"\nport = {1}\nuser = \"{2}\"\n"
                        "password = \"file:{0}/mail-password\"\nfrom = \"veerdienst@aii.example.org\"\n"
                        "to = [\"operator@aii.example.org\"]\nescalate_to = [\"head@aii.example.org\"]\n"
                        "ca = \"{0}/mail-ca.pem\"\n"
                        "[alerts.webhook]\nurl = \"file:{0}/webhook-url\"\nsecret = "
                        "\"file:{0}/webhook-secret\"\nca = \"{0}/webhook-ca.pem\"\n",
                        both.path("").lexically_normal().parent_path().native(), mail.port(),
                        MailServer::kUser));
  }
};

}  // namespace

TEST_CASE("a trial of the alerts reaches people by every way, and says so; one that fails is named") {
  Told t;
  const ShellResult well = t.both.veer("aii", "alerts test");
  INFO(well.output);
  CHECK(well.exit_code == 0);
  for (const char* channel : {"mail: sent", "webhook: sent", "hook: sent"}) CHECK(has(well.output, channel));
  const std::string arrived = t.mail.wait_for(1).front();
  INFO(arrived);
  CHECK(has(arrived, "operator@aii.example.org"));
  CHECK(has(arrived, "head@aii.example.org"));
  CHECK(has(arrived, "Subject: [aii test] Trial message"));
  const json posted = t.webhook.wait_for(1).front();
  CHECK(posted["signed"] == true);
  CHECK(posted["body"]["turn"] == "trial");
  CHECK(json::parse(text_in(t.both.path("hook.out")))["topic"] == "trial");

  t.mail.stop();
  const ShellResult broken = t.both.veer("aii", "alerts test");
  CHECK(broken.exit_code == 1);
  CHECK(has(broken.output, "mail: failed: S_UNREACHABLE"));
  CHECK(has(broken.output, "webhook: sent"));
  CHECK_FALSE(has(broken.output, MailServer::kPassword));
  CHECK_FALSE(has(broken.output, "geheim"));
}

TEST_CASE("without a way to reach people a trial says what to add") {
  const Installation both;
  const ShellResult none = both.veer("aii", "alerts test");
  CHECK(none.exit_code != 0);
  CHECK(has(none.output, "[alerts.mail]"));
}

TEST_CASE("a unit that failed is told of past the books; its check not when a service told all of it") {
  Told t;
  const std::string tell = "alerts failed veerdienst@aii.service";
  write_file(t.both.path("aii") / "ledger.db", "no database any more");
  const ShellResult told = t.both.veer("aii", tell);
  INFO(told.output);
  CHECK(told.exit_code == 0);
  for (const char* channel : {"mail: told", "webhook: told", "hook: told"}) CHECK(has(told.output, channel));
  const std::string arrived = t.mail.wait_for(1).front();
  INFO(arrived);
  CHECK(has(arrived, "Subject: [aii test] The service has failed"));
  CHECK(has(arrived, "head@aii.example.org"));
  CHECK(has(arrived, "systemctl status veerdienst@aii.service"));
  const json posted = t.webhook.wait_for(1).front()["body"];
  CHECK(posted["topic"] == "failed");
  CHECK(posted["severity"] == "attention");

  t.mail.stop();
  const ShellResult without_mail = t.both.veer("aii", tell);
  CHECK(without_mail.exit_code != 0);
  CHECK(has(without_mail.output, "mail: failed: S_UNREACHABLE"));
  CHECK(has(without_mail.output, "webhook: told"));
  CHECK(t.webhook.wait_for(2).size() == 2);

  remove_file(t.both.path("aii") / "ledger.db");
  const auto service = t.both.serve("aii");
  wait_until([&] { return has(t.both.veer("aii", "status").output, "the service runs"); });
  const std::string check = "alerts failed veerdienst-check@aii.service";
  // systemd says how the check ended: with 3 when alerts are open, which were told.
  REQUIRE(setenv("MONITOR_EXIT_STATUS", "3", 1) == 0);
  CHECK(has(t.both.veer("aii", check).output, "the service runs, and tells people itself"));
  REQUIRE(setenv("MONITOR_EXIT_STATUS", "1", 1) == 0);
  CHECK(has(t.both.veer("aii", check).output, "webhook: told"));
  unsetenv("MONITOR_EXIT_STATUS");
  CHECK(t.webhook.wait_for(3).size() == 3);
  CHECK(has(t.both.veer("aii", tell).output, "webhook: told"));  // its lock proves nothing then
  CHECK(t.webhook.wait_for(4).size() == 4);
  for (const char* foreign : {"ssh.service", "veerdienst@26090100123.service", "veerdienst@.service"})
    CHECK(t.both.veer("aii", std::string("alerts failed ") + foreign).exit_code == 2);
  CHECK(has(t.both.veer("avsb", "alerts failed veerdienst@avsb.service").output, "nobody was told"));
}

TEST_CASE("every command that an alert tells people to type is one that can be typed as it stands there") {
  Config config;
  config.file = "/nowhere/aii.toml";
  std::set<std::string> commands;
  const auto collect = [&](const std::string& text) {
    static const std::regex kQuoted("'(veer [^'\n]*)'");
    for (auto it = std::sregex_iterator(text.begin(), text.end(), kQuoted); it != std::sregex_iterator();
         ++it)
      commands.insert((*it)[1]);
  };
  for (const std::string_view topic : kTopics)
    for (const Language language : {Language::nl, Language::en}) {
      config.language = language;
      Alert alert;
      alert.id = 7;
      alert.cause = fmt::format("{}:2026", topic);
      alert.kind = "finding";
      alert.exchange = "0190a1b2-0000-7000-8000-000000000000";
      const AlertMessage message = message_of(alert, {}, config, {}, 11);
      collect(to_text(message));
      commands.insert(message.command);
      Incident incident;
      incident.id = 7;
      incident.cause = alert.cause;
      const AlertMessage urgent = message_of(alert, {}, config, {}, 0, {incident});
      collect(to_text(urgent));
      commands.insert(urgent.command);
    }
  commands.erase("");
  // What the program says of each by itself, with a year wherever something is to be put in.
  for (const char* file :
       {"case_deadlines", "closing",      "deadlines",       "delivering", "distribution", "ends",
        "erasure",        "engine",       "engine_commands", "hand_over",  "inbox",        "intake",
        "officer",        "open_matters", "receiver",        "restore",    "reporting",    "rules",
        "sealing",        "sender",       "shared_alerts",   "suspension"}) {
    const std::string source = read_file(fmt::format("{}/daemon/{}.cpp", VEER_SOURCE_DIR, file));
    const std::string joined = std::regex_replace(source, std::regex("\"\\s*\n\\s*\""), "");
    collect(as_typed(std::regex_replace(joined, std::regex("\\{\\d*\\}"), "2026"), config));
  }
  CHECK(commands.size() > 30);
  for (const std::string& command : commands) {
    CAPTURE(command);
    REQUIRE(command.starts_with("veer -c /nowhere/aii.toml "));
    const ShellResult typed = shell(VEER_PROGRAM + command.substr(4) + " </dev/null 2>&1");
    CAPTURE(typed.output);
    CHECK_FALSE(has(typed.output, "--help'"));
  }
}

TEST_CASE("a finding reaches people by mail, is taken up and closed by commands, and good news comes once") {
  Told t;
  const auto aii = t.both.serve("aii");
  const auto avsb = t.both.serve("avsb");
  const std::string list = fictitious_csv(500, 9);
  t.both.drop(t.both.list_name(), list);
  const std::string news = t.mail.wait_for(1).front();
  INFO(news);
  CHECK(has(news, "The list is recorded"));
  CHECK(has(news, "500 numbers"));

  write_file(t.both.server().root() / "to_aii" / "veerdienst-avsb-aii-stray.txt", "not ours");
  t.both.veer("aii", "poll");
  const std::string alarm = t.mail.wait_for(2).back();
  CHECK(has(alarm, "T_NAME"));
  CHECK(has(alarm, " status"));
  const json open = json_of(t.both, "aii", "alerts");
  REQUIRE(open.size() == 1);
  const std::string number = std::to_string(open[0]["number"].get<int>());
  CHECK(t.both.veer("aii", "alerts acknowledge " + number).exit_code == 0);
  const json taken = json_of(t.both, "aii", "alerts show " + number);
  CHECK(has(taken["acknowledged_by"], "("));
  CHECK(taken["told"].size() >= 3);
  CHECK(has(t.both.veer("aii", "alerts show " + number).output, "taken up"));
  CHECK(t.both.veer("aii", "alerts show 999").exit_code == 1);
  CHECK(t.both.veer("aii", "alerts acknowledge 1x").exit_code == 2);
  CHECK(t.both.veer("aii", "alerts close " + number).exit_code == 0);
  // The file still lies there, so that the next look tells of it anew.
  wait_until([&] {
    const auto mails = t.mail.mails();
    return std::any_of(mails.begin(), mails.end(),
                       [](const std::string& mail) { return has(mail, "Subject: [aii test] Closed:"); });
  });
  for (std::size_t at = 0; at + 11 < list.size(); at += 13)
    for (const std::string& mail : t.mail.mails()) REQUIRE_FALSE(has(mail, list.substr(at, 11)));
}

#include "connectors/alert_channel.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/stat.h>

#include "connectors/command_channel.h"
#include "connectors/mail_channel.h"
#include "connectors/webhook_channel.h"
#include "core/error.h"
#include "core/files.h"
#include "support/mail_server.h"
#include "support/text.h"
#include "support/thrown.h"
#include "support/webhook_receiver.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;

namespace {

AlertMessage message() {
  return {.id = "aii.7.2",
          .thread = "aii.7.1",
          .instance = "aii",
          .environment = "test",
          .turn = "reminder",
          .severity = "attention",
          .topic = "overdue",
          .code = "S_UNREACHABLE",
          .exchange = "0190a1b2",
          .opened = parse_time("2026-01-05T08:00:00Z").value(),
          .at = parse_time("2026-01-06T08:00:00Z").value(),
          .language = "nl",
          .headline = "De ontvangst van de lijst is nog niet bevestigd – één dag te laat",
          .paragraphs = {"Sinds gisteren < vandaag & \"morgen\".", "Ze wacht."},
          .command = "veer --instance aii status"};
}

MailOptions to(const MailServer& server) {
  return {.host = "localhost",
          .port = server.port(),
          .user = MailServer::kUser,
          .password = Secret(std::string(MailServer::kPassword)),
          .from = "veerdienst@aii.example.org",
          .to = {"operator@aii.example.org", "approver@aii.example.org"},
          .ca = server.ca()};
}

std::optional<Error> refusal_of(MailOptions options) {
  return thrown([&] { MailChannel(std::move(options)).send(message(), {}); });
}

HttpOptions web(const WebhookReceiver& receiver, std::chrono::milliseconds timeout = 30s) {
  HttpOptions options;
  options.ca = receiver.ca();
  options.timeout = timeout;
  return options;
}

std::string script_in(const TempFolder& folder, const std::string& lines) {
  const std::string path = (folder / "hook").native();
  write_file(path, "#!/bin/sh\n" + lines + "\n", 0700);
  return path;
}

}  // namespace

TEST_CASE("a mail reaches all recipients once, signed in over TLS, as text and as HTML, in its thread") {
  const MailServer server;
  CHECK(MailChannel(to(server)).send(message(), {}).empty());
  const auto mails = server.wait_for(1);
  REQUIRE(mails.size() == 1);
  const std::string& mail = mails.front();
  INFO(mail);
  CHECK(has(mail, "Envelope-to: operator@aii.example.org,"));
  CHECK(has(mail, "approver@aii.example.org"));
  CHECK(has(mail, "\nFrom: Veerdienst <veerdienst@aii.example.org>\n"));
  CHECK(has(mail, "\nMessage-ID: <aii.7.2@aii.example.org>\n"));
  CHECK(has(mail, "\nIn-Reply-To: <aii.7.1@aii.example.org>\n"));
  CHECK(has(mail, "\nDate: Tue, 06 Jan 2026 08:00:00 +0000\n"));
  CHECK(has(mail, "\nSubject: =?utf-8?B?W2FpaSB0ZXN0XSBEZSBvbnR2YW5nc3Q"));
  CHECK(has(mail, "\nAuto-Submitted: auto-generated\n"));
  CHECK(has(mail, "Content-Type: multipart/alternative;"));
  CHECK(has(mail, "Content-Type: text/plain; charset=utf-8\n"));
  CHECK(has(mail, "Sinds gisteren < vandaag & \"morgen\"."));
  CHECK(has(mail, "Content-Type: text/html; charset=utf-8\n"));
  CHECK(has(mail, "Sinds gisteren &lt; vandaag &amp; &quot;morgen&quot;."));
  CHECK(has(mail, "    veer --instance aii status\n"));
  CHECK(has(server.log(), "P=esmtpsa"));
}

TEST_CASE("mail goes by TLS from the start too, and in the clear to a relay that wants nothing else") {
  {
    const MailServer server(MailTls::at_once);
    MailOptions options = to(server);
    options.security = MailSecurity::tls;
    CHECK(MailChannel(std::move(options)).send(message(), {}).empty());
    CHECK(server.wait_for(1).size() == 1);
  }
  const MailServer server(MailTls::none);
  MailOptions options = to(server);
  options.user.clear();
  options.security = MailSecurity::none;
  CHECK(MailChannel(std::move(options)).send(message(), {}).empty());
  CHECK(server.wait_for(1).size() == 1);
}

TEST_CASE("a mail server that is not what it should be gets neither password nor message") {
  const MailServer server;
  SECTION("another authority's certificate") {
    MailOptions options = to(server);
    options.ca = Authority("another").certificate();
    CHECK(refusal_of(std::move(options))->code() == Code::s_host_key);
  }
  SECTION("another name") {
    MailOptions options = to(server);
    options.host = "127.0.0.2";
    const auto error = refusal_of(std::move(options));
    CHECK((error->code() == Code::s_host_key || error->code() == Code::s_unreachable));
  }
  SECTION("no TLS") {
    const MailServer plain(MailTls::none);
    MailOptions options = to(plain);
    CHECK(refusal_of(std::move(options))->code() == Code::s_algorithm);
    CHECK(plain.mails().empty());
  }
  CHECK(server.mails().empty());
}

TEST_CASE("what a mail server refuses is told with its words and the remedy") {
  MailServer server;
  SECTION("the sign-in") {
    MailOptions options = to(server);
    options.password = Secret(std::string("wrong"));
    const auto error = refusal_of(std::move(options));
    CHECK(error->code() == Code::s_rights);
    CHECK(has(error->message(), "check user and password"));
    CHECK_FALSE(has(error->message(), "wrong"));
  }
  SECTION("every recipient for good") {
    MailOptions options = to(server);
    options.to = {"nobody@aii.example.org"};
    const auto error = refusal_of(std::move(options));
    CHECK(error->code() == Code::s_rights);
    CHECK(has(error->message(), "no such mailbox"));
  }
  SECTION("every recipient for now") {
    MailOptions options = to(server);
    options.to = {"grey@aii.example.org"};
    const auto error = refusal_of(std::move(options));
    CHECK(error->code() == Code::s_unreachable);
    CHECK(has(error->message(), "come back later"));
  }
  SECTION("all for want of room") {
    server.fill_up();
    CHECK(refusal_of(to(server))->code() == Code::s_unreachable);
    server.make_room();
    CHECK_FALSE(refusal_of(to(server)));
  }
  SECTION("it is gone") {
    server.stop();
    CHECK(refusal_of(to(server))->code() == Code::s_unreachable);
  }
}

TEST_CASE("a recipient that the server refuses keeps the others from nothing, and is told") {
  const MailServer server;
  MailOptions options = to(server);
  options.to = {"nobody@aii.example.org", "operator@aii.example.org"};
  MailChannel channel(std::move(options));
  const std::string remark = channel.send(message(), {});
  CHECK(has(remark, "refused 1 of 2 recipients (nobody@aii.example.org: '550 no such mailbox')"));
  REQUIRE(channel.missed().size() == 1);
  CHECK(channel.missed().front().recipient == "nobody@aii.example.org");
  CHECK(channel.missed().front().code == Code::s_rights);
  CHECK(has(server.wait_for(1).front(), "Envelope-to: operator@aii.example.org\n"));
}

TEST_CASE("a recipient who is to come back later is known by that") {
  const MailServer server;
  MailOptions options = to(server);
  options.to = {"operator@aii.example.org", "grey@aii.example.org"};
  MailChannel channel(std::move(options));
  channel.send(message(), {});
  REQUIRE(channel.missed().size() == 1);
  CHECK(channel.missed().front().recipient == "grey@aii.example.org");
  CHECK(channel.missed().front().code == Code::s_unreachable);
}

TEST_CASE("a mail server that refuses a message as such is told from one that takes none") {
  MailServer server;
  MailChannel channel(to(server));
  AlertMessage unwanted = message();
  unwanted.headline = "Unwanted";
  const auto refusal = thrown([&] { channel.send(unwanted, {}); });
  REQUIRE(refusal);
  CHECK(refusal->code() == Code::s_rights);
  CHECK(has(refusal->message(), "we want none of this"));
  CHECK(channel.mishap() == Mishap::message);
  CHECK(channel.send(message(), {}).empty());
  server.stop();
  CHECK(thrown([&] { channel.send(message(), {}); }));
  CHECK(channel.mishap() == Mishap::channel);
}

TEST_CASE("a server that takes its time over a whole message is waited for, and left in doubt in the end") {
  MailServer server;
  server.slow_down();
  MailOptions options = to(server);
  options.timeout = 5s;  // less than it takes
  std::uint64_t progress = 0;
  Transfer transfer;
  transfer.progress = [&](std::uint64_t done) { progress = done; };
  CHECK(MailChannel(std::move(options)).send(message(), transfer).empty());
  CHECK(progress >= 5);
  MailOptions hasty = to(server);
  hasty.acceptance = 1s;
  MailChannel impatient(std::move(hasty));
  const auto late = thrown([&] { impatient.send(message(), {}); });
  REQUIRE(late);
  CHECK(late->code() == Code::s_timeout);
  CHECK(impatient.mishap() == Mishap::unanswered);
}

TEST_CASE("a mail address is one that needs no quoting") {
  for (const char* good : {"a@b", "operator@aii.example.org", "first.last+tag@x-y.example.org"})
    CHECK(is_mail_address(good));
  for (const char* bad : {"", "@", "a@", "@b", "a b@c", "a@b@c", "<a@b>", "a@b\r\nBcc: c@d", "a\"@b", "é@b"})
    CHECK_FALSE(is_mail_address(bad));
}

TEST_CASE("a webhook gets the message as JSON, signed with the secret of both ends") {
  const WebhookReceiver receiver;
  WebhookChannel channel({.url = Secret(receiver.url()),
                          .secret = Secret(std::string(WebhookReceiver::kSecret)),
                          .http = web(receiver)});
  CHECK(channel.send(message(), {}).empty());
  const auto got = receiver.wait_for(1).front();
  CHECK(got["path"] == "/hook?sig=geheim");
  CHECK(got["signed"] == true);
  CHECK(got["id"] == "aii.7.2");
  CHECK(got["at"] == 1767686400);
  CHECK(got["type"] == "application/json");
  CHECK(got["body"]["turn"] == "reminder");
  CHECK(got["body"]["headline"] == message().headline);
  CHECK(got["body"]["paragraphs"] == message().paragraphs);
  CHECK(got["body"]["opened"] == "2026-01-05T08:00:00.000Z");

  WebhookChannel other(
      {.url = Secret(receiver.url()), .secret = Secret(std::string("another")), .http = web(receiver)});
  other.send(message(), {});
  CHECK(receiver.wait_for(2).back()["signed"] == false);
}

TEST_CASE("Teams gets an Adaptive Card") {
  const WebhookReceiver receiver;
  WebhookChannel channel(
      {.url = Secret(receiver.url()), .secret = {}, .body = WebhookBody::teams, .http = web(receiver)});
  AlertMessage marked = message();
  marked.paragraphs = {"a_b *c* [d](https://e.example.org)"};
  channel.send(marked, {});
  const auto body = receiver.wait_for(1).front()["body"];
  CHECK(body["type"] == "message");
  const auto& attached = body["attachments"][0];
  CHECK(attached["contentType"] == "application/vnd.microsoft.card.adaptive");
  CHECK(attached["content"]["type"] == "AdaptiveCard");
  CHECK(attached["content"]["body"][0]["text"] == message().headline);
  CHECK(attached["content"]["body"][1]["text"] == R"(a\_b \*c\* \[d\]\(https://e.example.org\))");
}

TEST_CASE("what a webhook answers decides when it is tried again, and its address is not told") {
  WebhookReceiver receiver;
  WebhookChannel channel({.url = Secret(receiver.url()), .secret = {}, .http = web(receiver, 2s)});
  const auto refusal = [&](const std::string& answer) {
    receiver.answer(answer);
    const auto error = thrown([&] { channel.send(message(), {}); });
    REQUIRE(error);
    CHECK_FALSE(has(error->message(), "geheim"));
    return *error;
  };
  const Error busy = refusal("503 7");
  CHECK(busy.code() == Code::s_throttled);
  CHECK(busy.retry_after() == 7s);
  CHECK(refusal("404").code() == Code::s_rights);
  CHECK(refusal("500").code() == Code::s_unreachable);
  CHECK(refusal("302").code() == Code::s_protocol);
  CHECK(channel.mishap() == Mishap::channel);
  for (const char* of_this_message : {"400", "413", "422"}) {
    CHECK(refusal(of_this_message).code() == Code::s_protocol);
    CHECK(channel.mishap() == Mishap::message);
  }
  CHECK(refusal("hang").code() == Code::s_timeout);
  for (const auto& got : receiver.received()) CHECK(got["path"] == "/hook?sig=geheim");

  const auto stranger = thrown(
      [&] { WebhookChannel({.url = Secret(receiver.url()), .secret = {}, .http = {}}).send(message(), {}); });
  REQUIRE(stranger);
  CHECK(stranger->code() == Code::s_host_key);
  CHECK(thrown([] {
          WebhookChannel({.url = Secret(std::string("http://a.example.org/")), .secret = {}, .http = {}});
        })->code() == Code::c_credential);
}

TEST_CASE("a hook gets the message on its input, its kind as arguments, and nothing of our environment") {
  const TempFolder folder;
  setenv("VEER_TEST_SECRET", "geheim", 1);
  CommandChannel channel(script_in(folder, "cat > " + (folder / "got").native() + "; echo \"$@\" > " +
                                               (folder / "words").native() + "; env > " +
                                               (folder / "env").native() + "; ls /proc/$$/fd > " +
                                               (folder / "fds").native()));
  CHECK(channel.send(message(), {}).empty());
  CHECK(nlohmann::json::parse(text_in(folder / "got"))["headline"] == message().headline);
  CHECK(text_in(folder / "words") == "reminder attention overdue\n");
  CHECK_FALSE(has(text_in(folder / "env"), "geheim"));
}

TEST_CASE("a hook that fails, hangs or is not there is told, and leaves nothing running") {
  const TempFolder folder;
  const auto refusal = [&](const std::string& lines) {
    CommandChannel channel(script_in(folder, lines), 300ms);
    return thrown([&] { channel.send(message(), {}); });
  };
  CHECK(refusal("exit 3")->message().ends_with("ended with code 3"));
  CHECK(refusal("kill -9 $$")->message().ends_with("ended with signal 9"));
  CHECK(refusal("sleep 61 & echo $! > " + (folder / "pid").native() + "; wait")->code() == Code::s_timeout);
  const int left = std::stoi(text_in(folder / "pid"));
  wait_until(
      [&] { return kill(left, 0) != 0 || has(text_in("/proc/" + std::to_string(left) + "/stat"), ") Z"); });
  const auto missing = thrown([&] { CommandChannel((folder / "none").native()).send(message(), {}); });
  CHECK(missing->code() == Code::s_unreachable);
}

TEST_CASE("a stop ends the telling at once") {
  WebhookReceiver receiver;
  receiver.answer("hang");
  std::stop_source stop;
  stop.request_stop();
  WebhookChannel webhook({.url = Secret(receiver.url()), .secret = {}, .http = web(receiver)});
  CHECK(thrown([&] { webhook.send(message(), {.stop = stop.get_token()}); })->code() == Code::l_stopped);
  const TempFolder folder;
  CommandChannel hook(script_in(folder, "sleep 60"));
  CHECK(thrown([&] { hook.send(message(), {.stop = stop.get_token()}); })->code() == Code::l_stopped);
  const MailServer server;
  MailChannel mail(to(server));
  CHECK(thrown([&] { mail.send(message(), {.stop = stop.get_token()}); })->code() == Code::l_stopped);
  CHECK(server.mails().empty());
}

// The program as people use it: both sides, a real server between them, real GnuPG, good and bad input.

#include <chrono>
#include <csignal>

#include <catch2/catch.hpp>
#include <unistd.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"
#include "daemon/texts.h"
#include "support/canary.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;

TEST_CASE("a list sent by hand is acknowledged, and everything can be looked at afterwards") {
  const Installation both(GENERATE("sftp", "ftps", "sharepoint"));
  const auto avsb = both.serve("avsb");
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(1000, 3));

  const ShellResult sent = both.veer("aii", "send " + file + " --wait --timeout 60");
  INFO(sent.output);
  REQUIRE(sent.exit_code == 0);
  CHECK(has(sent.output, "acknowledged"));
  CHECK(has(sent.output, "\"status\": \"recorded\""));
  CHECK(fs::exists(file));

  const json list = json::parse(both.veer("aii", "--json list").output);
  REQUIRE(list.size() == 1);
  CHECK(list[0]["records"] == 1000);
  CHECK(list[0]["stage"] == "acknowledged");
  const std::string id = list[0]["exchange"];

  const json shown = json::parse(both.veer("aii", "--json show " + id.substr(0, 8)).output);
  CHECK(shown["receipt"]["package_sha256"] == shown["package_sha256"]);
  CHECK(shown["history"].size() >= 3);
  CHECK(has(both.veer("aii", "show " + id).output, "acknowledged since"));

  const json status = json::parse(both.veer("avsb", "--json status").output);
  CHECK(status["running"] == true);
  CHECK(status["register"][0]["numbers"] == 1000);
  CHECK(both.veer("avsb", "status").exit_code == 0);

  // The proof, with bare tools.
  const std::string tar = both.path("receipt.tar");
  const ShellResult written = both.veer("aii", "receipt " + id + " -o " + tar);
  CHECK(written.exit_code == 0);
  CHECK(has(written.output, "gpg --homedir " + (both.path("aii") / "gnupg").native()));
  CHECK(both.veer("aii", "receipt " + id + " -o " + tar).exit_code == 2);  // never overwrites
  const ShellResult verified =
      shell("cd " + both.path("").native() + " && tar xf receipt.tar && gpg --homedir " +
            (both.path("aii") / "gnupg").native() +
            " --with-fingerprint --verify receipt.json.sig receipt.json 2>&1");
  CHECK(verified.exit_code == 0);
  CHECK(has(verified.output, "Good signature"));
  std::string shown_key = verified.output.substr(verified.output.find("Primary key fingerprint:"));
  std::erase(shown_key, ' ');
  CHECK(has(shown_key, json_of(both, "avsb", "keys export")["fingerprint"].get<std::string>()));
  const std::string told = "58102890033";
  for (const std::string& command :
       {"receipt " + id + " -o " + both.path(told + ".tar").native(), "backup " + both.path(told).native()}) {
    const ShellResult refused = both.veer("aii", command);
    CHECK(refused.exit_code == 2);
    CHECK_FALSE(has(refused.output, told));
  }

  // Each side's chain against the other's memory of it.
  std::string anchor = both.veer("aii", "audit anchors").output;
  anchor = anchor.substr(anchor.find(' ') + 1);
  anchor = anchor.substr(0, anchor.find(' '));
  const ShellResult walked = both.veer("avsb", "audit verify --anchor " + anchor);
  CHECK(walked.exit_code == 0);
  CHECK(has(walked.output, "the chain is whole up to record " + anchor.substr(0, anchor.find(':')) + ";"));
  CHECK(has(walked.output, "1 anchor"));
  const ShellResult alone = both.veer("avsb", "audit verify");
  CHECK(alone.exit_code == 0);
  CHECK(has(alone.output, "nothing known here contradicts the chain"));
  CHECK_FALSE(has(alone.output, "whole"));
  anchor.back() = anchor.back() == '0' ? '1' : '0';
  CHECK(both.veer("avsb", "audit verify --anchor " + anchor).exit_code == 1);

  // A second list for the year is refused by the rules, and names the first.
  write_file(file, fictitious_csv(10, 4));
  const ShellResult again = both.veer("aii", "send " + file);
  CHECK(again.exit_code == 13);
  CHECK(has(again.output, "F_SECOND_LIST"));
  CHECK(has(again.output, id));
  CHECK(both.veer("aii", "withdraw " + id).exit_code == 1);
  CHECK(both.veer("aii", "resend " + id).exit_code == 0);
}

TEST_CASE("commands go to the service when one runs, and only one process works on an instance") {
  const Installation both;
  const auto aii = both.serve("aii");
  wait_until([&] { return has(both.veer("aii", "status").output, "the service runs"); });
  const ShellResult second = both.veer("aii", "run --once");
  CHECK(second.exit_code == 1);
  CHECK(has(second.output, "L_LOCK"));
  CHECK(both.veer("aii", "poll").exit_code == 0);
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(10, 4));
  CHECK(both.veer("aii", "send " + file).exit_code == 0);
  wait_until([&] { return has(both.veer("aii", "list").output, "sent"); });
  const std::string id = json::parse(both.veer("aii", "--json list").output)[0]["exchange"];
  CHECK(both.veer("aii", "withdraw " + id).exit_code == 0);
  CHECK(has(both.veer("aii", "list").output, "withdrawn"));
  CHECK(fs::is_empty(both.server().root() / "to_avsb"));
  CHECK(aii->end(SIGTERM) == 0);
  CHECK(has(text_in(both.path("aii.log")), " stops\n"));
}

TEST_CASE("what lies in the drop folder is seen by status, and run --once waits until it has settled") {
  const Installation both;
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  replace_line(both.config("aii"), "settle ", "settle = \"1s\"");
  both.drop(both.list_name(), fictitious_csv(10, 4));
  both.drop("~$" + both.list_name(), "x");
  const ShellResult waits = both.veer("aii", "status");
  CAPTURE(waits.output);
  CHECK(waits.exit_code == 3);
  CHECK(has(waits.output, "NO service runs"));
  CHECK(has(waits.output, both.list_name() + " lies in the drop folder and is not taken in yet"));
  CHECK(json_of(both, "aii", "status")["waiting_files"] == json::array({both.list_name()}));
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  CHECK(has(both.note(both.list_name()), "numbers"));
  CHECK(has(both.veer("aii", "list").output, " sent "));
  CHECK_FALSE(fs::exists(both.path("drop") / ("~$" + both.list_name() + ".result.txt")));
  CHECK(both.veer("aii", "status").exit_code == 0);
}

TEST_CASE("run --once does what is due and exits") {
  const Installation both;
  replace_line(both.config("aii"), "settle ", "settle = \"0s\"");
  both.drop(both.list_name(), fictitious_csv(10, 4));
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  CHECK(both.veer("avsb", "run --once").exit_code == 0);
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  CHECK(has(both.note(both.list_name()), "Recorded at the receiver: 10 numbers"));
}

TEST_CASE("check-list tells every fault with its place and never a number") {
  const std::string file = agencies().path("list.csv");
  const std::string year = "check-list --year " + std::to_string(agencies().year()) + " ";
  write_file(file, "insz\n85070999752\n5070999751\n");
  const ShellResult faulty = agencies().veer("aii", year + file);
  CHECK(faulty.exit_code == 13);
  CHECK(has(faulty.output, "R_CHECK  line 2"));
  CHECK_FALSE(has(faulty.output, "85070999752"));
  const json report = json::parse(agencies().veer("aii", "--json " + year + file).output);
  CHECK(report["faults"][0]["place"] == "line 2");
  write_file(file, "insz\n5070999751\n");
  const ShellResult good = agencies().veer("aii", year + file);
  CHECK(good.exit_code == 0);
  CHECK(has(good.output, "leading zeros restored: 1"));
  CHECK(agencies().veer("aii", "check-list " + file).exit_code == 13);  // its name tells no year
  const ShellResult missing = agencies().veer("aii", year + "/no/such/file.csv");
  CHECK(missing.exit_code == 13);
  CHECK(has(missing.output, "I_FILE"));
  CHECK(has(agencies().veer("aii", year + "/no/such/file").output, "I_NAME"));
  CHECK(has(agencies().veer("aii", year + "/no/such/85070999752.csv").output, "I_NAME"));
  fs::copy_file(file, agencies().path("LIST.XLSX"));
  CHECK(has(agencies().veer("aii", year + agencies().path("LIST.XLSX").native()).output, "I_SPREADSHEET"));
  write_file(file, "insz\n85070999752\n");
  replace_line(agencies().config("aii"), "language ", "language = \"nl\"");
  const ShellResult dutch = agencies().veer("aii", year + file);
  replace_line(agencies().config("aii"), "language ", "language = \"en\"");
  CHECK(has(dutch.output, std::string(remedy_text(Language::nl, Code::r_check))));
}

TEST_CASE("check-list refuses what intake would: a year to come, and one outside the window") {
  const std::string file = agencies().path("list.csv");
  write_file(file, "insz\n05070999751\n");
  const auto checked = [&](int year) {
    return agencies().veer("aii", "check-list --year " + std::to_string(year) + " " + file);
  };
  CHECK(checked(agencies().year()).exit_code == 0);
  CHECK(checked(agencies().year() + 1).exit_code == 13);
  CHECK(has(checked(agencies().year() + 1).output, "F_REFERENCE_DATE"));
  CHECK(checked(agencies().year() - 5).exit_code != 0);
  const std::string bare = std::string(VEER_PROGRAM) + " check-list " + file + " 2>&1 --year ";
  CHECK(has(shell(bare + std::to_string(agencies().year() + 1)).output, "F_REFERENCE_DATE"));
  CHECK(shell(bare + "2022").exit_code == 0);
  replace_line(agencies().config("aii"), "last_reference_year ",
               "last_reference_year = " + std::to_string(agencies().year() - 1));
  const ShellResult outside = checked(agencies().year());
  replace_line(agencies().config("aii"), "last_reference_year ",
               "last_reference_year = " + std::to_string(agencies().year()));
  CHECK(outside.exit_code == 13);
  CHECK(has(outside.output, "good: 1 numbers"));
  CHECK(has(outside.output, "F_WINDOW"));
}

TEST_CASE("check-list reads a list whatever the window says, and a correction as what outlives it") {
  const Installation both;
  const auto file_of = [&](int year) {
    return both.path("inburgeringsplicht-" + std::to_string(year) + ".csv").native();
  };
  const std::string recorded = file_of(both.year());
  const std::string other = file_of(both.year() - 1);
  write_file(recorded, fictitious_csv(10, 4));
  write_file(other, "insz\n05070999751\n");
  REQUIRE(both.veer("aii", "send " + recorded).exit_code == 0);
  REQUIRE(both.veer("avsb", "run --once").exit_code == 0);
  REQUIRE(both.veer("aii", "run --once").exit_code == 0);

  const std::string basis = both.path("basis.txt").native();
  write_file(basis, "the provision in force\n");
  const fs::path config = both.config("aii");
  replace_line(config, "environment ", "environment = \"production\"");
  replace_line(config, "closes ",
               "closes = " + std::to_string(both.year() - 1) + "-12-31\nlist_due = \"03-01\"");
  replace_line(config, "[paths]",
               "[alerts]\nhook = \"/bin/true\"\n\n[legal_basis]\nprovision = \"a provision\"\ndocument = \"" +
                   basis + "\"\ndocument_sha256 = \"" + sha256_hex(read_file(basis)) +
                   "\"\nconfirmed_by = \"the legal service\"\nconfirmed_on = 2022-01-01\n"
                   "valid_until = 2099-12-31\n\n[paths]");

  const ShellResult first = both.veer("aii", "check-list " + other);
  CAPTURE(first.output);
  CHECK(first.exit_code == 13);
  CHECK(has(first.output, "good: 1 numbers"));
  CHECK(has(first.output, "F_WINDOW: the transition ended"));
  CHECK(has(first.output, "--correction"));
  CHECK(json_of(both, "aii", "check-list " + other)["refused_as"] == "F_WINDOW");
  const ShellResult correction = both.veer("aii", "check-list --correction " + other);
  CAPTURE(correction.output);
  CHECK(correction.exit_code == 0);
  CHECK_FALSE(has(correction.output, "F_WINDOW"));
  const ShellResult known = both.veer("aii", "check-list " + recorded);
  CAPTURE(known.output);
  CHECK(known.exit_code == 0);
  CHECK(has(known.output, "good: 10 numbers"));
  CHECK(has(known.output, "checked as a correction"));
  CHECK_FALSE(json_of(both, "aii", "check-list " + recorded).contains("refused_as"));
  write_file(other, "insz\n85070999752\n");
  const ShellResult faulty = both.veer("aii", "check-list " + other);
  CHECK(faulty.exit_code == 13);
  CHECK(has(faulty.output, "R_CHECK  line 2"));
  CHECK(has(faulty.output, "F_WINDOW"));
}

TEST_CASE("a file that was not taken in shows in status and in the exit codes until it is gone") {
  const Installation both;
  both.drop(both.list_name(), "INSZ;naam\n85070099464;x\n");
  wait_until([&] { return both.veer("aii", "run --once").exit_code == 3; });
  const ShellResult status = both.veer("aii", "status");
  CHECK(status.exit_code == 3);
  CHECK(has(status.output, both.list_name() + " was not taken in"));
  CHECK_FALSE(has(status.output, "nothing is open"));
  CHECK(has(both.veer("aii", "status --json").output, "\"not_taken_in\": [\n    \"" + both.list_name()));
  fs::remove(both.path("drop") / both.list_name());
  CHECK_FALSE(has(both.veer("aii", "status").output, both.list_name() + " was not taken in: the note"));
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  CHECK(has(both.veer("aii", "status").output, "nothing is open"));
}

TEST_CASE("what asks for a person ends run --once with 3, as it does status, and a notice does not") {
  const Installation both;
  REQUIRE(both.veer("aii", "run --once").exit_code == 0);
  put_alert(both, "aii", "notice");
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  CHECK(both.veer("aii", "status").exit_code == 0);
  put_alert(both, "aii", "attention");
  CHECK(both.veer("aii", "run --once").exit_code == 3);
  CHECK(both.veer("aii", "status").exit_code == 3);
}

TEST_CASE("an incident of which the other side is to be told shows in status, though its alert was closed") {
  const Installation both;
  REQUIRE(both.veer("avsb", "run --once").exit_code == 0);
  REQUIRE(shell("sqlite3 " + (both.path("avsb") / "ledger.db").native() +
                " \"INSERT INTO incident (id, cause, code, exchange, text, found_at, verdict) VALUES (1, "
                "'bytes:x', 'T_INTEGRITY', '', 'x', strftime('%s', 'now') * 1000, 'open')\" 2>&1")
              .exit_code == 0);
  const ShellResult waits = both.veer("avsb", "status");
  CAPTURE(waits.output);
  CHECK(waits.exit_code == 3);
  CHECK(has(waits.output, "incident 1 (T_INTEGRITY) waits since"));
  CHECK_FALSE(has(waits.output, "nothing is open"));
  const json incidents = json_of(both, "avsb", "status")["incidents"];
  REQUIRE(incidents.size() == 1);
  CHECK(incidents[0]["number"] == 1);
  CHECK(both.veer("avsb", "run --once").exit_code == 3);
  CHECK(both.veer("avsb", "incident notified 1 --how 'by telephone'").exit_code == 0);
  CHECK(both.veer("avsb", "status").exit_code == 0);
}

TEST_CASE("every command that prints data prints it as JSON when told to") {
  const Installation both;
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(10, 4));
  const json sent = json_of(both, "aii", "send " + file);
  CHECK(sent["command"] == "send");
  const std::string id = sent["exchange"];
  CHECK(json_of(both, "aii", "poll")["command"] == "poll");
  CHECK(json_of(both, "aii", "withdraw " + id)["text"].get<std::string>().find(id) != std::string::npos);
  CHECK(has(both.veer("aii", "receipt " + id).output, "which was withdrawn: one comes only if"));
  const std::string second = json_of(both, "aii", "send " + file)["exchange"];
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  CHECK(json_of(both, "aii", "resend " + second)["command"] == "resend");
  CHECK(json_of(both, "aii", "retry " + second)["command"] == "retry");
  CHECK(both.veer("avsb", "run --once").exit_code == 0);
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  const json anchors = json_of(both, "aii", "audit anchors");
  REQUIRE(anchors.size() == 1);
  CHECK(anchors[0]["party"] == "avsb");
  CHECK(anchors[0]["exchange"] == second);
  CHECK(has(json_of(both, "aii", "metrics")["metrics"], "veerdienst_list_numbers{"));
  const std::string tar = both.path("r.tar");
  CHECK(json_of(both, "aii", "receipt " + second + " -o " + tar)["file"] == tar);
  CHECK(fs::exists(tar));
  CHECK(json_of(both, "avsb", "status")["register"][0]["premium_year"] == both.year() + 1);
  CHECK(has(both.veer("avsb", "status").output, "premium year " + std::to_string(both.year() + 1)));
  CHECK(has(json_of(both, "aii", "keys export")["public_key"], "BEGIN PGP PUBLIC KEY BLOCK"));
  const std::string home = " --home " + both.path("more").native();
  CHECK(json_of(both, "aii", "keys create 'More <more@example.org>'" + home)["fingerprint"]
            .get<std::string>()
            .size() == 40);
}

TEST_CASE("waiting for a receipt ends with 1 when the list is withdrawn meanwhile") {
  const Installation both;
  const auto aii = both.serve("aii");
  wait_until([&] { return has(both.veer("aii", "status").output, "the service runs"); });
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(10, 4));
  Process waiting({VEER_PROGRAM, "--config", both.config("aii").native(), "send", file, "--wait"},
                  both.path("waiting.log"));
  wait_until([&] { return has(both.veer("aii", "list").output, " sent "); });
  const std::string id = json_of(both, "aii", "list")[0]["exchange"];
  CHECK(both.veer("aii", "withdraw " + id).exit_code == 0);
  CHECK(waiting.end(0) == 1);
  CHECK(has(text_in(both.path("waiting.log")), "withdrawn"));
}

TEST_CASE("a command goes on by itself when the service that should carry it out ends") {
  const Installation both;
  auto aii = both.serve("aii");
  wait_until([&] { return has(both.veer("aii", "status").output, "the service runs"); });
  const std::string books = (both.path("aii") / "ledger.db").native();
  wait_until([&] {  // between two transactions
    kill(aii->pid(), SIGSTOP);
    if (shell("sqlite3 " + books + " 'BEGIN IMMEDIATE; ROLLBACK' 2>&1").exit_code == 0) return true;
    kill(aii->pid(), SIGCONT);
    return false;
  });
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(10, 4));
  Process waiting({VEER_PROGRAM, "--config", both.config("aii").native(), "send", file},
                  both.path("waiting.log"));
  const std::string pending = "sqlite3 -readonly " + books + " \"SELECT count(*) FROM command\"";
  wait_until([&] { return shell(pending).output == "1\n"; });
  aii->end(SIGKILL);
  CHECK(waiting.end(0) == 0);
  CHECK(has(both.veer("aii", "list").output, "sent"));
}

TEST_CASE("retry makes a list go out that would have waited") {
  const Installation both;
  replace_line(both.config("aii"), "retry_first ", "retry_first = \"1h\"");
  replace_line(both.config("aii"), "retry_most ", "retry_most = \"1h\"");
  const fs::path folder = both.server().root() / "to_avsb";
  fs::rename(folder, folder.native() + ".away");
  const auto aii = both.serve("aii");
  wait_until([&] { return has(both.veer("aii", "status").output, "the service runs"); });
  both.drop(both.list_name(), fictitious_csv(10, 4));
  const auto has_failed = [&] {
    const json list = json_of(both, "aii", "list");
    return !list.empty() && list[0]["waits"].contains("problem");
  };
  wait_until(has_failed);
  fs::rename(folder.native() + ".away", folder);
  const std::string id = json_of(both, "aii", "list")[0]["exchange"];
  CHECK(both.veer("aii", "retry " + id.substr(0, 8)).exit_code == 0);
  wait_until([&] { return json_of(both, "aii", "list")[0]["stage"] == "sent"; });
  CHECK(names_in(folder).size() == 1);
}

TEST_CASE("approve lets a package pass that was held because the receiver lost its history") {
  const Installation both;
  for (const char* name : {"retry_first ", "retry_most "})
    replace_line(both.config("avsb"), name, std::string(name) + "= \"1h\"");
  const auto exchange_of = [&](int year) {
    both.drop("inburgeringsplicht-" + std::to_string(year) + ".csv", fictitious_csv(10, 4));
    wait_until([&] {
      CHECK(both.veer("aii", "run --once").exit_code == 0);
      const json list = json_of(both, "aii", "list");
      return !list.empty() && list[0]["reference_year"] == year && list[0]["stage"] == "sent";
    });
    return json_of(both, "aii", "list")[0];
  };
  exchange_of(both.year() - 1);
  CHECK(both.veer("avsb", "run --once").exit_code == 0);
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  for (const char* suffix : {"", "-wal", "-shm"})
    fs::remove(both.path("avsb").native() + "/ledger.db" + suffix);
  const std::string package = exchange_of(both.year())["package"];
  CHECK(both.veer("avsb", "run --once").exit_code == 3);
  CHECK(has(both.veer("avsb", "status").output, "F_HISTORY"));
  CHECK(both.veer("avsb", "approve vsb-inburgering-2026-r1_20260101000000000.pgp").exit_code == 1);
  const ShellResult shown = both.veer("avsb", "approve " + package);
  CHECK(shown.exit_code == 20);
  CHECK(has(shown.output, "offered by  the other side"));
  const ShellResult approved = both.veer("avsb", "approve " + package + " --yes");
  CAPTURE(approved.output);
  CHECK(approved.exit_code == 0);
  CHECK(both.veer("avsb", "run --once").exit_code == 0);
  CHECK(json_of(both, "avsb", "status")["register"][0]["numbers"] == 10);
}

TEST_CASE("a service is ended within five seconds while the server says nothing") {
  const Installation both;
  const auto aii = both.serve("aii");
  wait_until([&] { return both.server().sign_ins() > 0; });
  both.server().signal_sessions(SIGSTOP);
  // It looks every 50 ms, so that one who has not done so for a while stands before the server.
  std::string seen;
  int same = 0;
  wait_until([&] {
    const std::string last = json_of(both, "aii", "status")["last_poll"].dump();
    same = last == seen ? same + 1 : 0;
    seen = last;
    return same > 20;
  });
  const auto begin = std::chrono::steady_clock::now();
  CHECK(aii->end(SIGTERM) == 0);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  both.server().signal_sessions(SIGCONT);
}

TEST_CASE("wrong use ends with code 2, an unknown exchange with 1, and every help page is there") {
  CHECK(agencies().veer("aii", "").exit_code == 2);
  CHECK(agencies().veer("aii", "nonsense").exit_code == 2);
  CHECK(has(agencies().veer("aii", "nonsense").output, "nonsense is no command"));
  CHECK(has(agencies().veer("aii", "audit nonsense").output, "nonsense is no command"));
  CHECK(has(agencies().veer("aii", "audit").output, "veer: veer audit wants one of verify, anchors; see"));
  CHECK(has(agencies().veer("aii", "status --nonsense").output, "veer: "));
  CHECK(agencies().veer("aii", "-i aii status").exit_code == 2);
  const ShellResult meant = agencies().veer("aii", "send --empty 2026 </dev/null");
  CHECK(meant.exit_code == 2);
  CHECK(has(meant.output, "say --yes"));
  CHECK(has(agencies().veer("aii", "send /no/such/inburgeringsplicht-2026.csv").output,
            "there is no such file"));
  CHECK(agencies().veer("aii", "send").exit_code == 2);
  CHECK(agencies().veer("aii", "check-list").exit_code == 2);
  CHECK(shell(std::string(VEER_PROGRAM) + " status 2>&1").exit_code == 2);
  CHECK(agencies().veer("aii", "run --once").exit_code == 0);
  CHECK(agencies().veer("aii", "show 12345678").exit_code == 1);
  CHECK(agencies().veer("aii", "close-alert 7").exit_code == 1);
  for (const char* number : {"x", "1abc", "0", "1.5", "99999999999999999999"})
    CHECK(agencies().veer("aii", std::string("close-alert ") + number).exit_code == 2);
  for (const char* command :
       {"init",        "run",     "check-list", "send",    "poll",    "retry",    "resend", "withdraw",
        "close-alert", "approve", "reject",     "suspend", "resume",  "status",   "list",   "show",
        "receipt",     "audit",   "keys",       "doctor",  "version", "rehearse", "metrics"})
    CHECK(agencies().veer("aii", std::string(command) + " --help").exit_code == 0);
  CHECK(json::parse(agencies().veer("aii", "--json version").output)["libraries"].size() >= 10);
}

TEST_CASE(
    "Q16: a number that is typed where none belongs is not repeated, and a date in a folder's name is no "
    "number") {
  for (const char* typed : {"send /nowhere/05070999751.csv", "status 05070999751", "retry 05070999751"}) {
    const ShellResult refused = agencies().veer("aii", typed);
    CHECK(refused.exit_code != 0);
    CHECK_FALSE(has(refused.output, "05070999751"));
  }
  const ShellResult dated =
      agencies().veer("aii", "send /nowhere_20260115_093000/inburgeringsplicht-2026.csv");
  CHECK(has(dated.output, "I_FILE"));
}

TEST_CASE("Q16: a number in what a question is for is masked, and the question is answered") {
  const Installation both;
  const fs::path person = both.path("person");
  write_file(person, "05070999751\n");
  for (const char* purpose : {"04111097579 calls", "123 45 calls"}) {
    const ShellResult asked =
        shell(fmt::format("{} --config {} lookup --on {}-01-01 --purpose '{}' 2>&1 <{}", VEER_PROGRAM,
                          both.config("avsb").native(), both.year(), purpose, person.native()));
    CAPTURE(asked.output);
    CHECK(asked.exit_code == 0);
    CHECK(has(asked.output, "no list for reference date"));
  }
  const std::string audit = shell("sqlite3 " + (both.path("avsb") / "ledger.db").native() +
                                  " \"SELECT record FROM audit WHERE event = 'looked-up'\" 2>&1")
                                .output;
  CHECK(has(audit, "xxxxxxxxxxx calls"));
  CHECK_FALSE(has(audit, "04111097579"));
}

TEST_CASE("Q16: no command repeats a number that was typed to it") {
  const std::string number = "85070999751";
  const std::string key = (agencies().path("avsb") / "avsb.public.asc").native();
  const std::string made = " --counterparty avsb --drop " + agencies().path("d").native() + " --state ";
  const std::string place = agencies().path("s").native();
  CHECK(agencies().veer("aii", "run --once").exit_code == 0);
  for (const std::string& typed :
       {"show " + number,
        "receipt " + number,
        "retry " + number,
        "resend " + number,
        "withdraw " + number,
        "approve " + number,
        "close-alert " + number,
        "check-list " + number,
        "check-list jan" + number + ".csv",
        "send " + number,
        "send --yes --empty " + number,
        "audit verify --anchor " + number,
        "run " + number,
        "doctor " + number,
        "version " + number,
        number,
        "poll " + number,
        "keys export " + number,
        "keys create " + number,
        "keys show --home /nowhere/" + number + "/x",
        "keys import " + number,
        "keys import " + key + " --fingerprint " + number,
        "keys import /nowhere/" + number + " --fingerprint A",
        "init --role sender --party " + number + made + place,
        "init --role sender --party aii --owner 'x 85.07.09-997.51'" + made + place,
        "init --role sender --party aii" + made + place + number}) {
    const ShellResult refused = agencies().veer(typed.starts_with("init") ? "fresh" : "aii", typed);
    CAPTURE(typed, refused.output);
    CHECK(refused.exit_code != 0);
    CHECK_FALSE(has(refused.output, number));
    CHECK_FALSE(has(refused.output, "85.07.09"));
  }
  for (const std::string& option : {"-i " + number, "-i jan" + number, "-c /nowhere/" + number + ".toml"}) {
    const ShellResult refused = shell(std::string(VEER_PROGRAM) + " " + option + " status 2>&1");
    CHECK(refused.exit_code != 0);
    CHECK_FALSE(has(refused.output, number));
  }
}

TEST_CASE("what is not UTF-8 in a name does not keep anything from being printed as JSON") {
  const Installation both;
  replace_line(both.config("aii"), "settle ", "settle = \"0s\"\nname = '.*-(\\d{4})\\.csv'");
  const std::string file = both.path("r\xe9-" + std::to_string(both.year()) + ".csv");
  write_file(file, fictitious_csv(10, 4));
  const std::string id = json_of(both, "aii", "send " + file)["exchange"];
  const std::string shown = "r\ufffd-" + std::to_string(both.year()) + ".csv";
  CHECK(json_of(both, "aii", "list")[0]["origin"] == shown);
  CHECK(json_of(both, "aii", "show " + id)["origin"] == shown);
  CHECK(json_of(both, "aii", "status")["exchanges"][0]["origin"] == shown);
  CHECK(both.veer("avsb", "run --once").exit_code == 0);
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  CHECK(has(json_of(both, "aii", "receipt " + id + " -o " + both.path("r\xe9.tar").native())["file"],
            "r\ufffd.tar"));
  CHECK(has(json_of(both, "i\xe9",
                    "init --role receiver --party avsb --counterparty aii --state " +
                        both.path("i").native())["config"],
            "i\ufffd.toml"));
  const json x = json_of(both, "aii", "list")[0];
  CHECK(x["copy"] == 1);
  CHECK(x["set_aside"] == 0);
  CHECK(x["noted"] == false);
}

TEST_CASE("what fails shows in the exit codes of run --once and status, and in what status says") {
  const Installation both;
  for (const char* look : {"status", "list", "audit verify"}) {
    const ShellResult early = both.veer("aii", look);
    CHECK(early.exit_code == 1);
    CHECK(has(early.output, "there are no books yet: start the service once"));
  }
  replace_line(both.config("aii"), "retry_first ", "retry_first = \"1h\"");
  replace_line(both.config("aii"), "retry_most ", "retry_most = \"1h\"");
  const std::string right = text_in(both.config("aii"));
  replace_line(both.config("aii"), "port ", "port = 1");
  CHECK(both.veer("aii", "run --once").exit_code == 11);
  const ShellResult unreachable = both.veer("aii", "status");
  CAPTURE(unreachable.output);
  CHECK(unreachable.exit_code == 3);
  CHECK(has(unreachable.output, "looking at the share failed 1 time(s) in a row: S_UNREACHABLE"));
  CHECK_FALSE(has(unreachable.output, "nothing is open"));

  // A list that cannot go out now stays sealed, and whoever sent it is told that nobody goes on with it.
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(10, 4));
  const ShellResult sent = both.veer("aii", "send " + file);
  CAPTURE(sent.output);
  CHECK(sent.exit_code == 3);
  CHECK(has(sent.output, "is sealed and waits for its next try (S_UNREACHABLE"));
  CHECK(has(sent.output, "no service runs"));
  const ShellResult waited = both.veer("aii", "poll");
  CHECK(waited.exit_code == 11);

  write_file(both.config("aii"), right);
  const std::string id = json_of(both, "aii", "list")[0]["exchange"];
  CHECK(both.veer("aii", "retry " + id).exit_code == 0);
  CHECK(has(both.veer("aii", "list").output, " sent "));
  fs::rename(both.path("drop"), both.path("away"));
  CHECK(both.veer("aii", "run --once").exit_code == 1);
  const ShellResult gone = both.veer("aii", "status");
  CHECK(gone.exit_code == 3);
  CHECK(has(gone.output, "looking into the drop folder failed 1 time(s) in a row: L_IO"));
  fs::rename(both.path("away"), both.path("drop"));
  CHECK(both.veer("aii", "run --once").exit_code == 0);
  CHECK(both.veer("aii", "status").exit_code == 0);
  fs::create_directory_symlink(both.path("aii"), both.path("link"));
  replace_line(both.config("aii"), "drop ", "drop = \"" + both.path("link").native() + "\"");
  CHECK(has(both.veer("aii", "doctor").output, "lie in one another"));
}

TEST_CASE("a command that waits alone is told from a service, ends in order, and leaves no agent behind") {
  const Installation both;
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(10, 4));
  Process waiting({VEER_PROGRAM, "--config", both.config("aii").native(), "send", file, "--wait"},
                  both.path("waiting.log"));
  wait_until([&] { return has(text_in(both.path("waiting.log")), ": sent"); });
  const ShellResult status = both.veer("aii", "status");
  CAPTURE(status.output);
  CHECK(has(status.output, "NO service runs, a command works now"));
  const json data = json_of(both, "aii", "status");
  CHECK(data["running"] == false);
  CHECK(data["worker"] == "command");
  const ShellResult second = both.veer("aii", "run --once");
  CHECK(second.exit_code == 1);
  CHECK(has(second.output, "a command works on this instance"));
  CHECK(waiting.end(SIGTERM) == 1);
  CHECK(has(text_in(both.path("waiting.log")), "L_STOPPED"));
  CHECK(both.agents("aii").empty());
}

TEST_CASE("a command that waits alone keeps no service from starting, and the service goes on with it") {
  const Installation both;
  replace_line(both.config("aii"), "poll ", "poll = \"1h\"");
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(10, 4));
  Process waiting({VEER_PROGRAM, "--config", both.config("aii").native(), "send", file, "--wait"},
                  both.path("waiting.log"));
  wait_until([&] { return has(text_in(both.path("waiting.log")), ": sent"); });
  wait_until([&] { return json_of(both, "aii", "status")["worker"].is_null(); });
  CHECK(both.agents("aii").empty());
  const auto aii = both.serve("aii");
  wait_until([&] { return has(both.veer("aii", "status").output, "the service runs"); });
  CHECK(has(both.veer("aii", "run --once").output, "the service works on this instance already"));
  CHECK(both.veer("avsb", "run --once").exit_code == 0);
  CHECK(both.veer("aii", "poll").exit_code == 0);
  CHECK(waiting.end(0) == 0);
}

TEST_CASE(
    "a configuration with mistakes is refused with all of them at once, and production with the reason") {
  const fs::path config = agencies().path("bad.toml");
  write_file(config, "party = \"aii\"\nrole = \"sendr\"\nenvironment = \"test\"\nlangauge = \"nl\"\n");
  const ShellResult bad = agencies().veer("bad", "status");
  CHECK(bad.exit_code == 10);
  CHECK(has(bad.output, "bad.toml:2: role must be"));
  CHECK(has(bad.output, "bad.toml:4: langauge is not a known key; is it language?"));
  CHECK(has(bad.output, "paths.state is missing"));
  write_file(config, "party = \"aii\"\nrole = sender\n");
  const ShellResult none = agencies().veer("bad", "status");
  CHECK(none.exit_code == 10);
  CHECK(has(none.output, "bad.toml:2: not TOML"));
  CHECK_FALSE(has(none.output, "is missing"));
  const Installation both;
  replace_line(both.config("aii"), "environment ", "environment = \"production\"");
  const ShellResult production = both.veer("aii", "run --once");
  CHECK(production.exit_code == 10);
  CHECK(has(production.output, "which demands [legal_basis]"));
}

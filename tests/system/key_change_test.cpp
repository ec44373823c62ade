// Another key on one side while the other goes on: nothing that is under way is lost.

#include <algorithm>
#include <cstdlib>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/files.h"
#include "daemon/cases.h"
#include "daemon/database.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

struct Agencies {
  Installation both;
  int year = both.year() - 3;  ///< of the next list

  void must(const std::string& party, const std::string& command, int exit_code = 0) const {
    const ShellResult result = both.veer(party, command);
    CAPTURE(party, command, result.output);
    REQUIRE(result.exit_code == exit_code);
  }
  std::string offer() {
    std::string name = fmt::format("inburgeringsplicht-{}.csv", year++);
    both.drop(name, fictitious_csv(10, 4));
    must("aii", "run --once");
    return name;
  }
  /// Whether the list came home with its receipt once both sides worked.
  bool arrives(const std::string& name) const {
    must("avsb", "run --once");
    must("aii", "run --once");
    return has(both.note(name), "Recorded at the receiver: 10 numbers");
  }
  json rotate(const std::string& party, const std::string& options) const {
    return json_of(both, party, "keys rotate " + options);
  }
  void import(const std::string& party, const json& made, const std::string& options,
              int exit_code = 0) const {
    must(party,
         fmt::format("keys import {} --fingerprint {} {}", made["public_key"].get<std::string>(),
                     made["fingerprint"].get<std::string>(), options),
         exit_code);
  }
  void name_passphrase(const std::string& reference) const {
    replace_line(both.config("aii"), "[openpgp]", "[openpgp]\npassphrase = \"" + reference + '"');
  }
  void refused(const std::string& command, const std::string& why, int exit_code = 12) const {
    const ShellResult result = both.veer("aii", command);
    CAPTURE(command, result.output);
    CHECK(result.exit_code == exit_code);
    CHECK(has(result.output, why));
  }
  std::string receiver_key(const std::string& name) const {
    for (const json& x : json_of(both, "aii", "list"))
      if (x["reference_year"] == std::stoi(name.substr(19, 4))) {
        must("aii",
             "receipt " + x["exchange"].get<std::string>() + " -o " + both.path("receipt.tar").native());
        const ShellResult text = shell("tar xOf " + both.path("receipt.tar").native() + " receipt.json");
        fs::remove(both.path("receipt.tar"));
        return json::parse(text.output)["receiver"]["key"];
      }
    return "no such exchange";
  }
};

/// The events of a side's audit chain that are about keys, each with whose key it was.
std::string key_records(const Installation& both, const std::string& party) {
  return shell("sqlite3 -readonly " + (both.path(party) / "ledger.db").native() +
               " \"SELECT event || ' ' || json_extract(record, '$.facts.whose') FROM audit WHERE event LIKE "
               "'key-%' ORDER BY seq\"")
      .output;
}

/// One fact of the last record about keys.
std::string last_fact(const Installation& both, const std::string& party, const std::string& name) {
  return shell("sqlite3 -readonly " + (both.path(party) / "ledger.db").native() +
               " \"SELECT json_extract(record, '$.facts." + name +
               "') FROM audit WHERE event LIKE 'key-%' ORDER BY seq DESC LIMIT 1\" | tr -d '\\n'")
      .output;
}

const std::string kToday = "--from " + format_date(date_of(SystemClock().now()));

}  // namespace

TEST_CASE("a list under way when either side changes its key arrives, and the old keys can be retired") {
  Agencies a;
  REQUIRE(a.arrives(a.offer()));

  const std::string sealed_before = a.offer();  // signed with AII's old key, on the share
  const json aii = a.rotate("aii", kToday);
  a.import("avsb", aii, kToday);
  CHECK(a.arrives(sealed_before));

  const std::string sealed_to_old = a.offer();  // for AVSB's old key, signed with AII's new one
  const json avsb = a.rotate("avsb", kToday);
  a.must("avsb", "run --once");  // its receipt is signed with the new key, and waits
  a.import("aii", avsb, kToday);
  CHECK(a.arrives(sealed_to_old));
  CHECK(avsb["fingerprint"] == a.receiver_key(sealed_to_old));
  CHECK(avsb["old"] == a.receiver_key(sealed_before));

  for (const char* party : {"aii", "avsb"})
    for (const json& made : {aii, avsb}) {
      const std::string retire = "keys retire " + made["old"].get<std::string>();
      CHECK(has(a.both.veer(party, retire).output, "this key is good until"));
      a.must(party, retire + " --now");
      CHECK(has(a.both.veer(party, "keys retire " + made["fingerprint"].get<std::string>() + " --now").output,
                "still needed"));
    }
  for (const char* party : {"aii", "avsb"}) {
    const json ring = json_of(a.both, party, "keys show");
    CHECK(ring.size() == 2);
    for (const json& key : ring)
      CHECK((key["fingerprint"] == aii["fingerprint"] || key["fingerprint"] == avsb["fingerprint"]));
    a.must(party, "doctor");
  }
  CHECK(a.arrives(a.offer()));
  // What the old keys signed is still proven.
  std::set<int> years;
  for (const json& x : json_of(a.both, "avsb", "list")) years.insert(x["reference_year"].get<int>());
  CHECK(years.size() >= 3);
  for (const int year : years) {
    for (const char* party : {"aii", "avsb"})
      a.must(party,
             fmt::format("evidence {} -o {}", year, a.both.path(fmt::format("{}-{}", party, year)).native()));
    for (const auto& [mine, theirs] : {std::pair{"aii", "avsb"}, {"avsb", "aii"}}) {
      const ShellResult verified = shell(fmt::format(
          "{}/verify.sh {}/anchors.txt 2>&1", a.both.path(fmt::format("{}-{}", mine, year)).native(),
          a.both.path(fmt::format("{}-{}", theirs, year)).native()));
      CAPTURE(mine, year, verified.output);
      CHECK(verified.exit_code == 0);
      CHECK(has(verified.output, "All of it holds."));
    }
  }
}

TEST_CASE(
    "a key that alone opens whom a case names is not retired unasked, and the case is named when it is") {
  Agencies a;
  REQUIRE(a.arrives(a.offer()));
  Case c;
  c.id = "0190a1b2-0000-7000-8000-000000000001";
  c.reference_year = 2026;
  c.stage = CaseStage::received;
  const SystemClock clock;
  const auto save = [&] {
    Database books("sqlite:" + (a.both.path("aii") / "ledger.db").native());
    books.transaction([&] { Cases(books, clock).save(c); });
  };
  save();
  make_folder(a.both.path("aii") / "cases");
  write_file(a.both.path("aii") / "cases" / (c.id + ".pgp"), "sealed as it came");
  const std::string retire = "keys retire " + a.rotate("aii", kToday)["old"].get<std::string>();
  a.refused(retire, "veer case persons 2026-1", 1);
  c.stage = CaseStage::answered;
  save();
  a.refused(retire, "this key is good until", 1);
  c.stage = CaseStage::received;
  save();
  const ShellResult now = a.both.veer("aii", retire + " --now");
  CHECK(now.exit_code == 0);
  CHECK(has(now.output, "whom case 2026-1 names may not be readable any more"));
}

TEST_CASE("a key in the wrong hands is retired whatever the books are like") {
  Agencies a;
  REQUIRE(a.arrives(a.offer()));
  const std::string old = a.rotate("aii", kToday)["old"];
  for (const char* suffix : {"", "-wal", "-shm"})
    fs::remove(a.both.path("aii") / fmt::format("ledger.db{}", suffix));
  write_file(a.both.path("aii") / "ledger.db", "no database any more");
  a.must("aii", "keys retire " + old, 1);
  const ShellResult now = a.both.veer("aii", "keys retire " + old + " --now");
  CAPTURE(now.output);
  CHECK(now.exit_code == 0);
  CHECK(has(now.output, "stands in no audit trail"));
  for (const json& key : json_of(a.both, "aii", "keys show")) CHECK(key["fingerprint"] != old);
}

TEST_CASE(
    "a new key that the other side does not know yet sets a list aside, and import and resend bring it") {
  Agencies a;
  const json aii = a.rotate("aii", kToday);
  const std::string name = a.offer();
  a.must("avsb", "run --once", 3);
  CHECK(has(a.both.veer("avsb", "status").output, "T_SIGNER"));
  a.import("avsb", aii, kToday);
  const std::string id = json_of(a.both, "aii", "list").at(0).at("exchange");
  a.must("aii", "resend " + id);
  CHECK(a.both.veer("avsb", "run --once").exit_code == 3);  // the finding stays until a person closed it
  a.must("aii", "run --once");
  CHECK(has(a.both.note(name), "Recorded at the receiver: 10 numbers"));
}

TEST_CASE("a key for a day to come waits for it, and both sides go on with the old one") {
  Agencies a;
  const json made = a.rotate("avsb", "");
  CHECK(made["configuration_written"] == true);
  const std::string day = made["from"];
  CHECK(day == format_date(date_of(SystemClock().now() + std::chrono::days(14))));
  a.import("aii", made, "", 2);  // from which day?
  CHECK(json_of(a.both, "aii", "keys show").size() == 2);
  a.import("aii", made, "--from 2020-01-01", 2);
  a.import("aii", made, "--from " + day);
  const std::string name = a.offer();
  CHECK(a.arrives(name));
  CHECK(made["old"] == a.receiver_key(name));
  const ShellResult again = a.both.veer("avsb", "keys rotate");
  CHECK(again.exit_code == 1);
  CHECK(has(again.output, made["fingerprint"].get<std::string>() + " counts from " + day));
  a.must("avsb", "doctor");
}

TEST_CASE("a change of keys that was cut off is finished with the key that it made") {
  Agencies a;
  a.must("aii", "keys create 'AII <aii@example.org>'");
  const std::string begun = [&] {
    for (const json& key : json_of(a.both, "aii", "keys show"))
      if (key["user_id"] == "AII <aii@example.org>") return key["fingerprint"].get<std::string>();
    return std::string();
  }();
  REQUIRE(begun.size() == 40);
  CHECK(a.both.veer("aii", "run --once").exit_code == 12);
  CHECK(a.rotate("aii", kToday)["fingerprint"] == begun);
  a.must("aii", "run --once");
}

TEST_CASE(
    "a running service follows a change of keys after a reload, and keeps its keys from being retired") {
  Agencies a;
  // A service manager that does not listen: with one, SIGHUP means to reload.
  const auto serve = [&](const std::string& party) {
    return std::make_unique<Process>(
        std::vector<std::string>{"/usr/bin/env", "NOTIFY_SOCKET=" + a.both.path("manager").native(),
                                 VEER_PROGRAM, "--config", a.both.config(party).native(), "run"},
        a.both.path(party + ".log"));
  };
  const auto aii = serve("aii");
  const auto avsb = serve("avsb");
  for (const std::string party : {"aii", "avsb"})
    wait_until([&] { return has(text_in(a.both.path(party + ".log")), "runs as " + party); });
  const json made = a.rotate("avsb", kToday);
  a.import("aii", made, kToday);
  const ShellResult busy = a.both.veer("avsb", "keys retire " + made["old"].get<std::string>() + " --now");
  CHECK(busy.exit_code == 1);
  CHECK(has(busy.output, "L_LOCK"));
  CHECK(key_records(a.both, "avsb") == "key-created own\n");  // beside the service, which goes on
  CHECK(key_records(a.both, "aii") == "key-pinned counterparty\n");
  REQUIRE(kill(aii->pid(), SIGHUP) == 0);
  REQUIRE(kill(avsb->pid(), SIGHUP) == 0);
  const auto runs = [&](const std::string& party) {
    const std::string log = text_in(a.both.path(party + ".log"));
    const std::size_t first = log.find("runs as");
    return first != std::string::npos && log.find("runs as", first + 1) != std::string::npos;
  };
  wait_until([&] { return runs("aii") && runs("avsb"); });
  const std::string name = fmt::format("inburgeringsplicht-{}.csv", a.year);
  a.both.drop(name, fictitious_csv(10, 4));
  wait_until([&] {
    return fs::exists(a.both.path("drop") / (name + ".result.txt")) &&
           has(a.both.note(name), "Recorded at the receiver");
  });
  CHECK(made["fingerprint"] == a.receiver_key(name));
  CHECK(aii->end(SIGTERM) == 0);
  CHECK(avsb->end(SIGTERM) == 0);
}

TEST_CASE("primary keys that are in a safe are missed by no exchange, and by no change of keys") {
  Agencies a;
  const fs::path safe = a.both.path("safe");
  fs::create_directory(safe);
  for (const std::string party : {"aii", "avsb"}) {
    const auto own = [&] {
      for (const json& key : json_of(a.both, party, "keys show"))
        if (key["secret"] == true) return key;
      return json();
    };
    CHECK(own()["primary_secret"] == true);
    CHECK(has(a.both.veer(party, "doctor").output, "is on this machine: 'veer keys offline FILE'"));
    a.must(party, "keys offline " + (safe / party).native());
    CHECK(own()["primary_secret"] == false);
    CHECK(has(a.both.veer(party, "keys show").output, "primary key offline"));
    CHECK(has(a.both.veer(party, "doctor").output, "is offline"));
    CHECK(has(read_file(safe / party), "-----BEGIN PGP PRIVATE KEY BLOCK-----"));
    const ShellResult again = a.both.veer(party, "keys offline " + (safe / "again").native());
    CHECK(again.exit_code == 12);
    CHECK(has(again.output, "offline already"));
    a.must(party, "doctor");
  }
  CHECK(names_in(safe).size() == 2);
  CHECK(a.arrives(a.offer()));

  const json made = a.rotate("aii", kToday);
  a.import("avsb", made, kToday);
  CHECK(a.arrives(a.offer()));
  a.must("aii", "keys offline " + (safe / "next").native());  // of the new key, whose primary is here
  CHECK(has(read_file(safe / "next"), "-----BEGIN PGP PRIVATE KEY BLOCK-----"));
  CHECK(a.arrives(a.offer()));
}

TEST_CASE("a renewed key keeps its fingerprint, and the other side takes it in without the telephone") {
  Agencies a;
  const std::string own = json_of(a.both, "aii", "keys export")["fingerprint"];
  const std::string primary = a.both.path("primary").native();
  a.must("aii", "keys offline " + primary);
  const ShellResult without = a.both.veer("aii", "keys renew --days 900");
  CHECK(without.exit_code == 12);
  CHECK(has(without.output, "--primary FILE"));

  const json renewed = json_of(a.both, "aii", "keys renew --days 900 --primary " + primary);
  CHECK(renewed["fingerprint"] == own);
  const std::string until = renewed["until"];
  CHECK(Time(std::chrono::sys_days(parse_date(until).value())) >
        SystemClock().now() + std::chrono::days(898));
  CHECK(names_in(a.both.path("aii") / "gnupg" / "private-keys-v1.d").size() == 2);
  CHECK(has(a.both.veer("aii", "keys show").output, "usable until " + until + ", primary key offline"));
  a.must("aii", "doctor");
  CHECK(has(a.both.veer("aii", "keys renew --days 30 --primary " + primary).output, "lasts as long already"));
  CHECK(a.arrives(a.offer()));  // nobody waits for the other side

  const std::string import = "keys import " + renewed["public_key"].get<std::string>();
  CHECK(has(a.both.veer("avsb", import).output, "renewed: usable until " + until));
  CHECK(has(a.both.veer("avsb", import).output, "nothing of it was new: usable until " + until));
  const std::string strange = a.rotate("aii", kToday)["public_key"];
  const ShellResult unknown = a.both.veer("avsb", "keys import " + strange + " </dev/null");
  CHECK(unknown.exit_code == 2);
  CHECK(has(unknown.output, "--fingerprint"));
  a.must("avsb", "doctor");

  const std::string theirs = json_of(a.both, "avsb", "keys export")["fingerprint"];
  CHECK(json_of(a.both, "avsb", "keys renew --days 900")["fingerprint"] == theirs);  // its primary is here
  CHECK(has(a.both.veer("avsb", "keys show").output, "primary key here"));
}

TEST_CASE("every change of keys stands in the audit trail, with who made it") {
  Agencies a;
  a.must("aii", "keys renew --days 800");  // before the first start there is nothing to write in
  CHECK_FALSE(fs::exists(a.both.path("aii") / "ledger.db"));
  REQUIRE(a.arrives(a.offer()));
  const std::string primary = a.both.path("primary").native();
  const std::string own = json_of(a.both, "aii", "keys export")["fingerprint"];
  a.must("aii", "keys offline " + primary);
  CHECK(last_fact(a.both, "aii", "fingerprint") == own);
  CHECK(has(last_fact(a.both, "aii", "who"), std::to_string(getuid())));
  const json renewed = json_of(a.both, "aii", "keys renew --days 900 --primary " + primary);
  CHECK(last_fact(a.both, "aii", "until") == renewed["until"].get<std::string>());
  for (int i = 0; i < 2; ++i)  // what was not new is no event
    a.must("avsb", "keys import " + renewed["public_key"].get<std::string>());
  CHECK(last_fact(a.both, "avsb", "until") == renewed["until"].get<std::string>());
  const json made = a.rotate("aii", kToday);
  CHECK(last_fact(a.both, "aii", "follows") == own);
  a.import("avsb", made, kToday);
  CHECK(last_fact(a.both, "avsb", "from") == made["from"].get<std::string>());
  for (const char* party : {"aii", "avsb"}) a.must(party, "keys retire " + own + " --now");
  CHECK(a.both.veer("aii", "keys renew --days 10").exit_code == 12);  // nothing done, nothing recorded
  CHECK(key_records(a.both, "aii") == "key-offline own\nkey-renewed own\nkey-created own\nkey-retired own\n");
  CHECK(key_records(a.both, "avsb") ==
        "key-renewed counterparty\nkey-pinned counterparty\nkey-retired counterparty\n");
  for (const char* party : {"aii", "avsb"}) a.must(party, "audit verify");
}

TEST_CASE("a renewal that is killed at any moment leaves no primary key behind") {
  const Agencies a;
  const std::string primary = a.both.path("primary").native();
  a.must("aii", "keys offline " + primary);
  const fs::path memory = "/dev/shm";
  const auto before = names_in(memory);
  const std::string renew = std::string(VEER_PROGRAM) + " --config " + a.both.config("aii").native() +
                            " keys renew --primary " + primary + " --days ";
  for (int i = 1; i <= 8; ++i) {
    shell(fmt::format("timeout -s KILL 0.{:02} {}{} >/dev/null 2>&1", i * 6, renew, 800 + i));
    CHECK(names_in(a.both.path("aii") / "gnupg" / "private-keys-v1.d").size() == 2);
  }
  const auto left = [&] {
    std::vector<fs::path> homes;
    for (const std::string& name : names_in(memory))
      if (name.starts_with("veer-secret-key-") && std::count(before.begin(), before.end(), name) == 0 &&
          !FolderLock::is_taken(memory / name))
        homes.push_back(memory / name);
    return homes;
  };
  std::string made = (memory / "veer-secret-key-XXXXXX").native();  // should every one have been too quick
  REQUIRE(mkdtemp(made.data()) != nullptr);
  wait_until([&] {  // an agent that was just begun may still write into its folder
    std::error_code gone;
    for (const fs::path& home : left())
      fs::last_write_time(home, fs::file_time_type::clock::now() - 1h, gone);
    a.must("aii", "run --once");  // as the service does when it starts
    return left().empty();
  });
  a.must("aii", "keys renew --days 900 --primary " + primary);
  a.must("aii", "doctor");
  CHECK(has(a.both.veer("aii", "keys show").output, "primary key offline"));
}

TEST_CASE("a primary key does not leave for a place that is no safe, nor under a name that is taken") {
  Agencies a;
  const auto refused = [&](const std::string& arguments, const std::string& why) {
    const ShellResult result = a.both.veer("aii", "keys offline " + arguments);
    CAPTURE(arguments, result.output);
    CHECK(result.exit_code != 0);
    CHECK(has(result.output, why));
  };
  const fs::path state = a.both.path("aii");
  write_file(a.both.path("taken"), "something");
  fs::create_directory_symlink(state / "gnupg", a.both.path("link"));
  refused(a.both.path("taken").native(), "is there already");
  refused((state / "primary.asc").native(), "lies in");
  refused((state / "gnupg" / "primary.asc").native(), "lies in");
  refused((a.both.path("link") / "primary.asc").native(), "lies in");
  refused(a.both.path("new").native() + " " + std::string(40, '0'), "does not hold");
  refused(a.both.path("new").native() + " " +
              json_of(a.both, "avsb", "keys export")["fingerprint"].get<std::string>(),
          "is not a key of ours");
  CHECK(read_file(a.both.path("taken")) == "something");
  CHECK_FALSE(fs::exists(a.both.path("new")));
  CHECK(has(a.both.veer("aii", "keys show").output, "primary key here"));
}

TEST_CASE("a key under a passphrase goes on when its primary is in a safe") {
  Agencies a;
  write_file(a.both.path("aii-word"), "fictitious words");
  a.name_passphrase("file:" + a.both.path("aii-word").native());
  const json made = a.rotate("aii", kToday);
  a.import("avsb", made, kToday);
  CHECK(has(a.both.veer("aii", "keys offline " + a.both.path("primary").native()).output, "name one"));
  a.must("aii",
         "keys offline " + a.both.path("primary").native() + " " + made["fingerprint"].get<std::string>());
  CHECK(a.arrives(a.offer()));
}

TEST_CASE("keys whose passphrase only the service is given are renewed, rotated and kept with it in a file") {
  Agencies a;
  const fs::path lent = a.both.path("credentials");
  make_folder(lent);
  write_file(lent / "openpgp", "fictitious words\n");
  write_file(a.both.path("wrong"), "other words");
  const std::string word = " --passphrase-file " + (lent / "openpgp").native();
  const std::string wrong = " --passphrase-file " + a.both.path("wrong").native();
  const std::string safe = a.both.path("primary").native();
  const std::string own = json_of(a.both, "aii", "keys export")["fingerprint"];
  a.name_passphrase("credential:openpgp");
  CHECK(json_of(a.both, "aii",
                "keys passphrase --new-passphrase-file " + (lent / "openpgp").native())["changed"] ==
        json::array({own}));
  CHECK(has(a.both.veer("aii", "doctor").output, "ok    passphrase: was not tried"));

  a.refused("keys renew --days 800", "is asked for at a terminal");
  a.refused("keys renew --days 800" + wrong, "this is not the passphrase of our key " + own);
  a.must("aii", "keys renew --days 800" + word);
  a.refused("keys rotate", "is asked for at a terminal");
  a.refused("keys rotate" + wrong, "this is not the passphrase of our key " + own);
  CHECK(json_of(a.both, "aii", "keys show").size() == 2);
  const json made = a.rotate("aii", kToday + word);
  a.import("avsb", made, kToday);
  const std::string next = made["fingerprint"];
  a.refused("keys offline " + safe + " " + next + wrong, "this is not the passphrase of our key " + next);
  CHECK_FALSE(fs::exists(safe));
  a.must("aii", "keys offline " + safe + " " + next + word);
  a.refused("keys renew --days 800 --primary " + safe + wrong, "this is not the passphrase of our key");
  a.must("aii", "keys renew --days 800 --primary " + safe + word);

  REQUIRE(setenv("CREDENTIALS_DIRECTORY", lent.c_str(), 1) == 0);  // as systemd does
  CHECK(a.arrives(a.offer()));
  CHECK(has(a.both.veer("aii", "doctor").output, "ok    passphrase: opens our keys"));
  fs::rename(a.both.path("wrong"), lent / "openpgp");
  CHECK(has(a.both.veer("aii", "doctor").output, "fail  passphrase: L_KEY: this is not the passphrase"));
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_CASE("a key that is made under a passphrase opens by it alone") {
  const Agencies a;
  write_file(a.both.path("word"), "fictitious words\n");
  write_file(a.both.path("wrong"), "other words");
  const std::string home = a.both.path("made").native();
  const std::string create = "keys create 'AII <aii@example.org>' --home " + home + " --passphrase-file ";
  fs::permissions(a.both.path("wrong"), fs::perms(0640));
  a.refused(create + a.both.path("wrong").native(), "may be read by others");
  write_file(a.both.path("two"), "fictitious\nwords\n");
  a.refused(create + a.both.path("two").native(), "one line");
  CHECK(has(a.both.veer("aii", create + a.both.path("word").native()).output,
            "made a key under its passphrase"));
  const auto signs_with = [&](const std::string& name) {
    return shell(fmt::format(
                     "echo text | gpg --homedir {} --batch --pinentry-mode loopback --passphrase-file {} "
                     "-q -s >/dev/null 2>&1; code=$?; gpgconf --homedir {} --kill gpg-agent; exit $code",
                     home, a.both.path(name).native(), home))
        .exit_code;
  };
  CHECK(signs_with("wrong") != 0);
  CHECK(signs_with("word") == 0);
}

TEST_CASE("our keys are put under another passphrase while nobody works with them") {
  Agencies a;
  for (const char* name : {"first", "second"}) write_file(a.both.path(name), std::string(name) + " words");
  const auto change = [&](const std::string& present, const std::string& next) {
    return fmt::format("keys passphrase --passphrase-file {} --new-passphrase-file {}",
                       a.both.path(present).native(), a.both.path(next).native());
  };
  a.must("aii", "keys offline " + a.both.path("primary").native());
  {
    const auto lock = FolderLock::try_take(a.both.path("aii"));
    a.refused(change("second", "first"), "systemctl stop veerdienst@aii", 1);
  }
  a.must("aii", change("second", "first"));  // there was none: whatever is said of it
  a.refused(change("second", "second"), "this is not the passphrase");
  a.must("aii", change("first", "second"));
  a.refused(change("first", "second"), "under it already", 0);
  a.refused("keys rotate --passphrase-file " + a.both.path("first").native(), "this is not the passphrase");
  a.name_passphrase("file:" + a.both.path("second").native());
  CHECK(a.arrives(a.offer()));
  CHECK(key_records(a.both, "aii") == "");  // nothing was there to write in before the first start
  a.must("aii", change("second", "first"));
  CHECK(key_records(a.both, "aii") == "key-passphrase own\n");
}

TEST_CASE("a passphrase is asked for at a terminal, twice where a slip would be kept") {
  const Agencies a;
  a.name_passphrase("credential:openpgp");
  const auto typed = [&](const std::string& command, const std::string& lines) {
    return shell(fmt::format("printf '{}' | script -qec '{} --config {} {}' /dev/null", lines, VEER_PROGRAM,
                             a.both.config("aii").native(), command));
  };
  const ShellResult slip = typed("keys rotate", "fictitious\\nfictional\\n");
  CHECK(slip.exit_code == 12);
  CHECK(has(slip.output, "not the same twice"));
  CHECK(typed("keys passphrase", "fictitious\\nfictitious\\n").exit_code == 0);
  CHECK(typed("keys rotate", "fictitious\\nfictitious\\n").exit_code == 0);
  CHECK(typed("keys renew --days 900", "fictional\\n").exit_code == 12);
  CHECK(typed("keys renew --days 900", "fictitious\\n").exit_code == 0);
}

TEST_CASE("what is said of keys names the instance, which need not be called as its party is") {
  const Agencies a;
  fs::rename(a.both.config("aii"), a.both.config("aii-test"));
  const std::string veer = "veer -c " + a.both.config("aii-test").native();
  const ShellResult made = a.both.veer("aii-test", "keys rotate");
  CAPTURE(made.output);
  CHECK(has(made.output, "systemctl reload veerdienst@aii-test,"));
  CHECK(has(made.output, veer + " keys retire "));
  CHECK(has(a.both.veer("aii-test", "keys rotate").output, veer + " keys export"));
  const auto lock = FolderLock::try_take(a.both.path("aii"));
  CHECK(has(a.both.veer("aii-test", "keys retire " + std::string(40, 'A')).output,
            "systemctl stop veerdienst@aii-test'"));
}

TEST_CASE("the first import pins the key, and remarks in the configuration stay") {
  Agencies a;
  const fs::path file = a.both.config("avsb");
  replace_line(file, "keys ", "keys = [{ key = \"\" }] # theirs");
  const json aii = json_of(a.both, "aii", "keys export");
  a.must("avsb", "keys import " + (a.both.path("aii") / "aii.public.asc").native() + " --fingerprint " +
                     aii["fingerprint"].get<std::string>());
  CHECK(has(read_file(file),
            "keys = [{ key = \"" + aii["fingerprint"].get<std::string>() + "\" }] # theirs\n"));
  a.must("avsb", "doctor");
  const json own = json_of(a.both, "avsb", "keys export");
  const ShellResult ours =
      a.both.veer("avsb", "keys import " + (a.both.path("avsb") / "avsb.public.asc").native() +
                              " --fingerprint " + own["fingerprint"].get<std::string>());
  CHECK(ours.exit_code == 2);
  CHECK(has(ours.output, "our own key"));
}

TEST_CASE("a configuration that cannot be written safely is left alone, and the lines are told") {
  Agencies a;
  const fs::path file = a.both.config("avsb");
  fs::create_hard_link(file, a.both.path("second.toml"));
  const std::string before = read_file(file);
  const ShellResult told = a.both.veer("avsb", "keys rotate");
  CAPTURE(told.output);
  CHECK(told.exit_code == 3);
  CHECK(read_file(file) == before);
  CHECK(has(told.output, "own = [\n  { key = "));
  CHECK(has(told.output, "is a link"));
}

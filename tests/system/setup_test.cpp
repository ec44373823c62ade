// Setting a side up, and looking whether all is well: init, keys, doctor.

#include <chrono>
#include <csignal>

#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "daemon/texts.h"
#include "support/canary.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;

TEST_CASE("doctor finds nothing wrong with what init made, and says what is when something is") {
  const Installation both;
  const ShellResult well = both.veer("aii", "doctor");
  INFO(well.output);
  CHECK(well.exit_code == 0);
  CHECK(has(well.output, "share: publish once"));
  fs::permissions(both.path("aii"), fs::perms(0755));
  const ShellResult open = both.veer("aii", "doctor");
  CHECK(open.exit_code == 1);
  CHECK(has(open.output, "chmod 700"));
  fs::permissions(both.path("aii"), fs::perms(0700));
  replace_line(both.config("aii"), "host_key ",
               "host_key = [\"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]");
  const ShellResult pinned = both.veer("aii", "doctor");
  CHECK(pinned.exit_code == 1);
  CHECK(has(pinned.output, "S_HOST_KEY"));
  const json lines = json::parse(shell(std::string(VEER_PROGRAM) + " --json --config " +
                                       both.config("aii").native() + " doctor 2>/dev/null")
                                     .output);
  CHECK(lines.back()["finding"] == "fail");
}

TEST_CASE("a database that others could read is told by doctor, and not worked on") {
  const Installation both;
  const fs::path folder = both.path("register");
  const fs::path file = folder / "ledger.db";
  make_folder(folder);
  replace_line(
      both.config("avsb"), "state ",
      "state = \"" + both.path("avsb").native() + "\"\n[database]\nurl = \"sqlite:" + file.native() + "\"");
  REQUIRE(both.veer("avsb", "run --once").exit_code == 0);
  REQUIRE(both.veer("avsb", "doctor").exit_code == 0);
  const auto refused = [&](const std::string& remedy) {
    const ShellResult run = both.veer("avsb", "run --once");
    CAPTURE(remedy, run.output);
    CHECK(run.exit_code == 10);
    CHECK(has(run.output, remedy));
    const ShellResult doctor = both.veer("avsb", "doctor");
    CHECK(doctor.exit_code == 1);
    CHECK(has(doctor.output, "fail  database: C_CONFIG: "));
    CHECK(has(doctor.output, remedy));
  };
  fs::permissions(folder, fs::perms(0777));
  refused("register is open to others: chmod 700");
  fs::permissions(folder, fs::perms(0700));
  fs::permissions(file, fs::perms(0666));
  refused("ledger.db is open to others: chmod 600");
  fs::permissions(file, fs::perms(0600));
  write_file(file.native() + "-wal", "", 0644);
  refused("ledger.db-wal is open to others: chmod 600");
  fs::remove(file.native() + "-wal");
  CHECK(both.veer("avsb", "run --once").exit_code == 0);
}

TEST_CASE("the drop folder is made for a group, and doctor tells when people could not use it") {
  const Installation both;
  struct stat status {};
  REQUIRE(stat(both.path("drop").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 03770);
  for (const unsigned mode : {0750U, 0770U, 02750U}) {
    CAPTURE(mode);
    fs::permissions(both.path("drop"), fs::perms(mode));
    const ShellResult closed = both.veer("aii", "doctor");
    CHECK(closed.exit_code == 3);
    CHECK(has(closed.output, "chmod 3770"));
  }
}

TEST_CASE("the key folder's settings are put right at a start, which says so, and doctor only looks") {
  const Installation both;
  const fs::path home = both.path("aii") / "gnupg";
  const std::string ours = read_file(home / "gpg.conf");
  write_file(home / "gpg.conf", ours + "max-output 100000\n");
  write_file(home / "gpg.conf-2", "max-output 100000\n");
  const ShellResult looked = both.veer("aii", "doctor");
  CHECK(looked.exit_code == 1);
  CHECK(has(looked.output, "L_ENGINE"));
  CHECK(read_file(home / "gpg.conf") != ours);
  const ShellResult run = both.veer("aii", "run --once");
  CHECK(run.exit_code == 0);
  CHECK(has(run.output, "gpg.conf in the key folder was not as this program writes it"));
  CHECK(has(run.output, "gpg.conf-2 in the key folder"));
  CHECK(read_file(home / "gpg.conf") == ours);
  CHECK_FALSE(fs::exists(home / "gpg.conf-2"));
  CHECK_FALSE(has(both.veer("aii", "run --once").output, "in the key folder"));
  CHECK(both.veer("aii", "doctor").exit_code == 0);
}

TEST_CASE("a command on the keys leaves a running service its agent, and ends its own where none runs") {
  const Installation both;
  const std::string key = json_of(both, "aii", "keys export")["fingerprint"];
  const std::vector<std::string> commands = {
      "doctor", "keys show", "keys export",
      "keys import " + (both.path("aii") / "aii.public.asc").native() + " --fingerprint " + key};
  CHECK(both.veer("avsb", "doctor").exit_code == 0);
  CHECK(both.agents("avsb").empty());
  auto avsb = both.serve("avsb");
  // Its keys are checked by then, and the agent is the one that stays.
  wait_until([&] { return has(text_in(both.path("avsb.log")), "runs as avsb"); });
  wait_until([&] { return both.agents("avsb").size() == 1; });
  const pid_t agent = both.agents("avsb").front();
  for (const std::string& command : commands) {
    CAPTURE(command);
    CHECK(both.veer("avsb", command).exit_code == 0);
    CHECK(is_running(agent));
  }
  CHECK(avsb->end(SIGTERM) == 0);
  // gpg starts an agent for a key that is new to it.
  const std::string home = (both.path("avsb") / "gnupg").native();
  REQUIRE(shell("gpg --homedir " + home + " --batch --yes --delete-keys " + key +
                " 2>&1; gpgconf --homedir " + home + " --kill gpg-agent")
              .exit_code == 0);
  wait_until([&] { return both.agents("avsb").empty(); });
  for (auto command = commands.rbegin(); command != commands.rend(); ++command) {
    CAPTURE(*command);
    CHECK(both.veer("avsb", *command).exit_code == 0);
    wait_until([&] { return both.agents("avsb").empty(); });  // it is told to end, and ends a moment later
  }
}

TEST_CASE("every command as another user says so, and touches nothing") {
  const Installation both;
  const fs::path place = both.path("");
  fs::permissions(place, fs::perms(0711));
  fs::permissions(both.config("aii"), fs::perms(0644));
  fs::copy_file(VEER_PROGRAM, place / "veer");
  const std::string file = both.path(both.list_name());
  write_file(file, fictitious_csv(10, 4), 0644);
  // Only root can become somebody else; for others the folder is one of root's.
  const bool root = geteuid() == 0;
  if (!root) replace_line(both.config("aii"), "state ", "state = \"/usr\"");
  const auto strange = [&](const std::string& command) {
    return shell(std::string("cd / && ") +
                 (root ? "setpriv --reuid 65534 --regid 65534 --clear-groups " : "") +
                 (place / "veer").native() + " --config " + both.config("aii").native() + " " + command +
                 " 2>&1 </dev/null");
  };
  const ShellResult doctor = strange("doctor");
  CHECK(doctor.exit_code == 1);
  CHECK(has(doctor.output, "belongs to another user"));
  CHECK_FALSE(has(doctor.output, "L_ENGINE"));
  // What a service could be asked; none answers here.
  for (const char* command : {"status", "list", "show x", "metrics", "receipt x", "audit verify",
                              "audit anchors", "poll", "send /x/inburgeringsplicht-2026.csv", "retry x"}) {
    const ShellResult refused = strange(command);
    CAPTURE(command, refused.output);
    CHECK(refused.exit_code == 11);
    CHECK(has(refused.output, "belongs to another user"));
    CHECK(has(refused.output, "no service answers"));
  }
  const ShellResult worked = strange("run --once");
  CHECK(worked.exit_code == 12);
  CHECK(has(worked.output, "belongs to another user"));
  CHECK(strange("check-list " + file).exit_code == 0);
  if (!root) return;
  fs::permissions(file, fs::perms(0600));
  CHECK(has(strange("check-list " + file).output, "may not be read by you"));
  CHECK(strange("keys show").exit_code == 12);
  fs::permissions(both.config("aii"), fs::perms(0640));
  CHECK(has(strange("status").output, "may not be read by"));
  const ShellResult unread = strange("check-list " + file);
  CHECK(unread.exit_code == 12);
  CHECK(has(unread.output, "Without -i and -c anybody may"));
  for (const char* command : {"doctor", "keys show"}) {
    const ShellResult refused = strange(command);
    CAPTURE(command, refused.output);
    CHECK(refused.exit_code == 12);
    CHECK(has(refused.output, "may not be read by"));
  }
}

TEST_CASE("doctor names the link of the chain to an FTPS server that fails, with the next step") {
  const Installation both("ftps");
  const ShellResult well = both.veer("aii", "doctor");
  INFO(well.output);
  CHECK(well.exit_code == 0);
  for (const char* link :
       {"client certificate", "DNS", "connection", "TLS", "server certificate", "host name", "login", "list",
        "write", "resume", "publish once", "rename onto a taken name"})
    CHECK(has(well.output, std::string("ok    share: ") + link));
  replace_line(both.config("aii"), "ca ", "ca = \"" + (both.path("aii") / "none.pem").native() + "\"");
  const ShellResult missing = both.veer("aii", "doctor");
  CHECK(missing.exit_code == 1);
  CHECK(has(missing.output, "C_CREDENTIAL: share.ftps.ca:"));
  replace_line(both.config("aii"), "incoming ", "incoming = \"from_vip\"");
  const std::string folder = both.server().root().parent_path().native();
  replace_line(both.config("aii"), "ca ", "ca = \"" + folder + "/ca.pem\"");
  const ShellResult astray = both.veer("aii", "doctor");
  CHECK(astray.exit_code == 1);
  CHECK(has(astray.output, "fail  share: list: S_NOT_FOUND: folder from_vip is not on the share"));
}

TEST_CASE(
    "no password and no key of an FTPS account stands in what the program says or writes, at any level") {
  const Installation both("ftps");
  const fs::path account = both.server().root().parent_path();
  std::vector<std::string> secrets = {FtpsServer::kPassword, "guessed at random", "BEGIN PRIVATE KEY"};
  std::istringstream key(read_file(account / "client.key"));
  for (std::string line; std::getline(key, line);)
    if (line.size() > 20 && !line.starts_with("-----")) secrets.push_back(line);
  REQUIRE(secrets.size() > 3);
  std::string said;
  const auto work = [&](const std::string& party) {
    said += both.veer(party, "run --once --log-level debug").output + both.veer(party, "doctor").output +
            both.veer(party, "status").output;
  };
  both.drop(both.list_name(), fictitious_csv(10, 4));
  for (const char* party : {"aii", "avsb", "aii"}) work(party);
  CHECK(has(both.note(both.list_name()), "Recorded at the receiver"));
  const std::string password = read_file(account / "password");
  write_file(account / "password", "guessed at random", 0600);
  work("aii");
  CHECK(has(said, "PASS 530"));
  write_file(account / "password", password, 0600);
  write_file(account / "client.key", "-----BEGIN PRIVATE KEY-----\nnonsense\n", 0600);
  work("avsb");
  CHECK(has(said, "C_CREDENTIAL"));
  for (const char* party : {"aii", "avsb"})
    for (const auto& file : fs::recursive_directory_iterator(both.path(party)))
      if (file.is_regular_file()) said += read_file(file.path());
  for (const std::string& secret : secrets) {
    INFO(secret);
    CHECK_FALSE(has(said, secret));
  }
}

TEST_CASE("a foreign key in the ring keeps the service from starting") {
  const Installation both;
  const std::string home = (both.path("aii") / "gnupg").native();
  CHECK(both.veer("aii", "keys create 'Stranger <stranger@example.org>'").exit_code == 0);
  const ShellResult run = both.veer("aii", "run --once");
  CHECK(run.exit_code == 12);
  CHECK(has(run.output, "L_KEY"));
}

TEST_CASE("keys are taken in only under the fingerprint that was confirmed") {
  const std::string key = (agencies().path("avsb") / "avsb.public.asc").native();
  CHECK(agencies().veer("aii", "keys import " + key + " --fingerprint " + std::string(40, 'A')).exit_code ==
        12);
  CHECK(agencies().veer("aii", "keys import " + key).exit_code == 0);  // it is pinned
  const std::string unknown = (agencies().path("aii") / "aii.public.asc").native();
  CHECK(agencies().veer("aii", "keys import " + unknown + " </dev/null").exit_code == 2);
  CHECK(has(agencies().veer("aii", "keys export").output, "BEGIN PGP PUBLIC KEY BLOCK"));
  const std::string fingerprint = json_of(agencies(), "avsb", "keys export")["fingerprint"];
  const ShellResult fund =
      shell(std::string(VEER_PROGRAM) + " keys import " + key + " --home " +
            (agencies().path("aii") / "gnupg").native() + " --fingerprint " + fingerprint + " 2>&1");
  CHECK(has(fund.output, "key = \"" + fingerprint));
  CHECK_FALSE(has(fund.output, "keys = ["));  // which, pasted, would take the other side's place
  CHECK(json::parse(agencies().veer("aii", "--json keys show").output).size() == 2);
}

TEST_CASE("init asks at a terminal for what was not given, and elsewhere says what is missing") {
  const TempFolder folder;
  const std::string config = (folder.path() / "new.toml").native();
  const std::string state = (folder.path() / "state").native();
  const std::string drop = (folder.path() / "drop").native();
  const auto at_terminal = [&](const std::string& answers) {
    return shell(fmt::format("printf '{}' | script -qec '{} --config {} init' /dev/null", answers,
                             VEER_PROGRAM, config));
  };
  SECTION("every answer") {
    const ShellResult made =
        at_terminal(fmt::format("sender\\nours\\ntheirs\\n{}\\n{}\\nfolder\\n", state, drop));
    CAPTURE(made.output);
    CHECK(made.exit_code == 0);
    CHECK(has(made.output, "sender or receiver [sender]: "));
    // The instance's, by its configuration, whatever the party is called: the units open no other.
    CHECK(has(made.output, "/var/lib/veerdienst/new]: "));
    CHECK(has(made.output, "/srv/veerdienst/new/drop]: "));
    CHECK(has(made.output, "give " + state + "/ours.public.asc to the other side"));
    const std::string text = read_file(config);
    for (const char* line :
         {"party       = \"ours\"", "party = \"theirs\"", "role        = \"sender\"", "kind = \"folder\""})
      CHECK(has(text, line));
    CHECK(fs::is_directory(drop));
  }
  SECTION("what is usual") {
    const ShellResult made = at_terminal(fmt::format("receiver\\n\\n\\n{}\\n\\n", state));
    CHECK(made.exit_code == 0);
    const std::string text = read_file(config);
    CHECK(has(text, "party       = \"avsb\""));
    CHECK(has(text, "kind = \"sftp\""));
  }
  SECTION("a wrong answer, and none") {
    const ShellResult again = at_terminal("both\\nsender\\nAII!\\naii\\naii\\n");
    CHECK(again.exit_code == 2);
    std::size_t refused = 0;
    for (std::size_t at = 0; (at = again.output.find("cannot be used here", at)) != std::string::npos; ++at)
      ++refused;
    CHECK(refused == 3);
    CHECK(at_terminal("sender\\n").exit_code == 2);
    CHECK_FALSE(fs::exists(config));
    CHECK_FALSE(fs::exists(state));
  }
  SECTION("no terminal") {
    const ShellResult told =
        shell(fmt::format("{} --config {} init --party ours 2>&1 </dev/null", VEER_PROGRAM, config));
    CHECK(told.exit_code == 2);
    CHECK(has(told.output, "--role must be sender or receiver"));
  }
}

TEST_CASE("init overwrites nothing") {
  const ShellResult again =
      agencies().veer("aii", "init --role sender --party aii --counterparty avsb --drop /tmp/x --state " +
                                 agencies().path("other").native());
  CHECK(again.exit_code == 2);
  CHECK(has(again.output, "nothing was changed"));
  const fs::path state = agencies().path("published");
  fs::create_directories(state);
  write_file(state / "avsb.public.asc", "a key that people have\n");
  const ShellResult published = agencies().veer(
      "published", "init --role receiver --party avsb --counterparty aii --state " + state.native());
  CHECK(published.exit_code == 2);
  CHECK(has(published.output, "avsb.public.asc is there already"));
  CHECK(read_file(state / "avsb.public.asc") == "a key that people have\n");
  CHECK(names_in(state) == std::vector<std::string>{"avsb.public.asc"});
}

TEST_CASE("init refuses what its configuration could not say, before it makes anything") {
  const Installation& both = agencies();
  const auto init = [&](const std::string& party, const std::string& more) {
    return both.veer("new", "init --role sender --counterparty avsb --party " + party + " " + more);
  };
  const std::string state = "--state '" + both.path("new").native() + "'";
  const std::string drop = "--drop '" + both.path("newdrop").native() + "'";
  for (const auto& [party, more] :
       {std::pair{"x/y", state + " " + drop}, std::pair{"'A B\"'", state + " " + drop},
        std::pair{"avsb", state + " " + drop}, std::pair{"aii", state},
        std::pair{"aii", "--state '" + both.path("new").native() + "/a\"b' " + drop},
        std::pair{"aii", state + " " + drop + " --owner \"$(printf 'a\\nb')\""},
        std::pair{"aii",
                  "--state '" + both.path("new").native() + "/" + std::string(90, 'x') + "' " + drop}}) {
    const ShellResult refused = init(party, more);
    CAPTURE(party, more, refused.output);
    CHECK(refused.exit_code == 2);
    CHECK_FALSE(fs::exists(both.config("new")));
    CHECK_FALSE(fs::exists(both.path("new")));
    CHECK_FALSE(fs::exists(both.path("newdrop")));
  }
  CHECK(has(init("'A B'", state + " " + drop).output, "--party must be"));
  CHECK(has(init("aii", "--state '' " + drop).output, "--state names no folder"));
  const std::string inside = "--drop '" + both.path("new").native() + "/gnupg/drop'";
  CHECK(has(init("aii", state + " " + inside).output, "paths.drop and the state folder lie in one another"));
  const ShellResult receiver =
      both.veer("new", "init --role receiver --party avsb --counterparty aii " + state + " " + drop);
  CHECK(receiver.exit_code == 2);
  CHECK(has(receiver.output, "--drop is for the sending side"));
  CHECK_FALSE(fs::exists(both.path("new")));
}

TEST_CASE("init that fails on the way leaves nothing that keeps it from being said again") {
  const Installation& both = agencies();
  const std::string state = both.path("again").native();
  const std::string words = "--json init --role receiver --party avsb --counterparty aii --state " + state;
  fs::create_directories(both.path(".again.toml.new") / "in-the-way");
  CHECK(both.veer("again", words).exit_code == 1);
  CHECK_FALSE(fs::exists(state));
  CHECK_FALSE(fs::exists(both.config("again")));
  fs::remove_all(both.path(".again.toml.new"));
  const json made = json_of(both, "again", words.substr(7));
  CHECK(made["config"] == both.config("again").native());
  CHECK(fs::exists(made["public_key"].get<std::string>()));
  CHECK(made["fingerprint"].get<std::string>().size() == 40);
}

TEST_CASE("paths with blanks, quotes and other signs are used as they are") {
  const Installation& both = agencies();
  const fs::path odd = both.path("sp ace") / "o'b=c;#é \\d";
  const std::string quoted = "\"" + both.path("sp ace").native() + "/o'b=c;#é \\\\d\"";
  REQUIRE(both.veer("odd",
                    "init --role receiver --party avsb --counterparty aii --share folder --state " + quoted)
              .exit_code == 0);
  for (const char* folder : {"out", "in"}) fs::create_directories(both.path("sp ace") / folder);
  replace_line(both.config("odd"), "outgoing ", "outgoing = \"" + both.path("sp ace/out").native() + "\"");
  replace_line(both.config("odd"), "incoming ", "incoming = \"" + both.path("sp ace/in").native() + "\"");
  const json keys = json_of(both, "aii", "keys export");
  const std::string theirs = keys["fingerprint"];
  replace_line(both.config("odd"), "keys ", "keys = [{ key = \"" + theirs + "\" }]");
  REQUIRE(both.veer("odd", "keys import " + (both.path("aii") / "aii.public.asc").native() +
                               " --fingerprint " + theirs)
              .exit_code == 0);
  const ShellResult well = both.veer("odd", "doctor");
  CAPTURE(well.output);
  CHECK(well.exit_code == 0);
  const ShellResult run = both.veer("odd", "run --once");
  CAPTURE(run.output);
  CHECK(run.exit_code == 0);
  CHECK(fs::exists(odd / "ledger.db"));
  CHECK(both.veer("odd", "status").exit_code == 0);
  CHECK(names_in(both.path("sp ace")) == std::vector<std::string>{"in", odd.filename(), "out"});
  CHECK_FALSE(fs::exists(both.path("sp")));
}

TEST_CASE("a start that fails leaves no agent behind") {
  const Installation both;
  REQUIRE(both.veer("avsb", "run --once").exit_code == 0);
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(both.path("avsb").native() + "/ledger.db" + suffix);
  write_file(both.path("avsb") / "ledger.db", std::string(8192, 'x'));
  const ShellResult damaged = both.veer("avsb", "run --once");
  CHECK(damaged.exit_code == 1);
  CHECK(has(damaged.output, "L_DATABASE"));
  CHECK(both.agents("avsb").empty());
  write_file(both.path("aii") / "ledger.db", "");
  replace_line(both.config("aii"), "own ", "own = [{ key = \"" + std::string(40, 'A') + "\" }]");
  CHECK(both.veer("aii", "run --once").exit_code == 12);
  CHECK(both.agents("aii").empty());
}

// The service as people meet it who are somebody else than its user: over a bus, with real users and groups
// of the machine. Needs root, who can become any of them.

#include <chrono>
#include <csignal>
#include <functional>
#include <regex>
#include <sstream>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "daemon/bus_client.h"
#include "support/child.h"
#include "support/fictitious.h"
#include "support/private_bus.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;

namespace {

// Debian's users of these names have a group each.
constexpr const char* kService = "daemon";
constexpr const char* kOperator = "games";
constexpr const char* kApprover = "mail";
constexpr const char* kAuditor = "man";
constexpr const char* kDesk = "news";
constexpr const char* kNobody = "nobody";

void own(const fs::path& path, const char* user, unsigned mode) {
  const passwd* const entry = getpwnam(user);
  REQUIRE(entry != nullptr);
  REQUIRE(chown(path.c_str(), entry->pw_uid, entry->pw_gid) == 0);
  fs::permissions(path, fs::perms(mode));
}

/// What `work` returns in a process of the user's; "CODE text" of the Error that it throws.
std::string done_by(const char* user, const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const Fd from(ends[0]);
  Fd to(ends[1]);
  Child child([&] {
    const passwd* const entry = getpwnam(user);
    if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0)
      return 1;
    std::string said;
    try {
      said = work();
    } catch (const Error& error) {
      said = fmt::format("{} {}", code_name(error.code()), error.message());
    }
    return write(to.get(), said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1;
  });
  to.reset();
  std::string said;
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while ((size = read(from.get(), buffer.data(), buffer.size())) > 0)
    said.append(buffer.data(), static_cast<std::size_t>(size));
  CHECK(child.wait() == 0);
  return said;
}

/// Both agencies, where AII's instance is a user's whom nobody here is.
struct OfAnother {
  Installation both;
  fs::path program = both.path("veer");
  fs::path desk = both.path("desk");  ///< the operator's own folder

  OfAnother() {
    REQUIRE(geteuid() == 0);
    fs::permissions(both.path(""), fs::perms(0711));
    fs::copy_file(VEER_PROGRAM, program);
    const fs::path key = both.path("aii") / "sftp-key";
    const std::string line = text_in(both.config("aii"));
    const std::size_t at = line.find("key = \"file:") + 12;
    fs::copy_file(line.substr(at, line.find('"', at) - at), key);
    replace_line(both.config("aii"), "key = \"file:", "key = \"file:" + key.native() + "\"");
    write_file(both.config("aii"), text_in(both.config("aii")) +
                                       fmt::format("\n[access]\noperators = [\"{}\"]\napprovers = [\"{}\"]\n"
                                                   "auditors = [\"{}\"]\nservice_desk = [\"{}\"]\n",
                                                   kOperator, kApprover, kAuditor, kDesk));
    own(both.config("aii"), kService, 0600);
    own(both.path("drop"), kService, 03770);
    own(both.path("aii"), kService, 0700);
    for (const auto& each : fs::recursive_directory_iterator(both.path("aii")))
      own(each.path(), kService, each.is_directory() ? 0700 : 0600);
    fs::create_directory(desk);
    own(desk, kOperator, 0700);
  }

  std::vector<std::string> words(const char* user, const std::vector<std::string>& arguments) const {
    const passwd* const entry = getpwnam(user);
    std::vector<std::string> all = {"/usr/bin/setpriv",
                                    "--reuid",
                                    std::to_string(entry->pw_uid),
                                    "--regid",
                                    std::to_string(entry->pw_gid),
                                    "--init-groups",
                                    program,
                                    "--config",
                                    both.config("aii")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  std::unique_ptr<Process> serve() const {
    return std::make_unique<Process>(words(kService, {"run"}), log());
  }
  /// `veer` of AII as a user of the machine gives it.
  ShellResult as(const char* user, const std::string& arguments) const {
    return shell(fmt::format("cd / && {} {} 2>&1 </dev/null", fmt::join(words(user, {}), " "), arguments));
  }
  fs::path log() const { return both.path("aii.log"); }
  std::size_t logged(const std::string& text) const { return count_of(text_in(log()), text); }
  void wait_for_bus(std::size_t times = 1) const {
    wait_until([&] { return logged("can be asked on the bus as org.veerdienst.Exchange1.aii") == times; },
               60);
  }

  /// A list that the operator alone may read.
  std::string list(std::string_view bytes) const {
    const fs::path file = desk / both.list_name();
    write_file(file, bytes);
    own(file, kOperator, 0600);
    return file;
  }
  /// What `work` says of the service as the user meets it.
  std::string meets(const char* user, const std::function<std::string(BusClient&)>& work,
                    std::chrono::milliseconds patience = std::chrono::seconds(20)) const {
    return done_by(user, [&] {
      BusClient service("aii", both.config("aii"), patience);
      return work(service);
    });
  }
  std::string offers(const std::string& name, int fd) const {
    return meets(kOperator, [&](BusClient& service) {
      const Fd lent(dup(fd));
      const std::int64_t id = service.offer(name, lent);
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      CommandResult result = service.result_of(id);
      for (; result.stage == CommandStage::pending && std::chrono::steady_clock::now() < end;
           result = service.result_of(id))
        service.wait(std::chrono::milliseconds(20), [](auto, auto) {});
      return result.code + " " + result.text;
    });
  }
};

}  // namespace

TEST_CASE("Q11: an operator offers over the bus a list that the service may not read; who it was is kept") {
  const OfAnother aii;
  const PrivateBus bus(kService);
  const auto avsb = aii.both.serve("avsb");
  const auto service = aii.serve();
  aii.wait_for_bus();
  const std::string file = aii.list(fictitious_csv(1000, 3));
  REQUIRE(shell(fmt::format("setpriv --reuid {} --regid {} --init-groups cat {} 2>/dev/null", kService,
                            kService, file))
              .exit_code != 0);

  const ShellResult sent = aii.as(kOperator, "send " + file + " --wait --timeout 60");
  INFO(sent.output << text_in(aii.log()));
  REQUIRE(sent.exit_code == 0);
  CHECK(has(sent.output, ": acknowledged\n"));
  CHECK(has(sent.output, "\"status\": \"recorded\""));
  CHECK(fs::exists(file));

  const json list = json::parse(aii.as(kOperator, "--json list").output);
  REQUIRE(list.size() == 1);
  const std::string id = list[0]["exchange"];
  const std::string history = aii.as(kAuditor, "--json show " + id).output;
  CHECK(has(history, "\"who\": \"games (5)\""));
  const std::string asked = "SELECT uid, who, stage, argument FROM command WHERE verb = 'send-open'";
  CHECK(shell("sqlite3 " + (aii.both.path("aii") / "ledger.db").native() + " \"" + asked + "\"").output ==
        "5|games (5)|done|\n");
  CHECK(aii.logged("games (5) asks: send-open") == 1);

  const std::string tar = aii.desk / "receipt.tar";
  const ShellResult receipt = aii.as(kOperator, "receipt " + id + " -o " + tar);
  CHECK(receipt.exit_code == 0);
  CHECK_FALSE(has(receipt.output, "--homedir"));
  CHECK(shell("tar tf " + tar).output == "receipt.json\nreceipt.json.sig\n");
  CHECK(aii.as(kAuditor, "audit verify").exit_code == 0);
  CHECK(has(aii.as(kAuditor, "audit anchors").output, "avsb"));
  const json again = json::parse(aii.as(kOperator, "--json poll").output);
  CHECK(again["command"] == "poll");
  const ShellResult second = aii.as(kOperator, "send --yes --empty " + std::to_string(aii.both.year()));
  CHECK(second.exit_code == 13);
  CHECK(has(second.output, "F_SECOND_LIST"));
  CHECK(service->end(SIGTERM) == 0);
}

TEST_CASE("Q30: over the bus each may do what their group may, and who is in none gets nothing") {
  const OfAnother aii;
  const PrivateBus bus(kService);
  const auto service = aii.serve();
  aii.wait_for_bus();
  const std::string file = aii.list(fictitious_csv(10, 3));
  fs::permissions(aii.desk, fs::perms(0755));
  fs::permissions(file, fs::perms(0644));
  const std::vector<std::string> operators = {"send " + file,
                                              "send --yes --empty 2022",
                                              "poll",
                                              "retry x",
                                              "resend x",
                                              "withdraw x",
                                              "rehearse",
                                              "rehearse",
                                              "suspend",
                                              "close-alert 7",
                                              "incident confirm 1 --why x",
                                              "incident notified 1 --how x",
                                              "send --set-aside-faulty " + file};
  const std::vector<std::string> approvers = {"reject x", "resume", "incident dismiss 1 --why x",
                                              "incident close 1"};
  const std::vector<std::string> auditors = {"audit verify", "audit anchors", "evidence 2022 -o /tmp/none"};
  const std::vector<std::string> lookers = {"status", "list", "show x", "metrics", "receipt x", "approve x"};
  const auto is_refused = [&](const char* user, const std::vector<std::string>& commands,
                              const std::string& whose) {
    for (const std::string& command : commands) {
      const ShellResult told = aii.as(user, command);
      CAPTURE(user, command, told.output);
      CHECK(told.exit_code == 12);
      CHECK(has(told.output, "may not do this: it is for members of " + whose + "\n"));
    }
  };
  const std::string all = "games, mail, man, news";
  for (const auto& commands : {operators, approvers, auditors, lookers}) is_refused(kNobody, commands, all);
  is_refused(kApprover, operators, kOperator);
  is_refused(kApprover, auditors, kAuditor);
  is_refused(kAuditor, operators, kOperator);
  is_refused(kAuditor, approvers, kApprover);
  is_refused(kOperator, approvers, kApprover);
  is_refused(kOperator, auditors, kAuditor);
  is_refused(kDesk, operators, kOperator);
  is_refused(kDesk, lookers, "games, mail, man");
  is_refused("root", {"status", "poll"}, all + "; or run it as the service's user (runuser)");
  CHECK(aii.logged("refused on the bus: nobody (65534) may not do this") == 1);
  CHECK(aii.logged(" asks: ") == 0);

  for (const char* user : {kOperator, kApprover, kAuditor}) {
    CAPTURE(user);
    CHECK(aii.as(user, "status").exit_code == 0);
    CHECK(aii.as(user, "list").exit_code == 0);
    CHECK(has(aii.as(user, "metrics").output, "veerdienst_build_info{party=\"aii\""));
    CHECK(has(aii.as(user, "show x").output, "U_UNKNOWN"));
  }
  CHECK(aii.as(kOperator, "poll").exit_code == 0);
  CHECK(has(aii.as(kApprover, "approve x").output, "U_UNKNOWN"));
  CHECK(has(aii.as(kApprover, "resume").output, "U_STATE"));
  CHECK(aii.as(kAuditor, "audit verify").exit_code == 0);
}

TEST_CASE("Q31: over the bus one person offers, another sees what is held and releases it") {
  const OfAnother aii;
  replace_line(aii.both.config("aii"), "settle ", "settle = \"20ms\"\nrelease = \"always\"");
  const PrivateBus bus(kService);
  const auto service = aii.serve();
  aii.wait_for_bus();
  const std::string file = aii.list(fictitious_csv(10, 3) + "85070999752\n");
  const ShellResult faulty = aii.as(kOperator, "send " + file);
  CHECK(faulty.exit_code == 13);
  CHECK(has(faulty.output, "I_FAULTY"));
  const ShellResult sent = aii.as(kOperator, "--json send --set-aside-faulty " + file);
  INFO(sent.output);
  CHECK(sent.exit_code == 20);
  CHECK(has(sent.output, "it waits for release by another person"));
  const json held = json::parse(aii.as(kOperator, "--json list").output)[0];
  CHECK(held["stage"] == "held");
  const std::string id = held["exchange"];
  CHECK(
      has(aii.as(kOperator, "approve " + id + " --yes --set-aside 1").output, "it is for members of mail\n"));
  const ShellResult shown = aii.as(kApprover, "approve " + id);
  CHECK(shown.exit_code == 20);
  CHECK(has(shown.output, "offered by  games (5)\n"));
  CHECK(has(shown.output, held["package_sha256"]));
  CHECK(aii.as(kApprover, "approve " + id + " --yes").exit_code == 1);  // without the lines left out
  CHECK(aii.as(kApprover, "approve " + id + " --yes --set-aside 1").exit_code == 0);
  wait_until([&] { return has(aii.as(kApprover, "list").output, " sent "); });
  CHECK(has(aii.as(kAuditor, "--json show " + id).output, "\"who\": \"mail (8)\""));
  CHECK(aii.as(kOperator, "suspend").exit_code == 0);
  CHECK(aii.as(kApprover, "resume").exit_code == 0);
}

// interface: what people do in a year in which nothing goes wrong. Every step more is a defect.
TEST_CASE("the ordinary year takes one saved file and one approval at AII, and nobody at AVSB") {
  const OfAnother aii;
  const auto told_by = [&](const std::string& party) { return aii.both.path(party + ".told"); };
  for (const std::string party : {"aii", "avsb"}) {
    const fs::path hook = aii.both.path(party + ".hook");
    write_file(hook, fmt::format("#!/bin/sh\ncat >> {0}\necho >> {0}\n", told_by(party).native()), 0755);
    write_file(told_by(party), "", 0666);
    fs::permissions(told_by(party), fs::perms(0666));
    fs::permissions(hook, fs::perms(0755));
    const fs::path config = aii.both.config(party);
    write_file(config, text_in(config) + fmt::format("\n[alerts]\nhook = \"{}\"\n", hook.native()));
    if (party == "aii") own(config, kService, 0600);
  }
  replace_line(aii.both.config("aii"), "settle ", "settle = \"20ms\"\nrelease = \"always\"");
  REQUIRE(chown(aii.both.path("drop").c_str(), getpwnam(kService)->pw_uid, getpwnam(kOperator)->pw_gid) == 0);
  fs::permissions(aii.both.path("drop"), fs::perms(03770));
  const std::string file = aii.list(fictitious_csv(1000, 3));
  fs::permissions(file, fs::perms(0644));  // the service's user is in no group of the operators' here
  const PrivateBus bus(kService);
  const auto avsb = aii.both.serve("avsb");
  const auto service = aii.serve();
  aii.wait_for_bus();

  std::vector<std::string> steps;
  const auto does = [&](const char* who, const std::string& typed, const std::string& answers) {
    const passwd* const entry = getpwnam(who);
    const ShellResult result = shell(
        fmt::format("cd / && printf '{}' | setpriv --reuid {} --regid {} --init-groups script -qec '{}' "
                    "/dev/null 2>&1",
                    answers, entry->pw_uid, entry->pw_gid, typed));
    steps.push_back(fmt::format("{}$ {}\n{}", who, typed, result.output));
    INFO(steps.back() << text_in(aii.log()));
    REQUIRE(result.exit_code == 0);
  };
  const auto hears = [&](const std::string& party, const std::string& topic) {
    json found;
    wait_until([&] {
      std::istringstream lines(text_in(told_by(party)));
      for (std::string line; std::getline(lines, line);)
        if (!line.empty() && json::accept(line) && json::parse(line)["topic"] == topic)
          found = json::parse(line);
      return !found.is_null();
    });
    return found;
  };

  does(kOperator, fmt::format("cp {} {}/", file, aii.both.path("drop").native()), "");
  const std::string told = hears("aii", "release")["command"];  // as the mail has it
  REQUIRE(told.starts_with("veer -c "));
  does(kApprover, aii.program.native() + told.substr(4), "y\\n");
  CHECK(has(steps.back(), "numbers     1000"));
  CHECK(hears("aii", "recorded")["severity"] == "notice");
  CHECK(hears("avsb", "recorded")["severity"] == "notice");
  CHECK(has(aii.both.note(aii.both.list_name()), "Recorded at the receiver: 1000 numbers"));
  CHECK(has(aii.as(kOperator, "status").output, "nothing is open"));
  CHECK(aii.both.veer("avsb", "status").exit_code == 0);
  CHECK(steps.size() == 2);
  write_file(fs::path(VEER_PROGRAM).parent_path().parent_path() / "ordinary-year.txt",
             fmt::format("{}\n", fmt::join(steps, "\n")));
  CHECK(service->end(SIGTERM) == 0);
}

TEST_CASE("the bus shows what can be asked to whoever introspects it, and other programs may ask") {
  const OfAnother aii;
  const PrivateBus bus(kService);
  const auto service = aii.serve();
  aii.wait_for_bus();
  const auto busctl = [](const char* user, const std::string& words) {
    return shell(fmt::format(
        "cd / && setpriv --reuid $(id -u {0}) --regid $(id -g {0}) --init-groups busctl --no-pager "
        "{1} 2>&1",
        user, words));
  };
  const std::string object = " org.veerdienst.Exchange1.aii /org/veerdienst/Exchange1";
  const std::string shown = busctl(kNobody, "introspect" + object + " org.veerdienst.Exchange1").output;
  INFO(shown);
  for (const char* line : {"Ask method ss x", "Offer method shs x", "Result method x sss",
                           "Look method ssb is", "Configuration property s", "Progress signal tt"})
    CHECK(std::regex_search(
        shown, std::regex("\\." + std::regex_replace(std::string(line), std::regex(" "), " +"))));
  const std::string xml = busctl(kNobody, "introspect --xml-interface" + object).output;
  for (const char* name : {"verb", "argument", "command", "file", "exit_code", "json", "of"})
    CHECK(has(xml, fmt::format("name=\"{}\"", name)));
  const std::string call = "call" + object + " org.veerdienst.Exchange1 ";
  CHECK(has(busctl(kOperator, call + "Look ssb status '' false").output, "the service runs"));
  CHECK(has(busctl(kOperator, call + "Ask ss poll ''").output, "x 1"));
  const ShellResult refused = busctl(kNobody, call + "Look ssb status '' false");
  CHECK(refused.exit_code != 0);
  CHECK(has(refused.output, "may not do this"));
  // Nobody else bears the service's name.
  const ShellResult posing = shell(
      "python3 -c 'import ctypes' && cd / && setpriv --reuid 65534 --regid 65534 --clear-groups busctl call "
      "org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su "
      "org.veerdienst.Exchange1.avsb 0 2>&1");
  CHECK(posing.exit_code != 0);
  CHECK(has(posing.output, "Access denied"));
}

TEST_CASE("whatever a person hands over that is no list in a file is refused, and the service goes on") {
  const OfAnother aii;
  const PrivateBus bus(kService);
  const auto service = aii.serve();
  aii.wait_for_bus();
  const std::string name = aii.both.list_name();
  const std::string content = fictitious_csv(10, 3);
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const Fd reading(ends[0]);
  const Fd writing(ends[1]);
  const Fd memory(memfd_create("list", MFD_CLOEXEC));
  REQUIRE(write(memory.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  const std::string file = aii.list(content);
  const Fd for_writing(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  const Fd a_path(open(file.c_str(), O_PATH | O_CLOEXEC));
  const Fd folder(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Fd device(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  const fs::path large = aii.desk / "large";
  write_file(large, "");
  fs::resize_file(large, std::uint64_t{1} << 40);
  const Fd huge(open(large.c_str(), O_RDONLY | O_CLOEXEC));
  const fs::path gone = aii.desk / "gone";
  write_file(gone, content);
  const Fd deleted(open(gone.c_str(), O_RDONLY | O_CLOEXEC));
  fs::remove(gone);
  for (const auto& [fd, code] : {std::pair{&reading, "I_FILE "},
                                 {&writing, "I_FILE "},
                                 {&memory, "I_FILE "},
                                 {&folder, "I_FILE "},
                                 {&device, "I_FILE "},
                                 {&deleted, "I_FILE "},
                                 {&huge, "I_SIZE "},
                                 {&for_writing, "L_IO "},
                                 {&a_path, "L_IO "}}) {
    const std::string told = aii.offers(name, fd->get());
    CAPTURE(told, code);
    CHECK(told.starts_with(code));
  }
  const Fd good(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  for (const std::string& odd :
       {std::string(), std::string("/etc/") + name, "../" + name, std::string(300, 'a')})
    CHECK(has(aii.offers(odd, good.get()), "I_NAME a list is offered under its file's name alone"));
  for (const std::string& odd : {std::string("-"), std::string("--config"), std::string("list.csv"),
                                 name + "\n", std::string("inburgeringsplicht-85070999752.csv")}) {
    const std::string told = aii.offers(odd, good.get());
    CAPTURE(told);
    CHECK(told.starts_with("I_NAME "));
    CHECK_FALSE(has(told, "85070999752"));
  }
  CHECK(has(aii.offers("\xff.csv", good.get()), "U_USAGE"));

  const auto asked = [&](const std::string& verb, const std::string& argument) {
    return aii.meets(kOperator, [&](BusClient& its) { return std::to_string(its.ask(verb, argument)); });
  };
  for (const char* verb : {"send", "send-open", "run", "", "poll ", "keys", "poll; reboot"})
    CHECK(has(asked(verb, "/etc/passwd"), "U_USAGE the service knows no such command"));
  CHECK(has(asked("retry", std::string(5000, 'a')), "U_USAGE what was given to the command is too long"));
  CHECK(has(aii.as(kOperator, "retry \"'; DROP TABLE command; --\"").output, "U_UNKNOWN"));
  CHECK(has(aii.as(kOperator, "retry -- --config").output, "U_UNKNOWN"));
  CHECK(std::stoi(asked("close-alert", "7x")) > 0);  // a row, which fails
  const auto looked = [&](const std::string& what, const std::string& argument) {
    return aii.meets(kAuditor, [&](BusClient& its) { return its.look(what, argument, true).text; });
  };
  CHECK(has(looked("keys export", ""), "U_USAGE"));
  CHECK(has(looked("audit verify", "--anchor 1:2"), "U_USAGE an anchor is written"));
  CHECK(has(looked("show", "../../etc/passwd"), "U_UNKNOWN"));

  CHECK(json::parse(aii.as(kOperator, "--json list").output).empty());
  CHECK(has(aii.offers(name, good.get()), " "));
  CHECK(json::parse(aii.as(kOperator, "--json list").output).size() == 1);
  CHECK_FALSE(has(text_in(aii.log()), "85070999752"));
  CHECK(service->end(SIGTERM) == 0);
}

TEST_CASE(
    "a person may let only so many commands and open files wait, and those of a service that ends are gone") {
  const OfAnother aii;
  const PrivateBus bus(kService);
  auto service = aii.serve();
  aii.wait_for_bus();
  wait_until([&] { return aii.both.server().sign_ins() > 0; });
  aii.both.server().signal_sessions(SIGSTOP);  // the worker is stuck in its look at the share
  const std::string file = aii.list(fictitious_csv(10, 3));
  Process waiting(aii.words(kOperator, {"send", file}), aii.both.path("waiting.log"));
  wait_until([&] { return aii.logged("games (5) asks: send-open") == 1; });
  const std::string told = aii.meets(kOperator, [&](BusClient& its) {
    const Fd list(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    int taken = 0;
    std::string refused;
    for (int i = 0; i < 1000; ++i) {
      try {
        its.offer(fs::path(file).filename(), list);
        ++taken;
      } catch (const Error& error) {
        refused = fmt::format("{} {}", code_name(error.code()), error.message());
      }
    }
    return fmt::format("{} taken, {}", taken, refused);
  });
  CHECK(told == "19 taken, U_STATE 20 commands of yours wait already: let them be done first");
  const auto open_files = [&] {
    const fs::directory_iterator all("/proc/" + std::to_string(service->pid()) + "/fd");
    return std::distance(begin(all), end(all));
  };
  CHECK(open_files() < 80);
  CHECK(has(aii.as(kOperator, "status").output, "games (5) asked for send-open"));

  service->end(SIGKILL);
  aii.both.server().signal_sessions(SIGCONT);
  service = aii.serve();
  wait_until([&] { return waiting.ended().has_value(); }, 60);
  CHECK(has(text_in(aii.both.path("waiting.log")),
            "U_STATE: the service began anew before it had read the file: offer it again"));
  wait_until([&] { return json::parse(aii.as(kOperator, "--json status").output)["commands"].empty(); });
  CHECK(aii.as(kOperator, "send " + file).exit_code == 0);
  CHECK(open_files() < 40);
}

TEST_CASE("who gave a command hears how far its transfer is, and nobody else does") {
  const OfAnother aii;
  const PrivateBus bus(kService);
  const auto service = aii.serve();
  aii.wait_for_bus();
  const std::string file = aii.list(fictitious_csv(200'000, 3));
  Child outsider([&] {  // an approver, who may look, and gave no command
    const std::string heard = aii.meets(kApprover, [&](BusClient& its) {
      std::size_t times = 0;
      its.look("status", "", false);
      its.wait(std::chrono::seconds(60), [&](auto, auto) { ++times; });
      return std::to_string(times);
    });
    return heard == "0" ? 0 : 1;
  });
  const std::string heard = aii.meets(kOperator, [&](BusClient& its) {
    const Fd list(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    const std::int64_t id = its.offer(fs::path(file).filename(), list);
    std::uint64_t most = 0;
    std::uint64_t all = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (most == 0 && std::chrono::steady_clock::now() < end)
      its.wait(std::chrono::milliseconds(50), [&](std::uint64_t bytes, std::uint64_t of) {
        if (of == 0) return;
        most = bytes;
        all = of;
      });
    its.result_of(id);
    return most > 0 && most <= all ? "moved" : fmt::format("{} of {}", most, all);
  });
  CHECK(heard == "moved");
}

TEST_CASE("Q14: the stop switch waits for no server that says nothing") {
  const OfAnother aii;
  const PrivateBus bus(kService);
  const auto service = aii.serve();
  aii.wait_for_bus();
  wait_until([&] { return aii.both.server().sign_ins() > 0; });
  aii.both.server().signal_sessions(SIGSTOP);
  // It looks every 50 ms, so that one who has not done so for a while stands before the server.
  std::string seen;
  int same = 0;
  wait_until([&] {
    const std::string last = json::parse(aii.as(kOperator, "--json status").output)["last_poll"].dump();
    same = last == seen ? same + 1 : 0;
    seen = last;
    return same > 20;
  });
  const auto begin = std::chrono::steady_clock::now();
  const ShellResult stopped = aii.as(kOperator, "suspend");
  CAPTURE(stopped.output);
  CHECK(stopped.exit_code == 0);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(8));
  CHECK(aii.logged("a step was abandoned") == 1);
  aii.both.server().signal_sessions(SIGCONT);
  CHECK(service->end(SIGTERM) == 0);
}

TEST_CASE("a service without a bus works, and is there when a bus comes, goes and comes back") {
  const OfAnother aii;
  PrivateBus bus(kService);
  bus.stop();
  const auto service = aii.serve();
  wait_until([&] {
    return aii.logged("only the service's own user can give commands, since there is no bus: ") == 1;
  });
  const ShellResult alone = aii.as(kOperator, "status");
  INFO(alone.output);
  CHECK(alone.exit_code == 11);
  CHECK(has(alone.output,
            "aii.toml may not be read by games (5), and no service answers for instance aii on the bus: "
            "start the service (systemctl start veerdienst@aii)"));
  aii.both.drop(aii.both.list_name(), fictitious_csv(10, 4));
  fs::permissions(aii.both.path("drop") / aii.both.list_name(), fs::perms(0644));
  wait_until([&] { return aii.logged(" sent ") == 1; });
  bus.start();
  aii.wait_for_bus();
  CHECK(aii.as(kOperator, "status").exit_code == 0);
  bus.stop();
  wait_until([&] { return aii.logged("it went away; it is looked for") == 1; });
  CHECK(aii.as(kOperator, "poll").exit_code == 11);
  bus.start();
  aii.wait_for_bus(2);
  CHECK(aii.as(kOperator, "poll").exit_code == 0);
  CHECK(service->end(SIGTERM) == 0);
}

TEST_CASE("a service that hangs, or works on another configuration, is told of and not waited for") {
  const OfAnother aii;
  const PrivateBus bus(kService);
  const auto service = aii.serve();
  aii.wait_for_bus();
  const std::string astray = done_by(kOperator, [] {
    BusClient("aii", "/elsewhere/aii.toml");
    return "";
  });
  CHECK(has(astray, "U_USAGE the service that is called aii on the bus works on another configuration"));
  CHECK(has(done_by(kOperator,
                    [] {
                      BusClient("2022", "/elsewhere/2022.toml");
                      return "";
                    }),
            "U_USAGE an instance that is reached over the bus is named by letters"));
  kill(service->pid(), SIGSTOP);
  const std::string hangs = aii.meets(
      kOperator, [](BusClient&) { return ""; }, std::chrono::milliseconds(200));
  kill(service->pid(), SIGCONT);
  CHECK(hangs ==
        "S_UNREACHABLE the service of instance aii did not answer: it ended, or hangs; 'systemctl status' "
        "tells more");
  CHECK(aii.as(kOperator, "status").exit_code == 0);
}

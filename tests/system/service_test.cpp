// What a service manager sees of the service: sd_notify(3), its watchdog, and configuration taken anew.

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/files.h"
#include "support/fictitious.h"
#include "support/private_bus.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;

namespace {

/// The socket that a service manager listens on.
class Manager {
 public:
  explicit Manager(const fs::path& socket)
      : path_(socket), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path_.native().size() < sizeof(address.sun_path));
    std::strcpy(address.sun_path, path_.c_str());
    REQUIRE(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  /// Starts `veer run` for a party, and says how long it may be silent.
  std::unique_ptr<Process> start(const Installation& both, const std::string& party,
                                 std::chrono::microseconds watchdog = std::chrono::seconds(30)) const {
    return std::make_unique<Process>(
        std::vector<std::string>{"/usr/bin/env", "NOTIFY_SOCKET=" + path_.native(),
                                 "WATCHDOG_USEC=" + std::to_string(watchdog.count()), VEER_PROGRAM,
                                 "--config", both.config(party).native(), "run"},
        both.path(party + ".log"));
  }

  /// How often something that holds `part` was told since the last forget().
  std::size_t heard(const std::string& part) {
    std::array<char, 4096> buffer;
    ssize_t size = 0;
    while ((size = recv(fd_.get(), buffer.data(), buffer.size(), 0)) > 0)
      told_.emplace_back(buffer.data(), static_cast<std::size_t>(size));
    return static_cast<std::size_t>(
        std::count_if(told_.begin(), told_.end(), [&](const std::string& one) { return has(one, part); }));
  }
  void forget() {
    heard("");
    told_.clear();
  }

 private:
  fs::path path_;
  Fd fd_;
  std::vector<std::string> told_;
};

}  // namespace

TEST_CASE(
    "the service manager hears when the service is ready, what it is about, that it lives and that it ends") {
  const Installation both;
  Manager manager(both.path("manager"));
  const auto aii = manager.start(both, "aii", std::chrono::milliseconds(400));
  wait_until([&] { return manager.heard("READY=1") == 1; });
  wait_until([&] { return manager.heard("STATUS=all is well; last look at the share ") > 0; });
  wait_until([&] { return manager.heard("WATCHDOG=1") > 3; });
  both.drop(both.list_name(), fictitious_csv(10, 4));
  wait_until([&] { return manager.heard(".pgp: sent;") > 0; });
  CHECK(manager.heard("STOPPING=1") == 0);
  CHECK(aii->end(SIGTERM) == 0);
  CHECK(manager.heard("STOPPING=1") == 1);
  CHECK_FALSE(has(text_in(both.path("aii.log")), "changed after it was taken in"));
}

TEST_CASE("a service that is stuck in a step is not spoken for") {
  const Installation both;
  replace_line(both.config("aii"), "poll ", "poll = \"1h\"");
  Manager manager(both.path("manager"));
  const auto aii = manager.start(both, "aii", std::chrono::seconds(2));
  wait_until([&] { return manager.heard("STATUS=all is well; last look at the share ") > 0; });
  both.server().signal_sessions(SIGSTOP);
  both.drop(both.list_name(), fictitious_csv(100'000, 4));
  wait_until([&] { return has(text_in(both.path("aii.log")), " sealed "); });
  const auto silent = [&] {
    manager.forget();
    std::this_thread::sleep_for(std::chrono::seconds(1));  // twice as long as it takes to say so
    return manager.heard("WATCHDOG=1") == 0;
  };
  wait_until(silent);
  both.server().signal_sessions(SIGCONT);
  wait_until([&] { return manager.heard("WATCHDOG=1") > 0; });
  wait_until([&] { return has(text_in(both.path("aii.log")), " sent "); });
  CHECK(aii->end(SIGTERM) == 0);
}

TEST_CASE("a configuration is taken anew on SIGHUP, and one that cannot be used changes nothing") {
  const Installation both;
  Manager manager(both.path("manager"));
  const auto aii = manager.start(both, "aii");
  wait_until([&] { return manager.heard("READY=1") == 1; });
  const auto log_has = [&](const std::string& text) {
    return [&both, text] { return has(text_in(both.path("aii.log")), text); };
  };
  const std::string good = read_file(both.config("aii"));

  replace_line(both.config("aii"), "poll ", "poll = \"often\"");
  kill(aii->pid(), SIGHUP);
  wait_until(log_has("goes on with the old configuration: C_CONFIG"));
  write_file(both.config("aii"), good);
  replace_line(both.config("aii"), "state ", "state = \"" + both.path("elsewhere").native() + "\"");
  kill(aii->pid(), SIGHUP);
  wait_until(log_has("that takes a restart"));
  write_file(both.config("aii"), good);
  replace_line(both.config("aii"), "key ", "key = \"file:/nowhere\"");
  kill(aii->pid(), SIGHUP);
  wait_until(log_has("goes on with the old configuration: C_CREDENTIAL"));
  wait_until([&] { return manager.heard("READY=1") == 2; });
  CHECK(manager.heard("RELOADING=1") == 1);

  fs::create_directory(both.path("other"));
  fs::permissions(both.path("other"), fs::perms(03770));
  write_file(both.config("aii"), good);
  replace_line(both.config("aii"), "drop ", "drop = \"" + both.path("other").native() + "\"");
  kill(aii->pid(), SIGHUP);
  wait_until([&] { return manager.heard("READY=1") == 3; });
  write_file(both.path("other") / both.list_name(), fictitious_csv(10, 4));
  wait_until(log_has(" sent "));
  CHECK(aii->end(SIGTERM) == 0);
}

TEST_CASE("a care fund that came with a configuration taken anew gets its list, sealed to its key") {
  const Installation both;
  const PrivateBus bus("root");
  const std::vector<Insz> numbers = fictitious_list(10, 3);
  std::string list;
  for (const Insz& number : numbers) list += digits_of(number) + "\n";
  both.drop(both.list_name(), list);
  const auto aii = both.serve("aii");
  Manager manager(both.path("manager"));
  const auto avsb = manager.start(both, "avsb");
  wait_until([&] { return has(text_in(both.path("avsb.log")), ": recorded (10 numbers"); });

  write_file(both.config("avsb"), read_file(both.config("avsb")) + "\n[access]\noperators = [\"daemon\"]\n" +
                                      care_funds(both, {"fund1"}, 1));
  const std::size_t ready = manager.heard("READY=1");
  kill(avsb->pid(), SIGHUP);
  wait_until([&] { return manager.heard("READY=1") > ready; });
  const auto members =
      both.path(fmt::format("ledenbestand-{}.csv", format_date(date_of(SystemClock().now()))));
  write_file(members, fmt::format("zorgkas;insz\nfund1;{}\neinde;1\n", digits_of(numbers[4])));
  fs::permissions(members, fs::perms(0644));
  fs::permissions(both.path(""), fs::perms(0711));
  fs::copy_file(VEER_PROGRAM, both.path("veer"));
  const ShellResult asked = shell(
      fmt::format("setpriv --reuid daemon --regid daemon --clear-groups {} --config {} distribute {} "
                  "--members {} 2>&1 </dev/null",
                  both.path("veer").native(), both.config("avsb").native(), both.year(), members.native()));
  INFO(asked.output << text_in(both.path("avsb.log")));
  CHECK(asked.exit_code == 20);
  CHECK(has(asked.output, fmt::format("distribute-{}-", both.year())));
  CHECK(avsb->end(SIGTERM) == 0);
}

TEST_CASE("without a service manager, SIGHUP ends the service, as when its terminal closes") {
  const Installation both;
  const auto aii = both.serve("aii");
  wait_until([&] { return has(both.veer("aii", "status").output, "the service runs"); });
  CHECK(aii->end(SIGHUP) == 0);
}

TEST_CASE("the program's memory is dumped to no file, and open to no other program of its user") {
  const TempFolder folder;
  const fs::path program = folder / "veer";
  const fs::path config = folder / "aii.toml";
  fs::permissions(folder.path(), fs::perms(0755));
  fs::copy_file(VEER_PROGRAM, program);
  REQUIRE(mkfifo(config.c_str(), 0644) == 0);  // who opens it waits there
  const auto start = [&](std::vector<std::string> command) {
    // A process of root's shows no difference: as somebody else, where root tests.
    if (geteuid() == 0)
      command.insert(command.begin(),
                     {"/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"});
    return std::make_unique<Process>(command, folder / "log");
  };
  const auto memory_belongs_to = [](const Process& process) {
    struct stat status {};
    REQUIRE(stat(("/proc/" + std::to_string(process.pid()) + "/mem").c_str(), &status) == 0);
    return status.st_uid;
  };
  const auto name_of = [](const Process& process) {
    return text_in("/proc/" + std::to_string(process.pid()) + "/comm");
  };
  const uid_t user = geteuid() == 0 ? 65534 : geteuid();

  const auto another = start({"/usr/bin/sleep", "600"});
  wait_until([&] { return name_of(*another) == "sleep\n"; });
  CHECK(memory_belongs_to(*another) == user);

  const auto veer = start({program.native(), "--config", config.native(), "status"});
  wait_until([&] { return name_of(*veer) == "veer\n" && memory_belongs_to(*veer) == 0; });
  const std::string limits = text_in("/proc/" + std::to_string(veer->pid()) + "/limits");
  const std::string core = limits.substr(limits.find("Max core file size"));
  std::istringstream line(core.substr(0, core.find('\n')).substr(std::string("Max core file size").size()));
  std::string soft;
  std::string hard;
  line >> soft >> hard;
  CHECK(soft == "0");
  CHECK(hard == "0");
}

TEST_CASE("a service that was killed says so once it runs again, and one that was stopped does not") {
  const Installation both;
  const auto count = [&](const std::string& what) {
    return shell("sqlite3 -readonly " + (both.path("aii") / "ledger.db").native() +
                 " \"SELECT count(*) FROM " + what + "\" 2>&1")
        .output;
  };
  const auto live = [&](int signal, const std::string& until) {
    const auto aii = both.serve("aii");
    wait_until([&] { return count(until) == "1\n"; });
    aii->end(signal);
  };
  const std::string runs = "setting WHERE name = 'runs_since'";
  const std::string crashed = "alert WHERE code = 'CRASHED'";
  live(SIGTERM, runs);
  CHECK(count(runs) == "0\n");
  live(SIGKILL, runs);
  CHECK(count(crashed) == "0\n");
  live(SIGTERM, crashed);
  live(SIGTERM, runs);
  CHECK(count(crashed) == "1\n");
}

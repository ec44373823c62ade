// System calls that fail, or kill, one by one, in a real exchange: each call of each kind that a side's work
// makes once it has begun, by strace(1). VEER_FAULTS=all: every one of them; else one of each kind, at
// random.

#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/files.h"
#include "support/fictitious.h"
#include "support/installation.h"
#include "system/at_rest.h"

using namespace veer;
using namespace veer::test;

namespace {

constexpr std::size_t kNumbers = 1000;

/// What each call answers when it fails: a disk that is full or broken, an exhausted machine, a lost network.
/// read() only kills: nearly all are of pipes, where it never fails, and GPGME does not take it when it does.
const std::map<std::string, std::string> kFaults = {
    {"write", "ENOSPC"},
    {"pwrite64", "ENOSPC"},
    {"ftruncate", "ENOSPC"},
    {"fsync", "EIO"},
    {"fdatasync", "EIO"},
    {"rename", "EIO"},
    {"renameat2", "EIO"},
    {"unlink", "EIO"},
    {"unlinkat", "EIO"},
    {"openat", "EMFILE"},
    {"read", ""},
    {"pread64", "EIO"},
    {"fcntl", "ENOLCK"},
    {"flock", "ENOLCK"},
    {"mmap", "ENOMEM"},
    {"memfd_create", "EMFILE"},
    {"mkdir", "ENOSPC"},
    {"pipe2", "EMFILE"},
    {"clone", "EAGAIN"},
    {"clone3", "EAGAIN"},
    {"socket", "EMFILE"},
    {"connect", "ENETUNREACH"},
    {"sendto", "ECONNRESET"},
    {"recvfrom", "ECONNRESET"},
    {"getdents64", "EIO"},
    {"fchmod", "EPERM"},
};

/// Whose turn: the sender seals and sends, the receiver records and answers, the sender takes the receipt in.
const std::vector<std::string> kTurns = {"aii", "avsb", "aii"};

/// One exchange, which can be had again from its beginning.
class Trial {
 public:
  Trial() {
    for (const char* party : {"aii", "avsb"}) {
      stop_agent(party);
      shell(fmt::format("cp -a {0} {0}.new", agencies_.path(party).native()));
    }
  }

  void begin() {
    for (const char* party : {"aii", "avsb"}) {
      stop_agent(party);
      shell(fmt::format("rm -r {0} && cp -a {0}.new {0}", agencies_.path(party).native()));
    }
    shell(fmt::format("rm -f {}/*", agencies_.path("drop").native()));
    for (const char* folder : {"to_avsb", "to_aii"})
      shell(fmt::format("find {} -type f -delete", (agencies_.server().root() / folder).native()));
    agencies_.drop(agencies_.list_name(), fictitious_csv(kNumbers, kSeedOfList));
  }

  /// One turn of a side, run by another program when one is named.
  ShellResult work(const std::string& party, const std::string& by = "") const {
    return shell(fmt::format("{} {} --config {} run --once 2>&1 </dev/null", by, VEER_PROGRAM,
                             agencies_.config(party).native()));
  }

  /// How often the side's work calls each of kFaults, and how often before it reads its configuration.
  struct Calls {
    int before = 0;
    int all = 0;
  };
  std::map<std::string, Calls> count(const std::string& party) const {
    const fs::path trace = agencies_.path("trace");
    std::string names;
    for (const auto& [name, error] : kFaults) names += ",?" + name;
    const ShellResult done =
        work(party, fmt::format("strace -qq -o {} -e trace={}", trace.native(), names.substr(1)));
    INFO(done.output);
    REQUIRE(done.exit_code == 0);
    std::map<std::string, Calls> calls;
    bool begun = false;
    std::istringstream lines(read_file(trace));
    for (std::string line; std::getline(lines, line);) {
      const std::string name = line.substr(0, line.find('('));
      if (!kFaults.contains(name)) continue;
      begun = begun || line.find(agencies_.config(party).native()) != std::string::npos;
      ++calls[name].all;
      if (!begun) ++calls[name].before;
    }
    REQUIRE(begun);
    fs::remove(trace);
    return calls;
  }

  /// Both sides work on, without faults, until the list is acknowledged and nothing lies about: for what is
  /// tried again later, the clock goes on.
  bool comes_to_rest() const {
    for (int minutes = 0; minutes < 30; ++minutes) {
      const std::string later =
          minutes < 3 ? "" : fmt::format("NO_FAKE_STAT=1 faketime -f +{}m", minutes - 2);
      last_ = work("aii", later).output + work("avsb", later).output;
      if (agencies_.note(agencies_.list_name()).find("Recorded at the receiver") != std::string::npos &&
          agencies_.server().is_empty("to_avsb") && agencies_.server().is_empty("to_aii") &&
          fs::is_empty(agencies_.path("avsb") / "spool"))
        return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  const Installation& agencies() const { return agencies_; }
  const std::string& last_output() const { return last_; }

 private:
  void stop_agent(const std::string& party) const {
    shell(fmt::format("gpgconf --homedir {} --kill gpg-agent 2>/dev/null",
                      (agencies_.path(party) / "gnupg").native()));
  }

  Installation agencies_;
  mutable std::string last_;
};

/// An error that is told of, or the end of the process. Whether it came to that: calls on a connection are
/// not of one number.
bool fail_at(Trial& trial, std::size_t turn, const std::string& call, const std::string& fault, int n) {
  CAPTURE(turn, call, fault, n);
  trial.begin();
  for (std::size_t before = 0; before < turn; ++before) trial.work(kTurns[before]);
  const bool kills = fault == "signal=KILL";
  const fs::path trace = trial.agencies().path("trace");
  const ShellResult failed = trial.work(
      kTurns[turn], fmt::format("strace -q -o {} -e inject={}:{}:when={}", trace.native(), call, fault, n));
  INFO(failed.output);
  const bool struck = read_file(trace).find(kills ? "killed by SIGKILL" : "(INJECTED)") != std::string::npos;
  fs::remove(trace);
  if (kills)
    CHECK((failed.exit_code == 0) != struck);
  else
    CHECK((failed.exit_code >= 0 && failed.exit_code < 100));  // it ends by itself, whatever happens
  const bool rested = trial.comes_to_rest();
  INFO(trial.last_output());
  REQUIRE(rested);
  check_at_rest(trial.agencies(), kNumbers);
  return struck;
}

}  // namespace

TEST_CASE("whichever system call fails or kills, once, the list is recorded once and acknowledged") {
  const char* const told = std::getenv("VEER_FAULTS");
  const bool all = told != nullptr && std::string(told) == "all";
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Trial trial;
  trial.begin();
  std::vector<std::map<std::string, Trial::Calls>> turns;
  for (const std::string& party : kTurns) turns.push_back(trial.count(party));
  check_at_rest(trial.agencies(), kNumbers);

  std::size_t faults = 0;
  for (std::size_t turn = 0; turn < turns.size(); ++turn)
    for (const auto& [call, calls] : turns[turn]) {
      const int own = calls.all - calls.before;
      const int chosen = all || own == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(own));
      for (int n = 0; n < own; ++n) {
        if (!all && n != chosen) continue;
        std::vector<std::string> ways = {"signal=KILL"};
        if (const std::string& error = kFaults.at(call); !error.empty()) ways.push_back("error=" + error);
        if (!all) std::swap(ways[0], ways[random() % ways.size()]);
        for (const std::string& way : ways) {
          if (fail_at(trial, turn, call, way, calls.before + n + 1)) ++faults;
          if (!all) break;
        }
      }
    }
  CHECK(faults > 30);
}

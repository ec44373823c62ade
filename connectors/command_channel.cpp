#include "connectors/command_channel.h"

#include <array>
#include <csignal>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr std::chrono::milliseconds kLook(20);
constexpr std::uint64_t kMostInput = 1 << 20;

class Actions {
 public:
  Actions() { posix_spawn_file_actions_init(&raw_); }
  ~Actions() { posix_spawn_file_actions_destroy(&raw_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  posix_spawn_file_actions_t* get() { return &raw_; }

 private:
  posix_spawn_file_actions_t raw_{};
};

class Attributes {
 public:
  Attributes() { posix_spawnattr_init(&raw_); }
  ~Attributes() { posix_spawnattr_destroy(&raw_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  posix_spawnattr_t* get() { return &raw_; }

 private:
  posix_spawnattr_t raw_{};
};

/// A child in a process group of its own, which ends with this.
class Hook {
 public:
  Hook(const std::string& program, const AlertMessage& message) : input_(kMostInput) {
    // A file in memory cannot fill up as a pipe can, and needs nobody to write on.
    input_.write(to_json(message));
    input_.seal();
    lseek(input_.fd(), 0, SEEK_SET);
    Actions actions;
    posix_spawn_file_actions_adddup2(actions.get(), input_.fd(), 0);
    posix_spawn_file_actions_addopen(actions.get(), 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(actions.get(), 2, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(actions.get(), 3);
    Attributes attributes;
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes.get(), &none);
    posix_spawnattr_setsigdefault(attributes.get(), &all);
    posix_spawnattr_setpgroup(attributes.get(), 0);
    posix_spawnattr_setflags(attributes.get(),
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::array<std::string, 4> words{program, message.turn, message.severity, message.topic};
    std::array<char*, 5> arguments{words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                                   nullptr};
    std::array<std::string, 2> settings{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
    std::array<char*, 3> environment{settings[0].data(), settings[1].data(), nullptr};
    if (const int failed = posix_spawn(&pid_, program.c_str(), actions.get(), attributes.get(),
                                       arguments.data(), environment.data());
        failed != 0) {
      pid_ = -1;
      throw Error(Code::s_unreachable,
                  fmt::format("the alert hook {} cannot be started (error {}): check that it "
                              "is there and may be run by the service's user",
                              printable(program), failed));
    }
  }
  ~Hook() {
    if (pid_ < 0) return;
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  /// How it ended, once it has. It stays a zombie until then, so that nobody else gets its number.
  std::optional<siginfo_t> ended() const {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
      return std::nullopt;
    return info;
  }

 private:
  MemFile input_;
  pid_t pid_ = -1;
};

}  // namespace

std::string CommandChannel::send(const AlertMessage& message, const Transfer& transfer) {
  Hook hook(program_, message);
  const auto end = std::chrono::steady_clock::now() + timeout_;
  std::optional<siginfo_t> ended;
  while (!(ended = hook.ended())) {
    transfer.heed_stop();
    if (std::chrono::steady_clock::now() > end)
      throw Error(Code::s_timeout, fmt::format("the alert hook {} does not end", printable(program_)));
    std::this_thread::sleep_for(kLook);
  }
  if (ended->si_code == CLD_EXITED && ended->si_status == 0) return {};
  throw Error(Code::s_protocol,
              fmt::format("the alert hook {} ended with {} {}", printable(program_),
                          ended->si_code == CLD_EXITED ? "code" : "signal", ended->si_status));
}

}  // namespace veer

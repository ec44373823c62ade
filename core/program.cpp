#include "core/program.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/files.h"

namespace veer {

std::optional<std::string> said_by(std::vector<std::string> words) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  const Fd in(ends[0]);
  Fd out(ends[1]);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<char*, 3> environment{const_cast<char*>("LC_ALL=C"),
                                   const_cast<char*>("PATH=/usr/sbin:/usr/bin"), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.get(), 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int started =
      posix_spawn(&pid, arguments.front(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  out.reset();
  if (started != 0) return std::nullopt;
  std::string text;
  std::array<char, 4096> piece{};
  ssize_t n = 0;
  while ((n = TEMP_FAILURE_RETRY(read(in.get(), piece.data(), piece.size()))) > 0)
    text.append(piece.data(), static_cast<std::size_t>(n));
  int status = 0;
  TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
  return text;
}

bool ends_within(pid_t process, std::chrono::milliseconds patience) {
  // glibc 2.36 declares pidfd_open() for C alone.
  const Fd handle(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (handle.get() < 0) return errno == ESRCH;
  pollfd end{handle.get(), POLLIN, 0};
  return TEMP_FAILURE_RETRY(poll(&end, 1, static_cast<int>(patience.count()))) == 1;
}

}  // namespace veer

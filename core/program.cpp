#include "core/program.h"

#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
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

// One that nobody has taken note of (a zombie) has ended.
bool is_alive(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t state = text.rfind(')') + 2;
  return state < text.size() && text[state] != 'Z' && text[state] != 'X';
}

}  // namespace veer

#include "support/server_process.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/files.h"

namespace veer::test {
namespace {

void add_children(pid_t parent, std::vector<pid_t>& all) {
  std::ifstream children(fmt::format("/proc/{}/task/{}/children", parent, parent));
  for (pid_t child = 0; children >> child;) {
    all.push_back(child);
    add_children(child, all);
  }
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

void ServerProcess::start(const std::vector<std::string>& command, const std::filesystem::path& log) {
  std::filesystem::remove(log);
  pid_ = start_program(command, log);
}

void ServerProcess::stop() {
  if (pid_ <= 0) return;
  const auto served = sessions();
  ::kill(pid_, SIGTERM);
  for (const pid_t session : served) ::kill(session, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool ServerProcess::has_ended() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ <= 0;
}

std::vector<pid_t> ServerProcess::sessions() const {
  std::vector<pid_t> all;
  add_children(pid_, all);
  return all;
}

void ServerProcess::signal_sessions(int signal) const {
  for (const pid_t session : sessions()) ::kill(session, signal);
}

pid_t start_program(const std::vector<std::string>& command, const std::filesystem::path& log) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  // A service manager that runs the tests is not the service's.
  std::vector<char*> settings;
  for (char** setting = environ; *setting != nullptr; ++setting)
    if (std::string_view(*setting).rfind("NOTIFY_SOCKET=", 0) != 0) settings.push_back(*setting);
  settings.push_back(nullptr);
  // A signal that meets the child before it is the other program must not find the handlers of this one,
  // which has threads.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const pid_t pid = fork();
  if (pid != 0) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0) throw std::runtime_error("fork failed");
    return pid;
  }
  // nohup(1) has SIGHUP ignored by all that is started below it.
  for (const int handled : {SIGHUP, SIGTERM, SIGINT, SIGSEGV, SIGABRT, SIGFPE, SIGILL})
    signal(handled, SIG_DFL);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is ended leaves nothing behind
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(fd, 1);
  dup2(fd, 2);
  execve(words[0], words.data(), settings.data());
  _exit(127);
}

int free_port() {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (!fd || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

bool is_listening(int port) {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string text_in(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void wait_until(const std::function<bool()>& holds, int most) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(most);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("what was waited for did not come");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::string user_name() { return getpwuid(geteuid())->pw_name; }

}  // namespace veer::test

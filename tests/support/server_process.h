#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace veer::test {

/// A server that a test starts on loopback; ended with all its sessions when this goes.
class ServerProcess {
 public:
  ServerProcess() = default;
  ~ServerProcess() { stop(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// Runs `command`, whose output goes to a new file `log`.
  void start(const std::vector<std::string>& command, const std::filesystem::path& log);
  void stop();
  bool has_ended();
  /// Processes that serve open sessions.
  std::vector<pid_t> sessions() const;
  void signal_sessions(int signal) const;

 private:
  pid_t pid_ = -1;
};

/// Runs `command` beside the test, and no longer than it; what it prints is added to `log`.
pid_t start_program(const std::vector<std::string>& command, const std::filesystem::path& log);
/// A port of 127.0.0.1 that was free a moment ago.
int free_port();
/// Whether somebody takes connections there.
bool is_listening(int port);
/// All of a file; empty when there is none.
std::string text_in(const std::filesystem::path& file);
/// How often `part` stands in `text`.
std::size_t count_of(const std::string& text, const std::string& part);
/// Looks until `holds()` is true; throws after `most` seconds.
void wait_until(const std::function<bool()>& holds, int most = 20);
/// Name of the user who runs the test.
std::string user_name();

}  // namespace veer::test

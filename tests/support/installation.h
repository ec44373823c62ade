#pragma once

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "graph/graph_emulator.h"
#include "support/ftps_server.h"
#include "support/shell.h"
#include "support/sshd.h"
#include "support/temp_folder.h"

namespace veer::test {

/// A program that runs beside the test; killed when this goes.
class Process {
 public:
  Process(const std::vector<std::string>& command, const std::filesystem::path& log);
  ~Process() { end(SIGKILL); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  pid_t pid() const { return pid_; }
  /// How it ended, as end() tells it, once it has by itself.
  std::optional<int> ended();
  /// Sends the signal and waits, at most two minutes, after which it is killed; its exit status, or minus the
  /// signal that ended it.
  int end(int signal);

 private:
  pid_t pid_;
};

/// A real server between two agencies.
class ServerBetween {
 public:
  virtual ~ServerBetween() = default;
  /// Where its folders "to_avsb" and "to_aii" lie.
  virtual std::filesystem::path root() const = 0;
  virtual bool is_empty(const std::string& folder) const {
    return std::filesystem::is_empty(root() / folder);
  }
  /// To the processes that serve open sessions. The emulator is none: whatever the signal, it breaks the
  /// connection of the next request.
  virtual void signal_sessions(int signal) const = 0;
  /// How often somebody signed in.
  virtual std::size_t sign_ins() const = 0;
  /// The tenant, when it is one.
  virtual GraphEmulator* graph() { return nullptr; }
  /// Puts how to reach it into a configuration that `veer init --share KIND` made.
  virtual void fill_in(const std::filesystem::path& config, bool sender) const = 0;
};

/// Both agencies as sysadmins set them up with the program itself: configuration, real keys, folders, and a
/// real server between them: "sftp", "ftps", or "sharepoint" (the emulator).
class Installation {
 public:
  explicit Installation(const std::string& share = "sftp");
  ~Installation();
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;

  /// Runs `veer --config PARTY.toml ARGUMENTS`, with standard error at the end of the output.
  ShellResult veer(const std::string& party, const std::string& arguments) const;
  /// `veer run` for a party.
  std::unique_ptr<Process> serve(const std::string& party) const;
  /// Puts a file into the drop folder in one piece.
  void drop(const std::string& name, std::string_view bytes) const;
  std::string note(const std::string& name) const;
  /// The OpenPGP agents that serve a party's keys now.
  std::vector<pid_t> agents(const std::string& party) const;
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::filesystem::path config(const std::string& party) const { return folder_ / (party + ".toml"); }
  const ServerBetween& server() const { return *server_; }
  GraphEmulator& graph() const { return *server_->graph(); }
  std::string list_name() const { return "inburgeringsplicht-" + std::to_string(year_) + ".csv"; }
  int year() const { return year_; }

 private:
  void set_up(const std::string& party, const std::string& other, const std::string& options);
  void connect(const std::string& party, const std::string& other);

  TempFolder folder_;
  std::string share_;
  std::unique_ptr<ServerBetween> server_;
  int year_;
};

void replace_line(const std::filesystem::path& file, const std::string& beginning, const std::string& line);

}  // namespace veer::test

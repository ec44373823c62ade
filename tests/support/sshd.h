#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "connectors/sftp_share.h"
#include "support/server_process.h"
#include "support/temp_folder.h"

namespace veer::test {

struct SshdOptions {
  std::string host_key = "ed25519";  ///< ed25519, ecdsa or rsa
  std::string user_key = "ed25519";
  std::string subsystem = "internal-sftp";
  std::vector<std::string> lines = {};  ///< further lines of sshd_config
};

/// Debian's OpenSSH server on a free port of loopback, with keys and folders of its own; ended with all its
/// sessions when this goes. Throws when there is none to start: a missing server is a failure.
class Sshd {
 public:
  explicit Sshd(SshdOptions options = {});
  Sshd(const Sshd&) = delete;
  Sshd& operator=(const Sshd&) = delete;

  /// How a share signs in here; its folders are "to_avsb" (outgoing) and "to_aii".
  SftpOptions share() const;
  /// The same, seen from the other side.
  SftpOptions other_side() const;
  int port() const { return port_; }
  /// "SHA256:…" of the host key.
  const std::string& pin() const { return pin_; }
  std::filesystem::path root() const { return folder_ / "share"; }
  std::filesystem::path user_key() const { return folder_ / "user"; }
  std::filesystem::path folder() const { return folder_.path(); }
  /// Processes that serve open sessions.
  std::vector<pid_t> sessions() const { return process_.sessions(); }
  void signal_sessions(int signal) const { process_.signal_sessions(signal); }
  /// How often somebody signed in.
  std::size_t sign_ins() const;

 private:
  bool start();

  SshdOptions options_;
  TempFolder folder_;
  int port_ = 0;
  std::string pin_;
  ServerProcess process_;
};

}  // namespace veer::test

#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "connectors/ftps_share.h"
#include "support/certificates.h"
#include "support/server_process.h"
#include "support/temp_folder.h"

namespace veer::test {

/// Debian's FTP servers, each with habits of its own:
/// - proftpd has MLSD, and refuses to rename onto a taken name unless told otherwise;
/// - vsftpd has neither MLSD nor MLST, hides files that begin with a dot, lists a missing folder as empty,
/// and
///   overwrites when it renames;
/// - pure-ftpd has MLSD, hides names with control bytes, and overwrites when it renames. It starts as root
/// alone.
enum class FtpServerKind { proftpd, vsftpd, pure_ftpd };

struct FtpsServerOptions {
  FtpServerKind kind = FtpServerKind::proftpd;
  FtpsTls tls = FtpsTls::explicitly;
  std::vector<std::string> hosts = {"IP:127.0.0.1"};    ///< what its certificate bears
  std::chrono::hours until = std::chrono::hours(9000);  ///< how long its certificate counts from now
  std::vector<std::string> lines = {};                  ///< further lines of its configuration
  bool with_tls = true;
};

/// One of them on a free port of loopback, which demands a client certificate, with certificates, an account
/// and folders of its own; ended with all its sessions when this goes. Throws when there is none to start: a
/// missing server is a failure.
class FtpsServer {
 public:
  explicit FtpsServer(FtpsServerOptions options = {});

  /// How a share signs in here; its folders are "to_avsb" (outgoing) and "to_aii".
  FtpsOptions share() const;
  /// The same, seen from the other side.
  FtpsOptions other_side() const;
  int port() const { return port_; }
  std::filesystem::path root() const { return folder_ / "share"; }
  std::filesystem::path folder() const { return folder_.path(); }
  /// The authority that the server trusts for clients.
  const Authority& clients() const { return clients_; }
  std::vector<pid_t> sessions() const { return process_.sessions(); }
  void signal_sessions(int signal) const { process_.signal_sessions(signal); }
  /// How often somebody signed in (proftpd, vsftpd).
  std::size_t sign_ins() const;
  /// The commands that came, one a line (proftpd, vsftpd).
  std::string commands() const;

  static constexpr const char* kPassword = "correct horse battery staple";

 private:
  bool start();
  std::vector<std::string> proftpd() const;
  std::vector<std::string> vsftpd() const;
  std::vector<std::string> pure_ftpd() const;
  void write(const std::string& name, const std::string& text) const;
  std::string path(const std::string& name) const { return folder_ / name; }

  FtpsServerOptions options_;
  TempFolder folder_;
  Authority servers_{"Authority of servers"};
  Authority clients_{"Authority of clients"};
  Certificate client_;
  int port_ = 0;
  ServerProcess process_;
};

}  // namespace veer::test

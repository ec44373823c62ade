#include "support/ftps_server.h"

#include <sstream>
#include <stdexcept>
#include <utility>

#include <crypt.h>
#include <fmt/format.h>
#include <grp.h>
#include <unistd.h>

#include "core/files.h"
#include "support/shell.h"

namespace veer::test {
namespace {

constexpr const char* kUser = "aii";
constexpr unsigned kPureUser = 65534;  // pure-ftpd lets nobody be root

/// Where script/packages unpacked them: they cannot be installed beside each other, nor should they start.
std::string program(const std::string& name) {
  std::string path = std::string(VEER_FTP_SERVERS) + "/usr/" + name;
  if (access(path.c_str(), X_OK) != 0)
    throw std::runtime_error(path + " is missing: run script/packages test");
  return path;
}

}  // namespace

FtpsServer::FtpsServer(FtpsServerOptions options)
    : options_(std::move(options)), client_(clients_.issue({.name = kUser})) {
  fs::permissions(folder_.path(), fs::perms(0711));
  for (const char* name : {"to_avsb", "to_aii"}) fs::create_directories(root() / name);
  const Certificate own =
      servers_.issue({.name = "ftps.example.org", .hosts = options_.hosts, .until = options_.until});
  write("server.pem", own.certificate);
  write("server.key", own.key);
  write("ca.pem", servers_.certificate());
  write("clients.pem", clients_.certificate());
  write("client.pem", client_.certificate);
  write("client.key", client_.key);
  write("password", kPassword);
  for (int attempt = 0; attempt < 5; ++attempt)
    if (start()) return;
  throw std::runtime_error("the FTP server does not start: " + text_in(folder_ / "out"));
}

void FtpsServer::write(const std::string& name, const std::string& text) const {
  write_file(folder_ / name, text);
}

bool FtpsServer::start() {
  port_ = free_port();
  process_.start(options_.kind == FtpServerKind::proftpd  ? proftpd()
                 : options_.kind == FtpServerKind::vsftpd ? vsftpd()
                                                          : pure_ftpd(),
                 folder_ / "out");
  bool listening = false;
  wait_until([&] {
    listening = is_listening(port_);
    return listening || process_.has_ended();
  });
  return listening && !process_.has_ended();
}

std::vector<std::string> FtpsServer::proftpd() const {
  const std::string group = getgrgid(getegid())->gr_name;
  write("users", fmt::format("{}:{}:{}:{}::{}:/bin/sh\n", kUser, crypt(kPassword, "$5$veerdienst"), geteuid(),
                             getegid(), root().native()));
  write("groups", fmt::format("{}:x:{}:\n", group, getegid()));
  std::ostringstream text;
  text << "ServerName \"test\"\nServerType standalone\nPort " << port_
       << "\nDefaultAddress 127.0.0.1\nSocketBindTight on\nUseReverseDNS off\nUseIPv6 off\nUser "
       << user_name() << "\nGroup " << group
       << "\nRootLogin on\nRequireValidShell off\n<IfModule mod_delay.c>\nDelayEngine "
          "off\n</IfModule>\nWtmpLog off\n"
       << "TransferLog none\nPidFile " << path("pid") << "\nScoreboardFile " << path("scoreboard")
       << "\nModulePath " << VEER_FTP_SERVERS << "/usr/lib/proftpd\nLoadModule mod_tls.c\n"
       << "AuthOrder mod_auth_file.c\nAuthUserFile " << path("users") << "\nAuthGroupFile " << path("groups")
       << "\nLogFormat each \"%m %s\"\nExtendedLog " << path("commands") << " ALL each\n";
  if (options_.with_tls)
    text << "TLSEngine on\nTLSRequired on\nTLSVerifyClient on\nTLSECCertificateFile " << path("server.pem")
         << "\nTLSECCertificateKeyFile " << path("server.key") << "\nTLSCACertificateFile "
         << path("clients.pem") << "\nTLSLog " << path("tls.log") << '\n';
  if (options_.tls == FtpsTls::implicitly) text << "TLSOptions UseImplicitSSL\n";
  for (const std::string& line : options_.lines) text << line << '\n';
  write("config", text.str());
  return {program("sbin/proftpd"), "-n", "-q", "-c", path("config")};
}

std::vector<std::string> FtpsServer::vsftpd() const {
  fs::create_directories(folder_ / "empty");
  const auto yes = [](bool on) { return on ? "YES" : "NO"; };
  std::ostringstream text;
  text
      << "background=NO\nlisten=YES\nlisten_address=127.0.0.1\nlisten_port=" << port_
      << "\nrun_as_launching_user=YES\nseccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\nsecure_chroot_dir="
      << path("empty")
      << "\nlocal_enable=NO\nanonymous_enable=YES\nno_anon_password=YES\nftp_username=" << user_name()
      << "\nanon_root=" << root().native()
      << "\nanon_umask=022\nanon_world_readable_only=NO\nwrite_enable=YES\nanon_upload_enable=YES\n"
         "anon_other_write_enable=YES\nxferlog_enable=YES\nlog_ftp_protocol=YES\nvsftpd_log_file="
      << path("log") << "\nssl_enable=" << yes(options_.with_tls)
      << "\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\nforce_anon_data_ssl=YES\nssl_ciphers=HIGH\n"
         "require_cert=YES\nvalidate_cert=YES\nrequire_ssl_reuse=YES\nimplicit_ssl="
      << yes(options_.tls == FtpsTls::implicitly) << "\nrsa_cert_file=" << path("server.pem")
      << "\nrsa_private_key_file=" << path("server.key") << "\nca_certs_file=" << path("clients.pem") << '\n';
  for (const std::string& line : options_.lines) text << line << '\n';
  write("config", text.str());
  return {program("sbin/vsftpd"), path("config")};
}

std::vector<std::string> FtpsServer::pure_ftpd() const {
  write("bundle", text_in(folder_ / "server.pem") + text_in(folder_ / "server.key") + clients_.certificate());
  for (const char* name : {"to_avsb", "to_aii"})
    if (chown((root() / name).c_str(), kPureUser, kPureUser) != 0)
      throw std::runtime_error("pure-ftpd needs root");
  const std::string passwords = path("passwords");
  write("passwords", fmt::format("{0}:{1}:{2}:{2}::{3}/./::::::::::::\n", kUser,
                                 crypt(kPassword, "$5$veerdienst"), kPureUser, root().native()));
  const ShellResult made = shell(fmt::format("{0} mkdb {1}.db -f {1}", program("bin/pure-pw"), passwords));
  if (made.exit_code != 0) throw std::runtime_error("pure-pw failed");
  std::vector<std::string> command = {program("sbin/pure-ftpd"),
                                      "-S",
                                      fmt::format("127.0.0.1,{}", port_),
                                      "-4",
                                      "-E",
                                      "-H",
                                      "-g",
                                      path("pid"),
                                      "-l",
                                      "puredb:" + passwords + ".db",
                                      "-Y",
                                      "3",
                                      "-2",
                                      path("bundle"),
                                      "-J",
                                      "-C:HIGH"};
  command.insert(command.end(), options_.lines.begin(), options_.lines.end());
  return command;
}

FtpsOptions FtpsServer::share() const {
  FtpsOptions options;
  options.host = "127.0.0.1";
  options.port = port_;
  options.tls = options_.tls;
  options.user = options_.kind == FtpServerKind::vsftpd ? "anonymous" : kUser;
  options.password = Secret(kPassword);
  options.certificate = client_.certificate;
  options.key = Secret(std::string(client_.key));
  options.ca = servers_.certificate();
  options.outgoing = "to_avsb";
  options.incoming = "to_aii";
  options.timeout = std::chrono::seconds(10);
  return options;
}

FtpsOptions FtpsServer::other_side() const {
  FtpsOptions options = share();
  std::swap(options.outgoing, options.incoming);
  return options;
}

std::string FtpsServer::commands() const {
  return text_in(folder_ / (options_.kind == FtpServerKind::proftpd ? "commands" : "log"));
}

std::size_t FtpsServer::sign_ins() const {
  return count_of(commands(), options_.kind == FtpServerKind::proftpd ? "PASS 230" : "OK LOGIN");
}

}  // namespace veer::test

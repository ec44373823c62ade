#include "support/sshd.h"

#include <fstream>
#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>

#include "core/files.h"
#include "support/shell.h"

namespace veer::test {
namespace {

void make_key(const fs::path& path, const std::string& type) {
  if (shell(fmt::format("ssh-keygen -q -t {} -N '' -f {}", type, path.native())).exit_code != 0)
    throw std::runtime_error("ssh-keygen failed");
}

}  // namespace

Sshd::Sshd(SshdOptions options) : options_(std::move(options)) {
  fs::permissions(folder_.path(), fs::perms(0711));
  fs::create_directories(root() / "to_avsb");
  fs::create_directories(root() / "to_aii");
  if (geteuid() == 0) fs::create_directories("/run/sshd");
  make_key(folder_ / "host", options_.host_key);
  make_key(user_key(), options_.user_key);
  const std::string listed = shell(fmt::format("ssh-keygen -lf {}/host.pub", folder_.path().native())).output;
  const std::size_t begin = listed.find("SHA256:");
  pin_ = listed.substr(begin, listed.find(' ', begin) - begin);
  for (int attempt = 0; attempt < 5; ++attempt)
    if (start()) return;
  throw std::runtime_error("sshd does not start: " + text_in(folder_ / "log"));
}

bool Sshd::start() {
  port_ = free_port();
  {
    std::ofstream config(folder_ / "config");
    config << "Port " << port_ << "\nListenAddress 127.0.0.1\nHostKey " << (folder_ / "host").native()
           << "\nAuthorizedKeysFile " << (folder_ / "user.pub").native()
           << "\nStrictModes no\nPidFile none\nUsePAM no\nPasswordAuthentication "
              "no\nKbdInteractiveAuthentication no\n"
           << "PermitRootLogin prohibit-password\nMaxStartups 100\nLogLevel VERBOSE\nSubsystem sftp "
           << options_.subsystem << " -d " << root().native() << '\n';
    for (const std::string& line : options_.lines) config << line << '\n';
  }
  process_.start({"/usr/sbin/sshd", "-D", "-e", "-f", (folder_ / "config").native()}, folder_ / "log");
  bool listening = false;
  wait_until([&] {
    listening = text_in(folder_ / "log").find("Server listening") != std::string::npos;
    return listening || process_.has_ended();
  });
  return listening;
}

SftpOptions Sshd::share() const {
  SftpOptions options;
  options.host = "127.0.0.1";
  options.port = port_;
  options.user = user_name();
  options.key = Secret(text_in(user_key()));
  options.host_keys = {pin_};
  options.outgoing = "to_avsb";
  options.incoming = "to_aii";
  options.timeout = std::chrono::seconds(10);
  return options;
}

SftpOptions Sshd::other_side() const {
  SftpOptions options = share();
  std::swap(options.outgoing, options.incoming);
  return options;
}

std::size_t Sshd::sign_ins() const { return count_of(text_in(folder_ / "log"), "Accepted publickey"); }

}  // namespace veer::test

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/certificates.h"
#include "support/server_process.h"
#include "support/temp_folder.h"

namespace veer::test {

enum class MailTls { starttls, at_once, none };

/// Exim on a port of 127.0.0.1. It takes mail for example.org and the domains below it; from who signs in,
/// once TLS is on, as kUser with kPassword, and with MailTls::none from anybody. Recipients "grey@…" are to
/// come back later, "nobody@…" are unknown. A subject with "Unwanted" it refuses.
class MailServer {
 public:
  static constexpr const char* kUser = "veerdienst";
  static constexpr const char* kPassword = "correct horse battery";

  explicit MailServer(MailTls tls = MailTls::starttls);
  /// Runs again on the same port after stop().
  void start();
  void stop();

  int port() const { return port_; }
  /// PEM of the authority behind its certificate for localhost.
  const std::string& ca() const { return authority_.certificate(); }
  /// The mails that arrived, each whole, oldest first, with the envelope's recipients as "Envelope-to:".
  std::vector<std::string> mails() const;
  /// Waits for so many.
  std::vector<std::string> wait_for(std::size_t count) const;
  /// From now on it has no room: 452 to each sender.
  void fill_up();
  void make_room();
  /// From now on it takes six seconds to take a message, as one that looks into it does.
  void slow_down();
  std::string log() const;

 private:
  std::filesystem::path at(const std::string& name) const { return folder_ / name; }

  TempFolder folder_;
  Authority authority_{"mail authority"};
  MailTls tls_;
  int port_ = 0;
  ServerProcess process_;
};

}  // namespace veer::test

#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "connectors/ftps_share.h"
#include "support/certificates.h"

namespace veer::test {

/// In which an OddFtps departs from what the RFCs say.
struct FtpsHabits {
  std::string greeting = "220 odd\r\n";
  std::string home = "/";  ///< where a sign-in leads to
  /// What it sends, byte for byte, instead of the reply to a command ("MLST to_avsb/a.pgp"); nothing was done
  /// then. Empty: the command is obeyed.
  std::function<std::optional<std::string>(const std::string& command)> instead = {};
  /// What it hands over of a file or a listing instead of the true bytes.
  std::function<std::string(const std::string& command, std::string bytes)> hands_over = {};
  /// What it keeps of an upload instead of the true bytes.
  std::function<std::string(const std::string& path, std::string bytes)> keeps = {};
  /// What it sends once an upload has come.
  std::string after_upload = "226 done\r\n";
  bool knows_mlst = true;
  bool late_tickets = false;    ///< sends session tickets when the client is done, or a while has passed
  bool data_in_clear = false;   ///< in spite of PROT P
  bool other_for_data = false;  ///< shows another authority's certificate on the data connection
  bool no_farewell = false;     ///< ends the data connection without TLS's
  bool data_stays = false;      ///< leaves the data connection open after an upload
};

/// An FTP server under TLS, in threads of the test, for a few files in memory. Demands no client certificate.
class OddFtps {
 public:
  explicit OddFtps(FtpsHabits habits = {});
  ~OddFtps();
  OddFtps(const OddFtps&) = delete;
  OddFtps& operator=(const OddFtps&) = delete;

  /// How a share signs in here; its folders are "to_avsb" (outgoing) and "to_aii".
  FtpsOptions share() const;
  /// By path, "to_avsb/a.pgp".
  std::map<std::string, std::string> files() const;
  void lay(const std::string& path, const std::string& bytes);
  /// Those that came, in order.
  std::vector<std::string> commands() const;
  std::vector<std::string> commands_in_clear() const;
  std::size_t count(const std::string& verb) const;
  /// Connections that it has not done with yet.
  int open_sessions() const { return open_sessions_; }
  /// Changes what it does from the next command on.
  void turn(FtpsHabits habits);

 private:
  class Session;
  struct Context;

  void accept_all();
  FtpsHabits habits() const;

  Authority authority_{"Authority of an odd server"};
  Authority other_{"Another authority"};
  std::unique_ptr<Context> context_;
  std::unique_ptr<Context> data_context_;
  int listening_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_ = false;
  std::atomic<int> open_sessions_ = 0;
  mutable std::mutex mutex_;
  FtpsHabits habits_;
  std::map<std::string, std::string> files_;
  std::vector<std::string> commands_;
  std::vector<std::string> in_clear_;
  std::list<std::jthread> sessions_;
  std::jthread acceptor_;
};

}  // namespace veer::test

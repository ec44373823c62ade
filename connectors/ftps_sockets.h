#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

namespace veer {

/// Bytes per second below which a transfer is not worth going on with.
inline constexpr std::uint64_t kLeastPerSecond = 1024;

/// The open sockets of one connection to an FTP server: the first is for commands, one after it for data. A
/// stop shuts them from another thread, which ends every wait, also those in which libcurl does not look up.
class FtpsSockets {
 public:
  /// As socket(2): -1 when there is none to have, or when they are shut.
  int open(int family, int type, int protocol);
  void close(int socket);
  void shut();
  /// Once all are closed: others may follow.
  void reopen();
  bool is_for_data(int socket);

  /// Waits until the server has taken what was uploaded and closes, too. To what it still says on a socket
  /// that is closed, session tickets under TLS 1.3, the kernel would answer with a reset, which throws away
  /// all that the server has not read by then. A server that takes longer than `most` for kLeastPerSecond is
  /// left: its reply decides.
  static void see_off(int socket, std::chrono::milliseconds most);

 private:
  std::mutex mutex_;
  std::vector<int> open_;
  bool shut_ = false;
};

}  // namespace veer

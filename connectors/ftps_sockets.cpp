#include "connectors/ftps_sockets.h"

#include <array>
#include <cerrno>
#include <limits>

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace veer {

int FtpsSockets::open(int family, int type, int protocol) {
  const std::lock_guard lock(mutex_);
  if (shut_) return -1;
  const int made = socket(family, type | SOCK_CLOEXEC, protocol);
  if (made >= 0) open_.push_back(made);
  return made;
}

void FtpsSockets::close(int socket) {
  const std::lock_guard lock(mutex_);
  std::erase(open_, socket);
  ::close(socket);
}

void FtpsSockets::shut() {
  const std::lock_guard lock(mutex_);
  shut_ = true;
  for (const int each : open_) shutdown(each, SHUT_RDWR);
}

void FtpsSockets::reopen() {
  const std::lock_guard lock(mutex_);
  shut_ = false;
}

bool FtpsSockets::is_for_data(int socket) {
  const std::lock_guard lock(mutex_);
  return !open_.empty() && socket != open_.front();
}

void FtpsSockets::see_off(int socket, std::chrono::milliseconds most) {
  using Steady = std::chrono::steady_clock;
  static constexpr int kLookMillis = 10;
  shutdown(socket, SHUT_WR);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(most).count();
  const std::int64_t least = seconds * static_cast<std::int64_t>(kLeastPerSecond);
  std::int64_t unsent = std::numeric_limits<std::int64_t>::max();
  for (auto until = Steady::now() + most; Steady::now() < until;) {
    pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
    poll(&waiting, 1, kLookMillis);
    std::array<char, 4096> farewell{};
    const ssize_t n = recv(socket, farewell.data(), farewell.size(), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;  // a stop shuts it
    int left = 0;
    if (ioctl(socket, SIOCOUTQ, &left) != 0) return;
    if (left > unsent - least) continue;
    unsent = left;
    until = Steady::now() + most;
  }
}

}  // namespace veer

#include "connectors/tcp.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSlice(500);  // how long a wait may go without a look at the stop token
// Firewalls forget a connection that is silent for some minutes.
constexpr int kIdleSeconds = 60;

struct Resolved {
  int failed = 0;  // as getaddrinfo() returns
  Addresses addresses;
};

Resolved resolve(const std::string& host, int port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  return {failed, Addresses(found)};
}

// A resolver that does not answer blocks for as long as it is configured to, and cannot be interrupted: it is
// left behind in a thread of its own. Empty when it took too long.
std::optional<Resolved> resolve_by(Steady::time_point deadline, const std::string& host, int port,
                                   const Transfer& transfer) {
  if (Resolved literal = resolve(host, port, AI_NUMERICHOST); literal.failed == 0) return literal;
  std::packaged_task<Resolved()> asking([host, port] { return resolve(host, port, 0); });
  std::future<Resolved> answer = asking.get_future();
  std::thread(std::move(asking)).detach();
  while (answer.wait_for(std::min<Steady::duration>(kSlice, deadline - Steady::now())) !=
         std::future_status::ready) {
    transfer.heed_stop();
    if (Steady::now() >= deadline) return std::nullopt;
  }
  return answer.get();
}

// 0, or errno of why this address did not answer.
int try_connect(const Fd& socket, const addrinfo& address, Steady::time_point deadline,
                const Transfer& transfer) {
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd watched{socket.get(), POLLOUT, 0};
  int ready = 0;
  while (ready == 0) {
    transfer.heed_stop();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
    if (left.count() <= 0) return ETIMEDOUT;
    ready = poll(&watched, 1, static_cast<int>(std::min(left, kSlice).count()));
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (ready < 0 || getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

}  // namespace

Fd connect_tcp(const std::string& host, int port, std::chrono::milliseconds timeout,
               const Transfer& transfer) {
  const std::string where = fmt::format("{} port {}", printable(host), port);
  const auto resolved = resolve_by(Steady::now() + timeout, host, port, transfer);
  if (!resolved)
    throw Error(Code::s_timeout,
                fmt::format("{}: nothing tells the host's address: check the resolver and DNS", where));
  if (resolved->failed != 0)
    throw Error(Code::s_unreachable, fmt::format("{}: the host's name is not known ({}): check host and DNS",
                                                 where, gai_strerror(resolved->failed)));
  const auto deadline = Steady::now() + timeout;
  int left = 0;
  for (const addrinfo* one = resolved->addresses.get(); one != nullptr; one = one->ai_next) ++left;
  int error = EHOSTUNREACH;
  for (const addrinfo* address = resolved->addresses.get(); address != nullptr; address = address->ai_next) {
    // One that a firewall drops leaves the others their share of the time.
    const auto until = Steady::now() + (deadline - Steady::now()) / left--;
    Fd socket_fd(socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                        address->ai_protocol));
    if (!socket_fd) {
      error = errno;
      continue;
    }
    error = try_connect(socket_fd, *address, until, transfer);
    if (error != 0) continue;
    const int on = 1;
    setsockopt(socket_fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket_fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(socket_fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, &kIdleSeconds, sizeof kIdleSeconds);
    return socket_fd;
  }
  if (error == ETIMEDOUT)
    throw Error(Code::s_timeout, fmt::format("{} does not answer: check host, port and firewall", where));
  throw Error(Code::s_unreachable,
              fmt::format("{} cannot be reached ({}): check host, port and firewall, and that "
                          "the server runs",
                          where, strerrordesc_np(error)));
}

}  // namespace veer

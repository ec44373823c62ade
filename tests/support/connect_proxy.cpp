#include "support/connect_proxy.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <list>
#include <mutex>
#include <sstream>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"

namespace veer::test {
namespace {

constexpr std::size_t kMostHead = 16'384;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Fd new_socket() {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw_errno("making a socket");
  return fd;
}

void without_delay(const Fd& fd) {
  const int yes = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

bool send_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Hands on what comes on either side until both have ended, or one is broken.
void join(int one, int other) {
  std::array<pollfd, 2> ends{pollfd{one, POLLIN, 0}, pollfd{other, POLLIN, 0}};
  std::string buffer(std::size_t{1} << 17, '\0');
  for (int open = 2; open > 0;) {
    if (poll(ends.data(), ends.size(), -1) < 0) return;
    for (std::size_t side = 0; side < 2; ++side) {
      if (ends[side].revents == 0) continue;
      const int to = side == 0 ? other : one;
      const ssize_t got = recv(side == 0 ? one : other, buffer.data(), buffer.size(), 0);
      if (got < 0 ||
          (got > 0 && !send_all(to, std::string_view(buffer).substr(0, static_cast<std::size_t>(got)))))
        return;
      if (got > 0) continue;
      shutdown(to, SHUT_WR);
      ends[side].fd = -1;
      --open;
    }
  }
}

}  // namespace

struct ConnectProxy::State {
  struct Connection {
    Fd client;
    Fd server;
    bool done = false;
    std::thread thread;
  };

  ConnectProxyOptions options;
  Fd listener = new_socket();
  int port = 0;
  mutable std::mutex mutex;
  bool ending = false;
  std::list<Connection> connections;
  std::vector<std::string> asked;
  std::thread accepting;

  void accept_all();
  void serve(Connection& connection);
  int target_of(const std::string& wanted) const;
};

int ConnectProxy::State::target_of(const std::string& wanted) const {
  if (const auto route = options.routes.find(wanted); route != options.routes.end()) return route->second;
  for (const std::string_view here : {"127.0.0.1:", "localhost:"})
    if (wanted.starts_with(here)) return std::atoi(wanted.c_str() + here.size());
  return 0;
}

void ConnectProxy::State::serve(Connection& connection) {
  const int client = connection.client.get();
  std::string head;
  std::array<char, 1> byte{};  // one at a time: what follows the head is not ours
  while (!head.ends_with("\r\n\r\n")) {
    if (head.size() > kMostHead || recv(client, byte.data(), 1, 0) != 1) return;
    head += byte[0];
  }
  std::istringstream words(head);
  std::string method;
  std::string wanted;
  words >> method >> wanted;
  {
    const std::lock_guard lock(mutex);
    asked.push_back(wanted);
  }
  if (!options.credentials.empty() &&
      head.find("Basic " + base64(options.credentials)) == std::string::npos) {
    send_all(client,
             "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\n"
             "Content-Length: 0\r\nConnection: close\r\n\r\n");
    return;
  }
  const int target = method == "CONNECT" ? target_of(wanted) : 0;
  sockaddr_in address = loopback(target);
  Fd server = new_socket();
  if (target == 0 || connect(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    send_all(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return;
  }
  without_delay(server);
  {
    const std::lock_guard lock(mutex);
    if (ending) return;
    connection.server = std::move(server);
  }
  if (send_all(client, "HTTP/1.1 200 Connection established\r\n\r\n")) join(client, connection.server.get());
}

void ConnectProxy::State::accept_all() {
  while (true) {
    Fd client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::lock_guard lock(mutex);
    if (ending) return;
    if (!client) continue;
    without_delay(client);
    Connection& made = connections.emplace_back();
    made.client = std::move(client);
    made.thread = std::thread([this, &made] {
      serve(made);
      const std::lock_guard closing(mutex);
      made.client = Fd();
      made.server = Fd();
      made.done = true;
    });
  }
}

ConnectProxy::ConnectProxy(ConnectProxyOptions options) : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(state_->listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(state_->listener.get(), 16) != 0 ||
      getsockname(state_->listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw_errno("listening");
  state_->port = ntohs(address.sin_port);
  state_->accepting = std::thread([state = state_.get()] { state->accept_all(); });
}

ConnectProxy::~ConnectProxy() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
    shutdown(state_->listener.get(), SHUT_RDWR);
    for (const State::Connection& connection : state_->connections) {
      if (connection.done) continue;
      shutdown(connection.client.get(), SHUT_RDWR);
      if (connection.server) shutdown(connection.server.get(), SHUT_RDWR);
    }
  }
  state_->accepting.join();
  for (State::Connection& connection : state_->connections) connection.thread.join();
}

int ConnectProxy::port() const { return state_->port; }
std::string ConnectProxy::url() const { return "http://127.0.0.1:" + std::to_string(state_->port); }

std::vector<std::string> ConnectProxy::asked() const {
  const std::lock_guard lock(state_->mutex);
  return state_->asked;
}

}  // namespace veer::test

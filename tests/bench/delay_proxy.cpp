// veer-delay-proxy TARGET_PORT ONE_WAY_MS: a TCP proxy on 127.0.0.1 that hands on every byte ONE_WAY_MS
// later, in both directions, without a limit of bandwidth. Prints the port that the kernel gave it; runs
// until it is ended.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"

namespace {

using veer::Fd;
using Steady = std::chrono::steady_clock;

/// Bytes on their way. An empty one is the end of the stream.
struct Parcel {
  Steady::time_point due;
  std::string bytes;
};

class Road {
 public:
  void enter(Parcel parcel) {
    const std::lock_guard lock(mutex_);
    parcels_.push_back(std::move(parcel));
    entered_.notify_one();
  }
  Parcel leave() {
    std::unique_lock lock(mutex_);
    entered_.wait(lock, [&] { return !parcels_.empty(); });
    Parcel parcel = std::move(parcels_.front());
    parcels_.pop_front();
    lock.unlock();
    std::this_thread::sleep_until(parcel.due);
    return parcel;
  }

 private:
  std::mutex mutex_;
  std::condition_variable entered_;
  std::deque<Parcel> parcels_;
};

void deliver(Road& road, int to) {
  while (true) {
    const Parcel parcel = road.leave();
    std::string_view rest = parcel.bytes;
    if (rest.empty()) {
      shutdown(to, SHUT_WR);
      return;
    }
    while (!rest.empty()) {
      const ssize_t sent = send(to, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
}

void carry(int from, int to, std::chrono::milliseconds delay) {
  Road road;
  const std::jthread delivery([&] { deliver(road, to); });
  std::string buffer(std::size_t{1} << 18, '\0');
  while (true) {
    const ssize_t got = read(from, buffer.data(), buffer.size());
    road.enter({Steady::now() + delay, buffer.substr(0, got > 0 ? static_cast<std::size_t>(got) : 0)});
    if (got <= 0) return;
  }
}

void serve(const Fd& client, const Fd& server, std::chrono::milliseconds delay) {
  const std::jthread back([&] { carry(server.get(), client.get(), delay); });
  carry(client.get(), server.get(), delay);
}

Fd new_socket() {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) veer::throw_errno("making a socket");
  return fd;
}

void without_delay(const Fd& fd) {
  const int yes = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

[[noreturn]] void run(int target_port, std::chrono::milliseconds delay) {
  const Fd listener = new_socket();
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener.get(), 16) != 0 ||
      getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    veer::throw_errno("listening");
  std::cout << ntohs(address.sin_port) << std::endl;
  while (true) {
    Fd client(accept(listener.get(), nullptr, nullptr));
    if (!client) veer::throw_errno("accepting a connection");
    Fd server = new_socket();
    sockaddr_in target = loopback(target_port);
    if (connect(server.get(), reinterpret_cast<sockaddr*>(&target), sizeof target) != 0)
      veer::throw_errno("connecting to the target");
    without_delay(client);
    without_delay(server);
    std::thread([client = std::move(client), server = std::move(server), delay] {
      serve(client, server, delay);
    }).detach();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: veer-delay-proxy TARGET_PORT ONE_WAY_MS\n";
    return 2;
  }
  try {
    run(std::atoi(argv[1]), std::chrono::milliseconds(std::atoi(argv[2])));
  } catch (const veer::Error& error) {
    std::cerr << "veer-delay-proxy: " << error.message() << "\n";
    return 1;
  }
}

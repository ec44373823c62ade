// Names with several addresses, or none that anybody tells: getaddrinfo() is this program's own here.

#include "connectors/tcp.h"

#include <array>
#include <chrono>
#include <cstring>
#include <thread>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/error.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;

namespace {

/// Listens on an address of the loopback. One that is full answers nobody, as behind a firewall that drops.
class Listener {
 public:
  Listener(const char* address, int port, bool full) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, address, &at.sin_addr);
    REQUIRE(bind(fd_.get(), reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    REQUIRE(listen(fd_.get(), full ? 0 : 5) == 0);
    socklen_t size = sizeof at;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    for (Fd& filler : fillers_) {
      if (!full) break;
      filler = Fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      connect(filler.get(), reinterpret_cast<sockaddr*>(&at), sizeof at);
    }
  }
  int port() const { return port_; }

 private:
  Fd fd_;
  std::array<Fd, 4> fillers_;
  int port_ = 0;
};

}  // namespace

// As the linker finds it first. "two.example.org" has 127.0.0.1 and 127.0.0.2; nobody knows
// "slow.example.org" for a while; everything else is as the system says.
extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  static const auto real = reinterpret_cast<int (*)(const char*, const char*, const addrinfo*, addrinfo**)>(
      dlsym(RTLD_NEXT, "getaddrinfo"));
  const bool by_name = (hints->ai_flags & AI_NUMERICHOST) == 0;
  if (by_name && std::strcmp(host, "slow.example.org") == 0) {
    std::this_thread::sleep_for(3s);
    return EAI_AGAIN;
  }
  if (!by_name || std::strcmp(host, "two.example.org") != 0) return real(host, service, hints, found);
  // freeaddrinfo() is the system's: each entry is one that it made.
  const int failed = real("127.0.0.1", service, hints, found);
  return failed != 0 ? failed : real("127.0.0.2", service, hints, &(*found)->ai_next);
}

TEST_CASE("a server is reached by its second address when nobody answers at the first") {
  const Listener dead("127.0.0.1", 0, true);
  const Listener live("127.0.0.2", dead.port(), false);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(connect_tcp("two.example.org", dead.port(), 2s, {}));
  CHECK(std::chrono::steady_clock::now() - begin >= 900ms);
  CHECK(code_of([&] { connect_tcp("127.0.0.1", dead.port(), 500ms, {}); }) == Code::s_timeout);
}

TEST_CASE("a resolver that does not answer holds nobody for longer than told, and stops when asked") {
  const auto begin = std::chrono::steady_clock::now();
  CHECK(code_of([] { connect_tcp("slow.example.org", 22, 300ms, {}); }) == Code::s_timeout);
  std::stop_source stop;
  stop.request_stop();
  CHECK(code_of([&] { connect_tcp("slow.example.org", 22, 30s, {.stop = stop.get_token()}); }) ==
        Code::l_stopped);
  CHECK(std::chrono::steady_clock::now() - begin < 2500ms);
}

#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace veer::test {

struct ConnectProxyOptions {
  /// "HOST:PORT" as clients ask for it → port of 127.0.0.1; anything else on 127.0.0.1 or localhost is taken
  /// by its own port, and the rest is refused (502): nothing leaves this machine.
  std::map<std::string, int> routes = {};
  std::string credentials = {};  ///< "user:password" that is demanded (407 without it); empty: none
};

/// An HTTP proxy on 127.0.0.1 that understands CONNECT alone. Runs in threads of its own until it goes.
class ConnectProxy {
 public:
  explicit ConnectProxy(ConnectProxyOptions options = {});
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  int port() const;
  /// "http://127.0.0.1:PORT"
  std::string url() const;
  /// What was asked for, as "HOST:PORT", refused ones too.
  std::vector<std::string> asked() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace veer::test

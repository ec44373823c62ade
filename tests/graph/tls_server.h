#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/certificates.h"

namespace veer::test {

struct HttpRequest {
  std::string method;
  std::string target;                          ///< path and query as they came
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

struct HttpReply {
  /// What becomes of the connection instead of a whole answer.
  enum class Manner {
    whole,
    truncated,
    reset,
    stalled,
    stalled_body,
    slow,
    endless_header,
    endless_chunk,
    endless_body
  };

  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  /// In place of `body`: bytes from `begin` to `end` of it.
  std::shared_ptr<const std::string> content = {};
  std::size_t begin = 0;
  std::size_t end = 0;
  Manner manner = Manner::whole;
  bool chunked = false;
  std::chrono::milliseconds delay{0};
};

/// HTTP/1.1 over TLS on 127.0.0.1, one thread a connection. `serve` is called by many of them at once.
class TlsServer {
 public:
  using Serve = std::function<HttpReply(HttpRequest&&)>;

  TlsServer(int port, const Certificate& certificate, Serve serve);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  int port() const;
  /// Bytes that the endless answers took until the client ended them.
  std::uint64_t endured() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace veer::test

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "connectors/http_message.h"
#include "core/stream.h"

struct x509_store_st;  // OpenSSL's X509_STORE

namespace veer {

/// The links of the chain to a web server, in the order in which they are tried.
enum class HttpLink { name, proxy, address, tls, server_certificate, host_name, answer };

struct HttpOptions {
  std::string ca;  ///< PEM: only servers that these vouch for are talked to. Empty: the system's authorities
  std::string ca_setting = "share.sharepoint.ca";  ///< where a person configures it
  std::string proxy;                               ///< "http://host:port"; empty: none
  std::string user_agent;
  std::chrono::milliseconds timeout = std::chrono::seconds(60);  ///< longest wait without progress
};

/// HTTPS with one server after another (cpprestsdk): connections stay open between requests, each of which is
/// one attempt, but for what is said at HttpRequest::once. It looks at the stop several times a second.
/// Bodies pass through a bounded buffer, so that memory does not grow with them, nor with headers and chunks.
/// Callbacks and sinks run in the caller's thread. One thread.
///
/// Errors: S_UNREACHABLE, S_TIMEOUT, S_HOST_KEY (the server's certificate is not to be trusted), S_PROTOCOL
/// (no HTTP; a body of more than `kMostBody` bytes where an answer is short; headers or a chunk of more than
/// `kMostUnread`), L_STOPPED. None for a
/// status, whatever it says.
class Http {
 public:
  static constexpr std::size_t kMostBody = std::size_t{4} << 20;
  static constexpr std::size_t kMostUnread = std::size_t{4} << 20;

  /// Throws C_CREDENTIAL when the authority's certificate cannot be read.
  explicit Http(HttpOptions options);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  /// With the whole body.
  HttpAnswer ask(HttpRequest request, const Transfer& transfer);
  /// `choose` sees status and headers, and says where the body goes: to a sink, or into the answer (null).
  HttpAnswer ask(HttpRequest request, const std::function<Sink*(const HttpAnswer&)>& choose,
                 const Transfer& transfer);

  /// How far the last request came.
  HttpLink reached() const { return reached_; }

 private:
  struct Line;
  Line& line_to(const HttpsUrl& url);
  [[noreturn]] void fail(const HttpsUrl& url, const Line& line, const std::string& text);

  HttpOptions options_;
  std::shared_ptr<x509_store_st> authorities_;
  std::map<std::string, std::unique_ptr<Line>> lines_;  ///< by origin
  HttpLink reached_ = HttpLink::name;
};

}  // namespace veer

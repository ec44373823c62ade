#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "connectors/url.h"
#include "core/clock.h"
#include "core/secret.h"

namespace veer {

/// One request. The bearer's token goes to this address and no other: redirects are not followed.
struct HttpRequest {
  std::string method;
  HttpsUrl url;
  std::map<std::string, std::string> headers = {};
  const Secret* bearer = nullptr;
  std::string body = {};
  /// In the place of `body`: sent once, and its memory can serve again when nobody else holds it any more.
  std::shared_ptr<const std::string> block = {};
  /// Times the timeout that the answer may take once the request is there.
  int patience = 1;
  /// The whole request may take no longer; zero: as long as it goes on.
  std::chrono::milliseconds most{0};
  /// Not sent anew when a connection that was kept open turns out to be closed: it may have arrived.
  bool once = false;
  /// Told how many bytes of the body are on their way.
  std::function<void(std::uint64_t)> sent = {};
};

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). Empty when it is none.
std::optional<Time> parse_http_date(const std::string& text);

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in small letters
  std::string body;

  /// Empty when there is no such header.
  std::string header(const std::string& name) const;
  /// The time on the server's clock, to the second.
  std::optional<Time> date() const;
};

}  // namespace veer

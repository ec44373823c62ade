#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace veer {

/// A web address, taken apart as far as it takes to decide whether it may be asked. What comes after the host
/// is opaque: upload and download addresses stop working when it is written in another way.
struct HttpsUrl {
  std::string host;  ///< small letters; an IPv6 address in brackets
  int port = 443;
  std::string target;  ///< path and query as they came; "/" at least

  /// "host", or "host:port" when the port is not 443.
  std::string authority() const;
  /// "https://" and the authority.
  std::string origin() const { return "https://" + authority(); }
};

/// Empty unless `url` is https, with a plain host, without user, fragment, blanks and control bytes, and at
/// most 16 KiB long.
std::optional<HttpsUrl> parse_https(std::string_view url);

/// `text` as one segment of a path (RFC 3986, pchar): everything but letters, digits and "-._~!," escaped.
std::string in_path(std::string_view text);
/// `text` as a value of a form or a query.
std::string in_form(std::string_view text);

/// Hosts that may be asked.
class HostList {
 public:
  /// `entry`: "host", "host:port", or ".domain" for every host below it. Without a port: 443 alone.
  void add(std::string entry) { entries_.push_back(std::move(entry)); }
  bool allows(const HttpsUrl& url) const;

 private:
  std::vector<std::string> entries_;
};

}  // namespace veer

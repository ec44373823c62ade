#pragma once

#include <map>
#include <string>
#include <vector>

namespace veer::test {

/// What came back. `error` is libcurl's code; 0: a whole answer.
struct HttpsAnswer {
  long status = 0;
  std::map<std::string, std::string> headers = {};  ///< names in lower case
  std::string body = {};
  int error = 0;
};

/// Requests over libcurl, of which the emulator knows nothing: what a stranger would send.
class Https {
 public:
  explicit Https(std::string ca_pem) : ca_(std::move(ca_pem)) {}

  /// `headers` as "Name: value". Redirects are not followed. `most` milliseconds.
  HttpsAnswer operator()(const std::string& method, const std::string& url,
                         const std::vector<std::string>& headers = {}, const std::string& body = {},
                         long most = 20'000) const;

 private:
  std::string ca_;
};

}  // namespace veer::test

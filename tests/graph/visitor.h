#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "graph/graph_emulator.h"
#include "graph/https.h"
#include "support/certificates.h"

namespace veer::test {

/// One emulator, and an application that signs in and asks for things, by hand.
class Visitor {
 public:
  explicit Visitor(GraphOptions options = {});

  GraphEmulator graph;
  Https https{graph.ca_pem()};

  static const Certificate& certificate();
  /// A JWT of the application for the token endpoint, with what is given in place of the usual.
  std::string assertion(const nlohmann::json& header = {}, const nlohmann::json& claims = {},
                        const std::string& key = certificate().key) const;
  HttpsAnswer sign_in(const std::string& assertion) const;
  /// Of the token endpoint.
  std::string token_url() const;

  /// A call with a token, to "/v1.0" and `path`.
  HttpsAnswer call(const std::string& method, const std::string& path, const std::string& body = {},
                   std::vector<std::string> headers = {});
  nlohmann::json get(const std::string& path);
  std::string drive();
  /// "/drives/{id}/root:/to_avsb/{name}:"
  std::string at(const std::string& name);
  /// The URL of a new session.
  std::string open_session(const std::string& name, const std::string& behaviour = "fail");
  /// PUT of bytes from `begin` on an upload URL.
  HttpsAnswer fragment(const std::string& url, std::size_t begin, std::size_t total,
                       const std::string& bytes) const;
  /// Where …/content redirects to.
  std::string download_url(const std::string& name);

  std::string token;

 private:
  std::string drive_;
};

/// error.code of an answer.
std::string code_of(const HttpsAnswer& answer);
/// error.innerError.code of an answer, whichever way it is spelled.
std::string inner_code_of(const HttpsAnswer& answer);
/// b[i] = i % 251.
std::string sample(std::size_t size);

}  // namespace veer::test

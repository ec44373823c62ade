#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/encoding.h"
#include "graph/graph_terms.h"
#include "graph/tls_server.h"

namespace veer::test {

/// What a token says.
struct Token {
  std::string app;
  std::vector<std::string> roles;
  ServiceTime expires;
};

/// The sign-in of one tenant: discovery document and token endpoint for client credentials, with an assertion
/// (PS256 or RS256) or a secret. The caller locks.
class SignIn {
 public:
  SignIn(std::string tenant, std::vector<GraphApp>& apps, std::chrono::seconds lifetime,
         std::function<ServiceTime()> now)
      : tenant_(std::move(tenant)), apps_(apps), lifetime_(lifetime), now_(std::move(now)) {}

  HttpReply discovery(const std::string& host, const std::string& tenant) const;
  HttpReply token(const HttpRequest& request, const std::string& host, const std::string& tenant);
  /// What a bearer token says, unless it is unknown, revoked or expired.
  std::optional<Token> known(const std::string& bearer) const;
  void revoke_all() { tokens_.clear(); }

 private:
  HttpReply issue(const GraphApp& app, const std::string& scope, const std::string& host);
  void check_assertion(const GraphApp& app, const std::string& assertion, const std::string& audience);

  std::string tenant_;
  std::vector<GraphApp>& apps_;
  std::chrono::seconds lifetime_;
  std::function<ServiceTime()> now_;
  std::map<std::string, Token> tokens_;
  std::set<std::string> seen_;  // jti of the assertions that were used
};

}  // namespace veer::test

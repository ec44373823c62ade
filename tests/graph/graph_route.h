#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph_terms.h"
#include "graph/tls_server.h"

namespace veer::test {

/// What a request addresses.
struct Route {
  GraphCall call = GraphCall::other;
  std::string tenant = {};
  std::string site_host = {};  ///< with `site_path`: /sites/{host}:/{path}
  std::string site_path = {};
  std::string site = {};  ///< its id otherwise
  std::string drive = {};
  std::string start = {};              ///< an item's id or "root"
  std::vector<std::string> path = {};  ///< below it, decoded
  std::vector<std::string> rest = {};  ///< what follows: {"children"}, {"versions", "1.0"}
  /// Options of the query: names in lower case, without "$".
  std::map<std::string, std::string> query = {};

  std::string option(const std::string& name) const {
    const auto found = query.find(name);
    return found == query.end() ? "" : found->second;
  }
};

/// `storage` tells that the request came to the host of upload and download URLs.
Route route_of(const HttpRequest& request, bool storage);

}  // namespace veer::test

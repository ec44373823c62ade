#include "graph/graph_route.h"

#include <algorithm>

#include "graph/encoding.h"

namespace veer::test {
namespace {

// Segments of an encoded path, decoded; empty ones and "." are nothing, and an encoded slash is a slash.
std::vector<std::string> segments(const std::string& path) {
  std::vector<std::string> found;
  for (const std::string& segment : split(percent_decoded(path), '/'))
    if (!segment.empty() && segment != ".") found.push_back(segment);
  return found;
}

std::map<std::string, std::string> options_of(const std::string& query) {
  std::map<std::string, std::string> options;
  for (const auto& [name, value] : form_fields(query)) {
    std::string plain = lower_case(name);
    if (plain.starts_with('$')) plain.erase(0, 1);
    if (plain == "@name.conflictbehavior") plain = "@microsoft.graph.conflictbehavior";
    options[plain] = value;
  }
  return options;
}

GraphCall item_call(const std::string& method, const std::string& segment) {
  const bool get = method == "GET" || method == "HEAD";
  if (segment.empty())
    return get                  ? GraphCall::item
           : method == "PATCH"  ? GraphCall::patch
           : method == "DELETE" ? GraphCall::remove
                                : GraphCall::other;
  if (segment == "children")
    return get ? GraphCall::list : method == "POST" ? GraphCall::create_folder : GraphCall::other;
  if (segment == "content")
    return get ? GraphCall::content : method == "PUT" ? GraphCall::put_content : GraphCall::other;
  if (segment == "createuploadsession" && method == "POST") return GraphCall::create_session;
  if (segment == "permanentdelete" && method == "POST") return GraphCall::remove_for_good;
  if (segment == "versions") return GraphCall::versions;
  return GraphCall::other;
}

void read_site(Route& route, const std::vector<std::string>& front, const std::vector<std::string>& parts) {
  std::vector<std::string> rest(front.begin() + 2, front.end());
  if (parts.size() > 1) {
    route.site_host = front[1];
    for (const std::string& segment : segments(parts[1])) route.site_path += "/" + segment;
    rest = parts.size() > 2 ? segments(parts[2]) : std::vector<std::string>{};
  } else {
    route.site = front[1];
  }
  route.rest = rest;
  if (parts.size() > 3) return;  // nothing can follow
  if (rest.empty()) route.call = GraphCall::site;
  if (rest.size() == 1 && (rest[0] == "drives" || rest[0] == "drive")) route.call = GraphCall::drives;
  if (!rest.empty() && rest[0] == "permissions") route.call = GraphCall::grant;
}

void read_item(Route& route, const std::string& method, const std::vector<std::string>& front,
               const std::vector<std::string>& parts) {
  route.drive = front[1];
  std::size_t used = 2;
  if (front.size() > 2 && front[2] == "root") {
    route.start = "root";
    used = 3;
  } else if (front.size() > 3 && front[2] == "items") {
    route.start = front[3];
    used = 4;
  }
  route.rest.assign(front.begin() + static_cast<std::ptrdiff_t>(std::min(used, front.size())), front.end());
  if (parts.size() > 1) route.path = segments(parts[1]);
  if (parts.size() > 2) route.rest = segments(parts[2]);
  if (!route.rest.empty()) route.rest[0] = lower_case(route.rest[0]);
  const std::string segment = route.rest.empty() ? "" : route.rest[0];
  if (route.start.empty() && !segment.empty()) return;
  if (parts.size() > 3 && !segments(parts[3]).empty()) return;
  route.call = item_call(method, segment);
}

GraphCall storage_call(const std::string& method, const std::string& path) {
  if (path.ends_with("/download.aspx")) return GraphCall::download;
  if (!path.ends_with("/uploadSession")) return GraphCall::other;
  if (method == "PUT") return GraphCall::fragment;
  if (method == "GET") return GraphCall::session_status;
  if (method == "DELETE") return GraphCall::session_cancel;
  return method == "POST" ? GraphCall::session_commit : GraphCall::other;
}

}  // namespace

Route route_of(const HttpRequest& request, bool storage) {
  const std::size_t mark = std::min(request.target.find('?'), request.target.size());
  const std::string path = request.target.substr(0, mark);
  Route route{.query = options_of(request.target.substr(std::min(mark + 1, request.target.size())))};
  if (storage) {
    route.call = storage_call(request.method, path);
    return route;
  }
  const auto parts = split(path, ':');
  auto front = segments(parts[0]);
  if (front.empty()) return route;
  if (front[0] == "v1.0" || front[0] == "beta") {
    front.erase(front.begin());
    if (front.size() > 1 && front[0] == "sites") read_site(route, front, parts);
    if (front.size() > 1 && front[0] == "drives") read_item(route, request.method, front, parts);
    return route;
  }
  route.tenant = front[0];
  if (path.ends_with("/.well-known/openid-configuration")) route.call = GraphCall::discovery;
  if (path.ends_with("/oauth2/v2.0/token")) route.call = GraphCall::token;
  return route;
}

}  // namespace veer::test

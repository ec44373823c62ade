#include "graph/graph_service.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"

namespace veer::test {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostSimple = std::size_t{250} << 20;
constexpr std::chrono::minutes kSessionTold{15};
constexpr std::chrono::hours kSessionReal{24};

HttpReply json_reply(int status, const Json& body) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = body.dump()};
}

Json body_of(const HttpRequest& request) {
  if (request.body.empty()) return Json::object();
  Json json = Json::parse(request.body, nullptr, false);
  if (!json.is_object()) throw Refusal{400, "invalidRequest", "The request body is not a JSON object."};
  return json;
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// Values are case-sensitive, as SharePoint's are.
Conflict conflict_of(const std::string& value, Conflict otherwise) {
  if (value.empty()) return otherwise;
  if (value == "fail") return Conflict::fail;
  if (value == "replace") return Conflict::replace;
  if (value == "rename") return Conflict::rename;
  throw Refusal{400, "invalidRequest", "The value of conflictBehavior is not valid."};
}

// The fields that $select names; all of them without it.
Json selected(const Asked& asked, Json json) {
  const std::string wanted = asked.route.option("select");
  if (wanted.empty()) return json;
  std::set<std::string> names;
  for (const std::string& name : split(wanted, ','))
    names.insert(name == "content.downloadUrl" ? "@microsoft.graph.downloadUrl" : name);
  for (auto at = json.begin(); at != json.end();)
    at = names.contains(at.key()) ? std::next(at) : json.erase(at);
  return json;
}

/// More of a query that means what it says only as it stands.
std::string odd_end(bool odd) {
  static constexpr std::size_t kLong = 3000;
  if (!odd) return "";
  return "+/=:~!*();@$,?%2B%2b%2F%3D%20%E2%82%AC&empty=&t=" + random_hex(kLong);
}

void settle(Item& item) {
  if (!item.promotes) return;
  item.promotes = false;
  ++item.version;
}

}  // namespace

GraphService::GraphService(GraphOptions& options, std::function<ServiceTime()> now)
    : options_(options), now_(now), store_(std::move(now)) {
  store_.quota = options.quota;
  for (const GraphSite& site : options.sites) {
    sites_.push_back({options.site_host + "," + random_guid() + "," + random_guid(), site.path});
    for (const auto& [name, folders] : site.libraries) {
      Drive& drive = store_.add_drive(site.path, name);
      for (const std::string& folder : folders) store_.folder_at(drive, "root", split(folder, '/'));
    }
  }
}

HttpReply GraphService::graph(const Asked& asked, const std::optional<Token>& token) {
  if (!token)
    throw Refusal{401, "InvalidAuthenticationToken", "Access token is empty, has expired or is not known."};
  if (token->roles.empty())
    throw Refusal{403, "AccessDenied", "Either scp or roles claim need to be present in the token."};
  const Route& route = asked.route;
  if (!route.site.empty() || !route.site_path.empty()) return sites(asked, *token);
  if (route.drive.empty()) throw Refusal{400, "BadRequest", "Resource not found for the segment."};
  const bool looks = asked.http.method == "GET" || asked.http.method == "HEAD";
  require_access(*token, store_.drive(route.drive).site, !looks);
  switch (route.call) {
    case GraphCall::item:
      return describe(asked);
    case GraphCall::list:
      return list(asked);
    case GraphCall::create_folder:
      return create_folder(asked);
    case GraphCall::create_session:
      return create_session(asked);
    case GraphCall::put_content:
      return put_content(asked);
    case GraphCall::content:
      return content(asked);
    case GraphCall::patch:
      return patch(asked);
    case GraphCall::remove:
    case GraphCall::remove_for_good:
      return remove(asked);
    case GraphCall::versions:
      return versions(asked);
    default:
      throw Refusal{400, "BadRequest", "Resource not found for the segment, or the method is not allowed."};
  }
}

void GraphService::require_access(const Token& token, const std::string& site, bool to_write) const {
  if (std::find(token.roles.begin(), token.roles.end(), "Sites.FullControl.All") != token.roles.end()) return;
  for (const GraphApp& app : options_.apps) {
    const auto grant = app.grants.find(site);
    if (app.id == token.app && grant != app.grants.end() && (!to_write || grant->second != "read")) return;
  }
  throw Refusal{403, "accessDenied", "Access denied"};
}

const Site& GraphService::site_of(const Asked& asked) const {
  const Route& route = asked.route;
  for (const Site& site : sites_)
    if (route.site_path.empty() ? site.id == route.site
                                : lower_case(route.site_host) == lower_case(options_.site_host) &&
                                      lower_case(site.path) == lower_case(route.site_path))
      return site;
  throw Refusal{404, "itemNotFound", "Requested site could not be found"};
}

HttpReply GraphService::sites(const Asked& asked, const Token& token) {
  const Route& route = asked.route;
  const Site& site = site_of(asked);
  if (route.call == GraphCall::grant) return grants(asked, token, site);
  if (asked.http.method != "GET" || (route.call != GraphCall::site && route.call != GraphCall::drives))
    throw Refusal{
        400, "BadRequest",
        fmt::format("Resource not found for the segment '{}:'.", route.rest.empty() ? "" : route.rest[0])};
  require_access(token, site.path, false);
  const std::string url = fmt::format("https://{}{}", options_.site_host, site.path);
  if (route.call == GraphCall::site)
    return json_reply(200, selected(asked, {{"id", site.id},
                                            {"name", site.path.substr(site.path.rfind('/') + 1)},
                                            {"displayName", site.path.substr(site.path.rfind('/') + 1)},
                                            {"webUrl", url},
                                            {"siteCollection", {{"hostname", options_.site_host}}}}));
  Json value = Json::array();
  for (const auto& [id, drive] : store_.drives())
    if (drive.site == site.path) value.push_back(selected(asked, describe_drive(drive)));
  if (route.rest[0] == "drive") return json_reply(200, value.at(0));
  return json_reply(200, {{"value", value}});
}

HttpReply GraphService::grants(const Asked& asked, const Token& token, const Site& site) {
  if (std::find(token.roles.begin(), token.roles.end(), "Sites.FullControl.All") == token.roles.end())
    throw Refusal{403, "accessDenied", "Access denied"};
  const auto described = [](const GraphApp& app, const std::string& role) {
    return Json{{"id", "perm-" + app.id},
                {"roles", {role}},
                {"grantedToIdentities", {{{"application", {{"id", app.id}, {"displayName", app.name}}}}}}};
  };
  if (asked.http.method == "GET") {
    Json value = Json::array();
    for (const GraphApp& app : options_.apps)
      if (const auto grant = app.grants.find(site.path); grant != app.grants.end())
        value.push_back(described(app, grant->second));
    return json_reply(200, {{"value", value}});
  }
  if (asked.http.method != "POST") throw Refusal{405, "BadRequest", "The method is not allowed."};
  const Json body = body_of(asked.http);
  const Json roles = body.value("roles", Json::array());
  Json identity = body.value("grantedTo", Json::object());
  if (const auto many = body.find("grantedToIdentities");
      many != body.end() && many->is_array() && !many->empty())
    identity = many->front();
  const std::string id = text_of(identity.value("application", Json::object()), "id");
  const auto app = std::find_if(options_.apps.begin(), options_.apps.end(),
                                [&](const GraphApp& one) { return one.id == id; });
  static const std::set<std::string> kRoles = {"read", "write", "owner", "fullcontrol"};
  if (app == options_.apps.end() || roles.size() != 1 || !roles[0].is_string() ||
      !kRoles.contains(roles[0].get<std::string>()))
    throw Refusal{400, "invalidRequest", "Roles and one application that the tenant knows are needed."};
  app->grants[site.path] = roles[0].get<std::string>();
  return json_reply(201, described(*app, app->grants[site.path]));
}

Item& GraphService::addressed(const Asked& asked) {
  return store_.at(store_.drive(asked.route.drive), asked.route.start.empty() ? "root" : asked.route.start,
                   asked.route.path);
}

std::pair<Item*, std::string> GraphService::place(const Asked& asked) {
  Drive& drive = store_.drive(asked.route.drive);
  if (asked.route.path.empty()) return {&store_.item(drive, asked.route.start), ""};
  std::vector<std::string> folders = asked.route.path;
  std::string name = folders.back();
  folders.pop_back();
  return {&store_.folder_at(drive, asked.route.start, folders), name};
}

void GraphService::require_match(const Asked& asked, Item& item) const {
  const std::string wanted = asked.http.header("if-match");
  if (wanted.empty() || wanted == "*") return;
  settle(item);
  if (wanted != item.etag() && (item.is_folder || wanted != item.ctag()))
    throw Refusal{412, "resourceModified", "ETag does not match current item's value",
                  "entityTagDoesNotMatch"};
}

Json GraphService::describe_drive(const Drive& drive) const {
  const std::uint64_t used = store_.used();
  return {{"id", drive.id},
          {"name", drive.name},
          {"description", ""},
          {"driveType", "documentLibrary"},
          {"createdDateTime", rfc3339(drive.items.at(drive.root).created)},
          {"webUrl", fmt::format("https://{}{}/{}", options_.site_host, drive.site, drive.name)},
          {"quota",
           {{"total", store_.quota},
            {"used", used},
            {"remaining", store_.quota - std::min(used, store_.quota)},
            {"deleted", 0},
            {"state", used < store_.quota ? "normal" : "exceeded"}}}};
}

std::string GraphService::download_target(const Drive& drive, const Item& item) {
  const std::string target =
      fmt::format("{}/_layouts/15/download.aspx?UniqueId={}&Translate=false&tempauth=v1.{}&ApiVersion=2.0",
                  drive.site, item.guid, random_hex(96) + odd_end(options_.odd_urls));
  downloads_[target] = {drive.id, item.id, now_() + options_.download_lifetime};
  return target;
}

Json GraphService::describe_item(const Asked& asked, Drive& drive, const Item& item) {
  const auto file_system =
      Json{{"createdDateTime", rfc3339(item.created)}, {"lastModifiedDateTime", rfc3339(item.modified)}};
  std::uint64_t size = item.content ? item.content->size() : 0;
  if (item.is_folder)
    for (const Item* child : store_.children(drive, item.id))
      size += child->content ? child->content->size() : 0;
  const std::string path = store_.path_of(drive, item);
  Json json{{"id", item.id},
            {"name", item.name},
            {"size", size},
            {"eTag", item.etag()},
            {"createdDateTime", rfc3339(item.created)},
            {"lastModifiedDateTime", rfc3339(item.modified)},
            {"fileSystemInfo", file_system},
            {"createdBy", {{"application", {{"displayName", "veerdienst"}}}}},
            {"lastModifiedBy", {{"application", {{"displayName", "veerdienst"}}}}},
            {"webUrl", fmt::format("https://{}{}/{}{}", options_.site_host, drive.site, drive.name, path)},
            {"parentReference", {{"driveId", drive.id}, {"driveType", "documentLibrary"}}}};
  if (item.parent.empty()) {
    json["root"] = Json::object();
  } else {
    json["parentReference"]["id"] = item.parent;
    json["parentReference"]["path"] =
        fmt::format("/drives/{}/root:{}", drive.id, path.substr(0, path.rfind('/')));
  }
  if (item.is_folder) {
    json["folder"] = {{"childCount", store_.children(drive, item.id).size()}};
    return selected(asked, json);
  }
  json["cTag"] = item.ctag();
  json["file"] = {{"mimeType", "application/octet-stream"}};
  std::string hash = asked.trick == GraphTrick::no_hash ? "" : item.hash;
  if (asked.trick == GraphTrick::wrong_hash) hash = quick_xor("another file");
  if (!hash.empty()) json["file"]["hashes"] = {{"quickXorHash", hash}};
  json["@microsoft.graph.downloadUrl"] = "https://" + storage_host + download_target(drive, item);
  return selected(asked, json);
}

HttpReply GraphService::describe(const Asked& asked) {
  Drive& drive = store_.drive(asked.route.drive);
  if (asked.route.start.empty()) return json_reply(200, selected(asked, describe_drive(drive)));
  Item& item = addressed(asked);
  settle(item);
  if (asked.http.header("if-none-match") == item.etag()) return {.status = 304};
  return json_reply(200, describe_item(asked, drive, item));
}

HttpReply GraphService::list(const Asked& asked) {
  const Route& route = asked.route;
  Drive& drive = store_.drive(route.drive);
  const Item& folder = addressed(asked);
  if (route.query.contains("skip"))
    throw Refusal{400, "invalidRequest", "$skip is not supported on this API."};
  std::size_t most = options_.page_size;
  if (const std::string top = route.option("top"); !top.empty()) {
    if (top.find_first_not_of("0123456789") != std::string::npos || std::stoul(top) == 0 ||
        std::stoul(top) > 1000)
      throw Refusal{400, "invalidRequest", "The value of $top is not valid."};
    most = std::min(most, std::stoul(top));
  }
  std::size_t begin = 0;
  if (const std::string token = route.option("skiptoken"); !token.empty()) {
    const std::string text = from_any_base64(token).value_or("");
    if (!text.starts_with("Paged=TRUE,p_ID="))
      throw Refusal{400, "invalidRequest", "The value of $skiptoken is not valid."};
    begin = std::stoul(text.substr(text.rfind('=') + 1));
  }
  auto children = store_.children(drive, folder.id);
  std::erase_if(children, [](const Item* item) { return item->late; });
  Json value = Json::array();
  const std::size_t end = std::min(begin + most, children.size());
  for (std::size_t at = std::min(begin, end); at < end && asked.trick != GraphTrick::empty_page; ++at) {
    settle(*children[at]);
    for (int times = asked.trick == GraphTrick::repeat_page ? 2 : 1; times > 0; --times)
      value.push_back(describe_item(asked, drive, *children[at]));
  }
  Json page{{"value", value}};
  const auto link = [&](std::size_t next) {
    std::string token = base64(fmt::format("Paged=TRUE,p_ID={}", next));
    while (token.ends_with('=')) token.pop_back();
    std::string url = fmt::format("https://{}/v1.0/drives/{}/items/{}/children?$top={}&$skiptoken={}",
                                  asked.host, drive.id, folder.id, most, token);
    if (const std::string select = route.option("select"); !select.empty()) url += "&$select=" + select;
    return url;
  };
  if (asked.trick == GraphTrick::empty_page || asked.trick == GraphTrick::looping_pages)
    page["@odata.nextLink"] = link(begin);
  else if (end < children.size())
    page["@odata.nextLink"] = link(end);
  return json_reply(200, page);
}

HttpReply GraphService::create_folder(const Asked& asked) {
  Drive& drive = store_.drive(asked.route.drive);
  const Json body = body_of(asked.http);
  const std::string parent = addressed(asked).id;
  Item& made =
      store_.make_folder(drive, parent, text_of(body, "name"),
                         conflict_of(text_of(body, "@microsoft.graph.conflictBehavior"), Conflict::fail));
  return json_reply(201, describe_item(asked, drive, made));
}

HttpReply GraphService::create_session(const Asked& asked) {
  Drive& drive = store_.drive(asked.route.drive);
  const auto [where, name] = place(asked);
  const Json body = body_of(asked.http);
  const Json item = body.value("item", Json::object());
  UploadSession session{.drive = drive.id};
  session.conflict = conflict_of(text_of(item, "@microsoft.graph.conflictBehavior"), Conflict::replace);
  session.defer = body.value("deferCommit", false);
  if (name.empty()) {
    if (where->is_folder) throw Refusal{400, "invalidRequest", "File name not provided in url."};
    require_match(asked, *where);
    session.item = where->id;
    session.parent = where->parent;
    session.name = where->name;
  } else {
    session.parent = where->id;
    session.name = name;
    if (Item* const there = store_.child(drive, where->id, name)) {
      require_match(asked, *there);
      if (asked.http.headers.contains("if-none-match"))
        throw Refusal{412, "resourceModified", "The item exists.", "entityTagMatches"};
    }
  }
  if (const auto size = item.find("fileSize"); size != item.end() && size->is_number_unsigned()) {
    session.total = size->get<std::uint64_t>();
    if (store_.used() + *session.total > store_.quota)
      throw Refusal{507, "quotaLimitReached", "The user has reached their quota limit.", "insufficientQuota"};
  }
  if (const std::string time = text_of(item.value("fileSystemInfo", Json::object()), "lastModifiedDateTime");
      !time.empty())
    session.modified = from_rfc3339(time);
  session.target = fmt::format(
      "{}/_api/v2.0/drives/{}/items/01{}/uploadSession?guid={}&overwrite={}&rename={}&dc=0&tempauth=v1.{}",
      drive.site, drive.id, random_hex(32), random_guid(),
      session.conflict == Conflict::replace ? "True" : "False",
      session.conflict == Conflict::rename ? "True" : "False", random_hex(96) + odd_end(options_.odd_urls));
  session.expires = now_() + kSessionTold;
  session.dies = now_() + kSessionReal;
  const UploadSession& opened = store_.open_session(std::move(session));
  return json_reply(
      200, {{"@odata.context", "https://" + asked.host + "/v1.0/$metadata#microsoft.graph.uploadSession"},
            {"uploadUrl", "https://" + storage_host + opened.target},
            {"expirationDateTime", rfc3339(opened.expires)},
            {"nextExpectedRanges", {"0-"}}});
}

HttpReply GraphService::finished(const Asked& asked, Drive& drive, const std::pair<bool, Item*>& result) {
  return json_reply(result.first ? 201 : 200, describe_item(asked, drive, *result.second));
}

HttpReply GraphService::put_content(const Asked& asked) {
  Drive& drive = store_.drive(asked.route.drive);
  if (asked.http.body.size() > kMostSimple)
    throw Refusal{413, "requestEntityTooLarge", "The maximum size of a simple upload is 250 MB."};
  const Conflict conflict =
      conflict_of(asked.route.option("@microsoft.graph.conflictbehavior"), Conflict::replace);
  std::string content = asked.http.body;
  if (asked.trick == GraphTrick::half_stored) content.resize(content.size() / 2);
  const auto [where, name] = place(asked);
  if (name.empty()) {
    require_match(asked, *where);
    return finished(asked, drive, store_.overwrite(drive, *where, std::move(content)));
  }
  if (Item* const there = store_.child(drive, where->id, name)) require_match(asked, *there);
  return finished(asked, drive, store_.write(drive, where->id, name, std::move(content), conflict));
}

HttpReply GraphService::content(const Asked& asked) {
  Drive& drive = store_.drive(asked.route.drive);
  Item& item = addressed(asked);
  if (item.is_folder) throw Refusal{400, "invalidRequest", "A folder has no content."};
  settle(item);
  if (const std::string tag = asked.http.header("if-none-match"); tag == item.etag() || tag == item.ctag())
    return {.status = 304};
  std::string url = "https://" + storage_host + download_target(drive, item);
  if (asked.trick == GraphTrick::foreign_redirect) url = asked.location;
  return {.status = 302, .headers = {{"Location", url}}};
}

HttpReply GraphService::patch(const Asked& asked) {
  Drive& drive = store_.drive(asked.route.drive);
  Item& item = addressed(asked);
  require_match(asked, item);
  const Json body = body_of(asked.http);
  const Json reference = body.value("parentReference", Json::object());
  if (const std::string other = text_of(reference, "driveId"); !other.empty() && other != drive.id)
    throw Refusal{400, "invalidRequest", "An item cannot be moved to another drive."};
  std::string parent = text_of(reference, "id");
  if (parent == "root") throw Refusal{400, "invalidRequest", "The root must be given by its id."};
  if (parent.empty()) parent = item.parent;
  if (!store_.item(drive, parent).is_folder)
    throw Refusal{400, "invalidRequest", "The parent is not a folder."};
  const std::string name = text_of(body, "name");
  if ((!name.empty() && name != item.name) || parent != item.parent)
    store_.rename(drive, item, parent, name.empty() ? item.name : name,
                  conflict_of(asked.route.option("@microsoft.graph.conflictbehavior"), Conflict::fail));
  const Json times = body.value("fileSystemInfo", Json::object());
  if (const auto time = from_rfc3339(text_of(times, "lastModifiedDateTime"))) store_.change_time(item, *time);
  return json_reply(200, describe_item(asked, drive, item));
}

HttpReply GraphService::remove(const Asked& asked) {
  const bool for_good = asked.route.call == GraphCall::remove_for_good;
  if (for_good && !permanent_delete) throw Refusal{400, "notSupported", "The operation is not supported."};
  Item& item = addressed(asked);
  require_match(asked, item);
  store_.remove(store_.drive(asked.route.drive), std::string(item.id), for_good);
  return {.status = 204};
}

HttpReply GraphService::versions(const Asked& asked) {
  Item& item = addressed(asked);
  const auto& rest = asked.route.rest;
  if (asked.http.method == "DELETE" && rest.size() == 2) {
    store_.remove_version(item, rest[1]);
    return {.status = 204};
  }
  if (asked.http.method != "GET") throw Refusal{405, "BadRequest", "The method is not allowed."};
  Json value = Json::array();
  value.push_back({{"id", fmt::format("{}.0", item.versions.size() + 1)},
                   {"size", item.content ? item.content->size() : 0},
                   {"lastModifiedDateTime", rfc3339(item.modified)}});
  for (auto version = item.versions.rbegin(); version != item.versions.rend(); ++version)
    value.push_back(
        {{"id", version->id}, {"size", version->size}, {"lastModifiedDateTime", rfc3339(version->modified)}});
  return json_reply(200, {{"value", value}});
}

}  // namespace veer::test

#include "graph/graph_emulator.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <regex>
#include <stdexcept>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "graph/graph_service.h"

namespace veer::test {
namespace {

bool fits(const GraphMatch& match, GraphCall call, const std::string& method, const std::string& target) {
  return (match.call == GraphCall::any || match.call == call) &&
         (match.method.empty() || match.method == method) &&
         (match.path.empty() || std::regex_search(target, std::regex(match.path)));
}

HttpReply::Manner manner_of(GraphTrick trick) {
  switch (trick) {
    case GraphTrick::truncated:
      return HttpReply::Manner::truncated;
    case GraphTrick::reset:
    case GraphTrick::half_stored:
      return HttpReply::Manner::reset;
    case GraphTrick::stalled:
      return HttpReply::Manner::stalled;
    case GraphTrick::stalled_body:
      return HttpReply::Manner::stalled_body;
    case GraphTrick::slow:
      return HttpReply::Manner::slow;
    case GraphTrick::endless_header:
      return HttpReply::Manner::endless_header;
    case GraphTrick::endless_chunk:
      return HttpReply::Manner::endless_chunk;
    case GraphTrick::endless_body:
      return HttpReply::Manner::endless_body;
    default:
      return HttpReply::Manner::whole;
  }
}

std::string bearer_of(const HttpRequest& request) {
  const std::string value = request.header("authorization");
  return lower_case(value).starts_with("bearer ") ? value.substr(7) : "";
}

}  // namespace

struct GraphEmulator::State {
  struct Planned {
    GraphMatch match;
    GraphFault fault;
    int times;
  };

  explicit State(GraphOptions wanted)
      : options(std::move(wanted)),
        sign_in(options.tenant, options.apps, options.token_lifetime, [this] { return now(); }),
        service(options, [this] { return now(); }) {}

  ServiceTime now() const {
    return (options.now ? options.now() : std::chrono::system_clock::now()) + std::chrono::seconds(passed);
  }

  HttpReply serve(HttpRequest&& request, bool apart);
  std::unique_ptr<TlsServer> listening(int port, const Certificate& certificate, bool apart) {
    return std::make_unique<TlsServer>(
        port, certificate, [this, apart](HttpRequest&& request) { return serve(std::move(request), apart); });
  }
  std::optional<GraphFault> planned_for(const Route& route, const HttpRequest& request);
  HttpReply answer(const HttpRequest& request, const Route& route, bool storage,
                   const std::optional<GraphFault>& fault);
  HttpReply acted_on(const HttpRequest& request, const Route& route, bool storage,
                     const std::optional<GraphFault>& fault);
  HttpReply refused(const HttpRequest& request, const Refusal& refusal, bool storage) const;
  HttpReply failing(const HttpRequest& request, const Route& route, bool storage,
                    const GraphFault& fault) const;
  Item& item(const std::string& library, const std::string& path) {
    Drive& drive = service.library(library);
    return service.store().at(drive, "root", parts(path));
  }
  Item* find(const std::string& library, const std::string& path) {
    try {
      return &item(library, path);
    } catch (const Refusal&) {
      return nullptr;
    }
  }
  GraphApp& app(const std::string& id) {
    for (GraphApp& one : options.apps)
      if (one.id == id) return one;
    throw std::invalid_argument("the tenant has no application " + id);
  }
  static std::vector<std::string> parts(const std::string& path) {
    return path.empty() ? std::vector<std::string>{} : split(path, '/');
  }

  GraphOptions options;
  std::atomic<std::chrono::seconds::rep> passed{0};
  mutable std::mutex mutex;
  SignIn sign_in;
  GraphService service;
  std::list<Planned> faults;
  std::vector<GraphRequest> log;
  std::unique_ptr<TlsServer> server;  // last: their threads use the rest
  std::unique_ptr<TlsServer> storage_server;
};

std::optional<GraphFault> GraphEmulator::State::planned_for(const Route& route, const HttpRequest& request) {
  for (auto planned = faults.begin(); planned != faults.end(); ++planned) {
    if (!fits(planned->match, route.call, request.method, request.target)) continue;
    if (planned->match.skip > 0) {
      --planned->match.skip;
      continue;
    }
    GraphFault fault = planned->fault;
    if (--planned->times <= 0) faults.erase(planned);
    return fault;
  }
  return std::nullopt;
}

HttpReply GraphEmulator::State::refused(const HttpRequest& request, const Refusal& refusal,
                                        bool storage) const {
  std::string client_id = request.header("client-request-id");
  const std::string request_id = random_guid();
  if (client_id.empty()) client_id = request_id;
  return {.status = refusal.status,
          .headers = {{"Content-Type", "application/json"}, {"request-id", request_id}},
          .body = error_body(refusal, storage, request_id, client_id, now()).dump()};
}

HttpReply GraphEmulator::State::failing(const HttpRequest& request, const Route& route, bool storage,
                                        const GraphFault& fault) const {
  HttpReply reply;
  if (route.call == GraphCall::token || route.call == GraphCall::discovery) {
    const nlohmann::json body{
        {"error", fault.code.empty() ? "temporarily_unavailable" : fault.code},
        {"error_description", "AADSTS90033: A transient error has occurred. Please try again."},
        {"error_codes", {90033}},
        {"trace_id", random_guid()},
        {"correlation_id", random_guid()}};
    reply = {.status = fault.status, .headers = {{"Content-Type", "application/json"}}, .body = body.dump()};
  } else {
    Refusal refusal = usual_refusal(fault.status, storage);
    if (!fault.code.empty()) refusal.code = fault.code;
    if (!fault.code.empty() || !fault.inner.empty()) refusal.inner = fault.inner;
    reply = refused(request, refusal, storage);
  }
  if (!fault.location.empty()) reply.headers.emplace_back("Location", fault.location);
  if (fault.retry_after) reply.headers.emplace_back("Retry-After", std::to_string(*fault.retry_after));
  return reply;
}

HttpReply GraphEmulator::State::acted_on(const HttpRequest& request, const Route& route, bool storage,
                                         const std::optional<GraphFault>& fault) {
  const std::string host = request.header("host");
  const std::lock_guard lock(mutex);
  if (route.call == GraphCall::token && request.method == "POST")
    return sign_in.token(request, host, route.tenant);
  if (route.call == GraphCall::discovery) return sign_in.discovery(host, route.tenant);
  if (!route.tenant.empty() || request.target == "/") return {.status = request.method == "HEAD" ? 200 : 404};
  const Asked asked{request, route, host, fault ? fault->trick : GraphTrick::none,
                    fault ? fault->location : ""};
  try {
    if (fault) service.prepare(asked, fault->status);
    if (storage) return service.storage(asked);
    return service.graph(asked, sign_in.known(bearer_of(request)));
  } catch (const Refusal& refusal) {
    return refused(request, refusal, storage);
  } catch (const nlohmann::json::exception&) {
    return refused(request, usual_refusal(400, storage), storage);
  }
}

HttpReply GraphEmulator::State::answer(const HttpRequest& request, const Route& route, bool storage,
                                       const std::optional<GraphFault>& fault) {
  if (!fault) return acted_on(request, route, storage, fault);
  if (fault->before) fault->before();
  const bool fails = fault->status != 0 && fault->trick != GraphTrick::session_lost;
  HttpReply reply;
  if (!fails || fault->serve_first) reply = acted_on(request, route, storage, fault);
  if (fails) reply = failing(request, route, storage, *fault);
  if (!fault->body.empty()) {
    std::erase_if(reply.headers, [](const auto& header) { return header.first == "Content-Type"; });
    reply.headers.emplace_back("Content-Type", fault->content_type);
    reply.body = fault->body;
    reply.content = nullptr;
  }
  if (fault->after) fault->after();
  reply.manner = manner_of(fault->trick);
  reply.delay = fault->delay;
  return reply;
}

HttpReply GraphEmulator::State::serve(HttpRequest&& request, bool apart) {
  GraphRequest entry{.method = request.method,
                     .host = request.header("host"),
                     .target = request.target,
                     .authorization = request.headers.contains("authorization"),
                     .content_range = request.header("content-range"),
                     .range = request.header("range"),
                     .client_request_id = request.header("client-request-id"),
                     .user_agent = request.header("user-agent"),
                     .size = request.body.size(),
                     .came = std::chrono::steady_clock::now()};
  bool storage = false;
  Route route;
  std::optional<GraphFault> fault;
  {
    const std::lock_guard lock(mutex);
    storage = options.storage_apart ? apart : entry.host == service.storage_host;
    route = route_of(request, storage);
    fault = planned_for(route, request);
  }
  entry.call = route.call;
  HttpReply reply = answer(request, route, storage, fault);
  for (const auto& [name, value] : reply.headers)
    if (name == "request-id") entry.request_id = value;
  const std::lock_guard lock(mutex);
  if (entry.request_id.empty()) {
    entry.request_id = random_guid();
    reply.headers.emplace_back(storage ? "SPRequestGuid" : "request-id", entry.request_id);
  }
  if (!entry.client_request_id.empty())
    reply.headers.emplace_back("client-request-id", entry.client_request_id);
  reply.headers.emplace_back("Date", http_date(now()));
  reply.chunked = options.chunked;
  const bool unanswered =
      reply.manner == HttpReply::Manner::reset || reply.manner == HttpReply::Manner::stalled;
  entry.status = unanswered ? 0 : reply.status;
  log.push_back(std::move(entry));
  return reply;
}

GraphEmulator::GraphEmulator(GraphOptions options) : state_(std::make_unique<State>(std::move(options))) {
  GraphOptions& wanted = state_->options;
  if (!wanted.authority) wanted.authority = std::make_shared<Authority>("Authority of the Graph emulator");
  const Certificate certificate =
      wanted.authority->issue({.name = "graph.microsoft.com",
                               .hosts = {"DNS:graph.microsoft.com", "DNS:login.microsoftonline.com",
                                         "DNS:contoso.sharepoint.com", "DNS:localhost", "IP:127.0.0.1"}});
  // Nobody can ask before the port is known to anybody; a port that was wished for may be asked at once.
  const std::lock_guard lock(state_->mutex);
  state_->server = state_->listening(wanted.port, certificate, false);
  wanted.port = state_->server->port();
  int storage_port = wanted.port;
  if (wanted.storage_apart) {
    state_->storage_server = state_->listening(0, certificate, true);
    storage_port = state_->storage_server->port();
  }
  state_->service.storage_host =
      wanted.storage_host.empty() ? fmt::format("localhost:{}", storage_port) : wanted.storage_host;
}

GraphEmulator::~GraphEmulator() = default;

int GraphEmulator::port() const { return state_->options.port; }
std::string GraphEmulator::login_url() const { return fmt::format("https://127.0.0.1:{}", port()); }
std::string GraphEmulator::graph_url() const { return login_url(); }
std::string GraphEmulator::storage_host() const { return state_->service.storage_host; }
std::string GraphEmulator::ca_pem() const { return state_->options.authority->certificate(); }
std::uint64_t GraphEmulator::endured() const {
  return state_->server->endured() + (state_->storage_server ? state_->storage_server->endured() : 0);
}
const GraphOptions& GraphEmulator::options() const { return state_->options; }

void GraphEmulator::put_file(const std::string& library, const std::string& path, std::string content) {
  const std::lock_guard lock(state_->mutex);
  auto folders = State::parts(path);
  const std::string name = folders.back();
  folders.pop_back();
  Drive& drive = state_->service.library(library);
  LibraryStore& store = state_->service.store();
  store.write(drive, store.folder_at(drive, "root", folders).id, name, std::move(content), Conflict::replace);
}

std::optional<GraphFile> GraphEmulator::file(const std::string& library, const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  const Item* const found = state_->find(library, path);
  if (found == nullptr || found->is_folder) return std::nullopt;
  return GraphFile{path, *found->content, found->id, found->etag(), found->ctag()};
}

std::optional<std::string> GraphEmulator::read_file(const std::string& library,
                                                    const std::string& path) const {
  const auto found = file(library, path);
  return found ? std::optional(found->content) : std::nullopt;
}

std::vector<std::string> GraphEmulator::list_files(const std::string& library,
                                                   const std::string& folder) const {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> names;
  const Item* const found = state_->find(library, folder);
  if (found == nullptr) return names;
  for (const Item* item : state_->service.store().children(state_->service.library(library), found->id))
    if (!item->is_folder) names.push_back(item->name);
  return names;
}

void GraphEmulator::remove_file(const std::string& library, const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (const Item* const found = state_->find(library, path))
    state_->service.store().remove(state_->service.library(library), std::string(found->id), true);
}

void GraphEmulator::touch_metadata(const std::string& library, const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  ++state_->item(library, path).version;
}

void GraphEmulator::hold(const std::string& library, const std::string& path, bool held) {
  const std::lock_guard lock(state_->mutex);
  state_->item(library, path).held = held;
}

void GraphEmulator::make_folder(const std::string& library, const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->service.store().folder_at(state_->service.library(library), "root", State::parts(path));
}

void GraphEmulator::replace_folder(const std::string& library, const std::string& path) {
  remove_file(library, path);
  make_folder(library, path);
}

void GraphEmulator::rename_folder(const std::string& library, const std::string& path,
                                  const std::string& name) {
  const std::lock_guard lock(state_->mutex);
  Item& folder = state_->item(library, path);
  state_->service.store().rename(state_->service.library(library), folder, std::string(folder.parent), name,
                                 Conflict::fail);
}

void GraphEmulator::show_late() {
  const std::lock_guard lock(state_->mutex);
  for (auto& [drive_id, drive] : state_->service.store().drives())
    for (auto& [id, item] : drive.items) item.late = false;
}

void GraphEmulator::rename_library(const std::string& library, const std::string& name) {
  const std::lock_guard lock(state_->mutex);
  state_->service.library(library).name = name;
}

std::vector<std::string> GraphEmulator::recycle_bin() const {
  const std::lock_guard lock(state_->mutex);
  return state_->service.store().recycle_bin;
}

std::size_t GraphEmulator::open_sessions() const {
  const std::lock_guard lock(state_->mutex);
  return state_->service.store().sessions().size();
}

void GraphEmulator::set_quota(std::uint64_t bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->service.store().quota = bytes;
}

void GraphEmulator::grant(const std::string& app, const std::string& site, const std::string& role) {
  const std::lock_guard lock(state_->mutex);
  auto& grants = state_->app(app).grants;
  if (role.empty())
    grants.erase(site);
  else
    grants[site] = role;
}

void GraphEmulator::consent(const std::string& app, bool given) {
  const std::lock_guard lock(state_->mutex);
  state_->app(app).consented = given;
}

void GraphEmulator::trust(const std::string& app, std::vector<std::string> certificates) {
  const std::lock_guard lock(state_->mutex);
  state_->app(app).certificates = std::move(certificates);
}

void GraphEmulator::set_secret(const std::string& app, const std::string& secret) {
  const std::lock_guard lock(state_->mutex);
  state_->app(app).secret = secret;
}

void GraphEmulator::revoke_tokens() {
  const std::lock_guard lock(state_->mutex);
  state_->sign_in.revoke_all();
}

void GraphEmulator::expire_urls() {
  const std::lock_guard lock(state_->mutex);
  state_->service.expire_urls();
}

void GraphEmulator::pass_time(std::chrono::seconds time) { state_->passed += time.count(); }

void GraphEmulator::refuse_authorization_on_storage(bool refuse) {
  const std::lock_guard lock(state_->mutex);
  state_->options.refuse_authorization_on_storage = refuse;
}

void GraphEmulator::support_permanent_delete(bool supported) {
  const std::lock_guard lock(state_->mutex);
  state_->service.permanent_delete = supported;
}

void GraphEmulator::fail_next(GraphMatch match, GraphFault fault, int times) {
  const std::lock_guard lock(state_->mutex);
  state_->faults.push_back({std::move(match), std::move(fault), times});
}

void GraphEmulator::clear_faults() {
  const std::lock_guard lock(state_->mutex);
  state_->faults.clear();
}

int GraphEmulator::pending_faults() const {
  const std::lock_guard lock(state_->mutex);
  int left = 0;
  for (const auto& planned : state_->faults) left += planned.times;
  return left;
}

std::vector<GraphRequest> GraphEmulator::requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->log;
}

std::size_t GraphEmulator::count(const GraphMatch& match) const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<std::size_t>(
      std::count_if(state_->log.begin(), state_->log.end(),
                    [&](const GraphRequest& one) { return fits(match, one.call, one.method, one.target); }));
}

void GraphEmulator::clear_requests() {
  const std::lock_guard lock(state_->mutex);
  state_->log.clear();
}

}  // namespace veer::test

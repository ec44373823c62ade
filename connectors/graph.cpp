#include "connectors/graph.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"
#include "core/random.h"

namespace veer {
namespace {

HttpsUrl configured(const std::string& url, const char* key) {
  const auto parsed = parse_https(url);
  if (!parsed)
    throw Error(Code::c_config,
                fmt::format("share.sharepoint.{} must be an address that begins with https://", key));
  return *parsed;
}

/// Tenants have several hosts, all below one domain.
HostList storage_hosts(const SharePointOptions& options) {
  HostList hosts;
  const HttpsUrl site = configured(options.site, "site");
  hosts.add(site.authority());
  hosts.add(configured(options.graph, "graph").authority());
  const std::size_t dot = site.host.find('.');
  if (site.port == 443 && std::count(site.host.begin(), site.host.end(), '.') >= 2)
    hosts.add(site.host.substr(dot));
  for (const std::string& host : options.transfer_hosts) hosts.add(host);
  return hosts;
}

}  // namespace

Graph::Graph(const SharePointOptions& options, const Clock& clock)
    : base_(options.graph + "/v1.0"),
      origin_(configured(options.graph, "graph").origin()),
      storage_(storage_hosts(options)),
      http_({.ca = options.ca,
             .proxy = options.proxy,
             .user_agent = "NONISV|Veerdienst|Veerdienst/" VEER_VERSION,
             .timeout = options.timeout}),
      clock_(clock),
      sign_in_(options, http_, gate_, clock) {
  configured(options.login, "login");
}

HttpsUrl Graph::url_of(const GraphAsk& call) const {
  const auto url = parse_https(call.path.starts_with('/') ? base_ + call.path : call.path);
  if (!url || url->origin() != origin_ || !url->target.starts_with("/v1.0/"))
    throw Error(Code::s_protocol, fmt::format("{}: the next page is said to lie elsewhere than at {}: "
                                              "something on the way changes what Graph says",
                                              call.doing, origin_));
  return *url;
}

GraphAnswer Graph::send(HttpRequest request, const std::string& doing,
                        const std::function<Sink*(const HttpAnswer&)>& choose, const Transfer& transfer) {
  transfer.heed_stop();
  gate_.require_open();
  SystemRandom random;
  GraphAnswer answer{{}, make_uuid(random)};
  request.headers["client-request-id"] = answer.id;
  request.headers["return-client-request-id"] = "true";
  request.headers["Accept"] = "*/*";
  const std::string method = request.method;
  const auto see = [&](const HttpAnswer& head) -> Sink* {
    answer.http = head;
    ids_ = ids_of(answer);
    return choose ? choose(head) : nullptr;
  };
  try {
    answer.http = http_.ask(std::move(request), see, transfer);
  } catch (const Error& error) {
    if (!is_of_the_way(error.code())) throw;
    heed_wait(answer, doing, gate_, clock_.now());  // its head came, whatever became of its body
    throw Error(error.code(), fmt::format("{}: {} ({})", doing, error.message(),
                                          answer.status() != 0 ? ids_ : "our request id " + answer.id));
  }
  log(LogLevel::debug, "graph: {} {}: {}; {}", method, doing, answer.status(), ids_of(answer));
  heed_wait(answer, doing, gate_, clock_.now());
  if (is_busy(answer.status())) throw refusal(answer, doing);
  return answer;
}

GraphAnswer Graph::call(const GraphAsk& call, const Transfer& transfer) {
  const HttpsUrl url = url_of(call);
  const auto attempt = [&] {
    gate_.require_open();
    const Secret& token = sign_in_.token(transfer);
    HttpRequest request{.method = call.method, .url = url, .bearer = &token, .body = call.body};
    if (!call.content_type.empty() && call.method != "GET" && call.method != "DELETE")
      request.headers["Content-Type"] = call.content_type;
    request.once = call.once;
    request.sent = call.sent;
    return send(std::move(request), call.doing, {}, transfer);
  };
  GraphAnswer answer = attempt();
  if (answer.status() != 401) return answer;
  sign_in_.forget();
  return attempt();
}

GraphAnswer Graph::demand(const GraphAsk& call, const Transfer& transfer) {
  GraphAnswer answer = this->call(call, transfer);
  if (!answer.good()) throw refusal(answer, call.doing);
  return answer;
}

bool Graph::may_store(const std::string& url) const {
  const auto parsed = parse_https(url);
  return parsed && storage_.allows(*parsed);
}

GraphAnswer Graph::store(StorageCall call, const Transfer& transfer) {
  const auto url = parse_https(call.url);
  if (!url || !storage_.allows(*url))
    throw Error(
        Code::s_protocol,
        fmt::format("{}: Graph leads to {}, which is no host of the site: nothing was sent there. When "
                    "it is one of yours, name it in share.sharepoint.transfer_hosts",
                    call.doing, url ? url->authority() : "an address that cannot be asked"));
  HttpRequest request{.method = std::move(call.method),
                      .url = *url,
                      .headers = std::move(call.headers),
                      .block = std::move(call.block),
                      .patience = call.patience,
                      .most = call.most,
                      .sent = std::move(call.sent)};
  return send(std::move(request), call.doing, call.choose, transfer);
}

HttpAnswer Graph::visit(const std::string& url, const Transfer& transfer) {
  gate_.require_open();
  return http_.ask({.method = "GET", .url = parse_https(url).value()}, transfer);
}

}  // namespace veer

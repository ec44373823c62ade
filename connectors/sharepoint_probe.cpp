// What `veer doctor` finds out about the chain to a library, link by link.

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>

#include <fmt/format.h>

#include "connectors/client_certificate.h"
#include "connectors/probe.h"
#include "connectors/sharepoint_files.h"
#include "connectors/sharepoint_share.h"
#include "connectors/tcp.h"
#include "core/error.h"
#include "core/random.h"

namespace veer {
namespace {

constexpr std::int64_t kDaysToAct = 90;
constexpr std::chrono::seconds kSkewToTell(60);
constexpr std::chrono::seconds kSkewRefused(300);
constexpr std::uint64_t kLittleRoom = std::uint64_t{1} << 30;

constexpr std::array kLinks = {
    std::pair{HttpLink::name, "DNS"},
    std::pair{HttpLink::proxy, "proxy"},
    std::pair{HttpLink::address, "connection"},
    std::pair{HttpLink::tls, "TLS"},
    std::pair{HttpLink::server_certificate, "server certificate"},
    std::pair{HttpLink::host_name, "host name"},
};

/// One thing after another; the first that fails ends it.
class Chain {
 public:
  explicit Chain(Graph& graph) : graph_(graph) {}

  bool step(const std::string& what, const std::function<ProbeResult()>& look) {
    if (!results_.empty() && !results_.back().good) return false;
    try {
      ProbeResult result = graph_.telling(look);
      result.what = what;
      results_.push_back(std::move(result));
    } catch (const Error& error) {
      if (error.code() == Code::l_stopped) throw;
      results_.push_back({what, false, fmt::format("{}: {}", code_name(error.code()), error.message())});
    }
    return results_.back().good;
  }
  void add(ProbeResult result) { results_.push_back(std::move(result)); }
  bool good() const { return results_.empty() || results_.back().good; }
  std::vector<ProbeResult> take() { return std::move(results_); }

 private:
  Graph& graph_;
  std::vector<ProbeResult> results_;
};

ProbeResult fine(std::string detail = "", bool attention = false) {
  return {"", true, std::move(detail), attention};
}

ProbeResult certificate_found(const std::string& pem) {
  const Time now = SystemClock().now();
  const Validity own = read_certificates(pem).front();
  require_valid(own, now);
  const auto days = std::chrono::floor<std::chrono::days>(own.until - now).count();
  const bool soon = days <= kDaysToAct;
  return fine(fmt::format("{} day(s) left{}", days,
                          soon ? ": upload its successor beside it now, and change over once it counts" : ""),
              soon);
}

ProbeResult clock_found(const HttpAnswer& answer) {
  const auto theirs = answer.date();
  if (!theirs) return fine("the server does not tell its time");
  const auto skew = std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now() - *theirs);
  const auto size = std::chrono::abs(skew);
  const std::string text =
      fmt::format("{} s {} Microsoft's", size.count(), skew.count() > 0 ? "ahead of" : "behind");
  if (size < kSkewToTell) return fine(text);
  const std::string remedy = text + ": set it, and let it be kept (systemd-timesyncd or chrony)";
  if (size >= kSkewRefused) throw Error(Code::l_clock, remedy);
  return fine(remedy, true);
}

/// Whether the silence comes from behind the connection.
bool connects(const HttpsUrl& server) {
  static constexpr std::chrono::seconds kMost(5);
  try {
    connect_tcp(server.host, server.port, kMost, {});
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Shows whoever answers at `url` as one line for each link that leads there.
std::optional<HttpAnswer> walk(Chain& chain, Graph& graph, const std::string& url, bool proxy,
                               const Transfer& transfer) {
  std::optional<HttpAnswer> answer;
  std::optional<Error> failure;
  try {
    answer = graph.visit(url, transfer);
  } catch (const Error& error) {
    if (error.code() == Code::l_stopped) throw;
    failure = error;
  }
  const HttpsUrl server = parse_https(url).value();
  const std::string host = server.authority();
  HttpLink reached = graph.reached();
  if (failure && failure->code() == Code::s_timeout && reached == HttpLink::address && !proxy &&
      connects(server))
    reached = HttpLink::tls;
  for (const auto& [link, what] : kLinks) {
    if (failure && reached == link) {
      chain.add({what, false, fmt::format("{}: {}", code_name(failure->code()), failure->message())});
      return std::nullopt;
    }
    // Behind a proxy, it looks names up and connects.
    const bool ours =
        link == HttpLink::proxy ? proxy : !proxy || (link != HttpLink::name && link != HttpLink::address);
    if (ours) chain.add({what, true, host});
  }
  if (failure)
    chain.add({"answer", false, fmt::format("{}: {}", code_name(failure->code()), failure->message())});
  return answer;
}

}  // namespace

std::vector<ProbeResult> SharePointShare::probe(const Transfer& transfer) {
  std::vector<ProbeResult> results = probe_chain(transfer);
  const auto follow = [&](std::vector<ProbeResult> more) {
    const bool good =
        std::all_of(more.begin(), more.end(), [](const ProbeResult& each) { return each.good; });
    std::move(more.begin(), more.end(), std::back_inserter(results));
    return good;
  };
  if (results.back().good && follow(probe_place(transfer)) && follow(probe_by_verbs(*this, {}, transfer)))
    follow(probe_session(transfer));
  return results;
}

/// From our certificate to a token.
std::vector<ProbeResult> SharePointShare::probe_chain(const Transfer& transfer) {
  Chain chain(graph_);
  if (options_.certificate.empty())
    chain.add({"client secret", true,
               "given; it expires unannounced: an application signs in with a certificate better", false});
  else
    chain.step("certificate", [&] { return certificate_found(options_.certificate); });
  if (!chain.good()) return chain.take();
  const bool proxy = !options_.proxy.empty();
  const std::string discovery = graph_.sign_in().address() + "/v2.0/.well-known/openid-configuration";
  const auto answer = walk(chain, graph_, discovery, proxy, transfer);
  if (!chain.good()) return chain.take();
  chain.step("clock", [&] { return clock_found(*answer); });
  chain.step("tenant", [&] {
    if (answer->status == 400 || answer->status == 404)
      throw Error(
          Code::s_rights,
          fmt::format("{} knows no tenant of this name: put its id in share.sharepoint.tenant, and look "
                      "whether share.sharepoint.login is its cloud's",
                      parse_https(options_.login).value().authority()));
    return fine();
  });
  if (chain.good() && parse_https(options_.login)->origin() != parse_https(options_.graph)->origin())
    walk(chain, graph_, graph_.base() + "/", proxy, transfer);
  chain.step("sign-in", [&] {
    graph_.sign_in().forget();
    graph_.sign_in().token(transfer);
    return fine("as application " + options_.client_id);
  });
  return chain.take();
}

/// From the site to our folders, and what room is left.
std::vector<ProbeResult> SharePointShare::probe_place(const Transfer& transfer) {
  place_.forget();
  Chain chain(graph_);
  std::optional<Error> failure;
  try {
    graph_.telling([&] { place_.require_site(Folder::outgoing, transfer); });
  } catch (const Error& error) {
    if (error.code() == Code::l_stopped) throw;
    failure = error;
  }
  const bool consents = !failure || failure->message().find(SharePointPlace::kConsent) == std::string::npos;
  chain.step("consent", [&] {
    if (!consents) throw *failure;
    return fine();
  });
  chain.step("site", [&] {
    if (failure) throw *failure;
    return fine(options_.site);
  });
  if (place_.has_two_sites())
    chain.step("incoming site", [&] {
      place_.require_site(Folder::incoming, transfer);
      return fine(place_.site_of(Folder::incoming));
    });
  chain.step("library", [&] {
    place_.library(Folder::outgoing, transfer);
    return fine(options_.library);
  });
  if (place_.has_two_libraries())
    chain.step("incoming library", [&] {
      place_.library(Folder::incoming, transfer);
      return fine(place_.library_of(Folder::incoming));
    });
  for (const Folder folder : {Folder::outgoing, Folder::incoming})
    chain.step("folder " + place_.name_of(folder), [&] {
      place_.folder(folder, transfer);
      return fine();
    });
  chain.step("quota", [&] {
    const GraphAnswer answer =
        graph_.demand({"GET", place_.library(Folder::outgoing, transfer) + "?$select=id,quota",
                       "looking for what room is left"},
                      transfer);
    const auto room = parse_room(answer.http.body);
    if (!room) return fine("the service does not tell");
    const std::string text = fmt::format("{} MB left", *room >> 20);
    if (*room == 0) throw Error(Code::s_full, text + ": have files removed, or the site's quota raised");
    const bool little = *room < kLittleRoom;
    return fine(text + (little ? ": have files removed, or the site's quota raised" : ""), little);
  });
  return chain.take();
}

/// A put in fragments, whatever the size, and whether what is removed is gone.
std::vector<ProbeResult> SharePointShare::probe_session(const Transfer& transfer) {
  static constexpr std::size_t kSize = (std::size_t{320} << 10) + 1;
  SystemRandom random;
  const std::string name = std::string(kProbeBegins) + make_uuid(random);
  const std::string bytes(kSize, 'x');
  Chain chain(graph_);
  std::string place;
  chain.step("put in fragments", [&] {
    place = place_.folder(Folder::outgoing, transfer);
    const MemoryBlob content(bytes);
    ResumeNote none;
    SharePointUpload(graph_, place, name, content, none, open_, transfer).run_session();
    return fine();
  });
  chain.step("remove for good", [&] {
    const auto item = find_item(graph_, place, name, transfer);
    if (!item || remove_item(graph_, place, *item, transfer)) return fine();
    return fine(
        "the service refuses: what is removed stays in the recycle bin up to 93 days and counts against "
        "the quota; ask the site's administrator to empty it, and whether a policy forbids removing",
        true);
  });
  return chain.take();
}

}  // namespace veer

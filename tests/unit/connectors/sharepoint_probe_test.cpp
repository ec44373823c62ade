// What a probe says of each link of the chain to a SharePoint library that fails.

#include <catch2/catch.hpp>

#include "support/connect_proxy.h"
#include "support/text.h"
#include "unit/connectors/sharepoint_world.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;
using World = SharePointWorld;

namespace {

std::vector<ProbeResult> probed(SharePointOptions options) {
  return SharePointShare(std::move(options)).probe();
}

const ProbeResult& found(const std::vector<ProbeResult>& results, const std::string& what) {
  for (const ProbeResult& each : results)
    if (each.what == what) return each;
  FAIL("no line for " << what);
  throw std::logic_error("unreachable");
}

/// The probe ends at `what`, which says each of `parts`; all before it is good.
void fails_at(const std::vector<ProbeResult>& results, const std::string& what,
              const std::vector<std::string>& parts) {
  for (std::size_t i = 0; i + 1 < results.size(); ++i) {
    CAPTURE(results[i].what, results[i].detail);
    CHECK(results[i].good);
  }
  CAPTURE(results.back().detail);
  CHECK(results.back().what == what);
  CHECK_FALSE(results.back().good);
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(has(results.back().detail, part));
  }
}

}  // namespace

TEST_CASE("a probe shows every link of a chain that holds") {
  World world;
  const auto results = probed(world.place.share());
  for (const ProbeResult& each : results) {
    CAPTURE(each.what, each.detail);
    CHECK(each.good);
    CHECK_FALSE(each.attention);
  }
  for (const char* what : {"certificate",
                           "DNS",
                           "connection",
                           "TLS",
                           "server certificate",
                           "host name",
                           "clock",
                           "tenant",
                           "sign-in",
                           "consent",
                           "site",
                           "library",
                           "folder to_avsb",
                           "folder to_aii",
                           "quota",
                           "list",
                           "write",
                           "read back",
                           "resume",
                           "publish once",
                           "remove",
                           "put in fragments",
                           "remove for good"})
    found(results, what);
  CHECK(has(found(results, "certificate").detail, "day(s) left"));
  CHECK(world.graph.list_files(GraphShare::kLibrary, "to_avsb").empty());
  CHECK(world.graph.recycle_bin().empty());
  CHECK(world.graph.open_sessions() == 0);
}

TEST_CASE("a probe ends at the link that fails, with the next step") {
  World world;
  SharePointOptions options = world.place.share();
  const std::string app = options.client_id;
  const auto replace_certificate = [&](const CertificateWishes& wishes) {
    const Certificate own = rsa_certificate(wishes);
    options.certificate = own.certificate;
    options.key = Secret(std::string(own.key));
  };
  SECTION("certificate expired") {
    replace_certificate({.from = -100h, .until = -49h});
    fails_at(probed(std::move(options)), "certificate", {"C_CREDENTIAL", "expired 2 day(s) ago"});
  }
  SECTION("certificate unknown") {
    replace_certificate({});
    fails_at(probed(std::move(options)), "sign-in", {"S_RIGHTS", "Certificates & secrets", "AADSTS700027"});
  }
  SECTION("DNS") {
    options.login = "https://nowhere.invalid";
    fails_at(probed(std::move(options)), "DNS", {"S_UNREACHABLE", "nowhere.invalid", "[proxy]"});
  }
  SECTION("connection") {
    options.login = "https://127.0.0.1:1";
    fails_at(probed(std::move(options)), "connection", {"S_UNREACHABLE", "firewall"});
  }
  SECTION("Graph's host") {
    options.graph = "https://127.0.0.1:1";
    fails_at(probed(std::move(options)), "connection", {"S_UNREACHABLE", "127.0.0.1:1"});
  }
  SECTION("TLS") {
    const ConnectProxy plain;  // speaks HTTP alone, and waits for it
    options.timeout = 1s;
    options.login = "https://127.0.0.1:" + std::to_string(plain.port());
    fails_at(probed(std::move(options)), "TLS", {"S_TIMEOUT", "did not answer"});
  }
  SECTION("proxy") {
    options.proxy = "http://127.0.0.1:1";
    fails_at(probed(std::move(options)), "proxy", {"S_UNREACHABLE", "[proxy] https"});
  }
  SECTION("proxy that wants a sign-in") {
    const ConnectProxy proxy({.credentials = "user:word"});
    options.proxy = proxy.url();
    fails_at(probed(std::move(options)), "proxy", {"407", "without one"});
  }
  SECTION("server certificate") {
    options.ca = Authority("another").certificate();
    fails_at(probed(std::move(options)), "server certificate", {"S_HOST_KEY", "share.sharepoint.ca"});
  }
  SECTION("host name") {
    const ConnectProxy proxy({.routes = {{"other.example.org:443", world.graph.port()}}});
    options.login = "https://other.example.org";
    options.proxy = proxy.url();
    fails_at(probed(std::move(options)), "host name", {"S_HOST_KEY", "other.example.org"});
  }
  SECTION("tenant") {
    options.tenant = "99999999-0000-4000-8000-0123456789ab";
    fails_at(probed(std::move(options)), "tenant", {"share.sharepoint.tenant"});
  }
  SECTION("application") {
    options.client_id = "99999999-1111-4222-8333-444455556666";
    fails_at(probed(std::move(options)), "sign-in", {"share.sharepoint.client_id"});
  }
  SECTION("consent") {
    world.graph.consent(app, false);
    fails_at(probed(std::move(options)), "consent", {"S_RIGHTS", "Sites.Selected", "consent"});
  }
  SECTION("grant") {
    world.graph.grant(app, "/sites/uitwisseling", "");
    fails_at(probed(std::move(options)), "site", {"S_RIGHTS", "role write", "docs/sharepoint.md"});
  }
  SECTION("site") {
    options.site = "https://contoso.sharepoint.com/sites/another";
    fails_at(probed(std::move(options)), "site", {"S_NOT_FOUND", "share.sharepoint.site"});
  }
  SECTION("library") {
    options.library = "Documenten";
    fails_at(probed(std::move(options)), "library", {"S_NOT_FOUND", "\"Documents\""});
  }
  SECTION("folder") {
    options.incoming = "to_nobody";
    fails_at(probed(std::move(options)), "folder to_nobody", {"S_NOT_FOUND", "[share]"});
  }
  SECTION("quota") {
    world.graph.set_quota(0);
    fails_at(probed(std::move(options)), "quota", {"S_FULL", "0 MB"});
  }
  SECTION("read alone") {
    world.graph.grant(app, "/sites/uitwisseling", "read");
    fails_at(probed(std::move(options)), "write", {"S_RIGHTS", "role write"});
  }
  SECTION("another storage host") {
    options.transfer_hosts.clear();
    const auto results = probed(std::move(options));
    CHECK_FALSE(found(results, "read back").good);
    CHECK(has(found(results, "read back").detail, "share.sharepoint.transfer_hosts"));
    CHECK(results.back().what == "remove");
  }
}

TEST_CASE("a probe tells what a person should do soon") {
  World world;
  SharePointOptions options = world.place.share();
  SECTION("a certificate that ends") {
    const Certificate own = rsa_certificate({.until = 24h * 30});
    world.graph.trust(options.client_id, {own.certificate});
    options.certificate = own.certificate;
    options.key = Secret(std::string(own.key));
    const auto results = probed(std::move(options));
    CHECK(found(results, "certificate").attention);
    CHECK(has(found(results, "certificate").detail, "29 day(s) left"));
    CHECK(results.back().good);
  }
  SECTION("little room") {
    world.graph.set_quota(std::uint64_t{100} << 20);
    CHECK(found(probed(std::move(options)), "quota").attention);
  }
  SECTION("a bin that keeps what is removed") {
    world.graph.support_permanent_delete(false);
    const auto results = probed(std::move(options));
    CHECK(found(results, "remove for good").attention);
    CHECK(has(found(results, "remove for good").detail, "93 days"));
  }
}

TEST_CASE("a clock that is off is told, and from minutes on refused") {
  World world;
  SECTION("some") {
    world.graph.pass_time(100s);
    const auto results = probed(world.place.share());
    CHECK(found(results, "clock").attention);
    CHECK(has(found(results, "clock").detail, "behind"));
  }
  SECTION("much") {
    world.graph.pass_time(-1h);
    fails_at(probed(world.place.share()), "clock", {"L_CLOCK", "ahead", "systemd-timesyncd"});
  }
}

TEST_CASE("a probe goes through the proxy, and then looks up no name itself") {
  World world;
  const ConnectProxy proxy;
  SharePointOptions options = world.place.share();
  options.proxy = proxy.url();
  const auto results = probed(std::move(options));
  for (const ProbeResult& each : results) {
    CAPTURE(each.what, each.detail);
    CHECK(each.good);
    CHECK(each.what != "DNS");
  }
  found(results, "proxy");
}

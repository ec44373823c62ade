// A SharePoint site for each direction: what each side may write in, the other may only read.

#include <catch2/catch.hpp>

#include "connectors/sharepoint_share.h"
#include "graph/graph_share.h"
#include "support/fictitious.h"
#include "support/pair.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

namespace {

constexpr const char* kThere = "/sites/naar-avsb";
constexpr const char* kBack = "/sites/naar-aii";
constexpr const char* kOtherApp = "0a1b2c3d-2222-4222-8333-444455556666";

/// Two sites, two applications: each may write in the one and read in the other.
GraphOptions two_sites() {
  GraphOptions options;
  options.apps = {GraphApp{.grants = {{kThere, "write"}, {kBack, "read"}}},
                  GraphApp{.id = kOtherApp, .grants = {{kThere, "read"}, {kBack, "write"}}}};
  options.sites = {GraphSite{kThere, {{"Heen", {"lijsten"}}}}, GraphSite{kBack, {{"Terug", {"lijsten"}}}}};
  return options;
}

struct TwoSites {
  GraphShare place{two_sites()};
  TempFolder folder{TempFolder::Place::in_memory};
  Pair pair{folder.path(),
            {std::make_unique<SharePointShare>(aii()), std::make_unique<SharePointShare>(avsb())}};

  SharePointOptions options() {
    SharePointOptions options = place.share();
    options.outgoing = options.incoming = "lijsten";
    return options;
  }
  SharePointOptions aii() {
    SharePointOptions own = options();
    own.site = "https://contoso.sharepoint.com" + std::string(kThere);
    own.library = "Heen";
    own.incoming_site = "https://contoso.sharepoint.com" + std::string(kBack);
    own.incoming_library = "Terug";
    return own;
  }
  SharePointOptions avsb() {
    place.graph().trust(kOtherApp, {place.certificate().certificate});
    SharePointOptions own = options();
    own.client_id = kOtherApp;
    own.site = "https://contoso.sharepoint.com" + std::string(kBack);
    own.library = "Terug";
    own.incoming_site = "https://contoso.sharepoint.com" + std::string(kThere);
    own.incoming_library = "Heen";
    return own;
  }
};

}  // namespace

TEST_CASE(
    "with a site for each direction the exchange comes to its end and neither side can remove the other's") {
  TwoSites t;
  const std::vector<Insz> numbers = fictitious_list(50, 1);
  t.pair.start();
  t.pair.drop(kListName, csv_of(numbers));
  t.pair.run_to_rest();
  CHECK(t.pair.sent().stage == Stage::acknowledged);
  CHECK(t.pair.avsb->instance.lists.count(kYear) == 50);
  CHECK(t.pair.open_alerts(*t.pair.aii) == Names{});
  CHECK(t.pair.open_alerts(*t.pair.avsb) == Names{});
  const std::string package = t.pair.sent().package;
  CHECK(t.place.graph().list_files("Heen", "lijsten") == Names{package});
  const Names receipts = t.place.graph().list_files("Terug", "lijsten");
  REQUIRE(receipts.size() == 1);

  Share& aii = t.pair.aii_share.files();
  Share& avsb = t.pair.avsb_share.files();
  CHECK(code_of([&] { avsb.remove(Folder::incoming, package, {}); }) == Code::s_rights);
  CHECK(code_of([&] { aii.remove(Folder::incoming, receipts[0], {}); }) == Code::s_rights);
  CHECK(t.place.graph().list_files("Heen", "lijsten") == Names{package});
  CHECK(t.place.graph().list_files("Terug", "lijsten") == receipts);
  CHECK_FALSE(code_of([&] { aii.remove(Folder::outgoing, package, {}); }));
  CHECK(t.place.graph().list_files("Heen", "lijsten").empty());
}

TEST_CASE("doctor's list names the second site and library, and the key to put right") {
  TwoSites t;
  const auto line = [](SharePointOptions options, const std::string& what) {
    for (const ProbeResult& result : SharePointShare(std::move(options)).probe())
      if (result.what == what) return (result.good ? "ok " : "fail ") + result.detail;
    return std::string("none");
  };
  CHECK(line(t.aii(), "incoming site") == "ok https://contoso.sharepoint.com" + std::string(kBack));
  CHECK(line(t.aii(), "incoming library") == "ok Terug");
  SharePointOptions wrong = t.aii();
  wrong.incoming_library = "Documenten";
  CHECK(
      line(std::move(wrong), "incoming library").find("put its name in share.sharepoint.incoming_library") !=
      std::string::npos);
  wrong = t.aii();
  wrong.incoming_site += "-niet";
  CHECK(line(std::move(wrong), "incoming site").find("share.sharepoint.incoming_site") != std::string::npos);
  wrong = t.options();
  wrong.site = "https://contoso.sharepoint.com" + std::string(kThere);
  wrong.library = "Heen";
  CHECK(line(std::move(wrong), "incoming site") == "none");
}

#include "connectors/sharepoint_place.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr std::size_t kMostPages = 50;

/// Every segment of a path, escaped.
std::string escaped(std::string_view path) {
  std::string all;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) all += "/" + in_path(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return all;
}

// The site's path as people copy it from the browser.
std::string site_path(std::string target) {
  target.erase(std::min(target.find('?'), target.size()));
  while (target.ends_with('/')) target.pop_back();
  return target;
}

/// Graph refuses both alike; its words, which may change, only choose between two texts.
[[noreturn]] void throw_no_site(const GraphAnswer& answer, const std::string& site) {
  const GraphProblem problem = parse_problem(answer.http.body);
  if (problem.message.find("roles") != std::string::npos)
    throw Error(Code::s_rights,
                fmt::format("the application has no permission at all: in its registration, under API "
                            "permissions, add the application permission {} of Microsoft Graph and have the "
                            "tenant's administrator consent ({})",
                            SharePointPlace::kConsent, ids_of(answer)));
  throw Error(
      Code::s_rights,
      fmt::format("the application is not granted the site {}: an administrator grants it the role write "
                  "there (docs/sharepoint.md, granting the site); {}",
                  printable(site), ids_of(answer)));
}

bool ends_with_segment(const std::string& address, const std::string& name) {
  return address.ends_with("/" + name) || address.ends_with("/" + in_path(name));
}

}  // namespace

SharePointPlace::SharePointPlace(const SharePointOptions& options, Graph& graph)
    : options_(options),
      graph_(graph),
      spots_{Spot{options.site, options.library},
             Spot{options.incoming_site.empty() ? options.site : options.incoming_site,
                  options.incoming_library.empty() ? options.library : options.incoming_library}} {}

void SharePointPlace::forget() {
  for (Spot& spot : spots_) spot = {spot.site, spot.library};
}

/// The key of the configuration that says it.
std::string SharePointPlace::key(const Spot& spot, const std::string& name) const {
  const bool own =
      &spot == &spots_[1] && !(name == "site" ? options_.incoming_site : options_.incoming_library).empty();
  return "share.sharepoint." + std::string(own ? "incoming_" : "") + name;
}

const std::string& SharePointPlace::name_of(Folder which) const {
  return which == Folder::outgoing ? options_.outgoing : options_.incoming;
}

const std::string& SharePointPlace::site(Spot& spot, const Transfer& transfer) {
  if (!spot.site_id.empty()) return spot.site_id;
  const HttpsUrl url = parse_https(spot.site).value();
  const std::string path = site_path(url.target);
  const GraphAnswer answer =
      graph_.call({"GET", "/sites/" + url.host + (path.empty() ? "" : ":" + path) + "?$select=id",
                   "looking for the site"},
                  transfer);
  if (answer.status() == 404)
    throw Error(Code::s_not_found,
                fmt::format("the site {} is not there: put the address of its front page in {} ({})",
                            printable(spot.site), key(spot, "site"), ids_of(answer)));
  if (answer.status() == 401 || answer.status() == 403) throw_no_site(answer, spot.site);
  if (!answer.good()) throw refusal(answer, "looking for the site");
  return spot.site_id = parse_id(answer.http.body);
}

const std::string& SharePointPlace::drive(Spot& spot, const Transfer& transfer) {
  if (!spot.drive_id.empty()) return spot.drive_id;
  const std::string doing = "looking for the library";
  std::string path = fmt::format("/sites/{}/drives?$select=id,name,webUrl", in_path(site(spot, transfer)));
  std::string names;
  for (std::size_t page = 0; !path.empty() && page < kMostPages; ++page) {
    const GraphAnswer answer = graph_.demand({"GET", path, doing}, transfer);
    GraphDrives found = parse_drives(answer.http.body);
    for (const GraphDrive& each : found.drives) {
      if (each.name == spot.library || ends_with_segment(each.address, spot.library))
        return spot.drive_id = each.id;
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", printable(each.name));
    }
    path = std::move(found.next);
  }
  throw Error(Code::s_not_found,
              fmt::format("the site has no library \"{}\": put its name in {}; there {}",
                          printable(spot.library), key(spot, "library"),
                          names.empty() ? "is none that the application sees" : "are " + names));
}

std::string SharePointPlace::library(Folder which, const Transfer& transfer) {
  return "/drives/" + in_path(drive(spot_of(which), transfer));
}

std::string SharePointPlace::path(Folder which, const Transfer& transfer) {
  return library(which, transfer) + "/root:" + escaped(name_of(which));
}

std::string SharePointPlace::folder(Folder which, const Transfer& transfer) {
  const std::string doing = "looking for folder " + printable(name_of(which));
  const GraphAnswer answer = graph_.call({"GET", path(which, transfer), doing}, transfer);
  if (answer.status() == 404)
    throw Error(Code::s_not_found,
                fmt::format("folder {} is not in the library: have it made there, or put right what [share] "
                            "outgoing and incoming say ({})",
                            printable(name_of(which)), ids_of(answer)));
  if (!answer.good()) throw refusal(answer, doing);
  const GraphItem item = parse_item(answer.http.body);
  if (item.is_file)
    throw Error(Code::s_not_found, fmt::format("{} is a file in the library: a folder must stand there",
                                               printable(name_of(which))));
  return library(which, transfer) + "/items/" + in_path(item.id);
}

}  // namespace veer

#include "connectors/sharepoint_share.h"

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "connectors/client_certificate.h"
#include "connectors/listing.h"
#include "connectors/probe.h"
#include "connectors/sharepoint_files.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

// What a listing needs, and no more: a page of it is one request.
constexpr std::string_view kChildren =
    ":/children?$top=200&$select=id,name,size,cTag,eTag,file,folder,package,remoteItem,parentReference,"
    "lastModifiedDateTime";
constexpr std::size_t kMostPages = 2 * kMostEntries / 200 + 1000;
constexpr int kTimeoutsForListing = 2;
constexpr int kMostVisits = 3;  // to one page: some link to themselves

const SharePointOptions& checked(const SharePointOptions& options) {
  if (!options.certificate.empty())
    require_pair(options.certificate, options.key.reveal(), options.key_passphrase.reveal());
  if (options.certificate.empty() == options.secret.empty())
    throw Error(Code::c_credential,
                "the application signs in with a certificate or with a secret: give one of them in "
                "[share.sharepoint]");
  return options;
}

ShareEntry entry_of(const GraphItem& item) {
  return {.name = item.name, .size = item.size, .revision = item.tag, .modified = item.modified};
}

/// Whether all items of a listing lie in the same folder, whose id the first one tells.
class OneFolder {
 public:
  bool holds(const GraphItem& item) {
    if (id_.empty()) id_ = item.parent;
    return item.parent.empty() || item.parent == id_;
  }

 private:
  std::string id_;
};

/// The file that was listed. Throws S_NOT_FOUND or S_CHANGED.
GraphItem require_same(Graph& graph, const std::string& folder, const ShareEntry& entry,
                       const Transfer& transfer) {
  auto item = find_item(graph, folder, entry.name, transfer);
  if (!item || item->name != entry.name)
    throw Error(Code::s_not_found, fmt::format("{} is not on the share any more", entry.name));
  if (!item->is_file || item->size != entry.size || item->tag != entry.revision) throw changed(entry.name);
  return std::move(*item);
}

}  // namespace

SharePointShare::SharePointShare(SharePointOptions options, std::shared_ptr<const Clock> clock)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      graph_(checked(options_), *clock_),
      place_(options_, graph_) {}

SharePointShare::~SharePointShare() = default;

template <typename Work>
auto SharePointShare::in_folder(Folder folder, const Transfer& transfer, Work work) {
  transfer.heed_stop();
  return graph_.telling([&] {
    const bool remembered = place_.knows_library(folder);
    const std::string before = place_.path(folder, transfer);
    try {
      return work(before);
    } catch (const Error& error) {
      if (error.code() != Code::s_not_found) throw;
      if (remembered) place_.forget();
      const std::string now = place_.path(folder, transfer);
      place_.folder(folder, transfer);
      if (now == before) throw;
    }
    return work(place_.path(folder, transfer));
  });
}

std::vector<ShareEntry> SharePointShare::list(Folder folder, const Transfer& transfer) {
  return in_folder(folder, transfer, [&](const std::string& place) {
    const std::string doing = "listing folder " + printable(place_.name_of(folder));
    Listing listing;
    OneFolder one;
    std::set<std::string> seen;
    std::map<std::string, int> visits;
    std::string path = place + std::string(kChildren);
    const auto end = std::chrono::steady_clock::now() + kTimeoutsForListing * options_.timeout;
    for (std::size_t pages = 0; !path.empty() && !listing.is_full(); ++pages) {
      if (++visits[path] > kMostVisits || pages > kMostPages)
        throw Error(Code::s_protocol, doing + ": the pages lead round in a circle: it is tried again");
      if (std::chrono::steady_clock::now() > end)
        throw Error(Code::s_timeout, doing + ": its pages take too long: it is tried again");
      GraphPage page = parse_page(graph_.demand({"GET", path, doing}, transfer).http.body);
      for (const GraphItem& item : page.items) {
        if (!one.holds(item))
          throw Error(Code::s_protocol, doing + ": a page of it is another folder's: it is tried again");
        if (listing.is_full() || !seen.insert(item.id).second) continue;
        if (item.is_file)
          listing.add(entry_of(item));
        else
          listing.pass_over();
      }
      path = std::move(page.next);
    }
    return listing.take();
  });
}

void SharePointShare::put(const std::string& name, const Blob& content, ResumeNote resume,
                          const Transfer& transfer) {
  require_share_name(name);
  in_folder(Folder::outgoing, transfer, [&](const std::string&) {
    SharePointUpload(graph_, place_.folder(Folder::outgoing, transfer), name, content, resume, open_,
                     transfer)
        .run();
  });
}

void SharePointShare::fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
                            const Transfer& transfer) {
  require_share_name(entry.name);
  in_folder(folder, transfer, [&](const std::string& place) {
    const GraphItem item = require_same(graph_, place, entry, transfer);
    if (offset >= entry.size) return;
    try {
      if (!download(graph_, place, item, offset, into, transfer))
        require_same(graph_, place, entry, transfer);
    } catch (const Error& error) {
      if (error.code() == Code::s_not_found) throw changed(entry.name);
      throw;
    }
  });
}

void SharePointShare::remove(Folder folder, const std::string& name, const Transfer& transfer) {
  require_share_name(name);
  if (folder == Folder::outgoing && open_.name == name) cancel_upload(graph_, open_, transfer);
  in_folder(folder, transfer, [&](const std::string& place) {
    if (const auto item = find_file(graph_, place, name, transfer))
      remove_item(graph_, place, *item, transfer);
    else
      place_.folder(folder, transfer);  // no file, or no folder?
  });
}

void SharePointShare::abandon(const std::string& name, const std::string& note, const Transfer& transfer) {
  if (open_.name == name) cancel_upload(graph_, open_, transfer);
  cancel_noted(graph_, name, note, transfer);
}

}  // namespace veer

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/graph.h"
#include "connectors/share.h"
#include "connectors/sharepoint_options.h"
#include "connectors/sharepoint_place.h"
#include "connectors/sharepoint_upload.h"

namespace veer {

/// A share in a document library of SharePoint Online, through Microsoft Graph. The contract is Share's. The
/// service itself refuses to overwrite, and a file appears under its name when its last byte is there, so
/// that there is no ".part": a put of more than 4 MiB is an upload session, whose address is the resume note
/// and a secret. SharePoint tells no digest but quickXorHash, which is compared before a put counts as done.
class SharePointShare : public Share {
 public:
  /// Throws C_CREDENTIAL when certificate, key or CA cannot be used.
  explicit SharePointShare(SharePointOptions options,
                           std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>());
  ~SharePointShare() override;

  std::vector<ProbeResult> probe(const Transfer& transfer = {}) override;
  std::vector<ShareEntry> list(Folder folder, const Transfer& transfer) override;
  void put(const std::string& name, const Blob& content, ResumeNote resume,
           const Transfer& transfer) override;
  void fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
             const Transfer& transfer) override;
  void remove(Folder folder, const std::string& name, const Transfer& transfer) override;
  void abandon(const std::string& name, const std::string& note, const Transfer& transfer) override;

 private:
  /// Runs `work` on a folder ("/drives/…/root:/…"); once more when what was remembered of the library is out
  /// of date. A folder that lacks is told as that.
  template <typename Work>
  auto in_folder(Folder folder, const Transfer& transfer, Work work);

  std::vector<ProbeResult> probe_chain(const Transfer& transfer);
  std::vector<ProbeResult> probe_place(const Transfer& transfer);
  std::vector<ProbeResult> probe_session(const Transfer& transfer);

  SharePointOptions options_;
  std::shared_ptr<const Clock> clock_;
  Graph graph_;
  SharePointPlace place_;
  OpenUpload open_;  ///< the upload session that this object left open
};

}  // namespace veer

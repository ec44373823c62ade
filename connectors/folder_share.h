#pragma once

#include <filesystem>

#include "connectors/share.h"

namespace veer {

/// A share that is mounted as two folders. The contract is Share's; what was published survives a crash of
/// either machine as far as the file system keeps what was synced.
class FolderShare : public Share {
 public:
  FolderShare(std::filesystem::path outgoing, std::filesystem::path incoming)
      : outgoing_(std::move(outgoing)), incoming_(std::move(incoming)) {}

  std::vector<ProbeResult> probe(const Transfer& transfer = {}) override;
  std::vector<ShareEntry> list(Folder folder, const Transfer& transfer) override;
  void put(const std::string& name, const Blob& content, ResumeNote resume,
           const Transfer& transfer) override;
  void fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
             const Transfer& transfer) override;
  void remove(Folder folder, const std::string& name, const Transfer& transfer) override;

 private:
  const std::filesystem::path& path_of(Folder folder) const {
    return folder == Folder::outgoing ? outgoing_ : incoming_;
  }

  std::filesystem::path outgoing_;
  std::filesystem::path incoming_;
};

}  // namespace veer

#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "connectors/sftp_options.h"
#include "connectors/share.h"

namespace veer {

class SftpSession;

/// A share on an SFTP server (libssh2). One session is kept open between calls and made anew when it broke.
/// The server's key is never taken on trust. The contract is Share's; what a put published is synced where
/// the server can.
class SftpShare : public Share {
 public:
  explicit SftpShare(SftpOptions options);
  ~SftpShare() override;

  std::vector<ProbeResult> probe(const Transfer& transfer = {}) override;
  std::vector<ShareEntry> list(Folder folder, const Transfer& transfer) override;
  void put(const std::string& name, const Blob& content, ResumeNote resume,
           const Transfer& transfer) override;
  void fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
             const Transfer& transfer) override;
  void remove(Folder folder, const std::string& name, const Transfer& transfer) override;

 private:
  /// Runs `work` on the open session, or on a new one when there is none or the server has hung up; leaves
  /// the session that an error broke.
  template <typename Work>
  auto with_session(const Transfer& transfer, Work work);
  void write_part(SftpSession& session, const std::string& name, const Blob& content,
                  const Transfer& transfer) const;
  /// The rename that decides whose bytes stand under `name`.
  void publish(SftpSession& session, const std::string& name) const;
  std::string path_of(Folder folder, const std::string& name) const;

  SftpOptions options_;
  std::unique_ptr<SftpSession> session_;
};

}  // namespace veer

#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "connectors/ftps_options.h"
#include "connectors/share.h"

namespace veer {

class FtpsSession;

/// A share on an FTP server under TLS (libcurl), as MAGDA's file exchange is one. Never in clear: neither the
/// commands nor the data. One connection is kept between calls and made anew when it broke. The contract is
/// Share's. FTP has no rename that refuses a taken name, and servers differ: this looks before and compares
/// after, and probe() tells what the server does. It cannot sync: what is put is durable when the server says
/// so.
class FtpsShare : public Share {
 public:
  /// Throws C_CREDENTIAL when certificate, key or CA cannot be used.
  explicit FtpsShare(FtpsOptions options);
  ~FtpsShare() override;

  std::vector<ProbeResult> probe(const Transfer& transfer = {}) override;
  std::vector<ShareEntry> list(Folder folder, const Transfer& transfer) override;
  void put(const std::string& name, const Blob& content, ResumeNote resume,
           const Transfer& transfer) override;
  void fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
             const Transfer& transfer) override;
  void remove(Folder folder, const std::string& name, const Transfer& transfer) override;

 private:
  /// Runs `work` on the open session, or on a new one, and closes it when an error broke it.
  template <typename Work>
  auto with_session(const Transfer& transfer, Work work);

  const std::string& path_of(Folder folder) const;
  std::vector<ProbeResult> probe_certificate() const;
  std::vector<ProbeResult> probe_chain(const Transfer& transfer);
  ProbeResult probe_rename(const Transfer& transfer);
  void tell_unreadable(Folder folder, std::size_t count);

  FtpsOptions options_;
  std::unique_ptr<FtpsSession> session_;
  std::array<std::size_t, 2> unreadable_{};  ///< lines that each folder's last listing had too many
};

}  // namespace veer

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "connectors/ftps_session.h"
#include "connectors/share.h"

namespace veer {

/// One file on its way to its name in a folder of an FTP server, by way of its part name.
///
/// What an earlier attempt has uploaded is gone on from when its note says that it was of the same content,
/// and the bytes that the server hands back say so too: a size alone proves nothing of them. The note is
/// "ftps DIGEST VERIFIED": SHA-256 of the content, and how many bytes of it were compared already. Servers
/// that do not append get all of it again.
class FtpsUpload {
 public:
  /// All must outlive it.
  FtpsUpload(FtpsSession& session, std::string folder, std::string name, const Blob& content,
             const ResumeNote& resume, const Transfer& transfer);

  /// As Share::put.
  void run();
  /// Uploads under the part name, anew.
  void write_part();
  /// Renames without a look at what holds the name. Whether the server said that it did.
  bool try_rename();

 private:
  std::uint64_t already_there();
  void keep_note(std::uint64_t verified) const;
  bool append(std::uint64_t from);
  bool store(std::uint64_t from);
  bool arrived_whole();
  bool has_room();
  [[noreturn]] void throw_full(int code);
  void rename();
  bool is_ours(const std::string& unique);
  std::optional<bool> has_our_bytes(const std::string& name);
  std::string path() const;
  std::string part_path() const;

  FtpsSession& session_;
  std::string folder_;
  std::string name_;
  const Blob& content_;
  const ResumeNote& resume_;
  const Transfer& transfer_;
  std::string digest_;  ///< of the content; empty: nothing is kept for a next attempt
};

}  // namespace veer

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "connectors/ftp_reply.h"
#include "connectors/ftps_failure.h"
#include "connectors/ftps_options.h"
#include "core/stream.h"

namespace veer {

/// A folder's listing is cut at so many bytes: enough for kMostEntries of the longest names.
inline constexpr std::size_t kMostListing = std::size_t{8} << 20;

/// One signed-in connection to an FTP server under TLS, over libcurl. Relative paths count from where the
/// sign-in led to. What breaks the connection is thrown (S_UNREACHABLE, S_TIMEOUT, S_PROTOCOL, S_ALGORITHM,
/// S_HOST_KEY, S_EXPIRED, S_RIGHTS for the sign-in, L_STOPPED); what the server refuses is a reply of 400 or
/// more, for the caller to understand. libcurl makes the connection anew by itself when it finds it closed
/// before a command. One thread; a stop may come from another.
class FtpsSession {
 public:
  /// Does not connect yet. `options` must outlive it.
  explicit FtpsSession(const FtpsOptions& options);
  ~FtpsSession();
  FtpsSession(const FtpsSession&) = delete;
  FtpsSession& operator=(const FtpsSession&) = delete;

  /// What the calls that follow belong to.
  void begin(const Transfer& transfer);
  /// What was begun must end within `most`.
  void end_within(std::chrono::milliseconds most);
  /// Connects, signs in, and asks what the server can do.
  void open();
  /// The link at which open() failed.
  FtpsLink reached() const;
  /// Whether the server tells of files in a form made for programs (MLST and MLSD, RFC 3659).
  bool has_mlst() const;

  /// The answers to each of some commands.
  std::vector<FtpReply> ask(const std::vector<std::string>& commands);
  FtpReply ask(const std::string& command);
  /// Whether the account may enter a folder.
  bool can_enter(const std::string& folder);
  /// Hands over what `command` (MLSD, LIST) says of a folder, kMostListing bytes at most.
  FtpReply list(const std::string& command, const std::string& folder, std::string& text);
  /// Hands over a file from `offset`, at most `most` bytes: S_CHANGED when the server sends more. Code 0 when
  /// it sends less.
  FtpReply retrieve(const std::string& path, std::uint64_t offset, std::uint64_t most, Sink& into);
  /// Uploads what `content` has from `from` on, which is appended unless that is 0. A server that ends it
  /// early is mostly not heard: S_UNREACHABLE then. L_IO when `content` ends before its size.
  FtpReply store(const std::string& path, const Blob& content, std::uint64_t from);

 private:
  class Talk;
  std::unique_ptr<Talk> talk_;
};

}  // namespace veer

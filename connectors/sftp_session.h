#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "connectors/sftp_options.h"
#include "connectors/share.h"
#include "core/error.h"

namespace veer {

/// One connection to an SFTP server, from TCP to the SFTP channel, with at most one file or folder open.
/// Non-blocking below: every wait is ours, so that a stop is noticed and a server that stalls is left. Each
/// method throws S_TIMEOUT or L_STOPPED, S_UNREACHABLE when the connection broke, and the error that the
/// server's answer means. One thread; private to this room.
class SftpSession {
 public:
  /// Connects, checks the host key and signs in, within twice the timeout. `options` must live on.
  SftpSession(const SftpOptions& options, const Transfer& transfer);
  ~SftpSession();
  SftpSession(const SftpSession&) = delete;
  SftpSession& operator=(const SftpSession&) = delete;

  /// Begins an operation, which heeds `transfer` and moves at least kLeastBytesPerSecond while it moves
  /// bytes.
  void begin(const Transfer& transfer);
  /// The operation that has begun must end within `most`.
  void end_within(std::chrono::milliseconds most);
  /// Whether another operation may be asked of it: false once it broke or was left in the middle of one.
  bool is_sound() const;
  /// Whether the server has hung up, as far as this machine knows.
  bool is_closed() const;

  bool exists(const std::string& path);
  bool is_folder(const std::string& path);
  /// The file at `path`, whose last segment is `name`; empty when something else is there (links are not
  /// followed). Throws S_PROTOCOL when the server does not tell.
  std::optional<ShareEntry> look_at(const std::string& path, const std::string& name);
  void unlink(const std::string& path);
  /// Empty when done; else why the server refused, which every server should do for a name that is taken.
  std::optional<Error> rename(const std::string& from, const std::string& to);

  void open_folder(const std::string& path);
  /// The next thing in the open folder, empty when it is no file. False at the end.
  bool next(std::optional<ShareEntry>& file);

  void open_file(const std::string& path, std::uint64_t offset);
  /// How much was read, 0 at the end.
  std::size_t read(std::span<char> into);
  /// Opens a new file; a leftover of that name is removed, so that nothing is written through a link.
  void create(const std::string& path);
  /// Sends what of `bytes` was not sent yet, and returns how many of them the server has answered for; the
  /// next call begins behind these, with the rest and what follows it.
  std::size_t write(std::string_view bytes);
  /// Syncs what was written where the server can.
  void sync();
  /// Closes what is open. A server may tell of a failed write only now.
  void close();

 private:
  struct Library;  // libssh2's handles
  struct Attributes;
  enum class Asked { look, write };

  void look_up();
  [[noreturn]] void give_up(const Error& error);
  template <typename Call>
  auto wait_for(Call call);
  void wait_for_socket();
  void moved(std::size_t bytes);

  /// libssh2's result.
  int stat(const std::string& path, Attributes& into);
  void open(const std::string& path, unsigned long flags, int type);
  void must(long result, const std::string& doing, Asked asked = Asked::look);
  void require_connection(long result, const std::string& doing);
  Error refusal(const std::string& doing, Asked asked) const;

  void shake_hands();
  void check_host_key();
  bool is_in_known_hosts(std::string_view key, int type) const;
  void sign_in();
  void open_channel();

  const SftpOptions& options_;
  Transfer transfer_;
  std::chrono::steady_clock::time_point deadline_;
  std::chrono::steady_clock::time_point progressed_{};  // when the present wait began or last moved bytes
  std::chrono::steady_clock::time_point counted_from_{};
  std::uint64_t counted_ = 0;  // bytes since then
  bool broken_ = false;
  std::unique_ptr<Library> library_;
  std::string opened_;  // path of what is open
};

}  // namespace veer

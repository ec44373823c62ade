#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/stream.h"

namespace veer {

/// The two folders of a share, as this side sees them: it writes in one and reads from the other.
enum class Folder { outgoing, incoming };

/// A listing of so many files was cut there: a flood must not keep the others from being seen.
inline constexpr std::size_t kMostEntries = 20'000;

/// What a listing tells of one file. A hint, never a fact: the share is not trusted.
struct ShareEntry {
  std::string name;  ///< raw bytes, as the share tells them: not always one path segment
  std::uint64_t size = 0;
  /// Opaque; another value means that the content may be another. The same value does not prove the same
  /// content: SFTP tells size and second alone, so a replacement of equal size within a second shows no
  /// difference.
  std::string revision;
  std::optional<Time> modified;
};

/// Where a put reports what it must remember to go on after a crash (an upload session). The callback returns
/// only when the note is durable; the same text comes back as `note` at the next attempt. The note may be a
/// secret.
struct ResumeNote {
  std::string note = {};
  std::function<void(const std::string&)> keep = {};
};

/// One line of what probe() found out.
struct ProbeResult {
  std::string what;  ///< "write", "publish once", …
  bool good = false;
  std::string detail;      ///< what was seen and, when not good, what to do
  bool attention = false;  ///< good still, and `detail` says what a person should do soon
};

/// A place where files are put and fetched: a folder, an SFTP server, SharePoint, FTPS. Never trusted.
///
/// Contract, for every implementation (tests/contract/share_contract.cpp is its executable form):
/// - Each call is one attempt: it never sleeps to retry, never retries, and leaves the object usable after an
/// error;
///   a connection that broke is made anew by the next call. One thread.
/// - Each looks at the stop token of its `transfer` at least once a second or a MiB, while it connects too;
/// put
///   and fetch alone report progress.
/// - Names are single path segments that match [a-z0-9.][a-z0-9._-]{0,99}; others are refused with T_NAME on
/// put,
///   fetch and remove, and are returned as they are by list.
/// - Errors are veer::Error with an S_ code (or L_ for this machine, L_STOPPED for a stop) and hold no
/// secret:
///   S_UNREACHABLE, S_TIMEOUT, S_THROTTLED (with retry_after when the other side said), S_PROTOCOL
///   (nonsense), S_ALGORITHM, S_HOST_KEY, S_EXPIRED (the server's certificate), S_RIGHTS, S_NOT_FOUND,
///   S_NAME_TAKEN, S_CHANGED, S_FULL, S_PUBLISH (what bears the name of the part cannot be removed).
class Share {
 public:
  virtual ~Share() = default;

  /// Tries for real, with files of its own that it removes again, what the exchange needs: connect, list both
  /// folders, write, read back, resume a fetch, and that a name once published is not overwritten. Never
  /// throws for what it finds, but L_STOPPED; a link of the chain that fails ends the list.
  virtual std::vector<ProbeResult> probe(const Transfer& transfer = {}) = 0;

  /// Regular files of a folder, in no particular order; other kinds (folders, links, pipes) are left out. A
  /// name can be there twice or lacking: listings lie. At most kMostEntries: with so many there may be more.
  /// S_PROTOCOL when more than so many things of other kinds lie there.
  virtual std::vector<ShareEntry> list(Folder folder, const Transfer& transfer) = 0;

  /// Publishes `content` under `name` in the outgoing folder: all of it or nothing is seen under that name,
  /// and it is durable there when this returns. A name that is taken is never overwritten: S_NAME_TAKEN,
  /// whatever it holds, and though no listing shows it (another upload to it that is open). While it is
  /// written it may be seen as ".<name>.part", which an earlier attempt's leftover does not hinder, and is
  /// never written through. L_IO when `content` ends before its size.
  virtual void put(const std::string& name, const Blob& content, ResumeNote resume,
                   const Transfer& transfer) = 0;

  /// Hands the bytes of `entry` from `offset` to the end to `into`. S_CHANGED when the file has another
  /// revision or size than `entry` says (noticed before or after: what was handed over is then worthless),
  /// S_NOT_FOUND when it is gone. When it returns, it has handed over `entry.size - offset` bytes, and never
  /// more.
  virtual void fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
                     const Transfer& transfer) = 0;

  /// Removes a file for good. One that is not there is a success. S_RIGHTS when the share forbids it.
  virtual void remove(Folder folder, const std::string& name, const Transfer& transfer) = 0;

  /// Ends what a put of `name` left to go on with, as its note tells: nobody takes it up again. Throws
  /// nothing; what it cannot end, or need not, ends by itself in time.
  virtual void abandon(const std::string& name, const std::string& note, const Transfer& transfer);
};

/// Whether `name` is one that a share may be asked for (see the contract above).
bool is_share_name(std::string_view name);

}  // namespace veer

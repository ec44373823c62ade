#include "connectors/folder_share.h"

#include <array>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/listing.h"
#include "connectors/probe.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr mode_t kFileMode = 0640;  // the other side reads it through its group

[[noreturn]] void throw_share_errno(std::string_view doing) {
  const int error = errno;
  const auto text = fmt::format("{}: {}", doing, strerrordesc_np(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      throw Error(Code::s_full, fmt::format("no room left on the share ({}): make room", doing));
    case EACCES:
    case EPERM:
      throw Error(Code::s_rights, text + ": give the service's user rights on the share");
    case EROFS:
      throw Error(Code::s_rights,
                  text + ": the share is mounted to be read alone: have it mounted for writing");
    case ENOENT:
    case ENOTDIR:
      throw Error(Code::s_not_found, text + ": mount the share, or make the folder");
    default:
      throw Error(Code::s_unreachable, text + ": look at the mount and its server");
  }
}

Fd open_folder(const std::filesystem::path& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT)
      throw Error(Code::s_not_found,
                  fmt::format("folder {} does not exist: mount the share, or make the folder",
                              printable(path.native())));
    throw_share_errno("opening the folder of the share");
  }
  return fd;
}

ShareEntry entry_of(std::string name, const struct stat& status) {
  return {.name = std::move(name),
          .size = static_cast<std::uint64_t>(status.st_size),
          .revision = fmt::format("{}-{}", status.st_ino, nanoseconds(status.st_mtim)),
          .modified = from_millis(nanoseconds(status.st_mtim) / 1'000'000)};
}

void sync_or_throw(int fd) {
  if (fsync(fd) != 0) throw_share_errno("syncing on the share");
}

void write_content(int fd, const std::string& name, const Blob& content, const Transfer& transfer) {
  std::vector<char> buffer(kChunk);
  std::uint64_t offset = 0;
  while (const std::size_t n = content.read(offset, buffer)) {
    for (std::size_t done = 0; done < n;) {
      const ssize_t written = write(fd, buffer.data() + done, n - done);
      if (written < 0 && errno != EINTR) throw_share_errno("writing on the share");
      if (written > 0) done += static_cast<std::size_t>(written);
    }
    offset += n;
    transfer.tick(offset);
  }
  require_whole(name, content, offset);
}

void write_part(int folder, const std::string& name, const Blob& content, const Transfer& transfer) {
  const std::string part = part_name(name);
  unlinkat(folder, part.c_str(), 0);
  const Fd file(
      openat(folder, part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file && errno == EEXIST) throw part_in_the_way(name);
  if (!file) throw_share_errno(fmt::format("writing {}", part));
  write_content(file.get(), name, content, transfer);
  sync_or_throw(file.get());
}

// What holds the name may be ours, from a put that broke off before its name was on the disk.
[[noreturn]] void throw_taken(int folder, const std::string& name) {
  sync_or_throw(folder);
  throw name_taken(name);
}

// Publishes without ever replacing: renameat2, or a second name where the file system lacks it.
void publish_once(int folder, const std::string& name) {
  const std::string part = part_name(name);
  if (renameat2(folder, part.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) {
    if (linkat(folder, part.c_str(), folder, name.c_str(), 0) == 0) {
      unlinkat(folder, part.c_str(), 0);
      return;
    }
  }
  const int error = errno;
  unlinkat(folder, part.c_str(), 0);
  if (error == EEXIST) throw_taken(folder, name);
  if (error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EMLINK)
    throw Error(Code::s_publish,
                fmt::format("publishing {}: the share's file system can neither rename without replacing nor "
                            "give a file a second name: have the folder put on one that can",
                            name));
  errno = error;
  throw_share_errno(fmt::format("publishing {}", name));
}

}  // namespace

std::vector<ProbeResult> FolderShare::probe(const Transfer& transfer) {
  const auto publish_blindly = [&](const std::string& name, const Blob& content) {
    const Fd folder = open_folder(outgoing_);
    write_part(folder.get(), name, content, transfer);
    publish_once(folder.get(), name);
  };
  return probe_by_verbs(*this, publish_blindly, transfer);
}

std::vector<ShareEntry> FolderShare::list(Folder folder, const Transfer& transfer) {
  struct Close {
    void operator()(DIR* open_dir) const { closedir(open_dir); }
  };
  transfer.heed_stop();
  Fd fd = open_folder(path_of(folder));
  const std::unique_ptr<DIR, Close> entries(fdopendir(fd.get()));
  if (!entries) throw_share_errno("listing the share");
  const int folder_fd = fd.release();  // the listing owns it now
  Listing listing;
  while (!listing.is_full()) {
    transfer.heed_stop();
    errno = 0;
    const dirent* entry = readdir(entries.get());
    if (entry == nullptr && errno != 0) throw_share_errno("listing the share");
    if (entry == nullptr) break;
    struct stat status {};
    const char* name = static_cast<const char*>(entry->d_name);
    // A file that goes away between the two calls was not there.
    if (fstatat(folder_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
      listing.add(entry_of(name, status));
    else
      listing.pass_over();
  }
  return listing.take();
}

void FolderShare::put(const std::string& name, const Blob& content, ResumeNote, const Transfer& transfer) {
  require_share_name(name);
  transfer.heed_stop();
  const Fd folder = open_folder(outgoing_);
  struct stat status {};
  if (fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) throw_taken(folder.get(), name);
  write_part(folder.get(), name, content, transfer);
  publish_once(folder.get(), name);
  sync_or_throw(folder.get());
}

void FolderShare::fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
                        const Transfer& transfer) {
  require_share_name(entry.name);
  const Fd fd = open_folder(path_of(folder));
  const Fd file(openat(fd.get(), entry.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    if (errno == ELOOP) throw Error(Code::s_changed, fmt::format("{} is a link now", entry.name));
    throw_share_errno(fmt::format("fetching {}", entry.name));
  }
  const auto require_same = [&] {
    struct stat status {};
    if (fstat(file.get(), &status) != 0) throw_share_errno(fmt::format("fetching {}", entry.name));
    const ShareEntry now = entry_of(entry.name, status);
    if (!S_ISREG(status.st_mode) || now.size != entry.size || now.revision != entry.revision)
      throw changed(entry.name);
  };
  require_same();
  std::vector<char> buffer(kChunk);
  while (offset < entry.size) {
    const std::size_t want =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), entry.size - offset));
    const ssize_t n = pread(file.get(), buffer.data(), want, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_share_errno(fmt::format("fetching {}", entry.name));
    if (n == 0) throw changed(entry.name);
    into.write({buffer.data(), static_cast<std::size_t>(n)});
    offset += static_cast<std::uint64_t>(n);
    transfer.tick(offset);
  }
  require_same();
}

void FolderShare::remove(Folder folder, const std::string& name, const Transfer& transfer) {
  require_share_name(name);
  transfer.heed_stop();
  const Fd fd = open_folder(path_of(folder));
  if (unlinkat(fd.get(), name.c_str(), 0) != 0) {
    if (errno == ENOENT) return;
    throw_share_errno(fmt::format("removing {}", name));
  }
  sync_or_throw(fd.get());
}

}  // namespace veer

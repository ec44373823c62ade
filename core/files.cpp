#include "core/files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

std::string shown(const fs::path& path) { return shown_name(path.filename().native()); }

// Calls `call` again for as long as a signal interrupts it.
template <typename Call>
auto uninterrupted(Call call) {
  decltype(call()) result;
  do result = call();
  while (result < 0 && errno == EINTR);
  return result;
}

void write_all(int fd, std::string_view bytes, std::string_view doing) {
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (n < 0) throw_errno(doing);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// A failed sync must not be repeated: the second could succeed with the data lost (PostgreSQL's fsync
// errors).
void sync(int fd, std::string_view doing) {
  if (fsync(fd) != 0) throw_errno(doing);
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// Every folder of the chain durable, each open to whoever the umask leaves it open to.
void make_parent(const fs::path& path) {
  std::error_code error;
  if (!path.has_relative_path() || fs::exists(path, error)) return;
  make_parent(parent_of(path));
  if (mkdir(path.c_str(), 0777) != 0 && errno != EEXIST)
    throw_errno(fmt::format("making folder {}", shown(path)));
  sync_folder(parent_of(path));
}

FileIdentity identity_of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified_ns = nanoseconds(status.st_mtim),
          .changed_ns = nanoseconds(status.st_ctim),
          .owner = status.st_uid,
          .mode = status.st_mode & 07777};
}

void require_plain_file(const struct stat& status, const fs::path& path) {
  if (!S_ISREG(status.st_mode))
    throw Error(Code::i_file,
                fmt::format("{} is not a regular file: put a copy of the list itself", shown(path)));
  if (status.st_nlink == 0)
    throw Error(Code::i_changed, fmt::format("{} was replaced while it was looked at", shown(path)));
  if (status.st_nlink != 1)
    throw Error(Code::i_file,
                fmt::format("{} has a second name (hard link): put a copy of the list", shown(path)));
}

ReadFile read_all(int fd, const fs::path& path, std::uint64_t cap) {
  struct stat before {};
  if (fstat(fd, &before) != 0) throw_errno(fmt::format("looking at {}", shown(path)));
  require_plain_file(before, path);
  if (static_cast<std::uint64_t>(before.st_size) > cap)
    throw Error(Code::i_size, fmt::format("{} is larger than the {} bytes allowed", shown(path), cap));
  // One byte more than the size, so that a file that grew is noticed.
  std::string bytes(static_cast<std::size_t>(before.st_size) + 1, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = uninterrupted(
        [&] { return ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done)); });
    if (n < 0) throw_errno(fmt::format("reading {}", shown(path)));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  struct stat after {};
  if (fstat(fd, &after) != 0) throw_errno(fmt::format("looking at {}", shown(path)));
  const FileIdentity identity = identity_of(after);
  if (identity != identity_of(before) || done != identity.size || after.st_nlink != 1)
    throw Error(Code::i_changed,
                fmt::format("{} changed while it was being read; it is read again", shown(path)));
  bytes.resize(done);
  return {identity, std::move(bytes)};
}

}  // namespace

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void throw_errno(std::string_view doing) {
  const int error = errno;
  const bool full = error == ENOSPC || error == EDQUOT;
  if (full) throw Error(Code::l_full, fmt::format("no room left on the disk ({}): make room", doing));
  throw Error(Code::l_io, fmt::format("{}: {}", doing, strerrordesc_np(error)));
}

std::string FileIdentity::text() const {
  return fmt::format("{}:{}:{}:{}:{}", device, inode, size, modified_ns, changed_ns);
}

std::optional<FileIdentity> FileIdentity::parse(std::string_view text) {
  FileIdentity identity;
  const auto take = [&](auto& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const bool good = error == std::errc() && (text.empty() || (text.front() == ':' && text.size() > 1));
    if (!text.empty()) text.remove_prefix(1);
    return good;
  };
  if (take(identity.device) && take(identity.inode) && take(identity.size) && take(identity.modified_ns) &&
      take(identity.changed_ns) && text.empty())
    return identity;
  return std::nullopt;
}

bool FileIdentity::is_same_file(const FileIdentity& other) const {
  return device == other.device && inode == other.inode && size == other.size &&
         modified_ns == other.modified_ns;
}

std::optional<FileIdentity> identify(const fs::path& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::nullopt;
    throw_errno(fmt::format("looking at {}", shown(path)));
  }
  require_plain_file(status, path);
  return identity_of(status);
}

ReadFile read_once(const fs::path& path, std::uint64_t cap) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd) {
    if (errno == ENOENT) throw Error(Code::i_changed, fmt::format("{} is not there any more", shown(path)));
    if (errno == ENXIO)  // a socket
      throw Error(Code::i_file,
                  fmt::format("{} is not a regular file: put a copy of the list itself", shown(path)));
    if (errno == ELOOP)
      throw Error(Code::i_file, fmt::format("{} is a symbolic link: put the list itself", shown(path)));
    if (errno == EACCES)
      throw Error(Code::i_file, fmt::format("{} may not be read by the service: copy it into the folder "
                                            "rather than move it, or chgrp it to the folder's "
                                            "group and chmod g+r it",
                                            shown(path)));
    throw_errno(fmt::format("opening {}", shown(path)));
  }
  return read_all(fd.get(), path, cap);
}

ReadFile read_open(int fd, const fs::path& path, std::uint64_t cap) {
  struct stat status {};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 0)
    throw Error(Code::i_file,
                fmt::format("{} was removed or replaced: offer the file that is there now", shown(path)));
  return read_all(fd, path, cap);
}

fs::path claimed_name(const fs::path& path) {
  return parent_of(path) / fmt::format(".{}.claimed", path.filename().native());
}

bool rename_if_free(const fs::path& from, const fs::path& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  // Where the file system cannot do that: a second name, and the first one away.
  if (errno == EINVAL && link(from.c_str(), to.c_str()) == 0) {
    if (unlink(from.c_str()) != 0) throw_errno(fmt::format("renaming {}", shown(from)));
    return true;
  }
  if (errno != ENOENT && errno != EEXIST) throw_errno(fmt::format("renaming {}", shown(from)));
  return false;
}

// Somebody may put another file under the name between a look and the unlinking, so the file is first taken
// where nobody puts any, and looked at there.
bool remove_if_same(const fs::path& path, const FileIdentity& identity) {
  const auto is_it = [&](const fs::path& name) {
    struct stat status {};
    return lstat(name.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
           identity_of(status).is_same_file(identity);
  };
  const fs::path claimed = claimed_name(path);
  if (!is_it(claimed)) {
    if (!is_it(path) || !rename_if_free(path, claimed)) return false;
    if (!is_it(claimed)) {
      rename_if_free(claimed, path);
      return false;
    }
  }
  if (unlink(claimed.c_str()) != 0) throw_errno(fmt::format("removing {}", shown(path)));
  sync_folder(parent_of(path));
  return true;
}

std::string read_file(const fs::path& path, std::uint64_t cap) {
  const FileBlob blob(path);
  if (blob.size() > cap)
    throw Error(Code::i_size, fmt::format("{} is larger than the {} bytes allowed", shown(path), cap));
  std::string bytes(static_cast<std::size_t>(blob.size()), '\0');
  bytes.resize(blob.read(0, bytes));
  return bytes;
}

namespace {

/// `bytes` on disk, in a file beside `path` that is yet to be given its name.
fs::path write_beside(const fs::path& path, std::string_view bytes, unsigned mode) {
  fs::path temporary = parent_of(path) / ("." + path.filename().native() + ".new");
  const std::string doing = fmt::format("writing {}", shown(path));
  // Never into what stands there: in a folder that others write in, it could be a pipe or a second name.
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) throw_errno(doing);
  const Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) throw_errno(doing);
  try {
    if (fchmod(fd.get(), mode) != 0) throw_errno(doing);
    write_all(fd.get(), bytes, doing);
    sync(fd.get(), doing);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
  return temporary;
}

}  // namespace

void write_file(const fs::path& path, std::string_view bytes, unsigned mode) {
  rename_file(write_beside(path, bytes, mode), path);
}

bool write_new_file(const fs::path& path, std::string_view bytes, unsigned mode) {
  const fs::path temporary = write_beside(path, bytes, mode);
  if (rename_if_free(temporary, path)) {
    sync_folder(parent_of(path));
    return true;
  }
  remove_file(temporary);
  return false;
}

void remove_file(const fs::path& path) {
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return;
    throw_errno(fmt::format("removing {}", shown(path)));
  }
  sync_folder(parent_of(path));
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (rename(from.c_str(), to.c_str()) != 0) throw_errno(fmt::format("renaming to {}", shown(to)));
  sync_folder(parent_of(to));
  if (parent_of(from) != parent_of(to)) sync_folder(parent_of(from));
}

void make_folder(const fs::path& named) {
  const fs::path path = named.has_filename() ? named : named.parent_path();  // without a slash at its end
  std::error_code error;
  make_parent(parent_of(path));
  if (mkdir(path.c_str(), 0700) == 0) {
    sync_folder(parent_of(path));
  } else if (errno != EEXIST) {
    throw_errno(fmt::format("making folder {}", shown(path)));
  }
  if (!fs::is_directory(path, error))
    throw Error(Code::l_io, fmt::format("{} is not a folder: remove what stands in its place", shown(path)));
}

void sync_folder(const fs::path& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw_errno(fmt::format("opening folder {}", shown(path)));
  sync(fd.get(), fmt::format("syncing folder {}", shown(path)));
}

std::vector<std::string> names_in(const fs::path& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().native());
  if (error)
    throw Error(Code::l_io,
                fmt::format("folder {} cannot be read: {}; see that it is there, and the rights on it",
                            shown(path), error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

SpoolWriter::SpoolWriter(const fs::path& path, std::uint64_t offset)
    : path_(path), fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)), size_(offset) {
  const std::string doing = fmt::format("writing {}", shown(path));
  struct stat status {};
  if (!fd_ || fstat(fd_.get(), &status) != 0) throw_errno(doing);
  if (static_cast<std::uint64_t>(status.st_size) < offset)
    throw Error(Code::l_io, fmt::format("{} has lost its end: remove it, and it is made again", shown(path)));
  if (ftruncate(fd_.get(), static_cast<off_t>(offset)) != 0 ||
      lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
    throw_errno(doing);
}

void SpoolWriter::write(std::string_view bytes) {
  write_all(fd_.get(), bytes, fmt::format("writing {}", shown(path_)));
  size_ += bytes.size();
}

void SpoolWriter::finish() {
  sync(fd_.get(), fmt::format("syncing {}", shown(path_)));
  sync_folder(parent_of(path_));
}

FileBlob::FileBlob(const fs::path& path)
    : fd_(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)), size_(0) {
  struct stat status {};
  if (!fd_ || fstat(fd_.get(), &status) != 0) throw_errno(fmt::format("opening {}", shown(path)));
  size_ = static_cast<std::uint64_t>(status.st_size);
}

std::size_t FileBlob::read(std::uint64_t offset, std::span<char> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t n = uninterrupted([&] {
      return pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    });
    if (n < 0) throw_errno("reading from the spool");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

MemFile::MemFile(std::uint64_t cap)
    : cap_(cap), fd_(memfd_create("veerdienst", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  if (!fd_) throw Error(Code::l_memory, "no memory for a decrypted file (memfd_create)");
}

MemFile::~MemFile() {
  if (map_ != nullptr && size_ > 0) munmap(const_cast<char*>(map_), size_);
}

void MemFile::write(std::string_view bytes) {
  if (bytes.size() > cap_ - size_)
    throw Error(Code::t_size, fmt::format("the content is larger than the {} bytes allowed", cap_));
  while (!bytes.empty()) {
    const ssize_t n = uninterrupted([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
    if (n < 0) throw Error(Code::l_memory, "no memory left for the decrypted file");
    bytes.remove_prefix(static_cast<std::size_t>(n));
    size_ += static_cast<std::size_t>(n);
  }
}

void MemFile::seal() {
  if (fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    throw_errno("sealing memory");
  if (size_ == 0) {
    map_ = "";
    return;
  }
  void* const map = mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd_.get(), 0);
  if (map == MAP_FAILED) throw Error(Code::l_memory, "no address space for the decrypted file");
  madvise(map, size_, MADV_DONTDUMP);
  map_ = static_cast<const char*>(map);
}

namespace {

fs::path lock_file(const fs::path& folder) { return folder / "lock"; }

// A lock of the open file, not of the process: unlike flock(2)'s it can be asked after without being taken.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

std::optional<FolderLock> FolderLock::try_take(const fs::path& folder, std::string_view who) {
  Fd fd(open(lock_file(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw_errno(fmt::format("opening the lock of {}", shown(folder)));
  struct flock lock = whole_file();
  if (fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return std::nullopt;
    throw_errno(fmt::format("locking {}", shown(folder)));
  }
  // Only a hint, so a full disk keeps nobody from the lock.
  static_cast<void>(ftruncate(fd.get(), 0) == 0 && pwrite(fd.get(), who.data(), who.size(), 0) > 0);
  return FolderLock(std::move(fd));
}

bool FolderLock::is_taken(const fs::path& folder) { return holder(folder).has_value(); }

std::optional<std::string> FolderLock::holder(const fs::path& folder) {
  const Fd fd(open(lock_file(folder).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return std::nullopt;
  struct flock lock = whole_file();
  if (!fd || fcntl(fd.get(), F_OFD_GETLK, &lock) != 0)
    throw_errno(fmt::format("looking at the lock of {}", shown(folder)));
  if (lock.l_type == F_UNLCK) return std::nullopt;
  std::string who(32, '\0');
  const ssize_t n = uninterrupted([&] { return pread(fd.get(), who.data(), who.size(), 0); });
  if (n < 0) throw_errno(fmt::format("reading the lock of {}", shown(folder)));
  who.resize(static_cast<std::size_t>(n));
  return who;
}

}  // namespace veer

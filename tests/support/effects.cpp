#include "support/effects.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace veer::test {
namespace {

namespace fs = std::filesystem;

constexpr int kCrashed = 99;

std::atomic<bool> counting{false};
std::atomic<std::size_t> counted{0};
std::size_t crash_number = 0;
CrashWhen crash_when = CrashWhen::before;
std::vector<std::size_t> syncs;

bool is_file(int fd) {
  struct stat status {};
  return syscall(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) == 0 && S_ISREG(status.st_mode) &&
         status.st_nlink > 0;
}

// What is not on the disk for sure. One thread; the calls that it makes itself are not counted.

/// A file since its last sync: how long it was, and the bytes that stood where something was written.
struct Unsynced {
  int fd = -1;
  off_t size = 0;
  std::vector<std::pair<off_t, std::string>> overwritten;
};

/// A name that was made, changed or removed since its folder's last sync.
struct NameChange {
  std::string was;   ///< name that is gone now; empty when it is a new one
  std::string is;    ///< name that is there now; empty when it was removed
  std::string kept;  ///< in the stash: the file that stood under `is`, or under `was` when removed
  std::set<std::string> folders;  ///< not yet synced
};

class Disk {
 public:
  void watch(const fs::path& stash, const fs::path& lying) {
    stash_ = stash.native();
    lying_ = lying.native();
    watching_ = true;
  }
  bool watches() const { return watching_; }

  void writing(int fd, off_t at, std::size_t size) {
    if (!watching_ || !is_file(fd)) return;
    Unsynced& file = unsynced(fd);
    const off_t end = length(file.fd);
    if (at >= end) return;
    std::string old(std::min(size, static_cast<std::size_t>(end - at)), '\0');
    if (syscall(SYS_pread64, file.fd, old.data(), old.size(), at) == static_cast<ssize_t>(old.size()))
      file.overwritten.emplace_back(at, std::move(old));
  }
  void writing_here(int fd, std::size_t size) {
    if (!watching_ || !is_file(fd)) return;
    const bool appends = (fcntl(fd, F_GETFL) & O_APPEND) != 0;
    writing(fd, appends ? length(fd) : lseek(fd, 0, SEEK_CUR), size);
  }
  void cutting(int fd, off_t size) {
    if (const off_t end = length(fd); size < end)
      writing(fd, size, static_cast<std::size_t>(end - size));
    else
      writing(fd, end, 0);
  }
  void synced(int fd) {
    syncs.push_back(counted);
    if (!watching_) return;
    const std::string path = path_of(fd);
    if (!lying_.empty() && path.starts_with(lying_)) return;
    struct stat status {};
    if (fstat(fd, &status) != 0) return;
    if (!S_ISDIR(status.st_mode)) {
      files_.erase({status.st_dev, status.st_ino});
      return;
    }
    for (NameChange& change : changes_) change.folders.erase(path);
    std::erase_if(changes_, [](const NameChange& change) { return change.folders.empty(); });
  }

  /// Keeps what stands under a name that is about to go; empty when nothing does.
  std::string keep(const std::string& path) {
    if (!watching_) return {};
    const std::string kept = stash_ + "/" + std::to_string(++kept_);
    return syscall(SYS_linkat, AT_FDCWD, path.c_str(), AT_FDCWD, kept.c_str(), 0) == 0 ? kept : "";
  }
  void changed(const std::string& was, const std::string& is, const std::string& kept) {
    if (!watching_) return;
    NameChange change{was, is, kept, {}};
    for (const std::string& name : {was, is})
      if (!name.empty()) change.folders.insert(fs::path(name).parent_path().native());
    changes_.push_back(std::move(change));
  }
  static std::string whole(int folder, const char* path) {
    if (path[0] == '/') return path;
    return (folder == AT_FDCWD ? fs::current_path().native() : path_of(folder)) + "/" + path;
  }
  static bool is_there(const std::string& path) {
    struct stat status {};
    return lstat(path.c_str(), &status) == 0;
  }

  /// What a power cut leaves.
  void lose() {
    if (!watching_) return;
    watching_ = false;
    for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
      std::error_code none;
      if (change->was.empty())
        fs::remove_all(change->is, none);
      else if (!change->is.empty())
        fs::rename(change->is, change->was, none);
      if (!change->kept.empty())
        fs::rename(change->kept, change->is.empty() ? change->was : change->is, none);
    }
    for (auto& [id, file] : files_) {
      for (auto old = file.overwritten.rbegin(); old != file.overwritten.rend(); ++old)
        syscall(SYS_pwrite64, file.fd, old->second.data(), old->second.size(), old->first);
      syscall(SYS_ftruncate, file.fd, file.size);
    }
  }

 private:
  using Id = std::pair<dev_t, ino_t>;

  static std::string path_of(int fd) {
    std::array<char, 4096> path{};
    const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
    return {path.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }
  static off_t length(int fd) {
    struct stat status {};
    return fstat(fd, &status) == 0 ? status.st_size : 0;
  }
  Unsynced& unsynced(int fd) {
    struct stat status {};
    fstat(fd, &status);
    const Id id{status.st_dev, status.st_ino};
    const auto found = files_.find(id);
    if (found != files_.end()) return found->second;
    // Never closed: closing would give up SQLite's locks on the file.
    const auto [own, fresh] = own_.try_emplace(id, -1);
    if (fresh)
      own->second = static_cast<int>(syscall(
          SYS_openat, AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC, 0));
    return files_[id] = Unsynced{own->second, status.st_size, {}};
  }

  bool watching_ = false;
  std::string stash_;
  std::string lying_;
  std::size_t kept_ = 0;
  std::map<Id, int> own_;
  std::map<Id, Unsynced> files_;
  std::vector<NameChange> changes_;
};

Disk& disk() {
  static Disk one;
  return one;
}

[[noreturn]] void crash() {
  counting = false;
  disk().lose();
  _exit(kCrashed);
}

// Runs `call` as the next effect.
template <typename Call>
auto effectively(bool counts, Call call) {
  if (!counts || !counting) return call();
  const std::size_t number = ++counted;
  if (number == crash_number && crash_when == CrashWhen::before) crash();
  const auto result = call();
  if (number == crash_number) crash();
  return result;
}

void begin(std::size_t n, CrashWhen when) {
  counted = 0;
  crash_number = n;
  crash_when = when;
  syncs.clear();
  counting = true;
}

// Runs `call`, which changes names, and remembers how they were; errno stays as the call left it.
template <typename Call>
int renaming(const std::string& from, const std::string& to, Call call) {
  return effectively(true, [&] {
    if (!counting || !disk().watches()) return static_cast<int>(call());
    const std::string kept = disk().keep(to.empty() ? from : to);
    const int result = static_cast<int>(call());
    const int error = errno;
    if (result == 0)
      disk().changed(from, to, kept);
    else if (!kept.empty())
      syscall(SYS_unlink, kept.c_str());
    errno = error;
    return result;
  });
}

int open_with(int folder, const char* path, int flags, mode_t mode) {
  const bool counts = (flags & (O_CREAT | O_TRUNC)) != 0;
  const auto call = [&] { return static_cast<int>(syscall(SYS_openat, folder, path, flags, mode)); };
  return effectively(counts, [&] {
    if (!counts || !counting || !disk().watches()) return call();
    const std::string name = Disk::whole(folder, path);
    const bool fresh = !Disk::is_there(name);
    if (!fresh && (flags & O_TRUNC) != 0) {
      const int old = static_cast<int>(syscall(SYS_openat, folder, path, O_RDWR | O_CLOEXEC, 0));
      if (old >= 0) {
        disk().cutting(old, 0);
        syscall(SYS_close, old);
      }
    }
    const int fd = call();
    const int error = errno;
    if (fd >= 0 && fresh) disk().changed("", name, "");
    errno = error;
    return fd;
  });
}

}  // namespace

void count_effects() { begin(0, CrashWhen::after); }

std::size_t effects_counted() { return counted; }

std::vector<std::size_t> syncs_counted() { return syncs; }

void crash_at(std::size_t n, CrashWhen when) { begin(n, when); }

void power_cut_at(std::size_t n, const fs::path& stash, const fs::path& lying) {
  disk().watch(stash, lying);
  begin(n, CrashWhen::after);
}

void ignore_effects() { counting = false; }

void effect() {
  effectively(true, [] { return 0; });
}

}  // namespace veer::test

using namespace veer::test;

// The C library's names, taken over for this program and the libraries that it loads.
extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  return effectively(fd > 2 && is_file(fd), [&] {
    if (counting) disk().writing_here(fd, size);
    return syscall(SYS_write, fd, bytes, size);
  });
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return effectively(is_file(fd), [&] {
    if (counting) disk().writing(fd, at, size);
    return syscall(SYS_pwrite64, fd, bytes, size, at);
  });
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) { return pwrite(fd, bytes, size, at); }
int fsync(int fd) {
  return effectively(true, [&] {
    const int result = static_cast<int>(syscall(SYS_fsync, fd));
    if (counting && result == 0) disk().synced(fd);
    return result;
  });
}
int fdatasync(int fd) {
  return effectively(true, [&] {
    const int result = static_cast<int>(syscall(SYS_fdatasync, fd));
    if (counting && result == 0) disk().synced(fd);
    return result;
  });
}
int ftruncate(int fd, off_t size) noexcept {
  return effectively(is_file(fd), [&] {
    if (counting) disk().cutting(fd, size);
    return static_cast<int>(syscall(SYS_ftruncate, fd, size));
  });
}
int ftruncate64(int fd, off64_t size) noexcept { return ftruncate(fd, size); }
int rename(const char* from, const char* to) noexcept {
  return renaming(Disk::whole(AT_FDCWD, from), Disk::whole(AT_FDCWD, to),
                  [&] { return syscall(SYS_rename, from, to); });
}
int renameat2(int from_fd, const char* from, int to_fd, const char* to, unsigned flags) noexcept {
  return renaming(Disk::whole(from_fd, from), Disk::whole(to_fd, to),
                  [&] { return syscall(SYS_renameat2, from_fd, from, to_fd, to, flags); });
}
int link(const char* from, const char* to) noexcept {
  return renaming("", Disk::whole(AT_FDCWD, to), [&] { return syscall(SYS_link, from, to); });
}
int linkat(int from_fd, const char* from, int to_fd, const char* to, int flags) noexcept {
  return renaming("", Disk::whole(to_fd, to),
                  [&] { return syscall(SYS_linkat, from_fd, from, to_fd, to, flags); });
}
int unlink(const char* path) noexcept {
  return renaming(Disk::whole(AT_FDCWD, path), "", [&] { return syscall(SYS_unlink, path); });
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  return renaming(Disk::whole(folder, path), "", [&] { return syscall(SYS_unlinkat, folder, path, flags); });
}
int mkdir(const char* path, mode_t mode) noexcept {
  return renaming("", Disk::whole(AT_FDCWD, path), [&] { return syscall(SYS_mkdir, path, mode); });
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_with(folder, path, flags, mode);
}

}  // extern "C"

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/stream.h"

/// Everything that the program does to the file system. A function that names a durable effect has had it on
/// disk (file and folder synced) when it returns. Errors: L_FULL when there is no room, L_IO otherwise, never
/// a name of a foreign file unescaped.
namespace veer {

namespace fs = std::filesystem;

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = other.release();
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset();

 private:
  int fd_ = -1;
};

/// Throws L_FULL or L_IO for errno, naming what was being done.
[[noreturn]] void throw_errno(std::string_view doing);

/// Which file it is and whether it is still the same: device, inode, size, modification and change time.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  std::uint32_t owner = 0;
  std::uint32_t mode = 0;  ///< who may do what with it: chmod's bits
  bool operator==(const FileIdentity&) const = default;
  /// One token, for the ledger; without owner and mode.
  std::string text() const;
  /// Reverse of text(); empty when malformed.
  static std::optional<FileIdentity> parse(std::string_view text);
  /// Whether it is the same file with the same content, as far as device, inode, size and modification time
  /// tell: renaming a file changes its change time.
  bool is_same_file(const FileIdentity& other) const;
};

/// The identity of a regular file with one link, without following a link; empty when there is none of that
/// name. Throws I_FILE when the name holds something else (folder, link, pipe, hard-linked file), I_CHANGED
/// when it is replaced at this moment.
std::optional<FileIdentity> identify(const fs::path& path);

struct ReadFile {
  FileIdentity identity;
  std::string bytes;
};

/// Reads a dropped file once, through one descriptor opened without following links. Throws I_FILE (not a
/// regular file with a single link), I_SIZE (more than `cap` bytes), I_CHANGED (it is gone, or changed while
/// it was read), L_IO.
ReadFile read_once(const fs::path& path, std::uint64_t cap);
/// The same through a descriptor that somebody opened, from the file's beginning wherever it stands; the file
/// is called `path` in what is thrown. I_FILE too when it has no name (any more), L_IO when it is not open
/// for reading.
ReadFile read_open(int fd, const fs::path& path, std::uint64_t cap);
/// Unlinks `path` when it is still the file `identity` and syncs the folder; false when it is another or
/// gone. In between the file bears claimed_name(path), where a crash may leave it: the next call with the
/// same arguments finds it there.
bool remove_if_same(const fs::path& path, const FileIdentity& identity);
/// ".<name>.claimed" in the same folder.
fs::path claimed_name(const fs::path& path);
/// Renames within a folder without ever replacing; false when `to` is taken or `from` is gone.
bool rename_if_free(const fs::path& from, const fs::path& to);

/// All of a file of ours. Throws L_IO, I_SIZE above `cap`.
std::string read_file(const fs::path& path, std::uint64_t cap = std::uint64_t{1} << 30);
/// Writes `path` so that it holds either its old or its new bytes, whatever happens; mode 0600 unless told.
void write_file(const fs::path& path, std::string_view bytes, unsigned mode = 0600);
/// The same for a file that must be new: false, and nothing changed, when something of that name is there.
bool write_new_file(const fs::path& path, std::string_view bytes, unsigned mode = 0600);
/// Removes a file of ours and syncs its folder; nothing happens when it is not there.
void remove_file(const fs::path& path);
/// Renames within one file system and syncs both folders; the target is replaced.
void rename_file(const fs::path& from, const fs::path& to);
/// Makes a folder of ours (and its parents) with mode 0700 for the last one; one that is there stays as it
/// is.
void make_folder(const fs::path& path);
void sync_folder(const fs::path& path);
/// Names in a folder, sorted, without "." and "..". Throws L_IO.
std::vector<std::string> names_in(const fs::path& path);

/// A file in our spool that is being written. Starts at `offset` (what was there beyond is cut off; L_IO when
/// less is there). Nothing is promised before finish().
class SpoolWriter : public Sink {
 public:
  explicit SpoolWriter(const fs::path& path, std::uint64_t offset = 0);
  void write(std::string_view bytes) override;
  /// Syncs the file and its folder.
  void finish();
  std::uint64_t size() const { return size_; }

 private:
  fs::path path_;
  Fd fd_;
  std::uint64_t size_;
};

/// A file of ours, read where asked.
class FileBlob : public Blob {
 public:
  explicit FileBlob(const fs::path& path);
  std::uint64_t size() const override { return size_; }
  std::size_t read(std::uint64_t offset, std::span<char> into) const override;

 private:
  Fd fd_;
  std::uint64_t size_;
};

/// Memory that has a descriptor and no name (memfd_create(2)): where plaintext lives while it is looked at.
/// Counted against `cap` as it grows; wiped by the kernel when it goes. After seal() nothing can change it.
class MemFile : public Sink {
 public:
  explicit MemFile(std::uint64_t cap);
  ~MemFile() override;
  MemFile(const MemFile&) = delete;
  MemFile& operator=(const MemFile&) = delete;
  /// Throws T_SIZE rather than hold more than the cap.
  void write(std::string_view bytes) override;
  /// Ends writing: seals the memory against change and maps it.
  void seal();
  /// The bytes; only after seal().
  std::string_view bytes() const { return {map_, size_}; }
  int fd() const { return fd_.get(); }

 private:
  std::uint64_t cap_;
  Fd fd_;
  std::size_t size_ = 0;
  const char* map_ = nullptr;
};

/// An exclusive lock on a folder for as long as it lives, released by the kernel when the process dies.
class FolderLock {
 public:
  /// Empty when another process holds it. `who`: a word for those who ask who holds it. Throws L_IO.
  static std::optional<FolderLock> try_take(const fs::path& folder, std::string_view who = {});
  /// Whether somebody holds it now; takes nothing, so that whoever looks stands in nobody's way. Throws L_IO.
  static bool is_taken(const fs::path& folder);
  /// The word of whoever holds it now; empty when nobody does. Throws L_IO.
  static std::optional<std::string> holder(const fs::path& folder);

 private:
  explicit FolderLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace veer

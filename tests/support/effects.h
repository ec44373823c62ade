#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

/// Counts what a process does durably, and ends it there as a crash or a power cut would.
///
/// Linked into a test program, this takes the place of the C library's calls that change files (write,
/// pwrite, fsync, fdatasync, ftruncate, rename, renameat2, link, unlink, mkdir, open with O_CREAT or
/// O_TRUNC), so it sees the program's own files, the share's and every page that SQLite writes. Memory files
/// do not count. What happens in other processes (gpg) is not seen: key operations are told with effect().
namespace veer::test {

enum class CrashWhen { before, after };

/// Counts from zero, and never crashes.
void count_effects();
/// How many effects were counted since.
std::size_t effects_counted();
/// Which of them were syncs. Between two of these a power cut leaves the same.
std::vector<std::size_t> syncs_counted();
/// The `n`-th effect from now (from 1) ends the process with status 99, with no destructor, no flush: before
/// it takes place, or after.
void crash_at(std::size_t n, CrashWhen when);
/// The process ends after the `n`-th effect, and with it goes all that is not on the disk for sure: bytes
/// written since their file's last sync; names made, changed and removed since their folder's. Names that go
/// meanwhile are kept in `stash`, an empty folder on the same file system outside of what is looked at.
/// Syncs of what lies below `lying` are not believed, as with a disk that says it has what it has not.
void power_cut_at(std::size_t n, const std::filesystem::path& stash, const std::filesystem::path& lying = {});
/// Stops counting.
void ignore_effects();
/// One effect that no system call of this process shows.
void effect();

}  // namespace veer::test

#include "core/exposure.h"

#include <cerrno>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

namespace veer {
namespace {

std::optional<std::string> exposure_in(const fs::path& path) {
  struct stat status {};
  for (fs::path above = fs::absolute(path).lexically_normal(); above != above.root_path();) {
    above = above.parent_path();
    if (stat(above.c_str(), &status) != 0) continue;
    const auto told = [&](std::string_view what) {
      return fmt::format("{} above {} {}", printable(above.native(), 300), printable(path.native(), 300),
                         what);
    };
    if (status.st_uid != 0 && status.st_uid != geteuid())
      return told("belongs to another user, who may put something else in its place: chown it to root");
    if ((status.st_mode & S_ISVTX) != 0) continue;
    if ((status.st_mode & S_IWOTH) != 0) return told("may be written by anybody: chmod o-w it");
    if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0 && status.st_gid != getegid())
      return told("may be written by a group: chmod g-w it");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> exposure_of(const fs::path& folder) {
  const std::string name = printable(folder.native(), 300);
  struct stat status {};
  if (lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return fmt::format("{} is not a folder: make it, owned by the service's user", name);
  if (status.st_uid != geteuid())
    return fmt::format("{} belongs to another user than the one who runs this", name);
  if ((status.st_mode & 077) != 0) return fmt::format("{} is open to others: chmod 700 it", name);
  return exposure_above(folder);
}

std::optional<std::string> exposure_above(const fs::path& path) {
  // As it is written and, where links stand on the way, as it is.
  std::error_code error;
  const fs::path real = fs::weakly_canonical(fs::absolute(path), error);
  if (auto exposure = exposure_in(path)) return exposure;
  return error || real == fs::absolute(path).lexically_normal() ? std::nullopt : exposure_in(real);
}

std::optional<std::string> exposure_of_file(const fs::path& file) {
  const std::string name = printable(file.native(), 300);
  struct stat status {};
  if (lstat(file.c_str(), &status) != 0 && errno == ENOENT) return std::nullopt;
  if (!S_ISREG(status.st_mode))
    return fmt::format("{} is not a file (a link?): let the file itself stand there", name);
  if (status.st_uid != geteuid())
    return fmt::format("{} belongs to another user than the one who runs this", name);
  if ((status.st_mode & 077) != 0) return fmt::format("{} is open to others: chmod 600 it", name);
  return std::nullopt;
}

}  // namespace veer

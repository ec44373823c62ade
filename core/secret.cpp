#include "core/secret.h"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"

namespace veer {

// A short text stands in the string itself, so that taking it over copies it.
Secret::Secret(std::string&& bytes) {
  bytes_.swap(bytes);
  wipe(bytes);
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe(bytes_);
    bytes_.swap(other.bytes_);
    wipe(other.bytes_);
  }
  return *this;
}

void Secret::wipe(std::string& bytes) {
  bytes.resize(bytes.capacity());
  explicit_bzero(bytes.data(), bytes.size());
  bytes.clear();
}

Secret read_secret(std::string_view reference) {
  static constexpr std::string_view kCredential = "credential:";
  static constexpr std::string_view kFile = "file:";
  static constexpr std::size_t kCap = std::size_t{64} * 1024;
  fs::path path;
  if (reference.starts_with(kCredential)) {
    const std::string_view name = reference.substr(kCredential.size());
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (name.empty() || name.find('/') != std::string_view::npos)
      throw Error(Code::c_credential, fmt::format("'{}' does not name a credential", printable(reference)));
    if (folder == nullptr)
      throw Error(
          Code::c_credential,
          fmt::format("'{}' is a systemd credential and exists only inside the service: run this through the "
                      "service, or use file:/PATH",
                      printable(reference)));
    path = fs::path(folder) / name;
  } else if (reference.starts_with(kFile) && reference.substr(kFile.size()).starts_with('/')) {
    path = reference.substr(kFile.size());
  } else {
    throw Error(Code::c_credential,
                "a secret is named as credential:NAME or file:/PATH, never written down itself");
  }
  const std::string shown = printable(reference);
  // Without waiting: a pipe would have it wait for ever.
  const Fd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT)
    throw Error(Code::c_credential, fmt::format("'{}' is not there: no such file", shown));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
    throw Error(Code::c_credential,
                fmt::format("'{}' cannot be read: make it a file that this user may read", shown));
  if ((status.st_mode & 077) != 0 && reference.starts_with(kFile))
    throw Error(Code::c_credential, fmt::format("'{}' may be read by others: chmod 600 it", shown));
  if (status.st_size <= 0 || static_cast<std::size_t>(status.st_size) > kCap)
    throw Error(Code::c_credential, fmt::format("'{}' is empty or larger than {} bytes", shown, kCap));
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  const ssize_t read = ::read(fd.get(), bytes.data(), bytes.size());
  Secret secret(std::move(bytes));
  if (read != status.st_size)
    throw Error(Code::c_credential, fmt::format("'{}' cannot be read to its end", shown));
  return secret;
}

}  // namespace veer

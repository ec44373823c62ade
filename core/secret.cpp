#include "core/secret.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iostream>

#include <fcntl.h>
#include <fmt/format.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/unseen.h"

namespace veer {
namespace {

constexpr std::string_view kCredential = "credential:";
constexpr std::size_t kMostPassphrase = 200;  // gpg-agent takes hardly more

// What came behind a line end would answer gpg's next question.
Secret only_line(const Secret& read) {
  const std::string_view text = read.reveal();
  const std::string_view line = text.substr(0, text.find_last_not_of("\r\n") + 1);
  if (line.empty() || line.size() > kMostPassphrase ||
      line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    throw Error(Code::c_credential,
                fmt::format("a passphrase is one line of at most {} bytes", kMostPassphrase));
  return Secret(std::string(line));
}

Secret typed_line(std::string_view question) {
  std::cerr << question << ": " << std::flush;
  std::string bytes(kMostPassphrase + 2, '\0');
  const Unseen unseen(TCSADRAIN);
  const ssize_t size = read(STDIN_FILENO, bytes.data(), bytes.size());
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const Secret typed(std::move(bytes));
  std::cerr << '\n';
  return only_line(typed);
}

}  // namespace

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

Secret passphrase_in(const fs::path& file) {
  return only_line(read_secret("file:" + fs::absolute(file).lexically_normal().native()));
}

Secret ask_passphrase(std::string_view what, Typed typed) {
  if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
    throw Error(Code::c_credential,
                fmt::format("the {} is asked for at a terminal, or read from a file that is named with the "
                            "command ('veer keys --help')",
                            what));
  Secret passphrase = typed_line(what);
  if (typed == Typed::twice && typed_line("the same again").reveal() != passphrase.reveal())
    throw Error(Code::c_credential, "that was not the same twice: nothing was changed");
  return passphrase;
}

Secret passphrase_from(const std::string& reference, const std::string& file, Typed typed) {
  if (!file.empty()) return passphrase_in(file);
  if (reference.empty()) return {};
  if (reference.starts_with(kCredential) && std::getenv("CREDENTIALS_DIRECTORY") == nullptr)
    return ask_passphrase("passphrase of our keys", typed);
  return only_line(read_secret(reference));
}

}  // namespace veer

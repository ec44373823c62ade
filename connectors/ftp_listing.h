#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

/// What FTP servers tell of files. All of it is foreign and may be hostile: what is not exactly of the format
/// is left out.
namespace veer {

enum class FtpKind { file, folder, other };

struct FtpFile {
  FtpKind kind = FtpKind::other;
  std::string name;  ///< raw bytes, never empty of a file; not always one path segment
  std::uint64_t size = 0;
  std::string
      modified;        ///< "20260115093000", perhaps with a fraction: UTC; empty when the server did not say
  std::string unique;  ///< the server's mark of this very file, whatever its name; may be empty
};

struct FtpListing {
  std::vector<FtpFile> entries;  ///< whatever kind they are, without folders "." and ".."
  std::size_t read = 0;          ///< lines of the format
  std::size_t unreadable = 0;    ///< lines that are not
  bool shows_itself = false;     ///< the folder's own entry "." is there: hidden files are shown as well
};

/// A line of MLSD, or the middle line of an MLST reply (RFC 3659, 7.2): facts, a blank, the name.
std::optional<FtpFile> parse_facts(std::string_view line);
FtpListing parse_mlsd(std::string_view text);
/// LIST as most servers print it, like `ls -l`. Its times are neither exact nor UTC and are not taken; the
/// name of a device is not either.
FtpListing parse_unix_list(std::string_view text);

/// "20260115093000" or "20260115093000.123" (RFC 3659, 2.3). Empty when malformed.
std::optional<Time> parse_ftp_time(std::string_view text);
/// Digits alone. Empty when malformed or too large.
std::optional<std::uint64_t> parse_ftp_size(std::string_view text);

}  // namespace veer

#pragma once

#include <array>
#include <string>
#include <string_view>

namespace veer {

/// A POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format") of two regular files: the shape in which
/// both the package and the receipt travel.
struct UstarMember {
  std::string_view name;  ///< at most 99 bytes, no folder
  std::string_view bytes;
};

/// The same bytes for the same members: mode 0600, no owner, no time, and no more padding than POSIX asks
/// for.
std::string write_ustar(const std::array<UstarMember, 2>& members);

/// The bytes of the two members that must be all there is, named and ordered as in `names`; views into
/// `archive`. Owner, mode and time may be any, and zeros may follow the end (tar(1) fills up to a block of 10
/// KiB). All else throws F_ARCHIVE: other types and names, extensions (pax, GNU), bytes hidden in padding or
/// after the end, an archive that ends early.
std::array<std::string_view, 2> read_ustar(std::string_view archive,
                                           const std::array<std::string_view, 2>& names);

}  // namespace veer

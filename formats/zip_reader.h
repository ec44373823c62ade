#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace veer {

/// The members of a zip archive in memory, which it does not own: they are unpacked one by one, never to
/// disk, and never more than kMostUnpacked or kMostRatio times the archive (plus kSpareUnpacked) in all.
/// Names are compared without regard to ASCII case, as ECMA-376 part 2 asks. For one thread at a time.
///
/// Everything here throws I_SPREADSHEET when the archive is damaged, encrypted, names a member twice, or is
/// larger than it may be.
class ZipReader {
 public:
  static constexpr std::uint64_t kMostMembers = 2'000;
  /// A column as full as Excel can make it takes 150 MiB.
  static constexpr std::uint64_t kMostUnpacked = std::uint64_t{256} << 20;
  static constexpr std::uint64_t kMostRatio = 200;
  static constexpr std::uint64_t kSpareUnpacked = std::uint64_t{10} << 20;

  static constexpr std::size_t kPiece = std::size_t{64} << 10;

  /// Reads the directory of `archive`.
  explicit ZipReader(std::string_view archive);

  bool contains(std::string_view name) const;
  /// Hands the bytes of a member that is there to `sink`, in pieces of at most kPiece. What was handed over
  /// counts only when this returns: the check sum comes last.
  void read(std::string_view name, const std::function<void(std::string_view)>& sink);

 private:
  std::string_view archive_;
  std::uint64_t budget_;
  std::map<std::string, std::uint64_t> positions_;  // lower-case name to its place in the order of libarchive
};

}  // namespace veer

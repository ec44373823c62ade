#include "formats/ustar.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <optional>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

constexpr std::size_t kBlock = 512;

constexpr std::size_t padded(std::size_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

// --- writing: libarchive

struct FreeArchive {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

// The room was reserved before: appending cannot throw through libarchive.
la_ssize_t append(archive* /*writer*/, void* out, const void* bytes, std::size_t size) {
  auto& text = *static_cast<std::string*>(out);
  if (size > text.capacity() - text.size()) return -1;
  text.append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

void require(bool good) {
  if (!good) throw Error(Code::l_memory, "the archive could not be made: no memory, or a member above 8 GiB");
}

// --- reading: a header block, field by field. A general reader forgives what this format must refuse.

bool all_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

// A field that holds exactly `text` and zeros.
bool holds(std::string_view field, std::string_view text) {
  return field.starts_with(text) && all_zero(field.substr(text.size()));
}

// Octal digits, then spaces or zeros; at least one of each.
std::optional<std::uint64_t> octal(std::string_view field) {
  const std::size_t end = field.find_first_not_of("01234567");
  if (end == 0 || end == std::string_view::npos) return std::nullopt;
  if (field.find_first_not_of(std::string_view(" \0", 2), end) != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : field.substr(0, end)) value = value * 8 + static_cast<std::uint64_t>(digit - '0');
  return value;
}

// The sum of all bytes of the header, those of the sum itself counted as spaces.
bool sum_is_right(std::string_view header) {
  static constexpr std::size_t kSumAt = 148;
  static constexpr std::size_t kSumSize = 8;
  std::uint64_t sum = kSumSize * ' ';
  for (std::size_t i = 0; i < kBlock; ++i)
    if (i < kSumAt || i >= kSumAt + kSumSize) sum += static_cast<unsigned char>(header[i]);
  return octal(header.substr(kSumAt, kSumSize)) == sum;
}

[[noreturn]] void refuse(std::string_view name, std::string_view what) {
  throw Error(Code::f_archive,
              fmt::format("the archive is not a plain ustar of two files: {} {}", name, what));
}

// Takes the member `name` from the front of `rest`.
std::string_view take_member(std::string_view& rest, std::string_view name) {
  if (rest.size() < kBlock || all_zero(rest.substr(0, kBlock))) refuse(name, "is missing");
  const std::string_view header = rest.substr(0, kBlock);
  if (header.substr(257, 8) != std::string_view("ustar\0"
                                                "00",
                                                8) ||
      !sum_is_right(header))
    refuse(name, "has no ustar header in its place");
  if (header[156] != '0') refuse(name, "is not a regular file, or comes with an extension");
  if (!holds(header.substr(0, 100), name)) refuse(name, "is not the member in its place");
  if (!all_zero(header.substr(157, 100)) || !all_zero(header.substr(345)))
    refuse(name, "has a link or a folder in its header");
  const auto size = octal(header.substr(124, 12));
  rest.remove_prefix(kBlock);
  if (!size || *size > rest.size() || padded(*size) > rest.size()) refuse(name, "is not there as a whole");
  const std::string_view bytes = rest.substr(0, *size);
  if (!all_zero(rest.substr(*size, padded(*size) - *size)))
    refuse(name, "is followed by bytes that are not its own");
  rest.remove_prefix(padded(*size));
  return bytes;
}

}  // namespace

std::string write_ustar(const std::array<UstarMember, 2>& members) {
  std::string text;
  std::size_t size = 2 * kBlock;
  for (const UstarMember& member : members) size += kBlock + padded(member.bytes.size());
  text.reserve(size);

  const std::unique_ptr<archive, FreeArchive> writer(archive_write_new());
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  require(writer && entry);
  require(archive_write_set_format_ustar(writer.get()) == ARCHIVE_OK &&
          archive_write_set_bytes_per_block(writer.get(), 0) == ARCHIVE_OK &&
          archive_write_open(writer.get(), &text, nullptr, append, nullptr) == ARCHIVE_OK);
  for (const UstarMember& member : members) {
    assert(member.name.size() < 100);
    archive_entry_clear(entry.get());
    archive_entry_set_pathname(entry.get(), std::string(member.name).c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(member.bytes.size()));
    archive_entry_set_mtime(entry.get(), 0, 0);
    require(archive_write_header(writer.get(), entry.get()) == ARCHIVE_OK &&
            archive_write_data(writer.get(), member.bytes.data(), member.bytes.size()) ==
                static_cast<la_ssize_t>(member.bytes.size()));
  }
  require(archive_write_close(writer.get()) == ARCHIVE_OK && text.size() == size);
  return text;
}

std::array<std::string_view, 2> read_ustar(std::string_view archive,
                                           const std::array<std::string_view, 2>& names) {
  std::string_view rest = archive;
  const std::string_view first = take_member(rest, names[0]);
  const std::string_view second = take_member(rest, names[1]);
  if (rest.size() < 2 * kBlock || rest.size() % kBlock != 0 || !all_zero(rest))
    refuse(names[1], "is not followed by the end of the archive alone");
  return {first, second};
}

}  // namespace veer

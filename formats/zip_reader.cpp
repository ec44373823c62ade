#include "formats/zip_reader.h"

#include <algorithm>
#include <cassert>
#include <clocale>
#include <memory>
#include <type_traits>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include "core/error.h"
#include "formats/spreadsheet_error.h"

namespace veer {
namespace {

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Archive = std::unique_ptr<archive, FreeArchive>;

constexpr std::string_view kFirstBytes = "PK\x03\x04";
[[noreturn]] void refuse_archive() { refuse_damaged("its archive cannot be read, or was not copied whole"); }

// libarchive gives no name, in UTF-8 either, that the locale cannot express, and a service runs in C. As long
// as this lives, this thread's can express all.
class Utf8Locale {
 public:
  Utf8Locale() : before_(uselocale(utf8())) {}
  ~Utf8Locale() { uselocale(before_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  struct Free {
    void operator()(locale_t locale) const { freelocale(locale); }
  };
  // Null, which changes nothing, where the machine has none.
  static locale_t utf8() {
    static const std::unique_ptr<std::remove_pointer_t<locale_t>, Free> locale(
        newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr));
    return locale.get();
  }

  locale_t before_;
};

std::string lower_case(std::string_view name) {
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

// By its directory, which is at the end: a zip that is cut short is none.
Archive open(std::string_view bytes) {
  Archive reader(archive_read_new());
  if (!reader) throw Error(Code::l_memory, "there is no memory to open the spreadsheet");
  if (!bytes.starts_with(kFirstBytes) ||
      archive_read_support_format_zip_seekable(reader.get()) != ARCHIVE_OK ||
      archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    refuse_archive();
  return reader;
}

// The next member; null after the last.
archive_entry* next(archive* reader) {
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(reader, &entry);
  if (result == ARCHIVE_EOF) return nullptr;
  if (result != ARCHIVE_OK) refuse_archive();
  return entry;
}

}  // namespace

ZipReader::ZipReader(std::string_view archive)
    : archive_(archive), budget_(std::min(kMostUnpacked, kMostRatio * archive.size() + kSpareUnpacked)) {
  const Utf8Locale utf8;
  const Archive reader = open(archive_);
  while (archive_entry* entry = next(reader.get())) {
    if (archive_entry_is_encrypted(entry)) refuse_protected();
    const char* name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) refuse_archive();
    if (positions_.size() == kMostMembers)
      refuse_spreadsheet(fmt::format(
          "the spreadsheet has more than {} parts: copy the column of numbers into a new workbook",
          kMostMembers));
    if (!positions_.emplace(lower_case(name), positions_.size()).second)
      refuse_spreadsheet(
          "the spreadsheet names one of its parts twice, which no spreadsheet program does: find out where "
          "it comes "
          "from");
  }
}

bool ZipReader::contains(std::string_view name) const { return positions_.count(lower_case(name)) > 0; }

void ZipReader::read(std::string_view name, const std::function<void(std::string_view)>& sink) {
  const auto found = positions_.find(lower_case(name));
  assert(found != positions_.end());
  const Utf8Locale utf8;
  const Archive reader = open(archive_);
  for (std::uint64_t position = 0; position <= found->second; ++position)
    if (next(reader.get()) == nullptr) refuse_archive();
  for (;;) {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(reader.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) return;
    if (result != ARCHIVE_OK) refuse_archive();
    if (size > budget_)
      refuse_spreadsheet(fmt::format(
          "the spreadsheet is too large when unpacked (at most {} MiB, and {} times its file): copy the "
          "column of numbers into a new workbook, or save it as CSV (UTF-8)",
          kMostUnpacked >> 20, kMostRatio));
    budget_ -= size;
    for (std::string_view bytes(static_cast<const char*>(data), size); !bytes.empty();
         bytes.remove_prefix(std::min(kPiece, bytes.size())))
      sink(bytes.substr(0, kPiece));
  }
}

}  // namespace veer

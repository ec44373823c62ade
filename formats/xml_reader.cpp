#include "formats/xml_reader.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <type_traits>

#include <expat.h>
#include <fmt/format.h>
#include <malloc.h>

#include "core/error.h"
#include "formats/spreadsheet_error.h"

namespace veer {
namespace {

// Between namespace and local name; no namespace may hold it.
constexpr char kSeparator[] = "\n";
constexpr std::size_t kPiece = std::size_t{64} * 1024;

// ECMA-376 parts 1 (strict) and 4 (transitional), and part 2 for the relationships of a package.
constexpr std::array<std::string_view, 3> kElements = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/package/2006/relationships"};
constexpr std::array<std::string_view, 2> kReferences = {
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view element_name(std::string_view full) {
  const std::size_t at = full.find(kSeparator[0]);
  if (at == std::string_view::npos || !is_one_of(kElements, full.substr(0, at))) return {};
  return full.substr(at + 1);
}

std::string_view attribute_name(std::string_view full) {
  const std::size_t at = full.find(kSeparator[0]);
  if (at == std::string_view::npos) return full;
  return is_one_of(kReferences, full.substr(0, at)) && full.substr(at + 1) == "id" ? "r:id" : "";
}

[[noreturn]] void refuse(std::string_view what) {
  refuse_spreadsheet(fmt::format(
      "the spreadsheet {}, which no spreadsheet program does: save the list as CSV (UTF-8)", what));
}

// The memory of this thread's parsers, counted and capped: expat keeps every name of an element or attribute
// that it ever met. NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
constexpr std::size_t kMostMemory = std::size_t{8} << 20;
thread_local std::size_t held_memory = 0;

void* resize(void* block, std::size_t size) {
  const std::size_t before = malloc_usable_size(block);
  if (size > before && held_memory + (size - before) > kMostMemory) return nullptr;
  void* const made = std::realloc(block, size);
  if (made != nullptr) held_memory = held_memory - before + malloc_usable_size(made);
  return made;
}
void* allocate(std::size_t size) { return resize(nullptr, size); }
void release(void* block) {
  held_memory -= malloc_usable_size(block);
  std::free(block);
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
constexpr XML_Memory_Handling_Suite kCappedMemory{allocate, resize, release};

}  // namespace

std::optional<std::string_view> XmlAttributes::find(std::string_view name) const {
  for (const char* const* pair = pairs_; *pair != nullptr; pair += 2)
    if (attribute_name(pair[0]) == name) return pair[1];
  return std::nullopt;
}

struct XmlReader::State {
  struct FreeParser {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
  };

  explicit State(XmlHandler& told)
      : handler(told), parser(XML_ParserCreate_MM(nullptr, &kCappedMemory, kSeparator)) {
    if (!parser) throw Error(Code::l_memory, "there is no memory to read the spreadsheet");
    XML_SetUserData(parser.get(), this);
    XML_SetElementHandler(parser.get(), on_start, on_end);
    XML_SetCharacterDataHandler(parser.get(), on_text);
    XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
  }

  // Nothing may be thrown through expat, which is C: an error waits until the parser has stopped.
  template <typename Act>
  void guarded(Act act) {
    if (failure) return;
    try {
      act();
    } catch (...) {
      failure = std::current_exception();
      XML_StopParser(parser.get(), XML_FALSE);
    }
  }

  static void on_start(void* self, const XML_Char* name, const XML_Char** attributes) {
    auto& state = *static_cast<State*>(self);
    state.guarded([&] {
      if (++state.depth > kMostDepth) refuse("nests its parts too deep");
      state.handler.start(element_name(name), XmlAttributes(attributes));
    });
  }
  static void on_end(void* self, const XML_Char* name) {
    auto& state = *static_cast<State*>(self);
    state.guarded([&] {
      --state.depth;
      state.handler.end(element_name(name));
    });
  }
  static void on_text(void* self, const XML_Char* bytes, int size) {
    auto& state = *static_cast<State*>(self);
    state.guarded([&] { state.handler.text({bytes, static_cast<std::size_t>(size)}); });
  }
  static void on_doctype(void* self, const XML_Char*, const XML_Char*, const XML_Char*, int) {
    static_cast<State*>(self)->guarded([] { refuse("declares a document type (DOCTYPE)"); });
  }

  void parse(std::string_view piece, bool last) {
    const XML_Status status =
        XML_Parse(parser.get(), piece.data(), static_cast<int>(piece.size()), last ? 1 : 0);
    if (failure) std::rethrow_exception(failure);
    if (status != XML_STATUS_OK && XML_GetErrorCode(parser.get()) == XML_ERROR_NO_MEMORY)
      refuse("uses too many different names");
    if (status != XML_STATUS_OK) refuse_damaged("its XML cannot be read");
    fed += piece.size();
    // expat reads an unfinished tag anew with every piece: without an end to it that takes hours.
    const auto done = static_cast<std::size_t>(std::max<XML_Index>(XML_GetCurrentByteIndex(parser.get()), 0));
    if (!last && fed - done > kMostTag) refuse("has a tag of more than 128 KiB");
  }

  XmlHandler& handler;
  std::unique_ptr<std::remove_pointer_t<XML_Parser>, FreeParser> parser;
  std::exception_ptr failure;
  std::size_t fed = 0;
  int depth = 0;
};

XmlReader::XmlReader(XmlHandler& handler) : state_(std::make_unique<State>(handler)) {}
XmlReader::~XmlReader() = default;

void XmlReader::feed(std::string_view bytes) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kPiece, bytes.size())))
    state_->parse(bytes.substr(0, kPiece), false);
}

void XmlReader::finish() { state_->parse({}, true); }

}  // namespace veer

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace veer {

/// The attributes of one element, valid during the call that shows them.
class XmlAttributes {
 public:
  explicit XmlAttributes(const char* const* pairs) : pairs_(pairs) {}
  /// By local name; `id` of the relationships namespace is "r:id". Attributes of other namespaces are not
  /// shown.
  std::optional<std::string_view> find(std::string_view name) const;

 private:
  const char* const* pairs_;  // name, value, ..., null
};

/// Who is told of a document. Names are local names of SpreadsheetML (transitional and strict) and of package
/// relationships; an element of any other namespace has the empty name.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  virtual void start(std::string_view name, const XmlAttributes& attributes) = 0;
  virtual void end(std::string_view /*name*/) {}
  /// A piece of text; one text may come in several.
  virtual void text(std::string_view /*piece*/) {}
};

/// Reads one XML part of a workbook as it streams by, and keeps nothing of it. Throws I_SPREADSHEET when it
/// is not well-formed, has a DOCTYPE (so that no entity can be declared), is nested deeper than kMostDepth,
/// has a tag longer than kMostTag, or more different names than a workbook can; what the handler throws
/// passes through.
class XmlReader {
 public:
  static constexpr int kMostDepth = 64;
  static constexpr std::size_t kMostTag = std::size_t{128} * 1024;

  explicit XmlReader(XmlHandler& handler);
  ~XmlReader();

  void feed(std::string_view bytes);
  /// Call when all has been fed.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace veer

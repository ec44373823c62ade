#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veer {

/// `text` as content or as the value of an attribute in quotes, in HTML and XML alike: markup is escaped, and
/// what does not show (control characters but for tabs and ends of lines, bytes that are no UTF-8, letters
/// that turn the direction of writing) becomes U+FFFD.
std::string escaped_html(std::string_view text);

/// Writes elements, each of which is closed: what comes of it is well-formed, as HTML and as XML, whatever
/// the texts are. Names of elements and attributes are the program's own.
class Html {
 public:
  using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  Html& open(std::string_view element, Attributes attributes = {});
  /// The element that was opened last.
  Html& close();
  Html& text(std::string_view text);
  /// An element that holds a text and nothing else.
  Html& element(std::string_view element, std::string_view text, Attributes attributes = {});
  /// An element that never holds anything.
  Html& lone(std::string_view element, Attributes attributes);
  /// Content that is not escaped: the program's own alone, without '<' and '&'.
  Html& verbatim(std::string_view text);

  /// All of it; what is open is closed.
  std::string take();

 private:
  void begin(std::string_view element, Attributes attributes);

  std::string html_;
  std::vector<std::string_view> open_;
};

}  // namespace veer

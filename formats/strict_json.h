#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace veer {

/// What a text must look like, and how that is said to a person.
struct TextShape {
  bool (*holds)(std::string_view text);
  std::string_view expected;
};

/// Most bytes of a document, and most levels of objects and arrays within each other.
inline constexpr std::size_t kJsonCap = std::size_t{64} * 1024;
inline constexpr std::size_t kJsonDepth = 4;

/// The largest count: every JSON reader keeps it exact (RFC 8259, section 6).
inline constexpr std::uint64_t kMostCount = (std::uint64_t{1} << 53) - 1;

/// The keys of one JSON object in their order, named once for both directions: reading sets the variables,
/// writing takes them. Either way what is missing or breaks its shape throws F_MANIFEST, which names the key
/// and what was expected, never the value.
class JsonFields {
 public:
  virtual ~JsonFields() = default;

  virtual void text(std::string_view key, std::string& value, const TextShape& shape) = 0;
  /// The same, or null.
  virtual void text(std::string_view key, std::optional<std::string>& value, const TextShape& shape) = 0;
  virtual void object(std::string_view key, const std::function<void(JsonFields&)>& fields) = 0;

  /// A whole number from `least` to `most`, which are not negative.
  template <typename Integer>
  void number(std::string_view key, Integer& value, std::uint64_t least, std::uint64_t most) {
    value = static_cast<Integer>(whole_number(key, static_cast<std::uint64_t>(value), least, most));
  }

  /// At most `most` objects; `fields` is called with each of `items`.
  template <typename Item, typename Fields>
  void array(std::string_view key, std::vector<Item>& items, std::size_t most, const Fields& fields) {
    items.resize(array_size(key, items.size(), most));
    for (std::size_t i = 0; i < items.size(); ++i)
      element(key, i, [&](JsonFields& inner) { fields(inner, items[i]); });
  }

  /// Throws F_MANIFEST: the value of `key` is not what was expected.
  [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;

 protected:
  /// `path` is what stands before a key in messages: "receipt.json: receiver."
  explicit JsonFields(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

 private:
  virtual std::uint64_t whole_number(std::string_view key, std::uint64_t value, std::uint64_t least,
                                     std::uint64_t most) = 0;
  virtual std::size_t array_size(std::string_view key, std::size_t size, std::size_t most) = 0;
  virtual void element(std::string_view key, std::size_t index,
                       const std::function<void(JsonFields&)>& fields) = 0;

  std::string path_;
};

/// Reads the document `name` (as messages call it). Refused as F_MANIFEST, besides what `fields` refuses: a
/// key that is repeated or that `fields` does not ask for, comments, a byte-order mark, invalid UTF-8,
/// anything after the object, more than the caps above.
void read_json(std::string_view text, std::string_view name, const std::function<void(JsonFields&)>& fields);

/// The document, indented by two, with a final newline; what it gives, read_json() takes.
std::string write_json(std::string_view name, const std::function<void(JsonFields&)>& fields);

}  // namespace veer

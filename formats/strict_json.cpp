#include "formats/strict_json.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace veer {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse_document(std::string_view name, std::string_view what) {
  throw Error(Code::f_manifest, fmt::format("{} is not as docs/protocol.md says: {}", name, what));
}

// A bound of eleven digits would be masked as a person's number wherever it is shown.
std::string expected_number(std::uint64_t least, std::uint64_t most) {
  static constexpr std::uint64_t kShown = 10'000'000'000;
  if (most >= kShown) return fmt::format("a whole number, {} or more", least);
  return fmt::format("a whole number from {} to {}", least, most);
}

class Reader : public JsonFields {
 public:
  Reader(const Json& object, std::string path) : JsonFields(std::move(path)), object_(object) {}

  void text(std::string_view key, std::string& value, const TextShape& shape) override {
    const Json& found = take(key);
    if (!found.is_string() || !shape.holds(found.get_ref<const std::string&>())) refuse(key, shape.expected);
    value = found.get<std::string>();
  }

  void text(std::string_view key, std::optional<std::string>& value, const TextShape& shape) override {
    if (const auto found = object_.find(key); found != object_.end() && found->is_null()) {
      ++taken_;
      value.reset();
    } else {
      text(key, value.emplace(), shape);
    }
  }

  void object(std::string_view key, const std::function<void(JsonFields&)>& fields) override {
    read(take(key), fmt::format("{}{}.", path(), key), key, fields);
  }

  void finish() const {
    if (taken_ != object_.size())
      throw Error(Code::f_manifest,
                  fmt::format("{}has a key that this version of the format does not have", path()));
  }

 private:
  std::uint64_t whole_number(std::string_view key, std::uint64_t /*value*/, std::uint64_t least,
                             std::uint64_t most) override {
    const Json& found = take(key);
    if (!found.is_number_unsigned() || found.get<std::uint64_t>() < least ||
        found.get<std::uint64_t>() > most)
      refuse(key, expected_number(least, most));
    return found.get<std::uint64_t>();
  }

  std::size_t array_size(std::string_view key, std::size_t /*size*/, std::size_t most) override {
    const Json& found = take(key);
    if (!found.is_array() || found.size() > most)
      refuse(key, fmt::format("an array of at most {} objects", most));
    return found.size();
  }

  void element(std::string_view key, std::size_t index,
               const std::function<void(JsonFields&)>& fields) override {
    read(object_.find(key)->at(index), fmt::format("{}{}[{}].", path(), key, index), key, fields);
  }

  void read(const Json& inner, std::string inner_path, std::string_view key,
            const std::function<void(JsonFields&)>& fields) const {
    if (!inner.is_object()) refuse(key, "an object");
    Reader reader(inner, std::move(inner_path));
    fields(reader);
    reader.finish();
  }

  const Json& take(std::string_view key) {
    const auto found = object_.find(key);
    if (found == object_.end()) refuse(key, "there");
    ++taken_;
    return *found;
  }

  const Json& object_;
  std::size_t taken_ = 0;
};

class Writer : public JsonFields {
 public:
  Writer(Json& object, std::string path) : JsonFields(std::move(path)), object_(object) {
    object_ = Json::object();
  }

  void text(std::string_view key, std::string& value, const TextShape& shape) override {
    if (!shape.holds(value)) refuse(key, shape.expected);
    add(key) = value;
  }

  void text(std::string_view key, std::optional<std::string>& value, const TextShape& shape) override {
    if (value) {
      text(key, *value, shape);
    } else {
      add(key) = nullptr;
    }
  }

  void object(std::string_view key, const std::function<void(JsonFields&)>& fields) override {
    Writer inner(add(key), fmt::format("{}{}.", path(), key));
    fields(inner);
  }

 private:
  std::uint64_t whole_number(std::string_view key, std::uint64_t value, std::uint64_t least,
                             std::uint64_t most) override {
    if (value < least || value > most) refuse(key, expected_number(least, most));
    add(key) = value;
    return value;
  }

  std::size_t array_size(std::string_view key, std::size_t size, std::size_t most) override {
    if (size > most) refuse(key, fmt::format("an array of at most {} objects", most));
    add(key) = Json::array();
    return size;
  }

  void element(std::string_view key, std::size_t index,
               const std::function<void(JsonFields&)>& fields) override {
    Json& array = object_[std::string(key)];
    array.push_back(nullptr);
    Writer inner(array.back(), fmt::format("{}{}[{}].", path(), key, index));
    fields(inner);
  }

  Json& add(std::string_view key) { return object_[std::string(key)]; }

  Json& object_;
};

// The library takes the last of two equal keys, skips a byte-order mark, and takes a zero byte for the end.
Json parse(std::string_view text, std::string_view name) {
  if (text.size() > kJsonCap) refuse_document(name, fmt::format("it is larger than {} bytes", kJsonCap));
  if (text.starts_with("\xef\xbb\xbf")) refuse_document(name, "it starts with a byte-order mark");
  if (text.find('\0') != std::string_view::npos) refuse_document(name, "it holds a zero byte");

  std::vector<std::set<std::string>> keys;
  const auto look = [&](int /*depth*/, Json::parse_event_t event, const Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
      case Json::parse_event_t::array_start:
        keys.emplace_back();
        if (keys.size() > kJsonDepth) refuse_document(name, "it is nested too deeply");
        break;
      case Json::parse_event_t::object_end:
      case Json::parse_event_t::array_end:
        keys.pop_back();
        break;
      case Json::parse_event_t::key:
        if (!keys.back().insert(parsed.get<std::string>()).second) refuse_document(name, "a key is repeated");
        break;
      case Json::parse_event_t::value:
        break;
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), look);
  } catch (const Json::exception&) {
    refuse_document(name, "it is not one JSON object in UTF-8");
  }
}

}  // namespace

void JsonFields::refuse(std::string_view key, std::string_view expected) const {
  throw Error(Code::f_manifest, fmt::format("{}{} must be {}", path_, key, expected));
}

void read_json(std::string_view text, std::string_view name, const std::function<void(JsonFields&)>& fields) {
  const Json document = parse(text, name);
  if (!document.is_object()) refuse_document(name, "it is not one JSON object in UTF-8");
  Reader reader(document, fmt::format("{}: ", name));
  fields(reader);
  reader.finish();
}

std::string write_json(std::string_view name, const std::function<void(JsonFields&)>& fields) {
  Json document;
  Writer writer(document, fmt::format("{}: ", name));
  fields(writer);
  std::string text;
  try {
    text = document.dump(2) + '\n';
  } catch (const Json::exception&) {
    refuse_document(name, "a text in it is not UTF-8");
  }
  if (text.size() > kJsonCap) refuse_document(name, fmt::format("it is larger than {} bytes", kJsonCap));
  return text;
}

}  // namespace veer

#include "daemon/toml_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "core/log.h"

namespace veer {
namespace {

// Levenshtein's distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

struct TomlTable::Impl {
  std::shared_ptr<toml::table> owner;  ///< keeps the whole text's tree
  const toml::table* table = nullptr;
  std::string file;
  std::string path;  ///< "share.sftp"
  Problems* problems = nullptr;
  std::set<std::string, std::less<>> asked;

  const toml::node* find(std::string_view key) {
    asked.emplace(key);
    return table->get(key);
  }
  std::string name_of(std::string_view key) const {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
  }
  void note(const toml::node& node, std::string_view what) const {
    const auto line = node.source().begin.line;  // 0 for a table that is not there
    problems->push_back(line > 0 ? fmt::format("{}:{}: {}", file, line, what)
                                 : fmt::format("{}: {}", file, what));
  }
  std::unique_ptr<Impl> child(const toml::table* inner, std::string inner_path) const {
    auto made = std::make_unique<Impl>();
    made->owner = owner;
    made->table = inner;
    made->file = file;
    made->path = std::move(inner_path);
    made->problems = problems;
    return made;
  }
  const toml::table* empty_table() const {
    static const toml::table empty;
    return &empty;
  }
};

TomlTable::TomlTable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TomlTable::TomlTable(TomlTable&&) noexcept = default;
TomlTable& TomlTable::operator=(TomlTable&&) noexcept = default;
TomlTable::~TomlTable() = default;

TomlTable TomlTable::parse(std::string_view text, std::string_view name, Problems& problems) {
  auto impl = std::make_unique<Impl>();
  impl->file = name;
  impl->problems = &problems;
  try {
    impl->owner = std::make_shared<toml::table>(toml::parse(text));
    impl->table = impl->owner.get();
  } catch (const toml::parse_error& error) {
    problems.push_back(fmt::format("{}:{}: not TOML (a text stands in double quotes): {}", name,
                                   error.source().begin.line,
                                   shown_text(std::string_view(error.description()), 200)));
    impl->table = impl->empty_table();
  }
  return TomlTable(std::move(impl));
}

bool TomlTable::has(std::string_view key) const { return impl_->table->contains(key); }

std::optional<std::string> TomlTable::text(std::string_view key) {
  const toml::node* node = impl_->find(key);
  if (node == nullptr) return std::nullopt;
  if (auto value = node->value_exact<std::string>()) return value;
  impl_->note(*node, fmt::format("{} must be a text in quotes", impl_->name_of(key)));
  return std::nullopt;
}

std::optional<std::int64_t> TomlTable::integer(std::string_view key) {
  const toml::node* node = impl_->find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto value = node->value_exact<std::int64_t>()) return value;
  impl_->note(*node, fmt::format("{} must be a whole number", impl_->name_of(key)));
  return std::nullopt;
}

std::optional<Date> TomlTable::date(std::string_view key) {
  const toml::node* node = impl_->find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto value = node->value_exact<toml::date>()) {
    const Date date(std::chrono::year(value->year), std::chrono::month(value->month),
                    std::chrono::day(value->day));
    if (date.ok()) return date;
  }
  impl_->note(*node, fmt::format("{} must be a date like 2026-12-31, without quotes", impl_->name_of(key)));
  return std::nullopt;
}

std::vector<std::string> TomlTable::texts(std::string_view key) {
  std::vector<std::string> values;
  const toml::node* node = impl_->find(key);
  if (node == nullptr) return values;
  if (const toml::array* array = node->as_array())
    for (const toml::node& element : *array)
      if (const auto value = element.value_exact<std::string>()) values.push_back(*value);
  if (node->as_array() == nullptr || values.size() != node->as_array()->size())
    impl_->note(*node, fmt::format("{} must be a list of texts: [\"…\"]", impl_->name_of(key)));
  return values;
}

TomlTable TomlTable::table(std::string_view key) {
  const toml::node* node = impl_->find(key);
  const toml::table* inner = node != nullptr ? node->as_table() : nullptr;
  if (node != nullptr && inner == nullptr)
    impl_->note(*node, fmt::format("{} must be a table: [{}]", impl_->name_of(key), impl_->name_of(key)));
  return TomlTable(impl_->child(inner != nullptr ? inner : impl_->empty_table(), impl_->name_of(key)));
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  std::vector<TomlTable> found;
  const toml::node* node = impl_->find(key);
  if (node == nullptr) return found;
  const toml::array* array = node->as_array();
  if (array != nullptr)
    for (const toml::node& element : *array)
      if (const toml::table* inner = element.as_table())
        found.push_back(TomlTable(impl_->child(inner, impl_->name_of(key))));
  if (array == nullptr || found.size() != array->size())
    impl_->note(*node, fmt::format("{} must be a list of tables: [{{ key = \"…\" }}]", impl_->name_of(key)));
  return found;
}

void TomlTable::problem(std::string_view key, std::string_view what) {
  const toml::node* node = impl_->table->get(key);
  const std::string name = impl_->name_of(key);
  impl_->note(node != nullptr ? *node : static_cast<const toml::node&>(*impl_->table),
              fmt::format("{} {}", name, what));
}

void TomlTable::refuse_unknown(const std::set<std::string>& later) {
  for (const auto& [key, node] : *impl_->table) {
    const std::string name(key.str());
    if (impl_->asked.contains(name)) continue;
    if (later.contains(name)) {
      impl_->note(node, fmt::format("{} is not known in this version: take it out", impl_->name_of(name)));
      continue;
    }
    const auto nearest =
        std::min_element(impl_->asked.begin(), impl_->asked.end(),
                         [&](const auto& a, const auto& b) { return distance(a, name) < distance(b, name); });
    const bool near = nearest != impl_->asked.end() && distance(*nearest, name) <= 3;
    impl_->note(
        node,
        near ? fmt::format("{} is not a known key; is it {}?", shown_name(impl_->name_of(name)), *nearest)
             : fmt::format("{} is not a known key: take it out", shown_name(impl_->name_of(name))));
  }
}

}  // namespace veer

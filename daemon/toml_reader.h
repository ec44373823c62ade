#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

namespace veer {

/// One table of a TOML text, read by key. Every problem goes to a list, so that all are told at once; a key
/// that is never asked for is a problem of its own. One thread.
class TomlTable {
 public:
  /// Problems as "name:line: what; remedy".
  using Problems = std::vector<std::string>;

  /// The whole text. A text that is not TOML is one problem, and an empty table.
  static TomlTable parse(std::string_view text, std::string_view name, Problems& problems);
  TomlTable(TomlTable&&) noexcept;
  TomlTable& operator=(TomlTable&&) noexcept;
  ~TomlTable();

  bool has(std::string_view key) const;
  /// Empty when the key is absent; a value of another type is a problem.
  std::optional<std::string> text(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key);
  std::optional<Date> date(std::string_view key);
  std::vector<std::string> texts(std::string_view key);
  /// An absent table is empty.
  TomlTable table(std::string_view key);
  /// An array of inline tables.
  std::vector<TomlTable> tables(std::string_view key);

  /// Notes a problem at the line of `key`, or of the table when the key is absent.
  void problem(std::string_view key, std::string_view what);
  /// Notes every key that was not asked for. `later` names tables that only later versions know.
  void refuse_unknown(const std::set<std::string>& later = {});

 private:
  struct Impl;
  explicit TomlTable(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace veer

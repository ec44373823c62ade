#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "formats/insz.h"

namespace veer {

using Value = std::variant<std::nullptr_t, std::int64_t, std::string>;

/// How times stand in the database: milliseconds since 1970, or NULL.
inline Value or_null(const std::optional<Time>& time) {
  return time ? Value(to_millis(*time)) : Value(nullptr);
}

/// One row of a result, columns by position.
class Row {
 public:
  explicit Row(std::vector<std::optional<std::string>> columns) : columns_(std::move(columns)) {}
  bool is_null(std::size_t column) const { return !columns_.at(column); }
  /// Empty text for NULL.
  std::string text(std::size_t column) const { return columns_.at(column).value_or(""); }
  std::int64_t integer(std::size_t column) const;
  std::optional<std::string> maybe_text(std::size_t column) const { return columns_.at(column); }
  std::optional<std::int64_t> maybe_integer(std::size_t column) const;
  std::optional<Time> maybe_time(std::size_t column) const {
    const auto millis = maybe_integer(column);
    return millis ? std::optional(from_millis(*millis)) : std::nullopt;
  }

 private:
  std::vector<std::optional<std::string>> columns_;
};

/// What gives others a way to the files of the database at `url`, or to their folder, with the remedy; as
/// exposure_of() tells it. Empty when there is nothing.
std::optional<std::string> exposure_of_database(std::string_view url);

/// One connection to the instance's database (SOCI). One thread. What was committed survives a crash and a
/// power cut. Errors: L_BUSY (another process writes), L_FULL, L_MEMORY, L_DATABASE (with SQLite's number,
/// never its text, which may quote values).
class Database {
 public:
  enum class Access { read_write, read_only };

  /// `url`: "sqlite:/path/to/file". Read-write makes the file (0600) when it is not there.
  explicit Database(std::string_view url, Access access = Access::read_write);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Placeholders are :a, :b, … and are bound in the order in which they stand.
  std::vector<Row> query(std::string_view sql, const std::vector<Value>& values = {});
  /// The only row, or nothing.
  std::optional<Row> query_one(std::string_view sql, const std::vector<Value>& values = {});
  /// Returns how many rows changed.
  std::int64_t execute(std::string_view sql, const std::vector<Value>& values = {});

  /// Runs `work` in one immediate transaction: all of it is durable when this returns, none of it when it
  /// throws.
  void transaction(const std::function<void()>& work);
  bool in_transaction() const;

  bool has_table(std::string_view name);
  /// CREATE TABLE entry (list, insz): the register's numbers, in the layout that the database does best.
  void create_entry_table();
  /// Writes every page anew: what was deleted is then in the database's log alone.
  void rewrite();
  /// Empties the log. False while somebody reads.
  bool empty_log();
  /// INSERT INTO entry of all `numbers` for `list`, within the running transaction.
  void insert_entries(std::int64_t list, std::span<const Insz> numbers);
  /// Writes all of it, as it stands at this moment, into the new file `path` (0600), beside whoever writes
  /// here meanwhile. What was deleted is not in the copy. Throws L_DATABASE when `path` is there.
  void copy_to(const std::string& path);
  /// Problems that the database's own check finds; empty when it is whole.
  std::vector<std::string> integrity_problems();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace veer

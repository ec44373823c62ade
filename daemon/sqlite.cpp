#include "daemon/sqlite.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <sqlite3.h>

namespace veer::sqlite {
namespace {

// A virtual table of one column over an array: the shape that sqlite3_create_module wants. SQLite owns the
// table and its cursors by pointer, so they are made and freed here by hand.
struct Table {
  sqlite3_vtab base;
  std::span<const Insz> numbers;
};
struct Cursor {
  sqlite3_vtab_cursor base;
  std::size_t at;
};

Cursor* cursor_of(sqlite3_vtab_cursor* base) { return reinterpret_cast<Cursor*>(base); }
std::span<const Insz> numbers_of(const sqlite3_vtab_cursor* base) {
  return reinterpret_cast<const Table*>(base->pVtab)->numbers;
}

int table_connect(sqlite3* connection, void* numbers, int, const char* const*, sqlite3_vtab** table, char**) {
  const int result = sqlite3_declare_vtab(connection, "CREATE TABLE numbers(insz INTEGER)");
  if (result != SQLITE_OK) return result;
  auto made = std::make_unique<Table>();
  made->numbers = *static_cast<std::span<const Insz>*>(numbers);
  *table = &made.release()->base;
  return SQLITE_OK;
}
int table_disconnect(sqlite3_vtab* table) {
  std::unique_ptr<Table>(reinterpret_cast<Table*>(table)).reset();
  return SQLITE_OK;
}
int table_best_index(sqlite3_vtab*, sqlite3_index_info* info) {
  info->estimatedCost = 1;
  info->orderByConsumed = 1;
  return SQLITE_OK;
}
int cursor_open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
  *cursor = &std::make_unique<Cursor>().release()->base;
  return SQLITE_OK;
}
int cursor_close(sqlite3_vtab_cursor* cursor) {
  std::unique_ptr<Cursor>(cursor_of(cursor)).reset();
  return SQLITE_OK;
}
int cursor_filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
  cursor_of(cursor)->at = 0;
  return SQLITE_OK;
}
int cursor_next(sqlite3_vtab_cursor* cursor) {
  ++cursor_of(cursor)->at;
  return SQLITE_OK;
}
int cursor_at_end(sqlite3_vtab_cursor* cursor) { return cursor_of(cursor)->at >= numbers_of(cursor).size(); }
int cursor_column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int) {
  sqlite3_result_int64(context,
                       static_cast<sqlite3_int64>(numbers_of(cursor)[cursor_of(cursor)->at].value()));
  return SQLITE_OK;
}
int cursor_rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* rowid) {
  *rowid = static_cast<sqlite3_int64>(cursor_of(cursor)->at);
  return SQLITE_OK;
}

const sqlite3_module& array_module() {
  static const sqlite3_module module = [] {
    sqlite3_module m{};
    m.xConnect = table_connect;
    m.xBestIndex = table_best_index;
    m.xDisconnect = table_disconnect;
    m.xOpen = cursor_open;
    m.xClose = cursor_close;
    m.xFilter = cursor_filter;
    m.xNext = cursor_next;
    m.xEof = cursor_at_end;
    m.xColumn = cursor_column;
    m.xRowid = cursor_rowid;
    return m;
  }();
  return module;
}

}  // namespace

bool is_file_name(std::string_view path) {
  return std::none_of(path.begin(), path.end(),
                      [](unsigned char c) { return c == '"' || c < 0x20 || c == 0x7f; });
}

std::vector<std::string> files_of(const std::string& path) { return {path, path + "-wal", path + "-shm"}; }

std::string connect_string(std::string_view path, bool read_only) {
  // Quoted, for SOCI takes a blank as the end of a value. It knows no escape for what is between.
  assert(is_file_name(path));
  return fmt::format("db=\"{}\" timeout=10{}", path, read_only ? " readonly=true" : "");
}

std::vector<std::string> opening_statements(bool read_only) {
  if (read_only) return {"PRAGMA query_only=ON"};
  return {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA secure_delete=ON",
          "PRAGMA cache_size=-16384", "PRAGMA temp_store=MEMORY"};
}

Error error_of(int result) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::l_busy, "the database is being written by another process; it is tried again"};
    case SQLITE_FULL:
      return {Code::l_full, "no room left on the disk of the database: make room"};
    case SQLITE_NOMEM:
      return {Code::l_memory, "no memory left for the database"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::l_database,
              fmt::format(
                  "the database file is damaged (SQLite {}): stop the service and restore the last backup",
                  result)};
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return {Code::l_database,
              fmt::format(
                  "the database file cannot be opened or written (SQLite {}): check that it and its folder "
                  "belong to the service's user",
                  result)};
    default:
      return {Code::l_database, fmt::format("the database refused an operation (SQLite {})", result)};
  }
}

std::vector<std::string> copy_statements(std::string_view path) {
  std::string quoted;
  for (const char c : path) quoted += c == '\'' ? "''" : std::string(1, c);
  // query_only forbids the copy too; a connection that was opened read-only writes nothing else all the same.
  return {"PRAGMA query_only=OFF", fmt::format("VACUUM INTO '{}'", quoted)};
}

bool in_transaction(sqlite3* connection) { return sqlite3_get_autocommit(connection) == 0; }

void insert_entries(sqlite3* connection, std::int64_t list, std::span<const Insz> numbers) {
  const auto must = [&](int code) {
    if (code != SQLITE_OK) throw error_of(sqlite3_extended_errcode(connection));
  };
  // Without xCreate the module itself is the table.
  must(sqlite3_create_module(connection, "veer_numbers", &array_module(), &numbers));
  const std::string insert =
      fmt::format("INSERT INTO entry(list, insz) SELECT {}, insz FROM veer_numbers", list);
  const int result = sqlite3_exec(connection, insert.c_str(), nullptr, nullptr, nullptr);
  const int told = sqlite3_extended_errcode(connection);
  must(sqlite3_create_module(connection, "veer_numbers", nullptr, nullptr));
  if (result != SQLITE_OK) throw error_of(told);
}

}  // namespace veer::sqlite

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "formats/insz.h"

struct sqlite3;

/// Everything that only SQLite understands: PostgreSQL gets a file of the same shape.
namespace veer::sqlite {

/// Whether a file of this name can be opened at all: it holds no quotation mark and no control character.
bool is_file_name(std::string_view path);
/// The files that a database at `path` consists of while it is used.
std::vector<std::string> files_of(const std::string& path);
/// SOCI's connect string for a file with such a name.
std::string connect_string(std::string_view path, bool read_only);
/// Durable settings of a fresh connection: WAL, synchronous=FULL, foreign keys.
std::vector<std::string> opening_statements(bool read_only);
inline constexpr std::string_view kBegin = "BEGIN IMMEDIATE";
inline constexpr std::string_view kCountTables =
    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :name";
/// Rows stand in the order of their key in the table itself: half the size and no second tree.
inline constexpr std::string_view kCreateEntryTable =
    "CREATE TABLE entry (list BIGINT NOT NULL, insz BIGINT NOT NULL,"
    " PRIMARY KEY (list, insz)) WITHOUT ROWID";
/// Deleted cells are zeroed (secure_delete), but not what balancing left of them in unused room of a page.
inline constexpr std::string_view kWriteAnew = "VACUUM";
/// Older images of pages stand in the log until then.
inline constexpr std::string_view kEmptyLog = "PRAGMA wal_checkpoint(TRUNCATE)";
inline constexpr std::string_view kIntegrityCheck = "PRAGMA integrity_check(20)";
/// Writes the whole database into a new file of such a name.
std::vector<std::string> copy_statements(std::string_view path);
/// What is said to an operator about SQLite's result code, and under which code of ours.
Error error_of(int result);
/// Whether the connection has an open transaction. SQLite ends one by itself on some errors, and the rows
/// that follow would then commit one by one.
bool in_transaction(sqlite3* connection);
/// Inserts ascending numbers from memory by INSERT … SELECT over a virtual table: twice as fast as by row.
void insert_entries(sqlite3* connection, std::int64_t list, std::span<const Insz> numbers);

}  // namespace veer::sqlite

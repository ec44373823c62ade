#pragma once

#include <span>

#include "daemon/database.h"

namespace veer {

/// Version of the schema that this program writes.
inline constexpr int kSchemaVersion = 6;

/// Brings an empty or older database to kSchemaVersion, one transaction a version, forward only. Throws
/// L_SCHEMA for a database that a newer program has written.
void migrate(Database& database);

/// Brings a database from the version of its place in the row to the next; runs in a transaction.
using Migration = void (*)(Database&);
/// All of this program, in order: kSchemaVersion of them.
std::span<const Migration> migrations();
/// migrate() as a program with these would do it.
void migrate(Database& database, std::span<const Migration> migrations);
/// Throws L_SCHEMA unless the database has exactly kSchemaVersion; for readers, which change nothing.
void require_schema(Database& database);

}  // namespace veer

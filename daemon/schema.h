#pragma once

#include "daemon/database.h"

namespace veer {

/// Version of the schema that this program writes.
inline constexpr int kSchemaVersion = 1;

/// Brings an empty or older database to kSchemaVersion, one transaction a version, forward only. Throws
/// L_SCHEMA for a database that a newer program has written.
void migrate(Database& database);
/// Throws L_SCHEMA unless the database has exactly kSchemaVersion; for readers, which change nothing.
void require_schema(Database& database);

}  // namespace veer

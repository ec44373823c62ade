#pragma once

#include <optional>

#include "core/clock.h"
#include "daemon/database.h"

/// What was deleted of people leaves images in a database's pages and in its log. One thread.
namespace veer {

/// Within the transaction that deletes: its pages are to be written anew.
void note_old_pages(Database& database, Time now);
/// Writes them anew when that was noted. False when that cannot be done now, while somebody reads the
/// database or the disk is full: it is to be tried again.
bool forget_old_pages(Database& database);
/// Since when they are to be forgotten, `now` at the latest; empty when nothing of it is left. Within a
/// transaction.
std::optional<Time> old_pages_since(Database& database, Time now);

}  // namespace veer

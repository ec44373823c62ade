#include "daemon/old_pages.h"

#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr const char* kNoted = "SELECT 1 FROM setting WHERE name = 'old_pages'";

}  // namespace

void note_old_pages(Database& db) {
  if (!db.query_one(kNoted)) db.execute("INSERT INTO setting (name, value) VALUES ('old_pages', '1')");
}

bool forget_old_pages(Database& db) {
  if (!db.query_one(kNoted)) return true;
  try {
    db.rewrite();
  } catch (const Error& error) {  // somebody reads, or there is no room now
    log(LogLevel::warn, "the database's old pages are still there: {}", error.message());
    return false;
  }
  db.transaction([&] { db.execute("DELETE FROM setting WHERE name = 'old_pages'"); });
  return true;
}

}  // namespace veer

#include "daemon/old_pages.h"

#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

// Each with the time since when it is so: the pages hold it, or the log alone does any more.
const std::string kPages = "old_pages";
const std::string kLog = "old_log";

std::optional<Time> since(Database& db, const std::string& what) {
  const auto row = db.query_one("SELECT value FROM setting WHERE name = :name", {what});
  return row ? row->maybe_time(0) : std::nullopt;
}

void end(Database& db, const std::string& what) {
  db.execute("DELETE FROM setting WHERE name = :name", {what});
}

void begin(Database& db, const std::string& what, Time at) {
  if (!since(db, what))
    db.execute("INSERT INTO setting (name, value) VALUES (:name, :value)",
               {what, std::to_string(to_millis(at))});
}

}  // namespace

void note_old_pages(Database& db, Time now) { begin(db, kPages, now); }

bool forget_old_pages(Database& db) {
  try {
    if (const auto pages = since(db, kPages)) {
      db.rewrite();
      db.transaction([&] {
        end(db, kPages);
        begin(db, kLog, *pages);
      });
    }
    if (!since(db, kLog)) return true;
    if (db.empty_log()) {
      db.transaction([&] { end(db, kLog); });
      return true;
    }
    log(LogLevel::warn, "somebody reads the database, so that what was deleted is still in its log");
  } catch (const Error& error) {  // there is no room now, or somebody writes
    log(LogLevel::warn, "the database's old pages are still there: {}", error.message());
  }
  return false;
}

std::optional<Time> old_pages_since(Database& db, Time now) {
  for (const std::string& what : {kPages, kLog})
    if (const auto known = since(db, what); known && *known > now) {
      end(db, what);
      begin(db, what, now);
    }
  const auto pages = since(db, kPages);
  const auto log = since(db, kLog);
  return pages && log ? std::min(pages, log) : pages ? pages : log;
}

}  // namespace veer

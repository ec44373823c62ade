#include "daemon/database.h"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "daemon/register.h"
#include "daemon/schema.h"
#include "daemon/sqlite.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

std::string url_in(const TempFolder& folder) { return "sqlite:" + (folder.path() / "ledger.db").string(); }

std::vector<Insz> some_numbers(std::uint64_t count) {
  std::vector<Insz> numbers;
  for (std::uint64_t i = 0; i < count; ++i) numbers.push_back(Insz::trusted(5070999751 + i));
  return numbers;
}

}  // namespace

TEST_CASE("values go in and come out as they were, NULL and odd text included") {
  const TempFolder folder;
  Database db(url_in(folder));
  db.execute("CREATE TABLE t (i BIGINT, s TEXT)");
  const std::string odd = "it's \"odd\"; :a -- \xc3\xa9\n";
  db.execute("INSERT INTO t (i, s) VALUES (:i, :s)", {std::int64_t{-9007199254740993}, odd});
  db.execute("INSERT INTO t (i, s) VALUES (:i, :s)", {nullptr, nullptr});
  const auto rows = db.query("SELECT i, s FROM t ORDER BY i IS NULL");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].integer(0) == -9007199254740993);
  CHECK(rows[0].text(1) == odd);
  CHECK(rows[1].is_null(0));
  CHECK_FALSE(rows[1].maybe_text(1));
}

TEST_CASE("a statement that is run again takes the values and finds the tables of that moment") {
  const TempFolder folder;
  Database db(url_in(folder));
  db.execute("CREATE TABLE t (i BIGINT UNIQUE, s TEXT)");
  const std::string insert = "INSERT INTO t (i, s) VALUES (:i, :s)";
  const std::string select = "SELECT * FROM t WHERE i = :i OR s = :s ORDER BY i";
  CHECK(db.execute(insert, {std::int64_t{1}, "long enough to be no short string of any library"}) == 1);
  CHECK(db.execute(insert, {std::int64_t{2}, nullptr}) == 1);
  CHECK_THROWS_AS(db.execute(insert, {std::int64_t{2}, "twice"}), Error);
  CHECK(db.execute(insert, {std::int64_t{3}, "c"}) == 1);
  CHECK(db.execute(insert, {"4", std::int64_t{4}}) == 1);
  CHECK(db.query(select, {std::int64_t{2}, nullptr}).size() == 1);
  CHECK(db.query(select, {std::int64_t{2}, "c"}).size() == 2);
  CHECK(db.query(select, {nullptr, "4"}).front().integer(0) == 4);
  CHECK(db.query(select, {nullptr, nullptr}).empty());
  CHECK(db.execute("UPDATE t SET s = :s WHERE i > :i", {"x", std::int64_t{2}}) == 2);
  CHECK(db.execute("UPDATE t SET s = :s WHERE i > :i", {"x", std::int64_t{9}}) == 0);
  db.execute("ALTER TABLE t RENAME COLUMN s TO other");
  CHECK_THROWS_AS(db.query(select, {nullptr, "x"}), Error);
  db.execute("DROP TABLE t");
  db.execute("CREATE TABLE t (i BIGINT, s TEXT)");
  CHECK(db.execute(insert, {std::int64_t{2}, "back"}) == 1);
  CHECK(db.query(select, {nullptr, "back"}).size() == 1);
}

TEST_CASE("no statement that ran, or failed, holds up another connection") {
  const TempFolder folder;
  Database db(url_in(folder));
  db.execute("CREATE TABLE t (i BIGINT UNIQUE)");
  for (std::int64_t i = 0; i < 3; ++i) db.execute("INSERT INTO t VALUES (:i)", {i});
  CHECK(db.query("SELECT i FROM t").size() == 3);
  CHECK_THROWS_AS(db.execute("INSERT INTO t VALUES (:i)", {std::int64_t{1}}), Error);
  Database other(url_in(folder));
  other.transaction([&] { other.execute("DELETE FROM t"); });
  // A statement that were still running would keep what it sees, and the log with it.
  CHECK(other.query_one("PRAGMA wal_checkpoint(TRUNCATE)")->integer(0) == 0);
  CHECK(db.query("SELECT count(*) FROM t").front().integer(0) == 0);
  CHECK(db.query("SELECT i FROM t").empty());
  CHECK(db.execute("INSERT INTO t VALUES (:i)", {std::int64_t{1}}) == 1);
}

TEST_CASE("a transaction that throws leaves nothing behind") {
  const TempFolder folder;
  Database db(url_in(folder));
  db.execute("CREATE TABLE t (i BIGINT)");
  CHECK_THROWS_AS(db.transaction([&] {
    db.execute("INSERT INTO t VALUES (1)");
    throw Error(Code::l_io, "stop");
  }),
                  Error);
  CHECK_FALSE(db.in_transaction());
  CHECK(db.query("SELECT i FROM t").empty());
}

TEST_CASE("a transaction that the database ended by itself is not taken for committed") {
  const TempFolder folder;
  Database db(url_in(folder));
  db.execute("CREATE TABLE t (i BIGINT)");
  CHECK_THROWS_AS(db.transaction([&] {
    db.execute("INSERT INTO t VALUES (1)");
    db.execute("ROLLBACK");
  }),
                  Error);
}

TEST_CASE("an error tells SQLite's number and none of the values bound") {
  const TempFolder folder;
  Database db(url_in(folder));
  db.execute("CREATE TABLE t (s TEXT PRIMARY KEY)");
  db.execute("INSERT INTO t VALUES (:s)", {std::string("85070999751")});
  try {
    db.execute("INSERT INTO t VALUES (:s)", {std::string("85070999751")});
    FAIL("a repeated key was taken");
  } catch (const Error& error) {
    CHECK(error.code() == Code::l_database);
    CHECK(error.message().find("85070999751") == std::string::npos);
  }
}

TEST_CASE("numbers are entered in bulk within the transaction, and gone with it") {
  const TempFolder folder;
  Database db(url_in(folder));
  migrate(db);
  const auto numbers = some_numbers(10000);
  const auto enter = [&](std::int64_t list) {
    db.execute(
        "INSERT INTO list (id, reference_year, revision, exchange, records, recorded_at)"
        " VALUES (:id, 2026, :revision, 'x', 1, 1)",
        {list, list});
    db.insert_entries(list, numbers);
  };
  db.transaction([&] { enter(1); });
  CHECK(db.query_one("SELECT count(*), min(insz), max(insz) FROM entry")->integer(0) == 10000);
  CHECK_THROWS_AS(db.transaction([&] {
    enter(2);
    throw Error(Code::l_stopped, "stop");
  }),
                  Error);
  CHECK(db.query_one("SELECT count(*) FROM entry")->integer(0) == 10000);
  const auto row =
      db.query("SELECT reference_year, premium_year, insz FROM inburgeringsplicht ORDER BY insz LIMIT 1");
  CHECK(row.front().text(2) == "05070999751");
  CHECK(row.front().integer(1) == 2027);
}

TEST_CASE("a writer that finds the database busy says so, and that it is tried again") {
  const TempFolder folder;
  Database db(url_in(folder));
  db.execute("CREATE TABLE t (i BIGINT)");
  Database reader(url_in(folder), Database::Access::read_only);
  CHECK(reader.query("SELECT i FROM t").empty());
  CHECK_THROWS_AS(reader.execute("INSERT INTO t VALUES (1)"), Error);
  CHECK(sqlite::error_of(5).code() == Code::l_busy);
  CHECK(sqlite::error_of(13).code() == Code::l_full);
}

TEST_CASE("what was committed is there after the process was killed, what was not is not") {
  const TempFolder folder;
  const std::string url = url_in(folder);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Database db(url);
    db.execute("CREATE TABLE t (i BIGINT)");
    db.execute("INSERT INTO t VALUES (1)");
    db.transaction([&] {
      db.execute("INSERT INTO t VALUES (2)");
      _exit(0);
    });
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  Database db(url);
  const auto rows = db.query("SELECT i FROM t");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].integer(0) == 1);
}

TEST_CASE(
    "a database of a newer program is refused, an older one is brought up to date, a reader waits for that") {
  const TempFolder folder;
  {
    Database db(url_in(folder));
    CHECK_THROWS_AS(require_schema(db), Error);
    migrate(db);
    migrate(db);
    require_schema(db);
    db.execute("UPDATE setting SET value = '99' WHERE name = 'schema_version'");
  }
  Database db(url_in(folder));
  CHECK_THROWS_AS(migrate(db), Error);
  CHECK_THROWS_AS(require_schema(db), Error);
}

TEST_CASE("an older database is brought forward with the rows in it, wholly or not at all, and once") {
  const TempFolder folder;
  Database db(url_in(folder));
  migrate(db);
  const SystemClock clock;
  Register lists(db, clock);
  db.transaction([&] { lists.record(2026, 1, "x", some_numbers(10)); });
  std::vector<Migration> newer(migrations().begin(), migrations().end());
  newer.push_back([](Database& it) {
    it.execute("ALTER TABLE list ADD COLUMN origin TEXT");
    it.execute("UPDATE list SET origin = 'from ' || exchange");
  });
  const auto version = [&] {
    return db.query_one("SELECT value FROM setting WHERE name = 'schema_version'")->integer(0);
  };

  auto failing = newer;
  failing.back() = [](Database& it) {
    it.execute("ALTER TABLE list ADD COLUMN origin TEXT");
    throw Error(Code::l_full, "no room");
  };
  CHECK_THROWS_AS(migrate(db, failing), Error);
  CHECK(version() == kSchemaVersion);

  migrate(db, newer);
  migrate(db, newer);
  CHECK(version() == kSchemaVersion + 1);
  CHECK(db.query_one("SELECT origin FROM list")->text(0) == "from x");
  CHECK(lists.count(2026) == 10);
  CHECK_THROWS_AS(migrate(db), Error);  // this program, which is now the older one
}

TEST_CASE("alerts of books from before it was kept who closed them are read, closed by nobody") {
  const TempFolder folder;
  Database db(url_in(folder));
  migrate(db, migrations().first(5));
  db.execute(
      "INSERT INTO alert (id, cause, kind, code, exchange, text, opened_at) VALUES (1, 'disk', 'attention', "
      "'DISK', '', 'low', 0)");
  migrate(db);
  CHECK(db.query_one("SELECT cause, closed_by FROM alert")->is_null(1));
}

TEST_CASE("a database is made at the very path that its URL names, whatever signs that holds") {
  for (const char* name :
       {"a b", "a  b", " ", "end ", "it's", "a=b", "db=x timeout=1", "a;b#c?d%20", "\\", "é"}) {
    const TempFolder folder;
    CAPTURE(name);
    std::filesystem::create_directory(folder / name);
    const std::string path = folder / name / "ledger.db";
    {
      Database db("sqlite:" + path);
      db.execute("CREATE TABLE t (i BIGINT)");
    }
    CHECK(std::filesystem::exists(path));
    CHECK(Database("sqlite:" + path, Database::Access::read_only).has_table("t"));
    std::size_t beside = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++beside;
    CHECK(beside == 1);
  }
  CHECK_THROWS_AS(Database("sqlite:/tmp/a\"b"), Error);
}

TEST_CASE("the register counts the numbers that stand in it, not those that a list says to have") {
  const TempFolder folder;
  Database db(url_in(folder));
  migrate(db);
  const SystemClock clock;
  Register lists(db, clock);
  db.transaction([&] { lists.record(2026, 1, "x", some_numbers(10)); });
  CHECK(lists.count(2026) == 10);
  db.execute("DELETE FROM entry WHERE insz = :insz", {std::int64_t{5070999751}});
  CHECK(lists.count(2026) == 9);
  CHECK(lists.count(2025) == 0);
}

TEST_CASE("a copy holds all that was committed beside a writer, for its owner alone, and replaces nothing") {
  const TempFolder folder;
  Database writer(url_in(folder));
  writer.execute("CREATE TABLE t (i BIGINT)");
  writer.execute("INSERT INTO t (i) VALUES (1)");
  const fs::path copy = folder / "it's a copy.db";
  writer.transaction([&] {
    writer.execute("INSERT INTO t (i) VALUES (2)");
    Database(url_in(folder), Database::Access::read_only).copy_to(copy.native());
  });
  CHECK(fs::status(copy).permissions() == fs::perms(0600));
  Database read("sqlite:" + copy.native(), Database::Access::read_only);
  CHECK(read.query_one("SELECT count(*) FROM t")->integer(0) == 1);
  CHECK(read.integrity_problems().empty());
  CHECK(code_of([&] { writer.copy_to(copy.native()); }) == Code::l_database);
  CHECK(code_of([&] { writer.copy_to((folder / "a\"b").native()); }) == Code::u_usage);
  CHECK(names_in(folder.path()).size() == 4);  // the database's three, and the copy, which has none beside it
}

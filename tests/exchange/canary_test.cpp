// The search for numbers is only worth what it finds: here it looks for what other programs wrote.

#include "support/canary.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/files.h"
#include "support/fictitious.h"
#include "support/pair.h"
#include "support/shell.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;
using Names = std::vector<std::string>;

namespace {

const Insz kLow = Insz::trusted(5070999751 - 4'000'000'000);  // below 2^31: four bytes in SQLite
const Insz kHigh = Insz::trusted(85070999751);
const Insz kTiny = Insz::trusted(10159);  // no date, so two bytes

void must(const std::string& command) {
  const ShellResult result = shell(command + " 2>&1");
  INFO(command << ": " << result.output);
  REQUIRE(result.exit_code == 0);
}

/// Lets `command` write a file named "planted", and tells where the numbers are found then.
Names found_after(const std::string& command, const std::vector<Insz>& numbers) {
  const TempFolder folder;
  write_file(folder / "harmless", std::string(1000, 'x') + "\n");
  CHECK(files_holding(folder.path(), numbers).empty());
  must("cd " + folder.path().native() + " && (" + command + ") > planted");
  const Names found = files_holding(folder.path(), numbers);
  return found == Names{folder / "planted"} ? Names{"planted"} : found;
}

/// The same with a database that the sqlite3 tool makes.
Names found_in_database(const std::string& sql, const std::vector<Insz>& numbers) {
  const TempFolder folder;
  must("sqlite3 " + (folder / "x.db").native() + " \"" + sql + "\"");
  return files_holding(folder.path(), numbers);
}

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("a number is found in whatever form another program wrote it") {
  for (const Insz& number : {kLow, kHigh}) {
    const std::string digits = digits_of(number);
    const std::string dotted = digits.substr(0, 2) + "." + digits.substr(2, 2) + "." + digits.substr(4, 2) +
                               "-" + digits.substr(6, 3) + "." + digits.substr(9);
    for (const std::string& text : {digits, dotted, std::to_string(number.value())})
      for (const char* command :
           {"printf 'before%safter' {}", "printf '%s' {} | iconv -f ascii -t utf-16le",
            "printf 'x%s' {} | iconv -f ascii -t utf-16be",
            "printf 'x%s' {} | perl -0777 -ne 'print unpack \"H*\"'",
            "printf 'x%s' {} | perl -0777 -ne 'print uc unpack \"H*\"'", "printf '%sxx' {} | base64",
            "printf 'a%sxx' {} | base64", "printf 'ab%s' {} | base64", "printf 'abc%s' {} | base64 -w 5"}) {
        const std::string filled = fmt::format(fmt::runtime(command), text);
        CAPTURE(filled);
        CHECK(found_after(filled, {number}) == Names{"planted"});
      }
    for (const char* order : {"q>", "q<"}) {
      const std::string packed = fmt::format("perl -e 'print pack(\"{}\", {})'", order, number.value());
      CAPTURE(packed);
      CHECK(found_after(packed, {number}) == Names{"planted"});
    }
    const TempFolder folder;
    must("touch " + (folder / ("list-" + digits)).native());
    CHECK(files_holding(folder.path(), {number}).size() == 1);
    CHECK(files_holding(folder.path(), {kTiny}).empty());
  }
}

TEST_CASE("a list in base64 is found however its lines are broken") {
  const TempFolder folder;
  const std::vector<Insz> numbers = fictitious_list(30, 5);
  write_file(folder / "list.csv", csv_of(numbers));
  for (const char* width : {"0", "64", "76", "13"}) {
    const std::string command = fmt::format("base64 -w {} {}", width, (folder / "list.csv").native());
    for (const Insz& number : numbers) {
      CAPTURE(command, number.value());
      CHECK(holds_number(shell(command).output, {number}));
    }
  }
}

TEST_CASE("a number in a database is found in every cell, of whatever kind and size") {
  const auto cell = [](const std::string& value, const Insz& number) {
    return found_in_database("CREATE TABLE t (a, b); INSERT INTO t VALUES ('x', " + value + ")", {number});
  };
  for (const Insz& number : {kTiny, kLow, kHigh}) {
    CAPTURE(number.value());
    CHECK(has(cell(std::to_string(number.value()), number), "x.db: t.b"));
    CHECK(has(cell(std::to_string(number.value()) + ".0", number), "x.db: t.b"));
    CHECK(has(cell("'see " + digits_of(number) + "'", number), "x.db: t.b"));
    CHECK(has(cell("CAST('" + digits_of(number) + "' AS BLOB)", number), "x.db: t.b"));
    CHECK(cell("4711", number).empty());
  }
  CHECK(has(found_in_database("CREATE TABLE t (a DEFAULT '" + digits_of(kHigh) + "')", {kHigh}),
            "x.db: sqlite_schema.sql"));
}

TEST_CASE("a number that was deleted is found where the database left it") {
  const std::string rows =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT ";
  for (const Insz& number : {kLow, kHigh}) {
    const std::string value = std::to_string(number.value());
    const Names left = found_in_database(
        "PRAGMA secure_delete=OFF; CREATE TABLE t (a); " + rows + value + " FROM n; DROP TABLE t", {number});
    REQUIRE_FALSE(left.empty());
    CHECK(left.front().find("x.db: page ") == 0);

    const TempFolder folder;
    must("cd " + folder.path().native() +
         " && sqlite3 x.db '.dbconfig no_ckpt_on_close on' 'PRAGMA journal_mode=WAL' 'CREATE TABLE t (a)'"
         " 'INSERT INTO t VALUES (" +
         value + ")' 'DELETE FROM t'");
    const Names logged = files_holding(folder.path(), {number});
    REQUIRE_FALSE(logged.empty());
    CHECK(logged.back().find("x.db-wal: page ") == 0);
  }
}

TEST_CASE("every number of a recorded list is found in the register, and nothing of it beside its table") {
  const TempFolder folder;
  const std::vector<Insz> numbers = fictitious_list(300, 5);
  Pair pair(folder.path());
  pair.start();
  pair.drop(kListName, csv_of(numbers));
  pair.run_to_rest();
  pair.avsb.reset();
  pair.aii.reset();
  const fs::path lists = pair.avsb_config.state / "ledger.db";
  const std::string bytes = read_file(lists);
  for (const Insz& number : numbers) {
    CAPTURE(number.value());
    CHECK(holds_number(bytes, {number}));
  }
  CHECK(has(files_holding(folder.path(), numbers), "ledger.db: entry.insz"));
  CHECK(files_holding(folder.path(), numbers, {lists}) == Names{});

  // What leaks beside the table shows.
  for (const auto& [place, sql] :
       {std::pair{"ledger.db: audit.record", "UPDATE audit SET record = record || '{}' WHERE seq = 2"},
        std::pair{"ledger.db: alert.text",
                  "INSERT INTO alert (id, cause, kind, code, exchange, text, opened_at, closed_at) VALUES "
                  "(99, 'x', 'notice', 'X', '', 'for {} alone', 1, 1)"},
        std::pair{"ledger.db: list.recorded_at", "UPDATE list SET recorded_at = {}"}}) {
    CAPTURE(place);
    must(fmt::format("sqlite3 {} \"{}\"", lists.native(),
                     fmt::format(fmt::runtime(sql), digits_of(numbers[7]))));
    CHECK(has(files_holding(folder.path(), numbers, {lists}), place));
  }
}

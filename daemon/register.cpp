#include "daemon/register.h"

#include <vector>

#include "core/error.h"
#include "daemon/old_pages.h"
#include "formats/list.h"

namespace veer {

std::optional<RecordedList> Register::newest(int reference_year) {
  const auto row = db_.query_one(
      "SELECT revision, exchange, records FROM list WHERE reference_year = :year ORDER BY revision DESC"
      " LIMIT 1",
      {reference_year});
  return row ? std::optional(RecordedList{row->integer(0), row->text(1), row->integer(2)}) : std::nullopt;
}

std::optional<std::string> Register::recorded_exchange(int reference_year) {
  const auto list = newest(reference_year);
  return list ? std::optional(list->exchange) : std::nullopt;
}

Change Register::record(int reference_year, std::int64_t revision, const std::string& exchange,
                        std::span<const Insz> numbers, std::uint64_t set_aside) {
  const auto one = [&](const std::string& sql, const std::vector<Value>& values) {
    return db_.query_one(sql, values)->integer(0);
  };
  const std::int64_t list = one("SELECT coalesce(max(id), 0) + 1 FROM list", {});
  const auto before = db_.query_one(
      "SELECT id FROM list WHERE reference_year = :year ORDER BY revision DESC LIMIT 1", {reference_year});
  const auto records = static_cast<std::int64_t>(numbers.size());
  db_.execute(
      "INSERT INTO list (id, reference_year, revision, exchange, records, recorded_at, set_aside)"
      " VALUES (:id, :year, :revision, :x, :records, :at, :aside)",
      {list, reference_year, revision, exchange, records, to_millis(clock_.now()),
       static_cast<std::int64_t>(set_aside)});
  // Counted over the whole table, which is an order of magnitude cheaper than over one list.
  const auto entries = [&] { return one("SELECT count(*) FROM entry", {}); };
  const std::int64_t all_before = entries();
  db_.insert_entries(list, numbers);
  if (entries() - all_before != records)
    throw Error(Code::l_database, "the register holds another count than was entered; nothing was recorded");
  if (!before) return {numbers.size(), 0};
  const std::int64_t old = before->integer(0);
  const std::int64_t kept =
      one("SELECT count(*) FROM entry new JOIN entry old ON old.list = :old AND old.insz = new.insz WHERE"
          " new.list = :new",
          {old, list});
  const std::int64_t gone = db_.execute("DELETE FROM entry WHERE list = :old", {old});
  note_old_pages(db_, clock_.now());
  return {static_cast<std::uint64_t>(records - kept), static_cast<std::uint64_t>(gone - kept)};
}

std::int64_t Register::count(int reference_year) {
  return db_
      .query_one(
          "SELECT count(*) FROM entry WHERE list = (SELECT id FROM list WHERE reference_year = :year AND"
          " revision = (SELECT max(revision) FROM list WHERE reference_year = :same))",
          {reference_year, reference_year})
      ->integer(0);
}

bool Register::holds(int reference_year, const Insz& person) {
  return db_
      .query_one(
          "SELECT 1 FROM entry WHERE insz = :insz AND list = (SELECT id FROM list WHERE reference_year = "
          ":year"
          " ORDER BY revision DESC LIMIT 1)",
          {static_cast<std::int64_t>(person.value()), reference_year})
      .has_value();
}

// In pieces: a row on its way through the library is ten times its digits.
std::vector<Insz> Register::numbers(int reference_year) {
  std::vector<Insz> numbers;
  const auto list = db_.query_one(
      "SELECT id FROM list WHERE reference_year = :year ORDER BY revision DESC LIMIT 1", {reference_year});
  if (!list) return numbers;
  numbers.reserve(static_cast<std::size_t>(count(reference_year)));
  std::int64_t last = -1;
  while (true) {
    const auto rows =
        db_.query("SELECT insz FROM entry WHERE list = :list AND insz > :last ORDER BY insz LIMIT 10000",
                  {list->integer(0), last});
    for (const Row& row : rows) numbers.push_back(Insz::trusted(static_cast<std::uint64_t>(row.integer(0))));
    if (rows.empty()) return numbers;
    last = rows.back().integer(0);
  }
}

std::string Register::as_csv(int reference_year) { return write_package_list(numbers(reference_year)); }

}  // namespace veer

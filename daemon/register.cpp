#include "daemon/register.h"

#include "core/error.h"

namespace veer {

std::optional<std::string> Register::recorded_exchange(int reference_year) {
  const auto row =
      db_.query_one("SELECT exchange FROM list WHERE reference_year = :year ORDER BY revision DESC LIMIT 1",
                    {reference_year});
  return row ? row->maybe_text(0) : std::nullopt;
}

void Register::record(int reference_year, std::int64_t revision, const std::string& exchange,
                      std::span<const Insz> numbers, std::uint64_t set_aside) {
  const std::int64_t list = db_.query_one("SELECT coalesce(max(id), 0) + 1 FROM list")->integer(0);
  const auto records = static_cast<std::int64_t>(numbers.size());
  db_.execute(
      "INSERT INTO list (id, reference_year, revision, exchange, records, recorded_at, set_aside)"
      " VALUES (:id, :year, :revision, :x, :records, :at, :aside)",
      {list, reference_year, revision, exchange, records, to_millis(clock_.now()),
       static_cast<std::int64_t>(set_aside)});
  // Counted over the whole table, which is an order of magnitude cheaper than over one list.
  const auto entries = [&] { return db_.query_one("SELECT count(*) FROM entry")->integer(0); };
  const std::int64_t before = entries();
  db_.insert_entries(list, numbers);
  if (entries() - before != records)
    throw Error(Code::l_database, "the register holds another count than was entered; nothing was recorded");
}

std::int64_t Register::count(int reference_year) {
  return db_
      .query_one(
          "SELECT count(*) FROM entry WHERE list = (SELECT id FROM list WHERE reference_year = :year AND"
          " revision = (SELECT max(revision) FROM list WHERE reference_year = :same))",
          {reference_year, reference_year})
      ->integer(0);
}

}  // namespace veer

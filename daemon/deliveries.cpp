#include "daemon/deliveries.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

constexpr std::array<std::string_view, 6> kStages = {"held",      "sealed", "delivering",
                                                     "delivered", "ended",  "recalled"};
constexpr std::string_view kColumns =
    "id, request, fund, reference_year, list_revision, revision, file, sha256, records, stage, salt, "
    "commitment, "
    "opened_at, resume_note, due_at, attempts, problem_code, problem, recipient_key, "
    "members_as_of";

Delivery delivery_of(const Row& row) {
  Delivery d;
  d.id = row.text(0);
  d.request = row.text(1);
  d.fund = row.text(2);
  d.reference_year = static_cast<int>(row.integer(3));
  d.list_revision = row.integer(4);
  d.revision = row.integer(5);
  d.file = row.text(6);
  d.sha256 = row.text(7);
  d.records = static_cast<std::uint64_t>(row.integer(8));
  const auto* const stage = std::find(kStages.begin(), kStages.end(), row.text(9));
  if (stage == kStages.end())
    throw Error(Code::l_database, "the book of deliveries holds a word that this version does not know");
  d.stage = static_cast<DeliveryStage>(stage - kStages.begin());
  d.salt = row.text(10);
  d.commitment = row.text(11);
  d.opened_at = from_millis(row.integer(12));
  d.resume_note = row.text(13);
  d.wait = {row.maybe_time(14), row.integer(15), row.text(16), row.text(17)};
  d.key = row.text(18);
  d.members_as_of = parse_date(row.text(19)).value_or(Date{});
  return d;
}

}  // namespace

std::string_view delivery_stage_name(DeliveryStage stage) {
  return kStages.at(static_cast<std::size_t>(stage));
}

void Deliveries::save(const Delivery& d) {
  db_.execute("DELETE FROM delivery WHERE id = :id", {d.id});
  db_.execute(
      fmt::format("INSERT INTO delivery ({}) VALUES (:id, :request, :fund, :year, :list, :revision, :file, "
                  ":sha, :records, :stage, :salt, :commitment, :opened, :note, :due, :attempts, :code, "
                  ":problem, :key, :members)",
                  kColumns),
      {d.id,
       d.request,
       d.fund,
       d.reference_year,
       d.list_revision,
       d.revision,
       d.file,
       d.sha256,
       static_cast<std::int64_t>(d.records),
       std::string(delivery_stage_name(d.stage)),
       d.salt,
       d.commitment,
       to_millis(d.opened_at),
       d.resume_note,
       or_null(d.wait.due),
       d.wait.attempts,
       d.wait.problem_code,
       d.wait.problem,
       d.key,
       format_date(d.members_as_of)});
}

void Deliveries::keep_note(const std::string& id, const std::string& note) {
  db_.execute("UPDATE delivery SET resume_note = :note WHERE id = :id", {note, id});
}

void Deliveries::defer(const Delivery& d, Time due, const Error& error) {
  db_.execute(
      "UPDATE delivery SET due_at = :due, attempts = attempts + 1, problem_code = :code, problem = :problem"
      " WHERE id = :id",
      {to_millis(due), std::string(code_name(error.code())), error.message(), d.id});
}

std::vector<Delivery> Deliveries::all() {
  std::vector<Delivery> deliveries;
  for (const Row& row : db_.query(fmt::format(
           "SELECT {} FROM delivery ORDER BY reference_year, fund, revision, opened_at", kColumns)))
    deliveries.push_back(delivery_of(row));
  return deliveries;
}

std::vector<Delivery> Deliveries::of_request(const std::string& request) {
  std::vector<Delivery> deliveries = all();
  std::erase_if(deliveries, [&](const Delivery& d) { return d.request != request; });
  return deliveries;
}

std::optional<Delivery> Deliveries::next(bool halted) {
  const auto row = db_.query_one(
      fmt::format("SELECT {} FROM delivery WHERE due_at IS NOT NULL{} ORDER BY due_at, id LIMIT 1", kColumns,
                  halted ? " AND stage IN ('ended', 'recalled')" : ""));
  return row ? std::optional(delivery_of(*row)) : std::nullopt;
}

std::optional<Delivery> Deliveries::last(const std::string& fund, int reference_year) {
  const auto row = db_.query_one(
      fmt::format("SELECT {} FROM delivery WHERE fund = :fund AND reference_year = :year AND stage IN "
                  "('delivered', 'recalled') ORDER BY revision DESC, opened_at DESC LIMIT 1",
                  kColumns),
      {fund, reference_year});
  return row ? std::optional(delivery_of(*row)) : std::nullopt;
}

bool Deliveries::is_delivering(const std::string& fund, int reference_year) {
  return db_
      .query_one(
          "SELECT 1 FROM delivery WHERE fund = :fund AND reference_year = :year AND stage = 'delivering'",
          {fund, reference_year})
      .has_value();
}

std::int64_t Deliveries::next_revision(const std::string& fund, int reference_year) {
  return db_
      .query_one(
          "SELECT coalesce(max(revision), 0) + 1 FROM delivery WHERE fund = :fund AND reference_year = "
          ":year AND stage <> 'held'",
          {fund, reference_year})
      ->integer(0);
}

void Deliveries::cut_salts() { db_.execute("UPDATE delivery SET salt = '', commitment = ''"); }

void Deliveries::cut_older_salts(const Delivery& newest) {
  db_.execute(
      "UPDATE delivery SET salt = '', commitment = '' WHERE fund = :fund AND reference_year = :year AND id "
      "<> "
      ":id AND stage IN ('delivered', 'ended', 'recalled')",
      {newest.fund, newest.reference_year, newest.id});
}

void Deliveries::pull_in(Time by) {
  db_.execute("UPDATE delivery SET due_at = :by WHERE due_at > :later", {to_millis(by), to_millis(by)});
}

}  // namespace veer

#include "daemon/cases.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/old_pages.h"

namespace veer {
namespace {

constexpr std::array<std::string_view, 5> kStages = {"sealed", "sent", "received", "answering", "answered"};
constexpr std::string_view kColumns =
    "id, number, reference_year, exchange, revision, stem, category, reported, persons, text, found_at, "
    "stage, "
    "command, case_sha256, answer_sha256, copy, outcome, correction, reply, answered_by, opened_at, "
    "answered_at, due_at, attempts, problem_code, problem";
constexpr std::chrono::days kTerm{14};

Case case_of(const Row& row) {
  Case c;
  c.id = row.text(0);
  c.number = static_cast<int>(row.integer(1));
  c.reference_year = static_cast<int>(row.integer(2));
  c.exchange = row.text(3);
  c.revision = row.integer(4);
  c.stem = row.text(5);
  c.category = category_named(row.text(6)).value_or(Category::wrong);
  c.reported = row.integer(7) != 0;
  c.persons = static_cast<std::uint64_t>(row.integer(8));
  c.text = row.text(9);
  c.found_at = from_millis(row.integer(10));
  c.due = case_due(c.found_at);
  const auto* const stage = std::find(kStages.begin(), kStages.end(), row.text(11));
  if (stage == kStages.end())
    throw Error(Code::l_database, "the book of cases holds a word that this version does not know");
  c.stage = static_cast<CaseStage>(stage - kStages.begin());
  c.command = row.integer(12);
  c.case_sha256 = row.text(13);
  c.answer_sha256 = row.text(14);
  c.copy = static_cast<int>(row.integer(15));
  c.outcome = case_outcome_named(row.text(16));
  c.correction = row.maybe_text(17);
  c.reply = row.text(18);
  c.answered_by = row.text(19);
  c.opened_at = from_millis(row.integer(20));
  c.answered_at = row.maybe_time(21);
  c.wait = {row.maybe_time(22), row.integer(23), row.text(24), row.text(25)};
  return c;
}

std::string gone_from(const Case& c) { return "case-gone:" + c.id; }
std::string listed_by(const Case& c) { return "case-listed:" + c.id; }

std::string skipped_numbers(int year) { return fmt::format("cases_before:{}", year); }

}  // namespace

std::string_view case_stage_name(CaseStage stage) { return kStages.at(static_cast<std::size_t>(stage)); }

Date case_due(Time found_at) { return Date(std::chrono::floor<std::chrono::days>(found_at) + kTerm); }

std::string Case::name() const { return fmt::format("{}-{}", reference_year, number); }

void Cases::save(const Case& c) {
  db_.execute("DELETE FROM quality_case WHERE id = :id", {c.id});
  db_.execute(
      fmt::format(
          "INSERT INTO quality_case ({}) VALUES (:id, :number, :year, :x, :revision, :stem, :category, "
          ":reported, :persons, :text, :found, :stage, :command, :case, :answer, :copy, :outcome, "
          ":correction, :reply, :by, :opened, :answered, :due, :attempts, :code, :problem)",
          kColumns),
      {c.id,
       c.number,
       c.reference_year,
       c.exchange,
       c.revision,
       c.stem,
       std::string(category_name(c.category)),
       c.reported ? 1 : 0,
       static_cast<std::int64_t>(c.persons),
       c.text,
       to_millis(c.found_at),
       std::string(case_stage_name(c.stage)),
       c.command,
       c.case_sha256,
       c.answer_sha256,
       c.copy,
       c.outcome ? std::string(case_outcome_name(*c.outcome)) : std::string(),
       c.correction ? Value(*c.correction) : Value(nullptr),
       c.reply,
       c.answered_by,
       to_millis(c.opened_at),
       or_null(c.answered_at),
       or_null(c.wait.due),
       c.wait.attempts,
       c.wait.problem_code,
       c.wait.problem});
}

void Cases::defer(const Case& c, Time due, const Error& error) {
  db_.execute(
      "UPDATE quality_case SET due_at = :due, attempts = attempts + 1, problem_code = :code, problem = "
      ":problem"
      " WHERE id = :id",
      {to_millis(due), std::string(code_name(error.code())), error.message(), c.id});
}

std::optional<Case> Cases::with_id(const std::string& id) {
  const auto row = db_.query_one(fmt::format("SELECT {} FROM quality_case WHERE id = :id", kColumns), {id});
  return row ? std::optional(case_of(*row)) : std::nullopt;
}

std::optional<Case> Cases::of_command(std::int64_t command) {
  const auto row =
      db_.query_one(fmt::format("SELECT {} FROM quality_case WHERE command = :command", kColumns), {command});
  return row ? std::optional(case_of(*row)) : std::nullopt;
}

std::vector<Case> Cases::all() {
  std::vector<Case> cases;
  for (const Row& row :
       db_.query(fmt::format("SELECT {} FROM quality_case ORDER BY reference_year, number, id", kColumns)))
    cases.push_back(case_of(row));
  return cases;
}

std::vector<Case> Cases::answered_by(const Exchange& correction) {
  std::vector<Case> cases = all();
  std::erase_if(cases, [&](const Case& c) {
    return c.stage != CaseStage::received || c.reference_year != correction.reference_year ||
           c.opened_at > correction.opened_at || c.revision >= correction.revision;
  });
  return cases;
}

void Cases::bind(const Case& c, std::int64_t record, const CaseBonds& bonds) {
  const auto keep = [&](const std::string& subject, const std::set<std::string>& commitments) {
    for (const std::string& commitment : commitments)
      db_.execute(
          "INSERT INTO salt (seq, subject, salt, commitment) VALUES (:seq, :subject, :salt, :commitment)",
          {record, subject, bonds.salt, commitment});
  };
  keep(gone_from(c), bonds.gone);
  keep(listed_by(c), bonds.listed);
}

CaseBonds Cases::bonds_of(const Case& c) {
  CaseBonds bonds;
  for (const Row& row :
       db_.query("SELECT subject, salt, commitment FROM salt WHERE subject = :gone OR subject = :listed",
                 {gone_from(c), listed_by(c)})) {
    bonds.salt = row.text(1);
    (row.text(0) == gone_from(c) ? bonds.gone : bonds.listed).insert(row.text(2));
  }
  return bonds;
}

void Cases::cut_loose(const Case& c) {
  if (db_.execute("DELETE FROM salt WHERE subject = :gone OR subject = :listed",
                  {gone_from(c), listed_by(c)}) > 0)
    note_old_pages(db_, clock_.now());
}

Case Cases::find(const std::string& name) {
  static constexpr std::size_t kLeast = 8;
  std::optional<Case> found;
  for (Case& c : all())
    if ((c.name() == name || (name.size() >= kLeast && c.id.starts_with(name))) && (!found || c.is_open()))
      found = std::move(c);
  if (found) return *found;
  throw Error(Code::u_unknown, fmt::format("there is no case {}: see 'veer case list'", shown_name(name)));
}

std::optional<Case> Cases::next() {
  const auto row =
      db_.query_one(fmt::format("SELECT {} FROM quality_case WHERE due_at IS NOT NULL ORDER BY due_at, "
                                "id LIMIT 1",
                                kColumns));
  return row ? std::optional(case_of(*row)) : std::nullopt;
}

int Cases::next_number(int reference_year) {
  const auto skipped = settings_.number(skipped_numbers(reference_year)).value_or(0);
  const auto last =
      db_.query_one("SELECT coalesce(max(number), 0) FROM quality_case WHERE reference_year = :year",
                    {reference_year})
          ->integer(0);
  return static_cast<int>(std::max(skipped, last)) + 1;
}

void Cases::skip_numbers(int reference_year, int last) {
  if (last >= next_number(reference_year))
    settings_.set(skipped_numbers(reference_year), std::to_string(last));
}

void Cases::pull_in(Time by) {
  db_.execute("UPDATE quality_case SET due_at = :by WHERE due_at > :later", {to_millis(by), to_millis(by)});
}

}  // namespace veer

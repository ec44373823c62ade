#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "daemon/database.h"
#include "daemon/ledger.h"
#include "daemon/settings.h"
#include "formats/quality_case.h"

namespace veer {

/// A fact that is already durable. AVSB: sealed → sent → answered, or closed by itself: → answering →
/// answered. AII: received → answering → answered. While answering, a letter has to tell the other side of
/// the outcome.
enum class CaseStage { sealed, sent, received, answering, answered };
std::string_view case_stage_name(CaseStage stage);

/// A quality case (article 7; Q42 to Q46) as either side's books know it: no personal data. The numbers are
/// in its sealed document alone, which AII can open and AVSB, once it is sealed, cannot.
struct Case {
  std::string id;  ///< UUID
  int number = 1;
  int reference_year = 0;
  std::string exchange;  ///< whose list is recorded
  std::int64_t revision = 1;
  std::string stem;  ///< of that exchange: what the letters' names begin with
  Category category = Category::wrong;
  bool reported = false;
  std::uint64_t persons = 0;
  std::string text;
  Time found_at;
  Date due;  ///< last day for the answer
  CaseStage stage = CaseStage::sealed;
  std::int64_t command = 0;        ///< that opened it; 0 when none did
  std::string case_sha256;         ///< of the sealed document of the case
  std::string answer_sha256 = {};  ///< of that of the answer; empty until it is sealed
  int copy = 1;                    ///< of the letter that this side sends
  std::optional<CaseOutcome> outcome = {};
  std::optional<std::string> correction = {};  ///< exchange that repairs it
  std::string reply = {};
  std::string answered_by = {};  ///< at AII, or whoever closed it at AVSB
  Time opened_at;                ///< in these books
  std::optional<Time> answered_at = {};
  Wait wait = {};

  /// What both sides call it: "2026-1".
  std::string name() const;
  /// Whether its end is still waited for.
  bool is_open() const { return stage != CaseStage::answered && stage != CaseStage::answering; }
};

/// What AVSB looks persons of an open case up by, once AII says that it corrected the list: commitments to
/// numbers, under one salt. No salt: nobody is bound.
struct CaseBonds {
  std::string salt;
  std::set<std::string> gone;    ///< who are not to stand on the list any more
  std::set<std::string> listed;  ///< who are to stand on it
};

/// The last day for an answer to what was found then: 14 days after it (article 7).
Date case_due(Time found_at);

/// The book of quality cases. Callers open the transactions. One thread.
class Cases {
 public:
  Cases(Database& database, const Clock& clock) : db_(database), clock_(clock), settings_(database, clock) {}

  /// Writes a new one, or what changed of one: by its id.
  void save(const Case& quality_case);
  void defer(const Case& quality_case, Time due, const Error& error);
  /// By the name that people use, or the beginning of its id, eight characters or more; of two that bear one
  /// name, since books were restored, the one that is open. Throws U_UNKNOWN.
  Case find(const std::string& name);
  std::optional<Case> with_id(const std::string& id);
  std::optional<Case> of_command(std::int64_t command);
  /// All, oldest first.
  std::vector<Case> all();
  /// AII: those that a correction answers once it is recorded: of its year, and here when it was sealed.
  std::vector<Case> answered_by(const Exchange& correction);
  /// `record`: of the audit chain; who is forgotten is cut loose by it, and all of the case with them.
  void bind(const Case& quality_case, std::int64_t record, const CaseBonds& bonds);
  CaseBonds bonds_of(const Case& quality_case);
  /// The case is over: nobody is bound to it.
  void cut_loose(const Case& quality_case);
  /// What is due first.
  std::optional<Case> next();
  int next_number(int reference_year);
  /// The numbers up to that one were given, though these books do not know for what.
  void skip_numbers(int reference_year, int last);
  /// The clock went back: nothing waits longer than until `by`.
  void pull_in(Time by);

 private:
  Database& db_;
  const Clock& clock_;
  Settings settings_;
};

}  // namespace veer

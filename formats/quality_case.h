#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "formats/insz.h"
#include "formats/party.h"

namespace veer {

/// What is wrong with recorded data, in the words of article 7: onjuist, onnauwkeurig, onvolledig,
/// ontbrekend, verouderd, overbodig.
enum class Category { wrong, inaccurate, incomplete, missing, outdated, superfluous };
inline constexpr std::array kCategories = {Category::wrong,   Category::inaccurate, Category::incomplete,
                                           Category::missing, Category::outdated,   Category::superfluous};
std::string_view category_name(Category category);
std::optional<Category> category_named(std::string_view name);
/// Whether the persons that it names stand on the list; the others are those that it lacks.
bool names_listed(Category category);

/// A number that a case is about, and the one that it should be when that is known.
struct CasePerson {
  Insz number;
  std::optional<Insz> right;
  bool operator==(const CasePerson&) const = default;
};

/// What AVSB found in a recorded list, as it travels to AII, signed and encrypted: "veerdienst-case/1"
/// (docs/protocol.md, Cases). Personal data.
struct QualityCase {
  std::string id;  ///< UUID
  int number = 1;  ///< within its reference year: both sides call it "2026-1"
  std::string environment;
  std::string exchange;  ///< whose list is recorded
  Date reference_date;
  std::int64_t revision = 1;
  Category category = Category::wrong;
  bool reported = false;  ///< by a person about themselves (article 7)
  std::vector<CasePerson> persons;
  std::string text;
  Time found_at;
  Date due;
  PartyKey sender;
  PartyKey receiver;
  AuditHead audit;
  std::string generator;
};

/// What AII did about a case; or that AVSB, which opened it, closed it without an answer.
enum class CaseOutcome { corrected, source, unfounded, closed };
inline constexpr std::array kAnswers = {CaseOutcome::corrected, CaseOutcome::source, CaseOutcome::unfounded};
std::string_view case_outcome_name(CaseOutcome outcome);
std::optional<CaseOutcome> case_outcome_named(std::string_view name);

/// AII's answer, or AVSB's word that it closed the case, as it travels to the other side, signed and
/// encrypted: "veerdienst-answer/1". No personal data.
struct CaseAnswer {
  std::string id;  ///< of the case
  std::string environment;
  CaseOutcome outcome = CaseOutcome::corrected;
  std::optional<std::string> exchange;  ///< of the correction that repairs it
  std::string text;
  Time answered_at;
  PartyKey sender;
  PartyKey receiver;
  AuditHead audit;
  std::string generator;
};

/// Each as a document with its keys in the order of docs/protocol.md, and its strict reverse. Throw
/// F_MANIFEST; a number that is none is F_MANIFEST too, and not quoted.
std::string case_json(const QualityCase& quality_case);
QualityCase parse_case(std::string_view json);
std::string answer_json(const CaseAnswer& answer);
CaseAnswer parse_answer(std::string_view json);

/// Most persons of one case, and most bytes of its document or of an answer's, sealed or not.
inline constexpr std::size_t kMostCasePersons = 200;
inline constexpr std::uint64_t kCaseCap = std::uint64_t{64} * 1024;

}  // namespace veer

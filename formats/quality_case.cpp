#include "formats/quality_case.h"

#include <algorithm>

#include "formats/shared_fields.h"
#include "formats/strict_json.h"

namespace veer {
namespace {

constexpr std::string_view kCaseName = "case";
constexpr std::string_view kAnswerName = "answer";
constexpr std::string_view kCaseFormat = "veerdienst-case/1";
constexpr std::string_view kAnswerFormat = "veerdienst-answer/1";

constexpr std::array<std::string_view, kCategories.size()> kCategoryNames = {
    "wrong", "inaccurate", "incomplete", "missing", "outdated", "superfluous"};
constexpr std::array<std::string_view, 4> kOutcomeNames = {"corrected", "source", "unfounded", "closed"};

template <typename Enum, std::size_t kCount>
std::optional<Enum> named(const std::array<std::string_view, kCount>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

const TextShape kCaseFormatShape{[](std::string_view text) { return text == kCaseFormat; },
                                 "veerdienst-case/1"};
const TextShape kAnswerFormatShape{[](std::string_view text) { return text == kAnswerFormat; },
                                   "veerdienst-answer/1"};
const TextShape kCategoryShape{[](std::string_view text) { return category_named(text).has_value(); },
                               "wrong, inaccurate, incomplete, missing, outdated or superfluous"};
const TextShape kOutcomeShape{[](std::string_view text) { return case_outcome_named(text).has_value(); },
                              "corrected, source, unfounded or closed"};
const TextShape kSourceShape{[](std::string_view text) { return text == "register" || text == "person"; },
                             "register or person"};
// Its rules are those of the list; what a case names was looked at by people, so that no date bounds it.
constexpr Date kAnyDate{std::chrono::year(9999), std::chrono::December, std::chrono::day(31)};
const TextShape kNumberShape{[](std::string_view text) {
                               Insz number;
                               return !Insz::parse(text, kAnyDate, number);
                             },
                             "a national number"};

Insz number_of(std::string_view digits) {
  Insz number;
  Insz::parse(digits, kAnyDate, number);
  return number;
}

void fields(JsonFields& json, CasePerson& person) {
  std::string number = digits_of(person.number);
  std::optional<std::string> right;
  if (person.right) right = digits_of(*person.right);
  json.text("insz", number, kNumberShape);
  json.text("right", right, kNumberShape);
  person.number = number_of(number);
  person.right = right ? std::optional(number_of(*right)) : std::nullopt;
}

// Every key of a case, in its order (docs/protocol.md, Cases).
void fields(JsonFields& json, QualityCase& c) {
  std::string format(kCaseFormat);
  std::string category(category_name(c.category));
  std::string source(c.reported ? "person" : "register");

  json.text("format", format, kCaseFormatShape);
  json.text("case", c.id, kUuidShape);
  json.number("number", c.number, 1, 999);
  json.text("environment", c.environment, kEnvironmentShape);
  json.text("exchange", c.exchange, kUuidShape);
  date_field(json, "reference_date", c.reference_date);
  json.number("revision", c.revision, 1, 999);
  json.text("category", category, kCategoryShape);
  json.text("source", source, kSourceShape);
  json.array("persons", c.persons, kMostCasePersons,
             [](JsonFields& inner, CasePerson& person) { fields(inner, person); });
  json.text("text", c.text, kSentenceShape);
  time_field(json, "found_at", c.found_at);
  date_field(json, "due", c.due);
  party_field(json, "sender", c.sender);
  party_field(json, "receiver", c.receiver);
  audit_field(json, c.audit);
  json.text("generator", c.generator, kGeneratorShape);

  c.category = *category_named(category);
  c.reported = source == "person";
  if (c.persons.empty()) json.refuse("persons", "at least one");
}

// Likewise of an answer.
void fields(JsonFields& json, CaseAnswer& a) {
  std::string format(kAnswerFormat);
  std::string outcome(case_outcome_name(a.outcome));

  json.text("format", format, kAnswerFormatShape);
  json.text("case", a.id, kUuidShape);
  json.text("environment", a.environment, kEnvironmentShape);
  json.text("outcome", outcome, kOutcomeShape);
  json.text("exchange", a.exchange, kUuidShape);
  json.text("text", a.text, kSentenceShape);
  time_field(json, "answered_at", a.answered_at);
  party_field(json, "sender", a.sender);
  party_field(json, "receiver", a.receiver);
  audit_field(json, a.audit);
  json.text("generator", a.generator, kGeneratorShape);

  a.outcome = *case_outcome_named(outcome);
}

template <typename Document>
std::string written(std::string_view name, const Document& document) {
  Document copy = document;
  return write_json(name, [&](JsonFields& json) { fields(json, copy); });
}

template <typename Document>
Document read(std::string_view name, std::string_view json) {
  Document document;
  read_json(json, name, [&](JsonFields& object) { fields(object, document); });
  return document;
}

}  // namespace

std::string_view category_name(Category category) {
  return kCategoryNames.at(static_cast<std::size_t>(category));
}

std::optional<Category> category_named(std::string_view name) {
  return named<Category>(kCategoryNames, name);
}

bool names_listed(Category category) {
  return category != Category::missing && category != Category::incomplete;
}

std::string_view case_outcome_name(CaseOutcome outcome) {
  return kOutcomeNames.at(static_cast<std::size_t>(outcome));
}

std::optional<CaseOutcome> case_outcome_named(std::string_view name) {
  return named<CaseOutcome>(kOutcomeNames, name);
}

std::string case_json(const QualityCase& c) { return written(kCaseName, c); }
QualityCase parse_case(std::string_view json) { return read<QualityCase>(kCaseName, json); }
std::string answer_json(const CaseAnswer& answer) { return written(kAnswerName, answer); }
CaseAnswer parse_answer(std::string_view json) { return read<CaseAnswer>(kAnswerName, json); }

}  // namespace veer

// Quality cases: what is wrong with a recorded list, reported by the receiver and answered by the sender.

#include "daemon/cases.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "core/secret.h"
#include "daemon/case_deadlines.h"
#include "daemon/case_mail.h"
#include "daemon/commands/acting.h"
#include "daemon/commands/books.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/looks.h"

namespace veer {
namespace {

template <typename Enum, std::size_t kCount>
std::vector<std::string> names_of(const std::array<Enum, kCount>& all, std::string_view (*name)(Enum)) {
  std::vector<std::string> names;
  for (const Enum one : all) names.emplace_back(name(one));
  return names;
}

std::string state_of(const Case& c) {
  switch (c.stage) {
    case CaseStage::sealed:
      return "to be put on the share";
    case CaseStage::sent:
    case CaseStage::received:
      return "to be answered by " + format_date(c.due);
    case CaseStage::answering:
      return c.outcome == CaseOutcome::closed
                 ? "closed; that the other side learns so is to be put on the share"
                 : "the answer is to be put on the share";
    case CaseStage::answered:
      return told_outcome(c);
  }
  return "";
}

Json json_of(const Case& c) {
  return {{"case", c.name()},
          {"id", c.id},
          {"exchange", c.exchange},
          {"reference_year", c.reference_year},
          {"revision", c.revision},
          {"category", category_name(c.category)},
          {"source", c.reported ? "person" : "register"},
          {"persons", c.persons},
          {"text", c.text},
          {"found_at", format_time(c.found_at)},
          {"due", format_date(c.due)},
          {"stage", case_stage_name(c.stage)},
          {"outcome", c.outcome ? Json(case_outcome_name(*c.outcome)) : Json(nullptr)},
          {"correction", c.correction ? Json(*c.correction) : Json(nullptr)},
          {"reply", c.reply},
          {"answered_by", c.answered_by},
          {"answered_at", c.answered_at ? Json(format_time(*c.answered_at)) : Json(nullptr)}};
}

std::string text_about(const Case& c) {
  std::string text;
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<12}{}\n", name, value);
  };
  line("case", c.name());
  line("list",
       fmt::format("1 January {}, revision {}, exchange {}", c.reference_year, c.revision, c.exchange));
  line("data", fmt::format("{}, {} person(s){}", category_name(c.category), c.persons,
                           c.reported ? ", reported by a person" : ""));
  line("text", c.text);
  line("found", format_time(c.found_at));
  line("due", format_date(c.due));
  line("state", state_of(c));
  if (c.answered_at)
    line("answered", fmt::format("{}{}", format_time(*c.answered_at),
                                 c.answered_by.empty() ? "" : " by " + c.answered_by));
  return text;
}

/// Printed by this process alone: they pass through memory that the service was handed.
void print_persons(Context& context, const std::string& name) {
  context.print(lent_answer(context, {.verb = "case-persons", .argument = name}).reveal());
}

void add_open(CLI::App& cases, Context& context) {
  struct Wish {
    int year = 0;
    std::string category;
    bool reported = false;
    std::string text = {};
  };
  auto wish = std::make_shared<Wish>();
  auto* open = cases.add_subcommand(
      "open",
      "Report what is wrong with a recorded list: numbers on standard input, a line each, behind a wrong "
      "one the right one if it is known");
  open->add_option("YEAR", wish->year, "Reference year")->required()->check(CLI::Range(2022, 9999));
  open->add_option("--category", wish->category, "What is wrong with the data")
      ->required()
      ->check(CLI::IsMember(names_of(kCategories, category_name)));
  open->add_flag("--reported", wish->reported, "A person reported it about themselves");
  open->add_option("--text", wish->text, "In a few words, without names or numbers");
  open->callback([&context, wish] {
    act(context, {.verb = "case-open",
                  .argument = fmt::format("{} {} {} {}", wish->year, wish->category,
                                          wish->reported ? "person" : "register", wish->text),
                  .entrusted = std::make_shared<Fd>(persons_from_stdin(context))});
    context.tell(
        "it goes to the other side, encrypted; 'veer case mail' with that name prints the e-mail for its "
        "contact point\n");
  });
}

void add_close(CLI::App& cases, Context& context) {
  auto name = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  auto* close = cases.add_subcommand(
      "close", "End a case without an answer: it was a mistake, or none can come; the other side is told");
  close->add_option("CASE", *name, "Which, like 2026-1")->required();
  close->add_option("--reason", *reason, "Why; it stays in the audit trail")->required();
  close->callback([&context, name, reason] {
    act(context, {.verb = "case-close", .argument = with_text(*name, *reason)});
  });
}

void add_answer(CLI::App& cases, Context& context) {
  struct Wish {
    std::string name;
    std::string outcome;
    std::string text;
  };
  auto wish = std::make_shared<Wish>();
  auto* answer =
      cases.add_subcommand("answer", "Say what was done about a case; the other side is told, signed");
  answer->add_option("CASE", wish->name, "Which, like 2026-1")->required();
  answer
      ->add_option(
          "--outcome", wish->outcome,
          "corrected: by a correction that was recorded; source: put right for the next list; unfounded: "
          "the list was right")
      ->required()
      ->check(CLI::IsMember(names_of(kAnswers, case_outcome_name)));
  answer->add_option("--text", wish->text,
                     "In a few words, without names or numbers; it may be left out with corrected alone");
  answer->callback([&context, wish] {
    act(context,
        {.verb = "case-answer", .argument = fmt::format("{} {} {}", wish->name, wish->outcome, wish->text)});
  });
}

}  // namespace

void show_cases(Context& context) {
  OwnBooks books(context);
  const auto cases = Cases(*books.db, books.clock).all();
  if (context.json) {
    Json json = Json::array();
    for (const Case& c : cases) json.push_back(json_of(c));
    context.print(text_of(json));
    return;
  }
  for (const Case& c : cases)
    context.print(fmt::format("{}  {}  {}, {} person(s): {}\n", c.name(), format_time(c.found_at),
                              category_name(c.category), c.persons, state_of(c)));
  if (cases.empty()) context.tell("no case\n");
}

void show_case(Context& context, const std::string& what) {
  OwnBooks books(context);
  const std::size_t blank = what.find(' ');
  const Case c =
      Cases(*books.db, books.clock).find(blank == std::string::npos ? what : what.substr(blank + 1));
  if (what.starts_with("mail ")) {
    if (books.config.role == Role::sender)
      throw Error(Code::u_usage,
                  fmt::format("whoever found it writes that e-mail: 'veer case show {}' tells what this "
                              "side was told",
                              c.name()));
    return context.print(mail_about(c, books.config));
  }
  context.print(context.json ? text_of(json_of(c)) : text_about(c));
}

void add_cases(CLI::App& app, Context& context) {
  auto* cases = app.add_subcommand("case", "What is wrong with a recorded list, and what was done about it");
  cases->require_subcommand(1);
  cases->add_subcommand("list", "All")->callback([&context] { look(context, "cases"); });
  auto name = std::make_shared<std::string>();
  const auto add = [&](const char* verb, const char* help, const std::function<void()>& does) {
    auto* one = cases->add_subcommand(verb, help);
    one->add_option("CASE", *name, "Which, like 2026-1")->required();
    one->callback(does);
  };
  add("show", "One: what it is about, and what came of it",
      [&context, name] { look(context, "case", "show " + *name); });
  add("mail", "The e-mail that tells the other side's contact point of it, without anything about anybody",
      [&context, name] { look(context, "case", "mail " + *name); });
  add("persons", "The numbers that an open case names, for the operator who looks into it; on record",
      [&context, name] { print_persons(context, *name); });
  add("resend", "Put the sealed case on the share again",
      [&context, name] { act(context, {.verb = "case-resend", .argument = *name}); });
  add_open(*cases, context);
  add_answer(*cases, context);
  add_close(*cases, context);
}

}  // namespace veer

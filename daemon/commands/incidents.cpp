// Incidents: what was found, what an officer says of it, and the texts for the other side and the supervisor.

#include "daemon/incidents.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/acting.h"
#include "daemon/commands/books.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/looks.h"
#include "daemon/ledger.h"
#include "daemon/officer.h"

namespace veer {
namespace {

std::string state_of(const Incident& incident) {
  if (incident.closed_at) return fmt::format("closed, {}", verdict_name(incident.verdict));
  if (incident.verdict == Verdict::dismissed) return "dismissed";
  return fmt::format(
      "{}, {}", verdict_name(incident.verdict),
      incident.notified_at ? "the other side was told" : "to be told before " + format_time(incident.due()));
}

Json json_of(const Incident& incident) {
  const auto time = [](const std::optional<Time>& at) { return at ? Json(format_time(*at)) : Json(nullptr); };
  return {{"number", incident.id},
          {"code", incident.code},
          {"exchange", incident.exchange},
          {"text", incident.text},
          {"found_at", format_time(incident.found_at)},
          {"due", format_time(incident.due())},
          {"supervisor_due", format_time(incident.supervisor_due())},
          {"verdict", verdict_name(incident.verdict)},
          {"decided_by", incident.decided_by},
          {"decided_at", time(incident.decided_at)},
          {"why", incident.why},
          {"notified_by", incident.notified_by},
          {"notified_at", time(incident.notified_at)},
          {"closed_at", time(incident.closed_at)}};
}

}  // namespace

void show_incidents(Context& context) {
  OwnBooks books(context);
  Incidents book(*books.db, books.clock);
  const auto incidents = book.all();
  if (!book.waiting().empty()) context.exit_code = kAttention;
  if (context.json) {
    Json json = Json::array();
    for (const Incident& incident : incidents) json.push_back(json_of(incident));
    context.print(text_of(json));
    return;
  }
  for (const Incident& incident : incidents)
    context.print(fmt::format("{}  {}  {}  {}: {}\n", incident.id, format_time(incident.found_at),
                              incident.code, state_of(incident), incident.text));
  if (incidents.empty()) context.tell("no incident\n");
}

void show_incident(Context& context, const std::string& what) {
  OwnBooks books(context);
  const std::size_t blank = what.find(' ');
  const std::string kind = what.substr(0, blank);
  const Incident incident =
      Incidents(*books.db, books.clock)
          .find(typed_number(blank == std::string::npos ? "" : what.substr(blank + 1),
                             "an incident is named by its number in 'veer incident list'"));
  if (kind == "notice") return context.print(notice_of(incident, books.config));
  if (kind == "report") {
    const auto exchange = Ledger(*books.db, books.clock).exchange(incident.exchange);
    return context.print(breach_report_of(incident, books.config, exchange, books.clock.now()));
  }
  if (context.json) return context.print(text_of(json_of(incident)));
  std::string text =
      fmt::format("incident   {}\nfound      {}\ncode       {}\nwhat       {}\nstate      {}\n", incident.id,
                  format_time(incident.found_at), incident.code, incident.text, state_of(incident));
  if (incident.verdict != Verdict::dismissed && !incident.closed_at)
    text += fmt::format("supervisor to be told before {} where there is a risk to persons\n",
                        format_time(incident.supervisor_due()));
  if (incident.decided_at)
    text += fmt::format("{:<10} {} by {}: {}\n", verdict_name(incident.verdict),
                        format_time(*incident.decided_at), incident.decided_by, incident.why);
  if (incident.notified_at)
    text += fmt::format("told       {} by {}\n", format_time(*incident.notified_at), incident.notified_by);
  context.print(text);
}

void add_incidents(CLI::App& app, Context& context) {
  auto* incidents =
      app.add_subcommand("incident", "Findings, as the protocol asks to deal with them: within 24 hours");
  incidents->require_subcommand(1);
  incidents->add_subcommand("list", "All, oldest first")->callback([&context] {
    look(context, "incidents");
  });
  auto number = std::make_shared<std::string>();
  for (const auto& [name, what, help] :
       {std::tuple{"show", "show", "One, and what was said of it"},
        {"notice", "notice", "The text for the other side's officer"},
        {"report", "report", "What an officer must report of a breach (article 33(3) GDPR)"}}) {
    auto* one = incidents->add_subcommand(name, help);
    one->add_option("NUMBER", *number, "Which")->required();
    one->callback(
        [&context, number, kind = std::string(what)] { look(context, "incident", kind + " " + *number); });
  }
  auto text = std::make_shared<std::string>();
  for (const auto& [name, option, help] :
       {std::tuple{"confirm", "--why", "Say that it was an attempt or a breach"},
        {"dismiss", "--why", "Say that it was none"},
        {"notified", "--how", "Say that the other side was told"},
        {"close", "", "It was dealt with; closes its alert too"}}) {
    auto* one = incidents->add_subcommand(name, help);
    one->add_option("NUMBER", *number, "Which")->required();
    if (*option != '\0')
      one->add_option(option, *text, "In a few words; it stays in the audit trail")->required();
    one->callback([&context, number, text, verb = std::string("incident-") + name] {
      act(context, {.verb = verb, .argument = text->empty() ? *number : with_text(*number, *text)});
    });
  }
}

}  // namespace veer

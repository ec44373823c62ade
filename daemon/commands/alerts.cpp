// Alerts: what needs a person, and whom it was told to.

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "daemon/alert_texts.h"
#include "daemon/commands/books.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/looks.h"

namespace veer {
namespace {

Json json_of(const std::optional<Time>& time) { return time ? Json(format_time(*time)) : Json(nullptr); }

Json json_of(const Telling& telling) {
  Json json = {{"channel", telling.channel},
               {"turn", alert_turn_name(telling.turn)},
               {"due", json_of(telling.wait.due)},
               {"attempts", telling.wait.attempts}};
  if (!telling.wait.problem_code.empty())
    json["problem"] = {{"code", telling.wait.problem_code}, {"text", telling.wait.problem}};
  return json;
}

}  // namespace

Json json_of(const Alert& alert) {
  return {{"number", alert.id},
          {"topic", topic_of(alert)},
          {"kind", alert.kind},
          {"code", alert.code},
          {"exchange", alert.exchange},
          {"text", alert.text},
          {"opened_at", format_time(alert.opened_at)},
          {"closed_at", json_of(alert.closed_at)},
          {"acknowledged_at", json_of(alert.acknowledged_at)},
          {"acknowledged_by", alert.acknowledged_by},
          {"closed_by", alert.closed_by}};
}

void show_alerts(Context& context) {
  OwnBooks books(context);
  const auto alerts = AlertBook(*books.db, books.clock).open();
  if (needs_attention(alerts)) context.exit_code = kAttention;
  if (context.json) {
    Json json = Json::array();
    for (const Alert& alert : alerts) json.push_back(json_of(alert));
    context.print(text_of(json));
    return;
  }
  for (const Alert& alert : alerts)
    context.print(
        fmt::format("{}  {}  {} {}: {}{}\n", alert.id, format_time(alert.opened_at), alert.kind, alert.code,
                    as_typed(alert.text, books.config),
                    alert.acknowledged_at ? fmt::format(" (taken up by {})", alert.acknowledged_by) : ""));
  if (alerts.empty()) context.tell("nothing is open\n");
}

namespace {

std::string line_of(const Telling& telling) {
  if (!telling.wait.due)
    return fmt::format("  {} by {}: told\n", alert_turn_name(telling.turn), telling.channel);
  return fmt::format("  {} by {}: due {}{}\n", alert_turn_name(telling.turn), telling.channel,
                     format_time(*telling.wait.due),
                     telling.wait.problem_code.empty()
                         ? ""
                         : fmt::format(" after {} failed tries ({}: {})", telling.wait.attempts,
                                       telling.wait.problem_code, telling.wait.problem));
}

}  // namespace

void show_alert(Context& context, const std::string& text) {
  const std::int64_t number = typed_number(text, "an alert is named by its number in 'veer alerts'");
  OwnBooks books(context);
  AlertBook book(*books.db, books.clock);
  const auto alert = book.find(number);
  if (!alert) throw Error(Code::u_unknown, fmt::format("there is no alert {}: see 'veer alerts'", number));
  const auto tellings = book.tellings().of(number);
  if (context.json) {
    Json json = json_of(*alert);
    json["told"] = Json::array();
    for (const Telling& telling : tellings) json["told"].push_back(json_of(telling));
    context.print(text_of(json));
    return;
  }
  context.print(
      to_text(message_of(*alert, {}, books.config, books.clock.now(), 0, book.incidents().waiting())));
  std::string more = fmt::format("\nopened {}\n", format_time(alert->opened_at));
  if (alert->acknowledged_at)
    more += fmt::format("taken up {} by {}\n", format_time(*alert->acknowledged_at), alert->acknowledged_by);
  if (alert->closed_at)
    more += fmt::format("closed {}{}\n", format_time(*alert->closed_at),
                        alert->closed_by.empty() ? "" : " by " + alert->closed_by);
  for (const Telling& telling : tellings) more += line_of(telling);
  context.print(more);
}

void add_alerts(CLI::App& app, Context& context) {
  auto* alerts = app.add_subcommand("alerts", "What needs a person: open alerts, and whom they were told to");
  alerts->require_subcommand(0, 1);
  alerts->callback([alerts, &context] {
    if (alerts->get_subcommands().empty()) look(context, "alerts");
  });
  alerts->add_subcommand("list", "Those that are open")->callback([&context] { look(context, "alerts"); });
  auto number = std::make_shared<std::string>();
  auto* one = alerts->add_subcommand("show", "One, with what it means, what to do, and whom it was told to");
  one->add_option("NUMBER", *number, "Which")->required();
  one->callback([&context, number] { look(context, "alert", *number); });
  add_alert_acting(*alerts, context);
  auto language = std::make_shared<std::string>();
  auto* catalog = alerts->add_subcommand("catalog", "What the journal tells of each topic: for the package");
  catalog->add_option("LANGUAGE", *language, "en or nl")->required()->check(CLI::IsMember({"en", "nl"}));
  catalog->callback([&context, language] {
    context.print(journal_catalog(*language == "nl" ? Language::nl : Language::en));
  });
  add_unit_failure(*alerts, context);
}

}  // namespace veer

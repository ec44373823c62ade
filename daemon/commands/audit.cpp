#include "daemon/audit.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/looks.h"

namespace veer {
namespace {

AuditHead anchor_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  const bool digits =
      colon != 0 && colon != std::string::npos && colon < 16 && text.find_first_not_of("0123456789") == colon;
  if (!digits || text.size() != colon + 65)
    throw Error(Code::u_usage,
                "an anchor is written SEQ:HASH, as 'veer audit anchors' of the other side prints it");
  return {std::stoll(text.substr(0, colon)), text.substr(colon + 1)};
}

}  // namespace

void verify_chain(Context& context, const std::vector<std::string>& anchors) {
  const Config config = context.own_config();
  const auto books = open_books(config);
  std::vector<AuditHead> heads;
  heads.reserve(anchors.size());
  for (const std::string& anchor : anchors) heads.push_back(anchor_of(anchor));
  const AuditReport report = verify_audit(*books, config.party, heads);
  if (!report.problems.empty()) context.exit_code = kFailed;
  if (context.json) {
    Json json = {{"seq", report.head.seq},
                 {"head", report.head.head},
                 {"anchors", heads.size()},
                 {"anchored_seq", report.anchored_seq},
                 {"signed_here", report.signed_here}};
    json["problems"] = Json::array();
    for (const AuditProblem& problem : report.problems)
      json["problems"].push_back({{"kind", problem.kind}, {"seq", problem.seq}, {"text", problem.text}});
    context.print(text_of(json));
    return;
  }
  for (const AuditProblem& problem : report.problems)
    context.print(fmt::format("{}: {}\n", problem.kind, problem.text));
  if (report.problems.empty() && report.anchored_seq > 0)
    context.print(fmt::format("the chain is whole up to record {}; nothing known contradicts the rest\n",
                              report.anchored_seq));
  else if (report.problems.empty())
    context.print(
        "nothing known here contradicts the chain; whether it was cut or written anew, only a point that the "
        "other side holds can show ('veer audit anchors' there, '--anchor' here)\n");
  context.print(
      fmt::format("head {}:{}, held against {} anchor(s), {} receipt(s) signed here and the stage of "
                  "each exchange\n",
                  report.head.seq, report.head.head, heads.size(), report.signed_here));
}

void show_anchors(Context& context) {
  const auto books = open_books(context.own_config());
  const auto rows = books->query("SELECT party, seq, head, exchange, at FROM anchor ORDER BY at, seq");
  if (context.json) {
    Json json = Json::array();
    for (const Row& row : rows)
      json.push_back({{"party", row.text(0)},
                      {"seq", row.integer(1)},
                      {"head", row.text(2)},
                      {"exchange", row.text(3)},
                      {"at", format_time(from_millis(row.integer(4)))}});
    context.print(text_of(json));
    return;
  }
  for (const Row& row : rows)
    context.print(fmt::format("{} {}:{} {}\n", row.text(0), row.integer(1), row.text(2), row.text(3)));
}

void add_audit(CLI::App& app, Context& context) {
  auto* audit = app.add_subcommand("audit", "The chain of events");
  audit->require_subcommand(1);
  auto* walk =
      audit->add_subcommand("verify", "Walk the chain, and hold it against what others remember of it");
  auto heads = std::make_shared<std::vector<std::string>>();
  walk->add_option("--anchor", *heads, "SEQ:HASH that the other side holds; may be repeated");
  walk->callback(
      [&context, heads] { look(context, "audit verify", fmt::format("{}", fmt::join(*heads, " "))); });
  audit->add_subcommand("anchors", "The other side's signed points, for its own verification")
      ->callback([&context] { look(context, "audit anchors"); });
}

}  // namespace veer

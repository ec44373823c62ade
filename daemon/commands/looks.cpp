#include "daemon/commands/looks.h"

#include <sstream>

#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

void look_at(Context& context, const std::string& what, const std::string& argument) {
  if (what == "status") return show_status(context);
  if (what == "list") return show_list(context);
  if (what == "metrics") return show_metrics(context);
  if (what == "show") return show_exchange(context, argument);
  if (what == "alerts") return show_alerts(context);
  if (what == "alert") return show_alert(context, argument);
  if (what == "incidents") return show_incidents(context);
  if (what == "incident") return show_incident(context, argument);
  if (what == "cases") return show_cases(context);
  if (what == "case") return show_case(context, argument);
  if (what == "receipt") return show_receipt(context, argument);
  if (what == "release") return show_release(context, argument);
  if (what == "audit verify") return verify_chain(context, words_of(argument));
  if (what == "audit anchors") return show_anchors(context);
  if (what == "evidence") return show_evidence(context, argument);
  throw Error(Code::u_usage, "the service knows no such look; is it of another version?");
}

}  // namespace

LookAnswer look_here(const Context& context, const std::string& what, const std::string& argument,
                     bool json) {
  LookAnswer answer;
  Context captured = context;
  captured.json = json;
  captured.exit_code = kDone;
  captured.captured = &answer.text;
  look_at(captured, what, argument);
  answer.exit_code = captured.exit_code;
  return answer;
}

std::unique_ptr<BusClient> service_of(const Context& context, const std::string& strangeness) {
  const std::string instance = context.bus_instance();
  try {
    return std::make_unique<BusClient>(instance, context.config_path());
  } catch (const Error& error) {
    if (error.code() != Code::s_unreachable) throw;
    throw Error(error.code(), fmt::format("{}, and {}: start the service (systemctl start veerdienst@{}), or "
                                          "run this as its user, with runuser(1) or sudo(8)",
                                          strangeness, error.message(), instance));
  }
}

std::string found_by(const Context& context, const std::string& what, const std::string& argument) {
  const auto strangeness = context.strangeness();
  return (strangeness ? service_of(context, *strangeness)->look(what, argument, true)
                      : look_here(context, what, argument, true))
      .text;
}

void look(Context& context, const std::string& what, const std::string& argument) {
  const auto strangeness = context.strangeness();
  if (!strangeness) return look_at(context, what, argument);
  const LookAnswer answer = service_of(context, *strangeness)->look(what, argument, context.json);
  context.print(answer.text);
  context.exit_code = answer.exit_code;
}

}  // namespace veer

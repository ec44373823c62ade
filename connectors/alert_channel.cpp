#include "connectors/alert_channel.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/html.h"

namespace veer {
namespace {

std::string_view what_to_type(const AlertMessage& message) {
  return message.language == "nl" ? "Te typen:" : "To type:";
}

std::string particulars(const AlertMessage& message) {
  std::string line =
      fmt::format("{} · {} · {} · {}", message.instance, message.environment, message.topic, message.code);
  if (!message.exchange.empty()) line += " · " + message.exchange;
  return line;
}

}  // namespace

std::string to_json(const AlertMessage& message) {
  return nlohmann::ordered_json{{"id", message.id},
                                {"thread", message.thread},
                                {"instance", message.instance},
                                {"environment", message.environment},
                                {"turn", message.turn},
                                {"severity", message.severity},
                                {"topic", message.topic},
                                {"code", message.code},
                                {"exchange", message.exchange},
                                {"opened", format_time(message.opened)},
                                {"at", format_time(message.at)},
                                {"language", message.language},
                                {"headline", message.headline},
                                {"paragraphs", message.paragraphs},
                                {"command", message.command}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_text(const AlertMessage& message) {
  std::string text = message.headline + "\n";
  for (const std::string& paragraph : message.paragraphs) text += "\n" + paragraph + "\n";
  if (!message.command.empty()) text += fmt::format("\n{}\n    {}\n", what_to_type(message), message.command);
  return text + fmt::format("\n-- \n{}\n", particulars(message));
}

std::string to_html(const AlertMessage& message) {
  std::string body = fmt::format("<h1 style=\"font-size:1.2em\">{}</h1>\n", escaped_html(message.headline));
  for (const std::string& paragraph : message.paragraphs)
    body += fmt::format("<p>{}</p>\n", escaped_html(paragraph));
  if (!message.command.empty())
    body += fmt::format("<p>{}</p>\n<pre style=\"background:#eee;color:#111;padding:.6em\">{}</pre>\n",
                        what_to_type(message), escaped_html(message.command));
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n"
      "<body "
      "style=\"font-family:sans-serif;max-width:40em\">\n{}<p><small>{}</small></p>\n</body>\n</html>\n",
      message.language, escaped_html(message.headline), body, escaped_html(particulars(message)));
}

}  // namespace veer

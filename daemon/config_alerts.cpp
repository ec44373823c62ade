#include "daemon/config_alerts.h"

#include <algorithm>

#include <fmt/format.h>

#include "connectors/url.h"
#include "daemon/config.h"

namespace veer {
namespace {

using Millis = std::chrono::milliseconds;

bool is_reference(std::string_view text) {
  return text.starts_with("credential:") || text.starts_with("file:/");
}

std::string reference(TomlTable& table, std::string_view key) {
  std::string value = table.text(key).value_or("");
  if (!value.empty() && !is_reference(value))
    table.problem(key,
                  "must say where the secret is, and not hold it: \"credential:NAME\" or \"file:/PATH\"");
  return value;
}

void duration(TomlTable& table, std::string_view key, Millis& into) {
  const auto value = table.text(key);
  if (!value) return;
  const auto parsed = parse_duration(*value);
  if (!parsed || *parsed < std::chrono::minutes(1) || *parsed > std::chrono::days(366))
    table.problem(key, "must be a time from \"1m\" to \"366d\"");
  else
    into = *parsed;
}

std::filesystem::path path(TomlTable& table, std::string_view key) {
  std::filesystem::path value = table.text(key).value_or("");
  if (!value.empty() && !value.is_absolute()) table.problem(key, "must be a whole path, from /");
  return value.lexically_normal();
}

std::vector<std::string> addresses(TomlTable& table, std::string_view key) {
  std::vector<std::string> all = table.texts(key);
  for (const std::string& address : all)
    if (!is_mail_address(address))
      table.problem(key, "must hold mail addresses alone: [\"operator@aii.example.org\"]");
  return all;
}

MailConfig read_mail(TomlTable table) {
  MailConfig mail;
  mail.host = table.text("server").value_or("");
  if (mail.host.empty() || mail.host.find_first_of("/@[] \t\r\n%") != std::string::npos)
    table.problem("server", "must be a host name or an address alone: \"mail.example.org\"");
  const std::string security = table.text("security").value_or("starttls");
  mail.security = security == "tls"    ? MailSecurity::tls
                  : security == "none" ? MailSecurity::none
                                       : MailSecurity::starttls;
  if (security != "starttls" && security != "tls" && security != "none")
    table.problem("security", "must be \"starttls\" or \"tls\" or \"none\"");
  const bool here = mail.host == "localhost" || mail.host == "127.0.0.1" || mail.host == "::1";
  if (security == "none" && !here)
    table.problem("security", "\"none\" is for a relay on this machine alone: use \"starttls\" or \"tls\"");
  const std::int64_t usual = security == "tls" ? 465 : security == "none" ? 25 : 587;
  const std::int64_t port = table.integer("port").value_or(usual);
  if (port < 1 || port > 65535) table.problem("port", "must be 1 to 65535");
  mail.port = static_cast<int>(std::clamp<std::int64_t>(port, 1, 65535));
  mail.user = table.text("user").value_or("");
  mail.password = reference(table, "password");
  if (mail.user.empty() != mail.password.empty())
    table.problem(mail.user.empty() ? "user" : "password",
                  "user and password belong together: give both or none");
  mail.from = table.text("from").value_or("");
  if (!is_mail_address(mail.from))
    table.problem("from", "must be a mail address: \"veerdienst@aii.example.org\"");
  mail.to = addresses(table, "to");
  if (mail.to.empty()) table.problem("to", "must name who is told: [\"operator@aii.example.org\"]");
  mail.escalate_to = addresses(table, "escalate_to");
  mail.ca = path(table, "ca");
  table.refuse_unknown();
  return mail;
}

WebhookConfig read_webhook(TomlTable table) {
  WebhookConfig webhook;
  webhook.url = table.text("url").value_or("");
  if (!is_reference(webhook.url) && !parse_https(webhook.url))
    table.problem("url", "must begin with https://, or say where it is: \"credential:webhook-url\"");
  webhook.secret = reference(table, "secret");
  const std::string body = table.text("format").value_or("json");
  webhook.body = body == "teams" ? WebhookBody::teams : WebhookBody::json;
  if (body != "json" && body != "teams") table.problem("format", "must be \"json\" or \"teams\"");
  webhook.ca = path(table, "ca");
  table.refuse_unknown();
  return webhook;
}

}  // namespace

TellingRules AlertsConfig::rules() const {
  TellingRules rules{.channels = {},
                     .repeat = repeat,
                     .escalate_after = escalate_after,
                     .escalates = mail && !mail->escalate_to.empty()};
  if (mail) rules.channels.emplace_back("mail");
  if (webhook) rules.channels.emplace_back("webhook");
  if (!hook.empty()) rules.channels.emplace_back("hook");
  return rules;
}

AlertsConfig read_alerts(TomlTable table) {
  AlertsConfig alerts;
  duration(table, "repeat", alerts.repeat);
  duration(table, "escalate_after", alerts.escalate_after);
  if (table.has("mail")) alerts.mail = read_mail(table.table("mail"));
  if (table.has("webhook")) alerts.webhook = read_webhook(table.table("webhook"));
  alerts.hook = path(table, "hook");
  table.refuse_unknown();
  return alerts;
}

}  // namespace veer

#include "daemon/config_alerts.h"

#include <algorithm>

#include <fmt/format.h>

#include "connectors/url.h"
#include "core/digest.h"
#include "daemon/config_values.h"

namespace veer {
namespace {

using Millis = std::chrono::milliseconds;

std::vector<std::string> addresses(TomlTable& table, std::string_view key) {
  std::vector<std::string> all = table.texts(key);
  for (const std::string& address : all)
    if (!is_mail_address(address))
      table.problem(key, "must hold mail addresses alone: [\"operator@aii.example.org\"]");
  return all;
}

MailConfig read_mail(TomlTable table) {
  MailConfig mail;
  mail.host = value::host(table, "server", "\"mail.example.org\"");
  mail.security = value::choice<MailSecurity>(
      table, "security",
      {{"starttls", MailSecurity::starttls}, {"tls", MailSecurity::tls}, {"none", MailSecurity::none}},
      MailSecurity::starttls);
  const bool here = mail.host == "localhost" || mail.host == "127.0.0.1" || mail.host == "::1";
  if (mail.security == MailSecurity::none && !here)
    table.problem("security", "\"none\" is for a relay on this machine alone: use \"starttls\" or \"tls\"");
  mail.port = value::port(table, mail.security == MailSecurity::tls    ? 465
                                 : mail.security == MailSecurity::none ? 25
                                                                       : 587);
  mail.user = table.text("user").value_or("");
  mail.password = value::reference(table, "password");
  if (mail.user.empty() != mail.password.empty())
    table.problem(mail.user.empty() ? "user" : "password",
                  "user and password belong together: give both or none");
  mail.from = table.text("from").value_or("");
  if (!is_mail_address(mail.from))
    table.problem("from", "must be a mail address: \"veerdienst@aii.example.org\"");
  mail.to = addresses(table, "to");
  if (mail.to.empty()) table.problem("to", "must name who is told: [\"operator@aii.example.org\"]");
  mail.escalate_to = addresses(table, "escalate_to");
  mail.ca = value::maybe_absolute(table, "ca");
  table.refuse_unknown();
  return mail;
}

WebhookConfig read_webhook(TomlTable table) {
  WebhookConfig webhook;
  webhook.url = table.text("url").value_or("");
  if (!is_reference(webhook.url) && !parse_https(webhook.url))
    table.problem("url", "must begin with https://, or say where it is: \"credential:webhook-url\"");
  webhook.secret = value::reference(table, "secret");
  webhook.body = value::choice<WebhookBody>(
      table, "format", {{"json", WebhookBody::json}, {"teams", WebhookBody::teams}}, WebhookBody::json);
  webhook.ca = value::maybe_absolute(table, "ca");
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

std::string AlertsConfig::digest_of(const std::string& channel) const {
  std::string settings = channel;
  if (channel == "mail" && mail)
    settings =
        fmt::format("{}|{}|{}|{}|{}|{}|{}", mail->host, mail->port, static_cast<int>(mail->security),
                    mail->user, mail->from, fmt::join(mail->to, ","), fmt::join(mail->escalate_to, ","));
  if (channel == "webhook" && webhook)
    settings = fmt::format("{}|{}", webhook->url, static_cast<int>(webhook->body));
  if (channel == "hook") settings = hook.native();
  return sha256_hex(settings);
}

AlertsConfig read_alerts(TomlTable table) {
  static constexpr Millis kLeast = std::chrono::minutes(1);
  static constexpr Millis kMost = std::chrono::days(366);
  AlertsConfig alerts;
  value::duration(table, "repeat", alerts.repeat, kLeast, kMost);
  value::duration(table, "escalate_after", alerts.escalate_after, kLeast, kMost);
  if (table.has("mail")) alerts.mail = read_mail(table.table("mail"));
  if (table.has("webhook")) alerts.webhook = read_webhook(table.table("webhook"));
  alerts.hook = value::maybe_absolute(table, "hook");
  table.refuse_unknown();
  return alerts;
}

}  // namespace veer

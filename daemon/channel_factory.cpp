#include "daemon/channel_factory.h"

#include <fmt/format.h>

#include "connectors/command_channel.h"
#include "connectors/mail_channel.h"
#include "connectors/webhook_channel.h"
#include "core/error.h"
#include "daemon/credentials.h"

namespace veer {
namespace {

std::unique_ptr<AlertChannel> open_mail(const MailConfig& mail, AlertTurn turn) {
  MailOptions options{.host = mail.host,
                      .port = mail.port,
                      .security = mail.security,
                      .user = mail.user,
                      .password = read_word(mail.password),
                      .from = mail.from,
                      .to = mail.to,
                      .ca = read_pem("alerts.mail.ca", mail.ca)};
  if (turn == AlertTurn::escalated)
    options.to.insert(options.to.end(), mail.escalate_to.begin(), mail.escalate_to.end());
  return std::make_unique<MailChannel>(std::move(options));
}

std::unique_ptr<AlertChannel> open_webhook(const WebhookConfig& webhook, const std::string& proxy) {
  HttpOptions http;
  http.ca = read_pem("alerts.webhook.ca", webhook.ca);
  http.ca_setting = "alerts.webhook.ca";
  http.proxy = proxy;
  http.timeout = std::chrono::seconds(30);
  return std::make_unique<WebhookChannel>(WebhookOptions{
      .url = webhook.url.starts_with("https://") ? Secret(std::string(webhook.url)) : read_word(webhook.url),
      .secret = read_word(webhook.secret),
      .body = webhook.body,
      .http = std::move(http)});
}

}  // namespace

std::unique_ptr<AlertChannel> open_channel(const Config& config, const std::string& name, AlertTurn turn) {
  const AlertsConfig& alerts = config.alerts;
  if (name == "mail" && alerts.mail) return open_mail(*alerts.mail, turn);
  if (name == "webhook" && alerts.webhook) return open_webhook(*alerts.webhook, config.proxy);
  if (name == "hook" && !alerts.hook.empty()) return std::make_unique<CommandChannel>(alerts.hook);
  throw Error(Code::u_state, fmt::format("the channel {} is not configured any more", name));
}

}  // namespace veer

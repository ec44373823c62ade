#include "daemon/channel_factory.h"

#include <algorithm>

#include <fmt/format.h>

#include "connectors/command_channel.h"
#include "connectors/mail_channel.h"
#include "connectors/webhook_channel.h"
#include "core/error.h"
#include "daemon/credentials.h"

namespace veer {
namespace {

constexpr const char* kMail = "mail";

std::unique_ptr<AlertChannel> open_mail(const MailConfig& mail, std::vector<std::string> to) {
  MailOptions options{.host = mail.host,
                      .port = mail.port,
                      .security = mail.security,
                      .user = mail.user,
                      .password = read_word(mail.password),
                      .from = mail.from,
                      .to = std::move(to),
                      .ca = read_pem("alerts.mail.ca", mail.ca)};
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

std::vector<std::string> recipients_of(const Config& config, const std::string& name, AlertTurn turn) {
  const auto& mail = config.alerts.mail;
  const bool alone = name.starts_with(recipient_channel(kMail, ""));
  if (!mail || (name != kMail && !alone)) return {};
  std::vector<std::string> all = mail->to;
  if (alone || turn == AlertTurn::escalated)
    all.insert(all.end(), mail->escalate_to.begin(), mail->escalate_to.end());
  if (alone)
    std::erase_if(all, [&](const std::string& one) { return name != recipient_channel(kMail, one); });
  return all;
}

std::unique_ptr<AlertChannel> open_channel(const Config& config, const std::string& name, AlertTurn turn) {
  const AlertsConfig& alerts = config.alerts;
  if (auto to = recipients_of(config, name, turn); !to.empty()) return open_mail(*alerts.mail, std::move(to));
  if (name == "webhook" && alerts.webhook) return open_webhook(*alerts.webhook, config.proxy);
  if (name == "hook" && !alerts.hook.empty()) return std::make_unique<CommandChannel>(alerts.hook);
  throw Error(Code::u_state, fmt::format("the channel {} is not configured any more", name));
}

}  // namespace veer

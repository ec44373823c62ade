#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "connectors/mail_channel.h"
#include "connectors/webhook_channel.h"
#include "daemon/tellings.h"
#include "daemon/toml_reader.h"

namespace veer {

struct MailConfig {
  std::string host;
  int port = 587;
  MailSecurity security = MailSecurity::starttls;
  std::string user;      ///< may be empty
  std::string password;  ///< reference, with a user
  std::string from;
  std::vector<std::string> to;
  std::vector<std::string> escalate_to;  ///< may be empty
  std::filesystem::path ca;              ///< PEM; empty: the system's authorities
};

struct WebhookConfig {
  std::string url;     ///< "https://…", or a reference
  std::string secret;  ///< reference, may be empty
  WebhookBody body = WebhookBody::json;
  std::filesystem::path ca;  ///< PEM; empty: the system's authorities
};

/// The table [alerts] (docs/configuration.md): by which ways people are told beside the journal. The channels
/// are called mail, webhook and hook.
struct AlertsConfig {
  std::chrono::milliseconds repeat = std::chrono::hours(24);
  std::chrono::milliseconds escalate_after = std::chrono::hours(48);
  std::optional<MailConfig> mail;
  std::optional<WebhookConfig> webhook;
  std::filesystem::path hook;  ///< a program; may be empty

  TellingRules rules() const;
  /// SHA-256 of what decides whom a channel reaches: another one is another channel.
  std::string digest_of(const std::string& channel) const;
};

/// Problems go to the table's list.
AlertsConfig read_alerts(TomlTable table);

}  // namespace veer

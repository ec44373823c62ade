#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "connectors/ftps_options.h"
#include "core/clock.h"
#include "daemon/access.h"
#include "daemon/config_alerts.h"
#include "formats/seal.h"

namespace veer {

enum class Role { sender, receiver };
enum class Environment { test, production };
enum class Language { nl, en };
std::string_view environment_name(Environment environment);

/// Which reference years may travel, and until when first lists may (protocol, recital E: at most five
/// years).
struct Window {
  int first_reference_year = 2022;
  int last_reference_year = 2026;
  Date closes{std::chrono::December / 31 / 2026};  ///< last day on which a first list may travel
  std::chrono::milliseconds receipt_within = std::chrono::hours(24);
  std::optional<std::chrono::month_day> list_due;  ///< last day on which the list of a year may come
};

/// Which sealed lists wait for a second person before they leave. unusual: those that differ from last year's
/// by more than `unusual_percent`, or have none to compare with.
enum class Release { always, unusual, never };

struct IntakeConfig {
  std::string name_pattern = R"(inburgeringsplicht-(\d{4})\.(csv|txt|xlsx))";
  std::regex name{name_pattern};  ///< first group: the reference year
  std::chrono::milliseconds settle = std::chrono::seconds(5);
  std::uint64_t cap = std::uint64_t{256} << 20;  ///< bytes of a dropped file
  Release release = Release::never;
  int unusual_percent = 30;
};

struct FolderShareConfig {
  std::filesystem::path outgoing;
  std::filesystem::path incoming;
};

struct SftpShareConfig {
  std::string host;
  int port = 22;
  std::string user;
  std::string key;                     ///< reference: credential:NAME or file:/PATH
  std::vector<std::string> host_keys;  ///< "SHA256:…" pins
  std::filesystem::path known_hosts;   ///< instead of pins
  std::string outgoing;
  std::string incoming;
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

struct FtpsShareConfig {
  std::string host;
  int port = 21;
  FtpsTls tls = FtpsTls::explicitly;
  std::string user;
  std::string password;               ///< reference, may be empty
  std::filesystem::path certificate;  ///< PEM
  std::string key;                    ///< reference
  std::string key_passphrase;         ///< reference, may be empty
  std::filesystem::path ca;           ///< PEM
  std::string outgoing;
  std::string incoming;
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
};

struct SharePointShareConfig {
  std::string tenant;
  std::string client_id;
  std::string site;  ///< "https://contoso.sharepoint.com/sites/exchange"
  std::string library;
  std::string incoming_site;          ///< empty: `site`
  std::string incoming_library;       ///< empty: `library`
  std::filesystem::path certificate;  ///< PEM; empty when there is a secret
  std::string key;                    ///< reference
  std::string key_passphrase;         ///< reference, may be empty
  std::string secret;                 ///< reference, instead of certificate and key
  std::string login = "https://login.microsoftonline.com";
  std::string graph = "https://graph.microsoft.com";
  std::string scope;                        ///< empty: what belongs to `graph`
  std::vector<std::string> transfer_hosts;  ///< besides the site's own
  std::filesystem::path ca;                 ///< PEM; empty: the system's authorities
  std::string outgoing;
  std::string incoming;
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

struct ShareConfig {
  std::variant<FolderShareConfig, SftpShareConfig, FtpsShareConfig, SharePointShareConfig> kind;
  std::chrono::milliseconds poll = std::chrono::minutes(5);
  std::chrono::milliseconds keep_sealed = std::chrono::days(400);
  std::chrono::milliseconds retry_first = std::chrono::seconds(5);  ///< backoff: first wait,
  std::chrono::milliseconds retry_most = std::chrono::minutes(15);  ///< and longest wait
  std::uint64_t package_cap = std::uint64_t{512} << 20;  ///< bytes of a package as fetched and as opened
};

/// One instance's configuration file (docs/configuration.md), checked as a whole.
struct Config {
  std::string party;  ///< "aii"
  Role role = Role::sender;
  Environment environment = Environment::test;
  Language language = Language::nl;
  Window window;
  std::filesystem::path drop;  ///< sender only
  std::filesystem::path state;
  IntakeConfig intake;
  std::filesystem::path openpgp_home;
  std::string openpgp_passphrase;  ///< reference, may be empty: keys without passphrase
  std::vector<PinnedKey> own_keys;
  std::string counterparty;  ///< party name
  std::vector<PinnedKey> counterparty_keys;
  ShareConfig share;
  AccessConfig access;
  AlertsConfig alerts;
  std::string proxy;  ///< "http://host:port" for HTTPS; empty: none
  std::string database_url;
};

/// Reads `text` as TOML. Every problem is reported at once: throws C_CONFIG whose message has a line for
/// each, with `name`:line, what is wrong and what to do. An unknown key is a problem. environment =
/// "production" throws C_PRODUCTION, since the legal-basis record does not
/// exist yet in this version.
Config parse_config(std::string_view text, std::string_view name);
Config read_config(const std::filesystem::path& path);

/// Only the key folder of a configuration, which may still lack the other side's key: that is what it is read
/// for.
std::filesystem::path read_key_folder(const std::filesystem::path& path);

/// Whether a configuration may name a party so: 1 to 16 small letters or digits, and no national number.
bool is_party_name(std::string_view name);

/// Whether one of two folders is the other, or lies in it, as their paths are written.
bool overlap(const std::filesystem::path& one, const std::filesystem::path& other);

/// "90d", "24h", "5m", "2s", "250ms"; empty when malformed.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace veer

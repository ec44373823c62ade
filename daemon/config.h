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

#include "core/clock.h"
#include "daemon/access.h"
#include "daemon/config_alerts.h"
#include "daemon/config_distribution.h"
#include "daemon/config_share.h"
#include "daemon/legal_basis.h"
#include "formats/seal.h"

namespace veer {

enum class Role { sender, receiver };
enum class Environment { test, production };
enum class Language { nl, en };
std::string_view environment_name(Environment environment);
std::string_view role_name(Role role);

/// Which reference years may travel, and until when first lists may (protocol, recital E: at most five
/// years).
struct Window {
  int first_reference_year = 2022;
  int last_reference_year = 2026;
  Date closes{std::chrono::December / 31 / 2026};  ///< last day on which a first list may travel
  std::chrono::milliseconds receipt_within = std::chrono::hours(24);
  std::optional<std::chrono::month_day> list_due;  ///< last day on which the list of a year may come
  std::chrono::milliseconds unheard_after{0};      ///< longest silence of the other side; 0: any is borne
};

/// Which sealed lists wait for a second person before they leave. unusual: those that differ from last year's
/// by more than `unusual_percent`, or have none to compare with.
enum class Release { always, unusual, never };

struct IntakeConfig {
  std::string name_pattern = R"(inburgeringsplicht-(\d{4})\.(csv|txt|xlsx))";
  std::regex name{name_pattern, std::regex::icase};  ///< first group: the reference year
  std::chrono::milliseconds settle = std::chrono::seconds(5);
  /// How often the folder is looked at although nothing was heard of it: events are hints.
  std::chrono::milliseconds rescan = std::chrono::minutes(1);
  std::uint64_t cap = std::uint64_t{256} << 20;  ///< bytes of a dropped file
  Release release = Release::never;
  int unusual_percent = 30;
};

/// Where a receiver hands recorded lists over to its other systems.
struct ExportConfig {
  std::filesystem::path folder;  ///< empty: nowhere
  std::chrono::milliseconds keep = std::chrono::days(7);
};

/// Somebody who handles what is exchanged on the agency's behalf (article 6; Q36): the share's provider is
/// one.
struct Processor {
  std::string name;
  std::string task;
};

/// One instance's configuration file (docs/configuration.md), checked as a whole.
struct Config {
  std::string party;  ///< "aii"
  Role role = Role::sender;
  Environment environment = Environment::test;
  Language language = Language::nl;
  std::optional<LegalBasis> legal_basis;
  std::optional<std::chrono::month_day> review_due;  ///< yearly, of the security plan (article 6; Q41)
  Window window;
  std::chrono::milliseconds rehearse_every{0};  ///< sender only; 0: when somebody asks for it alone
  std::filesystem::path drop;                   ///< sender only
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
  std::filesystem::path file;              ///< where it was read; empty: from no file
  std::string sha256;                      ///< of the file's text
  std::filesystem::path metrics_file;      ///< empty: none is written
  std::filesystem::path page_folder;       ///< empty: no page is written
  ExportConfig export_to;                  ///< receiver only
  DistributionConfig distribution;         ///< receiver only
  std::vector<PinnedKey> forgetting_keys;  ///< whose files of deaths count; empty: the counterparty's
  std::vector<Processor> processors;
};

/// Reads `text` as TOML. Every problem is reported at once: throws C_CONFIG whose message has a line for
/// each, with `name`:line, what is wrong and what to do. An unknown key is a problem.
Config parse_config(std::string_view text, std::string_view name);
Config read_config(const std::filesystem::path& path);

/// How a person names the instance of a configuration to the program: "veer -i aii", or "veer -c FILE" when
/// it lies elsewhere than in /etc/veerdienst.
std::string invocation(const Config& config);
std::string invocation(const std::filesystem::path& config_file);

/// Only the key folder of a configuration, which may still lack the other side's key: that is what it is read
/// for.
std::filesystem::path read_key_folder(const std::filesystem::path& path);

/// Keys that are pinned beside those of the two parties: the care funds', and of who signs files of
/// deaths.
std::vector<PinnedKey> also_pinned(const Config& config);

/// Whether a configuration may name a party so: 1 to 16 small letters or digits, and no national number.
bool is_party_name(std::string_view name);

}  // namespace veer

#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "connectors/ftps_options.h"
#include "daemon/toml_reader.h"

namespace veer {

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
  std::optional<Date> secret_ends;    ///< its last day, when there is one
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

/// Whether it is let in with something that systemd hands to the service alone (LoadCredential=).
bool uses_credentials(const ShareConfig& share);

/// The certificate (PEM) by which a server knows this side; empty when there is none.
std::filesystem::path certificate_of(const ShareConfig& share);

/// The last day of the secret by which the share knows this side; empty when it has none.
std::optional<Date> end_of_client_secret(const ShareConfig& share);

/// The table [share] (docs/configuration.md). Problems go to the table's list. `sender`: whose folders it
/// names by default.
ShareConfig read_share(TomlTable table, bool sender);

}  // namespace veer

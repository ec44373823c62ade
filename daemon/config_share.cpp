#include "daemon/config_share.h"

#include <algorithm>

#include <fmt/format.h>

#include "connectors/url.h"
#include "daemon/config_values.h"

namespace veer {
namespace {

// Connecting and two listings, each of up to twice as long, are one step: less than what the unit's watchdog
// waits for (WatchdogSec=).
constexpr std::chrono::minutes kLongestTimeout(1);

using Millis = std::chrono::milliseconds;

std::string server_folder(TomlTable& table, std::string_view key, std::string fallback) {
  const auto value = table.text(key);
  if (value && (value->empty() || value->ends_with('/') || !is_plain(*value)))
    table.problem(key, "must be a folder on the server, like \"to_vip\", without a / at its end");
  return value.value_or(std::move(fallback));
}

void server_folders(TomlTable& table, bool sender, std::string& outgoing, std::string& incoming,
                    bool apart = false) {
  outgoing = server_folder(table, "outgoing", sender ? "to_avsb" : "to_aii");
  incoming = server_folder(table, "incoming", sender ? "to_aii" : "to_avsb");
  const auto normal = [](const std::string& folder) {
    return std::filesystem::path(folder).lexically_normal();
  };
  if (!apart && normal(outgoing) == normal(incoming))
    table.problem("incoming", "is the outgoing folder: the two directions need a folder each");
}

FtpsShareConfig ftps_share(TomlTable table) {
  FtpsShareConfig ftps;
  ftps.host = value::host(table, "host", "\"ftps.example.org\"");
  ftps.tls = value::choice<FtpsTls>(table, "tls",
                                    {{"explicit", FtpsTls::explicitly}, {"implicit", FtpsTls::implicitly}},
                                    FtpsTls::explicitly);
  ftps.port = value::port(table, ftps.tls == FtpsTls::explicitly ? 21 : 990);
  ftps.user = value::required(table, "user", "\"aii\"");
  if (!is_plain(ftps.user)) table.problem("user", "must be a name without control characters");
  ftps.password = value::reference(table, "password");
  ftps.certificate = value::absolute(table, "certificate", "\"/etc/veerdienst/aii.pem\"");
  value::required(table, "key", "\"credential:ftps-key\"");
  ftps.key = value::reference(table, "key");
  ftps.key_passphrase = value::reference(table, "key_passphrase");
  ftps.ca = value::absolute(table, "ca", "\"/etc/veerdienst/ftps-ca.pem\"");
  value::duration(table, "timeout", ftps.timeout, Millis(std::chrono::milliseconds(100)),
                  Millis(kLongestTimeout));
  table.refuse_unknown();
  return ftps;
}

// A server's address without a path.
std::string origin(TomlTable& table, std::string_view key, const std::string& fallback) {
  const std::string value = table.text(key).value_or(fallback);
  const auto url = parse_https(value);
  if (!url || url->target != "/" || value.ends_with('/'))
    table.problem(key, fmt::format("must be a server's address like \"{}\"", fallback));
  return value;
}

void sharepoint_place(TomlTable& table, std::string_view site_key, const std::string& site,
                      std::string_view library_key, const std::string& library) {
  const auto url = parse_https(site);
  if (!site.empty() && (!url || url->target.find('?') != std::string::npos || url->target.ends_with(".aspx")))
    table.problem(site_key,
                  "must be the address of the site alone: \"https://contoso.sharepoint.com/sites/exchange\"");
  if (!is_plain(library) || library.find('/') != std::string::npos)
    table.problem(library_key, "must be a library's name alone, as the site shows it");
}

void sharepoint_sign_in(TomlTable& table, SharePointShareConfig& sharepoint) {
  sharepoint.secret = value::reference(table, "secret");
  sharepoint.key = value::reference(table, "key");
  sharepoint.key_passphrase = value::reference(table, "key_passphrase");
  sharepoint.secret_ends = table.date("secret_ends");
  if (table.has("secret") != table.has("secret_ends"))
    table.problem(
        "secret_ends",
        "must be given with a secret: the day that the registration shows, since no program can ask "
        "for it");
  if (!table.has("secret"))
    value::required(table, "key", "\"credential:sharepoint-key\"");
  else if (table.has("certificate") || table.has("key"))
    table.problem("secret", "and a certificate are both given: the application signs in with one of them");
  if (table.has("certificate") || !table.has("secret"))
    sharepoint.certificate = value::absolute(table, "certificate", "\"/etc/veerdienst/sharepoint.pem\"");
}

SharePointShareConfig sharepoint_share(TomlTable table) {
  SharePointShareConfig sharepoint;
  const auto plain = [&](std::string_view key, std::string_view example, std::string_view more) {
    std::string value = value::required(table, key, example);
    const bool fits = std::all_of(value.begin(), value.end(), [&](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             more.find(c) != std::string_view::npos;
    });
    if (!fits) table.problem(key, fmt::format("must be an id or a name like {}", example));
    return value;
  };
  sharepoint.tenant = plain("tenant", "\"00000000-0000-0000-0000-000000000000\"", "-.");
  sharepoint.client_id = plain("client_id", "\"00000000-0000-0000-0000-000000000000\"", "-");
  sharepoint.site = value::required(table, "site", "\"https://contoso.sharepoint.com/sites/exchange\"");
  sharepoint.library = value::required(table, "library", "\"Documents\"");
  sharepoint.incoming_site = table.text("incoming_site").value_or("");
  sharepoint.incoming_library = table.text("incoming_library").value_or("");
  sharepoint_place(table, "site", sharepoint.site, "library", sharepoint.library);
  sharepoint_place(table, "incoming_site", sharepoint.incoming_site, "incoming_library",
                   sharepoint.incoming_library);
  const auto host_of = [](const std::string& site) {
    const auto url = parse_https(site);
    return url ? url->authority() : "";
  };
  if (!sharepoint.incoming_site.empty() && host_of(sharepoint.incoming_site) != host_of(sharepoint.site))
    table.problem("incoming_site", "must be a site of the same tenant, so on the same host as site");
  sharepoint_sign_in(table, sharepoint);
  sharepoint.login = origin(table, "login", sharepoint.login);
  sharepoint.graph = origin(table, "graph", sharepoint.graph);
  sharepoint.scope = table.text("scope").value_or("");
  sharepoint.transfer_hosts = table.texts("transfer_hosts");
  for (const std::string& host : sharepoint.transfer_hosts)
    if (!parse_https("https://" + host.substr(host.starts_with('.') ? 1 : 0)) ||
        host.find('/') != std::string::npos)
      table.problem("transfer_hosts", "must hold hosts like \"files.example.org\" or \".example.org\"");
  if (table.has("ca")) sharepoint.ca = value::absolute(table, "ca", "\"/etc/veerdienst/proxy-ca.pem\"");
  value::duration(table, "timeout", sharepoint.timeout, Millis(std::chrono::milliseconds(100)),
                  Millis(kLongestTimeout));
  table.refuse_unknown();
  return sharepoint;
}

SftpShareConfig sftp_share(TomlTable table) {
  SftpShareConfig sftp;
  sftp.host = value::required(table, "host", "\"sftp.example.org\"");
  sftp.user = value::required(table, "user", "\"aii\"");
  value::required(table, "key", "\"credential:sftp-key\"");
  sftp.key = value::reference(table, "key");
  sftp.port = value::port(table, 22);
  sftp.host_keys = table.texts("host_key");
  for (const std::string& pin : sftp.host_keys)
    if (!pin.starts_with("SHA256:") || pin.size() != 7 + 43)
      table.problem("host_key",
                    "must hold fingerprints as ssh-keygen -lf prints them: \"SHA256:…\" (43 characters)");
  sftp.known_hosts = table.text("known_hosts").value_or("");
  if (sftp.host_keys.empty() == sftp.known_hosts.empty())
    table.problem("host_key",
                  "or known_hosts must be given, one of them: the server's key is never taken on trust");
  value::duration(table, "timeout", sftp.timeout, Millis(std::chrono::milliseconds(100)),
                  Millis(kLongestTimeout));
  table.refuse_unknown();
  return sftp;
}

}  // namespace

bool uses_credentials(const ShareConfig& share) {
  struct References {
    std::vector<std::string> operator()(const FolderShareConfig&) const { return {}; }
    std::vector<std::string> operator()(const SftpShareConfig& sftp) const { return {sftp.key}; }
    std::vector<std::string> operator()(const FtpsShareConfig& ftps) const {
      return {ftps.password, ftps.key, ftps.key_passphrase};
    }
    std::vector<std::string> operator()(const SharePointShareConfig& sharepoint) const {
      return {sharepoint.key, sharepoint.key_passphrase, sharepoint.secret};
    }
  };
  const auto references = std::visit(References{}, share.kind);
  return std::any_of(references.begin(), references.end(),
                     [](const std::string& reference) { return reference.starts_with("credential:"); });
}

std::optional<Date> end_of_client_secret(const ShareConfig& share) {
  const auto* sharepoint = std::get_if<SharePointShareConfig>(&share.kind);
  return sharepoint ? sharepoint->secret_ends : std::nullopt;
}

std::filesystem::path certificate_of(const ShareConfig& share) {
  if (const auto* ftps = std::get_if<FtpsShareConfig>(&share.kind)) return ftps->certificate;
  if (const auto* sharepoint = std::get_if<SharePointShareConfig>(&share.kind))
    return sharepoint->certificate;
  return {};
}

ShareConfig read_share(TomlTable table, bool sender) {
  ShareConfig s;
  const Millis least(10);
  value::duration(table, "poll", s.poll, least, Millis(std::chrono::days(1)));
  value::duration(table, "keep_sealed", s.keep_sealed, Millis(std::chrono::days(1)),
                  Millis(std::chrono::days(3660)));
  value::duration(table, "retry_first", s.retry_first, least, Millis(std::chrono::hours(1)));
  value::duration(table, "retry_most", s.retry_most, s.retry_first, Millis(std::chrono::days(1)));
  value::bytes(table, "max_megabytes", s.package_cap);
  const std::string kind = value::required(table, "kind", "\"sftp\"");
  if (kind == "folder") {
    FolderShareConfig folder;
    folder.outgoing = value::absolute(table, "outgoing", "\"/mnt/share/to_avsb\"");
    folder.incoming = value::absolute(table, "incoming", "\"/mnt/share/to_aii\"");
    if (!folder.outgoing.empty() && !folder.incoming.empty() && overlap(folder.outgoing, folder.incoming))
      table.problem("incoming",
                    "and the outgoing folder are one or lie in one another: the two directions need a folder "
                    "each, side by side");
    s.kind = folder;
  } else if (kind == "ftps") {
    FtpsShareConfig ftps = ftps_share(table.table("ftps"));
    server_folders(table, sender, ftps.outgoing, ftps.incoming);
    s.kind = std::move(ftps);
  } else if (kind == "sharepoint") {
    SharePointShareConfig sharepoint = sharepoint_share(table.table("sharepoint"));
    // In a library of its own a folder may bear the same name.
    const auto differs = [](const std::string& own, const std::string& other) {
      return !own.empty() && own != other;
    };
    const bool apart = differs(sharepoint.incoming_site, sharepoint.site) ||
                       differs(sharepoint.incoming_library, sharepoint.library);
    server_folders(table, sender, sharepoint.outgoing, sharepoint.incoming, apart);
    s.kind = std::move(sharepoint);
  } else {
    if (!kind.empty() && kind != "sftp")
      table.problem("kind", "must be \"folder\", \"sftp\", \"ftps\" or \"sharepoint\"");
    SftpShareConfig sftp = sftp_share(table.table("sftp"));
    server_folders(table, sender, sftp.outgoing, sftp.incoming);
    s.kind = std::move(sftp);
  }
  // What another kind would need may stay.
  for (const char* other : {"sftp", "ftps", "sharepoint"}) table.table(other);
  table.refuse_unknown();
  return s;
}

}  // namespace veer

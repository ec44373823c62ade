#include "daemon/config.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "connectors/url.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/sqlite.h"
#include "daemon/toml_reader.h"
#include "formats/keyring.h"

namespace veer {
namespace {

using Millis = std::chrono::milliseconds;

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
}

std::optional<int> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  int percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  const bool good =
      error == std::errc() && end == text.data() + text.size() && percent >= 1 && percent <= 100;
  return good ? std::optional(percent) : std::nullopt;
}

/// Reads one configuration table by table; problems gather in the tables' common list.
class Reading {
 public:
  Reading(std::string_view text, std::string_view name) : root_(TomlTable::parse(text, name, problems_)) {}

  Config read() {
    if (!problems_.empty()) throw Error(Code::c_config, problems_.front());  // no TOML: nothing can be read
    general();
    window(root_.table("window"));
    paths(root_.table("paths"));
    intake(root_.table("intake"));
    openpgp(root_.table("openpgp"));
    counterparty(root_.table("counterparty"));
    share(root_.table("share"));
    database(root_.table("database"));
    if (config_.role == Role::sender) drop_apart(root_.table("paths"));
    access(root_.table("access"));
    config_.alerts = read_alerts(root_.table("alerts"));
    proxy(root_.table("proxy"));
    root_.refuse_unknown({"legal_basis", "rehearsal"});
    if (!problems_.empty()) throw Error(Code::c_config, fmt::format("{}", fmt::join(problems_, "\n")));
    if (config_.environment == Environment::production)
      throw Error(Code::c_production,
                  "environment = \"production\" is refused: this version has no legal-basis record, which "
                  "production demands. Use environment = \"test\"");
    return std::move(config_);
  }

 private:
  void access(TomlTable table) {
    for (const auto& [key, groups] : {std::pair{"operators", &config_.access.operators},
                                      {"approvers", &config_.access.approvers},
                                      {"auditors", &config_.access.auditors}})
      if (table.has(key)) *groups = table.texts(key);
    table.refuse_unknown();
  }

  std::string required(TomlTable& table, std::string_view key, std::string_view example) {
    auto value = table.text(key);
    if (!value && !table.has(key)) table.problem(key, fmt::format("is missing: add {} = {}", key, example));
    if (value && value->empty()) table.problem(key, "is empty");
    return value.value_or("");
  }

  template <typename Enum>
  Enum choice(TomlTable& table, std::string_view key,
              std::initializer_list<std::pair<std::string_view, Enum>> choices,
              std::optional<Enum> fallback = std::nullopt) {
    const auto value = table.text(key);
    std::string names;
    for (const auto& [name, meaning] : choices) {
      if (value == name) return meaning;
      names += fmt::format("{}\"{}\"", names.empty() ? "" : " or ", name);
    }
    if (value || !fallback) table.problem(key, fmt::format("must be {}", names));
    return fallback.value_or(choices.begin()->second);
  }

  void duration(TomlTable& table, std::string_view key, Millis& into, Millis least, Millis most) {
    const auto value = table.text(key);
    if (!value) return;
    const auto parsed = parse_duration(*value);
    if (!parsed || *parsed < least || *parsed > most)
      table.problem(key, "must be a time like \"90d\", \"24h\", \"5m\", \"2s\" or \"250ms\", within reason");
    else
      into = *parsed;
  }

  void bytes(TomlTable& table, std::string_view key, std::uint64_t& into) {
    const auto megabytes = table.integer(key);
    if (!megabytes) return;
    if (*megabytes < 1 || *megabytes > 4096)
      table.problem(key, "must be a number of megabytes from 1 to 4096");
    else
      into = static_cast<std::uint64_t>(*megabytes * kMegabyte);
  }

  std::filesystem::path absolute(TomlTable& table, std::string_view key, std::string_view example) {
    std::filesystem::path path = required(table, key, example);
    if (!path.empty() && !path.is_absolute()) table.problem(key, "must be a whole path, from /");
    return path.lexically_normal();
  }

  std::string party_name(TomlTable& table, std::string_view key) {
    std::string name = required(table, key, "\"aii\"");
    if (!name.empty() && !is_party_name(name))
      table.problem(key, "must be 1 to 16 small letters or digits, and no number of a person");
    return name;
  }

  std::vector<PinnedKey> keys(TomlTable& table, std::string_view key) {
    std::vector<PinnedKey> pinned;
    for (TomlTable& entry : table.tables(key)) {
      PinnedKey one;
      one.fingerprint = required(entry, "key", "\"<fingerprint>\"");
      const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
      if (one.fingerprint.size() != 40 || !std::all_of(one.fingerprint.begin(), one.fingerprint.end(), hex))
        entry.problem(
            "key",
            "must be a primary key's fingerprint: 40 hex digits, capitals, no blanks (veer keys show)");
      if (const auto from = entry.date("from")) one.from = Time(std::chrono::sys_days(*from));
      if (const auto until = entry.date("until"))
        one.until = Time(std::chrono::sys_days(*until)) + std::chrono::days(1) - Millis(1);
      if (one.from && one.until && *one.from > *one.until) entry.problem("until", "lies before from");
      entry.refuse_unknown();
      pinned.push_back(std::move(one));
    }
    if (pinned.empty()) table.problem(key, "must name at least one key: [{ key = \"<fingerprint>\" }]");
    return pinned;
  }

  void general() {
    config_.party = party_name(root_, "party");
    config_.role = choice<Role>(root_, "role", {{"sender", Role::sender}, {"receiver", Role::receiver}});
    config_.environment = choice<Environment>(
        root_, "environment", {{"test", Environment::test}, {"production", Environment::production}});
    config_.language =
        choice<Language>(root_, "language", {{"nl", Language::nl}, {"en", Language::en}}, Language::nl);
  }

  void reference_year(TomlTable& table, std::string_view key, int& into) {
    const auto year = table.integer(key);
    if (!year) return;
    if (*year < 2022 || *year > 9999)
      table.problem(key, "must be 2022 or later, in four digits (protocol, recital E)");
    else
      into = static_cast<int>(*year);
  }

  void window(TomlTable table) {
    Window& w = config_.window;
    reference_year(table, "first_reference_year", w.first_reference_year);
    reference_year(table, "last_reference_year", w.last_reference_year);
    if (const auto date = table.date("closes")) w.closes = *date;
    duration(table, "receipt_within", w.receipt_within, Millis(std::chrono::seconds(1)),
             Millis(std::chrono::days(90)));
    if (w.last_reference_year < w.first_reference_year || w.last_reference_year > w.first_reference_year + 4)
      table.problem("last_reference_year",
                    "must be at most four years after the first: the transition lasts five at most");
    if (const auto text = table.text("list_due")) {
      const auto day = parse_date("2023-" + *text);  // no leap year
      if (day)
        w.list_due = day->month() / day->day();
      else
        table.problem("list_due", "must be a month and a day agreed between the agencies: \"03-01\"");
    }
    table.refuse_unknown({"unheard_after"});
  }

  void paths(TomlTable table) {
    config_.state = absolute(table, "state", "\"/var/lib/veerdienst/aii\"");
    if (!sqlite::is_file_name(config_.state.native()))
      table.problem("state", "must not hold a quotation mark or a control character: name another folder");
    if (config_.role == Role::sender)
      config_.drop = absolute(table, "drop", "\"/srv/veerdienst/aii/drop\"");
    else if (table.has("drop"))
      table.problem("drop", "is for the sending side only: take it out");
    else
      table.text("drop");
    table.refuse_unknown();
  }

  // People put files into the drop folder: nothing of the service's may lie there.
  void drop_apart(TomlTable table) {
    const auto keep_apart = [&](const std::filesystem::path& folder, std::string_view what) {
      if (!config_.drop.empty() && !folder.empty() && overlap(config_.drop, folder))
        table.problem("drop", fmt::format("and the {} lie in one another: name a folder apart", what));
    };
    keep_apart(config_.state, "state folder");
    keep_apart(config_.openpgp_home, "key folder");
    if (const auto* folders = std::get_if<FolderShareConfig>(&config_.share.kind)) {
      keep_apart(folders->outgoing, "share's outgoing folder");
      keep_apart(folders->incoming, "share's incoming folder");
    }
  }

  void intake(TomlTable table) {
    IntakeConfig& in = config_.intake;
    if (const auto pattern = table.text("name")) in.name_pattern = *pattern;
    try {
      in.name = std::regex(in.name_pattern);
      if (in.name.mark_count() < 1) table.problem("name", "needs a group for the reference year: (\\d{4})");
    } catch (const std::regex_error&) {
      table.problem("name", "is not a regular expression (ECMAScript)");
    }
    duration(table, "settle", in.settle, Millis(0), Millis(std::chrono::hours(1)));
    bytes(table, "max_megabytes", in.cap);
    const bool production = config_.environment == Environment::production;
    in.release = choice<Release>(
        table, "release",
        {{"always", Release::always}, {"unusual", Release::unusual}, {"never", Release::never}},
        production ? Release::always : Release::never);
    if (production && in.release != Release::always)
      table.problem("release", "must be \"always\" in production, where a second person releases every list");
    if (const auto change = table.text("unusual_change")) {
      const auto percent = parse_percent(*change);
      if (!percent) table.problem("unusual_change", "must be whole percents from \"1%\" to \"100%\"");
      in.unusual_percent = percent.value_or(in.unusual_percent);
    }
    table.refuse_unknown();
  }

  void openpgp(TomlTable table) {
    config_.openpgp_home = absolute(table, "home", "\"/var/lib/veerdienst/aii/gnupg\"");
    if (config_.openpgp_home.native().size() > kLongestHome)
      table.problem("home",
                    fmt::format("is longer than the {} characters that gpg-agent allows", kLongestHome));
    config_.openpgp_passphrase = reference(table, "passphrase", "");
    config_.own_keys = keys(table, "own");
    table.refuse_unknown();
  }

  std::string reference(TomlTable& table, std::string_view key, std::string fallback) {
    const auto value = table.text(key);
    if (value && !value->starts_with("credential:") && !value->starts_with("file:/"))
      table.problem(
          key,
          "must say where the secret is: \"credential:NAME\" or \"file:/PATH\", never the secret itself");
    return value.value_or(std::move(fallback));
  }

  void counterparty(TomlTable table) {
    config_.counterparty = party_name(table, "party");
    if (config_.counterparty == config_.party && !config_.party.empty())
      table.problem("party", "is this side's own name: it must be the other side's");
    config_.counterparty_keys = keys(table, "keys");
    for (const PinnedKey& theirs : config_.counterparty_keys)
      for (const PinnedKey& ours : config_.own_keys)
        if (theirs.fingerprint == ours.fingerprint) table.problem("keys", "hold a key of our own");
    table.refuse_unknown();
  }

  void share(TomlTable table) {
    ShareConfig& s = config_.share;
    const Millis least(10);
    duration(table, "poll", s.poll, least, Millis(std::chrono::days(1)));
    duration(table, "keep_sealed", s.keep_sealed, Millis(std::chrono::days(1)),
             Millis(std::chrono::days(3660)));
    duration(table, "retry_first", s.retry_first, least, Millis(std::chrono::hours(1)));
    duration(table, "retry_most", s.retry_most, s.retry_first, Millis(std::chrono::days(1)));
    bytes(table, "max_megabytes", s.package_cap);
    const std::string kind = required(table, "kind", "\"sftp\"");
    if (kind == "folder") {
      FolderShareConfig folder;
      folder.outgoing = absolute(table, "outgoing", "\"/mnt/share/to_avsb\"");
      folder.incoming = absolute(table, "incoming", "\"/mnt/share/to_aii\"");
      if (!folder.outgoing.empty() && !folder.incoming.empty() && overlap(folder.outgoing, folder.incoming))
        table.problem(
            "incoming",
            "and the outgoing folder are one or lie in one another: the two directions need a folder "
            "each, side by side");
      s.kind = folder;
    } else if (kind == "ftps") {
      FtpsShareConfig ftps = ftps_share(table.table("ftps"));
      server_folders(table, ftps.outgoing, ftps.incoming);
      s.kind = std::move(ftps);
    } else if (kind == "sharepoint") {
      SharePointShareConfig sharepoint = sharepoint_share(table.table("sharepoint"));
      // In a library of its own a folder may bear the same name.
      const auto differs = [](const std::string& own, const std::string& other) {
        return !own.empty() && own != other;
      };
      const bool apart = differs(sharepoint.incoming_site, sharepoint.site) ||
                         differs(sharepoint.incoming_library, sharepoint.library);
      server_folders(table, sharepoint.outgoing, sharepoint.incoming, apart);
      s.kind = std::move(sharepoint);
    } else {
      if (!kind.empty() && kind != "sftp")
        table.problem("kind", "must be \"folder\", \"sftp\", \"ftps\" or \"sharepoint\"");
      SftpShareConfig sftp = sftp_share(table.table("sftp"));
      server_folders(table, sftp.outgoing, sftp.incoming);
      s.kind = std::move(sftp);
    }
    // What another kind would need may stay.
    for (const char* other : {"sftp", "ftps", "sharepoint"}) table.table(other);
    table.refuse_unknown();
  }

  void server_folders(TomlTable& table, std::string& outgoing, std::string& incoming, bool apart = false) {
    const bool sender = config_.role == Role::sender;
    outgoing = server_folder(table, "outgoing", sender ? "to_avsb" : "to_aii");
    incoming = server_folder(table, "incoming", sender ? "to_aii" : "to_avsb");
    const auto normal = [](const std::string& folder) {
      return std::filesystem::path(folder).lexically_normal();
    };
    if (!apart && normal(outgoing) == normal(incoming))
      table.problem("incoming", "is the outgoing folder: the two directions need a folder each");
  }

  std::string server_folder(TomlTable& table, std::string_view key, std::string fallback) {
    const auto value = table.text(key);
    if (value && (value->empty() || value->ends_with('/') || !is_plain(*value)))
      table.problem(key, "must be a folder on the server, like \"to_vip\", without a / at its end");
    return value.value_or(std::move(fallback));
  }

  FtpsShareConfig ftps_share(TomlTable table) {
    FtpsShareConfig ftps;
    ftps.host = required(table, "host", "\"ftps.example.org\"");
    if (ftps.host.find_first_of("/@[] \t\r\n%") != std::string::npos)
      table.problem("host", "must be a host name or an address alone, without ftp:// and port");
    ftps.tls =
        choice<FtpsTls>(table, "tls", {{"explicit", FtpsTls::explicitly}, {"implicit", FtpsTls::implicitly}},
                        FtpsTls::explicitly);
    ftps.port = port(table, ftps.tls == FtpsTls::explicitly ? 21 : 990);
    ftps.user = required(table, "user", "\"aii\"");
    if (!is_plain(ftps.user)) table.problem("user", "must be a name without control characters");
    ftps.password = reference(table, "password", "");
    ftps.certificate = absolute(table, "certificate", "\"/etc/veerdienst/aii.pem\"");
    required(table, "key", "\"credential:ftps-key\"");
    ftps.key = reference(table, "key", "");
    ftps.key_passphrase = reference(table, "key_passphrase", "");
    ftps.ca = absolute(table, "ca", "\"/etc/veerdienst/ftps-ca.pem\"");
    duration(table, "timeout", ftps.timeout, Millis(std::chrono::milliseconds(100)),
             Millis(std::chrono::minutes(30)));
    table.refuse_unknown();
    return ftps;
  }

  SharePointShareConfig sharepoint_share(TomlTable table) {
    SharePointShareConfig sharepoint;
    const auto plain = [&](std::string_view key, std::string_view example, std::string_view more) {
      std::string value = required(table, key, example);
      const bool fits = std::all_of(value.begin(), value.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != std::string_view::npos;
      });
      if (!fits) table.problem(key, fmt::format("must be an id or a name like {}", example));
      return value;
    };
    sharepoint.tenant = plain("tenant", "\"00000000-0000-0000-0000-000000000000\"", "-.");
    sharepoint.client_id = plain("client_id", "\"00000000-0000-0000-0000-000000000000\"", "-");
    sharepoint.site = required(table, "site", "\"https://contoso.sharepoint.com/sites/exchange\"");
    sharepoint.library = required(table, "library", "\"Documents\"");
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
    if (table.has("ca")) sharepoint.ca = absolute(table, "ca", "\"/etc/veerdienst/proxy-ca.pem\"");
    duration(table, "timeout", sharepoint.timeout, Millis(std::chrono::milliseconds(100)),
             Millis(std::chrono::minutes(30)));
    table.refuse_unknown();
    return sharepoint;
  }

  static void sharepoint_place(TomlTable& table, std::string_view site_key, const std::string& site,
                               std::string_view library_key, const std::string& library) {
    const auto url = parse_https(site);
    if (!site.empty() &&
        (!url || url->target.find('?') != std::string::npos || url->target.ends_with(".aspx")))
      table.problem(
          site_key,
          "must be the address of the site alone: \"https://contoso.sharepoint.com/sites/exchange\"");
    if (!is_plain(library) || library.find('/') != std::string::npos)
      table.problem(library_key, "must be a library's name alone, as the site shows it");
  }

  void sharepoint_sign_in(TomlTable& table, SharePointShareConfig& sharepoint) {
    sharepoint.secret = reference(table, "secret", "");
    sharepoint.key = reference(table, "key", "");
    sharepoint.key_passphrase = reference(table, "key_passphrase", "");
    if (!table.has("secret"))
      required(table, "key", "\"credential:sharepoint-key\"");
    else if (table.has("certificate") || table.has("key"))
      table.problem("secret", "and a certificate are both given: the application signs in with one of them");
    if (table.has("certificate") || !table.has("secret"))
      sharepoint.certificate = absolute(table, "certificate", "\"/etc/veerdienst/sharepoint.pem\"");
  }

  // A server's address without a path.
  std::string origin(TomlTable& table, std::string_view key, const std::string& fallback) {
    const std::string value = table.text(key).value_or(fallback);
    const auto url = parse_https(value);
    if (!url || url->target != "/" || value.ends_with('/'))
      table.problem(key, fmt::format("must be a server's address like \"{}\"", fallback));
    return value;
  }

  void proxy(TomlTable table) {
    static constexpr std::string_view kScheme = "http://";
    const std::string value = table.text("https").value_or("");
    if (value.find('@') != std::string::npos) {
      table.problem("https",
                    "names a user: this program does not sign in to a proxy. Have the proxy let this machine "
                    "through without, or put one on this machine that signs in for it, and name that here");
    } else if (table.has("https")) {
      const auto url =
          value.starts_with(kScheme) ? parse_https("https://" + value.substr(kScheme.size())) : std::nullopt;
      if (!url || url->target != "/" || value.ends_with('/') ||
          value.find(':', kScheme.size()) == std::string::npos)
        table.problem("https", "must be a proxy's address with its port: \"http://proxy.example.org:8080\"");
      else if (!std::holds_alternative<SharePointShareConfig>(config_.share.kind) && !config_.alerts.webhook)
        table.problem("https",
                      "is for share.kind = \"sharepoint\" and for [alerts.webhook]: any other share goes to "
                      "its server without a proxy. "
                      "Take [proxy] out, and have the firewall let this machine reach the server");
    }
    config_.proxy = value;
    table.refuse_unknown();
  }

  int port(TomlTable& table, int fallback) {
    const std::int64_t value = table.integer("port").value_or(fallback);
    if (value < 1 || value > 65535) table.problem("port", "must be 1 to 65535");
    return static_cast<int>(std::clamp<std::int64_t>(value, 1, 65535));
  }

  SftpShareConfig sftp_share(TomlTable table) {
    SftpShareConfig sftp;
    sftp.host = required(table, "host", "\"sftp.example.org\"");
    sftp.user = required(table, "user", "\"aii\"");
    required(table, "key", "\"credential:sftp-key\"");
    sftp.key = reference(table, "key", "");
    sftp.port = port(table, 22);
    sftp.host_keys = table.texts("host_key");
    for (const std::string& pin : sftp.host_keys)
      if (!pin.starts_with("SHA256:") || pin.size() != 7 + 43)
        table.problem("host_key",
                      "must hold fingerprints as ssh-keygen -lf prints them: \"SHA256:…\" (43 characters)");
    sftp.known_hosts = table.text("known_hosts").value_or("");
    if (sftp.host_keys.empty() == sftp.known_hosts.empty())
      table.problem("host_key",
                    "or known_hosts must be given, one of them: the server's key is never taken on trust");
    duration(table, "timeout", sftp.timeout, Millis(std::chrono::milliseconds(100)),
             Millis(std::chrono::minutes(30)));
    table.refuse_unknown();
    return sftp;
  }

  void database(TomlTable table) {
    config_.database_url = table.text("url").value_or("sqlite:" + (config_.state / "ledger.db").native());
    if (!config_.database_url.starts_with("sqlite:/"))
      table.problem("url", "must be \"sqlite:/path/to/ledger.db\" in this version");
    else if (table.has("url") && !sqlite::is_file_name(config_.database_url))
      table.problem("url", "must not hold a quotation mark or a control character");
    table.refuse_unknown();
  }

  std::vector<std::string> problems_;
  TomlTable root_;
  Config config_;
};

std::string text_of(const std::filesystem::path& path) {
  try {
    return read_file(path, std::uint64_t{1} << 20);
  } catch (const Error& error) {
    throw Error(Code::c_config, fmt::format("{} cannot be read: {}", path.native(), error.message()));
  }
}

}  // namespace

std::string_view environment_name(Environment environment) {
  return environment == Environment::test ? "test" : "production";
}

bool is_party_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 16 && std::all_of(name.begin(), name.end(), fits) &&
         without_numbers(name) == name;
}

bool overlap(const std::filesystem::path& one, const std::filesystem::path& other) {
  const auto text = [](const std::filesystem::path& path) {
    std::string whole = path.lexically_normal().native();
    if (!whole.ends_with('/')) whole += '/';
    return whole;
  };
  const std::string a = text(one);
  const std::string b = text(other);
  return a.starts_with(b) || b.starts_with(a);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t millis;
  };
  static constexpr std::array<Unit, 5> kUnits = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                                 Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 9) return std::nullopt;
  for (const Unit& unit : kUnits)
    if (text.substr(digits) == unit.name)
      return Millis(std::stoll(std::string(text.substr(0, digits))) * unit.millis);
  return std::nullopt;
}

Config parse_config(std::string_view text, std::string_view name) { return Reading(text, name).read(); }

Config read_config(const std::filesystem::path& path) {
  return parse_config(text_of(path), path.filename().native());
}

std::filesystem::path read_key_folder(const std::filesystem::path& path) {
  std::vector<std::string> problems;
  TomlTable root = TomlTable::parse(text_of(path), path.filename().native(), problems);
  if (!problems.empty()) throw Error(Code::c_config, problems.front());
  std::filesystem::path home = root.table("openpgp").text("home").value_or("");
  if (!home.is_absolute())
    throw Error(Code::c_config, fmt::format("{} names no key folder: [openpgp] home", path.native()));
  return home;
}

}  // namespace veer

#include "daemon/config.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "connectors/url.h"
#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/config_values.h"
#include "daemon/sqlite.h"
#include "daemon/toml_reader.h"
#include "formats/acceptance.h"
#include "formats/keyring.h"

namespace veer {
namespace {

using Millis = std::chrono::milliseconds;

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
    legal_basis(root_.table("legal_basis"));
    window(root_.table("window"));
    review(root_.table("review"));
    rehearsal(root_.table("rehearsal"));
    paths(root_.table("paths"));
    intake(root_.table("intake"));
    openpgp(root_.table("openpgp"));
    counterparty(root_.table("counterparty"));
    config_.share = read_share(root_.table("share"), config_.role == Role::sender);
    database(root_.table("database"));
    if (config_.role == Role::sender) drop_apart(root_.table("paths"));
    access(root_.table("access"));
    alerts();
    proxy(root_.table("proxy"));
    metrics(root_.table("metrics"));
    page(root_.table("page"));
    hand_over(root_.table("export"));
    distribution(root_.table("distribution"));
    forgetting(root_.table("forgetting"));
    processors();
    root_.refuse_unknown();
    if (!problems_.empty()) throw Error(Code::c_config, fmt::format("{}", fmt::join(problems_, "\n")));
    return std::move(config_);
  }

 private:
  void access(TomlTable table) {
    for (const auto& [key, groups] : {std::pair{"operators", &config_.access.operators},
                                      {"approvers", &config_.access.approvers},
                                      {"auditors", &config_.access.auditors},
                                      {"service_desk", &config_.access.service_desk}})
      if (table.has(key)) *groups = table.texts(key);
    table.refuse_unknown();
  }

  std::string party_name(TomlTable& table, std::string_view key) {
    std::string name = value::required(table, key, "\"aii\"");
    if (!name.empty() && !is_party_name(name))
      table.problem(key, "must be 1 to 16 small letters or digits, and no number of a person");
    return name;
  }

  std::vector<PinnedKey> keys(TomlTable& table, std::string_view key) {
    std::vector<PinnedKey> pinned;
    for (TomlTable& entry : table.tables(key)) {
      PinnedKey one;
      one.fingerprint = value::required(entry, "key", "\"<fingerprint>\"");
      if (!is_fingerprint(one.fingerprint))
        entry.problem("key",
                      "must be a primary key's fingerprint, 40 hex digits, capitals, no blanks: 'veer keys "
                      "create' and 'veer keys import' write it");
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
    config_.role =
        value::choice<Role>(root_, "role", {{"sender", Role::sender}, {"receiver", Role::receiver}});
    config_.environment = value::choice<Environment>(
        root_, "environment", {{"test", Environment::test}, {"production", Environment::production}});
    config_.language = value::choice<Language>(root_, "language",
                                               {{"nl", Language::nl}, {"en", Language::en}}, Language::nl);
  }

  bool is_production() const { return config_.environment == Environment::production; }

  static Date required_date(TomlTable& table, std::string_view key) {
    const auto date = table.date(key);
    if (!date) table.problem(key, "must be given: a day like 2026-01-31");
    return date.value_or(Date{});
  }

  void legal_basis(TomlTable table) {
    if (!root_.has("legal_basis")) {
      if (is_production())
        root_.problem(
            "environment",
            "is \"production\", which demands [legal_basis]: what your agency's lawyers recorded of "
            "the provision in force");
      return;
    }
    LegalBasis basis;
    basis.provision = value::required(table, "provision", "\"…\", the provision in force");
    basis.document = value::absolute(table, "document", "\"/etc/veerdienst/legal-basis.pdf\"");
    basis.document_sha256 = value::required(table, "document_sha256", "what sha256sum says of the document");
    basis.confirmed_by = value::required(table, "confirmed_by", "\"…\", a role");
    for (const std::string_view key : {"provision", "confirmed_by"})
      if (const std::string text = table.text(key).value_or("");
          !is_plain(text) || without_numbers(text) != text)
        table.problem(key, "must be plain text without a national number");
    if (!is_sha256(basis.document_sha256)) table.problem("document_sha256", "must be 64 small hex digits");
    basis.confirmed_on = required_date(table, "confirmed_on");
    basis.valid_until = required_date(table, "valid_until");
    if (basis.valid_until < basis.confirmed_on) table.problem("valid_until", "lies before confirmed_on");
    basis.notice_given = table.date("notice_given");
    table.refuse_unknown();
    config_.legal_basis = std::move(basis);
  }

  /// A day of each year; no leap day.
  static std::optional<std::chrono::month_day> day_of_year(TomlTable& table, std::string_view key,
                                                           std::string_view what) {
    const auto text = table.text(key);
    if (!text) return std::nullopt;
    const auto day = parse_date("2023-" + *text);
    if (!day) table.problem(key, what);
    return day ? std::optional(day->month() / day->day()) : std::nullopt;
  }

  void review(TomlTable table) {
    config_.review_due = day_of_year(table, "security_plan", "must be a month and a day: \"11-15\"");
    table.refuse_unknown();
  }

  void alerts() {
    config_.alerts = read_alerts(root_.table("alerts"));
    if (is_production() && config_.alerts.rules().channels.empty())
      root_.problem("environment", "is \"production\", which demands a way to reach people in [alerts]");
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
    value::duration(table, "receipt_within", w.receipt_within, Millis(std::chrono::seconds(1)),
                    Millis(std::chrono::days(90)));
    if (w.last_reference_year < w.first_reference_year || w.last_reference_year > w.first_reference_year + 4)
      table.problem("last_reference_year",
                    "must be at most four years after the first: the transition lasts five at most");
    w.list_due =
        day_of_year(table, "list_due", "must be a month and a day agreed between the agencies: \"03-01\"");
    if (!w.list_due && is_production() && !table.has("list_due"))
      table.problem("list_due",
                    "must be given in production: the day agreed between the agencies, \"03-01\"");
    w.unheard_after = std::chrono::days(40);
    value::duration(table, "unheard_after", w.unheard_after, Millis(0), Millis(std::chrono::days(400)));
    table.refuse_unknown();
  }

  void rehearsal(TomlTable table) {
    if (config_.role == Role::sender) config_.rehearse_every = std::chrono::days(30);
    value::duration(table, "every", config_.rehearse_every, Millis(0), Millis(std::chrono::days(400)));
    if (config_.role == Role::receiver && table.has("every"))
      table.problem("every", "is for the sending side only: take it out");
    table.refuse_unknown();
  }

  void paths(TomlTable table) {
    config_.state = value::absolute(table, "state", "\"/var/lib/veerdienst/aii\"");
    if (!sqlite::is_file_name(config_.state.native()))
      table.problem("state", "must not hold a quotation mark or a control character: name another folder");
    if (config_.role == Role::sender)
      config_.drop = value::absolute(table, "drop", "\"/srv/veerdienst/aii/drop\"");
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
      in.name = std::regex(in.name_pattern, std::regex::icase);
      if (in.name.mark_count() < 1) table.problem("name", "needs a group for the reference year: (\\d{4})");
    } catch (const std::regex_error&) {
      table.problem("name", "is not a regular expression (ECMAScript)");
    }
    value::duration(table, "settle", in.settle, Millis(0), Millis(std::chrono::hours(1)));
    value::duration(table, "rescan", in.rescan, Millis(std::chrono::seconds(1)),
                    Millis(std::chrono::hours(6)));
    value::bytes(table, "max_megabytes", in.cap);
    const bool production = config_.environment == Environment::production;
    in.release = value::choice<Release>(
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
    config_.openpgp_home = value::absolute(table, "home", "\"/var/lib/veerdienst/aii/gnupg\"");
    if (config_.openpgp_home.native().size() > kLongestHome)
      table.problem("home",
                    fmt::format("is longer than the {} characters that gpg-agent allows", kLongestHome));
    config_.openpgp_passphrase = value::reference(table, "passphrase");
    config_.own_keys = keys(table, "own");
    table.refuse_unknown();
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

  void database(TomlTable table) {
    config_.database_url = table.text("url").value_or("sqlite:" + (config_.state / "ledger.db").native());
    if (!config_.database_url.starts_with("sqlite:/"))
      table.problem("url", "must be \"sqlite:/path/to/ledger.db\" in this version");
    else if (table.has("url") && !sqlite::is_file_name(config_.database_url))
      table.problem("url", "must not hold a quotation mark or a control character");
    table.refuse_unknown();
  }

  // Others read it: it lies in no folder of ours, and in none that people or the other side put files in.
  void require_apart(TomlTable& table, std::string_view key, const std::filesystem::path& path) const {
    for (const auto& folder : {config_.state, config_.openpgp_home, config_.drop})
      if (!path.empty() && !folder.empty() && overlap(folder, path))
        table.problem(key, fmt::format("lies in {}: name a folder that others read", folder.native()));
  }

  void metrics(TomlTable table) {
    config_.metrics_file = value::maybe_absolute(table, "file");
    const auto& file = config_.metrics_file;
    if (table.has("file") && !file.empty() && file.extension() != ".prom")
      table.problem("file", "must end in .prom: node_exporter reads no other");
    require_apart(table, "file", file);
    table.refuse_unknown();
  }

  void page(TomlTable table) {
    config_.page_folder = value::maybe_absolute(table, "folder");
    require_apart(table, "folder", config_.page_folder);
    table.refuse_unknown();
  }

  void processors() {
    for (TomlTable& table : root_.tables("processors")) {
      Processor one{value::required(table, "name", "\"…\""), value::required(table, "task", "\"…\"")};
      for (const std::string& text : {one.name, one.task})
        if (!is_plain(text) || without_numbers(text) != text)
          table.problem("name", "and task must be plain text without a national number");
      table.refuse_unknown();
      config_.processors.push_back(std::move(one));
    }
  }

  void distribution(TomlTable table) {
    if (config_.role == Role::sender && root_.has("distribution"))
      root_.problem("distribution", "is for the receiving side only: take it out");
    config_.distribution = read_distribution(std::move(table));
    for (const Recipient& recipient : config_.distribution.recipients)
      for (const auto* pins : {&config_.own_keys, &config_.counterparty_keys})
        if (pinned(*pins, recipient.keys.front().fingerprint) != nullptr)
          root_.problem("distribution", fmt::format("gives {} a key of one of the agencies", recipient.name));
  }

  void forgetting(TomlTable table) {
    if (config_.role == Role::sender && root_.has("forgetting"))
      root_.problem("forgetting", "is for the receiving side only: take it out");
    const auto keys = table.texts("signed_by");
    if (table.has("signed_by") && keys.empty())
      table.problem("signed_by", "must name a key; leave it out for the other side's keys");
    for (const std::string& key : keys) {
      if (!is_fingerprint(key))
        table.problem("signed_by",
                      "must hold primary keys' fingerprints: 40 hex digits, capitals, no blanks");
      config_.forgetting_keys.push_back({key, std::nullopt, std::nullopt});
    }
    table.refuse_unknown();
  }

  void hand_over(TomlTable table) {
    if (config_.role == Role::sender && root_.has("export"))
      root_.problem("export", "is for the receiving side only: take it out");
    config_.export_to.folder = value::maybe_absolute(table, "folder");
    require_apart(table, "folder", config_.export_to.folder);
    value::duration(table, "keep", config_.export_to.keep, Millis(std::chrono::hours(1)),
                    Millis(std::chrono::days(400)));
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

std::string_view role_name(Role role) { return role == Role::sender ? "sender" : "receiver"; }

std::vector<PinnedKey> also_pinned(const Config& config) {
  std::vector<PinnedKey> pins;
  for (const Recipient& recipient : config.distribution.recipients)
    pins.insert(pins.end(), recipient.keys.begin(), recipient.keys.end());
  for (const PinnedKey& key : config.forgetting_keys)
    if (pinned(config.own_keys, key.fingerprint) == nullptr &&
        pinned(config.counterparty_keys, key.fingerprint) == nullptr &&
        pinned(pins, key.fingerprint) == nullptr)
      pins.push_back(key);
  return pins;
}

bool is_party_name(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= 16 && std::all_of(name.begin(), name.end(), fits) &&
         without_numbers(name) == name;
}

Config parse_config(std::string_view text, std::string_view name) { return Reading(text, name).read(); }

Config read_config(const std::filesystem::path& path) {
  const std::string text = text_of(path);
  Config config = parse_config(text, path.filename().native());
  config.file = std::filesystem::absolute(path);
  config.sha256 = sha256_hex(text);
  return config;
}

std::string invocation(const std::filesystem::path& config_file) {
  return config_file.parent_path() == "/etc/veerdienst"
             ? fmt::format("veer -i {}", config_file.stem().native())
             : fmt::format("veer -c {}", printable(config_file.native(), 300));
}

std::string invocation(const Config& config) {
  return config.file.empty() ? "veer -i " + config.party : invocation(config.file);
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

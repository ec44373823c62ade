#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/error.h"
#include "core/exposure.h"
#include "core/random.h"
#include "core/secret.h"
#include "daemon/access.h"
#include "daemon/bus_client.h"
#include "daemon/commands/acting.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/config_values.h"
#include "daemon/ledger.h"
#include "daemon/machine.h"
#include "daemon/rules.h"
#include "daemon/schema.h"
#include "daemon/share_factory.h"
#include "daemon/share_trial.h"
#include "formats/keyring.h"

namespace veer {
namespace {

using Finding = Grade;
using Line = CheckLine;

// So long a service may be busy with something else first.
constexpr std::chrono::minutes kProbePatience(2);
constexpr std::chrono::minutes kLargePatience(10);

constexpr std::string_view name_of(Finding finding) {
  return finding == Finding::ok ? "ok" : finding == Finding::warn ? "warn" : "fail";
}

// It names the keys that count: who may change it may change whom we believe.
Line look_at_configuration(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || (status.st_uid != geteuid() && status.st_uid != 0))
    return {Finding::fail, "configuration",
            fmt::format("{} belongs to somebody else: chown it to the service's user", path.native())};
  if ((status.st_mode & 022) != 0)
    return {Finding::fail, "configuration",
            fmt::format("{} may be changed by others, and with it whose keys count: chmod 640 it",
                        path.native())};
  if (const auto exposure = exposure_above(path)) return {Finding::fail, "configuration", *exposure};
  return {Finding::ok, "configuration", path.native()};
}

struct Trials {
  bool share_alone = false;
  bool write = false;  ///< try the share with a large file too
};

/// Checks one thing after another, each for real.
class Examination {
 public:
  Examination(const Config& config, Trials wishes) : config_(config), wishes_(wishes) {}

  std::vector<Line> run() {
    // What another user leaves in these folders, the service cannot use.
    if (is_strange(config_.state)) {
      note(Finding::fail, "user",
           fmt::format(
               "{} belongs to another user: run this as the service's user, with runuser(1) or sudo(8)",
               config_.state.native()));
      return std::move(lines_);
    }
    if (!wishes_.share_alone) machine();
    if (!is_closed()) share();
    return std::move(lines_);
  }

 private:
  void machine() {
    folder("state folder", config_.state);
    folder("key folder", config_.openpgp_home);
    if (config_.role == Role::sender) drop_folder();
    free_space();
    clock();
    keys();
    database();
    if (config_.environment == Environment::production && !is_closed()) production();
  }

  /// A path that is closed needs neither share nor channels.
  bool is_closed() const {
    try {
      Database books(config_.database_url, Database::Access::read_only);
      require_schema(books);
      return Settings(books, clock_).closed_out().has_value();
    } catch (const Error&) {
      return false;
    }
  }

  // What keeps a service in production from starting, or from working on lists.
  void production() {
    attempt("legal basis", [&] {
      require_basis(config_, date_of(clock_.now()));
      return fmt::format("holds until {}", format_date(last_day(*config_.legal_basis)));
    });
    attempt("alerts", [&] {
      Database books(config_.database_url, Database::Access::read_only);
      require_schema(books);
      Settings settings(books, clock_);
      const auto channels = config_.alerts.rules().channels;
      const bool proven = std::any_of(channels.begin(), channels.end(), [&](const std::string& channel) {
        return settings.proof_of(channel) == config_.alerts.digest_of(channel);
      });
      if (!proven)
        throw Error(
            Code::c_production,
            fmt::format("no channel was tried as it is configured: '{} alerts test'", invocation(config_)));
      return std::string("a channel was proven");
    });
  }

  void note(Finding finding, std::string what, std::string detail) {
    lines_.push_back({finding, std::move(what), std::move(detail)});
  }

  void attempt(const std::string& what, const std::function<std::string()>& check) {
    try {
      note(Finding::ok, what, check());
    } catch (const Error& error) {
      note(Finding::fail, what, fmt::format("{}: {}", code_name(error.code()), error.message()));
    }
  }

  void folder(const std::string& what, const fs::path& path) {
    const auto exposure = exposure_of(path);
    note(exposure ? Finding::fail : Finding::ok, what, exposure.value_or(path.native()));
  }

  void drop_folder() {
    struct stat status {};
    if (stat(config_.drop.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      note(Finding::fail, "drop folder", fmt::format("{} is not a folder: make it", config_.drop.native()));
    else if (lies_in_ours())
      note(Finding::fail, "drop folder",
           "it and a folder of the service's lie in one another: name a folder apart");
    else if (access(config_.drop.c_str(), R_OK | W_OK | X_OK) != 0)
      note(Finding::fail, "drop folder",
           "it may not be read and written by the service: give its user the rights");
    else if ((status.st_mode & S_ISVTX) != 0 && status.st_uid != geteuid() && geteuid() != 0)
      note(Finding::fail, "drop folder",
           "it has the sticky bit, so that the service cannot remove what it took in: chmod -t, or give the "
           "folder to "
           "the service's user");
    else if ((status.st_mode & S_IWOTH) != 0)
      note(Finding::warn, "drop folder",
           "anybody may put files into it: give it to the operators' group, chmod 3770");
    else if ((status.st_mode & S_IWGRP) == 0 || (status.st_mode & S_ISGID) == 0)
      note(Finding::warn, "drop folder",
           "its group may not put files into it that are the group's: give it to the operators' group, chmod "
           "3770");
    else if ((status.st_mode & S_ISVTX) == 0 && config_.environment == Environment::production)
      note(Finding::warn, "drop folder",
           "one member of its group may take another's file away or put one in its place: chmod 3770");
    else if (!is_member(status.st_gid))
      note(Finding::warn, "drop folder",
           "the service's user is not in its group, and could not read a file that is the group's alone: "
           "usermod -aG GROUP USER");
    else
      note(Finding::ok, "drop folder", config_.drop.native());
  }

  static bool is_member(gid_t group) {
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(getgroups(0, nullptr), 0)));
    groups.resize(
        static_cast<std::size_t>(std::max(getgroups(static_cast<int>(groups.size()), groups.data()), 0)));
    return geteuid() == 0 || group == getegid() ||
           std::find(groups.begin(), groups.end(), group) != groups.end();
  }

  // The configuration compares names; links may lead elsewhere.
  bool lies_in_ours() const {
    std::vector<fs::path> ours = {config_.state, config_.openpgp_home};
    if (const auto* folders = std::get_if<FolderShareConfig>(&config_.share.kind))
      ours.insert(ours.end(), {folders->outgoing, folders->incoming});
    std::error_code error;
    const fs::path drop = fs::weakly_canonical(config_.drop, error);
    return std::any_of(ours.begin(), ours.end(), [&](const fs::path& folder) {
      return overlap(drop, fs::weakly_canonical(folder, error));
    });
  }

  void free_space() {
    struct statvfs status {};
    if (statvfs(config_.state.c_str(), &status) != 0) return;
    const std::uint64_t megabytes = status.f_bavail * status.f_frsize >> 20;
    note(megabytes >= 1024  ? Finding::ok
         : megabytes >= 200 ? Finding::warn
                            : Finding::fail,
         "free space",
         fmt::format("{} MB{}", megabytes, megabytes >= 1024 ? "" : ": make room, a list needs up to 1 GB"));
  }

  void clock() {
    const Time now = clock_.now();
    const bool plausible =
        date_of(now).year() >= std::chrono::year(2025) && date_of(now).year() < std::chrono::year(2040);
    note(plausible ? Finding::ok : Finding::fail, "clock",
         format_time(now) + (plausible ? "" : ": set it, and let it be kept (systemd-timesyncd or chrony)"));
  }

  void keys() {
    const KeyVisit visit(config_.openpgp_home);
    attempt("key ring", [&] {
      GpgmeSeal seal(config_.openpgp_home, config_.own_keys, config_.counterparty_keys, clock_);
      seal.check(also_pinned(config_));
      seal.own_key();
      seal.counterparty_key();
      return std::string("holds exactly the keys that the configuration names");
    });
    attempt("keys", [&] {
      for (const KeyState& key : list_keys(config_.openpgp_home)) {
        const std::string what = fmt::format("key …{}", key.fingerprint.substr(32));
        if (key.revoked) {
          note(Finding::fail, what, "is revoked: agree on a new one");
        } else if (!key.expires) {
          note(Finding::ok, what, "has no end");
        } else {
          const auto days = std::chrono::ceil<std::chrono::days>(*key.expires - clock_.now()).count();
          note(days > 90  ? Finding::ok
               : days > 7 ? Finding::warn
                          : Finding::fail,
               what,
               fmt::format("{} day(s) left{}", days,
                           days > 90        ? ""
                           : key.has_secret ? ": 'veer keys renew' gives it more time"
                                            : ": ask the other side to renew it, and take it in with 'veer "
                                              "keys import'"));
        }
        if (key.has_secret)
          note(Finding::ok, fmt::format("primary key …{}", key.fingerprint.substr(32)),
               key.has_primary ? "is on this machine: 'veer keys offline FILE' takes it to a safe"
                               : "is offline");
      }
      return std::string("looked through");
    });
    passphrase();
    dates("our keys", config_.own_keys, "make the next one with 'veer keys rotate'");
    dates("their keys", config_.counterparty_keys, "ask the other side for its next one");
  }

  void passphrase() {
    const std::string& named = config_.openpgp_passphrase;
    if (named.starts_with("credential:") && std::getenv("CREDENTIALS_DIRECTORY") == nullptr)
      return note(Finding::ok, "passphrase",
                  "was not tried, for the service alone has it; each list and rehearsal tries it");
    attempt("passphrase", [&] {
      const Secret word = passphrase_from(named, {}, Typed::once);
      for (const PinnedKey& pin : config_.own_keys)
        require_opens(config_.openpgp_home, pin.fingerprint, word.empty() ? nullptr : &word);
      return std::string(word.empty() ? "our keys have none" : "opens our keys");
    });
  }

  // Of the pins, as the configuration gives them; when the keys themselves end is another matter.
  void dates(const std::string& what, const std::vector<PinnedKey>& pins, std::string_view remedy) {
    const Time now = clock_.now();
    for (const PinnedKey& pin : pins) {
      if (pin.until && *pin.until < now)
        note(Finding::warn, what,
             fmt::format("the time of {} is over: 'veer keys retire' it", pin.fingerprint));
      if (pin.from && *pin.from > now)
        note(Finding::ok, what,
             fmt::format("{} counts from {}", pin.fingerprint, format_date(date_of(*pin.from))));
    }
    const bool goes_on = std::any_of(pins.begin(), pins.end(), [&](const PinnedKey& pin) {
      return !pin.until || *pin.until > now + std::chrono::days(90);
    });
    if (!goes_on) note(Finding::warn, what, fmt::format("none counts for 90 days more: {}", remedy));
  }

  void database() {
    attempt("database", [&] {
      if (const auto exposure = exposure_of_database(config_.database_url))
        throw Error(Code::c_config, *exposure);
      const std::string path = config_.database_url.substr(config_.database_url.find(':') + 1);
      std::error_code error;
      if (!fs::exists(path, error) && !error)
        return std::string("not there yet: the service makes it at its first start");
      if (access(path.c_str(), R_OK | W_OK) != 0)
        throw Error(Code::l_database,
                    "it may not be written by this user: give it to the service's user (chown)");
      Database books(config_.database_url, Database::Access::read_only);
      require_schema(books);
      if (const auto worked = Ledger(books, clock_).last_worked();
          worked && clock_.now() - *worked > kLongestRest)
        note(Finding::warn, "clock",
             fmt::format("{}, and this side was last at work on {}: see whether it is right ('timedatectl')",
                         format_time(clock_.now()), format_time(*worked)));
      if (const auto problems = books.integrity_problems(); !problems.empty())
        throw Error(Code::l_database, problems.front() + ": stop the service and restore the last backup");
      return std::string("whole");
    });
  }

  void share() {
    try {
      const bool lent = is_lent();
      if (lent) note(Finding::ok, "share", "tried by the service, which alone has what lets it in");
      for (const ProbeResult& result : lent ? probed_there() : probed_here())
        note(!result.good       ? Finding::fail
             : result.attention ? Finding::warn
                                : Finding::ok,
             "share: " + result.what, result.detail);
    } catch (const Error& error) {
      note(Finding::fail, "share", fmt::format("{}: {}", code_name(error.code()), error.message()));
    }
  }

  // systemd gives it to the service, and nobody else (LoadCredential=).
  bool is_lent() const {
    return uses_credentials(config_.share) && std::getenv("CREDENTIALS_DIRECTORY") == nullptr &&
           FolderLock::holder(config_.state) == kServiceWorks;
  }

  std::vector<ProbeResult> probed_here() const {
    SystemRandom random;
    const auto share = open_share(config_.share, config_.proxy);
    return examine_share(*share, wishes_.write, random, {});
  }

  std::vector<ProbeResult> probed_there() const {
    const CommandResult result =
        wishes_.write ? result_by_service(config_, "probe-large", config_.sha256, kLargePatience)
                      : result_by_service(config_, "probe", config_.sha256, kProbePatience);
    if (result.stage == CommandStage::pending)
      throw Error(Code::s_timeout,
                  "the service has other work still, and looks at the share after that: try "
                  "again later, or look at 'veer status'");
    if (result.stage == CommandStage::failed)
      throw Error(code_named(result.code).value_or(Code::l_engine), result.text);
    return probe_results_of(result.text);
  }

  const Config& config_;
  Trials wishes_;
  SystemClock clock_;
  std::vector<Line> lines_;
};

/// Whether people can ask the service for what is theirs to ask (docs/bus.md).
std::vector<Line> look_at_people(const Context& context, const Config& config) {
  std::vector<Line> lines;
  if (const auto unknown = unknown_groups(config.access); !unknown.empty())
    lines.push_back({Finding::warn, "groups",
                     fmt::format("this machine has none called {}: make them (groupadd), or name others in "
                                 "[access]",
                                 fmt::join(unknown, ", "))});
  else
    lines.push_back({Finding::ok, "groups", "each that [access] names is there"});
  if (FolderLock::holder(config.state) != kServiceWorks) return lines;
  try {
    const BusClient service(context.bus_instance(), context.config_path(), std::chrono::seconds(5));
    lines.push_back({Finding::ok, "bus", "the service answers there"});
  } catch (const Error& error) {
    lines.push_back({Finding::warn, "bus",
                     fmt::format("{}: until then its own user alone can give commands", error.message())});
  }
  return lines;
}

/// Where an instance's service writes, and would not get on without.
std::vector<NamedFolder> folders_of(const Config& config) {
  std::vector<NamedFolder> folders = {{"state folder", config.state}, {"key folder", config.openpgp_home}};
  if (config.role == Role::sender) folders.push_back({"drop folder", config.drop});
  if (!config.export_to.folder.empty()) folders.push_back({"export folder", config.export_to.folder});
  if (const auto* share = std::get_if<FolderShareConfig>(&config.share.kind)) {
    folders.push_back({"share", share->outgoing});
    folders.push_back({"share", share->incoming});
  }
  return folders;
}

void doctor(Context& context, Trials wishes) {
  const Config config = context.config();
  std::vector<Line> lines = Examination(config, wishes).run();
  lines.insert(lines.begin(), look_at_configuration(context.config_path()));
  // What is set up elsewhere (a trial, a demonstration) is not this machine's service.
  if (const fs::path path = context.config_path();
      path.parent_path() == "/etc/veerdienst" && !wishes.share_alone) {
    for (Line& line : look_at_people(context, config)) lines.push_back(std::move(line));
    for (Line& line : look_at_machine(path.stem().native(), folders_of(config), SystemClock().now()))
      lines.push_back(std::move(line));
  }
  for (const Line& line : lines) {
    if (line.grade == Finding::fail) context.exit_code = kFailed;
    if (line.grade == Finding::warn && context.exit_code == kDone) context.exit_code = kAttention;
  }
  if (context.json) {
    Json json = Json::array();
    for (const Line& line : lines)
      json.push_back({{"finding", name_of(line.grade)}, {"what", line.what}, {"detail", line.detail}});
    context.print(text_of(json));
    return;
  }
  for (const Line& line : lines)
    context.print(fmt::format("{:<4}  {}{}{}\n", name_of(line.grade), line.what,
                              line.detail.empty() ? "" : ": ", line.detail));
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto* command =
      app.add_subcommand("doctor", "Check configuration, rights, keys, database and share, each for real");
  auto wishes = std::make_shared<Trials>();
  command->add_flag("--share", wishes->share_alone, "the share alone");
  command->add_flag("--write", wishes->write,
                    "try the share with a file of 24 MB too, as an acceptance run: it is removed again");
  command->callback([&context, wishes] { doctor(context, *wishes); });
}

}  // namespace veer

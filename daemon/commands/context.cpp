#include "daemon/commands/context.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/exposure.h"
#include "core/log.h"
#include "daemon/access.h"
#include "daemon/backup.h"
#include "daemon/credentials.h"
#include "daemon/schema.h"
#include "daemon/share_factory.h"
#include "formats/primary_key.h"

namespace veer {
namespace {

constexpr std::string_view kAsItsUser = "run this as the service's user, with runuser(1) or sudo(8)";

bool is_unreadable(const fs::path& file) { return access(file.c_str(), R_OK) != 0 && errno == EACCES; }

std::string unreadable(const fs::path& file) {
  return fmt::format("{} may not be read by {}", printable(file.native(), 300), person_of(getuid()).name);
}

std::string strange(const fs::path& folder) {
  return fmt::format("{} belongs to another user than {}", printable(folder.native(), 300),
                     person_of(getuid()).name);
}

}  // namespace

Secret passphrase_of(const Config& config) { return read_word(config.openpgp_passphrase); }

std::filesystem::path Context::config_path() const {
  if (!config_file.empty()) return fs::absolute(config_file).lexically_normal();
  if (instance.empty() || instance.find('/') != std::string::npos)
    throw Error(Code::u_usage,
                "say which instance: --config FILE, or --instance NAME for /etc/veerdienst/NAME.toml");
  return fmt::format("/etc/veerdienst/{}.toml", instance);
}

fs::path Context::readable_config_path() const {
  fs::path path = config_path();
  if (is_unreadable(path))
    throw Error(
        Code::c_user,
        fmt::format("{}: {}; or, when this is the service's user and somebody else edited the file, give it "
                    "back with chown(1)",
                    unreadable(path), kAsItsUser));
  return path;
}

Config Context::config() const {
  return in_force != nullptr ? *in_force : read_config(readable_config_path());
}

Config Context::own_config() const {
  Config own = config();
  require_own(own.state);
  return own;
}

std::optional<std::string> Context::strangeness() const {
  const fs::path path = config_path();
  if (is_unreadable(path)) return unreadable(path);
  const fs::path state = read_config(path).state;
  return is_strange(state) ? std::optional(strange(state)) : std::nullopt;
}

std::string Context::bus_instance() const { return config_path().stem(); }

bool is_strange(const fs::path& folder) {
  struct stat status {};
  return stat(folder.c_str(), &status) == 0 ? status.st_uid != geteuid() : errno == EACCES;
}

void require_own(const fs::path& folder) {
  if (is_strange(folder)) throw Error(Code::c_user, fmt::format("{}: {}", strange(folder), kAsItsUser));
}

void Context::print(std::string_view text) const {
  if (captured != nullptr) {
    *captured += text;
    return;
  }
  std::cout << text << std::flush;
  if (!std::cout) throw Error(Code::l_io, "standard output cannot be written");
}

void Context::tell(std::string_view text) const {
  if (captured == nullptr) std::cerr << text << std::flush;
}

bool Context::is_confirmed(std::string_view question) const {
  tell(fmt::format("{} [y/N] ", question));
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes" || answer == "j" || answer == "J" ||
         answer == "ja";
}

bool at_terminal() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

std::unique_ptr<Working> Working::try_open(const Config& config, std::string_view who) {
  make_folder(config.state);
  for (const fs::path& folder : {config.state, config.openpgp_home})
    if (const auto exposure = exposure_of(folder)) throw Error(Code::c_config, *exposure);
  if (std::error_code none; fs::exists(config.state / kRestoring, none))
    throw Error(Code::u_state,
                fmt::format("a restore into {} was cut off: move what lies in it aside, and restore again",
                            config.state.native()));
  if (const auto exposure = exposure_of_database(config.database_url)) throw Error(Code::c_config, *exposure);
  auto state = FolderLock::try_take(config.state, who);
  if (!state) return nullptr;
  auto keys = FolderLock::try_take(config.openpgp_home, who);
  if (!keys) return nullptr;
  return std::make_unique<Working>(Key(), config, std::move(*state), std::move(*keys));
}

Working::Working(Key, const Config& config, FolderLock state, FolderLock keys)
    : state_lock_(std::move(state)),
      key_lock_(std::move(keys)),
      agent_(config.openpgp_home),
      seal_(config.openpgp_home, config.own_keys, config.counterparty_keys, clock_, passphrase_of(config)) {
  stop_agent(config.openpgp_home);
  forget_killed_work();
  for (const std::string& name : prepare_home(config.openpgp_home))
    log(LogLevel::warn, "{} in the key folder was not as this program writes it; it was put right",
        printable(name));
  seal_.check(also_pinned(config));
  share_ = open_share(config.share, config.proxy);
  instance_.emplace(config, *share_, seal_, clock_, random_);
  instance_->open_seal = [this](const std::vector<PinnedKey>& recipient) {
    const Config& own = instance_->config;
    return std::make_unique<GpgmeSeal>(own.openpgp_home, own.own_keys, recipient, clock_, passphrase_of(own));
  };
  instance_->settings.claim(std::string(environment_name(config.environment)));
  engine_.emplace(*instance_);
}

void Working::require_heard() {
  const Config& config = instance_->config;
  if (config.environment != Environment::production) return;
  const auto channels = config.alerts.rules().channels;
  if (std::none_of(channels.begin(), channels.end(), [&](const std::string& channel) {
        return !instance_->settings.proof_of(channel).empty();
      }))
    throw Error(Code::c_production,
                fmt::format("production begins once a channel of [alerts] has told somebody: "
                            "'{} alerts test'",
                            invocation(config)));
}

AgentEnd::~AgentEnd() {
  try {
    stop_agent(home_);
  } catch (const std::exception& error) {
    log(LogLevel::warn, "the OpenPGP agent could not be ended: {}", error.what());
  }
}

KeyVisit::~KeyVisit() {
  try {
    if (const auto lock = FolderLock::try_take(home_)) stop_agent(home_);
  } catch (const std::exception& error) {
    log(LogLevel::warn, "the OpenPGP agent could not be ended: {}", error.what());
  }
}

bool needs_attention(const std::vector<Alert>& alerts) {
  return std::any_of(alerts.begin(), alerts.end(),
                     [](const Alert& alert) { return alert.kind != alert_kind_name(AlertKind::notice); });
}

void require_books(Database& books, const Config& config) {
  static constexpr auto kPatience = std::chrono::seconds(5);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    try {
      return require_schema(books);
    } catch (const Error& error) {
      if (error.code() != Code::l_schema || std::chrono::steady_clock::now() > end ||
          !FolderLock::is_taken(config.state))
        throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::unique_ptr<Database> open_books(const Config& config) {
  std::error_code error;
  if (!fs::exists(config.database_url.substr(config.database_url.find(':') + 1), error) && !error)
    throw Error(Code::u_state, "there are no books yet: start the service once ('veer run')");
  auto books = std::make_unique<Database>(config.database_url, Database::Access::read_only);
  require_books(*books, config);
  return books;
}

}  // namespace veer

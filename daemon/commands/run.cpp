#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/context.h"
#include "daemon/commands/looks.h"
#include "daemon/service.h"

namespace veer {
namespace {

// systemd tells which stream it reads for the journal (systemd.exec(5), $JOURNAL_STREAM).
bool stderr_is_journal() {
  const char* told = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return told != nullptr && fstat(2, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == std::string(told);
}

// Whoever holds a lock may be about to end: a command that worked alone, or a look at the keys.
std::unique_ptr<Working> open_soon(const Config& config, std::string_view who) {
  static constexpr auto kPatience = std::chrono::seconds(2);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    if (auto working = Working::try_open(config, who)) return working;
    if (std::chrono::steady_clock::now() > end)
      throw Error(Code::l_lock,
                  FolderLock::holder(config.state) == kServiceWorks
                      ? "the service works on this instance already; ask it with 'veer status'"
                      : "a command works on this instance or its keys: let it end, or end it, and try again");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

/// What keeps a chore, an exchange or a file on the share from being done. What an arrival waits for a person
/// with is told by its alert.
std::optional<Code> first_problem(Agenda& agenda, Ledger& ledger) {
  const auto code_of = [](const Wait& wait) { return code_named(wait.problem_code); };
  for (const Chore chore : kChores)
    if (const auto code = code_of(agenda.chore(chore).wait)) return code;
  for (const Exchange& x : ledger.exchanges())
    if (const auto code = code_of(x.wait)) return code;
  for (const Arrival& arrival : ledger.open_arrivals())
    if (const auto code = code_of(arrival.wait); code && remedy_of(*code) == Remedy::retry) return code;
  return std::nullopt;
}

/// Whether a list waits for release, and nothing else asks for a person.
bool is_held(Instance& at) {
  std::size_t held = 0;
  for (const Exchange& x : at.ledger.exchanges()) held += x.stage == Stage::held ? 1 : 0;
  std::size_t matters = 0;
  for (const Alert& alert : at.alerts.open())
    matters += alert.kind == alert_kind_name(AlertKind::notice) ? 0 : 1;
  return held > 0 && matters <= held && at.offers.refused().empty() && !at.offers.any_settling();
}

std::vector<std::pair<std::string, std::string>> settling(Offers& offers) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const Offer& offer : offers.all())
    if (offer.stage == OfferStage::settling) files.emplace_back(offer.name, offer.identity);
  return files;
}

// A file that somebody just dropped is due when it has settled. One that goes on changing is left to the next
// run, and told of; what else keeps one from being taken in is told by its alert.
void settle(Working& working, const Transfer& transfer) {
  static constexpr int kLooks = 3;
  static constexpr auto kLongest = std::chrono::milliseconds(std::chrono::minutes(1));
  Instance& at = working.instance();
  auto files = settling(at.offers);
  for (int look = 0; look < kLooks && !files.empty(); ++look) {
    if (at.config.intake.settle > kLongest) {
      log(LogLevel::warn,
          "a file in the drop folder is left to settle for longer than a minute: run this again later");
      return;
    }
    const auto end = std::chrono::steady_clock::now() + at.config.intake.settle;
    while (std::chrono::steady_clock::now() < end) {
      transfer.heed_stop();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    working.engine().wake(Chore::scan);
    run_once(working.engine(), transfer);
    const auto before = std::exchange(files, settling(at.offers));
    if (files == before) return;
  }
  if (!files.empty()) log(LogLevel::warn, "a file in the drop folder is still changing: run this again");
}

// What another process knows this instance by, and holds locks for, stays as it is until a restart.
bool is_same_instance(const Config& now, const Config& next) {
  const auto identity = [](const Config& config) {
    return std::tie(config.party, config.role, config.environment, config.state, config.openpgp_home,
                    config.database_url);
  };
  return identity(now) == identity(next);
}

/// The configuration as it stands in its file now; empty, and told why, when it cannot be used.
std::optional<Config> read_anew(const Context& context, const Config& now) {
  try {
    Config next = context.own_config();
    if (is_same_instance(now, next)) return next;
    log(LogLevel::error,
        "the configuration names another party, role, environment or folder: that takes a restart; "
        "the service goes on with the old one");
  } catch (const Error& error) {
    log(LogLevel::error, "the service goes on with the old configuration: {}: {}", code_name(error.code()),
        error.message());
  }
  return std::nullopt;
}

void serve(const Context& context) {
  Service::hold_signals();
  Config config = context.own_config();
  auto working = open_soon(config, kServiceWorks);
  working->require_heard();
  while (true) {
    log(LogLevel::info, "{} runs as {} ({})", program_name(), config.party,
        environment_name(config.environment));
    std::optional<Config> next;
    working->instance().evidence = [&](const std::string& wish) {
      Context looking = context;
      looking.in_force = &config;
      return look_here(looking, "evidence", wish, true).text;
    };
    const ServiceHooks hooks{.may_reload =
                                 [&] {
                                   next = read_anew(context, config);
                                   return next.has_value();
                                 },
                             .bus_instance = context.bus_instance(),
                             .configuration = context.config_path(),
                             .look =
                                 [&](const std::string& what, const std::string& argument, bool json) {
                                   Context looking = context;
                                   looking.in_force = &config;
                                   return look_here(looking, what, argument, json);
                                 }};
    Service service(working->instance(), working->engine(), hooks);
    if (service.run() == Service::End::stop) break;
    working.reset();
    try {
      working = open_soon(*next, kServiceWorks);
      config = *next;
    } catch (const Error& error) {  // a key or a credential that it names is not there
      log(LogLevel::error, "the service goes on with the old configuration: {}: {}", code_name(error.code()),
          error.message());
      working = open_soon(config, kServiceWorks);
    }
  }
  log(LogLevel::info, "{} stops", program_name());
}

void run(Context& context, bool once, const std::string& level) {
  const auto threshold = level == "debug"  ? LogLevel::debug
                         : level == "warn" ? LogLevel::warn
                                           : LogLevel::info;
  log_to(stderr_is_journal() ? LogTarget::journal : LogTarget::stderr_plain, threshold);
  if (!once) {
    serve(context);
    return;
  }
  const StopOnSignal stop;
  const auto working = open_soon(context.own_config(), kCommandWorks);
  working->require_heard();
  working->engine().start();
  const Transfer transfer{.stop = stop.token(), .progress = {}};
  run_once(working->engine(), transfer);
  settle(*working, transfer);
  Instance& at = working->instance();
  if (needs_attention(at.alerts.open()) || !at.alerts.incidents().waiting().empty() ||
      !at.offers.refused().empty() || at.offers.any_settling())
    context.exit_code = is_held(at) ? kHeld : kAttention;
  if (const auto problem = first_problem(at.agenda, at.ledger)) context.exit_code = exit_code_of(*problem);
  if (context.exit_code != kDone)
    context.tell(fmt::format("something needs a person: '{} status' says what\n", invocation(at.config)));
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("run", "Work: the service's loop");
  auto once = std::make_shared<bool>(false);
  auto level = std::make_shared<std::string>("info");
  command->add_flag("--once", *once, "Do everything that is due, then exit");
  command->add_option("--log-level", *level, "debug, info or warn")
      ->check(CLI::IsMember({"debug", "info", "warn"}));
  command->callback([&context, once, level] { run(context, *once, *level); });
}

}  // namespace veer

// Commands that change something: each writes a row, which the worker carries out. Whether that is a service
// or this very process is the only difference; on somebody else's instance, the service writes the row too.

#include "daemon/commands/acting.h"

#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/looks.h"
#include "daemon/intake.h"
#include "daemon/schema.h"
#include "daemon/service.h"

namespace veer {
namespace {

/// An exchange as a command follows it, in the ledger or by asking the service.
struct Followed {
  std::string id;
  std::string package;
  std::string stage;
  std::string receipt;  ///< its JSON; empty when there is none
};
using Follow = std::function<std::optional<Followed>(const std::string& id)>;

bool is_over(const Followed& x) {
  return x.stage != stage_name(Stage::sealed) && x.stage != stage_name(Stage::sent);
}

constexpr const char* kNoService = "no service runs: start it, or use 'veer run --once'";

/// What a person sees while waiting: a bar on a terminal, a line at each turn elsewhere.
class Progress {
 public:
  explicit Progress(const Context& context) : context_(context), terminal_(isatty(2) == 1) {}

  void bytes(std::uint64_t done, std::uint64_t all) {
    if (!terminal_ || all == 0) return;
    static constexpr std::size_t kWidth = 40;
    const std::size_t filled = static_cast<std::size_t>(std::min(done, all) * kWidth / all);
    context_.tell(
        fmt::format("\r[{:<{}}] {:>3} %", std::string(filled, '#'), kWidth, std::min(done, all) * 100 / all));
    drawn_ = true;
  }
  void end_bar() {
    if (drawn_) context_.tell("\n");
    drawn_ = false;
  }
  void stage(const Followed& x) {
    if (stage_ == x.stage) return;
    stage_ = x.stage;
    end_bar();
    context_.tell(fmt::format("{}: {}\n", x.package, x.stage));
  }

 private:
  const Context& context_;
  bool terminal_;
  bool drawn_ = false;
  std::string stage_;
};

/// Empty when another process works on the instance.
std::unique_ptr<Working> begin_work(const Config& config) {
  auto working = Working::try_open(config, kCommandWorks);
  if (working) working->engine().start();
  return working;
}

/// Waits, by working where nobody else does and by watching where somebody does, until `done` says so or
/// patience ends. Works only while something is due, so that it keeps no service from starting meanwhile.
/// Throws L_STOPPED after a signal.
class Patience {
 public:
  Patience(const Config& config, std::unique_ptr<Working> working, Database& books, std::chrono::seconds most,
           Progress& progress, std::stop_token stop)
      : config_(config),
        working_(std::move(working)),
        books_(books),
        end_(std::chrono::steady_clock::now() + most),
        progress_(progress),
        stop_(std::move(stop)) {}

  template <typename Done>
  bool until(Done done) {
    while (!done()) {
      require_going();
      if (std::chrono::steady_clock::now() >= end_) return false;
      if (work_one()) continue;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return true;
  }
  /// Everything that is due, where this process is the one that works.
  void finish_work() {
    while (working_ != nullptr && work_one()) require_going();
    progress_.end_bar();
  }
  /// Whether nobody but this process works on the instance.
  bool is_alone() const { return working_ != nullptr || !FolderLock::is_taken(config_.state); }

 private:
  bool work_one() {
    // The one that worked may have ended since.
    if (!working_ && clock_.now() >= next_due_ && !FolderLock::is_taken(config_.state))
      working_ = begin_work(config_);
    if (!working_) return false;
    if (working_->engine().run_one(transfer())) return true;
    next_due_ = working_->engine().next_due().value_or(Time::max());
    if (next_due_ - clock_.now() > kWorthALock) working_.reset();
    return false;
  }
  void require_going() const {
    if (stop_.stop_requested())
      throw Error(Code::l_stopped,
                  fmt::format("ended before it was done; what was asked for stays in the books{}",
                              is_alone() ? " until the next 'veer run'" : ""));
  }
  Transfer transfer() {
    const auto next = Ledger(books_, clock_).next_exchange();
    const std::uint64_t all = next ? next->package_size : 0;
    return {.stop = stop_, .progress = [this, all](std::uint64_t bytes) { progress_.bytes(bytes, all); }};
  }

  static constexpr auto kWorthALock = std::chrono::seconds(1);

  const Config& config_;
  std::unique_ptr<Working> working_;
  Time next_due_{};
  Database& books_;
  SystemClock clock_;
  std::chrono::steady_clock::time_point end_;
  Progress& progress_;
  std::stop_token stop_;
};

// Only what somebody works on goes out by itself.
void tell_unsent(Context& context, Ledger& ledger) {
  for (const Exchange& x : ledger.exchanges()) {
    if (x.stage != Stage::sealed && x.wait.problem_code.empty()) continue;
    context.exit_code = kAttention;
    context.tell(fmt::format(
        "{} is {} and waits for its next try{}; {}\n", x.package, stage_name(x.stage),
        x.wait.problem_code.empty() ? "" : fmt::format(" ({}: {})", x.wait.problem_code, x.wait.problem),
        kNoService));
  }
}

void tell_held(Context& context, const Followed& x) {
  context.exit_code = kHeld;
  context.tell(fmt::format("it waits for release by another person, an approver: 'veer approve {}'\n",
                           x.id.substr(0, 8)));
}

void report_end(Context& context, const Followed& x) {
  if (context.json) {
    Json json = {{"exchange", x.id}, {"stage", x.stage}};
    if (!x.receipt.empty()) json["receipt"] = Json::parse(x.receipt);
    context.print(text_of(json));
  } else {
    context.print(fmt::format("{} {}\n", x.id, x.stage));
    context.print(x.receipt);
  }
  if (x.stage == stage_name(Stage::refused)) context.exit_code = kRefusedThere;
  if (x.stage == stage_name(Stage::withdrawn) || x.stage == stage_name(Stage::rejected))
    context.exit_code = kFailed;
  if (x.stage == stage_name(Stage::held)) tell_held(context, x);
}

bool makes_exchange(const std::string& verb) { return verb.starts_with("send") || verb == "rehearse"; }

void report_done(const Context& context, const Asked& asked, const CommandResult& result,
                 const Follow& follow) {
  if (!context.json) {
    context.print(result.text + "\n");
    return;
  }
  Json json = {{"command", asked.verb}};
  if (const auto sent = makes_exchange(asked.verb) ? follow(result.text) : std::nullopt)
    json.update({{"exchange", sent->id}, {"stage", sent->stage}});
  else
    json["text"] = result.text;
  context.print(text_of(json));
}

void tell_if_held(Context& context, const Asked& asked, const CommandResult& result, const Follow& follow) {
  const auto sent = makes_exchange(asked.verb) ? follow(result.text) : std::nullopt;
  if (sent && sent->stage == stage_name(Stage::held)) tell_held(context, *sent);
}

void throw_failed(const CommandResult& result) {
  if (result.stage == CommandStage::failed)
    throw Error(code_named(result.code).value_or(Code::u_state), result.text);
}

std::string so_far(const CommandResult& result) {
  return result.text.empty() ? "" : fmt::format(" ({})", result.text);
}

Error no_receipt_yet(const std::string& exchange, const std::string& and_then) {
  return {Code::s_timeout,
          fmt::format("no receipt yet for exchange {}: 'veer poll' looks for it at once, 'veer "
                      "show {}' tells what became of it{}",
                      exchange, exchange.substr(0, 8), and_then)};
}

/// Looks until `done` says so or patience ends; a service that begins anew meanwhile is waited for.
template <typename Done>
bool wait_there(BusClient& service, std::chrono::steady_clock::time_point end, Progress& progress,
                Done done) {
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> away_since;
  while (true) {
    try {
      if (done()) return true;
      away_since.reset();
    } catch (const Error& error) {
      if (!away_since) away_since = Clock::now();
      if (error.code() != Code::s_unreachable || Clock::now() - *away_since > BusClient::kPatience) throw;
    }
    if (Clock::now() >= end) return false;
    service.wait(std::chrono::milliseconds(200), [&](auto bytes, auto of) { progress.bytes(bytes, of); });
  }
}

/// Opened by whoever offers it, so that the service needs no right on it.
Fd open_list(const fs::path& path) {
  require_there(path);
  Fd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd && errno == EACCES)
    throw Error(Code::i_file, fmt::format("{} may not be read by you", printable(path.native(), 300)));
  if (!fd) throw_errno(fmt::format("opening {}", printable(path.native(), 300)));
  return fd;
}

std::int64_t ask_there(BusClient& service, const Asked& asked) {
  if (asked.entrusted) return service.entrust(asked.verb, asked.argument, *asked.entrusted);
  const bool with_file = asked.verb.starts_with("send") && !asked.verb.starts_with("send-empty");
  if (!with_file) return service.ask(asked.verb, asked.argument);
  const fs::path file = asked.argument;
  return service.offer(file.filename(), open_list(file), asked.verb);
}

/// The same as act() by asking the service of an instance that is somebody else's.
void act_there(Context& context, const Asked& asked, const std::string& strangeness) {
  const auto service = service_of(context, strangeness);
  const auto end = std::chrono::steady_clock::now() + asked.patience;
  const std::int64_t id = ask_there(*service, asked);
  Progress progress(context);
  CommandResult result;
  if (!wait_there(*service, end, progress, [&] {
        result = service->result_of(id);
        return result.stage != CommandStage::pending;
      }))
    throw Error(Code::s_timeout, fmt::format("not done yet{}; the service goes on with it", so_far(result)));
  throw_failed(result);
  const Follow follow = [&](const std::string& exchange) -> std::optional<Followed> {
    const Json shown = Json::parse(service->look("show", exchange, true).text);
    const Json& receipt = shown.at("receipt");
    return Followed{shown.at("exchange"), shown.at("package"), shown.at("stage"),
                    receipt.is_null() ? "" : text_of(receipt)};
  };
  if (!asked.wait_for_receipt) {
    progress.end_bar();
    report_done(context, asked, result, follow);
    tell_if_held(context, asked, result, follow);
    return;
  }
  std::optional<Followed> followed;
  if (!wait_there(*service, end, progress, [&] {
        followed = follow(result.text);
        progress.stage(*followed);
        return is_over(*followed);
      }))
    throw no_receipt_yet(result.text, "");
  report_end(context, *followed);
}

}  // namespace

std::string with_text(const std::string& head, const std::string& text) {
  std::string said = without_numbers(text);
  if (!without_typed_numbers(head + ' ' + said).starts_with(head))
    std::replace_if(
        said.begin(), said.end(), [](char c) { return c >= '0' && c <= '9'; }, 'x');
  return head + ' ' + said;
}

void act(Context& context, const Asked& asked) {
  if (const auto strangeness = context.strangeness()) return act_there(context, asked, *strangeness);
  // What is typed may name somebody: it is written down, and shown, without.
  const std::string argument = without_typed_numbers(asked.argument);
  const Config config = context.own_config();
  const StopOnSignal stop;
  auto working = begin_work(config);
  if (working && asked.verb != "test-alerts" && asked.verb != "suspend") working->require_heard();
  Database books(config.database_url);
  require_books(books, config);
  const SystemClock clock;
  Agenda agenda(books, clock);
  Ledger ledger(books, clock);
  std::int64_t id = 0;
  if (asked.entrusted && !working)
    throw Error(Code::u_state,
                "a service runs, and numbers of persons are not written down for it: ask it under your own "
                "name, as a "
                "member of a group of [access]; without a system bus, stop the service first");
  books.transaction([&] { id = agenda.ask(asked.verb, argument, person_of(getuid())); });
  if (asked.entrusted) working->instance().files.put(id, std::move(*asked.entrusted));
  if (!working) ring_bell(config.state);

  Progress progress(context);
  Patience patience(config, std::move(working), books, asked.patience, progress, stop.token());
  if (!patience.until([&] { return agenda.result_of(id).stage != CommandStage::pending; }))
    throw Error(Code::s_timeout,
                fmt::format("not done yet{}; {}", so_far(agenda.result_of(id)),
                            patience.is_alone() ? fmt::format("it stands in the books; {}", kNoService)
                                                : "the service goes on with it"));
  const CommandResult result = agenda.result_of(id);
  throw_failed(result);
  const Follow follow = [&](const std::string& exchange) -> std::optional<Followed> {
    const auto x = ledger.exchange(exchange);
    if (!x) return std::nullopt;
    const auto stored = ledger.receipt_of(x->id);
    return Followed{x->id, x->package, std::string(stage_name(x->stage)), stored ? stored->json : ""};
  };
  if (!asked.wait_for_receipt) {
    patience.finish_work();
    report_done(context, asked, result, follow);
    if (patience.is_alone()) tell_unsent(context, ledger);
    tell_if_held(context, asked, result, follow);
    return;
  }
  const bool over = patience.until([&] {
    const Followed x = follow(result.text).value();
    progress.stage(x);
    return is_over(x);
  });
  if (!over) throw no_receipt_yet(result.text, patience.is_alone() ? fmt::format("; {}", kNoService) : "");
  report_end(context, follow(result.text).value());
}

CommandResult result_by_service(const Config& config, const std::string& verb, const std::string& argument,
                                std::chrono::seconds most) {
  Database books(config.database_url);
  require_books(books, config);
  const SystemClock clock;
  Agenda agenda(books, clock);
  std::int64_t id = 0;
  books.transaction([&] { id = agenda.ask(verb, argument, person_of(getuid())); });
  ring_bell(config.state);
  const auto end = std::chrono::steady_clock::now() + most;
  CommandResult result;
  while ((result = agenda.result_of(id)).stage == CommandStage::pending &&
         std::chrono::steady_clock::now() < end && FolderLock::is_taken(config.state))
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return result;
}

namespace {

/// The option that takes the argument; null when there is none. `name`: of the command, when it is not the
/// verb.
CLI::Option* add_simple(CLI::App& app, Context& context, const std::string& verb, const std::string& what,
                        const std::string& argument, const std::string& name = {}) {
  auto* command = app.add_subcommand(name.empty() ? verb : name, what);
  auto asked = std::make_shared<Asked>();
  asked->verb = verb;
  command->callback([&context, asked] { act(context, *asked); });
  return argument.empty() ? nullptr : command->add_option(argument, asked->argument)->required();
}

void add_alert_verb(CLI::App& app, Context& context, const std::string& verb, const std::string& what,
                    const std::string& name = {}) {
  add_simple(app, context, verb, what, "NUMBER", name)->check([](const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos
               ? std::string()
               : std::string("must be the number of an alert in 'veer alerts'");
  });
}

// It says something of each person: that none is on the list.
void require_meant(const Context& context, int year) {
  const std::string what =
      fmt::format("an empty list says that nobody is on the list for reference date 1 January {}", year);
  if (!at_terminal()) throw Error(Code::u_usage, what + ": say --yes when that is meant");
  context.tell(what + '\n');
  if (!context.is_confirmed("Offer it?")) throw Error(Code::u_usage, "nothing was offered");
}

void add_send(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("send", "Offer a list by hand; the file stays where it lies");
  auto asked = std::make_shared<Asked>();
  auto file = std::make_shared<std::string>();
  auto year = std::make_shared<int>(0);
  auto wait = std::make_shared<std::int64_t>(3600);
  auto* path = command->add_option("FILE", *file, "The list");
  auto* empty = command->add_option("--empty", *year, "Instead of a file: the explicit empty list of YEAR");
  auto yes = std::make_shared<bool>(false);
  command->add_flag("--yes", *yes, "Offer the empty list without being asked")->needs(empty);
  auto left_out = std::make_shared<bool>(false);
  command
      ->add_flag("--set-aside-faulty", *left_out,
                 "Leave faulty lines out; an approver, another person, releases the list with their count")
      ->excludes(empty);
  auto corrects = std::make_shared<bool>(false);
  command->add_flag("--correction", *corrects,
                    "Instead of the list that is recorded for that year, completely (article 7)");
  auto* waiting =
      command->add_flag("--wait", asked->wait_for_receipt, "Show progress until the receipt is there");
  command->add_option("--timeout", *wait, "Seconds to wait at most")
      ->check(CLI::Range(1, 86400))
      ->needs(waiting);
  path->excludes(empty);
  command->callback([&context, asked, file, year, yes, left_out, corrects, wait] {
    if (file->empty() == (*year == 0)) throw CLI::RequiredError("FILE or --empty YEAR");
    const std::string whole = file->empty() ? "" : fs::absolute(*file).lexically_normal().native();
    if (const std::string name = fs::path(whole).filename();
        without_numbers(name) != name || without_typed_numbers(whole) != whole)
      throw Error(Code::i_name,
                  "the file's name or folder holds what could be a national number: give it another name");
    asked->verb = fmt::format("send{}{}{}", file->empty() ? "-empty" : "", *corrects ? "-correction" : "",
                              *left_out ? "-set-aside" : "");
    if (!file->empty() && !context.strangeness()) require_there(*file);
    if (file->empty() && !*yes) require_meant(context, *year);
    asked->argument = file->empty() ? std::to_string(*year) : whole;
    if (asked->wait_for_receipt) asked->patience = std::chrono::seconds(*wait);
    act(context, *asked);
  });
}

void add_rehearse(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "rehearse", "Send a list of nobody over the real path; the other side answers and records nothing");
  auto asked = std::make_shared<Asked>();
  asked->verb = "rehearse";
  auto wait = std::make_shared<std::int64_t>(3600);
  auto* waiting =
      command->add_flag("--wait", asked->wait_for_receipt, "Show progress until the receipt is there");
  command->add_option("--timeout", *wait, "Seconds to wait at most; an hour otherwise")
      ->check(CLI::Range(1, 86400))
      ->needs(waiting);
  command->callback([&context, asked, wait] {
    if (asked->wait_for_receipt) asked->patience = std::chrono::seconds(*wait);
    act(context, *asked);
  });
}

void add_export(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "export", "Ask to hand a recorded list over to another system; another person releases it");
  auto year = std::make_shared<int>(0);
  auto purpose = std::make_shared<std::string>();
  command->add_option("YEAR", *year, "Reference year")->required()->check(CLI::Range(2022, 9999));
  command->add_option("--purpose", *purpose, "What for; it stays in the audit trail")->required();
  command->callback([&context, year, purpose] {
    act(context, {.verb = "export", .argument = with_text(std::to_string(*year), *purpose)});
    context.exit_code = kHeld;
    context.tell("it waits for release by another person, an approver: 'veer approve' with that name\n");
  });
}

void add_distribute(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "distribute",
      "Ask to deliver to each care fund its own members on a recorded list; another person releases it");
  auto year = std::make_shared<int>(0);
  auto members = std::make_shared<std::string>();
  command->add_option("YEAR", *year, "Reference year")->required()->check(CLI::Range(2022, 9999));
  command->add_option("--members", *members, "Membership register, ledenbestand-2026-11-20.csv")->required();
  command->callback([&context, year, members] {
    const std::string name = fs::path(*members).filename();
    if (without_numbers(name) != name)
      throw Error(Code::i_name,
                  "the file's name holds what could be a national number: give it another name");
    act(context, {.verb = "distribute",
                  .argument = fmt::format("{} {}", *year, name),
                  .entrusted = std::make_shared<Fd>(open_list(*members))});
    context.exit_code = kHeld;
    context.tell("it waits for release by another person, an approver: 'veer approve' with that name\n");
  });
}

}  // namespace

void add_alert_acting(CLI::App& alerts, Context& context) {
  add_alert_verb(alerts, context, "acknowledge-alert", "Say that you take an alert up: no reminders any more",
                 "acknowledge");
  add_alert_verb(alerts, context, "close-alert", "Close an alert that was dealt with", "close");
  alerts.add_subcommand("test", "Send a trial message by every channel, and say what came of it")
      ->callback([&context] {
        // What is tried is what stands in the file, where whoever asks can read it.
        act(context,
            {.verb = "test-alerts", .argument = context.strangeness() ? "" : context.own_config().sha256});
      });
}

void add_acting(CLI::App& app, Context& context) {
  add_send(app, context);
  add_rehearse(app, context);
  add_export(app, context);
  add_distribute(app, context);
  add_simple(app, context, "poll", "Look at the share now", "");
  add_simple(app, context, "retry",
             "Try now what waits for its next try: an exchange, a case, a delivery or a file on the share, "
             "by its name",
             "ID");
  add_simple(app, context, "resend", "Put the same sealed bytes on the share again", "ID");
  add_simple(app, context, "withdraw", "Take back what is not yet answered", "ID");
  add_alert_verb(app, context, "close-alert",
                 "Close an alert that was dealt with, by its number in 'veer status'");
}

Secret lent_answer(const Context& context, Asked asked) {
  const Fd memory(memfd_create("answer", MFD_CLOEXEC));
  asked.entrusted = std::make_shared<Fd>(fcntl(memory.get(), F_DUPFD_CLOEXEC, 3));
  if (!memory || !*asked.entrusted) throw_errno("making room for the answer");
  Context quiet = context;
  std::string talk;
  quiet.captured = &talk;
  act(quiet, asked);
  struct stat status {};
  if (fstat(memory.get(), &status) != 0) throw_errno("reading the answer");
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got =
        pread(memory.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got <= 0) throw_errno("reading the answer");
    done += static_cast<std::size_t>(got);
  }
  return Secret(std::move(bytes));
}

}  // namespace veer

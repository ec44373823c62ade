#include "daemon/engine.h"

#include <algorithm>
#include <exception>
#include <regex>
#include <utility>

#include <fmt/format.h>

#include "core/files.h"
#include "core/log.h"
#include "daemon/alert_topics.h"
#include "daemon/housekeeping.h"
#include "daemon/suspension.h"
#include "daemon/waiting.h"

namespace veer {
namespace {

// From so many failed tries on (a good hour by default), or when a chore has not been done for so long, what
// would mend itself is told to a person all the same.
constexpr std::int64_t kSilentTries = 10;
constexpr std::chrono::hours kSilentTime{1};
// So long a command is tried again before whoever gave it is told that it failed.
constexpr std::chrono::hours kCommandTime{1};
// The share is believed no longer wait than this.
constexpr std::chrono::milliseconds kLongestRetryAfter = std::chrono::hours(24);
// What time synchronisation puts right in one step is less.
constexpr std::chrono::minutes kClockStep{5};
// What a machine is paused for, or a time zone was mistaken by, is less.
constexpr std::chrono::hours kClockLeap{4};
// So long a note that could not be written waits.
constexpr std::chrono::minutes kNoteAgain{1};
/// The share between the two sides, or a care fund's.
std::string host_key_cause(const std::string& fund) { return fund.empty() ? "host-key" : "host-key:" + fund; }

bool is_about_share(Code code) { return code_name(code).starts_with("S_"); }

/// Whether a person is to hear of what is tried again all the same.
bool is_told(const Error& error, bool failing_long) {
  return remedy_of(error.code()) != Remedy::retry || failing_long ||
         error.retry_after().value_or(std::chrono::milliseconds(0)) >= kSilentTime;
}

std::string withdraw_cause(const Exchange& x) { return "withdraw:" + x.id; }

bool is_wanted_back(Instance& at, const Exchange& x) {
  const auto commands = at.agenda.pending();
  return std::any_of(commands.begin(), commands.end(), [&](const Command& command) {
    return command.verb == "withdraw" && is_called(x, command.argument);
  });
}

/// One for each key that a server shows, or for what is wrong with it where the message tells no fingerprint.
std::string cause_of_key(Instance& at, const std::string& cause, const std::string& message) {
  static const std::regex kFingerprint("SHA256:[A-Za-z0-9+/]+");
  std::string keys;
  for (std::sregex_iterator it(message.begin(), message.end(), kFingerprint), end; it != end; ++it)
    keys += it->str();
  return at.alerts.cause_among(cause, keys.empty() ? message : keys);
}

// Within a transaction.
void tell_clock(Instance& at, const std::string& what) {
  at.alerts.raise(kClockCause, AlertKind::attention, code_name(Code::l_clock), "",
                  what + ": see whether it is right now ('timedatectl'), and close this");
}

std::variant<Sender, Receiver> side_of(Instance& instance) {
  if (instance.config.role == Role::sender) return Sender(instance);
  return Receiver(instance);
}

}  // namespace

Engine::Engine(Instance& instance)
    : at_(instance), side_(side_of(instance)), post_(instance), publishing_(instance) {}

void Engine::start() {
  tidy_spool_at_start(at_);
  at_.db.transaction([&] {
    at_.settings.begin();
    at_.alerts.tellings().start();
    post_.start();
  });
  // Nobody waits for the answer any more, and what ended the service may have been the question.
  for (const Command& command : at_.agenda.pending())
    if (command.verb.starts_with("probe"))
      at_.db.transaction([&] {
        at_.agenda.finish(command, CommandStage::failed, code_name(Code::l_stopped),
                          "the service began anew before the share was tried");
      });
  if (at_.config.role == Role::receiver) {
    Erasure(at_).reconcile_marks();
    if (!at_.settings.text(kRestoredBooks).empty()) Distribution(at_).take_back_restored();
  }
  at_.db.transaction([&] { at_.settings.forget(kRestoredBooks); });
  const auto last = at_.db.query_one("SELECT at FROM audit ORDER BY seq DESC LIMIT 1");
  last_seen_ =
      last && last->maybe_time(0) ? std::max(at_.clock.now(), *last->maybe_time(0)) : at_.clock.now();
  last_ran_ = at_.clock.uptime();
  const Time now = at_.clock.now();
  mind_the_clock(now);  // it may have gone back while nothing ran
  if (const auto worked = at_.ledger.last_worked();
      worked && now - *worked > kLongestRest && !at_.settings.closed_out())
    at_.db.transaction([&] {
      tell_clock(at_, fmt::format("the clock says {}, and this side was last at work on {}", format_time(now),
                                  format_time(*worked)));
    });
  wake_all(last_seen_, share_may_be_asked());
}

Time Engine::share_may_be_asked() {
  const Time now = at_.clock.now();
  return at_.ledger.told_to_wait(now, now + kLongestRetryAfter);
}

void Engine::wake_all(Time now, Time share) {
  at_.db.transaction([&] {
    at_.ledger.pull_in(now, share, now + at_.config.window.receipt_within);
    at_.agenda.schedule(Chore::poll, share);
    at_.agenda.schedule(Chore::tidy, now);
    if (at_.config.role == Role::sender)
      for (const Chore chore : {Chore::scan, Chore::rehearse}) at_.agenda.schedule(chore, now);
    at_.offers.reconsider(now);
    at_.alerts.tellings().pull_in(now);
    at_.holds.pull_in(now);
    at_.cases.pull_in(now);
    at_.alerts.incidents().pull_in(now);
    at_.deliveries.pull_in(now);
  });
}

// What was put off to a day that is suddenly far away again is not left waiting for it.
void Engine::mind_the_clock(Time now) {
  const auto ran = at_.clock.uptime();
  const auto leap = (now - last_seen_) - (ran - last_ran_);
  last_ran_ = ran;
  if (leap >= kClockLeap) {
    // Something else that was told of the clock does not close by itself.
    ahead_ = at_.alerts.is_open(kClockCause) ? ahead_.zero() : leap;
    at_.db.transaction([&] {
      tell_clock(at_, fmt::format("the clock was set ahead from {} to {}", format_time(last_seen_),
                                  format_time(now)));
    });
  }
  if (now < last_seen_) {
    log(LogLevel::warn, "the clock went back from {} to {}", format_time(last_seen_), format_time(now));
    const bool put_right = ahead_ > ahead_.zero() && std::chrono::abs(ahead_ + leap) < kClockStep;
    ahead_ = ahead_.zero();
    at_.db.transaction([&] {
      if (put_right)
        at_.alerts.close(kClockCause);
      else if (last_seen_ - now >= kClockStep)
        tell_clock(
            at_, fmt::format("the clock went back from {} to {}", format_time(last_seen_), format_time(now)));
    });
    wake_all(now, last_seen_ - now < kClockStep ? share_may_be_asked() : now);
  } else if (date_of(now) != date_of(last_seen_)) {  // deadlines, and what was refused for the date
    at_.db.transaction([&] {
      at_.offers.reconsider(now);
      at_.agenda.schedule(Chore::tidy, now);
      if (at_.config.role == Role::sender) at_.agenda.schedule(Chore::scan, now);
    });
  }
  last_seen_ = now;
}

void Engine::wake(Chore chore) {
  at_.db.transaction([&] { at_.agenda.schedule(chore, at_.clock.now()); });
}

std::optional<Time> Engine::next_due() {
  std::optional<Time> next = publishing_.next_due();
  if (const auto waiting = next_waiting(at_.db, at_.clock.now()); waiting && (!next || waiting->due < *next))
    next = waiting->due;
  return next;
}

bool Engine::run_one(const Transfer& transfer) {
  static constexpr auto kBetweenLooks = std::chrono::milliseconds(100);
  std::stop_source step;
  {
    const std::lock_guard lock(step_mutex_);
    step_ = step;
  }
  const std::stop_callback pass_on(transfer.stop, [&] { step.request_stop(); });
  std::optional<std::chrono::steady_clock::time_point> looked;
  const auto progress = [&](std::uint64_t bytes) {
    if (transfer.progress) transfer.progress(bytes);
    const auto now = std::chrono::steady_clock::now();
    if (reading_ends_ && now > *reading_ends_) {
      took_too_long_ = true;
      step.request_stop();
    }
    if (looked && now - *looked < kBetweenLooks) return;
    looked = now;
    // What goes on while all else is halted is not kept from its end by another one who halts it.
    if (at_.agenda.pending_of("suspend") && !is_halted(at_.db)) step.request_stop();
  };
  reading_ends_.reset();
  took_too_long_ = false;
  try {
    const bool worked = run_next({.stop = step.get_token(), .progress = progress});
    worked_ = worked_ || worked;
    publishing_.publish_if_due(!worked && std::exchange(worked_, false));
    return worked;
  } catch (const Error& error) {
    if (error.code() != Code::l_stopped || transfer.stop.stop_requested()) throw;
    log(LogLevel::info, "a step was abandoned, since the exchange is to be suspended");
    return true;
  }
}

// The row is there before this is called, and the step begins before the rows are looked at: one of both sees
// the other.
void Engine::interrupt() {
  const std::lock_guard lock(step_mutex_);
  step_.request_stop();
}

bool Engine::run_next(const Transfer& transfer) {
  const Time now = at_.clock.now();
  mind_the_clock(now);
  const auto next = next_waiting(at_.db, now);
  if (!next || next->due > now) return false;
  const auto work_on = [&](const std::string& what, const auto& row, auto defer) {
    std::string fund;
    if constexpr (requires { row.fund; }) fund = row.fund;
    attempt(
        what, fund, row.wait.attempts >= kSilentTries,
        [&] {
          std::visit(
              [&](auto& side) {
                if constexpr (requires { side.step(row, transfer); }) side.step(row, transfer);
              },
              side_);
        },
        [&](const Error& error) { defer(when_again(error, row.wait.attempts), error); });
  };
  switch (next->kind) {
    case WaitKind::note:
      write_note(at_.offers.next_note(now).value());
      break;
    case WaitKind::suspension:
      run(at_.agenda.pending_of("suspend").value(), transfer);
      break;
    case WaitKind::command:
      run(at_.agenda.next_command().value(), transfer);
      break;
    case WaitKind::arrival: {
      const Arrival arrival = at_.ledger.next_arrival(now).value();
      // A fetch goes on where it was; what is made of the bytes does not.
      if (arrival.stage == ArrivalStage::found)
        reading_ends_ = std::chrono::steady_clock::now() + at_.longest_reading;
      work_on(arrival.name, arrival, [&](Time again, const Error& error) {
        Arrival deferred = at_.ledger.arrival(arrival.id).value();
        deferred.wait = {again, arrival.wait.attempts + 1, std::string(code_name(error.code())),
                         error.message()};
        at_.ledger.save(deferred);
      });
      break;
    }
    case WaitKind::exchange: {
      const Exchange exchange = at_.ledger.next_exchange().value();
      // Nothing leaves, or is put again, that somebody wants back, though the share must be asked first
      // whether it was there already. That is no success of the step, whose alert stays.
      if (is_wanted_back(at_, exchange)) {
        at_.db.transaction(
            [&] { at_.ledger.set_due(exchange.id, at_.clock.now() + at_.config.share.retry_most); });
        break;
      }
      work_on(exchange.id, exchange,
              [&](Time again, const Error& error) { at_.ledger.defer(exchange, again, error); });
      break;
    }
    case WaitKind::chore:
      run(at_.agenda.next_chore(next->halted).value(), transfer);
      break;
    case WaitKind::telling:
      post_.send(at_.alerts.tellings().next().value(), transfer);
      break;
    case WaitKind::quality_case: {
      const Case quality_case = at_.cases.next().value();
      work_on("case " + quality_case.name(), quality_case,
              [&](Time again, const Error& error) { at_.cases.defer(quality_case, again, error); });
      break;
    }
    case WaitKind::delivery: {
      const Delivery delivery = at_.deliveries.next(next->halted).value();
      work_on("delivery " + delivery.file, delivery,
              [&](Time again, const Error& error) { at_.deliveries.defer(delivery, again, error); });
      break;
    }
  }
  return true;
}

std::optional<Error> Engine::run(const ChoreState& chore, const Transfer& transfer) {
  const auto usual = chore.chore == Chore::poll       ? at_.config.share.poll
                     : chore.chore == Chore::tidy     ? std::chrono::milliseconds(kTidyEvery)
                     : chore.chore == Chore::rehearse ? at_.config.rehearse_every
                                                      : std::chrono::milliseconds(0);
  if (chore.chore == Chore::poll) reading_ends_ = std::chrono::steady_clock::now() + at_.longest_reading;
  const bool long_ago = chore.done_at && at_.clock.now() - *chore.done_at >= kSilentTime + usual;
  return attempt(
      std::string(chore_name(chore.chore)), "", long_ago || chore.wait.attempts >= kSilentTries,
      [&] {
        const Time again = std::visit([&](auto& side) { return side.run(chore.chore, transfer); }, side_);
        at_.db.transaction([&] {
          at_.agenda.done(chore.chore, again);
          if (chore.chore == Chore::poll) at_.ledger.contact_is_back(at_.clock.now());
        });
      },
      [&](const Error& error) { at_.agenda.defer(chore, when_again(error, chore.wait.attempts), error); });
}

template <typename Step, typename Defer>
std::optional<Error> Engine::attempt(const std::string& what, const std::string& fund, bool failing_long,
                                     Step step, Defer defer) {
  const std::string cause = step_cause(what);
  try {
    step();
    if (at_.alerts.is_open(cause)) at_.db.transaction([&] { at_.alerts.close(cause); });
    return std::nullopt;
  } catch (...) {
    Error error = error_of(std::current_exception());
    if (error.code() == Code::l_stopped && took_too_long_)
      error = Error(Code::s_timeout,
                    "the share gives its files so slowly that other things come between; it goes on");
    if (error.code() == Code::l_stopped) throw error;
    log(LogLevel::warn, "{}: {}: {}", what, code_name(error.code()), error.message());
    at_.db.transaction([&] {
      defer(error);
      // Another host key is an attempt on the exchange until somebody knows better (Q27); the rest is told as
      // what keeps a step from being done.
      if (error.code() == Code::s_host_key)
        at_.alerts.raise(cause_of_key(at_, host_key_cause(fund), error.message()), AlertKind::finding,
                         code_name(error.code()), "", error.message());
      else if (is_told(error, failing_long))
        at_.alerts.raise(cause, AlertKind::attention, code_name(error.code()), "", error.message());
    });
    return error;
  }
}

// Exponential backoff with jitter, kept in the ledger; never earlier than the other side asked for. What
// needs a person is tried at the longest interval: it goes on by itself once it was put right.
Time Engine::when_again(const Error& error, std::int64_t attempts) {
  const std::int64_t first = at_.config.share.retry_first.count();
  const std::int64_t most = at_.config.share.retry_most.count();
  std::int64_t wait = remedy_of(error.code()) == Remedy::retry ? first : most;
  for (std::int64_t i = 0; i < attempts && wait < most; ++i) wait *= 2;
  wait = std::min(wait, most);
  wait -= static_cast<std::int64_t>(at_.random.next() % static_cast<std::uint64_t>(wait / 2 + 1));
  if (error.retry_after())
    wait = std::max(wait, std::int64_t{std::min(*error.retry_after(), kLongestRetryAfter).count()});
  return at_.clock.now() + std::chrono::milliseconds(wait);
}

void Engine::run(const Command& command, const Transfer& transfer) {
  const auto finish = [&](CommandStage stage, std::string_view code, const std::string& text) {
    at_.db.transaction([&] {
      at_.agenda.finish(command, stage, code, text);
      at_.audit.append("command", "",
                       {{"verb", command.verb},
                        {"who", command.who.name},
                        {"code", code.empty() ? "done" : std::string(code)}});
      if (command.verb != "withdraw") return;
      for (const Exchange& x : at_.ledger.exchanges())
        if (is_called(x, command.argument)) at_.alerts.close(withdraw_cause(x));
    });
    at_.files.forget(command.id);
  };
  try {
    finish(CommandStage::done, "", obey(command, transfer));
  } catch (...) {
    const Error error = error_of(std::current_exception());
    if (error.code() == Code::l_stopped) throw error;
    // What is to come back must not leave because an hour is over.
    const bool takes_back = command.verb == "withdraw" && is_about_share(error.code());
    const bool patient = command.verb != "poll" && at_.clock.now() - command.asked_at < kCommandTime;
    const bool again = takes_back || (remedy_of(error.code()) == Remedy::retry && patient);
    if (again)
      at_.db.transaction([&] {
        at_.agenda.defer(command, when_again(error, command.wait.attempts), error);
        if (takes_back && is_told(error, command.wait.attempts >= kSilentTries))
          tell_kept(at_.ledger.find(command.argument), error);
      });
    else
      finish(CommandStage::failed, code_name(error.code()), error.message());
  }
}

// Whoever wants it back believes that it is on its way back.
void Engine::tell_kept(const Exchange& x, const Error& error) {
  at_.alerts.raise(
      withdraw_cause(x), AlertKind::attention, "WITHDRAW", x.id,
      fmt::format("{} is to be taken back, and the share does not let that be done ({}: {}). It is "
                  "tried again by itself; nothing more of it leaves meanwhile, but what lies there "
                  "already may be recorded",
                  x.package, code_name(error.code()), error.message()));
}

// A note that cannot be written is told of, and tried again.
void Engine::write_note(const ResultNote& note) {
  const std::string cause = note_cause(note.name);
  std::optional<Error> failure;
  try {
    write_file(at_.config.drop / note_file(note.name), note.text, 0640);
  } catch (const Error& error) {
    failure = error;
  }
  at_.db.transaction([&] {
    if (failure)
      at_.offers.defer_note(note, at_.clock.now() + kNoteAgain);
    else
      at_.offers.note_written(note);
    if (failure)
      at_.alerts.raise(cause, AlertKind::attention, code_name(failure->code()), "",
                       fmt::format("the result note for {} could not be written: {}", printable(note.name),
                                   failure->message()));
    else
      at_.alerts.close(cause);
  });
}

}  // namespace veer

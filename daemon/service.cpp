#include "daemon/service.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "core/log.h"
#include "daemon/shared_alerts.h"

namespace veer {
namespace {

constexpr const char* kBell = "bell";
// Longest sleep: the wall clock may jump while we wait.
constexpr auto kLongestWait = std::chrono::seconds(30);
// A ledger that cannot be written so often in a row ends the service: whoever supervises it is told.
constexpr int kMostLedgerFailures = 60;

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    struct sigaction now {};
    // A signal that is held reaches us though it was to be ignored (nohup(1)).
    if (sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) sigaddset(&set, signal);
  }
  return set;
}

bool is_supervised() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

// sd-event tells errors as negative numbers.
void require(int result, const char* doing) {
  if (result >= 0) return;
  errno = -result;
  throw_errno(doing);
}

void tell_manager(const std::string& state) { sd_notify(0, state.c_str()); }

}  // namespace

void ring_bell(const std::filesystem::path& state) {
  const Fd fd(open((state / kBell).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw_errno("telling the service");
}

void run_once(Engine& engine, const Transfer& transfer) {
  while (engine.run_one(transfer))
    if (transfer.stop.stop_requested()) throw Error(Code::l_stopped, "stopped; the rest is done next time");
}

std::string status_line(Instance& at) {
  const auto alerts = at.alerts.open();
  const auto many = std::count_if(alerts.begin(), alerts.end(), [](const Alert& alert) {
    return alert.kind != alert_kind_name(AlertKind::notice);
  });
  const auto suspensions = at.holds.suspensions();
  std::string text = suspensions.empty() ? "" : fmt::format("SUSPENDED by {}; ", names_of(suspensions));
  text += many == 0 ? "all is well" : fmt::format("{} matter(s) need a person, see 'veer status'", many);
  for (const Exchange& x : at.ledger.exchanges())
    if (x.wait.due) text += fmt::format("; {}: {}", x.package, stage_name(x.stage));
  const auto poll = at.agenda.chore(Chore::poll);
  text += poll.done_at ? fmt::format("; last look at the share {}", format_time(*poll.done_at))
                       : "; the share was not looked at yet";
  return text;
}

StopOnSignal::StopOnSignal() {
  Service::hold_signals();
  listener_ = std::jthread([stop = stop_, set = handled_signals()](const std::stop_token& over) mutable {
    const timespec moment{.tv_sec = 0, .tv_nsec = 100'000'000};
    while (!over.stop_requested() && sigtimedwait(&set, nullptr, &moment) < 0) {
    }
    if (!over.stop_requested()) stop.request_stop();
  });
}

void Service::hold_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void Service::FreeEvent::operator()(sd_event* event) const { sd_event_unref(event); }
void Service::FreeSource::operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }

/// What sd-event calls in the listening thread.
struct Service::Callbacks {
  static int signalled(sd_event_source*, const signalfd_siginfo* info, void* service) {
    static_cast<Service*>(service)->signalled(static_cast<int>(info->ssi_signo));
    return 0;
  }
  static int dropped(sd_event_source*, const inotify_event*, void* service) {
    static_cast<Service*>(service)->heard(Chore::scan);
    return 0;
  }
  static int rang(sd_event_source*, const inotify_event*, void* service) {
    static_cast<Service*>(service)->rang();
    return 0;
  }
  static int worker_ended(sd_event_source* source, int, std::uint32_t, void*) {
    return sd_event_exit(sd_event_source_get_event(source), 0);
  }
  static int moved(sd_event_source*, int fd, std::uint32_t, void* it) {
    auto& service = *static_cast<Service*>(it);
    eventfd_t times = 0;
    eventfd_read(fd, &times);
    if (service.bus_) service.bus_->tell_progress(service.bytes_, service.all_bytes_);
    return 0;
  }
  // A worker that is stuck in a step is not spoken for.
  static int watched(sd_event_source* source, std::uint64_t, void* it) {
    auto& service = *static_cast<Service*>(it);
    const std::chrono::microseconds limit(service.watchdog_usec_);
    if (service.idle_ || std::chrono::steady_clock::now() - service.beat_.load() < limit)
      tell_manager("WATCHDOG=1");
    sd_event_source_set_time_relative(source, service.watchdog_usec_ / 4);
    return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
  }
};

Service::Service(Instance& instance, Engine& engine, ServiceHooks hooks)
    : at_(instance),
      engine_(engine),
      hooks_(std::move(hooks)),
      worker_ended_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      moved_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      beat_(std::chrono::steady_clock::now()) {
  hold_signals();
  sd_event* event = nullptr;
  require(sd_event_new(&event), "listening to signals and folders");
  events_.reset(event);
  if (!worker_ended_ || !moved_) throw_errno("listening to signals and folders");
  const sigset_t set = handled_signals();
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    if (sigismember(&set, signal) == 1)
      require(sd_event_add_signal(event, nullptr, signal, Callbacks::signalled, this),
              "listening to signals");
  require(sd_event_add_io(event, nullptr, worker_ended_.get(), EPOLLIN, Callbacks::worker_ended, this),
          "listening to the worker");
  require(sd_event_add_io(event, nullptr, moved_.get(), EPOLLIN, Callbacks::moved, this),
          "listening to the worker");
  ring_bell(at_.config.state);
  sd_event_source* source = nullptr;
  require(sd_event_add_inotify(event, &source, (at_.config.state / kBell).c_str(), IN_CLOSE_WRITE,
                               Callbacks::rang, this),
          "listening to commands");
  commands_.reset(source);
  // A folder that is not there, or not on this machine, tells nothing: it is looked into all the same.
  if (at_.config.role == Role::sender &&
      sd_event_add_inotify(event, &source, at_.config.drop.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB,
                           Callbacks::dropped, this) >= 0)
    drops_.reset(source);
  if (!hooks_.bus_instance.empty())
    bus_ = std::make_unique<BusServer>(event,
                                       BusServices{.instance = hooks_.bus_instance,
                                                   .configuration = hooks_.configuration,
                                                   .database_url = at_.config.database_url,
                                                   .access = at_.config.access,
                                                   .files = &at_.files,
                                                   .rung = [this](const std::string& verb) { asked(verb); },
                                                   .look = hooks_.look});
  if (sd_watchdog_enabled(0, &watchdog_usec_) > 0)
    require(sd_event_add_time_relative(event, nullptr, CLOCK_MONOTONIC, 0, 0, Callbacks::watched, this),
            "keeping the watchdog");
}

Service::~Service() = default;

Service::End Service::run() {
  std::exception_ptr failure;
  {
    std::jthread worker([&](const std::stop_token& stop) {
      try {
        work(stop);
      } catch (const Error& error) {
        if (error.code() != Code::l_stopped) failure = std::current_exception();
      } catch (...) {
        failure = std::current_exception();
      }
      eventfd_write(worker_ended_.get(), 1);  // the listening thread must not outlive the work
    });
    listen();
    tell_manager(end_ == End::reload ? "RELOADING=1\nSTATUS=takes its configuration anew" : "STOPPING=1");
  }
  if (failure) std::rethrow_exception(failure);
  at_.db.transaction([&] { at_.settings.forget(kRunsSince); });
  return end_;
}

// A service that systemd starts anew after each crash would look well from day to day.
void Service::tell_crash() {
  at_.db.transaction([&] {
    const std::string before = at_.settings.text(kRunsSince);
    if (!before.empty()) tell_crashed(at_, before);
    at_.settings.set(kRunsSince, format_time(at_.clock.now()));
  });
}

void Service::work(const std::stop_token& stop) {
  engine_.start();
  tell_crash();
  if (is_supervised()) tell_manager("READY=1\nSTATUS=" + status_line(at_));
  int failures = 0;
  while (!stop.stop_requested()) {
    std::set<Chore> heard;
    {
      const std::lock_guard lock(mutex_);
      heard.swap(heard_);
      rung_ = false;
    }
    try {
      beat();
      for (const Chore chore : heard) engine_.wake(chore);
      const auto next = at_.ledger.next_exchange();
      const std::uint64_t all = next && next->wait.due <= at_.clock.now() ? next->package_size : 0;
      // A transfer lives while its bytes become more.
      const auto progress = [this, all, last = std::uint64_t{0}](std::uint64_t bytes) mutable {
        if (bytes != last) moved(bytes, all);
        last = bytes;
      };
      if (!engine_.run_one({.stop = stop, .progress = progress})) wait_for_work(stop);
      failures = 0;
    } catch (const Error& error) {
      // The ledger itself could not be written. It may be busy, or full for a moment.
      if (error.code() == Code::l_stopped || ++failures > kMostLedgerFailures) throw;
      log(LogLevel::error, "{}: {}", code_name(error.code()), error.message());
      if (is_supervised())
        tell_manager(fmt::format("STATUS={}: {}", code_name(error.code()), error.message()));
      rest(stop, std::chrono::seconds(1));
    }
  }
}

void Service::beat() { beat_ = std::chrono::steady_clock::now(); }

// People who watch need it no more often than they can see.
void Service::moved(std::uint64_t bytes, std::uint64_t all) {
  static constexpr auto kBetween = std::chrono::milliseconds(200);
  beat();
  bytes_ = bytes;
  const bool begins = all_bytes_.exchange(all) != all;
  const auto now = std::chrono::steady_clock::now();
  if (!begins && bytes != all && now - told_moved_ < kBetween) return;
  told_moved_ = now;
  eventfd_write(moved_.get(), 1);
}

void Service::wait_for_work(const std::stop_token& stop) {
  if (is_supervised()) tell_manager("STATUS=" + status_line(at_));
  const auto due = engine_.next_due();
  auto wait = std::chrono::milliseconds(kLongestWait);
  if (due) wait = std::min(wait, std::max(*due - at_.clock.now(), std::chrono::milliseconds(1)));
  rest(stop, wait);
}

void Service::rest(const std::stop_token& stop, std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  idle_ = true;
  woken_.wait_for(lock, stop, most, [&] { return rung_ || !heard_.empty(); });
  beat();
  idle_ = false;
}

void Service::listen() { require(sd_event_loop(events_.get()), "waiting for events"); }

void Service::signalled(int signal) {
  const bool reload = signal == SIGHUP && is_supervised();
  if (reload && !hooks_.may_reload()) return;
  end_ = reload ? End::reload : End::stop;
  sd_event_exit(events_.get(), 0);
}

void Service::heard(Chore chore) {
  const std::lock_guard lock(mutex_);
  heard_.insert(chore);
  woken_.notify_one();
}

// The stop switch waits for no server.
void Service::asked(const std::string& verb) {
  if (verb == "suspend") engine_.interrupt();
  rang();
}

void Service::rang() {
  const std::lock_guard lock(mutex_);
  rung_ = true;
  woken_.notify_one();
}

}  // namespace veer

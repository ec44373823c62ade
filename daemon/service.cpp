#include "daemon/service.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/log.h"

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

}  // namespace

void ring_bell(const std::filesystem::path& state) {
  const Fd fd(open((state / kBell).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) throw_errno("telling the service");
}

void run_once(Engine& engine, const Transfer& transfer) {
  while (engine.run_one(transfer))
    if (transfer.stop.stop_requested()) throw Error(Code::l_stopped, "stopped; the rest is done next time");
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

Service::Service(Instance& instance, Engine& engine)
    : at_(instance), engine_(engine), events_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  hold_signals();
  const sigset_t set = handled_signals();
  signals_ = Fd(signalfd(-1, &set, SFD_CLOEXEC));
  if (!signals_ || !events_) throw_errno("listening to signals and folders");
  ring_bell(at_.config.state);
  inotify_add_watch(events_.get(), (at_.config.state / kBell).c_str(), IN_CLOSE_WRITE);
  if (at_.config.role == Role::sender)
    drop_watch_ =
        inotify_add_watch(events_.get(), at_.config.drop.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB);
}

void Service::run() {
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
      if (failure) kill(getpid(), SIGTERM);  // the listening thread must not outlive the work
    });
    listen();
  }
  if (failure) std::rethrow_exception(failure);
}

void Service::work(const std::stop_token& stop) {
  engine_.start();
  int failures = 0;
  while (!stop.stop_requested()) {
    std::set<Chore> heard;
    {
      const std::lock_guard lock(mutex_);
      heard.swap(heard_);
      rung_ = false;
    }
    try {
      for (const Chore chore : heard) engine_.wake(chore);
      if (!engine_.run_one({.stop = stop, .progress = {}})) wait_for_work(stop);
      failures = 0;
    } catch (const Error& error) {
      // The ledger itself could not be written. It may be busy, or full for a moment.
      if (error.code() == Code::l_stopped || ++failures > kMostLedgerFailures) throw;
      log(LogLevel::error, "{}: {}", code_name(error.code()), error.message());
      rest(stop, std::chrono::seconds(1));
    }
  }
}

void Service::wait_for_work(const std::stop_token& stop) {
  const auto due = engine_.next_due();
  auto wait = std::chrono::milliseconds(kLongestWait);
  if (due) wait = std::min(wait, std::max(*due - at_.clock.now(), std::chrono::milliseconds(1)));
  rest(stop, wait);
}

void Service::rest(const std::stop_token& stop, std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, stop, most, [&] { return rung_ || !heard_.empty(); });
}

void Service::listen() {
  std::array<pollfd, 2> watched = {pollfd{signals_.get(), POLLIN, 0}, pollfd{events_.get(), POLLIN, 0}};
  while (true) {
    if (::poll(watched.data(), watched.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw_errno("waiting for events");
    }
    if (watched[0].revents != 0) return;
    alignas(inotify_event) std::array<char, 4096> buffer;
    const ssize_t size = read(events_.get(), buffer.data(), buffer.size());
    for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(inotify_event)) <= size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      hear(event->wd);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
}

void Service::hear(int watch) {
  const std::lock_guard lock(mutex_);
  const bool overflow = watch < 0;  // events were lost: anything may have happened
  if (drop_watch_ >= 0 && (overflow || watch == drop_watch_)) heard_.insert(Chore::scan);
  if (overflow || watch != drop_watch_) rung_ = true;
  woken_.notify_one();
}

}  // namespace veer

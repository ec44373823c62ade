#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

#include "core/files.h"
#include "daemon/bus_server.h"
#include "daemon/engine.h"

struct sd_event;
struct sd_event_source;

namespace veer {

/// As long as it lives, SIGTERM, SIGINT and SIGHUP ask to stop what this process does instead of ending it.
class StopOnSignal {
 public:
  StopOnSignal();
  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::jthread listener_;
};

/// What a service asks of the program around it.
struct ServiceHooks {
  /// Asked when a reload is, and says no when the work must go on as it is.
  std::function<bool()> may_reload;
  std::string bus_instance;  ///< its name on the bus; empty: it is not to be asked there
  std::filesystem::path configuration;
  /// See BusServices::look.
  std::function<LookAnswer(const std::string& what, const std::string& argument, bool json)> look;
};

/// Runs an engine until a signal: one worker thread takes the steps, the calling thread listens to signals,
/// to the drop folder and to the bell that other processes ring. Events are hints: everything is looked at
/// again in time without them. A step that is under way when the signal comes is abandoned within seconds and
/// taken up again at the next start. Takes commands over the bus (BusServer). Tells a service manager that
/// asks (sd_notify(3)) when it is ready, what it does, and, as long as the worker waits for work or makes
/// progress, that it lives.
class Service {
 public:
  /// stop: SIGTERM, SIGINT, and SIGHUP where no service manager supervises. reload: SIGHUP from one.
  enum class End { stop, reload };

  /// Keeps these signals waiting, in this thread and those started from it, until run() takes them.
  /// Early in the program, so that a stop while it starts ends it in order.
  static void hold_signals();

  Service(Instance& instance, Engine& engine, ServiceHooks hooks);
  ~Service();
  /// Returns after a signal. Throws what ended the worker.
  End run();

 private:
  struct Callbacks;
  struct FreeEvent {
    void operator()(sd_event* event) const;
  };
  struct FreeSource {
    void operator()(sd_event_source* source) const;
  };
  using Source = std::unique_ptr<sd_event_source, FreeSource>;

  void work(const std::stop_token& stop);
  void wait_for_work(const std::stop_token& stop);
  void rest(const std::stop_token& stop, std::chrono::milliseconds most);
  void tell_crash();
  void beat();
  void moved(std::uint64_t bytes, std::uint64_t all);
  void listen();
  void signalled(int signal);
  void heard(Chore chore);
  void asked(const std::string& verb);
  void rang();

  Instance& at_;
  Engine& engine_;
  ServiceHooks hooks_;
  std::unique_ptr<sd_event, FreeEvent> events_;
  Source commands_;  ///< libsystemd 252 does not free what watches folders unless it is held
  Source drops_;
  std::unique_ptr<BusServer> bus_;
  Fd worker_ended_;  ///< an eventfd
  Fd moved_;         ///< an eventfd: the transfer under way went on
  End end_ = End::stop;

  std::atomic<std::chrono::steady_clock::time_point> beat_;
  std::atomic<bool> idle_ = false;
  std::atomic<std::uint64_t> bytes_ = 0;              ///< of the transfer under way
  std::atomic<std::uint64_t> all_bytes_ = 0;          ///< of its package; 0 when it is none that is sent
  std::chrono::steady_clock::time_point told_moved_;  ///< the worker's
  std::uint64_t watchdog_usec_ = 0;                   ///< 0: nobody watches

  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::set<Chore> heard_;
  bool rung_ = false;
};

/// Tells a service on this state folder that a command was written into its ledger.
void ring_bell(const std::filesystem::path& state);
/// Runs everything that is due now, and returns.
void run_once(Engine& engine, const Transfer& transfer);
/// What an instance is about, in one line for systemctl(1); no personal data.
std::string status_line(Instance& instance);

}  // namespace veer

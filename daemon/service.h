#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "core/files.h"
#include "daemon/engine.h"

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

/// Runs an engine until SIGTERM, SIGINT or SIGHUP: one worker thread takes the steps, the calling thread
/// listens to signals, to the drop folder and to the bell that other processes ring. Events are hints:
/// everything is looked at again in time without them. A step that is under way when the signal comes is
/// abandoned within seconds and taken up again at the next start.
class Service {
 public:
  /// Keeps these signals waiting, in this thread and those started from it, until run() takes them.
  /// Early in the program, so that a stop while it starts ends it in order.
  static void hold_signals();

  Service(Instance& instance, Engine& engine);
  /// Returns after a signal. Throws what ended the worker.
  void run();

 private:
  void work(const std::stop_token& stop);
  void wait_for_work(const std::stop_token& stop);
  void rest(const std::stop_token& stop, std::chrono::milliseconds most);
  void listen();
  void hear(int watch);

  Instance& at_;
  Engine& engine_;
  Fd signals_;
  Fd events_;
  int drop_watch_ = -1;

  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::set<Chore> heard_;
  bool rung_ = false;
};

/// Tells a service on this state folder that a command was written into its ledger.
void ring_bell(const std::filesystem::path& state);
/// Runs everything that is due now, and returns.
void run_once(Engine& engine, const Transfer& transfer);

}  // namespace veer

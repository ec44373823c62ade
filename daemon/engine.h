#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <variant>

#include "daemon/alert_post.h"
#include "daemon/instance.h"
#include "daemon/publishing.h"
#include "daemon/receiver.h"
#include "daemon/sender.h"

namespace veer {

/// The loop that is the whole program: take what is due, run one step, or defer it. Recovery has no code of
/// its own; a restart is the same loop. Only one engine may run on a state folder (FolderLock). One thread,
/// but for interrupt().
class Engine {
 public:
  explicit Engine(Instance& instance);

  /// Once, before the first step: clears leavings, makes every chore due, and lets no row wait for a day that
  /// only a clock gone wrong can have named.
  void start();
  /// Runs the one step that is due longest; false when nothing is due now. While the exchange is suspended
  /// (Q14) nothing is sent, fetched, taken in or recorded, and a step that is under way when somebody asks
  /// for that is abandoned, to be taken up again later. Throws only L_STOPPED, when `transfer` asks for it,
  /// and what means that the ledger itself cannot be written.
  bool run_one(const Transfer& transfer);
  /// When something is due next; empty when nothing ever is.
  std::optional<Time> next_due();
  /// Makes a chore due now: something was heard of from outside.
  void wake(Chore chore);
  /// Abandons the step that is under way, to be taken up again after what is due first by then: a suspension,
  /// which is written down already, does not wait for a server that keeps silent. Any thread.
  void interrupt();

 private:
  /// Runs `step`; when it fails, lets `defer(error)` write down when it is tried again, opens the alert that
  /// it deserves, and returns what was wrong.
  template <typename Step, typename Defer>
  std::optional<Error> attempt(const std::string& what, const std::string& fund, bool failing_long, Step step,
                               Defer defer);
  Time when_again(const Error& error, std::int64_t attempts);
  void mind_the_clock(Time now);
  /// Now, or when the share's word to wait ends.
  Time share_may_be_asked();
  void wake_all(Time now, Time share);
  std::optional<Error> run(const ChoreState& chore, const Transfer& transfer);
  void run(const Command& command, const Transfer& transfer);
  /// Within a transaction.
  void tell_kept(const Exchange& exchange, const Error& error);
  bool run_next(const Transfer& transfer);
  std::string obey(const Command& command, const Transfer& transfer);
  std::string retry(const std::string& what);
  void write_note(const ResultNote& note);

  Instance& at_;
  std::variant<Sender, Receiver> side_;
  AlertPost post_;
  Publishing publishing_;
  bool worked_ = false;                   ///< since it last was at rest
  Time last_seen_{};                      ///< newest time that this engine saw
  std::chrono::milliseconds last_ran_{};  ///< uptime of the machine then
  std::chrono::milliseconds ahead_{};     ///< by how much somebody set the clock ahead since
  std::mutex step_mutex_;
  std::stop_source step_;  ///< of the step under way, or the last one
  std::optional<std::chrono::steady_clock::time_point>
      reading_ends_;            ///< when the step under way reads from the share
  bool took_too_long_ = false;  ///< the step under way, which was ended for that
};

}  // namespace veer

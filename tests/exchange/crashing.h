#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exchange/lives.h"
#include "support/effects.h"
#include "support/temp_folder.h"

namespace veer::test {

inline constexpr int kCrashed = 99;

/// Runs `work` in a process of its own; its exit status. 1 when it threw.
int in_child(const std::function<void()>& work);
/// The same, and hands over the lines that `work` tells. One line that says so when it did not come to its
/// end.
Names told_by_child(const std::function<Names()>& work);

/// Where the two sides of a life meet: a scripted share in the life's own folder, unless a test has another.
class Meeting {
 public:
  virtual ~Meeting() = default;
  /// Called before a life in `folder` begins, in the test's own process.
  virtual void prepare(const std::filesystem::path& /*folder*/) {}
  /// Both sides as they meet; called in the process that lives the life.
  virtual std::unique_ptr<Pair> open(const std::filesystem::path& folder) const {
    return std::make_unique<Pair>(folder);
  }
  /// Called between two processes of a life.
  virtual void rest() {}
  /// Whether what a crash leaves open there counts for a while, and not for ever: then a life goes on soon
  /// after the crash first, and once more after let_go().
  virtual bool holds_open() const { return false; }
  virtual void let_go() {}
};

/// What a life did durably, by number.
struct Effects {
  std::size_t all = 0;
  std::vector<std::size_t> syncs;
  std::vector<std::size_t> on_share;  ///< told by mark_share_effect()
};

/// One effect on a share.
void share_effect();

/// A scenario's beginning, made once and copied for each crash.
class Beginning {
 public:
  explicit Beginning(Scenario scenario);
  Beginning(Scenario scenario, Meeting& meeting);
  /// Makes `folder` the place of a new life.
  void lay(const std::filesystem::path& folder) const;
  std::size_t effects() const { return effects_.all; }
  const std::vector<std::size_t>& syncs() const { return effects_.syncs; }
  const std::vector<std::size_t>& on_share() const { return effects_.on_share; }
  const Scenario& scenario() const { return scenario_; }
  Meeting& meeting() const { return meeting_; }

 private:
  Scenario scenario_;
  Meeting& meeting_;
  TempFolder beginning_{TempFolder::Place::in_memory};
  Effects effects_;
};

/// Lives a life in `folder`; each key operation counts as effects of its own.
void live_counted(const Beginning& start, const std::filesystem::path& folder);
/// What is broken after it, once both sides have had their time.
Names broken_after(const Beginning& start, const std::filesystem::path& folder);
/// Crashes a life at effect `n`, and checks what is left and what comes of it.
void crash(const Beginning& start, std::size_t n, CrashWhen when);

/// The step that whoever runs the tests wishes, or the usual one.
std::size_t told_or(std::size_t usual);

}  // namespace veer::test

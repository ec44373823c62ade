#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/instance.h"

namespace veer {

/// Files that tell others about the instance: each is written anew, whole or not at all, when the books
/// changed (at most every five seconds), and the metrics every minute, the page every ten. One that cannot be
/// written is an alert, and stands in nobody's way. Nothing is done where none is configured. One thread;
/// nothing survives a crash but the files.
class Publishing {
 public:
  explicit Publishing(Instance& instance);
  /// What changed within the last seconds is written all the same.
  ~Publishing();
  Publishing(const Publishing&) = delete;
  Publishing& operator=(const Publishing&) = delete;
  /// `changed`: a step ran, and the engine is at rest. Throws only what means that the ledger itself cannot
  /// be written.
  void publish_if_due(bool changed);
  /// Empty when nothing is published.
  std::optional<Time> next_due();

 private:
  using Texts = std::map<std::filesystem::path, std::string>;
  struct Files {
    std::string topic;  ///< of the alert: a word of kTopics
    std::filesystem::path place;
    std::function<Texts(Instance&)> texts;
    std::chrono::milliseconds at_least;
    std::optional<Time> last = {};
    bool changed = false;  ///< since `last`
  };
  static Time due(const Files& files);
  void publish(const Files& files);

  Instance& at_;
  std::vector<Files> all_;
};

}  // namespace veer

#pragma once

#include <memory>
#include <regex>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "connectors/sharepoint_share.h"
#include "core/files.h"
#include "core/log.h"
#include "graph/graph_share.h"
#include "support/manual_clock.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

/// What the tests of the SharePoint share share.
namespace veer::test {

inline std::string some_bytes(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  std::uint64_t state = seed * 0x9E3779B97F4A7C15ULL + 1;
  for (char& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

/// What is logged from the lowest level on, while it lives.
class LogCapture {
 public:
  LogCapture() : kept_(dup(STDERR_FILENO)) {
    const Fd file(open((folder_ / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    dup2(file.get(), STDERR_FILENO);
    log_to(LogTarget::stderr_plain, LogLevel::debug);
  }
  ~LogCapture() {
    log_to(LogTarget::stderr_plain, LogLevel::warn);
    dup2(kept_.get(), STDERR_FILENO);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  std::string text() const { return read_file(folder_ / "log"); }

 private:
  TempFolder folder_;
  Fd kept_;
};

/// A tenant, our share there and the other side's, and what the ledger would keep for us.
struct SharePointWorld {
  std::shared_ptr<ManualClock> clock;  ///< of ours and of the service; null: the machine's
  GraphShare place;
  GraphEmulator& graph = place.graph();
  std::unique_ptr<SharePointShare> ours = share();
  std::string note;
  int kept = 0;

  explicit SharePointWorld(GraphOptions options = {}) : place(std::move(options)) {}
  explicit SharePointWorld(std::shared_ptr<ManualClock> by_hand,
                           std::chrono::seconds token_lifetime = std::chrono::seconds(3599))
      : clock(std::move(by_hand)),
        place({.token_lifetime = token_lifetime, .now = [by = clock] { return by->now(); }}) {}

  std::unique_ptr<SharePointShare> share() const {
    return clock ? std::make_unique<SharePointShare>(place.share(), clock)
                 : std::make_unique<SharePointShare>(place.share());
  }
  /// As after a crash: another object, which knows only what was kept.
  void restart() { ours = share(); }
  void put(const std::string& name, std::string_view bytes, const Transfer& transfer = {}) {
    ours->put(name, MemoryBlob(bytes),
              {note,
               [&](const std::string& text) {
                 note = text;
                 ++kept;
               }},
              transfer);
  }
  std::optional<std::string> stored(const std::string& name) const {
    return graph.read_file(GraphShare::kLibrary, "to_avsb/" + name);
  }
  void arrives(const std::string& name, const std::string& bytes) const {
    graph.put_file(GraphShare::kLibrary, "to_aii/" + name, bytes);
  }
  ShareEntry listed(const std::string& name) const {
    for (const ShareEntry& entry : ours->list(Folder::incoming, {}))
      if (entry.name == name) return entry;
    throw std::runtime_error("not listed");
  }
  std::string fetched(const std::string& name, std::uint64_t offset = 0) const {
    StringSink sink(std::size_t{1} << 28);
    ours->fetch(Folder::incoming, listed(name), offset, sink, {});
    return sink.take();
  }
  std::size_t count(GraphCall call) const { return graph.count({.call = call}); }
};

}  // namespace veer::test

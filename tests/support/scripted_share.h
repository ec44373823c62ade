#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "connectors/folder_share.h"
#include "core/error.h"

namespace veer::test {

enum class Verb { probe, list, put, fetch, remove };

/// A share that keeps its files in two folders, so that they outlive the process, or on another share, and
/// lies and fails as a test tells it to. Untold, it keeps the contract.
class ScriptedShare : public Share {
 public:
  ScriptedShare(std::filesystem::path outgoing, std::filesystem::path incoming)
      : ScriptedShare(std::make_unique<FolderShare>(std::move(outgoing), std::move(incoming))) {}
  explicit ScriptedShare(std::unique_ptr<Share> files) : files_(std::move(files)) {}

  std::vector<ProbeResult> probe(const Transfer& transfer = {}) override;
  std::vector<ShareEntry> list(Folder folder, const Transfer& transfer) override;
  void put(const std::string& name, const Blob& content, ResumeNote resume,
           const Transfer& transfer) override;
  void fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
             const Transfer& transfer) override;
  void remove(Folder folder, const std::string& name, const Transfer& transfer) override;
  void abandon(const std::string& name, const std::string& note, const Transfer&) override {
    abandoned.push_back(name + " " + note);
  }

  /// Every call fails until heal().
  void fail_all(Code code) { broken_ = code; }
  void heal() { broken_.reset(); }
  /// The next call of `verb` fails: without effect, or after it took effect.
  void fail_next(Verb verb, Code code, std::optional<std::chrono::milliseconds> retry_after = std::nullopt) {
    fail_before_.insert_or_assign(verb, Error(code, "the script says so", retry_after));
  }
  void fail_next_after(Verb verb, Code code) {
    fail_after_.insert_or_assign(verb, Error(code, "the script says so"));
  }
  void forbid_put(bool forbidden) { put_forbidden_ = forbidden; }
  void forbid_remove(bool forbidden) { remove_forbidden_ = forbidden; }
  void pretend_to_remove(bool pretend) { remove_pretended_ = pretend; }
  /// Revisions tell of the size alone, as those of SFTP do within a second.
  void coarsen_revisions() { coarse_ = true; }
  /// The next fetch breaks off after so many bytes.
  void cut_next_fetch(std::uint64_t bytes) { cut_ = bytes; }
  /// And so does each that begins at the start.
  void cut_each_fetch(std::uint64_t bytes) { cut_each_ = bytes; }
  /// Changes what a listing shows, and what a fetch hands over from the start.
  std::function<std::vector<ShareEntry>(std::vector<ShareEntry>)> on_list;
  std::function<std::string(const std::string& name, std::string bytes)> on_fetch;
  /// Called when a put begins.
  std::function<void()> on_put;
  /// Where the files are, which neither lies nor fails.
  Share& files() { return *files_; }
  /// Names with the notes of puts that nobody goes on with.
  std::vector<std::string> abandoned;
  /// How often a verb was called.
  std::size_t calls(Verb verb) const;

 private:
  void begin(Verb verb);
  void end(Verb verb);
  ShareEntry refined(Folder folder, const ShareEntry& entry);

  std::unique_ptr<Share> files_;
  std::optional<Code> broken_;
  std::map<Verb, Error> fail_before_;
  std::map<Verb, Error> fail_after_;
  std::map<Verb, std::size_t> calls_;
  bool put_forbidden_ = false;
  bool remove_forbidden_ = false;
  bool remove_pretended_ = false;
  bool coarse_ = false;
  std::optional<std::uint64_t> cut_;
  std::optional<std::uint64_t> cut_each_;
};

}  // namespace veer::test

#include "support/scripted_share.h"

#include <limits>

#include "connectors/probe.h"

namespace veer::test {
namespace {

[[noreturn]] void fail(Code code) { throw Error(code, "the script says so"); }

void fail_once(std::map<Verb, Error>& script, Verb verb) {
  const auto told = script.find(verb);
  if (told == script.end()) return;
  const Error error = told->second;
  script.erase(told);
  throw Error(error);
}

/// Lets through so many bytes and then breaks off.
class CuttingSink : public Sink {
 public:
  CuttingSink(Sink& next, std::uint64_t bytes) : next_(next), left_(bytes) {}
  void write(std::string_view bytes) override {
    next_.write(bytes.substr(0, left_));
    if (bytes.size() > left_) fail(Code::s_unreachable);
    left_ -= bytes.size();
  }

 private:
  Sink& next_;
  std::uint64_t left_;
};

}  // namespace

void ScriptedShare::begin(Verb verb) {
  ++calls_[verb];
  if (broken_) fail(*broken_);
  fail_once(fail_before_, verb);
}

void ScriptedShare::end(Verb verb) { fail_once(fail_after_, verb); }

std::size_t ScriptedShare::calls(Verb verb) const {
  const auto found = calls_.find(verb);
  return found == calls_.end() ? 0 : found->second;
}

std::vector<ProbeResult> ScriptedShare::probe(const Transfer& transfer) {
  ++calls_[Verb::probe];
  return probe_by_verbs(*this, {}, transfer);
}

std::vector<ShareEntry> ScriptedShare::list(Folder folder, const Transfer& transfer) {
  begin(Verb::list);
  auto entries = files_->list(folder, transfer);
  if (coarse_)
    for (ShareEntry& entry : entries) entry.revision = std::to_string(entry.size);
  end(Verb::list);
  return on_list ? on_list(std::move(entries)) : entries;
}

void ScriptedShare::put(const std::string& name, const Blob& content, ResumeNote resume,
                        const Transfer& transfer) {
  begin(Verb::put);
  if (put_forbidden_) fail(Code::s_unreachable);
  if (on_put) on_put();
  files_->put(name, content, std::move(resume), transfer);
  end(Verb::put);
}

/// What `entry`, as a listing of coarse revisions told it, is called by our own files.
ShareEntry ScriptedShare::refined(Folder folder, const ShareEntry& entry) {
  for (const ShareEntry& file : files_->list(folder, {}))
    if (file.name == entry.name && file.size == entry.size) return file;
  fail(Code::s_changed);
}

void ScriptedShare::fetch(Folder folder, const ShareEntry& listed, std::uint64_t offset, Sink& into,
                          const Transfer& transfer) {
  begin(Verb::fetch);
  const ShareEntry entry = coarse_ ? refined(folder, listed) : listed;
  if (cut_each_ && offset == 0) cut_ = cut_each_;
  if (cut_) {
    CuttingSink cutting(into, *cut_);
    cut_.reset();
    files_->fetch(folder, entry, offset, cutting, transfer);
  } else if (on_fetch) {
    StringSink whole(std::numeric_limits<std::size_t>::max());
    files_->fetch(folder, entry, 0, whole, transfer);
    const std::string told = on_fetch(entry.name, whole.take());
    into.write(std::string_view(told).substr(std::min<std::size_t>(offset, told.size())));
  } else {
    files_->fetch(folder, entry, offset, into, transfer);
  }
  end(Verb::fetch);
}

void ScriptedShare::remove(Folder folder, const std::string& name, const Transfer& transfer) {
  begin(Verb::remove);
  if (remove_forbidden_) fail(Code::s_rights);
  if (!remove_pretended_) files_->remove(folder, name, transfer);
  end(Verb::remove);
}

}  // namespace veer::test

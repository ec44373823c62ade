#include "connectors/probe.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "core/random.h"

namespace veer {
namespace {

constexpr std::string_view kContent = "veerdienst looks whether this share keeps its word\n";
constexpr std::string_view kOther = "and whether it overwrites what was published once!\n";

class Probe {
 public:
  Probe(Share& share, const PublishBlindly& publish_blindly, const Transfer& transfer, std::string name)
      : share_(share), publish_blindly_(publish_blindly), transfer_(transfer), name_(std::move(name)) {}

  std::vector<ProbeResult> run() {
    const bool written = step("list",
                              [&] {
                                share_.list(Folder::outgoing, transfer_);
                                share_.list(Folder::incoming, transfer_);
                              }) &&
                         step("write", [&] { share_.put(name_, MemoryBlob(kContent), {}, transfer_); });
    if (!written) return std::move(results_);
    if (step("read back", [&] { require(read(0) == kContent, "other bytes came back than were written"); }) &&
        step("resume",
             [&] { require(read(10) == kContent.substr(10), "a fetch cannot start in the middle"); }))
      step("publish once", [&] {
        try_to_overwrite([&] { share_.put(name_, MemoryBlob(kOther), {}, transfer_); });
        if (publish_blindly_) try_to_overwrite([&] { publish_blindly_(name_, MemoryBlob(kOther)); });
      });
    step("remove", [&] { share_.remove(Folder::outgoing, name_, transfer_); });
    return std::move(results_);
  }

 private:
  template <typename Action>
  bool step(const std::string& what, Action action) {
    try {
      action();
      results_.push_back({what, true, ""});
    } catch (const Error& error) {
      if (error.code() == Code::l_stopped) throw;  // its file is removed a day later
      results_.push_back({what, false, fmt::format("{}: {}", code_name(error.code()), error.message())});
    }
    return results_.back().good;
  }

  static void require(bool holds, const char* otherwise) {
    if (!holds) throw Error(Code::s_publish, fmt::format("{}: this share cannot be used", otherwise));
  }

  std::string read(std::uint64_t offset) {
    const auto entries = share_.list(Folder::outgoing, transfer_);
    const auto entry =
        std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.name == name_; });
    require(entry != entries.end(), "a file that was written is not listed");
    StringSink sink(4096);
    share_.fetch(Folder::outgoing, *entry, offset, sink, transfer_);
    return sink.take();
  }

  template <typename Publish>
  void try_to_overwrite(Publish publish) {
    try {
      publish();
    } catch (const Error& error) {
      if (error.code() != Code::s_name_taken) throw;
      require(read(0) == kContent, "a refused put changed what was published");
      return;
    }
    require(false, "what was published was overwritten");
  }

  Share& share_;
  const PublishBlindly& publish_blindly_;
  const Transfer& transfer_;
  std::string name_;
  std::vector<ProbeResult> results_;
};

}  // namespace

std::vector<ProbeResult> probe_by_verbs(Share& share, const PublishBlindly& publish_blindly,
                                        const Transfer& transfer) {
  SystemRandom random;  // a probe that was cut off leaves its file behind
  return Probe(share, publish_blindly, transfer, std::string(kProbeBegins) + make_uuid(random)).run();
}

void require_share_name(const std::string& name) {
  if (!is_share_name(name))
    throw Error(Code::t_name, fmt::format("'{}' is not a name that a share is asked for", printable(name)));
}

std::string part_name(const std::string& name) { return "." + name + ".part"; }

void require_whole(const std::string& name, const Blob& content, std::uint64_t done) {
  if (done != content.size())
    throw Error(Code::l_io, fmt::format("what is to be put as {} has {} bytes and not the {} that it should: "
                                        "nothing was published",
                                        name, done, content.size()));
}

Error name_taken(const std::string& name) {
  return {Code::s_name_taken, fmt::format("{} is on the share already", name)};
}

Error part_in_the_way(const std::string& name) {
  return {
      Code::s_publish,
      fmt::format("{} is written as {} first, and a folder, or what is not ours to remove, bears that name "
                  "on the share: have it removed",
                  name, part_name(name))};
}

Error changed(const std::string& name) {
  return {Code::s_changed, fmt::format("{} changed on the share since it was listed", name)};
}

}  // namespace veer

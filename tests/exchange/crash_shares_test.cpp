// Crash everywhere, over SharePoint and FTPS: the same lives as in crash_test.cpp, with packages so large
// that they go up in a session and can be gone on with, ended around and in the middle of what they do on the
// share.

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "connectors/ftps_share.h"
#include "connectors/sharepoint_share.h"
#include "core/error.h"
#include "core/files.h"
#include "exchange/crashing.h"
#include "graph/graph_share.h"
#include "support/ftps_server.h"

using namespace veer;
using namespace veer::test;

namespace {

constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kPadding = 5 * kMegabyte;

/// Counts what is done on a share: before and after each verb that changes it or reads from it, at every
/// megabyte on the way, and around the note that an upload leaves.
class CountedShare : public Share {
 public:
  explicit CountedShare(std::unique_ptr<Share> share) : share_(std::move(share)) {}

  std::vector<ProbeResult> probe(const Transfer& transfer = {}) override { return share_->probe(transfer); }
  std::vector<ShareEntry> list(Folder folder, const Transfer& transfer) override {
    return share_->list(folder, transfer);
  }
  void put(const std::string& name, const Blob& content, ResumeNote resume,
           const Transfer& transfer) override {
    if (resume.keep)
      resume.keep = [keep = resume.keep](const std::string& note) {
        share_effect();
        keep(note);
        share_effect();
      };
    share_effect();
    share_->put(name, content, std::move(resume), counted(transfer));
    share_effect();
  }
  void fetch(Folder folder, const ShareEntry& entry, std::uint64_t offset, Sink& into,
             const Transfer& transfer) override {
    share_effect();
    share_->fetch(folder, entry, offset, into, counted(transfer));
  }
  void remove(Folder folder, const std::string& name, const Transfer& transfer) override {
    share_effect();
    share_->remove(folder, name, transfer);
    share_effect();
  }
  void abandon(const std::string& name, const std::string& note, const Transfer& transfer) override {
    share_effect();
    share_->abandon(name, note, transfer);
    share_effect();
  }

 private:
  // However the bytes come in pieces, as many effects.
  static Transfer counted(const Transfer& transfer) {
    return {.stop = transfer.stop,
            .progress = [next = kMegabyte, onward = transfer.progress](std::uint64_t done) mutable {
              for (; done >= next; next += kMegabyte) share_effect();
              if (onward) onward(done);
            }};
  }
  std::unique_ptr<Share> share_;
};

/// What is sealed, after so much padding that an upload takes a while.
class PaddedSeal : public Seal {
 public:
  explicit PaddedSeal(std::unique_ptr<Seal> seal) : seal_(std::move(seal)) {}
  std::string own_key() override { return seal_->own_key(); }
  std::string counterparty_key() override { return seal_->counterparty_key(); }
  std::vector<KeyEnd> key_ends() override { return seal_->key_ends(); }
  void seal(const Blob& plain, Sink& sealed, const Transfer& transfer) override {
    for (std::uint64_t done = 0; done < kPadding; done += kMegabyte) sealed.write(padding());
    seal_->seal(plain, sealed, transfer);
  }
  Opened open(const Blob& sealed, Sink& plain, const Transfer& transfer) override {
    std::string piece(kMegabyte, '\0');
    for (std::uint64_t done = 0; done < kPadding; done += kMegabyte)
      if (sealed.read(done, piece) != piece.size() || piece != padding())
        throw Error(Code::t_integrity, "the message is damaged or not for us");
    return seal_->open(Rest(sealed), plain, transfer);
  }
  std::string sign(std::string_view text) override { return seal_->sign(text); }
  Opened verify(std::string_view text, std::string_view signature) override {
    return seal_->verify(text, signature);
  }

 private:
  class Rest : public Blob {
   public:
    explicit Rest(const Blob& whole) : whole_(whole) {}
    std::uint64_t size() const override { return whole_.size() - kPadding; }
    std::size_t read(std::uint64_t offset, std::span<char> into) const override {
      return whole_.read(kPadding + offset, into);
    }

   private:
    const Blob& whole_;
  };
  static const std::string& padding() {
    static const std::string bytes(kMegabyte, '#');
    return bytes;
  }
  std::unique_ptr<Seal> seal_;
};

/// A real server, with folders of its own for each life: a process that was killed may still be served in
/// its.
class ServerMeeting : public Meeting {
 public:
  void prepare(const fs::path& folder) override {
    fs::remove_all(folder / "share");
    for (const char* name : {"to_avsb", "to_aii"}) make_folder(life(folder) + "/" + name);
  }
  std::unique_ptr<Pair> open(const fs::path& folder) const override {
    const std::string there = life(folder) + "/to_avsb";
    const std::string back = life(folder) + "/to_aii";
    auto pair =
        std::make_unique<Pair>(folder, SharePair{std::make_unique<CountedShare>(connect(there, back)),
                                                 std::make_unique<CountedShare>(connect(back, there))});
    pair->aii_seal = std::make_unique<PaddedSeal>(std::move(pair->aii_seal));
    pair->avsb_seal = std::make_unique<PaddedSeal>(std::move(pair->avsb_seal));
    return pair;
  }

 private:
  static std::string life(const fs::path& folder) { return folder.filename().native(); }
  virtual void make_folder(const std::string& path) = 0;
  virtual std::unique_ptr<Share> connect(const std::string& outgoing, const std::string& incoming) const = 0;
};

class OverSharePoint : public ServerMeeting {
 public:
  // A fork takes one thread along: none of the emulator's may hold a lock then.
  void rest() override {
    wait_until([&] { return names_in("/proc/self/task").size() <= idle_; });
  }
  bool holds_open() const override { return true; }
  void let_go() override { place_.graph().expire_urls(); }

 private:
  void make_folder(const std::string& path) override {
    place_.graph().make_folder(GraphShare::kLibrary, path);
  }
  std::unique_ptr<Share> connect(const std::string& outgoing, const std::string& incoming) const override {
    SharePointOptions options = place_.share();
    options.outgoing = outgoing;
    options.incoming = incoming;
    return std::make_unique<SharePointShare>(std::move(options));
  }

  GraphShare place_;
  std::size_t idle_ = names_in("/proc/self/task").size();
};

class OverFtps : public ServerMeeting {
 private:
  void make_folder(const std::string& path) override { fs::create_directories(server_.root() / path); }
  std::unique_ptr<Share> connect(const std::string& outgoing, const std::string& incoming) const override {
    FtpsOptions options = server_.share();
    options.outgoing = outgoing;
    options.incoming = incoming;
    return std::make_unique<FtpsShare>(std::move(options));
  }

  FtpsServer server_{{.lines = {"AllowStoreRestart on"}}};
};

/// Which effects are crashed at: of those on the share one in so many, and of those on this machine, which
/// crash_test.cpp ends at everywhere. VEER_CRASH_STRIDE stands for both.
struct Steps {
  std::size_t on_share;
  std::size_t here;
};

void crash_over(Meeting& meeting, const Scenario& scenario, Steps steps) {
  const Beginning start(scenario, meeting);
  CHECK(start.on_share().size() > 20);
  std::set<std::size_t> chosen;
  for (std::size_t i = 0; i < start.on_share().size(); i += told_or(steps.on_share))
    chosen.insert(start.on_share()[i]);
  for (std::size_t n = 1; n <= start.effects(); n += told_or(steps.here)) chosen.insert(n);
  for (const std::size_t n : chosen) crash(start, n, CrashWhen::before);
}

template <typename Over>
void crash_all_lives() {
  Over meeting;
  crash_over(meeting, plain(), {.on_share = 3, .here = 61});
  for (const Scenario& scenario : {refused_and_corrected(), cut_and_resumed(), bad_then_good(), name_taken(),
                                   commanded(), held_and_approved()})
    crash_over(meeting, scenario, {.on_share = 13, .here = 601});
}

}  // namespace

TEST_CASE("a crash around whatever is done on a SharePoint site changes nothing of the end of any life") {
  crash_all_lives<OverSharePoint>();
}

TEST_CASE("a crash around whatever is done on an FTPS server changes nothing of the end of any life") {
  crash_all_lives<OverFtps>();
}

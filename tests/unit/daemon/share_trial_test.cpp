#include "daemon/share_trial.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "support/scripted_share.h"
#include "support/seeded_random.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;

namespace {

struct Tried {
  TempFolder folder{TempFolder::Place::in_memory};
  SeededRandom random{3};

  Tried() {
    for (const char* name : {"out", "in"}) fs::create_directory(folder / name);
  }
  /// What is not good of `share`: "what: detail".
  std::vector<std::string> faults(Share& share) {
    std::vector<std::string> found;
    for (const ProbeResult& result : try_share(share, random, {}))
      if (!result.good) found.push_back(result.what + ": " + result.detail);
    return found;
  }
  ScriptedShare share() { return {folder / "out", folder / "in"}; }
};

class Overwriting : public ScriptedShare {
 public:
  using ScriptedShare::ScriptedShare;
  void put(const std::string& name, const Blob& content, ResumeNote resume,
           const Transfer& transfer) override {
    ScriptedShare::remove(Folder::outgoing, name, transfer);
    ScriptedShare::put(name, content, std::move(resume), transfer);
  }
};

void check_only(const std::vector<std::string>& faults, const std::string& beginning) {
  REQUIRE(faults.size() == 1);
  INFO(faults[0]);
  CHECK(faults[0].starts_with(beginning));
}

}  // namespace

TEST_CASE("a share that keeps its word passes the acceptance run, which leaves nothing there") {
  Tried t;
  ScriptedShare share = t.share();
  const auto results = try_share(share, t.random, {});
  CHECK(results.size() == 8);
  for (const ProbeResult& result : results) {
    INFO(result.what << ": " << result.detail);
    CHECK(result.good);
  }
  CHECK(names_in(t.folder / "out").empty());
}

TEST_CASE("an acceptance run names what a share does not keep, and what to do") {
  Tried t;
  ScriptedShare share = t.share();
  SECTION("other bytes come back") {
    share.on_fetch = [](const std::string&, std::string bytes) {
      bytes.back() = static_cast<char>(bytes.back() ^ 1);
      return bytes;
    };
    check_only(t.faults(share), "fetch it whole: S_PROTOCOL: from byte 0 on other bytes came back");
  }
  SECTION("a file is not listed") {
    share.on_list = [](std::vector<ShareEntry>) { return std::vector<ShareEntry>(); };
    check_only(t.faults(share), "list it: S_PROTOCOL: a file that was put is not listed");
  }
  SECTION("nothing may be put") {
    share.fail_next(Verb::put, Code::s_rights);
    check_only(t.faults(share), "put a large file: S_RIGHTS: ");
  }
  SECTION("a published name is overwritten") {
    Overwriting overwriting(t.folder / "out", t.folder / "in");
    check_only(t.faults(overwriting), "refuse another under its name: S_PROTOCOL: what was published");
    CHECK(names_in(t.folder / "out").empty());
  }
  SECTION("nothing may be removed") {
    share.forbid_remove(true);
    check_only(t.faults(share), "remove them: S_RIGHTS: ");
  }
  SECTION("what is removed stays") {
    share.pretend_to_remove(true);
    check_only(t.faults(share), "leave nothing: S_PROTOCOL: what was removed is still listed");
  }
}

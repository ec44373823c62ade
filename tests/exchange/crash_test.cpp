// Crash everywhere: whole exchanges of both sides, good and bad ones, ended before and after every durable
// effect, and run to rest again.

#include <catch2/catch.hpp>

#include "exchange/crashing.h"
#include "exchange/promises.h"
#include "support/effects.h"

using namespace veer;
using namespace veer::test;

namespace {

/// Every `stride`-th effect of a life. What a crash leaves after one effect is what it leaves before the
/// next, so that only the last needs one after it.
void crash_everywhere(const Scenario& scenario, std::size_t stride) {
  const Beginning start(scenario);
  CHECK(start.effects() > 200);
  for (std::size_t n = 1; n <= start.effects(); n += told_or(stride)) crash(start, n, CrashWhen::before);
  crash(start, start.effects(), CrashWhen::after);
}

/// What is broken after a power cut behind effect `n`; syncs of the receiver's disk are believed or not.
Names after_power_cut(const Beginning& start, std::size_t n, bool lying_disk) {
  const TempFolder folder(TempFolder::Place::in_memory);
  const TempFolder stash(TempFolder::Place::in_memory);
  start.lay(folder.path());
  const int status = in_child([&] {
    power_cut_at(n, stash.path(), lying_disk ? folder / "avsb" : fs::path());
    live_counted(start, folder.path());
  });
  CHECK(status == kCrashed);
  Names broken = seen_partial(folder.path());
  const Names later = broken_after(start, folder.path());
  broken.insert(broken.end(), later.begin(), later.end());
  return broken;
}

// How far apart the effects are that the longer lives are crashed at: docs/decisions/0008-crash-tests.md.
constexpr std::size_t kStride = 11;

}  // namespace

TEST_CASE(
    "whichever durable effect a crash comes before or after, the exchange ends recorded once and "
    "acknowledged") {
  crash_everywhere(plain(), 1);
}

TEST_CASE("a crash on the way through a refusal to the corrected list changes nothing of its end") {
  crash_everywhere(refused_and_corrected(), kStride);
}

TEST_CASE("a crash around a fetch that was cut and goes on changes nothing of its end") {
  crash_everywhere(cut_and_resumed(), kStride);
}

TEST_CASE(
    "a crash around bytes that are set aside and the good ones after them changes nothing of their end") {
  crash_everywhere(bad_then_good(), kStride);
}

TEST_CASE("a crash while foreign bytes hold our name changes nothing of the end under the next name") {
  crash_everywhere(name_taken(), kStride);
}

TEST_CASE("a crash while commands are pending carries each of them out, and a repeated answer too") {
  crash_everywhere(commanded(), kStride);
}

TEST_CASE("a crash around a package that is held and approved changes nothing of its end") {
  crash_everywhere(held_and_approved(), kStride);
}

TEST_CASE(
    "a crash around a list that is rejected, offered again and released changes nothing of its end, and it "
    "leaves once") {
  crash_everywhere(held_and_released(), kStride);
}

TEST_CASE("a crash around a correction that is handed over changes nothing of its end") {
  crash_everywhere(corrected_and_handed_over(), kStride);
}

TEST_CASE("a crash while a person is forgotten leaves nothing of the number in the end") {
  crash_everywhere(forgetting(), kStride);
}

TEST_CASE("a crash while it is undone that a person was forgotten leaves no mark in the end") {
  crash_everywhere(forgotten_by_mistake(), kStride);
}

TEST_CASE("a crash around a case that is reported and answered changes nothing of its end") {
  crash_everywhere(reported_and_answered(), kStride);
}

TEST_CASE("a crash around a case that is closed by whoever reported it changes nothing of its end") {
  crash_everywhere(reported_and_closed(), kStride);
}

TEST_CASE("a crash around a delivery to a care fund changes nothing of its end, and it goes out once") {
  crash_everywhere(distributed(), kStride);
}

TEST_CASE("a second crash while the first is being mended does no harm either") {
  const Beginning start(plain());
  for (std::size_t n = 10; n <= start.effects(); n += told_or(24)) {
    const TempFolder folder(TempFolder::Place::in_memory);
    start.lay(folder.path());
    bool first = true;
    for (const std::size_t m : {n, n / 2 + 1, n / 3 + 1}) {
      INFO("effect " << n << ", then " << m);
      const int status = in_child([&] {
        crash_at(m, CrashWhen::before);
        live_counted(start, folder.path());
      });
      // What is left to do after the first crash may be less than m effects.
      CHECK((status == kCrashed || (!first && status == 0)));
      CHECK(seen_partial(folder.path()) == Names{});
      first = false;
    }
    CHECK(broken_after(start, folder.path()) == Names{});
  }
}

TEST_CASE("a power cut that takes all that was not synced takes nothing that was promised") {
  const Beginning start(plain());
  CHECK(start.syncs().size() > 50);
  for (std::size_t i = 0; i < start.syncs().size(); i += told_or(1)) {
    INFO("effect " << start.syncs()[i] << " of " << start.effects());
    CHECK(after_power_cut(start, start.syncs()[i], false) == Names{});
  }
}

TEST_CASE("a power cut in the longer lives takes nothing that was promised either") {
  const std::vector<Scenario> scenarios = {refused_and_corrected(),
                                           cut_and_resumed(),
                                           bad_then_good(),
                                           name_taken(),
                                           commanded(),
                                           held_and_approved(),
                                           held_and_released(),
                                           corrected_and_handed_over(),
                                           forgetting(),
                                           forgotten_by_mistake(),
                                           reported_and_answered(),
                                           reported_and_closed(),
                                           distributed()};
  for (std::size_t life = 0; life < scenarios.size(); ++life) {
    const Beginning start(scenarios[life]);
    for (std::size_t i = 0; i < start.syncs().size(); i += told_or(7)) {
      INFO("life " << life << ", effect " << start.syncs()[i] << " of " << start.effects());
      CHECK(after_power_cut(start, start.syncs()[i], false) == Names{});
    }
  }
}

TEST_CASE("a power cut on a disk that lies about its syncs is noticed by these tests") {
  const Beginning start(plain());
  std::size_t noticed = 0;
  for (std::size_t i = 0; i < start.syncs().size(); i += 5)
    if (!after_power_cut(start, start.syncs()[i], true).empty()) ++noticed;
  CHECK(noticed > 0);
}

TEST_CASE("what these tests say of a register that lacks a row is that") {
  const TempFolder folder;
  const Beginning start(plain());
  start.lay(folder.path());
  {
    Pair pair(folder.path());
    start.scenario().live(pair);
    pair.avsb->instance.db.execute("DELETE FROM entry WHERE insz = :insz",
                                   {static_cast<std::int64_t>(numbers()[3].value())});
  }
  CHECK(seen_partial(folder.path()) == Names{"each list has all its numbers"});
  CHECK(broken_after(start, folder.path()) == Names{"with every number, not 29"});
}

#pragma once

#include <string>

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include "exchange/exchanging.h"

namespace veer::test {

inline const Person kOperator{1001, "operator"};
inline const Person kApprover{1002, "approver"};

/// A file in memory, as numbers of persons are handed over.
inline Fd file_with(const std::string& bytes) {
  Fd file(memfd_create("persons", MFD_CLOEXEC));
  REQUIRE(write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return file;
}

/// Both sides, whom people ask for things.
struct Asking : Exchanging {
  Instance& aii() { return pair.aii->instance; }
  Instance& avsb() { return pair.avsb->instance; }
  /// What came of it: its text, or the code of what was wrong.
  std::string told(Instance& side, const std::string& verb, const std::string& argument, const Person& who,
                   Fd file = Fd()) {
    const auto id = side.agenda.ask(verb, argument, who);
    if (file) side.files.put(id, std::move(file));
    pair.run_for(std::chrono::minutes(1));
    const CommandResult result = side.agenda.result_of(id);
    REQUIRE(result.stage != CommandStage::pending);
    return result.stage == CommandStage::failed ? result.code : result.text;
  }
  /// The newest record of an event in the audit trail; "" when there is none.
  static std::string record(Instance& side, const std::string& event) {
    const auto rows =
        side.db.query("SELECT record FROM audit WHERE event = :e ORDER BY seq DESC LIMIT 1", {event});
    return rows.empty() ? "" : rows.front().text(0);
  }
};

}  // namespace veer::test

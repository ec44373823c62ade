#pragma once

#include <csignal>
#include <string>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "support/installation.h"
#include "support/shell.h"
#include "support/text.h"

/// What the tests of commands share.
namespace veer::test {

inline nlohmann::json json_of(const Installation& both, const std::string& party,
                              const std::string& arguments) {
  const std::string command = std::string(VEER_PROGRAM) + " --json --config " + both.config(party).native() +
                              " " + arguments + " 2>/dev/null </dev/null";
  CAPTURE(command);
  return nlohmann::json::parse(shell(command).output);
}

/// Writes into a side's database what the program would have to go wrong for.
inline void put_alert(const Installation& both, const std::string& party, const std::string& kind) {
  const ShellResult result = shell("sqlite3 " + (both.path(party) / "ledger.db").native() +
                                   " \"INSERT INTO alert (id, cause, kind, code, exchange, text, opened_at, "
                                   "closed_at) SELECT coalesce(max(id), 0) + 1, '" +
                                   kind + "', '" + kind + "', 'X', '', 'x', 1, NULL FROM alert\" 2>&1");
  INFO(result.output);
  REQUIRE(result.exit_code == 0);
}

inline bool is_running(pid_t pid) { return kill(pid, 0) == 0; }

/// One set-up for the tests that leave it as they found it.
inline Installation& agencies() {
  static Installation both;
  return both;
}

}  // namespace veer::test

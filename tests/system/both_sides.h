#pragma once

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/files.h"
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

/// Care funds with a key of its own each, taken in at AVSB: the lines of its configuration. What each gets
/// goes into the folder, and its secret key into the key folder NAME-keys, of the installation.
inline std::string care_funds(const Installation& both, const std::vector<std::string>& names,
                              int members_at_least) {
  const auto veer = [](const std::string& arguments) {
    const ShellResult result = shell(std::string(VEER_PROGRAM) + " " + arguments + " </dev/null");
    INFO(result.output);
    REQUIRE(result.exit_code == 0);
    return result.output;
  };
  std::string lines =
      fmt::format("\n[distribution]\nmembers_at_least = {}\ncare_funds = [\n", members_at_least);
  for (const std::string& name : names) {
    const std::string home = both.path(name + "-keys").native();
    const auto key = both.path(name + ".asc");
    veer(fmt::format("keys create --home {} \"{} <fund@{}.example.org>\" 2>&1", home, name, name));
    write_file(key, veer(fmt::format("keys export --home {} 2>/dev/null", home)));
    const std::string fingerprint = nlohmann::json::parse(
        veer(fmt::format("--json keys export --home {} 2>/dev/null", home)))["fingerprint"];
    veer(fmt::format("keys import {} --home {} --fingerprint {} 2>&1", key.native(),
                     (both.path("avsb") / "gnupg").native(), fingerprint));
    std::filesystem::create_directory(both.path(name));
    lines += fmt::format("  {{ name = \"{}\", key = \"{}\", folder = \"{}\" }},\n", name, fingerprint,
                         both.path(name).native());
  }
  return lines + "]\n";
}

inline bool is_running(pid_t pid) { return kill(pid, 0) == 0; }

/// One set-up for the tests that leave it as they found it.
inline Installation& agencies() {
  static Installation both;
  return both;
}

}  // namespace veer::test

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "daemon/access.h"
#include "daemon/database.h"
#include "daemon/ledger.h"

namespace veer {

/// What recurs: look in the drop folder, look at the share, clean up, rehearse.
enum class Chore { scan, poll, tidy, rehearse };
inline constexpr std::array kChores = {Chore::scan, Chore::poll, Chore::tidy, Chore::rehearse};
std::string_view chore_name(Chore chore);

struct ChoreState {
  Chore chore;
  Wait wait;
  std::optional<Time> done_at;  ///< when it last succeeded
};

/// What a person asked for.
struct Command {
  std::int64_t id = 0;
  std::string verb;
  std::string argument;
  Person who;
  Time asked_at;
  Wait wait;
};
enum class CommandStage { pending, done, failed };

struct CommandResult {
  CommandStage stage = CommandStage::pending;
  std::string code;
  std::string text;
};

/// Chores and commands: rows like everything that waits. Callers open the transactions. One thread.
class Agenda {
 public:
  Agenda(Database& database, const Clock& clock) : db_(database), clock_(clock) {}

  ChoreState chore(Chore chore);
  /// While the exchange is `halted`, of those that go on: deadlines, and what waits in the drop folder.
  std::optional<ChoreState> next_chore(bool halted);
  /// Due at `due`; what failed before stays known until done().
  void schedule(Chore chore, Time due);
  void done(Chore chore, Time next);
  void defer(const ChoreState& state, Time due, const Error& error);

  std::int64_t ask(const std::string& verb, const std::string& argument, const Person& who);
  /// Whether that person asked for it.
  bool is_of(std::int64_t command, uid_t person);
  /// Commands that are not yet done, oldest first.
  std::vector<Command> pending();
  std::optional<Command> next_command();
  /// The oldest of this verb that is not yet done.
  std::optional<Command> pending_of(const std::string& verb);
  /// The argument is forgotten with that: it may name a file of a person's.
  void finish(const Command& command, CommandStage stage, std::string_view code, const std::string& text);
  void defer(const Command& command, Time due, const Error& error);
  CommandResult result_of(std::int64_t command);

 private:
  std::int64_t next_number();

  Database& db_;
  const Clock& clock_;
};

}  // namespace veer

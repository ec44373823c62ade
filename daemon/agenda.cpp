#include "daemon/agenda.h"

#include <algorithm>
#include <string>

namespace veer {
namespace {

constexpr std::array<std::string_view, 4> kChoreNames = {"scan", "poll", "tidy", "rehearse"};
constexpr std::string_view kChoreColumns = "due_at, attempts, problem_code, problem, last_done_at, name";

ChoreState chore_of(const Row& row) {
  ChoreState state{
      Chore::scan, {row.maybe_time(0), row.integer(1), row.text(2), row.text(3)}, row.maybe_time(4)};
  for (std::size_t i = 0; i < kChoreNames.size(); ++i)
    if (kChoreNames[i] == row.text(5)) state.chore = static_cast<Chore>(i);
  return state;
}

constexpr std::string_view kCommandColumns =
    "id, verb, argument, uid, who, asked_at, due_at, attempts, code, result";

Command command_of(const Row& row) {
  return {row.integer(0),
          row.text(1),
          row.text(2),
          {static_cast<uid_t>(row.integer(3)), row.text(4)},
          from_millis(row.integer(5)),
          {row.maybe_time(6), row.integer(7), row.text(8), row.text(9)}};
}

}  // namespace

std::string_view chore_name(Chore chore) { return kChoreNames.at(static_cast<std::size_t>(chore)); }

ChoreState Agenda::chore(Chore chore) {
  const auto row = db_.query_one("SELECT " + std::string(kChoreColumns) + " FROM chore WHERE name = :name",
                                 {std::string(chore_name(chore))});
  return row ? chore_of(*row) : ChoreState{chore, {}, {}};
}

std::optional<ChoreState> Agenda::next_chore(bool halted) {
  const auto row =
      db_.query_one("SELECT " + std::string(kChoreColumns) + " FROM chore WHERE due_at IS NOT NULL" +
                    (halted ? " AND name IN ('tidy', 'scan')" : "") + " ORDER BY due_at, name LIMIT 1");
  return row ? std::optional(chore_of(*row)) : std::nullopt;
}

void Agenda::schedule(Chore chore, Time due) {
  db_.execute(
      "INSERT INTO chore (name, due_at) VALUES (:name, :due) ON CONFLICT (name) DO UPDATE SET"
      " due_at = excluded.due_at",
      {std::string(chore_name(chore)), to_millis(due)});
}

void Agenda::done(Chore chore, Time next) {
  db_.execute(
      "UPDATE chore SET due_at = :due, attempts = 0, problem_code = NULL, problem = NULL, last_done_at = :now"
      " WHERE name = :name",
      {to_millis(next), to_millis(clock_.now()), std::string(chore_name(chore))});
}

void Agenda::defer(const ChoreState& state, Time due, const Error& error) {
  db_.execute(
      "UPDATE chore SET due_at = :due, attempts = :attempts, problem_code = :code, problem = :text"
      " WHERE name = :name",
      {to_millis(due), state.wait.attempts + 1, std::string(code_name(error.code())), error.message(),
       std::string(chore_name(state.chore))});
}

// Never one that was given before, also when all older commands are forgotten: exchanges remember theirs.
std::int64_t Agenda::next_number() {
  static constexpr const char* kLast = "last_command";
  const auto known = db_.query_one("SELECT value FROM setting WHERE name = :name", {kLast});
  const auto most = [&](const char* sql) { return db_.query_one(sql)->integer(0); };
  const std::int64_t last = known ? std::stoll(known->text(0))
                                  : std::max(most("SELECT coalesce(max(id), 0) FROM command"),
                                             most("SELECT coalesce(max(command), 0) FROM exchange"));
  db_.execute(
      "INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = "
      "excluded.value",
      {kLast, std::to_string(last + 1)});
  return last + 1;
}

std::int64_t Agenda::ask(const std::string& verb, const std::string& argument, const Person& who) {
  const std::int64_t id = next_number();
  const std::int64_t now = to_millis(clock_.now());
  db_.execute(
      "INSERT INTO command (id, verb, argument, uid, who, stage, asked_at, due_at)"
      " VALUES (:id, :verb, :argument, :uid, :who, 'pending', :asked, :due)",
      {id, verb, argument, std::int64_t{who.uid}, who.name, now, now});
  return id;
}

bool Agenda::is_of(std::int64_t command, uid_t person) {
  return db_.query_one("SELECT 1 FROM command WHERE id = :id AND uid = :uid", {command, std::int64_t{person}})
      .has_value();
}

std::optional<Command> Agenda::next_command() {
  const auto row = db_.query_one("SELECT " + std::string(kCommandColumns) +
                                 " FROM command WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT 1");
  return row ? std::optional(command_of(*row)) : std::nullopt;
}

std::optional<Command> Agenda::pending_of(const std::string& verb) {
  const auto row =
      db_.query_one("SELECT " + std::string(kCommandColumns) +
                        " FROM command WHERE due_at IS NOT NULL AND verb = :verb ORDER BY id LIMIT 1",
                    {verb});
  return row ? std::optional(command_of(*row)) : std::nullopt;
}

std::vector<Command> Agenda::pending() {
  std::vector<Command> commands;
  for (const Row& row : db_.query("SELECT " + std::string(kCommandColumns) +
                                  " FROM command WHERE due_at IS NOT NULL ORDER BY id"))
    commands.push_back(command_of(row));
  return commands;
}

void Agenda::finish(const Command& command, CommandStage stage, std::string_view code,
                    const std::string& text) {
  db_.execute(
      "UPDATE command SET stage = :stage, code = :code, result = :text, argument = '', due_at = NULL"
      " WHERE id = :id",
      {stage == CommandStage::done ? "done" : "failed", std::string(code), text, command.id});
}

void Agenda::defer(const Command& command, Time due, const Error& error) {
  db_.execute(
      "UPDATE command SET due_at = :due, attempts = :attempts, code = :code, result = :text WHERE id = :id",
      {to_millis(due), command.wait.attempts + 1, std::string(code_name(error.code())), error.message(),
       command.id});
}

CommandResult Agenda::result_of(std::int64_t command) {
  const auto row = db_.query_one("SELECT stage, code, result FROM command WHERE id = :id", {command});
  if (!row) throw Error(Code::u_unknown, "no such command");
  const CommandStage stage = row->text(0) == "pending" ? CommandStage::pending
                             : row->text(0) == "done"  ? CommandStage::done
                                                       : CommandStage::failed;
  return {stage, row->text(1), row->text(2)};
}

}  // namespace veer

#include <optional>

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "daemon/alerts.h"
#include "daemon/audit.h"
#include "daemon/backup.h"
#include "daemon/backup_folder.h"
#include "daemon/erasure.h"
#include "daemon/instance.h"
#include "daemon/schema.h"
#include "daemon/settings.h"
#include "daemon/sqlite.h"
#include "daemon/suspension.h"

namespace veer {
namespace {

/// Where what is to become `folder` is put first: on its own volume, which may be encrypted.
fs::path beside(const fs::path& folder) {
  return is_volume(folder) ? folder / kRestoring : fs::path(folder.native() + kRestoring);
}

void require_empty(const fs::path& folder) {
  if (!is_there(folder)) return;
  auto names = names_in(folder);
  std::erase(names, "lock");
  std::erase_if(names, is_of_volume);
  if (names.empty()) return;
  if (is_volume(folder))
    throw Error(Code::u_state, fmt::format("{} is not empty: move what lies in it aside", shown(folder)));
  fs::path aside = folder.native() + ".lost";
  for (int number = 2; is_there(aside); ++number) aside = fmt::format("{}.lost-{}", folder.native(), number);
  throw Error(Code::u_state, fmt::format("{} is not empty: move it aside ('mv {} {}')", shown(folder),
                                         shown(folder), shown(aside)));
}

void require_free(const Places& places) {
  if (is_there(places.state) && !FolderLock::try_take(places.state, "restore"))
    throw Error(Code::l_lock, "a service or a command works there: 'systemctl stop' it first");
  require_empty(places.state);
  require_empty(places.keys);
  for (const std::string& file : sqlite::files_of(places.database.native()))
    if (is_there(file)) throw Error(Code::u_state, fmt::format("{} is there: move it aside", shown(file)));
}

// Says so in the books themselves, so that it stays until somebody has looked.
void note_restored(const fs::path& database, const Backup& backup, bool unmarked, const Clock& clock) {
  Database books("sqlite:" + database.native());
  migrate(books);
  require_whole(books, backup.party);
  books.transaction([&] {
    Audit(books, clock)
        .append("restored", "",
                {{"made_at", format_time(backup.made_at)}, {"seq", std::to_string(backup.audit.seq)}});
    // Whether they reach anybody from here is to be seen anew.
    Settings settings(books, clock);
    for (const char* channel : {"mail", "webhook", "hook"})
      if (!settings.proof_of(channel).empty()) settings.keep_proof(channel, "before the restore");
    settings.set(kRestoredBooks, "1");
    settings.forget(kRunsSince);
    AlertBook alerts(books, clock);
    alerts.raise(
        "restored", AlertKind::attention, "RESTORED", "",
        fmt::format("these books are those of {}; what came later is not in them{}. Hold what 'veer list' "
                    "shows beside what the other side sees of its own, 'veer resume' (an approver), have "
                    "resent what is missing, then close this",
                    format_time(backup.made_at),
                    unmarked ? ", and whoever was forgotten since is in them again: forget them anew" : ""));
    // What was taken back, stopped or replaced since is not known here either: a person looks first. A closed
    // path does nothing that could be wrong.
    if (settings.closed_out()) return;
    Holds(books, clock).open(HoldKind::suspension, "restored", "", std::nullopt);
    tell_suspended(alerts, "the restored backup", "an approver");
  });
}

}  // namespace

Backup restore_backup(const fs::path& backup, const fs::path& config_file, const ErasedSince& erased,
                      const Clock& clock) {
  const Backup told = check_backup(backup);
  const std::string text = read_file(backup / "config.toml");
  const Config config = parse_config(text, "config.toml");
  if (config.role == Role::receiver && !erased.marks && !erased.none)
    throw Error(
        Code::u_usage,
        fmt::format("whoever was forgotten since this backup was made is in it: give the newest {} of this "
                    "side with --erased (it lies in the state folder that was moved aside, or with the "
                    "backups), or say --none-erased",
                    kMarksFile));
  const bool configured = is_there(config_file);
  if (configured && read_file(config_file) != text)
    throw Error(Code::u_state,
                fmt::format("{} differs from the configuration of the backup: move it aside, and what "
                            "should stay of it put in afterwards",
                            shown(config_file)));
  const Places places(config);
  require_free(places);

  // Each beside its place, so that a rename puts it there.
  Unfinished state(beside(places.state));
  std::optional<Unfinished> keys;
  if (!places.keys_inside()) keys.emplace(beside(places.keys));
  std::optional<Unfinished> books;
  if (!places.database_inside()) books.emplace(places.database.native() + ".restoring");
  const fs::path database =
      books ? books->path() / "ledger.db" : state.path() / places.database.lexically_relative(places.state);
  for (const auto& [name, digest] : read_sums(backup)) {
    const fs::path path(name);
    if (*path.begin() == "state") copy_whole(backup / path, state.path() / path.lexically_relative("state"));
    if (keys && *path.begin() == "keys")
      copy_whole(backup / path, keys->path() / path.lexically_relative("keys"));
  }
  copy_whole(backup / "ledger.db", database);
  if (erased.marks) {
    const fs::path file = state.path() / kMarksFile;
    write_file(file, (is_there(file) ? read_file(file) : "") + *erased.marks);
  }
  note_restored(database, told, config.role == Role::receiver && !erased.marks, clock);

  if (!configured) write_new_file(config_file, text, 0640);
  if (keys) {
    remove_file(places.keys / "lock");
    keys->rename_to(places.keys);
  }
  if (books) rename_file(database, places.database);
  remove_file(places.state / "lock");
  state.rename_to(places.state);
  return told;
}

}  // namespace veer

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "daemon/config.h"
#include "formats/package.h"

/// A copy of all that an instance is made of, as a folder (0700, its files 0600):
///   backup.json   what it is: {"format": "veerdienst-backup/1", "party", "made_at", "program", "audit"}
///   config.toml   the configuration
///   ledger.db     ledger, register and audit chain of one moment
///   state/…       the state folder: spool, quarantine, key folder, credentials that lie there
///   keys/…        the key folder, when it lies elsewhere
///   SHA256SUMS    every file above, for sha256sum(1) too; written last, so that what lacks it is not whole
/// It holds people's numbers and secret keys. One thread. Errors: those of core/files.h and of the database.
namespace veer {

struct Backup {
  std::string party;
  Time made_at;
  AuditHead audit;  ///< end of the chain in it
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string>
      left_out;  ///< credentials and links that it does not hold; only make_backup() tells
};

/// Makes the folder `target`, which must not be there, beside a service that may run; it bears that name only
/// once it is whole and was read again. Throws U_STATE when something of the name is there, or there are no
/// books yet, U_USAGE when it would lie in a folder of the instance, L_AUDIT when the copied chain is not
/// whole.
Backup make_backup(const Config& config, const std::filesystem::path& config_file,
                   const std::filesystem::path& target, const Clock& clock);

/// Reads every file of a backup. Throws U_STATE when it is not a whole backup, L_DATABASE when its database
/// is damaged.
Backup check_backup(const std::filesystem::path& backup);

/// Who was forgotten since a backup was made, by the newest marks (Erasure); or that nobody was, or no marks
/// are left, by somebody's word.
struct ErasedSince {
  std::optional<std::string> marks = {};
  bool none = false;
};

/// Puts a checked backup where its configuration says, and the configuration at `config_file`, all or nothing
/// of the state folder. A receiver is to be told who was forgotten since. Brings the books up to date, walks
/// their chain, and notes in it, and as an alert, that they were restored; they are suspended, since nobody
/// knows here what was decided after them. Throws, and changes nothing: U_USAGE when a receiver is not told,
/// U_STATE when one of the places holds something already (another configuration included), L_LOCK when a
/// service runs there, L_AUDIT when the chain is not whole.
Backup restore_backup(const std::filesystem::path& backup, const std::filesystem::path& config_file,
                      const ErasedSince& erased, const Clock& clock);
/// In a state folder that is a volume of its own, as long as it is being restored.
inline constexpr const char* kRestoring = ".restoring";

}  // namespace veer

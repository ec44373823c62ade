#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "core/files.h"
#include "daemon/backup.h"
#include "daemon/config.h"
#include "daemon/database.h"

/// What making a backup and restoring one have in common: the folder that it is, and the places it comes from
/// and goes to. One thread. Errors: those of core/files.h and of the database.
namespace veer {

inline constexpr std::string_view kBackupFormat = "veerdienst-backup/1";
inline constexpr const char* kSums = "SHA256SUMS";

/// Digest of each file by its path in the backup: "state/spool/…".
using Sums = std::map<std::string, std::string>;

/// Throws U_USAGE when there is no such folder, C_USER when it may not be read, U_STATE when it is not whole
/// or names files elsewhere.
Sums read_sums(const fs::path& backup);

std::string shown(const fs::path& path);
bool lies_in(const fs::path& path, const fs::path& folder);
/// A link counts, wherever it leads.
bool is_there(const fs::path& path);
/// What stands at the top of a volume of its own, and is no part of the instance.
bool is_of_volume(const std::string& name);
bool is_volume(const fs::path& folder);
/// Returns the copy's digest.
std::string copy_whole(const fs::path& from, const fs::path& to);

std::string database_of(const Config& config);
Database open_copy(const fs::path& file);
/// Throws L_AUDIT when the chain of these books is not.
void require_whole(Database& books, const std::string& party);

/// A new folder that goes with all that is in it unless it is kept.
class Unfinished {
 public:
  explicit Unfinished(fs::path path);
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  const fs::path& path() const { return path_; }
  /// Or, when it stands in `name`, a volume: moves what is in it there.
  void rename_to(const fs::path& name);

 private:
  fs::path path_;
  bool kept_ = false;
};

/// Where the parts of an instance go.
struct Places {
  explicit Places(const Config& config)
      : state(config.state), keys(config.openpgp_home), database(database_of(config)) {}
  bool keys_inside() const { return lies_in(keys, state); }
  bool database_inside() const { return lies_in(database, state); }

  fs::path state;
  fs::path keys;
  fs::path database;
};

}  // namespace veer

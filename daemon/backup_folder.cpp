#include "daemon/backup_folder.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/log.h"
#include "daemon/audit.h"
#include "daemon/instance.h"

namespace veer {
namespace {

/// With the folders above it, each for its owner alone.
void make_private(const fs::path& folder) {
  if (!folder.has_relative_path() || is_there(folder)) return;
  make_private(folder.parent_path());
  make_folder(folder);
}

[[noreturn]] void throw_not_whole(const fs::path& backup, std::string_view why) {
  throw Error(Code::u_state,
              fmt::format("{} is not a whole backup: {}; take another one", shown(backup), why));
}

Backup read_facts(const fs::path& backup) {
  try {
    const auto json = nlohmann::json::parse(read_file(backup / "backup.json"));
    if (json.at("format") != kBackupFormat)
      throw_not_whole(backup, "another version of this program made it");
    const auto made = parse_time(json.at("made_at").get<std::string>());
    if (!made) throw_not_whole(backup, "its backup.json is damaged");
    return {.party = json.at("party"),
            .made_at = *made,
            .audit = {json.at("audit").at("seq"), json.at("audit").at("head")},
            .left_out = {}};
  } catch (const nlohmann::json::exception&) {
    throw_not_whole(backup, "its backup.json is damaged");
  }
}

}  // namespace

Sums read_sums(const fs::path& backup) {
  if (!is_there(backup)) throw Error(Code::u_usage, fmt::format("there is no folder {}", shown(backup)));
  if (access(backup.c_str(), R_OK | X_OK) != 0)
    throw Error(Code::c_user, fmt::format("{} may not be read by {}: run this as its owner", shown(backup),
                                          person_of(getuid()).name));
  if (!is_there(backup / kSums)) throw_not_whole(backup, "it has no SHA256SUMS");
  Sums sums;
  std::istringstream lines(read_file(backup / kSums));
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 67 || line.substr(64, 2) != "  ") throw_not_whole(backup, "its SHA256SUMS is damaged");
    const fs::path name = line.substr(66);
    if (name.is_absolute() || std::find(name.begin(), name.end(), "..") != name.end())
      throw_not_whole(backup, "its SHA256SUMS names files elsewhere");
    sums[name.native()] = line.substr(0, 64);
  }
  return sums;
}

std::string shown(const fs::path& path) { return printable(path.native(), 300); }

std::string database_of(const Config& config) {
  return config.database_url.substr(config.database_url.find(':') + 1);
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path inside = path.lexically_relative(folder);
  return !inside.empty() && *inside.begin() != "..";
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

bool is_of_volume(const std::string& name) { return name == "lost+found" || name == kRestoring; }

bool is_volume(const fs::path& folder) {
  struct stat inside {};
  struct stat above {};
  return stat(folder.c_str(), &inside) == 0 && stat(folder.parent_path().c_str(), &above) == 0 &&
         inside.st_dev != above.st_dev;
}

std::string copy_whole(const fs::path& from, const fs::path& to) {
  make_private(to.parent_path());
  const FileBlob source(from);
  SpoolWriter writer(to);
  DigestingSink sink(writer);
  std::string piece(std::size_t{1} << 20, '\0');
  std::uint64_t at = 0;
  while (const std::size_t n = source.read(at, piece)) {
    sink.write(std::string_view(piece).substr(0, n));
    at += n;
  }
  writer.finish();
  return sink.hex();
}

Unfinished::Unfinished(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  fs::remove_all(path_, error);  // of an attempt that was cut off
  make_private(path_);
}

Unfinished::~Unfinished() {
  std::error_code none;
  if (!kept_) fs::remove_all(path_, none);
}

void Unfinished::rename_to(const fs::path& name) {
  if (path_.parent_path() == name) {  // a volume, which keeps its name
    auto names = names_in(path_);     // the books last: without them there is nothing to begin with
    std::stable_partition(names.begin(), names.end(),
                          [](const auto& each) { return !each.starts_with("ledger.db"); });
    for (const std::string& each : names) rename_file(path_ / each, name / each);
    return;
  }
  rename_file(path_, name);
  kept_ = true;
}

void require_whole(Database& books, const std::string& party) {
  const AuditReport report = verify_audit(books, party, {});
  if (!report.problems.empty())
    throw Error(Code::l_audit, fmt::format("the chain of events is not whole ({}): 'veer audit verify'",
                                           report.problems.front().text));
}

Database open_copy(const fs::path& file) {
  return Database("sqlite:" + file.native(), Database::Access::read_only);
}

Backup check_backup(const fs::path& backup) {
  Sums sums = read_sums(backup);
  Backup told = read_facts(backup);
  for (const char* file : {"backup.json", "config.toml", "ledger.db"})
    if (!sums.contains(file)) throw_not_whole(backup, fmt::format("it lacks {}", file));
  for (const auto& [name, digest] : sums) {
    if (!is_there(backup / name)) throw_not_whole(backup, fmt::format("it lacks {}", name));
    const FileBlob file(backup / name);
    if (sha256_hex(file) != digest) throw_not_whole(backup, fmt::format("{} is damaged", name));
    told.bytes += file.size();
  }
  told.files = sums.size();
  Database books = open_copy(backup / "ledger.db");
  if (const auto problems = books.integrity_problems(); !problems.empty())
    throw Error(Code::l_database, problems.front() + ": take another backup");
  return told;
}

}  // namespace veer

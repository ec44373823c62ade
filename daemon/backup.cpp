#include "daemon/backup.h"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/alerts.h"
#include "daemon/audit.h"
#include "daemon/erasure.h"
#include "daemon/instance.h"
#include "daemon/schema.h"
#include "daemon/settings.h"
#include "daemon/sqlite.h"
#include "daemon/suspension.h"

namespace veer {
namespace {

constexpr std::string_view kFormat = "veerdienst-backup/1";
constexpr const char* kSums = "SHA256SUMS";

/// Digest of each file by its path in the backup: "state/spool/…".
using Sums = std::map<std::string, std::string>;

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

// Locks, sockets and what is about to get its name; gpg's own seed of chance must not be used twice.
bool is_passing(const fs::path& path) {
  const std::string name = path.filename().native();
  return name == "lock" || name == "random_seed" || name.ends_with(".lock") || name.starts_with(".#lk") ||
         (name.starts_with('.') && name.ends_with(".new"));
}

/// What stands at the top of a volume of its own, and is no part of the instance.
bool is_of_volume(const std::string& name) { return name == "lost+found" || name == kRestoring; }

bool is_volume(const fs::path& folder) {
  struct stat inside {};
  struct stat above {};
  return stat(folder.c_str(), &inside) == 0 && stat(folder.parent_path().c_str(), &above) == 0 &&
         inside.st_dev != above.st_dev;
}

/// Where what is to become `folder` is put first: on its own volume, which may be encrypted.
fs::path beside(const fs::path& folder) {
  return is_volume(folder) ? folder / kRestoring : fs::path(folder.native() + kRestoring);
}

/// With the folders above it, each for its owner alone.
void make_private(const fs::path& folder) {
  if (!folder.has_relative_path() || is_there(folder)) return;
  make_private(folder.parent_path());
  make_folder(folder);
}

/// Returns the copy's digest.
std::string copy_whole(const fs::path& from, const fs::path& to) {
  make_private(to.parent_path());
  const FileBlob source(from);
  SpoolWriter writer(to);
  DigestingSink sink(writer);
  std::string piece(std::size_t{1} << 20, '\0');
  for (std::uint64_t at = 0; const std::size_t n = source.read(at, piece); at += n)
    sink.write(std::string_view(piece).substr(0, n));
  writer.finish();
  return sink.hex();
}

/// A new folder that goes with all that is in it unless it is kept.
class Unfinished {
 public:
  explicit Unfinished(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    fs::remove_all(path_, error);  // of an attempt that was cut off
    make_private(path_);
  }
  ~Unfinished() {
    std::error_code none;
    if (!kept_) fs::remove_all(path_, none);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  const fs::path& path() const { return path_; }
  void rename_to(const fs::path& name) {
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

 private:
  fs::path path_;
  bool kept_ = false;
};

/// Copies what lies in `folder` and is no file of `but` to `name` in the backup.
void copy_folder(const fs::path& folder, const std::vector<std::string>& but, const Unfinished& backup,
                 const std::string& name, Sums& sums, Backup& told) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (it.depth() == 0 && is_of_volume(path.filename().native())) {
      it.disable_recursion_pending();
      continue;
    }
    std::error_code gone;
    const auto status = fs::symlink_status(path, gone);
    if (fs::is_symlink(status)) told.left_out.push_back(path.native());
    if (!fs::is_regular_file(status) || is_passing(path) ||
        std::find(but.begin(), but.end(), path.native()) != but.end())
      continue;
    const std::string inside = name + "/" + path.lexically_relative(folder).native();
    if (printable(inside, inside.size()) != inside)
      throw Error(Code::l_io,
                  fmt::format("{} has a name that no list of files can hold: rename it", shown(path)));
    try {
      sums[inside] = copy_whole(path, backup.path() / inside);
    } catch (const Error&) {
      if (is_there(path)) throw;
      remove_file(backup.path() / inside);  // it was sent, or taken in, meanwhile
    }
  }
  if (error)
    throw Error(Code::l_io, fmt::format("folder {} cannot be read: {}", shown(folder), error.message()));
}

void note_references(const Config& config, std::vector<std::string>& left_out) {
  std::vector<std::string> references = {config.openpgp_passphrase};
  if (const auto* sftp = std::get_if<SftpShareConfig>(&config.share.kind))
    references.insert(references.end(), {sftp->key, sftp->known_hosts.native()});
  if (const auto* ftps = std::get_if<FtpsShareConfig>(&config.share.kind))
    references.insert(references.end(), {ftps->password, ftps->key, ftps->key_passphrase,
                                         ftps->certificate.native(), ftps->ca.native()});
  if (const auto* graph = std::get_if<SharePointShareConfig>(&config.share.kind))
    references.insert(references.end(), {graph->key, graph->key_passphrase, graph->secret,
                                         graph->certificate.native(), graph->ca.native()});
  if (const auto& mail = config.alerts.mail)
    references.insert(references.end(), {mail->password, mail->ca.native()});
  if (const auto& webhook = config.alerts.webhook) {
    references.insert(references.end(), {webhook->secret, webhook->ca.native()});
    if (!webhook->url.starts_with("https:")) references.push_back(webhook->url);
  }
  references.push_back(config.alerts.hook.native());
  if (config.legal_basis) references.push_back(config.legal_basis->document.native());
  for (const std::string& reference : references) {
    const std::string path = reference.starts_with("file:") ? reference.substr(5) : reference;
    if (!path.empty() && (path.front() != '/' || !lies_in(path, config.state))) left_out.push_back(path);
  }
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

AuditHead copy_books(const Config& config, const fs::path& to) {
  if (!is_there(database_of(config)))
    throw Error(Code::u_state, "there are no books yet: start the service once ('veer run')");
  Database(config.database_url, Database::Access::read_only).copy_to(to.native());
  Database copy = open_copy(to);
  require_schema(copy);
  require_whole(copy, config.party);
  return verify_audit(copy, config.party, {}).head;
}

std::string sums_text(const Sums& sums) {
  std::string text;
  for (const auto& [name, digest] : sums) text += fmt::format("{}  {}\n", digest, name);
  return text;
}

[[noreturn]] void throw_not_whole(const fs::path& backup, std::string_view why) {
  throw Error(Code::u_state,
              fmt::format("{} is not a whole backup: {}; take another one", shown(backup), why));
}

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

Backup read_facts(const fs::path& backup) {
  try {
    const auto json = nlohmann::json::parse(read_file(backup / "backup.json"));
    if (json.at("format") != kFormat) throw_not_whole(backup, "another version of this program made it");
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
        fmt::format(
            "these books are those of {}; what came later is not in them{}. Hold 'veer list' of both "
            "sides side by side, 'veer resume' (an approver), have resent what is missing, then close this",
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

Backup make_backup(const Config& config, const fs::path& config_file, const fs::path& target,
                   const Clock& clock) {
  if (is_there(target)) throw Error(Code::u_state, fmt::format("{} is there already", shown(target)));
  if (!is_there(target.parent_path()))  // a disk that is not mounted, or a slip
    throw Error(Code::u_usage, fmt::format("there is no folder {}: make it, or mount what it is on",
                                           shown(target.parent_path())));
  for (const fs::path& folder : {config.state, config.openpgp_home, config.drop})
    if (!folder.empty() && lies_in(target, folder))
      throw Error(Code::u_usage,
                  fmt::format("{} lies in a folder of the instance: name one elsewhere", shown(target)));
  Unfinished backup(target.native() + ".part");
  Backup told{.party = config.party, .made_at = clock.now(), .audit = {}, .left_out = {}};
  Sums sums;
  // The books first: what is in the spool and not in them is found, and told of; the reverse would be a loss.
  told.audit = copy_books(config, backup.path() / "ledger.db");
  sums["ledger.db"] = sha256_hex(FileBlob(backup.path() / "ledger.db"));
  sums["config.toml"] = copy_whole(fs::weakly_canonical(config_file), backup.path() / "config.toml");
  const auto books = sqlite::files_of(database_of(config));
  copy_folder(config.state, books, backup, "state", sums, told);
  if (!Places(config).keys_inside()) copy_folder(config.openpgp_home, books, backup, "keys", sums, told);
  note_references(config, told.left_out);
  const nlohmann::ordered_json facts = {{"format", kFormat},
                                        {"party", told.party},
                                        {"made_at", format_time(told.made_at)},
                                        {"program", program_name()},
                                        {"audit", {{"seq", told.audit.seq}, {"head", told.audit.head}}}};
  const std::string text = facts.dump(2) + "\n";
  write_file(backup.path() / "backup.json", text);
  sums["backup.json"] = sha256_hex(text);
  write_file(backup.path() / kSums, sums_text(sums));
  const Backup read = check_backup(backup.path());
  told.files = read.files;
  told.bytes = read.bytes;
  backup.rename_to(target);
  return told;
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

Backup restore_backup(const fs::path& backup, const fs::path& config_file,
                      const std::optional<std::string>& marks, const Clock& clock) {
  const Backup told = check_backup(backup);
  const std::string text = read_file(backup / "config.toml");
  const Config config = parse_config(text, "config.toml");
  if (config.role == Role::receiver && !marks)
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
  if (marks && !marks->empty()) {
    const fs::path file = state.path() / kMarksFile;
    write_file(file, (is_there(file) ? read_file(file) : "") + *marks);
  }
  note_restored(database, told, config.role == Role::receiver && marks->empty(), clock);

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

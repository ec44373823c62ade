#include "daemon/backup.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/audit.h"
#include "daemon/backup_folder.h"
#include "daemon/instance.h"
#include "daemon/schema.h"
#include "daemon/sqlite.h"

namespace veer {
namespace {

// Locks, sockets and what is about to get its name; gpg's own seed of chance must not be used twice.
bool is_passing(const fs::path& path) {
  const std::string name = path.filename().native();
  return name == "lock" || name == "random_seed" || name.ends_with(".lock") || name.starts_with(".#lk") ||
         (name.starts_with('.') && name.ends_with(".new"));
}

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

std::vector<std::string> references_of(const ShareConfig& share) {
  if (const auto* sftp = std::get_if<SftpShareConfig>(&share.kind))
    return {sftp->key, sftp->known_hosts.native()};
  if (const auto* ftps = std::get_if<FtpsShareConfig>(&share.kind))
    return {ftps->password, ftps->key, ftps->key_passphrase, ftps->certificate.native(), ftps->ca.native()};
  if (const auto* graph = std::get_if<SharePointShareConfig>(&share.kind))
    return {graph->key, graph->key_passphrase, graph->secret, graph->certificate.native(),
            graph->ca.native()};
  return {};
}

void note_references(const Config& config, std::vector<std::string>& left_out) {
  std::vector<std::string> references = references_of(config.share);
  for (const Recipient& recipient : config.distribution.recipients)
    for (const std::string& reference : references_of(recipient.share))
      if (std::find(references.begin(), references.end(), reference) == references.end())
        references.push_back(reference);
  references.push_back(config.openpgp_passphrase);
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
  const nlohmann::ordered_json facts = {{"format", kBackupFormat},
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

}  // namespace veer

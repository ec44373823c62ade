#include "daemon/backup.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/erasure.h"

namespace veer {
namespace {

void show(Context& context, const Backup& backup, const fs::path& folder, std::string_view what) {
  if (context.json) {
    context.print(text_of(Json{{"backup", folder.native()},
                               {"party", backup.party},
                               {"made_at", format_time(backup.made_at)},
                               {"files", backup.files},
                               {"bytes", backup.bytes},
                               {"audit", {{"seq", backup.audit.seq}, {"head", backup.audit.head}}},
                               {"left_out", backup.left_out}}));
    return;
  }
  context.print(fmt::format("{} {}: {} files, {} bytes, audit head {}:{}\n", folder.native(), what,
                            backup.files, backup.bytes, backup.audit.seq, backup.audit.head));
}

void back_up(Context& context, const std::string& target) {
  const Config config = context.own_config();
  const fs::path folder = fs::absolute(target).lexically_normal();
  if (const std::string name = folder.filename().native(); without_numbers(name) != name)
    throw Error(Code::u_usage, "the folder's name holds what may be a national number: choose another one");
  const Backup made = make_backup(config, context.readable_config_path(), folder, SystemClock());
  show(context, made, folder, "is whole, and was read again");
  for (const std::string& path : made.left_out)
    context.tell(fmt::format("not in it, keep it apart: {}\n", printable(path, 300)));
  context.tell(
      "it holds secret keys, and the numbers of people that the register holds, unencrypted: keep it as safe "
      "as this "
      "machine\n");
}

/// What a person says who was forgotten since the backup was made: the file of their marks, or that nobody
/// was.
struct Erased {
  std::string file;
  bool none = false;
};

void restore(Context& context, const std::string& source, const Erased& erased, bool only_check) {
  const fs::path folder = fs::absolute(source).lexically_normal();
  if (only_check) return show(context, check_backup(folder), folder, "is whole");
  const SystemClock clock;
  ErasedSince since{.none = erased.none};
  if (!erased.file.empty()) since.marks = read_marks(erased.file);
  const Backup restored = restore_backup(folder, context.config_path(), since, clock);
  const Config config = context.config();
  show(context, restored, folder, "was restored");
  const bool sender = config.role == Role::sender;
  context.tell(fmt::format(
      R"(what happened after {0} is not in these books, which are suspended until somebody has looked. Next:
  1. {1} doctor
  2. systemctl start veerdienst@{2}, or {1} run
  3. hold 'veer list' of both sides side by side; take back here what was taken back since
  4. {1} resume, by an approver; {3}
  5. {1} alerts close NUMBER, when nothing is missing any more
)",
      format_time(restored.made_at), invocation(config), config.file.stem().native(),
      sender ? "receipts that come for unknown exchanges are adopted; a list that the other side "
               "lacks is offered again"
             : "ask the other side for 'veer resend ID' of each list that it calls acknowledged "
               "and this side lacks"));
  const KeyVisit visit(config.openpgp_home);
  GpgmeSeal(config.openpgp_home, config.own_keys, config.counterparty_keys, clock).check(also_pinned(config));
}

}  // namespace

void add_backup(CLI::App& app, Context& context) {
  auto target = std::make_shared<std::string>();
  auto* out =
      app.add_subcommand("backup", "Copy books, spool, keys and configuration into a new folder, checked");
  out->add_option("FOLDER", *target, "Where; must not be there yet")->required();
  out->callback([&context, target] { back_up(context, *target); });
  auto* back = app.add_subcommand("restore", "Put a backup where nothing is; the service stands still");
  auto only_check = std::make_shared<bool>(false);
  back->add_flag("--check", *only_check, "Only read it, every digest and the books: nothing is put anywhere");
  back->add_option("FOLDER", *target, "A backup")->required();
  auto erased = std::make_shared<Erased>();
  auto* marks = back->add_option("--erased", erased->file,
                                 "The newest erased.marks: who was forgotten after the backup was made")
                    ->check(CLI::ExistingFile);
  back->add_flag("--none-erased", erased->none, "Nobody was forgotten after the backup was made")
      ->excludes(marks);
  back->callback([&context, target, erased, only_check] { restore(context, *target, *erased, *only_check); });
}

}  // namespace veer

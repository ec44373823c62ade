// The secret half of our primary key: out of the machine, into a file that was
// tried. docs/decisions/0061-offline-primary.md.

#include "formats/primary_key.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/key_change.h"
#include "daemon/commands/primary_key.h"
#include "formats/keyring.h"

namespace veer {
namespace {

/// With every link of the way there followed; what is not there yet is taken by its name.
fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::weakly_canonical(fs::absolute(path), error);
  if (error)
    throw Error(Code::l_io,
                fmt::format("{} cannot be looked at: {}", printable(path.native(), 300), error.message()));
  return real;
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path real = real_path(path);
  const fs::path above = real_path(folder);
  return std::mismatch(above.begin(), above.end(), real.begin(), real.end()).first == above.end();
}

/// The key that is meant when none is named: the only one of ours whose primary is here.
std::string key_with_primary(const Config& config) {
  std::vector<std::string> own;
  bool offline = false;
  for (const KeyState& key : list_keys(config.openpgp_home)) {
    if (key.has_secret && key.has_primary) own.push_back(key.fingerprint);
    offline = offline || (key.has_secret && !key.has_primary);
  }
  if (own.size() > 1)
    throw Error(Code::u_usage,
                "the primary keys of several keys of ours are here: name one, 'veer keys show'");
  if (own.empty())
    throw Error(Code::l_key, offline ? "our primary key is offline already: it is not in the key folder"
                                     : "the key folder holds no key of ours: veer doctor");
  return own.front();
}

void take_offline(Context& context, const std::string& target, const std::string& given) {
  const Config config = context.own_config();
  const fs::path file = fs::absolute(target).lexically_normal();
  for (const fs::path& folder : {config.state, config.openpgp_home})
    if (lies_in(file, folder))
      throw Error(Code::u_usage, fmt::format("{} lies in {}, with the machine's own keys: name a file on a "
                                             "medium that can be taken away",
                                             printable(file.native(), 300), folder.native()));
  const KeyVisit visit(config.openpgp_home);
  const std::string fingerprint = given.empty() ? key_with_primary(config) : without_blanks(given);
  const Secret passphrase = passphrase_of(config);
  take_primary_away(config.openpgp_home, fingerprint, file, passphrase.empty() ? nullptr : &passphrase);
  if (context.json)
    context.print(text_of(Json{{"fingerprint", fingerprint}, {"file", printable(file.native())}}));
  else
    context.print(fingerprint + "\n");
  context.tell(fmt::format(
      R"({0} has the whole secret key{1}, and was tried;
the secret half of the primary key is here no more. What signs and opens stays, and a service that runs goes on. Next:
  1. take {0} to a safe, and leave no copy here
  2. keep backups from before as safe, or delete them: they hold it too
)",
      printable(file.native(), 300),
      passphrase.empty() ? ", without a passphrase" : ", under its passphrase"));
}

}  // namespace

void add_primary_key(CLI::App& keys, Context& context) {
  auto file = std::make_shared<std::string>();
  auto fingerprint = std::make_shared<std::string>();
  auto* away = keys.add_subcommand(
      "offline", "Write our secret key into a file for a safe, and take its primary key out of this machine");
  away->add_option("FILE", *file, "A new file, outside the state folder")->required();
  away->add_option("FINGERPRINT", *fingerprint, "Which; the only one whose primary key is here otherwise");
  away->callback([&context, file, fingerprint] { take_offline(context, *file, *fingerprint); });
}

}  // namespace veer

// The secret half of our primary key: out of the machine (offline), and back for the moment in which it gives
// our subkeys more time (renew). docs/decisions/0061-offline-primary.md.

#include "formats/primary_key.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/key_change.h"
#include "daemon/commands/key_record.h"
#include "daemon/commands/primary_key.h"
#include "formats/acceptance.h"
#include "formats/keyring.h"

namespace veer {
namespace {

constexpr std::uint64_t kMostOfAKey = std::uint64_t{1} << 20;

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

/// Does `work` with our key. gpg does not always say that it failed for the passphrase.
auto with_key(const fs::path& home, const std::string& fingerprint, const Secret* passphrase, auto work) {
  try {
    return work();
  } catch (const Error&) {
    require_opens(home, fingerprint, passphrase);
    throw;
  }
}

void take_offline(Context& context, const std::string& target, const std::string& given,
                  const std::string& passphrase_file) {
  const Config config = context.own_config();
  const fs::path file = fs::absolute(target).lexically_normal();
  for (const fs::path& folder : {config.state, config.openpgp_home})
    if (lies_in(file, folder))
      throw Error(Code::u_usage, fmt::format("{} lies in {}, with the machine's own keys: name a file on a "
                                             "medium that can be taken away",
                                             printable(file.native(), 300), folder.native()));
  const KeyVisit visit(config.openpgp_home);
  const std::string fingerprint = given.empty() ? key_with_primary(config) : without_blanks(given);
  const Secret passphrase = passphrase_from(config.openpgp_passphrase, passphrase_file, Typed::once);
  const Secret* const word = passphrase.empty() ? nullptr : &passphrase;
  KeyRecord record(context);
  with_key(config.openpgp_home, fingerprint, word,
           [&] { take_primary_away(config.openpgp_home, fingerprint, file, word); });
  record.append("key-offline", Whose::own, fingerprint, {});
  if (context.json)
    context.print(text_of(Json{{"fingerprint", fingerprint}, {"file", printable(file.native())}}));
  else
    context.print(fingerprint + "\n");
  context.tell(fmt::format(
      R"({0} has the whole secret key{1}, and was tried;
the secret half of the primary key is here no more. What signs and opens stays, and a service that runs goes on. Next:
  1. take {0} to a safe, and leave no copy here
  2. keep backups from before as safe, or delete them: they hold it too
  3. before its subkeys end: {2} keys renew --primary FILE
)",
      printable(file.native(), 300), passphrase.empty() ? ", without a passphrase" : ", under its passphrase",
      invocation(config)));
}

void renew(Context& context, const std::string& primary_file, int days, const std::string& passphrase_file) {
  const Config config = context.own_config();
  const Time now = SystemClock().now();
  const PinnedKey* const in_use = in_force(config.own_keys, now);
  if (in_use == nullptr) throw Error(Code::l_key, "no key of ours is in force today: correct its dates");
  const KeyVisit visit(config.openpgp_home);
  const Secret passphrase = passphrase_from(config.openpgp_passphrase, passphrase_file, Typed::once);
  const Secret* const word = passphrase.empty() ? nullptr : &passphrase;
  const Secret primary = primary_file.empty() ? Secret() : Secret(read_file(primary_file, kMostOfAKey));
  KeyRecord record(context);
  const KeyState key = with_key(config.openpgp_home, in_use->fingerprint, word, [&] {
    return renew_key(config.openpgp_home, in_use->fingerprint,
                     {.life = std::chrono::days(days),
                      .primary = primary_file.empty() ? nullptr : &primary,
                      .passphrase = word});
  });
  const fs::path file = config.state / (config.party + ".public.asc");
  write_file(file, export_public(config.openpgp_home, key.fingerprint), 0644);
  const std::string until = key.expires ? format_date(date_of(*key.expires)) : "never";
  record.append("key-renewed", Whose::own, key.fingerprint, {{"until", until}});
  if (context.json)
    context.print(
        text_of(Json{{"fingerprint", key.fingerprint}, {"until", until}, {"public_key", file.native()}}));
  else
    context.print(key.fingerprint + "\n");
  const bool cut_short = key.primary_expires && *key.primary_expires < now + std::chrono::days(days - 1);
  context.tell(fmt::format(
      R"(renewed until {0}{1}, under the same fingerprint; a service that runs follows it by itself. Next:
  1. a backup: no older one has the new dates
  2. give {2} to the other side, by any way: nobody needs the telephone
  3. there, before the old dates end: veer -i {3} keys import FILE
)",
      until,
      cut_short ? ", when the primary key ends, which 'veer keys rotate' follows with another one" : "",
      file.native(), config.counterparty));
}

}  // namespace

void add_primary_key(CLI::App& keys, Context& context) {
  auto file = std::make_shared<std::string>();
  auto fingerprint = std::make_shared<std::string>();
  auto* away = keys.add_subcommand(
      "offline", "Write our secret key into a file for a safe, and take its primary key out of this machine");
  away->add_option("FILE", *file, "A new file, outside the state folder")->required();
  away->add_option("FINGERPRINT", *fingerprint, "Which; the only one whose primary key is here otherwise");
  auto passphrase = std::make_shared<std::string>();
  away->add_option("--passphrase-file", *passphrase, "File with the passphrase of our keys");
  away->callback(
      [&context, file, fingerprint, passphrase] { take_offline(context, *file, *fingerprint, *passphrase); });
  auto primary = std::make_shared<std::string>();
  auto days = std::make_shared<int>(static_cast<int>(Renewal().life.count()));
  auto* more = keys.add_subcommand("renew", "Give the subkeys of our key more time, under its fingerprint");
  more->add_option("--primary", *primary, "What 'keys offline' wrote, when the primary key is not here");
  more->add_option("--days", *days, "How long from today; two years otherwise")->check(CLI::Range(1, 3650));
  more->add_option("--passphrase-file", *passphrase, "File with the passphrase of our keys");
  more->callback([&context, primary, days, passphrase] { renew(context, *primary, *days, *passphrase); });
}

}  // namespace veer

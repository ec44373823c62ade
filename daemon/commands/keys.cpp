#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/key_change.h"
#include "daemon/commands/key_record.h"
#include "daemon/commands/primary_key.h"
#include "formats/acceptance.h"
#include "formats/keyring.h"

namespace veer {
namespace {

fs::path home_of(const Context& context, const std::string& given) {
  fs::path home = given.empty() ? read_key_folder(context.readable_config_path()) : fs::path(given);
  require_own(home);
  return home;
}

/// Where the passphrase of our keys is, in a configuration that may not be complete yet.
std::string passphrase_reference(const Context& context, const std::string& home) {
  return home.empty() ? read_passphrase_reference(read_file(context.readable_config_path())) : "";
}

void create(Context& context, const std::string& home, const std::string& owner, const std::string& file) {
  if (without_typed_numbers(owner) != owner)
    throw Error(Code::u_usage, "OWNER holds what could be a national number: name another");
  const fs::path folder = home_of(context, home);
  prepare_home(folder);
  const KeyVisit visit(folder);
  const Secret passphrase = passphrase_from(passphrase_reference(context, home), file, Typed::twice);
  KeyOptions options;
  if (!passphrase.empty()) options.passphrase = &passphrase;
  const std::string fingerprint = create_key(folder, owner, options);
  if (context.json)
    context.print(text_of(Json{{"fingerprint", fingerprint}}));
  else
    context.print(fingerprint + "\n");
  context.tell(fmt::format(
      "made a key {} passphrase, that signs and decrypts for two years; its fingerprint is\n  {}\n"
      "put it into [openpgp] own, and give the other side the public key: veer keys export\n",
      passphrase.empty() ? "without a" : "under its", spoken(fingerprint)));
}

void show(Context& context, const std::string& home) {
  const fs::path folder = home_of(context, home);
  const KeyVisit visit(folder);
  const auto keys = list_keys(folder);
  if (context.json) {
    Json json = Json::array();
    for (const KeyState& key : keys)
      json.push_back({{"fingerprint", key.fingerprint},
                      {"user_id", printable(key.user_id)},
                      {"algorithm", key.algorithm},
                      {"created", format_time(key.created)},
                      {"expires", key.expires ? Json(format_time(*key.expires)) : nullptr},
                      {"revoked", key.revoked},
                      {"secret", key.has_secret},
                      {"primary_secret", key.has_primary}});
    context.print(text_of(json));
    return;
  }
  for (const KeyState& key : keys)
    context.print(fmt::format(
        "{}\n  {}\n  {} {}, made {}, {}{}{}\n", key.fingerprint, spoken(key.fingerprint),
        key.has_secret ? "our own:" : "theirs:", printable(key.user_id), format_date(date_of(key.created)),
        key.expires ? "usable until " + format_date(date_of(*key.expires)) : "no end",
        !key.has_secret   ? ""
        : key.has_primary ? ", primary key here"
                          : ", primary key offline",
        key.revoked ? ", REVOKED" : ""));
  if (keys.empty()) context.tell("no key yet: veer keys create\n");
}

/// The key that is meant when none is named: the only one of ours.
std::string only_own_key(const fs::path& home) {
  std::vector<std::string> own;
  for (const KeyState& key : list_keys(home))
    if (key.has_secret) own.push_back(key.fingerprint);
  if (own.size() != 1) throw Error(Code::u_usage, "name the fingerprint: veer keys show");
  return own.front();
}

void export_key(Context& context, const std::string& home, const std::string& given) {
  const fs::path folder = home_of(context, home);
  const KeyVisit visit(folder);
  const std::string fingerprint = given.empty() ? only_own_key(folder) : without_blanks(given);
  const std::string key = export_public(folder, fingerprint);
  if (context.json)
    context.print(text_of(Json{{"fingerprint", fingerprint}, {"public_key", key}}));
  else
    context.print(key);
  context.tell(
      fmt::format("the other side confirms this fingerprint by telephone:\n  {}\n", spoken(fingerprint)));
}

struct Wanted {
  std::string file;
  std::string fingerprint;
  std::string from;
};

/// The fingerprint that people compared: as it was given, or pinned when the file is of a key that is pinned
/// already, or asked for.
std::string expected_of(Context& context, const std::string& home, const Wanted& wanted,
                        const std::string& key) {
  if (!wanted.fingerprint.empty()) return without_blanks(wanted.fingerprint);
  if (home.empty()) {
    const auto pins = read_pins(read_file(context.readable_config_path()), Whose::counterparty);
    if (std::string came = only_key_of(key).fingerprint; pinned(pins, came) != nullptr) return came;
  }
  std::string fingerprint;
  if (isatty(0) == 1) {
    context.tell("fingerprint, as the other side reads it to you by telephone: ");
    std::getline(std::cin, fingerprint);
  }
  if (fingerprint.empty())
    throw Error(Code::u_usage,
                "give the fingerprint that the other side confirmed by telephone: --fingerprint …");
  return without_blanks(fingerprint);
}

std::optional<KeyState> state_in(const fs::path& folder, const std::string& fingerprint) {
  for (KeyState& key : list_keys(folder))
    if (key.fingerprint == fingerprint) return std::move(key);
  return std::nullopt;
}

std::string end_of(const KeyState& key) {
  return key.expires ? "until " + format_date(date_of(*key.expires)) : "without end";
}

bool is_new(const std::optional<KeyState>& before, const KeyState& after) {
  return !before || before->expires != after.expires || before->revoked != after.revoked;
}

/// What became of a key that the configuration named before.
std::string news_of(const std::optional<KeyState>& before, const KeyState& after) {
  if (after.revoked) return "taken in; its owner REVOKED it: agree on another one\n";
  if (!is_new(before, after)) return fmt::format("nothing of it was new: usable {}\n", end_of(after));
  return fmt::format("{} {}; a service that runs follows it by itself\n",
                     before ? "renewed: usable" : "taken in; the configuration names it already: usable",
                     end_of(after));
}

void import_key(Context& context, const std::string& home, const Wanted& wanted) {
  const fs::path folder = home_of(context, home);
  const std::string key = read_file(wanted.file, std::uint64_t{1} << 20);
  const std::string expected = expected_of(context, home, wanted, key);
  const KeyVisit visit(folder);
  if (!home.empty()) {  // a folder that no configuration speaks of
    import_public(folder, key, expected);
    context.tell(
        fmt::format("taken in. When it is a care fund's, its entry in [distribution] names it:\n"
                    "key = \"{}\"\n",
                    expected));
    return;
  }
  only_key_of(key, expected);
  const auto pins = pins_with(context, expected, wanted.from);
  const auto before = state_in(folder, expected);
  KeyRecord record(context);
  import_public(folder, key, expected);
  const KeyState after = state_in(folder, expected).value();
  AuditFacts facts = {{"until", after.expires ? format_date(date_of(*after.expires)) : "never"}};
  if (after.revoked) facts.emplace_back("revoked", "yes");
  if (!pins) {
    if (is_new(before, after))
      record.append(before ? "key-renewed" : "key-pinned", Whose::counterparty, expected, facts);
    context.tell(news_of(before, after));
    return;
  }
  const bool written = pin_or_tell(context, Whose::counterparty, *pins);
  const auto& from = pinned(*pins, expected)->from;
  facts.emplace_back("from", from ? format_date(date_of(*from)) : "ever");
  facts.emplace_back("configuration", written ? "written" : "left alone");
  record.append("key-pinned", Whose::counterparty, expected, facts);
  if (written)
    context.tell(
        "taken in, and named in [counterparty]; a service that runs follows it after 'systemctl reload'\n");
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  auto* keys = app.add_subcommand("keys", "Make, show and exchange OpenPGP keys");
  keys->require_subcommand(1);
  auto home = std::make_shared<std::string>();
  auto text = std::make_shared<std::string>();
  auto fingerprint = std::make_shared<std::string>();
  auto wanted = std::make_shared<Wanted>();
  const auto add = [&](const char* name, const char* what) {
    auto* command = keys->add_subcommand(name, what);
    command->add_option("--home", *home, "Key folder; that of the configuration otherwise");
    return command;
  };
  auto* make = add("create", "Make a key of our own");
  make->add_option("OWNER", *text, "Whose it is: \"AII <exchange@aii.example.org>\"")->required();
  auto passphrase = std::make_shared<std::string>();
  make->add_option("--passphrase-file", *passphrase, "File with the passphrase of our keys");
  make->callback([&context, home, text, passphrase] { create(context, *home, *text, *passphrase); });
  add("show", "Show the keys of the folder")->callback([&context, home] { show(context, *home); });
  auto* out = add("export", "Print a public key for the other side");
  out->add_option("FINGERPRINT", *fingerprint, "Which; our only one otherwise");
  out->callback([&context, home, fingerprint] { export_key(context, *home, *fingerprint); });
  auto* in = add("import", "Take in the other side's public key, and pin it in the configuration");
  in->add_option("FILE", wanted->file, "The public key")->required();
  in->add_option("--fingerprint", wanted->fingerprint,
                 "What the other side confirmed by telephone; not needed for a key that is pinned");
  in->add_option("--from", wanted->from, "Day from which it counts, when it follows another one");
  in->callback([&context, home, wanted] { import_key(context, *home, *wanted); });
  add_key_change(*keys, context);
  add_primary_key(*keys, context);
}

}  // namespace veer

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "formats/keyring.h"

namespace veer {
namespace {

fs::path home_of(const Context& context, const std::string& given) {
  fs::path home = given.empty() ? read_key_folder(context.readable_config_path()) : fs::path(given);
  require_own(home);
  return home;
}

// In groups of four, as people read it to each other on the telephone.
std::string spoken(const std::string& fingerprint) {
  std::string text;
  for (std::size_t i = 0; i < fingerprint.size(); ++i) {
    if (i > 0 && i % 4 == 0) text += i % 20 == 0 ? "  " : " ";
    text += fingerprint[i];
  }
  return text;
}

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  for (char& c : text)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

void create(Context& context, const std::string& home, const std::string& owner) {
  if (without_typed_numbers(owner) != owner)
    throw Error(Code::u_usage, "OWNER holds what could be a national number: name another");
  const fs::path folder = home_of(context, home);
  prepare_home(folder);
  const KeyVisit visit(folder);
  const std::string fingerprint = create_key(folder, owner);
  if (context.json)
    context.print(text_of(Json{{"fingerprint", fingerprint}}));
  else
    context.print(fingerprint + "\n");
  context.tell(
      fmt::format("made a key that signs and decrypts for two years; its fingerprint is\n  {}\nput it into "
                  "[openpgp] own, and give the other side the public key: veer keys export\n",
                  spoken(fingerprint)));
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
                      {"secret", key.has_secret}});
    context.print(text_of(json));
    return;
  }
  for (const KeyState& key : keys)
    context.print(fmt::format("{}\n  {}\n  {} {}, made {}, {}{}\n", key.fingerprint, spoken(key.fingerprint),
                              key.has_secret ? "our own:" : "theirs:", printable(key.user_id),
                              format_date(date_of(key.created)),
                              key.expires ? "usable until " + format_date(date_of(*key.expires)) : "no end",
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

void import_key(Context& context, const std::string& home, const std::string& file, std::string fingerprint) {
  if (fingerprint.empty() && isatty(0) == 1) {
    context.tell("fingerprint, as the other side reads it to you by telephone: ");
    std::getline(std::cin, fingerprint);
  }
  if (fingerprint.empty())
    throw Error(Code::u_usage,
                "give the fingerprint that the other side confirmed by telephone: --fingerprint …");
  const std::string expected = without_blanks(fingerprint);
  const fs::path folder = home_of(context, home);
  const KeyVisit visit(folder);
  import_public(folder, read_file(file, std::uint64_t{1} << 20), expected);
  context.tell(fmt::format("taken in; put it into [counterparty]: keys = [{{ key = \"{}\" }}]\n", expected));
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  auto* keys = app.add_subcommand("keys", "Make, show and exchange OpenPGP keys");
  keys->require_subcommand(1);
  auto home = std::make_shared<std::string>();
  auto text = std::make_shared<std::string>();
  auto fingerprint = std::make_shared<std::string>();
  const auto add = [&](const char* name, const char* what) {
    auto* command = keys->add_subcommand(name, what);
    command->add_option("--home", *home, "Key folder; that of the configuration otherwise");
    return command;
  };
  auto* make = add("create", "Make a key of our own");
  make->add_option("OWNER", *text, "Whose it is: \"AII <exchange@aii.example.org>\"")->required();
  make->callback([&context, home, text] { create(context, *home, *text); });
  add("show", "Show the keys of the folder")->callback([&context, home] { show(context, *home); });
  auto* out = add("export", "Print a public key for the other side");
  out->add_option("FINGERPRINT", *fingerprint, "Which; our only one otherwise");
  out->callback([&context, home, fingerprint] { export_key(context, *home, *fingerprint); });
  auto* in = add("import", "Take in the other side's public key");
  in->add_option("FILE", *text, "The public key")->required();
  in->add_option("--fingerprint", *fingerprint, "What the other side confirmed by telephone");
  in->callback([&context, home, text, fingerprint] { import_key(context, *home, *text, *fingerprint); });
}

}  // namespace veer

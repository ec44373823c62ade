#include "daemon/evidence.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/commands/acting.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/looks.h"
#include "daemon/commands/versions.h"
#include "daemon/rules.h"
#include "formats/gpgme_seal.h"

namespace veer {

void show_evidence(Context& context, const std::string& wish) {
  static constexpr std::string_view kNames = " names";
  const Config config = context.own_config();
  const auto books = open_books(config);
  const bool names = wish.ends_with(kNames);
  const auto reference_year = parse_year(wish.substr(0, wish.size() - (names ? kNames.size() : 0)));
  if (!reference_year) throw Error(Code::u_usage, "the reference year is named by its four digits");
  const SystemClock clock;
  auto files = evidence_of(config, *books, {*reference_year, names, sbom()}, clock);
  try {
    GpgmeSeal seal(config.openpgp_home, config.own_keys, config.counterparty_keys, clock,
                   passphrase_of(config));
    files["SHA256SUMS.sig"] = seal.sign(files.at("SHA256SUMS"));
  } catch (const Error& error) {  // a key that ended does not keep anybody from proving
    log(LogLevel::warn, "the evidence is not signed as a whole: {}", error.message());
  }
  Json json = Json::object();
  for (const auto& [name, text] : files) json[name] = base64(text);
  context.print(text_of(json));
}

namespace {

/// The service's worker signs for whoever may ask it, and writes into memory of theirs.
std::string handed_over(const Context& context, const std::string& wish) {
  return std::string(
      lent_answer(context, {.verb = "evidence", .argument = wish, .patience = std::chrono::minutes(10)})
          .reveal());
}

void write_evidence(const Context& context, const std::string& wish, const std::string& target) {
  const fs::path folder = fs::absolute(target).lexically_normal();
  if (const std::string name = folder.filename().native(); without_numbers(name) != name)
    throw Error(Code::u_usage, "the folder's name holds what may be a national number: choose another one");
  std::error_code error;
  const Json files = Json::parse(context.strangeness() ? handed_over(context, wish)
                                                       : look_here(context, "evidence", wish, true).text);
  if (!fs::create_directory(folder, error))
    throw Error(
        Code::u_usage,
        error ? fmt::format("{} cannot be made: {}", printable(folder.native(), 300), error.message())
              : fmt::format("{} is there already: name another folder", printable(folder.native(), 300)));
  for (const auto& [name, text] : files.items()) {
    const fs::path path = folder / name;
    fs::create_directory(path.parent_path(), error);
    if (!write_new_file(path, from_base64(text.get<std::string>()), path.extension() == ".sh" ? 0755 : 0644))
      throw Error(Code::l_io, fmt::format("{} is there already", printable(path.native(), 300)));
  }
  context.print(folder.native() + "\n");
  context.tell(
      fmt::format("verify it with {}/verify.sh, which takes anchors.txt of the other side's evidence too\n",
                  printable(folder.native(), 300)));
}

}  // namespace

void add_evidence(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "evidence", "Write a folder that proves a year's exchange, to be verified without this program");
  auto year = std::make_shared<int>(0);
  auto folder = std::make_shared<std::string>();
  command->add_option("YEAR", *year, "Reference year")->required()->check(CLI::Range(2022, 9999));
  command->add_option("-o,--output", *folder, "Folder to make")->required();
  auto names = std::make_shared<bool>(false);
  command->add_flag("--names", *names,
                    "Tell who is in each group that may do something, not the groups alone");
  command->callback([&context, year, folder, names] {
    write_evidence(context, std::to_string(*year) + (*names ? " names" : ""), *folder);
  });
}

}  // namespace veer

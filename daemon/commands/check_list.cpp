#include <cerrno>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/intake.h"
#include "daemon/ledger.h"
#include "daemon/rules.h"
#include "daemon/texts.h"

namespace veer {
namespace {

/// Why no such list may travel now, when its file is good.
using Hindrance = std::optional<Error>;

std::string as_json(const ListReport& report, int year, const Hindrance& hindrance, Language language) {
  Json json = {{"good", report.good()},  {"reference_year", year},  {"numbers", report.numbers.size()},
               {"lines", report.lines},  {"merged", report.merged}, {"restored", report.restored},
               {"header", report.header}};
  if (hindrance) json["refused_as"] = code_name(hindrance->code());
  json["counts"] = Json::object();
  for (const auto& [code, count] : report.counts) json["counts"][std::string(code_name(code))] = count;
  json["faults"] = Json::array();
  for (const Fault& fault : report.faults)
    json["faults"].push_back({{"place", fault.place},
                              {"code", code_name(fault.code)},
                              {"remedy", remedy_text(language, fault.code)}});
  return text_of(json);
}

std::string as_text(const ListReport& report, int year, Language language) {
  const std::string_view header =
      report.header ? "the first line that holds something was taken for a heading, and for no number\n" : "";
  if (report.good())
    return fmt::format(
        "good: {} numbers for reference date {} (repeats merged: {}, leading zeros restored: {})\n{}",
        report.numbers.size(), format_date(reference_date_of(year)), report.merged, report.restored, header);
  std::string text = fmt::format("faulty: {} in {} lines; the numbers themselves are never shown\n",
                                 summary(report.counts), report.lines);
  for (const Fault& fault : report.faults)
    text +=
        fmt::format("  {}  {}: {}\n", code_name(fault.code), fault.place, remedy_text(language, fault.code));
  std::uint64_t all = 0;
  for (const auto& [code, count] : report.counts) all += count;
  if (all > report.faults.size()) text += fmt::format("  … and {} more\n", all - report.faults.size());
  text += header;
  return text;
}

std::optional<Config> config_of(const Context& context) {
  if (context.config_file.empty() && context.instance.empty()) return std::nullopt;
  try {
    return context.config();
  } catch (const Error& error) {
    if (error.code() != Code::c_user) throw;
    throw Error(
        error.code(),
        error.message() + ". Without -i and -c anybody may: 'veer check-list FILE' looks at the list alone");
  }
}

/// Whether the books say so, as far as whoever runs this may read them.
bool is_recorded(const Config& config, int year) {
  if (is_strange(config.state)) return false;
  try {
    const SystemClock clock;
    const auto books = open_books(config);
    return Ledger(*books, clock).acknowledged(year).has_value();
  } catch (const Error&) {
    return false;
  }
}

Hindrance hindrance_of(const Config& config, Work work, int year, Date today) {
  try {
    require_allowed(config, work, year, today);
    return std::nullopt;
  } catch (const Error& error) {
    if (error.code() != Code::f_window || work == Work::correction) return error;
    return Error(error.code(),
                 error.message() + ". A list that corrects a recorded one is checked with --correction");
  }
}

void check(Context& context, const std::string& file, int year, bool corrects) {
  const auto config = config_of(context);
  const IntakeConfig intake = config ? config->intake : IntakeConfig{};
  const std::string name = fs::path(file).filename();
  if (year == 0) {
    try {
      year = reference_year_of(intake, name);
    } catch (const Error& error) {
      require_list_name(name);
      throw Error(error.code(), error.message() + ", or say the year with --year");
    }
  } else {
    require_list_name(name);
  }
  const Date today = date_of(SystemClock().now());
  require_reference_date(reference_date_of(year), today);
  require_there(file);
  if (euidaccess(file.c_str(), R_OK) != 0 && errno == EACCES)
    throw Error(Code::i_file, fmt::format("{} may not be read by you: have its owner give you the right to",
                                          printable(file, 300)));
  const ReadFile read = read_once(file, intake.cap);
  const ListReport report = read_list(name, read.bytes, reference_date_of(year), {});
  if (config && !corrects && is_recorded(*config, year)) {
    corrects = true;
    context.tell(
        fmt::format("the list for {} is recorded: this one is checked as a correction of it, which "
                    "is offered with 'veer send --correction'\n",
                    year));
  }
  const Hindrance hindrance =
      config ? hindrance_of(*config, corrects ? Work::correction : Work::first_list, year, today)
             : std::nullopt;
  const Language language = config ? config->language : Language::en;
  context.print(context.json ? as_json(report, year, hindrance, language) : as_text(report, year, language));
  if (!report.good()) context.exit_code = exit_code_of(Code::i_faulty);
  if (hindrance) throw Error(*hindrance);
}

}  // namespace

void add_check_list(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("check-list", "Read a list as intake would, and report; sends nothing");
  auto file = std::make_shared<std::string>();
  auto year = std::make_shared<int>(0);
  command->add_option("FILE", *file, "The list: CSV, TXT or XLSX")->required();
  command->add_option("--year", *year, "Reference year, when the name does not tell it")
      ->check(CLI::Range(2022, 2999));
  auto corrects = std::make_shared<bool>(false);
  command->add_flag("--correction", *corrects, "It is to replace the list that is recorded for that year");
  command->callback([&context, file, year, corrects] { check(context, *file, *year, *corrects); });
}

}  // namespace veer

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/intake.h"
#include "daemon/rules.h"
#include "daemon/texts.h"

namespace veer {
namespace {

std::string as_json(const ListReport& report, int year, Language language) {
  Json json = {{"good", report.good()},  {"reference_year", year},  {"numbers", report.numbers.size()},
               {"lines", report.lines},  {"merged", report.merged}, {"restored", report.restored},
               {"header", report.header}};
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

void check(Context& context, const std::string& file, int year) {
  const bool bare = context.config_file.empty() && context.instance.empty();
  const auto config = bare ? std::nullopt : std::optional(context.config());
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
  if (config) require_allowed(*config, Work::first_list, year, today);
  require_there(file);
  const ReadFile read = read_once(file, intake.cap);
  const ListReport report = read_list(name, read.bytes, reference_date_of(year), {});
  const Language language = config ? config->language : Language::en;
  context.print(context.json ? as_json(report, year, language) : as_text(report, year, language));
  if (!report.good()) context.exit_code = exit_code_of(Code::i_faulty);
}

}  // namespace

void add_check_list(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("check-list", "Read a list as intake would, and report; sends nothing");
  auto file = std::make_shared<std::string>();
  auto year = std::make_shared<int>(0);
  command->add_option("FILE", *file, "The list: CSV, TXT or XLSX")->required();
  command->add_option("--year", *year, "Reference year, when the name does not tell it")
      ->check(CLI::Range(2022, 2999));
  command->callback([&context, file, year] { check(context, *file, *year); });
}

}  // namespace veer

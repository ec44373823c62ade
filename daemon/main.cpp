#include <csignal>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/commands/context.h"
#include "daemon/instance.h"

namespace {

// Memory of this process may hold people's numbers: it is never dumped, whatever asks for it.
void forbid_core_dumps() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

/// What is wrong with a command line, and where to read on.
std::string what_is_wrong(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* at = &app;
  std::string typed = "veer";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    typed += ' ' + at->get_name();
  }
  const auto words = app.remaining(true);
  std::string what = error.what();
  if (error.get_name() == "RequiredError" && what == "A subcommand is required") {
    std::vector<std::string> names;
    for (const CLI::App* command : at->get_subcommands({})) names.push_back(command->get_name());
    what = words.empty() ? fmt::format("{} wants one of {}", typed, fmt::join(names, ", "))
                         : fmt::format("{} is no command", veer::shown_name(words.front()));
  }
  return fmt::format("{}; see '{} --help'", what, typed);
}

int run(int argc, char** argv) {
  veer::Context context;
  CLI::App app("Carries the yearly list of the civic-integration obligation from AII to AVSB.", "veer");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", veer::program_name());
  auto* file = app.add_option("-c,--config", context.config_file, "Configuration file");
  app.add_option("-i,--instance", context.instance, "Instance: /etc/veerdienst/NAME.toml")->excludes(file);
  app.add_flag("--json", context.json, "Print data as JSON");
  veer::add_init(app, context);
  veer::add_run(app, context);
  veer::add_check_list(app, context);
  veer::add_acting(app, context);
  veer::add_persons(app, context);
  veer::add_releasing(app, context);
  veer::add_alerts(app, context);
  veer::add_incidents(app, context);
  veer::add_cases(app, context);
  veer::add_looking(app, context);
  veer::add_audit(app, context);
  veer::add_evidence(app, context);
  veer::add_backup(app, context);
  veer::add_keys(app, context);
  veer::add_doctor(app, context);
  veer::add_version(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    // It repeats what was typed, which may be what should not have been.
    std::cerr << "veer: " << veer::without_numbers(what_is_wrong(app, error)) << '\n';
    return veer::exit_code_of(veer::Code::u_usage);
  }
  return context.exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  umask(0027);
  std::signal(SIGPIPE, SIG_IGN);  // a connection or a child that ends is an error of its call
  forbid_core_dumps();
  try {
    return run(argc, argv);
  } catch (const veer::Error& error) {
    // It may repeat what was typed.
    std::cerr << "veer: " << veer::code_name(error.code()) << ": "
              << veer::without_typed_numbers(error.message()) << '\n';
    return veer::exit_code_of(error.code());
  } catch (const std::filesystem::filesystem_error& error) {
    // Its text holds the path as well.
    std::cerr << "veer: L_IO: a file or folder cannot be used: " << error.code().message() << '\n';
  } catch (const std::bad_alloc&) {
    std::cerr << "veer: L_MEMORY: no memory left\n";
  } catch (const std::exception&) {
    // Foreign text could quote data, so it is not shown.
    std::cerr << "veer: L_ENGINE: something failed that should not; please report what was being done\n";
  }
  return 1;
}

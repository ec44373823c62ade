// What systemd has said when a unit failed, and nobody else would.

#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <regex>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/alert_texts.h"
#include "daemon/channel_factory.h"
#include "daemon/commands/context.h"

namespace veer {
namespace {

/// Which of the instance's units a name is of; throws U_USAGE when it is none.
bool is_check(const std::string& unit) {
  static const std::regex kUnit(R"(veerdienst(-check)?@[A-Za-z0-9_.-]{1,64}\.service)");
  std::smatch parts;
  if (!std::regex_match(unit, parts, kUnit) || without_numbers(unit) != unit)
    throw Error(Code::u_usage,
                "this tells of units 'veerdienst@NAME.service' and 'veerdienst-check@NAME.service'");
  return parts[1].matched;
}

bool service_works(const Config& config) {
  try {
    return FolderLock::holder(config.state) == kServiceWorks;
  } catch (const Error&) {  // whatever keeps it from being looked at
    return false;
  }
}

/// Tells people by every channel that a unit failed, past the books and the state folder, which may be what
/// is broken; for half an hour, when it is to be patient. Open alerts, for which the daily check ends with 3,
/// a service that runs has told them itself. One that failed may leave a process that cannot end, and still
/// holds its lock.
void tell_failure(Context& context, const std::string& unit, bool patient) {
  using std::chrono::minutes;
  const bool check = is_check(unit);
  const Config config = context.config();
  const char* const status = std::getenv("MONITOR_EXIT_STATUS");  // systemd.exec(5): of the unit that failed
  const bool alerts_alone = status != nullptr && std::string_view(status) == std::to_string(kAttention);
  if (check && alerts_alone && service_works(config)) {
    context.tell("the service runs, and tells people itself\n");
    return;
  }
  const AlertMessage message = failure_message(config, unit, check, SystemClock().now());
  auto channels = config.alerts.rules().channels;
  if (channels.empty()) context.tell("no channel is configured: nobody was told\n");
  const auto is_through = [&](const std::string& channel, bool last) {
    try {
      const std::string remark = open_channel(config, channel, AlertTurn::escalated)->send(message, {});
      context.print(fmt::format("{}: told{}{}\n", channel, remark.empty() ? "" : ", but ", remark));
      return true;
    } catch (...) {
      const Error error = error_of(std::current_exception());
      context.print(fmt::format("{}: failed: {}: {}\n", channel, code_name(error.code()), error.message()));
      if (!last && remedy_of(error.code()) == Remedy::retry) return false;
      context.exit_code = exit_code_of(error.code());
      return true;
    }
  };
  const std::vector<minutes> waits =
      patient ? std::vector{minutes(0), minutes(1), minutes(5), minutes(24)} : std::vector{minutes(0)};
  for (const minutes& wait : waits) {
    if (!channels.empty()) std::this_thread::sleep_for(wait);
    std::erase_if(channels,
                  [&](const std::string& channel) { return is_through(channel, &wait == &waits.back()); });
  }
}

}  // namespace

void add_unit_failure(CLI::App& alerts, Context& context) {
  auto unit = std::make_shared<std::string>();
  auto* failed =
      alerts.add_subcommand("failed", "Tell people by every channel that a unit failed: for systemd");
  failed->add_option("UNIT", *unit, "Which")->required();
  auto patient = std::make_shared<bool>(false);
  failed->add_flag("--patient", *patient, "Try for half an hour what does not go through");
  failed->callback([&context, unit, patient] { tell_failure(context, *unit, *patient); });
}

}  // namespace veer

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"

/// What `veer doctor` says of the machine that an installed instance runs on: clock, package and units.
/// Changes nothing, and asks nobody outside the machine. No errors: what cannot be looked at is told as such.
namespace veer {

enum class Grade { ok, warn, fail };

/// One line of a doctor's report; a detail that is not ok ends with the remedy.
struct CheckLine {
  Grade grade;
  std::string what;
  std::string detail;
};

/// The clock: `kept` as the kernel says it is held to another one; empty when it does not say (a sandbox).
CheckLine judge_clock(std::optional<bool> kept);

/// Updates that wait: what `apt-cache policy` prints of the packages that the program needs, and when the
/// lists it reads were last fetched (empty: never).
std::vector<CheckLine> judge_updates(std::string_view policy, std::optional<Time> fetched, Time now);

/// The package's own files: what `dpkg --verify veerdienst` prints, a line for each that was changed; empty
/// when it could not say.
CheckLine judge_files(const std::optional<std::string>& verified);

/// What stands in `folders` ("/etc/systemd/system") in place of or beside the units of an instance.
std::vector<CheckLine> judge_units(const std::vector<std::filesystem::path>& folders,
                                   const std::string& instance);

/// A folder that an instance's service writes in, as the doctor's report calls it.
struct NamedFolder {
  std::string what;
  std::filesystem::path path;
};

/// The folders of an instance that its unit does not let it write in. `shown`: what `systemctl show` prints
/// of ProtectSystem, StateDirectory, ReadWritePaths and BindPaths; empty when systemd does not say, and then
/// the package's unit counts.
std::vector<CheckLine> judge_walls(std::string_view shown, const std::string& instance,
                                   const std::vector<NamedFolder>& folders);

/// The names of the packages in what `apt-cache depends --recurse` prints.
std::vector<std::string> packages_in(std::string_view tree);

/// All of it, of this machine. The first line says so when no package is installed, and then it is the only
/// one of package and units. `folders`: where the instance's service writes.
std::vector<CheckLine> look_at_machine(const std::string& instance, const std::vector<NamedFolder>& folders,
                                       Time now);

}  // namespace veer

#include "daemon/machine.h"

#include <algorithm>
#include <fstream>
#include <iomanip>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/timex.h>

#include "core/files.h"
#include "core/log.h"
#include "core/program.h"

namespace veer {
namespace {

constexpr std::chrono::days kListsAge{7};

/// What the handbook lets a drop-in say; anything else loosens walls, or makes another service of it.
const std::set<std::string, std::less<>> kHarmless = {"After",
                                                      "BindPaths",
                                                      "BindReadOnlyPaths",
                                                      "Description",
                                                      "Documentation",
                                                      "Environment",
                                                      "IPAddressAllow",
                                                      "IPAddressDeny",
                                                      "LoadCredential",
                                                      "LoadCredentialEncrypted",
                                                      "OnCalendar",
                                                      "OnFailure",
                                                      "RandomizedDelaySec",
                                                      "ReadWritePaths",
                                                      "Requires",
                                                      "RequiresMountsFor",
                                                      "RestartMode",
                                                      "SetCredentialEncrypted",
                                                      "SupplementaryGroups",
                                                      "Wants"};

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  return lines;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Name and value of "Name=value"; empty for a heading, a remark or an empty line.
std::pair<std::string, std::string> setting_in(const std::string& line) {
  const std::string text = trimmed(line);
  if (text.empty() || text.front() == '#' || text.front() == ';' || text.front() == '[') return {};
  const std::size_t sign = std::min(text.find('='), text.size());
  return {trimmed(text.substr(0, sign)), trimmed(text.substr(std::min(sign + 1, text.size())))};
}

/// The paths in the value of a setting, each part of "source:where it stands" for itself.
std::vector<std::string> paths_in(const std::string& value) {
  std::vector<std::string> paths;
  std::istringstream words(value);
  for (std::string word; words >> std::quoted(word);) {
    std::erase_if(word, [](char c) { return c == '"' || c == '\''; });
    std::istringstream parts(word);
    for (std::string path; std::getline(parts, path, ':');)
      paths.push_back(path.substr(std::min(path.find_first_not_of("-+"), path.size())));
  }
  return paths;
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path inside = path.lexically_relative(folder);
  return !inside.empty() && *inside.begin() != "..";
}

fs::path real_path(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::weakly_canonical(path, error);
  return error ? path : real;
}

/// What is harmless but for some of its values.
bool is_loose(const std::string& name, const std::string& value) {
  if (name == "Environment")
    return value.find("LD_") != std::string::npos || value.find("PATH") != std::string::npos;
  const std::vector<std::string> paths = paths_in(value);
  if (name == "ReadWritePaths" || name == "BindPaths")
    return std::any_of(paths.begin(), paths.end(),
                       [](const std::string& path) { return path == "/" || lies_in(path, "/etc"); });
  // Read as root, wherever the service's user has such a path lead.
  if (name == "LoadCredential" || name == "LoadCredentialEncrypted")
    return std::any_of(paths.begin(), paths.end(), [](const std::string& path) {
      return lies_in(path, "/etc/veerdienst") || lies_in(path, "/var/lib/veerdienst") ||
             lies_in(path, "/srv/veerdienst");
    });
  return !kHarmless.contains(name);
}

std::vector<std::string> loose_settings(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> loose;
  for (std::string line; std::getline(in, line);)
    if (const auto [name, value] = setting_in(line); !name.empty() && is_loose(name, value))
      loose.push_back(printable(name, 60));
  return loose;
}

std::vector<std::string> names_there(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder, error) ? names_in(folder) : std::vector<std::string>();
}

std::optional<bool> clock_is_kept() {
  std::error_code none;
  if (fs::exists("/run/systemd/timesync/synchronized", none)) return true;
  if (fs::exists("/run/systemd/container", none)) return true;  // it is the host's
  timex facts{};
  const int state = adjtimex(&facts);
  if (state < 0) return std::nullopt;
  return state != TIME_ERROR && (facts.status & STA_UNSYNC) == 0;
}

/// The package and all that it needs, however far below.
std::vector<std::string> all_below(const std::string& package) {
  return packages_in(
      said_by({"/usr/bin/apt-cache", "depends", "--recurse", "--installed", "--no-recommends",
               "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances", package})
          .value_or(""));
}

std::optional<Time> lists_fetched() {
  std::optional<Time> last;
  for (const char* path : {"/var/lib/apt/lists", "/var/lib/apt/periodic/update-success-stamp"}) {
    struct stat status {};
    if (stat(path, &status) == 0)
      last = std::max(last.value_or(Time()), Time(std::chrono::seconds(status.st_mtim.tv_sec)));
  }
  return last;
}

}  // namespace

CheckLine judge_clock(std::optional<bool> kept) {
  if (!kept) return {Grade::ok, "clock kept", "cannot be seen from within this sandbox"};
  if (*kept) return {Grade::ok, "clock kept", "held to another clock"};
  return {Grade::warn, "clock kept",
          "nothing holds the clock to another one: systemctl enable --now systemd-timesyncd (or chrony)"};
}

std::vector<CheckLine> judge_updates(std::string_view policy, std::optional<Time> fetched, Time now) {
  std::vector<CheckLine> found;
  if (!fetched || now - *fetched > kListsAge)
    found.push_back({Grade::warn, "package lists",
                     fmt::format("last fetched {}: apt-get update, better daily (unattended-upgrades)",
                                 fetched ? format_date(date_of(*fetched)) : "never")});
  std::string name;
  std::string installed;
  std::vector<std::string> waiting;
  for (const std::string& line : lines_of(policy)) {
    const std::string text = trimmed(line);
    if (!line.starts_with(' ') && line.ends_with(':')) name = line.substr(0, line.size() - 1);
    if (text.starts_with("Installed: ")) installed = text.substr(11);
    if (text.starts_with("Candidate: ") && installed != "(none)" && text.substr(11) != installed)
      waiting.push_back(printable(name, 60));
  }
  if (!waiting.empty())
    found.push_back(
        {Grade::warn, "updates",
         fmt::format("wait for {}: apt-get upgrade, then restart the service", fmt::join(waiting, ", "))});
  else if (policy.empty())
    found.push_back({Grade::warn, "updates", "apt-cache says nothing: look with 'apt list --upgradable'"});
  else
    found.push_back({Grade::ok, "updates", "none waits for what this program uses"});
  return found;
}

CheckLine judge_files(const std::optional<std::string>& verified) {
  if (!verified)
    return {Grade::warn, "package",
            "dpkg does not say whether its files are as they were installed: 'dpkg --verify "
            "veerdienst'"};
  std::vector<std::string> changed;
  for (const std::string& line : lines_of(*verified))
    if (const std::size_t at = line.find('/'); at != std::string::npos)
      changed.push_back(printable(line.substr(at), 200));
  if (changed.empty()) return {Grade::ok, "package", "its files are as they were installed"};
  return {
      Grade::fail, "package",
      fmt::format("changed since it was installed: {}: find out by whom, and 'apt-get install --reinstall "
                  "veerdienst'",
                  fmt::join(changed, ", "))};
}

namespace {

std::vector<CheckLine> judge_units_in(const fs::path& folder, const std::string& instance) {
  std::vector<CheckLine> found;
  for (const char* unit : {"veerdienst", "veerdienst-check", "veerdienst-failed"}) {
    std::vector<std::string> good;
    for (const std::string& name :
         {fmt::format("{}@.service", unit), fmt::format("{}@{}.service", unit, instance),
          fmt::format("{}@.timer", unit), fmt::format("{}@{}.timer", unit, instance)}) {
      std::error_code none;
      if (fs::exists(folder / name, none))
        found.push_back(
            {Grade::warn, "unit " + name,
             "a whole file of your own stands in place of the package's, and misses what a new version "
             "changes: make it a drop-in (systemctl edit)"});
      for (const std::string& part : names_there(folder / (name + ".d"))) {
        if (!part.ends_with(".conf")) continue;
        const auto loose = loose_settings(folder / (name + ".d") / part);
        if (loose.empty())
          good.push_back(part);
        else
          found.push_back(
              {Grade::warn, "unit " + name,
               fmt::format("{} sets {}, which the handbook does not ask for: see that it loosens nothing",
                           printable(part, 60), fmt::join(loose, ", "))});
      }
    }
    if (!good.empty())
      found.push_back({Grade::ok, fmt::format("unit {}@{}", unit, instance),
                       fmt::format("with {} of your own", fmt::join(good, ", "))});
  }
  return found;
}

}  // namespace

std::vector<CheckLine> judge_units(const std::vector<fs::path>& folders, const std::string& instance) {
  std::vector<CheckLine> found;
  for (const fs::path& folder : folders)
    for (CheckLine& line : judge_units_in(folder, instance)) found.push_back(std::move(line));
  if (found.empty()) found.push_back({Grade::ok, "units", "the package's own"});
  return found;
}

std::vector<CheckLine> judge_walls(std::string_view shown, const std::string& instance,
                                   const std::vector<NamedFolder>& folders) {
  const std::vector<fs::path> own = {"/var/lib/veerdienst/" + instance, "/srv/veerdienst/" + instance};
  std::vector<fs::path> open;
  if (shown.empty()) open = own;
  for (const std::string& line : lines_of(shown)) {
    const auto [name, value] = setting_in(line);
    if (name == "ProtectSystem" && value != "strict") return {};  // judge_units() tells who said so
    for (const std::string& path : paths_in(value))
      if (name == "StateDirectory")
        open.push_back(real_path("/var/lib/" + path));
      else if (path.starts_with('/') && (name == "ReadWritePaths" || name == "BindPaths"))
        open.push_back(real_path(path));
  }
  std::vector<CheckLine> found;
  for (const auto& [what, path] : folders) {
    if (std::any_of(open.begin(), open.end(),
                    [real = real_path(path)](const fs::path& folder) { return lies_in(real, folder); }))
      continue;
    found.push_back(
        {shown.empty() ? Grade::warn : Grade::fail, what,
         fmt::format("{0}: {1} does not let the service write there: 'systemctl edit veerdienst@{2}' with "
                     "[Service] and ReadWritePaths={0}, and restart it; or name a folder in {3} or {4}",
                     printable(path.native(), 200), shown.empty() ? "the package's unit" : "its unit",
                     instance, own[0].native(), own[1].native())});
  }
  if (found.empty())
    found.push_back({Grade::ok, "unit veerdienst@" + instance, "lets the service write in its folders"});
  return found;
}

std::vector<std::string> packages_in(std::string_view tree) {
  std::vector<std::string> names;
  for (const std::string& line : lines_of(tree))
    if (!line.empty() && std::string_view(" |<").find(line.front()) == std::string_view::npos)
      names.push_back(line.substr(0, line.find(':')));
  return names;
}

std::vector<CheckLine> look_at_machine(const std::string& instance, const std::vector<NamedFolder>& folders,
                                       Time now) {
  std::vector<CheckLine> found = {judge_clock(clock_is_kept())};
  const std::string depends =
      said_by({"/usr/bin/dpkg-query", "--showformat", "${Depends}", "--show", "veerdienst"}).value_or("");
  if (depends.empty()) {
    found.push_back({Grade::warn, "package",
                     "veerdienst is not installed from its package: updates and units are "
                     "yours to look after"});
    return found;
  }
  std::vector<std::string> ask = {"/usr/bin/apt-cache", "policy"};
  for (std::string& name : all_below("veerdienst")) ask.push_back(std::move(name));
  for (CheckLine& line : judge_updates(said_by(std::move(ask)).value_or(""), lists_fetched(), now))
    found.push_back(std::move(line));
  const bool has_sums =
      !said_by({"/usr/bin/dpkg-query", "--control-path", "veerdienst", "md5sums"}).value_or("").empty();
  found.push_back(
      judge_files(has_sums ? said_by({"/usr/bin/dpkg", "--verify", "veerdienst"}) : std::nullopt));
  for (CheckLine& line : judge_units({"/etc/systemd/system", "/run/systemd/system",
                                      "/etc/systemd/system.control", "/run/systemd/system.control"},
                                     instance))
    found.push_back(std::move(line));
  const std::string walls =
      said_by({"/usr/bin/systemctl", "show",
               "--property=ProtectSystem,StateDirectory,ReadWritePaths,BindPaths", "veerdienst@" + instance})
          .value_or("");
  for (CheckLine& line : judge_walls(walls, instance, folders)) found.push_back(std::move(line));
  return found;
}

}  // namespace veer

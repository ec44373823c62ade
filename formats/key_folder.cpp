#include "formats/key_folder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>

#include <fmt/format.h>
#include <gpgme.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/log.h"
#include "core/program.h"

namespace veer {
namespace {

// Keys are named by full fingerprint and pinned by configuration, hence "always". The algorithms are forced:
// a key whose preferences lack them must not weaken what the protocol fixes. A limit that the machine's own
// /etc/gnupg/gpg.conf may set would cut messages short without a word.
constexpr std::string_view kGpgConf =
    R"(# Written by veerdienst, anew at every start: what is changed here does not last.
no-auto-key-retrieve
no-auto-key-locate
disable-dirmngr
trust-model always
compress-algo none
cipher-algo AES256
digest-algo SHA512
cert-digest-algo SHA512
set-filename ""
max-output 0
no-emit-version
no-symkey-cache
batch
no-tty
)";

constexpr std::string_view kAgentConf =
    R"(# Written by veerdienst, anew at every start: what is changed here does not last.
default-cache-ttl 0
max-cache-ttl 0
no-allow-external-cache
disable-scdaemon
)";

struct Setting {
  std::string_view name;
  std::string_view text;
};
constexpr std::array kSettings{Setting{"gpg.conf", kGpgConf}, Setting{"gpg-agent.conf", kAgentConf}};

// Whether the file holds something else than it must. One that is missing is not changed.
bool is_changed(const fs::path& home, const Setting& setting) {
  return fs::exists(home / setting.name) && read_file(home / setting.name) != setting.text;
}

// gpg takes gpg.conf-2, gpg.conf-2.2 and gpg.conf-2.2.40 for gpg.conf.
std::vector<std::string> rivals(const fs::path& home) {
  std::vector<std::string> names = names_in(home);
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("gpg.conf-2"); });
  return names;
}

void require_short_path(const fs::path& home) {
  if (home.native().size() > kLongestHome)
    throw Error(Code::l_key,
                fmt::format("the key folder's path has {} characters, and gpg-agent allows {}: choose a "
                            "shorter one",
                            home.native().size(), kLongestHome));
}

}  // namespace

std::string_view gpg_settings() { return kGpgConf; }

std::vector<std::string> prepare_home(const fs::path& home) {
  require_short_path(home);
  if (!fs::exists(home)) make_folder(home);
  require_home(home);
  std::vector<std::string> put_right = rivals(home);
  for (const std::string& name : put_right) remove_file(home / name);
  for (const Setting& setting : kSettings) {
    if (is_changed(home, setting))
      put_right.emplace_back(setting.name);
    else if (fs::exists(home / setting.name))
      continue;
    write_file(home / setting.name, setting.text);
  }
  return put_right;
}

void require_home(const fs::path& home) {
  require_short_path(home);
  if (!fs::exists(home))
    throw Error(Code::l_key,
                fmt::format("there is no key folder {}: make it and a key with 'veer keys create'",
                            printable(home.native())));
  struct stat status {};
  if (stat(home.c_str(), &status) != 0) throw_errno("looking at the key folder");
  if (!S_ISDIR(status.st_mode) || (status.st_mode & 077) != 0)
    throw Error(Code::l_key,
                fmt::format("the key folder {} must be a folder that nobody else may enter: chmod 700 it",
                            printable(home.native())));
}

void require_settings(const fs::path& home) {
  std::vector<std::string> wrong = rivals(home);
  for (const Setting& setting : kSettings)
    if (!fs::exists(home / setting.name) || is_changed(home, setting)) wrong.emplace_back(setting.name);
  if (!wrong.empty())
    throw Error(Code::l_engine,
                fmt::format("{} in the key folder is not as this program writes it, and gpg would follow it: "
                            "find out who changed it, and start the service anew, which puts it right",
                            printable(wrong.front())));
}

void stop_agent(const fs::path& home) {
  static constexpr std::chrono::seconds kPatience(2);
  const char* const folder = gpgme_get_dirinfo("bindir");
  const auto said = folder == nullptr
                        ? std::nullopt
                        : said_by({fs::path(folder) / "gpg-connect-agent", "--homedir", home.native(),
                                   "--no-autostart", "GETINFO pid", "KILLAGENT", "/bye"});
  if (!said) throw Error(Code::l_engine, "gpg-connect-agent cannot be run: install the package gnupg");
  // "D 4711", and nothing when there is none. It ends a moment after it said so.
  const pid_t agent = said->starts_with("D ") ? std::atoi(said->c_str() + 2) : 0;
  if (agent > 0) ends_within(agent, kPatience);
}

}  // namespace veer

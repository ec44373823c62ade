#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"

/// A private folder of OpenPGP keys: a GNUPGHOME that belongs to the program, its settings included, and to
/// nobody else. Errors: L_KEY, L_ENGINE. Functions on one folder: one thread at a time.
namespace veer {

/// Sockets of gpg-agent lie in the folder, so that its path has a limit.
inline constexpr std::size_t kLongestHome = 86;

/// Makes the folder (mode 0700) where it is missing, and writes the settings of gpg and its agent in it anew.
/// Returns the names of the files that it had to put right because somebody had changed or added them
/// (docs/decisions/0020-key-folder-settings.md). Throws L_KEY when its path is too long, or others have
/// rights on it.
std::vector<std::string> prepare_home(const fs::path& home);
/// Throws L_KEY unless the folder is there, nobody else has rights on it, and its path is short enough.
void require_home(const fs::path& home);
/// Throws L_ENGINE unless the settings are those that prepare_home() writes, with none beside them that gpg
/// would prefer. Changes nothing.
void require_settings(const fs::path& home);

/// What gpg.conf says in it.
std::string_view gpg_settings();

/// Ends the agent that gpg may have started for the folder, which would otherwise live on, and waits until it
/// has ended, two seconds at most; nothing happens when there is none. Secret keys are in its memory, so the
/// service does this when it starts and when it ends.
void stop_agent(const fs::path& home);

}  // namespace veer

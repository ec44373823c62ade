#pragma once

#include <chrono>
#include <string>

#include "core/files.h"
#include "core/secret.h"
#include "formats/key_state.h"

/// The secret half of our primary key, which alone gives subkeys and more time, and which signing and opening
/// do not need: kept in a safe, and used from there (docs/decisions/0061-offline-primary.md). Errors: L_KEY,
/// L_ENGINE, what core/files.h throws. Functions on one folder: one thread at a time.
namespace veer {

/// Writes our whole secret key, armored, into the new file `file` (mode 0600), tries from there whether it is
/// whole and gives more time, and only then takes the primary's secret half and GnuPG's revocation
/// certificate out of the folder. A failure or a crash before that leaves the folder as it was. `passphrase`:
/// none when the key has none. Throws L_KEY when the folder does not hold the key, its secret halves, or that
/// of the primary; U_USAGE when `file` is there.
void take_primary_away(const fs::path& home, const std::string& fingerprint, const fs::path& file,
                       const Secret* passphrase);

struct Renewal {
  std::chrono::days life{2 * 365};     ///< from now on
  const Secret* primary = nullptr;     ///< what take_primary_away() wrote; none: the folder holds it
  const Secret* passphrase = nullptr;  ///< none when the key has none
};

/// Gives all subkeys that are not revoked more time, and returns the key as it is then. A primary that is
/// not in the folder does not come into it: it works in a folder of its own, whose public result is taken in.
/// Throws L_KEY when the folder does not hold the key, the primary's secret half is neither there nor in
/// `primary`, the primary has ended, or a subkey lasts as long already.
KeyState renew_key(const fs::path& home, const std::string& fingerprint, const Renewal& renewal);

/// Removes what either of them left in memory when it was killed, a minute ago at least. Where that cannot be
/// done, the log says so.
void forget_killed_work();

}  // namespace veer

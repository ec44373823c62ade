#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/seal.h"

/// The pinned keys of a configuration file, read and rewritten where they stand: everything else in the file,
/// comments included, stays as a person wrote it. One thread.
namespace veer {

enum class Whose { own, counterparty };

/// Who keeps which keys pinned, as the configuration tells; the rest of it may still be unfinished, and
/// entries without a fingerprint are left out. Throws C_CONFIG when it is not TOML, or a pin cannot be read.
std::vector<PinnedKey> read_pins(std::string_view text, Whose whose);

/// What [openpgp] passphrase names, in a configuration that may be as unfinished; "" when it names nothing.
/// Throws C_CONFIG when it is not TOML.
std::string read_passphrase_reference(std::string_view text);

/// The lines that say these pins: "own = [\n  { key = "…", from = 2026-12-10 },\n]".
std::string pin_lines(Whose whose, const std::vector<PinnedKey>& pins);

/// `text` with exactly these pins in place of those it has; the order of those that stay is kept, new ones
/// come last. Throws C_CONFIG when the result, read again, would differ in anything else: the list is not
/// there, or is written in a way that this does not understand.
std::string with_pins(std::string_view text, Whose whose, const std::vector<PinnedKey>& pins);

/// The same in a file, which holds either its old or its new text, whatever happens, and keeps mode and
/// group. Throws C_CONFIG, and changes nothing, when it is a link, belongs to another user, or its folder may
/// not be written: a person has to put pin_lines() in.
void write_pins(const std::filesystem::path& config, Whose whose, const std::vector<PinnedKey>& pins);

/// How long a key still counts beside its successor: what it signed, or was sealed to it, has arrived by
/// then.
inline constexpr std::chrono::days kKeyOverlap{60};

/// `pins` when `fingerprint` counts from the beginning of `from` (UTC): each of the others ends kKeyOverlap
/// later, unless it ends before.
std::vector<PinnedKey> with_successor(std::vector<PinnedKey> pins, const std::string& fingerprint, Date from);

}  // namespace veer

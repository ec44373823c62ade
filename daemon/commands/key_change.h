#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/commands/context.h"
#include "daemon/config_pins.h"

namespace veer {

/// In groups of four, as people read it to each other on the telephone.
std::string spoken(const std::string& fingerprint);
/// A fingerprint as the program writes it, from what a person typed.
std::string without_blanks(std::string text);

/// The other side's pins when `fingerprint` joins them from the day `from` on ("2026-12-31"; empty for the
/// first key of all); empty when it is pinned already. Throws U_USAGE when the day is missing or past, or the
/// key is our own.
std::optional<std::vector<PinnedKey>> pins_with(const Context& context, const std::string& fingerprint,
                                                const std::string& from);
/// Writes the pins into the configuration; where that is not safe, tells which lines a person has to put in,
/// and returns false.
bool pin_or_tell(Context& context, Whose whose, const std::vector<PinnedKey>& pins);

/// `keys rotate` and `keys retire`.
void add_key_change(CLI::App& keys, Context& context);

}  // namespace veer

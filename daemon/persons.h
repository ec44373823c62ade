#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/random.h"
#include "formats/insz.h"
#include "formats/quality_case.h"

/// Numbers of single persons, as a desk or a notice of death names them: handed over open, read once, kept
/// nowhere but where they stand already.
namespace veer {

/// The numbers in a file, one a line, with points and dashes or without; ascending and unique. Throws U_USAGE
/// with the line of the first that is none, when there is none, and beyond `most`. Nothing of them is quoted.
std::vector<Insz> read_persons(const Fd& file, std::size_t most, Date today);

/// The same in a text.
std::vector<Insz> read_persons(std::string_view text, std::size_t most, Date today);
/// What was entrusted, from its beginning. Throws U_USAGE beyond `most` bytes.
std::string entrusted_bytes(const Fd& file, std::size_t most);

/// The persons of a case, a line each: a number, and behind a blank, a comma or a semicolon the right one
/// when it is known. In their order, repeats once. Throws as read_persons() does.
std::vector<CasePerson> read_case_persons(const Fd& file, std::size_t most, Date today);

/// 32 random bytes in hex: a salt, or a key.
std::string random_hex(Random& random);

/// SHA-256 of a salt and the numbers: what proves later which they were to whoever has the salt.
std::string commitment_to(const std::vector<Insz>& persons, const std::string& salt);

}  // namespace veer

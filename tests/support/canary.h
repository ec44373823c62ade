#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "formats/insz.h"

/// Finds national numbers where they must not be.
namespace veer::test {

/// The forms in which a number could have been written, as bytes that stand for nothing else wherever they
/// stand: digits with and without leading zeros, YY.MM.DD-SSS.CC, either in UTF-16 of both orders, in
/// hexadecimal and in base64 at each of its three alignments, the latter also with what word processors and
/// people put for its dash; the integer in six bytes of both orders, which are part of its eight.
std::vector<std::string> forms_of(const Insz& number);
/// The integer in four bytes of both orders, as SQLite holds one below 2^31; none for a larger one. So few
/// bytes mean something only in a database.
std::vector<std::string> short_forms_of(const Insz& number);

/// Whether `bytes` hold any of the numbers in any form, base64 in lines included; with the short forms when
/// they are a database of SQLite's.
bool holds_number(std::string_view bytes, const std::vector<Insz>& numbers);

/// Where below `folder` one of the numbers stands: files that hold it in their content or name; in databases
/// also cells that do so once they are decoded ("ledger.db: alert.text"), whatever their size. In the
/// databases that are `registers` the table "entry" may hold numbers, and so may the pages that are its own.
/// Databases are looked at in a copy.
std::vector<std::string> files_holding(const std::filesystem::path& folder, const std::vector<Insz>& numbers,
                                       const std::vector<std::filesystem::path>& registers = {});

}  // namespace veer::test

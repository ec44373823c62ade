#pragma once

#include <string>
#include <string_view>

/// How the files that read spreadsheets refuse one. Private to them.
namespace veer {

/// Throws I_SPREADSHEET.
[[noreturn]] void refuse_spreadsheet(std::string message);
/// `why`: in words that stand between brackets.
[[noreturn]] void refuse_damaged(std::string_view why);
[[noreturn]] void refuse_protected();

}  // namespace veer

#include "formats/spreadsheet_error.h"

#include <fmt/format.h>

#include "core/error.h"

namespace veer {

void refuse_spreadsheet(std::string message) { throw Error(Code::i_spreadsheet, std::move(message)); }

void refuse_damaged(std::string_view why) {
  refuse_spreadsheet(
      fmt::format("the spreadsheet is damaged ({}): save it again, or save the list as CSV (UTF-8)", why));
}

void refuse_protected() {
  refuse_spreadsheet(
      "the spreadsheet is protected by a password: save it without one, or save the list as CSV (UTF-8)");
}

}  // namespace veer

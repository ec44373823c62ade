#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/stream.h"
#include "formats/insz.h"
#include "formats/list_report.h"

namespace veer {

/// Reads a list as people make them, CSV or TXT: UTF-8 (with or without BOM) or Windows-1252; LF or CRLF;
/// `;`, `,` or tab; quoted or not; a first line `sep=;` of Excel; with or without a heading (it begins with a
/// letter and has at most eight digits: a mistyped number is none); blank lines; numbers as eleven digits, as
/// YY.MM.DD-SSS.CC, as amounts (85070999751.0; 85070999751,00; a single zero behind a comma in quotes alone,
/// since it may be a second column), or short of leading zeros. Such a number is restored when it has six
/// digits or more, the first of them not a zero, and passes every check with its zeros
/// (docs/decisions/0021-leading-zeros.md).
///
/// Faults of single lines are reported; what is wrong with the file as a whole is thrown: F_EXTRA_DATA (a
/// second column, article 3), F_EMPTY (no number in it), I_FORMAT (not text). L_STOPPED when `transfer` says
/// so.
ListReport read_text_list(std::string_view bytes, Date reference, const Transfer& transfer = {});

/// The same for XLSX (ECMA-376) as Excel and LibreOffice write it: one column of one sheet, beside which
/// others may stand that hold no value. Cells are text or whole numbers; a truth value or error is R_FORMAT.
/// So is a date: one of type `d` as such, and one that Excel keeps as a number of days because no date before
/// 2173 has six digits. Throws besides I_SPREADSHEET: not such a workbook, values on two sheets, a formula,
/// encrypted, a DOCTYPE, or larger than it may be. Keeps of each text no more than a number needs.
ListReport read_spreadsheet_list(std::string_view bytes, Date reference, const Transfer& transfer = {});

/// Reads list.csv of a package, strictly: "insz" LF, then eleven digits LF, ascending, unique. Line faults
/// are R_ codes (R_DUPLICATE for a repeat, R_FORMAT for one out of order); F_EXTRA_DATA when the header is
/// another. No line after the header is an empty list and no fault.
ListReport read_package_list(std::string_view bytes, Date reference);

/// list.csv for `numbers`, which are ascending and unique.
std::string write_package_list(const std::vector<Insz>& numbers);

}  // namespace veer

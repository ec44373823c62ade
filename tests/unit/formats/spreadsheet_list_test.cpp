#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "formats/list.h"
#include "support/fictitious.h"
#include "support/list_checks.h"
#include "support/mutate.h"
#include "support/samples.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

constexpr Date kReference = std::chrono::January / 1 / 2022;

ListReport read(std::string_view bytes) { return read_spreadsheet_list(bytes, kReference); }

ListReport read_file(const std::string& name) { return read(test_data("xlsx/" + name)); }

struct Part {
  std::string name;
  std::string bytes;
};

struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

la_ssize_t append(archive* /*writer*/, void* out, const void* bytes, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

std::string zip_of(const std::vector<Part>& parts, const char* options = "zip:compression=deflate") {
  std::string bytes;
  const std::unique_ptr<archive, FreeWriter> writer(archive_write_new());
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  REQUIRE(archive_write_set_format_zip(writer.get()) == ARCHIVE_OK);
  REQUIRE(archive_write_set_options(writer.get(), options) == ARCHIVE_OK);
  REQUIRE(archive_write_set_passphrase(writer.get(), "open") == ARCHIVE_OK);
  REQUIRE(archive_write_set_bytes_in_last_block(writer.get(), 1) == ARCHIVE_OK);
  REQUIRE(archive_write_open(writer.get(), &bytes, nullptr, append, nullptr) == ARCHIVE_OK);
  for (const Part& part : parts) {
    archive_entry_clear(entry.get());
    archive_entry_set_pathname(entry.get(), part.name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0600);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(part.bytes.size()));
    REQUIRE(archive_write_header(writer.get(), entry.get()) == ARCHIVE_OK);
    REQUIRE(archive_write_data(writer.get(), part.bytes.data(), part.bytes.size()) ==
            static_cast<la_ssize_t>(part.bytes.size()));
  }
  REQUIRE(archive_write_close(writer.get()) == ARCHIVE_OK);
  return bytes;
}

const std::string kTypes = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

std::string relationship(int id, const std::string& type, const std::string& target,
                         const std::string& more = "") {
  return fmt::format(R"(<Relationship Id="rId{}" Type="{}/{}" Target="{}"{}/>)", id, kTypes, type, target,
                     more);
}

std::string relationships(const std::string& content) {
  return R"(<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns=)"
         R"("http://schemas.openxmlformats.org/package/2006/relationships">)" +
         content + "</Relationships>";
}

std::string worksheet(const std::string& rows, const std::string& before = "",
                      const std::string& prolog = "") {
  return R"(<?xml version="1.0" encoding="UTF-8" standalone="yes"?>)" + prolog +
         R"(<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">)" + before +
         "<sheetData>" + rows + "</sheetData></worksheet>";
}

std::string shared_strings(const std::string& items, const std::string& prolog = "") {
  return prolog + R"(<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">)" + items +
         "</sst>";
}

// A workbook of `sheets`, its parts in the order in which Excel writes them: the texts come after the sheets.
std::vector<Part> workbook(const std::vector<std::string>& sheets,
                           const std::string& strings = shared_strings("")) {
  std::string listed;
  std::string related;
  std::vector<Part> parts;
  int id = 0;
  for (const std::string& sheet : sheets) {
    ++id;
    listed += fmt::format(R"(<sheet name="Blad{0}" sheetId="{0}" r:id="rId{0}"/>)", id);
    related += relationship(id, "worksheet", fmt::format("worksheets/sheet{}.xml", id));
    parts.push_back({fmt::format("xl/worksheets/sheet{}.xml", id), sheet});
  }
  related += relationship(id + 1, "sharedStrings", "sharedStrings.xml");
  parts.push_back({"xl/sharedStrings.xml", strings});
  parts.insert(parts.begin(),
               {{"xl/workbook.xml",
                 R"(<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r=")" +
                     kTypes + "\"><sheets>" + listed + "</sheets></workbook>"},
                {"xl/_rels/workbook.xml.rels", relationships(related)}});
  return parts;
}

std::string number_cell(int row, const std::string& value, const std::string& column = "A") {
  return fmt::format(R"(<row r="{0}"><c r="{1}{0}"><v>{2}</v></c></row>)", row, column, value);
}

std::string text_cell(int row, const std::string& value, const std::string& column = "A") {
  return fmt::format(R"(<row r="{0}"><c r="{1}{0}" t="inlineStr"><is><t>{2}</t></is></c></row>)", row, column,
                     value);
}

std::string shared_cell(int row, int index) {
  return fmt::format(R"(<row r="{0}"><c r="A{0}" t="s"><v>{1}</v></c></row>)", row, index);
}

ListReport read_rows(const std::string& rows) { return read(zip_of(workbook({worksheet(rows)}))); }

void check_refused(const std::string& bytes, Code code, const std::string& telling) {
  const auto error = thrown([&] { read(bytes); });
  REQUIRE(error);
  INFO(error->message());
  CHECK(error->code() == code);
  CHECK(error->message().find(telling) != std::string::npos);
  CHECK_FALSE(shows_number(error->message()));
}

const std::vector<std::string> kFive = {"00000199740", "00010199875", "05070999751", "85070099464",
                                        "99123199742"};

}  // namespace

TEST_CASE("a workbook of LibreOffice, openpyxl or XlsxWriter is read, whatever way it keeps text") {
  for (const char* name : {"libreoffice-text.xlsx", "openpyxl-text.xlsx", "xlsxwriter-inline.xlsx"}) {
    INFO(name);
    const ListReport report = read_file(name);
    CHECK(report.good());
    CHECK(digits_of(report) == kFive);
    CHECK(report.lines == 6);
    CHECK(report.merged == 1);
    CHECK(report.restored == 0);
  }
}

TEST_CASE("a workbook that took the numbers for amounts gives their leading zeros back") {
  for (const char* name : {"libreoffice-numbers.xlsx", "openpyxl-numbers.xlsx"}) {
    INFO(name);
    const ListReport report = read_file(name);
    CHECK(report.good());
    CHECK(digits_of(report) == kFive);
    CHECK(report.restored == 4);
  }
}

TEST_CASE("rich text is one text, and formatted cells without a value are none") {
  CHECK(digits_of(read_file("xlsxwriter-rich.xlsx")) ==
        std::vector<std::string>{"00010199875", "05070999751", "99123199742"});
}

TEST_CASE("a header may stand below blank rows, and numbers as they are printed") {
  CHECK(digits_of(read_file("libreoffice-printed.xlsx")) ==
        std::vector<std::string>{"00010199875", "05070999751"});
}

TEST_CASE("truth values, errors, fractions and negative numbers are no numbers, and say where they are") {
  const ListReport report = read_rows(
      text_cell(1, "INSZ") + number_cell(2, "85070099464") +
      R"(<row r="3"><c r="A3" t="b"><v>1</v></c></row><row r="4"><c r="A4" t="e"><v>#N/A</v></c></row>)" +
      number_cell(5, "85070099464.5") + number_cell(6, "-5"));
  CHECK(report.numbers.empty());
  CHECK(report.counts == std::map<Code, std::uint64_t>{{Code::r_format, 4}});
  std::vector<std::string> places;
  for (const Fault& fault : report.faults) places.push_back(fault.place);
  CHECK(places == std::vector<std::string>{"cell A3", "cell A4", "cell A5", "cell A6"});
}

TEST_CASE("a formula is refused once, at its first cell, with how to make values of the column") {
  for (const char* name : {"libreoffice-formulas.xlsx", "openpyxl-formulas.xlsx"})
    check_refused(test_data(std::string("xlsx/") + name), Code::i_spreadsheet, "cell A3 holds a formula");
  check_refused(zip_of(workbook({worksheet(
                    text_cell(1, "INSZ") +
                    R"(<row r="2"><c r="A2" t="str"><f>TEXT(B2,"0")</f><v>85070099464</v></c></row>)")})),
                Code::i_spreadsheet, "cell A2 holds a formula: copy the column and paste it as values");
}

TEST_CASE("a text that is a number as an amount is read without its decimals, when these are zeros") {
  for (const std::string text : {"85070099464.0", "85070099464,0", "85070099464,00", " 85070099464.00 "}) {
    INFO(text);
    CHECK(digits_of(read_rows(text_cell(1, text))) == std::vector<std::string>{"85070099464"});
    const auto parts =
        workbook({worksheet(shared_cell(1, 0))}, shared_strings("<si><t>" + text + "</t></si>"));
    CHECK(digits_of(read(zip_of(parts))) == std::vector<std::string>{"85070099464"});
  }
  // What is behind all that is kept of a long text counts too.
  for (const std::string& text : {std::string("85070099464,5"), "85070099464." + std::string(20, '0') + " x"})
    CHECK(read_rows(text_cell(1, text)).counts.at(Code::r_format) == 1);
}

TEST_CASE("a value in a second column is refused, naming the cell and the article") {
  const auto error = thrown([] { read_file("libreoffice-two-columns.xlsx"); });
  REQUIRE(error);
  CHECK(error->code() == Code::f_extra_data);
  CHECK(error->message().find("cell B1") != std::string::npos);
  CHECK(error->message().find("article 3") != std::string::npos);
  check_refused(zip_of(workbook({worksheet(number_cell(1, "85070099464", "C") + text_cell(2, "x", "XFD"))})),
                Code::f_extra_data, "cell XFD2");
  check_refused(zip_of(workbook({worksheet(number_cell(1, "85070099464", "AB") +
                                           "<row r=\"9\"><c r=\"A9\"><f>1</f></c></row>")})),
                Code::f_extra_data, "cell A9");
}

TEST_CASE("a second sheet may be there only if it holds nothing, hidden or not") {
  CHECK(read_file("openpyxl-text.xlsx").good());
  const auto error = thrown([] { read_file("openpyxl-hidden-sheet.xlsx"); });
  REQUIRE(error);
  CHECK(error->code() == Code::i_spreadsheet);
  CHECK(error->message().find("sheet 2") != std::string::npos);
  const std::string one = worksheet(number_cell(1, "85070099464"));
  check_refused(zip_of(workbook({one, one})), Code::i_spreadsheet, "keep one sheet");
  check_refused(zip_of(workbook({one, worksheet("<row r=\"1\"><c r=\"A1\"><f>NOW()</f></c></row>")})),
                Code::i_spreadsheet, "keep one sheet");
  CHECK(read(zip_of(workbook({worksheet(""), worksheet("<row/>"), one}))).good());
}

TEST_CASE("what is no .xlsx is refused by its own name, with what to do") {
  check_refused(test_data("xlsx/libreoffice-old.xls"), Code::i_spreadsheet, "old spreadsheet (.xls)");
  check_refused(test_data("xlsx/libreoffice.ods"), Code::i_spreadsheet, "save it as .xlsx");
  check_refused(test_data("xlsx/xlsxwriter-chart.xlsx"), Code::i_spreadsheet, "chart");
  check_refused("INSZ\n05070999751\n", Code::i_spreadsheet, "damaged");
  check_refused("", Code::i_spreadsheet, "damaged");
}

TEST_CASE("a workbook behind a password is refused as such") {
  using namespace std::string_literals;
  std::string wrapped = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + std::string(2'000, '\0');
  for (const char c : "EncryptedPackage"s) wrapped += std::string{c, '\0'};
  check_refused(wrapped, Code::i_spreadsheet, "password");
  const auto parts = workbook({worksheet(number_cell(1, "85070099464"))});
  check_refused(zip_of(parts, "zip:encryption=traditional"), Code::i_spreadsheet, "password");
  check_refused(zip_of(parts, "zip:encryption=aes256"), Code::i_spreadsheet, "password");
}

TEST_CASE("a number of a cell is taken exactly, in every notation that a float may have") {
  for (const std::string value : {"5070999751", "05070999751", "5070999751.0", "5070999751.000",
                                  "5.070999751E9", "5.070999751e+9", "5.070999751E09", "50709997510E-1",
                                  "0.5070999751E10", ".5070999751E10", "5070999751.", " 5070999751 "}) {
    INFO(value);
    CHECK(digits_of(read_rows(number_cell(1, value))) == std::vector<std::string>{"05070999751"});
  }
  for (const std::string value : {"85070099464", "85070099464.0", "8.5070099464E10", "8.5070099464E+10"}) {
    INFO(value);
    const ListReport report = read_rows(number_cell(1, value));
    CHECK(digits_of(report) == std::vector<std::string>{"85070099464"});
    CHECK(report.restored == 0);
  }
}

TEST_CASE("a number of a cell that is no whole number of eleven digits is none") {
  for (const std::string value : {"5070999751.1",
                                  "5.0709997511E9",
                                  "-5070999751",
                                  "+5070999751",
                                  "850700994640",
                                  "8.5070099464E11",
                                  "0",
                                  "0.0",
                                  "1E400",
                                  "1E-400",
                                  "1E99999999999",
                                  "1E",
                                  "E9",
                                  ".",
                                  "5070999751E",
                                  "5070999751E+-0",
                                  "NaN",
                                  "INF",
                                  "0x12DD3C4A7",
                                  "5070999751 5",
                                  "5,070,999,751",
                                  "5070999751.00000000000000000001"}) {
    INFO(value);
    const ListReport report = read_rows(number_cell(12, value));
    REQUIRE(report.faults.size() == 1);
    CHECK(report.faults[0].code == Code::r_format);
    CHECK(report.faults[0].place == "cell A12");
  }
  const ListReport report = read_rows(number_cell(12, "85070099465"));
  REQUIRE(report.faults.size() == 1);
  CHECK(report.faults[0].code == Code::r_check);
}

TEST_CASE("a text of several runs is joined, without its phonetic one") {
  const std::string item =
      "<si><r><t>0507</t></r><r><rPr><b/></rPr><t>0999</t></r><rPh sb=\"0\" eb=\"1\"><t>ba</t></rPh>"
      "<r><t>751</t></r><phoneticPr fontId=\"1\"/></si>";
  const std::string cell = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>1</v></c></row>";
  CHECK(digits_of(read(zip_of(workbook({worksheet(cell)}, shared_strings("<si><t>x</t></si>" + item))))) ==
        std::vector<std::string>{"05070999751"});
  CHECK(digits_of(read_rows(
            "<row><c t=\"inlineStr\"><is><r><t>05.07.09</t></r><rPh sb=\"0\" eb=\"1\"><t>1</t></rPh>"
            "<r><t xml:space=\"preserve\">-997.51 </t></r></is></c></row>")) ==
        std::vector<std::string>{"05070999751"});
}

TEST_CASE("a mistyped first number is a fault of its cell and not a header") {
  const ListReport report = read_rows(text_cell(1, "O5070999751"));
  REQUIRE(report.faults.size() == 1);
  CHECK(report.faults[0].place == "cell A1");
}

TEST_CASE("a text that a spreadsheet shortened is named as that, with its cell") {
  for (const char* text : {"8,50301E+10", "8.5E+10", " 8,5e10 "}) {
    CAPTURE(text);
    const auto error =
        thrown([&] { read_rows(text_cell(1, "INSZ") + number_cell(2, "85070099464") + text_cell(3, text)); });
    REQUIRE(error);
    CHECK(error->code() == Code::i_format);
    CHECK(error->message().starts_with("cell A3 holds a number that a spreadsheet shortened"));
  }
}

TEST_CASE("a workbook with no number in it is empty") {
  CHECK(code_of([] { read_rows(""); }) == Code::f_empty);
  CHECK(code_of([] { read_rows(text_cell(1, "INSZ") + text_cell(2, "  ")); }) == Code::f_empty);
  CHECK(code_of([] { read(zip_of(workbook({}))); }) == Code::f_empty);
}

TEST_CASE("a workbook in the strict form, in UTF-16, or with absolute part names is read") {
  const auto parts = workbook({worksheet(number_cell(1, "85070099464"))});
  const auto changed = [&](const std::function<void(std::string&)>& change) {
    auto made = parts;
    for (Part& part : made) change(part.bytes);
    return zip_of(made);
  };
  const auto replace = [](std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  };
  CHECK(read(changed([&](std::string& text) {
          replace(text, "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                  "http://purl.oclc.org/ooxml/spreadsheetml/main");
          replace(text, kTypes, "http://purl.oclc.org/ooxml/officeDocument/relationships");
        })).good());
  CHECK(read(changed([&](std::string& text) { replace(text, "Target=\"", "Target=\"/xl/"); })).good());
  CHECK(read(changed([&](std::string& text) {
          replace(text, "UTF-8", "UTF-16");
          std::string wide = {'\xff', '\xfe'};
          for (const char c : text) wide += {c, '\0'};
          text = wide;
        })).good());
}

TEST_CASE("a workbook as full as Excel can make one is read, and one row more is refused") {
  constexpr std::size_t kRows = 1'048'576;
  const auto numbers = fictitious_list(kRows, 11);
  std::string rows;
  std::string items;
  int row = 0;
  for (const Insz& number : numbers) {
    const auto digits = number.digits();
    ++row;
    rows += fmt::format(
        R"(<row r="{0}" spans="1:1" ht="15.75" s="1" customFormat="1"><c r="A{0}" s="1" t="s"><v>{1}</v></c></row>)",
        row, row - 1);
    items += fmt::format(R"(<si><t xml:space="preserve">{}</t></si>)", std::string_view(digits.data(), 11));
  }
  const auto parts = workbook({worksheet(rows)}, shared_strings(items));
  CHECK(read(zip_of(parts, "zip:compression=store")).numbers == numbers);
  check_refused(zip_of(workbook({worksheet(R"(<row r="1048576"/><row/>)")})), Code::i_spreadsheet, "damaged");
}

TEST_CASE("a stop ends the reading of a workbook") {
  std::string rows;
  for (int row = 1; row < 100'000; ++row) rows += number_cell(row, "85070099464");
  const std::string bytes = zip_of(workbook({worksheet(rows)}), "zip:compression=store");
  std::stop_source stop;
  std::uint64_t done = 0;
  const Transfer transfer{stop.get_token(), [&](std::uint64_t now) {
                            done = now;
                            if (now > 1'000'000) stop.request_stop();
                          }};
  CHECK(code_of([&] { read_spreadsheet_list(bytes, kReference, transfer); }) == Code::l_stopped);
  CHECK(done < 1'200'000);
}

TEST_CASE("a date is no number, as a serial, with its time of day, or written out") {
  std::string rows;
  int row = 0;
  for (int day = 1; day < 100'000; day += 7)
    rows += fmt::format(R"(<row r="{0}"><c r="A{0}" s="1"><v>{1}</v></c></row>)", ++row, day);
  const int serials = row;
  rows += number_cell(++row, "44173.5");
  rows += fmt::format(R"(<row r="{0}"><c r="A{0}" s="1" t="d"><v>2020-12-08</v></c></row>)", ++row);
  const ListReport report = read_rows(rows);
  CHECK(report.restored == 0);
  CHECK(report.counts == std::map<Code, std::uint64_t>{{Code::r_format, serials + 2}});
}

TEST_CASE("a heading of a workbook is told, in its first cell alone") {
  CHECK_FALSE(read_rows(number_cell(1, "85070099464")).header);
  CHECK(read_rows(text_cell(2, "INSZ") + number_cell(3, "85070099464")).header);
  CHECK(read_rows(text_cell(1, "\xc3\x89tat civil") + number_cell(3, "85070099464")).header);
  CHECK(read_rows(text_cell(1, "Nummers van wie op 1 januari 2026 niet voldaan had aan de verplichting") +
                  number_cell(2, "85070099464"))
            .header);
  CHECK_FALSE(read_rows(number_cell(1, "85070099464") + text_cell(2, "INSZ")).good());
}

TEST_CASE("a first cell that holds a number wherever in its text is a fault and no heading") {
  for (std::size_t before = 1; before < 80; ++before) {
    const std::string text = "L" + std::string(before, 'i') + "\n85070099464";
    CAPTURE(text);
    for (const ListReport& report :
         {read_rows(text_cell(1, text) + number_cell(2, "85070099464")),
          read(zip_of(workbook({worksheet(shared_cell(1, 0) + number_cell(2, "85070099464"))},
                               shared_strings("<si><t>" + text + "</t></si>"))))}) {
      CHECK_FALSE(report.header);
      CHECK(report.counts == std::map<Code, std::uint64_t>{{Code::r_format, 1}});
    }
  }
}

TEST_CASE("a value in a hidden row, as a filter leaves it, is refused, and an empty hidden row is not") {
  const auto hidden = [](const std::string& rows, const char* how) {
    return read_rows(number_cell(1, "85070099464") +
                     fmt::format("<row r=\"2\" hidden=\"{}\">{}</row>", how, rows) +
                     number_cell(3, "05070999751"));
  };
  const std::string cell = "<c r=\"A2\"><v>199740</v></c>";
  for (const char* how : {"1", "true"}) {
    const auto error = thrown([&] { hidden(cell, how); });
    REQUIRE(error);
    CHECK(error->code() == Code::i_spreadsheet);
    CHECK(error->message().find("row 2") != std::string::npos);
  }
  CHECK(hidden(cell, "0").numbers.size() == 3);
  CHECK(hidden("<c r=\"A2\"/>", "1").numbers.size() == 2);
}

TEST_CASE("of a long text the beginning is kept, and it is never taken for a shorter one") {
  const std::string blanks(300, ' ');
  CHECK(read_rows(text_cell(1, blanks + "85070099464" + blanks)).good());
  CHECK(read_rows(text_cell(1,
                            "\xc2\xa0"
                            "85070099464" +
                                blanks + "\xc2\xa0"))
            .good());
  for (const std::string& rows :
       {text_cell(1, "85070099464" + blanks + "x"), text_cell(1, std::string(40, '0') + "85070099464"),
        number_cell(1, "5070999751." + std::string(40, '0') + "1"),
        number_cell(1, "5070999751" + std::string(40, ' ') + "1")}) {
    const ListReport report = read_rows(rows);
    CHECK(report.counts == std::map<Code, std::uint64_t>{{Code::r_format, 1}});
  }
  const std::string cell = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>" + std::string(40, '0') + "1</v></c></row>";
  check_refused(zip_of(workbook({worksheet(cell)}, shared_strings("<si><t>85070099464</t></si>"))),
                Code::i_spreadsheet, "damaged");
}

TEST_CASE("a part with a name that is not ASCII, as a picture may have, is no damage") {
  const auto utf8 = [] {
    auto parts = workbook({worksheet(number_cell(1, "85070099464"))});
    parts.push_back({"xl/media/caf\xc3\xa9.png", "picture"});
    return parts;
  }();
  // As Windows writes it: the name in UTF-8, and a flag that says so.
  std::string bytes = zip_of(utf8, "zip:compression=store");
  for (const auto& [signature, flags] : {std::pair{"PK\x03\x04", 6U}, std::pair{"PK\x01\x02", 8U}})
    for (std::size_t at = bytes.find(signature); at != std::string::npos; at = bytes.find(signature, at + 4))
      bytes[at + flags + 1] = static_cast<char>(bytes[at + flags + 1] | 0x08);
  CHECK(read(bytes).good());
}

TEST_CASE("a workbook that asks for far more memory than a full one is refused or read in little") {
  const auto grown = [](const std::string& bytes) {
    const auto kilobytes = [](const std::string& name) {
      std::ifstream status("/proc/self/status");
      for (std::string word; status >> word;)
        if (word == name) {
          std::size_t value = 0;
          status >> value;
          return value;
        }
      FAIL("no " << name);
      return std::size_t{0};
    };
    std::ofstream("/proc/self/clear_refs") << "5";
    const std::size_t before = kilobytes("VmRSS:");
    const auto code = code_of([&] { read(bytes); });
    CAPTURE(code);
    CHECK((code == Code::i_spreadsheet || code == Code::r_format || !code));
    const std::size_t most = kilobytes("VmHWM:");
    return (most > before ? most - before : 0) >> 10;
  };
  const std::string sheet = worksheet(number_cell(1, "85070099464"));
  std::string texts;
  while (texts.size() < std::size_t{240} << 20) texts += "<si><t>" + std::string(110, 'x') + "</t></si>";
  const std::string strings = zip_of(workbook({sheet}, shared_strings(texts)));
  texts = {};
  CHECK(grown(strings) < 200);

  std::string names;
  for (int i = 0; i < 2'000'000; ++i) names += fmt::format("<n{0}/><x n{0}=\"\"/>", i);
  const std::string many = zip_of(workbook({worksheet("", names)}), "zip:compression=store");
  names = {};
  CHECK(grown(many) < 50);
  check_refused(many, Code::i_spreadsheet, "different names");
}

TEST_CASE("a workbook that unpacks to far more than it weighs is refused") {
  const std::string blank(40 << 20, ' ');
  const std::string cell = number_cell(1, "85070099464");
  check_refused(zip_of(workbook({worksheet(cell, blank)})), Code::i_spreadsheet, "too large when unpacked");
  check_refused(zip_of(workbook({worksheet(cell)}, shared_strings(blank))), Code::i_spreadsheet,
                "too large when unpacked");
  auto parts = workbook({worksheet(cell)});
  parts[1].bytes.insert(parts[1].bytes.size() - std::string("</Relationships>").size(), blank);
  check_refused(zip_of(parts), Code::i_spreadsheet, "too large when unpacked");
  // What nobody needs is not unpacked.
  parts = workbook({worksheet(cell)});
  parts.push_back({"xl/media/image1.png", blank});
  CHECK(read(zip_of(parts)).good());
}

TEST_CASE("a DOCTYPE is refused in every part, and no entity is ever expanded or fetched") {
  const std::string cell = number_cell(1, "85070099464");
  const std::vector<std::string> prologs = {
      "<!DOCTYPE worksheet>", "<!DOCTYPE worksheet SYSTEM \"file:///etc/passwd\">",
      "<!DOCTYPE w [<!ENTITY a \"85070099464\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>",
      "<!DOCTYPE w [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>",
      "<!DOCTYPE w [<!ENTITY % x SYSTEM \"http://share.example.org/x.dtd\"> %x;]>"};
  for (const std::string& prolog : prologs) {
    INFO(prolog);
    check_refused(zip_of(workbook({worksheet(cell, "", prolog)})), Code::i_spreadsheet, "DOCTYPE");
    check_refused(zip_of(workbook({worksheet(cell)}, shared_strings("", prolog))), Code::i_spreadsheet,
                  "DOCTYPE");
    for (const std::size_t part : {0U, 1U}) {
      auto parts = workbook({worksheet(cell)});
      const std::size_t declaration = parts[part].bytes.find("?>");
      parts[part].bytes.insert(declaration == std::string::npos ? 0 : declaration + 2, prolog);
      check_refused(zip_of(parts), Code::i_spreadsheet, "DOCTYPE");
    }
  }
  check_refused(zip_of(workbook({worksheet(number_cell(1, "&x;"))})), Code::i_spreadsheet, "damaged");
}

TEST_CASE("a dimension that promises a whole sheet costs nothing") {
  CHECK(
      read(zip_of(workbook({worksheet(number_cell(1, "85070099464"), "<dimension ref=\"A1:XFD1048576\"/>")})))
          .good());
  CHECK(read(zip_of(workbook(
                 {worksheet(number_cell(1, "85070099464"), "<dimension ref=\"A1:ZZZZZZ99999999999\"/>")})))
            .good());
}

TEST_CASE("a cell outside of a sheet, or out of order, is refused") {
  const std::string v = "<v>85070099464</v></c></row>";
  for (const std::string& rows :
       {"<row r=\"2147483648\"><c r=\"A2147483648\">" + v, "<row r=\"1048577\"><c r=\"A1048577\">" + v,
        "<row r=\"4294967297\"><c r=\"A1\">" + v, "<row r=\"0\"><c r=\"A0\">" + v,
        "<row r=\"-1\"><c r=\"A1\">" + v, "<row r=\"1\"><c r=\"XFE1\">" + v,
        "<row r=\"1\"><c r=\"AAAAAAAAAAAAAA1\">" + v, "<row r=\"1\"><c r=\"A2\">" + v,
        "<row r=\"1\"><c r=\"1\">" + v, "<row r=\"1\"><c r=\"A\">" + v, "<row r=\"1\"><c r=\"\">" + v,
        "<row r=\"1\"><c r=\"a1\">" + v, "<row r=\"1\"><c r=\"B1\"/><c r=\"A1\">" + v,
        "<row r=\"1\"><c r=\"A1\"/><c r=\"A1\">" + v, "<row r=\"2\"/><row r=\"1\"><c r=\"A1\">" + v,
        "<row r=\"1\"/><row r=\"1\"><c r=\"A1\">" + v, std::string("<c r=\"A1\"><v>85070099464</v></c>"),
        "<row><row><c>" + v + "</row>", "<row><c><c>" + v + "</c>"}) {
    INFO(rows);
    CHECK(code_of([&] { read_rows(rows); }) == Code::i_spreadsheet);
  }
}

TEST_CASE("parts that do not fit together are refused") {
  const std::string sheet = worksheet(number_cell(1, "85070099464"));
  const auto shared = [](const std::string& index) {
    return worksheet("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>" + index + "</v></c></row>");
  };
  const std::string one = shared_strings("<si><t>85070099464</t></si>");
  CHECK(read(zip_of(workbook({shared("0")}, one))).good());
  for (const std::string index : {"1", "-1", "18446744073709551616", "x", "0x0"})
    check_refused(zip_of(workbook({shared(index)}, one)), Code::i_spreadsheet, "damaged");

  for (std::size_t missing = 0; missing < 4; ++missing) {
    auto parts = workbook({sheet});
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(missing));
    CHECK(code_of([&] { read(zip_of(parts)); }) == Code::i_spreadsheet);
  }
  auto parts = workbook({sheet});
  parts[1].bytes = relationships("");
  check_refused(zip_of(parts), Code::i_spreadsheet, "damaged");
  parts[1].bytes =
      relationships(relationship(1, "worksheet", "worksheets/sheet1.xml", " TargetMode=\"External\""));
  check_refused(zip_of(parts), Code::i_spreadsheet, "damaged");
}

TEST_CASE("a part that is named twice is refused, whatever its case") {
  const std::string sheet = worksheet(number_cell(1, "85070099464"));
  for (const char* name : {"xl/worksheets/sheet1.xml", "XL/Worksheets/Sheet1.XML", "xl/workbook.xml"}) {
    auto parts = workbook({sheet});
    parts.push_back({name, sheet});
    check_refused(zip_of(parts), Code::i_spreadsheet, "twice");
  }
}

TEST_CASE("too many parts, too many sheets or too long a tag are refused") {
  const std::string sheet = worksheet(number_cell(1, "85070099464"));
  auto parts = workbook({sheet});
  while (parts.size() < 2'000) parts.push_back({fmt::format("customXml/item{}.xml", parts.size()), ""});
  CHECK(read(zip_of(parts)).good());
  parts.push_back({"customXml/item.xml", ""});
  check_refused(zip_of(parts), Code::i_spreadsheet, "more than 2000 parts");

  check_refused(zip_of(workbook(std::vector<std::string>(256, worksheet("")))), Code::i_spreadsheet,
                "more than 255 sheets");
  check_refused(zip_of(workbook({worksheet("<row spans=\"" + std::string(1 << 20, '1') + "\"/>")})),
                Code::i_spreadsheet, "tag");
  check_refused(zip_of(workbook({worksheet(text_cell(1, std::string(200'000, 'x')))})), Code::i_spreadsheet,
                "more text");
}

TEST_CASE("XML that is nested deeper than any workbook is refused") {
  const auto nested = [](std::size_t depth) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += "<x>";
    for (std::size_t i = 0; i < depth; ++i) text += "</x>";
    return zip_of(workbook({worksheet(number_cell(1, "85070099464"), text)}));
  };
  CHECK(read(nested(63)).good());
  check_refused(nested(64), Code::i_spreadsheet, "too deep");
  check_refused(nested(200'000), Code::i_spreadsheet, "too deep");
}

TEST_CASE("a workbook that is cut short anywhere is refused") {
  const std::string whole = test_data("xlsx/libreoffice-text.xlsx");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    INFO(size);
    CHECK(code_of([&] { read(whole.substr(0, size)); }) == Code::i_spreadsheet);
  }
}

TEST_CASE("a workbook whose check sum is wrong is refused") {
  const auto parts = workbook({worksheet(number_cell(1, "85070099464"))});
  std::string bytes = zip_of(parts, "zip:compression=store");
  REQUIRE(read(bytes).good());
  const std::size_t at = bytes.find("85070099464");
  REQUIRE(at != std::string::npos);
  bytes.replace(at, 11, "99123199742");
  check_refused(bytes, Code::i_spreadsheet, "damaged");
}

TEST_CASE("no change of a workbook's bytes upsets the reader") {
  std::mt19937_64 random(20'000);
  std::vector<std::string> whole;
  for (const char* name : {"libreoffice-text.xlsx", "openpyxl-numbers.xlsx", "xlsxwriter-rich.xlsx"})
    whole.push_back(test_data(std::string("xlsx/") + name));
  whole.push_back(zip_of(workbook({worksheet(number_cell(1, "85070099464"))}), "zip:compression=store"));
  int good = 0;
  for (std::size_t i = 0; i < 5'000; ++i)
    good += reads_soundly([&, bytes = mutate(whole[i % whole.size()], random)] { return read(bytes); });
  CHECK(good > 50);
}

TEST_CASE("no change of a workbook's XML upsets the reader") {
  std::mt19937_64 random(30'000);
  const std::string strings =
      shared_strings("<si><t>INSZ</t></si><si><r><t>0507</t></r><r><t>0999751</t></r></si>");
  const auto parts = workbook({worksheet("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>" +
                                         std::string("<row r=\"2\"><c r=\"A2\" t=\"s\"><v>1</v></c></row>") +
                                         number_cell(3, "85070099464") + text_cell(4, "99123199742")),
                               worksheet("")},
                              strings);
  REQUIRE(read(zip_of(parts)).good());
  int good = 0;
  for (std::size_t i = 0; i < 5'000; ++i) {
    auto changed = parts;
    std::string& bytes = changed[random() % changed.size()].bytes;
    bytes = mutate(bytes, random);
    good += reads_soundly([&, zip = zip_of(changed)] { return read(zip); });
  }
  CHECK(good > 50);
}

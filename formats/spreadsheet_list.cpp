#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "formats/list.h"
#include "formats/list_collector.h"
#include "formats/spreadsheet_error.h"
#include "formats/xml_reader.h"
#include "formats/zip_reader.h"

namespace veer {
namespace {

// What a worksheet of Excel can hold at most.
constexpr std::uint32_t kMostRows = 1'048'576;
constexpr std::size_t kMostCellBytes = std::size_t{4} * 32'767;
constexpr std::size_t kMostSheets = 255;
// Of a part's name, or of its kind's.
constexpr std::size_t kMostName = 1'024;
// Room for the text of every cell of one column, and as many that are no longer used.
constexpr std::size_t kMostStrings = std::size_t{2} * kMostRows;

constexpr std::string_view kWorkbook = "xl/workbook.xml";
constexpr std::string_view kRelationships = "xl/_rels/workbook.xml.rels";

[[noreturn]] void refuse_parts() { refuse_damaged("its parts do not fit together"); }

// Compound files (MS-CFB): workbooks before 2007, and the wrapping of a workbook with a password
// (MS-OFFCRYPTO), whose parts are named in UTF-16.
void require_zip(std::string_view bytes) {
  static constexpr std::string_view kCompoundFile = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
  using namespace std::string_view_literals;
  static constexpr std::string_view kEncryptedPart = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0"sv;
  if (!bytes.starts_with(kCompoundFile)) return;
  if (bytes.find(kEncryptedPart) != std::string_view::npos) refuse_protected();
  refuse_spreadsheet(
      "it is an old spreadsheet (.xls) by another name: save it as .xlsx, or save the list as CSV (UTF-8)");
}

template <typename Number>
std::optional<Number> number_of(std::string_view digits) {
  Number number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

// Takes the leading digits off `text`.
std::string_view take_digits(std::string_view& text) {
  const std::string_view digits = text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
  text.remove_prefix(digits.size());
  return digits;
}

// The digits of the integer that a cell's number (xsd:double: 5.070999751E9, 85070999751.0) stands for,
// without leading zeros and without floating point. Nothing when it is no integer from 0 to 10^11 - 1.
std::optional<std::string> integer_of(std::string_view text) {
  std::string digits(take_digits(text));
  auto point = static_cast<std::int64_t>(digits.size());
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += take_digits(text);
  }
  if (digits.empty()) return std::nullopt;
  if (text.starts_with('E') || text.starts_with('e')) {
    text.remove_prefix(1);
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    const auto exponent = number_of<std::int16_t>(text);
    if (!exponent) return std::nullopt;
    point += *exponent;
    text = {};
  }
  if (!text.empty()) return std::nullopt;

  const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, zeros);
  point -= static_cast<std::int64_t>(zeros);
  if (digits.empty()) return "0";
  if (point < 1 || point > 11) return std::nullopt;
  const auto size = static_cast<std::size_t>(point);
  if (digits.find_first_not_of('0', size) != std::string::npos) return std::nullopt;
  digits.resize(size, '0');
  return digits;
}

struct Cell {
  std::uint32_t column = 0;  // from 1
  std::uint32_t row = 0;     // from 1
};

std::string column_name(std::uint32_t column) {
  std::string name;
  for (; column > 0; column = (column - 1) / 26)
    name.insert(name.begin(), static_cast<char>('A' + (column - 1) % 26));
  return name;
}

std::string place_of(Cell cell) { return fmt::format("cell {}{}", column_name(cell.column), cell.row); }

std::optional<std::uint32_t> row_number(std::string_view digits) {
  const auto row = number_of<std::uint32_t>(digits);
  return row && *row >= 1 && *row <= kMostRows ? row : std::nullopt;
}

// "A12" (ST_CellRef).
std::optional<Cell> cell_named(std::string_view reference) {
  Cell cell;
  while (!reference.empty() && reference.front() >= 'A' && reference.front() <= 'Z') {
    cell.column = cell.column * 26 + static_cast<std::uint32_t>(reference.front() - 'A' + 1);
    if (cell.column > kMostColumns) return std::nullopt;
    reference.remove_prefix(1);
  }
  const auto row = row_number(reference);
  if (cell.column == 0 || !row) return std::nullopt;
  cell.row = *row;
  return cell;
}

// The text of one cell or string: its <t>, or those of its runs, without the phonetic ones. Of a long one the
// beginning is kept: no number is as long.
class CellText {
 public:
  void clear() {
    text_.clear();
    size_ = 0;
    cut_ = false;
  }
  void start(std::string_view name) {
    if (name == "rPh") ++phonetic_;
    if (name == "t" || name == "v") ++open_;
  }
  void end(std::string_view name) {
    if (name == "rPh") --phonetic_;
    if (name == "t" || name == "v") --open_;
  }
  void add(std::string_view piece) {
    if (open_ == 0 || phonetic_ > 0) return;
    if (piece.size() > kMostCellBytes - size_)
      refuse_spreadsheet(
          "a cell of the spreadsheet holds more text than a spreadsheet program can: save the list as CSV "
          "(UTF-8)");
    size_ += piece.size();
    if (text_.empty()) piece = without_leading_blanks(piece);
    const std::size_t room = std::min(kKept - std::min(kKept, text_.size()), piece.size());
    text_ += piece.substr(0, room);
    piece.remove_prefix(room);
    cut_ = cut_ || !trimmed(piece).empty();
    for (const char c : piece)
      if (is_digit(c) && text_.size() < kKept + kKeptDigits) text_ += c;
  }
  /// Without the blanks around it; of one that was cut the beginning, which is longer than any number, and
  /// the first digits after it: as many as show that it is no heading.
  std::string_view text() const { return cut_ ? text_ : trimmed(text_); }
  /// More than blanks stands behind what was kept.
  bool cut() const { return cut_; }

 private:
  static constexpr std::size_t kKept = 32;
  static constexpr std::size_t kKeptDigits = kMostHeaderDigits + 1;

  std::string text_;
  std::size_t size_ = 0;
  bool cut_ = false;
  int open_ = 0;
  int phonetic_ = 0;
};

struct Relationship {
  std::string id;
  std::string part;  // empty when it leads out of the workbook
  std::string type;
};

// xl/_rels/workbook.xml.rels (ECMA-376 part 2).
class RelationshipsPart : public XmlHandler {
 public:
  void start(std::string_view name, const XmlAttributes& attributes) override {
    if (name != "Relationship") return;
    if (all.size() == ZipReader::kMostMembers) refuse_parts();
    const std::string_view id = attributes.find("Id").value_or("");
    const std::string_view target = attributes.find("Target").value_or("");
    const std::string_view type = attributes.find("Type").value_or("");
    if (std::max({id.size(), target.size(), type.size()}) > kMostName) refuse_parts();
    const bool outside = attributes.find("TargetMode").value_or("Internal") != "Internal";
    const std::string part =
        target.starts_with('/') ? std::string(target.substr(1)) : fmt::format("xl/{}", target);
    all.push_back({std::string(id), outside ? "" : part, std::string(type)});
  }

  std::vector<Relationship> all;
};

// xl/workbook.xml: the relationship of each sheet, in the order of their tabs, hidden ones too.
class WorkbookPart : public XmlHandler {
 public:
  void start(std::string_view name, const XmlAttributes& attributes) override {
    if (name != "sheet") return;
    if (sheets.size() == kMostSheets)
      refuse_spreadsheet(
          fmt::format("the spreadsheet has more than {} sheets: keep the one with the numbers", kMostSheets));
    const std::string_view id = attributes.find("r:id").value_or("");
    if (id.size() > kMostName) refuse_parts();
    sheets.emplace_back(id);
  }

  std::vector<std::string> sheets;
};

// xl/sharedStrings.xml: the texts that cells refer to by number, as far as CellText keeps them.
class SharedStrings : public XmlHandler {
 public:
  void start(std::string_view name, const XmlAttributes& /*attributes*/) override {
    if (name == "si") current_.clear();
    current_.start(name);
  }
  void end(std::string_view name) override {
    current_.end(name);
    if (name != "si") return;
    if (ends_.size() == kMostStrings)
      refuse_spreadsheet(
          "the spreadsheet holds too many texts: copy the column of numbers into a new workbook");
    text_ += current_.text();
    ends_.push_back(static_cast<std::uint32_t>(text_.size()));
  }
  void text(std::string_view piece) override { current_.add(piece); }

  std::optional<std::string_view> find(std::size_t index) const {
    if (index >= ends_.size()) return std::nullopt;
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(text_).substr(begin, ends_[index] - begin);
  }

 private:
  CellText current_;
  std::string text_;
  std::vector<std::uint32_t> ends_;
};

// One list out of all sheets: one column of one of them.
class Column {
 public:
  explicit Column(Date reference) : collector_(reference) {}

  // A cell that holds `text`, or one whose content is `unusable` (truth value, error, date).
  enum class Content { text, number, formula, unusable };
  void add(std::size_t sheet, Cell cell, Content content, std::string_view text) {
    const bool first = column_ == 0;
    if (first) {
      sheet_ = sheet;
      column_ = cell.column;
    }
    require_place(sheet, cell);
    // What it shows may be right, and what is kept of that may be old.
    if (content == Content::formula)
      refuse_spreadsheet(fmt::format(
          "{} holds a formula: copy the column and paste it as values, or save the list as CSV (UTF-8)",
          place_of(cell)));
    if (first && content == Content::text && is_header(text)) return collector_.add_header();
    const auto place = [&] { return place_of(cell); };
    if (content == Content::text) return collector_.add(without_decimals(text), place);
    const auto digits = content == Content::number ? integer_of(text) : std::nullopt;
    if (digits)
      collector_.add(*digits, place);
    else
      collector_.add_fault(Code::r_format, place);
  }

  ListReport finish() { return collector_.finish(); }

 private:
  void require_place(std::size_t sheet, Cell cell) const {
    if (sheet != sheet_)
      refuse_spreadsheet(fmt::format(
          "the spreadsheet holds values on sheet {} and on sheet {} (hidden sheets count): keep one sheet "
          "with the numbers",
          sheet_, sheet));
    if (cell.column != column_)
      throw Error(
          Code::f_extra_data,
          fmt::format(
              "{} is in a second column. The protocol lets INSZ numbers travel and nothing else (article "
              "3): keep the column of the INSZ numbers alone",
              place_of(cell)));
  }

  ListCollector collector_;
  std::size_t sheet_ = 0;
  std::uint32_t column_ = 0;
};

// xl/worksheets/sheet*.xml: rows of cells, in order.
class SheetPart : public XmlHandler {
 public:
  SheetPart(std::size_t sheet, const SharedStrings& strings, Column& column)
      : sheet_(sheet), strings_(strings), column_(column) {}

  void start(std::string_view name, const XmlAttributes& attributes) override {
    if (name == "row") start_row(attributes);
    if (name == "c") start_cell(attributes);
    if (name == "f") formula_ = true;
    text_.start(name);
  }
  void end(std::string_view name) override {
    text_.end(name);
    if (name == "row") in_row_ = false;
    if (name == "c") end_cell();
  }
  void text(std::string_view piece) override {
    if (in_cell_) text_.add(piece);
  }

 private:
  void start_row(const XmlAttributes& attributes) {
    const auto given = attributes.find("r");
    const auto row = given ? row_number(*given) : cell_.row + 1;
    if (in_row_ || in_cell_ || !row || *row <= cell_.row || *row > kMostRows) refuse_parts();
    in_row_ = true;
    const std::string_view hidden = attributes.find("hidden").value_or("0");
    hidden_ = hidden == "1" || hidden == "true";
    cell_ = {0, *row};
  }

  void start_cell(const XmlAttributes& attributes) {
    const auto given = attributes.find("r");
    const auto cell = given ? cell_named(*given) : Cell{cell_.column + 1, cell_.row};
    if (!in_row_ || in_cell_ || !cell || cell->row != cell_.row || cell->column <= cell_.column ||
        cell->column > kMostColumns)
      refuse_parts();
    in_cell_ = true;
    cell_ = *cell;
    type_ = attributes.find("t").value_or("n");
    formula_ = false;
    text_.clear();
  }

  void end_cell() {
    in_cell_ = false;
    std::string_view text = text_.text();
    if (text.empty() && !formula_) return;
    if (hidden_)
      refuse_spreadsheet(fmt::format(
          "row {} holds a value and is hidden, as by a filter: show all rows, or copy those that are "
          "meant into a new workbook",
          cell_.row));
    if (formula_) return column_.add(sheet_, cell_, Column::Content::formula, text);
    if (type_ == "n")
      return column_.add(sheet_, cell_, text_.cut() ? Column::Content::unusable : Column::Content::number,
                         text);
    if (type_ == "s") {
      const auto index = text_.cut() ? std::nullopt : number_of<std::size_t>(text);
      const auto shared = index ? strings_.find(*index) : std::nullopt;
      if (!shared) refuse_parts();
      text = *shared;
      if (text.empty()) return;
    }
    const bool is_text = type_ == "s" || type_ == "inlineStr" || type_ == "str";
    column_.add(sheet_, cell_, is_text ? Column::Content::text : Column::Content::unusable, text);
  }

  std::size_t sheet_;
  const SharedStrings& strings_;
  Column& column_;
  Cell cell_;
  CellText text_;
  std::string type_;
  bool in_row_ = false;
  bool hidden_ = false;
  bool in_cell_ = false;
  bool formula_ = false;
};

// The parts of a workbook as they are read, with an eye on who may want to stop it.
class Workbook {
 public:
  Workbook(std::string_view bytes, const Transfer& transfer) : zip_(bytes), transfer_(transfer) {}

  bool contains(std::string_view name) const { return zip_.contains(name); }

  void read(std::string_view name, XmlHandler& handler) {
    if (!zip_.contains(name)) refuse_parts();
    XmlReader reader(handler);
    zip_.read(name, [&](std::string_view bytes) {
      transfer_.tick(unpacked_);
      unpacked_ += bytes.size();
      reader.feed(bytes);
    });
    reader.finish();
  }

 private:
  ZipReader zip_;
  const Transfer& transfer_;
  std::uint64_t unpacked_ = 0;
};

SharedStrings read_shared_strings(Workbook& workbook, const std::vector<Relationship>& relationships) {
  SharedStrings strings;
  const auto found = std::find_if(relationships.begin(), relationships.end(),
                                  [](const Relationship& r) { return r.type.ends_with("/sharedStrings"); });
  if (found != relationships.end()) workbook.read(found->part, strings);
  return strings;
}

const Relationship& relationship_of(const std::vector<Relationship>& relationships, std::string_view id) {
  const auto found = std::find_if(relationships.begin(), relationships.end(),
                                  [&](const Relationship& r) { return r.id == id; });
  if (found == relationships.end()) refuse_parts();
  return *found;
}

}  // namespace

ListReport read_spreadsheet_list(std::string_view bytes, Date reference, const Transfer& transfer) {
  transfer.tick(0);
  require_zip(bytes);
  Workbook workbook(bytes, transfer);
  if (!workbook.contains(kWorkbook) || !workbook.contains(kRelationships))
    refuse_spreadsheet(
        "it is not a workbook of Excel 2007 or later: save it as .xlsx, or save the list as CSV (UTF-8)");
  WorkbookPart contents;
  workbook.read(kWorkbook, contents);
  RelationshipsPart relationships;
  workbook.read(kRelationships, relationships);
  const SharedStrings strings = read_shared_strings(workbook, relationships.all);

  Column column(reference);
  std::size_t number = 0;
  for (const std::string& id : contents.sheets) {
    const Relationship& sheet = relationship_of(relationships.all, id);
    if (!sheet.type.ends_with("/worksheet"))
      refuse_spreadsheet(
          "the spreadsheet has a sheet that is no table (a chart, dialog or macro sheet): remove it");
    SheetPart part(++number, strings, column);
    workbook.read(sheet.part, part);
  }
  return column.finish();
}

}  // namespace veer

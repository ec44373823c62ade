#include <algorithm>

#include <fmt/format.h>

#include "formats/list.h"
#include "formats/list_collector.h"

namespace veer {
namespace {

constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";
constexpr unsigned kMostHeadingLines = 5;
constexpr std::size_t kBetweenLooks = std::size_t{1} << 20;

bool is_delimiter(char c) { return c == ';' || c == ',' || c == '\t'; }

struct Field {
  std::string text;
  bool well_formed = true;
};

// Takes the first field off `line`, with its quotes (RFC 4180) resolved; `line` is left behind the delimiter.
Field take_field(std::string_view& line) {
  Field field;
  const std::string_view start = without_leading_blanks(line);
  if (!start.starts_with('"')) {
    const auto end =
        static_cast<std::size_t>(std::find_if(line.begin(), line.end(), is_delimiter) - line.begin());
    field.text = trimmed(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
    return field;
  }
  line.remove_prefix(static_cast<std::size_t>(start.data() - line.data()) + 1);
  bool closed = false;
  while (!line.empty() && !closed) {
    const char c = line.front();
    line.remove_prefix(1);
    if (c != '"') {
      field.text += c;
    } else if (line.starts_with('"')) {
      field.text += '"';
      line.remove_prefix(1);
    } else {
      closed = true;
    }
  }
  const auto end =
      static_cast<std::size_t>(std::find_if(line.begin(), line.end(), is_delimiter) - line.begin());
  field.well_formed = closed && trimmed(line.substr(0, end)).empty();
  field.text = trimmed(field.text);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

// Excel's own word about the delimiter, which is no part of the list.
bool is_delimiter_line(std::string_view line) {
  line = trimmed(line);
  if (line.size() == 7 && line.front() == '"' && line.back() == '"') line = line.substr(1, 5);
  static constexpr std::string_view kWord = "sep=";
  return line.size() == 5 && std::equal(kWord.begin(), kWord.end(), line.begin(), [](char word, char c) {
           return c == word || (word != '=' && c == word - 'a' + 'A');
         });
}

// A line of one column, without the delimiters behind it.
std::string_view alone(std::string_view line) {
  line = trimmed(line);
  while (!line.empty() && is_delimiter(line.back())) line = trimmed(line.substr(0, line.size() - 1));
  return line;
}

bool is_quote_open(std::string_view text) { return std::count(text.begin(), text.end(), '"') % 2 == 1; }

// A heading may go on in its cell's next lines: where it ends, and how many lines `more` it takes. Anything
// else ends with its line.
std::size_t end_of_heading(std::string_view bytes, std::size_t end, char line_end, unsigned& more) {
  std::size_t joined = end;
  for (unsigned lines = 0; is_quote_open(bytes.substr(0, joined)); ++lines) {
    if (joined == std::string_view::npos || lines == kMostHeadingLines) {
      more = 0;
      return end;
    }
    joined = bytes.find(line_end, joined + 1);
    more = lines + 1;
  }
  std::string_view heading = bytes.substr(0, joined);
  while (heading.ends_with('\r')) heading.remove_suffix(1);
  const Field field = take_field(heading);
  if (field.well_formed && is_header(field.text)) return joined;
  more = 0;
  return end;
}

// A cell that keeps its zeros as a formula does: ="05070999751".
std::string_view without_formula(std::string_view text) {
  if (text.size() > 3 && text.starts_with("=\"") && text.ends_with('"'))
    return text.substr(2, text.size() - 3);
  return text;
}

// `other`: what stands in it. After a comma it may be meant for a decimal, which nobody can know.
[[noreturn]] void throw_second_column(std::uint64_t line, std::string_view other) {
  throw Error(
      Code::f_extra_data,
      fmt::format(
          "line {} has a second column. The protocol lets INSZ numbers travel and nothing else (article "
          "3): remove every other column{}",
          line, other == "0" ? ", or export the numbers as text, when it is a decimal behind a comma" : ""));
}

[[noreturn]] void throw_many_columns(std::uint64_t line) {
  throw Error(
      Code::f_extra_data,
      fmt::format("line {} has more columns than a spreadsheet can have: put nothing but the numbers into "
                  "the file",
                  line));
}

void require_text(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"))
    throw Error(Code::i_format, "it is a text in UTF-16 (Excel's 'Unicode text'): save it as CSV (UTF-8)");
  if (bytes.find('\0') != std::string_view::npos)
    throw Error(Code::i_format, "it is not a text that this program reads: save it as CSV (UTF-8)");
}

class TextList {
 public:
  explicit TextList(Date reference) : collector_(reference) {}

  ListReport read(std::string_view bytes, const Transfer& transfer) {
    transfer.tick(0);
    const std::size_t whole = bytes.size();
    std::size_t looked = 0;
    require_text(bytes);
    if (bytes.starts_with(kUtf8Mark)) bytes.remove_prefix(kUtf8Mark.size());
    // Old Macintosh texts end lines with CR alone.
    const char line_end = bytes.find('\n') == std::string_view::npos ? '\r' : '\n';
    collector_.reserve(bytes.size() / 12 + 1);
    while (!bytes.empty()) {
      ++line_;
      std::size_t end = bytes.find(line_end);
      unsigned more = 0;
      if (first_) end = end_of_heading(bytes, end, line_end, more);
      std::string_view line = bytes.substr(0, end);
      while (line.ends_with('\r')) line.remove_suffix(1);
      if (!first_ || !is_delimiter_line(line)) read_line(line);
      line_ += more;
      bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
      if (whole - bytes.size() - looked < kBetweenLooks) continue;
      looked = whole - bytes.size();
      transfer.tick(looked);
    }
    return collector_.finish();
  }

 private:
  void read_line(std::string_view line) {
    const auto place = [&] { return fmt::format("line {}", line_); };
    const bool bare = line.size() == 11 && all_digits(line);
    if (bare) {
      first_ = false;
      collector_.add(line, place);
      return;
    }
    // Its decimal sign may be a delimiter: a single zero behind a comma may be another column.
    const std::string_view sole = alone(line);
    if (is_shortened(sole)) throw_shortened(place());
    if (const auto amount = without_decimals(sole, 2); amount.size() < sole.size()) line = amount;
    Field field = take_field(line);
    field.text = without_decimals(without_formula(field.text));
    const bool header = first_ && field.well_formed && is_header(field.text);
    for (std::uint32_t columns = 1; !line.empty(); ++columns) {
      if (columns == kMostColumns) throw_many_columns(line_);
      const Field other = take_field(line);
      if (!other.text.empty() || !other.well_formed) throw_second_column(line_, other.text);
    }
    if (field.text.empty() && field.well_formed) return;  // a blank line
    first_ = false;
    if (header) return collector_.add_header();
    if (field.well_formed)
      collector_.add(field.text, place);
    else
      collector_.add_fault(Code::r_format, place);
  }

  ListCollector collector_;
  std::uint64_t line_ = 0;
  bool first_ = true;
};

}  // namespace

ListReport read_text_list(std::string_view bytes, Date reference, const Transfer& transfer) {
  return TextList(reference).read(bytes, transfer);
}

}  // namespace veer

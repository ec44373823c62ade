#include "support/canary.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>
#include <unordered_map>

#include <sqlite3.h>

#include "core/digest.h"
#include "support/temp_folder.h"

namespace veer::test {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSqlite = "SQLite format 3";
// Fewer digits than this say nothing about a person.
constexpr std::size_t kShortestText = 8;

std::string wide(std::string_view text, bool high_first) {
  std::string bytes;
  for (const char c : text) {
    if (high_first) bytes += '\0';
    bytes += c;
    if (!high_first) bytes += '\0';
  }
  return bytes;
}

std::string hex(std::string_view text, const char* digits) {
  std::string all;
  for (const char c : text) {
    all += digits[static_cast<unsigned char>(c) >> 4];
    all += digits[static_cast<unsigned char>(c) & 15];
  }
  return all;
}

// What base64 says of `text` after so many bytes of something else, without the characters that tell of that.
std::string base64_after(std::size_t before, std::string_view text) {
  const std::string all = base64(std::string(before, '\0') + std::string(text));
  const std::size_t first = (before * 8 + 5) / 6;
  const std::size_t end = (before + text.size()) * 8 / 6;
  return all.substr(first, end - first);
}

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text += static_cast<char>((value >> shift) & 0xff);
  return text;
}

std::vector<std::string> both_orders(const std::string& big) {
  return {big, std::string(big.rbegin(), big.rend())};
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Looks for many forms at once, by the first three bytes of each and a small table of what they may be.
class Search {
 public:
  explicit Search(const std::vector<std::string>& forms) : begins_(std::size_t{1} << kTableBits) {
    for (const std::string& form : forms) {
      begins_[place(beginning(form.data()))] = true;
      forms_[beginning(form.data())].push_back(form);
    }
  }
  bool finds(std::string_view bytes) const {
    for (std::size_t i = 0; i + 3 <= bytes.size(); ++i) {
      const std::uint32_t here = beginning(bytes.data() + i);
      if (!begins_[place(here)]) continue;
      const auto found = forms_.find(here);
      if (found == forms_.end()) continue;
      for (const std::string& form : found->second)
        if (bytes.substr(i, form.size()) == form) return true;
    }
    return false;
  }

 private:
  static constexpr unsigned kTableBits = 18;
  static std::size_t place(std::uint32_t beginning) { return beginning * 2654435761U >> (32 - kTableBits); }
  static std::uint32_t beginning(const char* bytes) {
    const auto byte = [&](int i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
    return byte(0) << 16 | byte(1) << 8 | byte(2);
  }
  std::vector<bool> begins_;
  std::unordered_map<std::uint32_t, std::vector<std::string>> forms_;
};

/// Everything that is looked for, made ready once.
class Canaries {
 public:
  explicit Canaries(const std::vector<Insz>& numbers)
      : anywhere_(all(numbers, false)), in_database_(all(numbers, true)) {
    for (const Insz& number : numbers) values_.insert(static_cast<std::int64_t>(number.value()));
  }
  bool in(std::string_view bytes) const {
    if (anywhere_.finds(bytes)) return true;
    if (bytes.find('\n') == std::string_view::npos) return false;
    std::string joined(bytes);  // base64 comes in lines
    std::erase_if(joined, [](char c) { return c == '\n' || c == '\r'; });
    return anywhere_.finds(joined);
  }
  bool in_page(std::string_view bytes) const { return in_database_.finds(bytes); }
  bool is_one(std::int64_t value) const { return values_.contains(value); }

 private:
  static std::vector<std::string> all(const std::vector<Insz>& numbers, bool with_short) {
    std::vector<std::string> forms;
    const auto add = [&](std::vector<std::string> more) {
      forms.insert(forms.end(), more.begin(), more.end());
    };
    for (const Insz& number : numbers) {
      add(forms_of(number));
      if (with_short) add(short_forms_of(number));
    }
    return forms;
  }

  Search anywhere_;
  Search in_database_;
  std::set<std::int64_t> values_;
};

/// A copy of a database with its log, read with SQLite's own functions.
class DatabaseCopy {
 public:
  explicit DatabaseCopy(const fs::path& path) : copy_(TempFolder::Place::in_memory) {
    for (const char* suffix : {"", "-wal"})
      if (fs::exists(path.native() + suffix))
        fs::copy_file(path.native() + suffix, (copy_ / "db").native() + suffix);
    sqlite3* opened = nullptr;
    const int result = sqlite3_open((copy_ / "db").c_str(), &opened);
    connection_.reset(opened);
    if (result != SQLITE_OK) throw std::runtime_error("a database cannot be opened");
  }

  template <typename Each>
  void each(const std::string& sql, Each each) const {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(connection_.get(), sql.c_str(), -1, &made, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(connection_.get()));
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> statement(made, &sqlite3_finalize);
    int result = SQLITE_ROW;
    while ((result = sqlite3_step(made)) == SQLITE_ROW) each(made);
    if (result != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(connection_.get()));
  }

 private:
  TempFolder copy_;
  std::unique_ptr<sqlite3, decltype(&sqlite3_close)> connection_{nullptr, &sqlite3_close};
};

std::string text_at(sqlite3_stmt* row, int column) {
  const void* bytes = sqlite3_column_blob(row, column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

bool cell_holds(sqlite3_stmt* row, int column, const Canaries& canaries) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return canaries.is_one(sqlite3_column_int64(row, column));
    case SQLITE_FLOAT:
      return canaries.is_one(static_cast<std::int64_t>(sqlite3_column_double(row, column)));
    case SQLITE_NULL:
      return false;
    default:
      return canaries.in(text_at(row, column));
  }
}

// Every cell of every table, and what the tables themselves are made of.
void look_into_cells(const DatabaseCopy& db, const std::string& name, bool is_register,
                     const Canaries& canaries, std::set<std::string>& found) {
  std::vector<std::string> tables = {"sqlite_schema"};
  db.each("SELECT name FROM sqlite_schema WHERE type = 'table'",
          [&](sqlite3_stmt* row) { tables.push_back(text_at(row, 0)); });
  for (const std::string& table : tables) {
    if (is_register && table == "entry") continue;
    db.each("SELECT * FROM \"" + table + "\"", [&](sqlite3_stmt* row) {
      for (int column = 0; column < sqlite3_column_count(row); ++column)
        if (cell_holds(row, column, canaries))
          found.insert(name + ": " + table + "." + sqlite3_column_name(row, column));
    });
  }
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<std::size_t>(i)));
  return value;
}

std::size_t page_size_of(std::string_view database) {
  const std::size_t told = number_at(database, 16, 2);
  return told == 1 ? 65536 : told;
}

// Pages of the file and frames of its log, used and free, but for those of the table "entry" of a register.
void look_into_pages(const DatabaseCopy& db, const fs::path& path, bool is_register, const Canaries& canaries,
                     std::set<std::string>& found) {
  static constexpr std::size_t kLogHeader = 32;
  static constexpr std::size_t kFrameHeader = 24;
  const std::string name = path.filename();
  std::set<std::uint64_t> allowed;
  if (is_register)
    db.each("SELECT pageno FROM dbstat WHERE name = 'entry'", [&](sqlite3_stmt* row) {
      allowed.insert(static_cast<std::uint64_t>(sqlite3_column_int64(row, 0)));
    });
  const std::string file = bytes_of(path);
  const std::size_t size = page_size_of(file);
  for (std::size_t page = 1; (page - 1) * size < file.size(); ++page)
    if (!allowed.contains(page) && canaries.in_page(std::string_view(file).substr((page - 1) * size, size)))
      found.insert(name + ": page " + std::to_string(page));
  const std::string log = bytes_of(path.native() + "-wal");
  for (std::size_t at = kLogHeader; at + kFrameHeader + size <= log.size(); at += kFrameHeader + size)
    if (!allowed.contains(number_at(log, at, 4)) &&
        canaries.in_page(std::string_view(log).substr(at + kFrameHeader, size)))
      found.insert(name + "-wal: page " + std::to_string(number_at(log, at, 4)));
}

}  // namespace

std::vector<std::string> forms_of(const Insz& number) {
  const auto array = number.digits();
  const std::string digits(array.begin(), array.end());
  const std::string dotted = digits.substr(0, 2) + "." + digits.substr(2, 2) + "." + digits.substr(4, 2) +
                             "-" + digits.substr(6, 3) + "." + digits.substr(9);
  std::vector<std::string> texts = {digits, dotted};
  const std::string bare = std::to_string(number.value());
  if (bare != digits && bare.size() >= kShortestText) texts.push_back(bare);
  std::vector<std::string> forms = both_orders(big_endian(number.value(), 6));
  for (const char* dash : {"\u2013", "\u2011", "\u00a0", "/", "\t"})
    forms.push_back(dotted.substr(0, 8) + dash + dotted.substr(9));
  for (const std::string& text : texts) {
    forms.push_back(text);
    forms.push_back(wide(text, true));
    forms.push_back(wide(text, false));
    forms.push_back(hex(text, "0123456789abcdef"));
    forms.push_back(hex(text, "0123456789ABCDEF"));
    for (std::size_t before = 0; before < 3; ++before) forms.push_back(base64_after(before, text));
  }
  return forms;
}

std::vector<std::string> short_forms_of(const Insz& number) {
  if (number.value() >= std::uint64_t{1} << 31) return {};
  return both_orders(big_endian(number.value(), 4));
}

bool holds_number(std::string_view bytes, const std::vector<Insz>& numbers) {
  const Canaries canaries(numbers);
  return bytes.starts_with(kSqlite) ? canaries.in_page(bytes) : canaries.in(bytes);
}

std::vector<std::string> files_holding(const fs::path& folder, const std::vector<Insz>& numbers,
                                       const std::vector<fs::path>& registers) {
  const Canaries canaries(numbers);
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const fs::path& path = entry.path();
    const std::string name = path.filename();
    if (canaries.in(name)) found.insert(path.native());
    if (!entry.is_regular_file()) continue;
    const std::string bytes = bytes_of(path);
    if (bytes.starts_with(kSqlite)) {
      const bool is_register = std::find(registers.begin(), registers.end(), path) != registers.end();
      const DatabaseCopy db(path);
      look_into_cells(db, name, is_register, canaries, found);
      look_into_pages(db, path, is_register, canaries, found);
    } else if (!(name.ends_with("-wal") && fs::exists(path.native().substr(0, path.native().size() - 4))) &&
               canaries.in(bytes)) {
      found.insert(path.native());
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace veer::test

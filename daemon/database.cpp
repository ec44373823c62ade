#include "daemon/database.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>
#include <deque>
#include <map>

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/exposure.h"
#include "core/files.h"
#include "daemon/sqlite.h"

namespace veer {
namespace {

std::string path_of(std::string_view url) {
  static constexpr std::string_view kScheme = "sqlite:";
  if (!url.starts_with(kScheme) || url.size() == kScheme.size())
    throw Error(Code::c_config, "database.url must be sqlite:/path/to/file");
  std::string path(url.substr(kScheme.size()));
  if (!sqlite::is_file_name(path))
    throw Error(Code::c_config, "the database's path must not hold a quotation mark or a control character");
  return path;
}

std::int64_t to_integer(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(Code::l_database, "the database holds text where a number should stand");
  return value;
}

}  // namespace

std::optional<std::string> exposure_of_database(std::string_view url) {
  const std::string path = path_of(url);
  if (auto exposure = exposure_of(fs::path(path).parent_path())) return exposure;
  for (const std::string& file : sqlite::files_of(path))
    if (auto exposure = exposure_of_file(file)) return exposure;
  return std::nullopt;
}

std::int64_t Row::integer(std::size_t column) const { return to_integer(columns_.at(column).value_or("0")); }

std::optional<std::int64_t> Row::maybe_integer(std::size_t column) const {
  return is_null(column) ? std::nullopt : std::optional(integer(column));
}

// Every call of SOCI goes through guarded(): its exceptions quote bound values, which are people's numbers,
// so nothing of their text leaves this file.
struct Database::Impl {
  soci::session session;

  sqlite_api::sqlite3* native() const {
    return static_cast<soci::sqlite3_session_backend*>(const_cast<soci::session&>(session).get_backend())
        ->conn_;
  }
  ::sqlite3* handle() const { return reinterpret_cast<::sqlite3*>(native()); }

  template <typename Call>
  auto guarded(Call call) {
    try {
      return call();
    } catch (const soci::sqlite3_soci_error& error) {
      throw sqlite::error_of(error.result());
    } catch (const soci::soci_error&) {
      throw Error(Code::l_database, "the database refused an operation");
    }
  }

  /// A prepared statement with what is bound to it, and where its columns go. Prepared once, it runs often.
  struct Statement {
    Statement(soci::session& session, std::string_view sql, const std::vector<Value>& values)
        : handle(session) {
      handle.alloc();
      handle.prepare(std::string(sql));
      for (const Value& value : values) {
        indicators.push_back(soci::i_null);
        if (std::holds_alternative<std::int64_t>(value))
          handle.exchange(soci::use(integers.emplace_back(), indicators.back()));
        else
          handle.exchange(soci::use(texts.emplace_back(), indicators.back()));
      }
      const int columns = handle.get_backend()->prepare_for_describe();
      for (int i = 0; i < columns; ++i) {
        cell_indicators.push_back(soci::i_null);
        handle.exchange(soci::into(cells.emplace_back(), cell_indicators.back()));
      }
      handle.define_and_bind();
    }

    /// `values`: of the same types as at first.
    void set(const std::vector<Value>& values) {
      auto integer = integers.begin();
      auto text = texts.begin();
      for (std::size_t i = 0; i < values.size(); ++i) {
        indicators[i] = std::holds_alternative<std::nullptr_t>(values[i]) ? soci::i_null : soci::i_ok;
        if (const auto* number = std::get_if<std::int64_t>(&values[i]))
          *integer++ = *number;
        else
          *text++ = indicators[i] == soci::i_ok ? std::get<std::string>(values[i]) : "";
      }
    }

    std::vector<Row> run() {
      std::vector<Row> rows;
      for (bool more = handle.execute(true); more; more = handle.fetch()) {
        std::vector<std::optional<std::string>> row;
        row.reserve(cells.size());
        for (std::size_t i = 0; i < cells.size(); ++i)
          row.push_back(cell_indicators[i] == soci::i_ok ? std::optional(cells[i]) : std::nullopt);
        rows.emplace_back(std::move(row));
      }
      return rows;
    }

    /// It outlives its call: what it was given and gave is wiped. Numbers of people do not go this way, but
    /// by insert_entries().
    void forget() {
      for (auto* strings : {&texts, &cells})
        for (std::string& text : *strings) {
          explicit_bzero(text.data(), text.size());
          text = {};
        }
      std::fill(integers.begin(), integers.end(), 0);
    }

    soci::statement handle;
    std::deque<std::int64_t> integers;
    std::deque<std::string> texts;
    std::deque<soci::indicator> indicators;
    std::deque<std::string> cells;
    std::deque<soci::indicator> cell_indicators;
  };

  /// The statements that ran to their end before, by their text and the types of their values.
  std::map<std::string, std::unique_ptr<Statement>> prepared;

  /// Runs it to its end, so that it keeps no lock; `use(statement, rows)` makes the result of it.
  template <typename Use>
  auto run(std::string_view sql, const std::vector<Value>& values, Use use) {
    static constexpr std::size_t kMostPrepared = 200;
    std::string key(sql);
    for (const Value& value : values) key += std::holds_alternative<std::int64_t>(value) ? ":i" : ":t";
    auto kept = prepared.extract(key);
    // One that fails is not used again.
    auto statement = kept ? std::move(kept.mapped()) : std::make_unique<Statement>(session, sql, values);
    statement->set(values);
    auto result = use(*statement, statement->run());
    statement->forget();
    if (prepared.size() >= kMostPrepared) prepared.clear();
    prepared.emplace(std::move(key), std::move(statement));
    return result;
  }

  void run(const std::string& sql) {
    guarded([&] { session << sql; });
  }
};

Database::Database(std::string_view url, Access access) : impl_(std::make_unique<Impl>()) {
  const std::string path = path_of(url);
  const bool read_only = access == Access::read_only;
  const auto open = [&] {
    impl_->guarded([&] { impl_->session.open(soci::sqlite3, sqlite::connect_string(path, read_only)); });
    for (const std::string& statement : sqlite::opening_statements(read_only)) impl_->run(statement);
  };
  if (read_only) {  // it makes no file, and others may be making theirs in another thread
    open();
    return;
  }
  const mode_t mask = umask(0077);
  try {
    open();
  } catch (...) {
    umask(mask);
    throw;
  }
  umask(mask);
}

Database::~Database() = default;

std::vector<Row> Database::query(std::string_view sql, const std::vector<Value>& values) {
  return impl_->guarded(
      [&] { return impl_->run(sql, values, [](Impl::Statement&, std::vector<Row> rows) { return rows; }); });
}

std::optional<Row> Database::query_one(std::string_view sql, const std::vector<Value>& values) {
  std::vector<Row> rows = query(sql, values);
  if (rows.size() > 1) throw Error(Code::l_database, "the books hold more than one row where one is meant");
  return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

std::int64_t Database::execute(std::string_view sql, const std::vector<Value>& values) {
  return impl_->guarded([&] {
    return impl_->run(sql, values, [](Impl::Statement& statement, const std::vector<Row>&) {
      return std::int64_t{statement.handle.get_affected_rows()};
    });
  });
}

void Database::transaction(const std::function<void()>& work) {
  assert(!in_transaction());
  execute(sqlite::kBegin);
  try {
    work();
    if (!in_transaction())
      throw Error(Code::l_database, "the database ended a transaction by itself; nothing of it was kept");
    execute("COMMIT");
  } catch (...) {
    if (in_transaction()) {
      try {
        execute("ROLLBACK");
      } catch (const Error&) {  // the first error is the one to tell; SQLite rolls back at the next opening
      }
    }
    throw;
  }
}

bool Database::in_transaction() const { return sqlite::in_transaction(impl_->handle()); }

bool Database::has_table(std::string_view name) {
  return query_one(sqlite::kCountTables, {std::string(name)})->integer(0) > 0;
}

void Database::create_entry_table() { execute(sqlite::kCreateEntryTable); }

void Database::rewrite() {
  assert(!in_transaction());
  impl_->run(std::string(sqlite::kWriteAnew));
}

bool Database::empty_log() { return query_one(sqlite::kEmptyLog)->integer(0) == 0; }

void Database::insert_entries(std::int64_t list, std::span<const Insz> numbers) {
  assert(in_transaction());
  sqlite::insert_entries(impl_->handle(), list, numbers);
}

void Database::copy_to(const std::string& path) {
  if (!sqlite::is_file_name(path))
    throw Error(Code::u_usage, "the copy's path must not hold a quotation mark or a control character");
  const mode_t mask = umask(0077);
  try {
    for (const std::string& statement : sqlite::copy_statements(path)) impl_->run(statement);
  } catch (...) {
    umask(mask);
    throw;
  }
  umask(mask);
  SpoolWriter(path, fs::file_size(path)).finish();  // SQLite leaves it to the caller to have it on the disk
}

std::vector<std::string> Database::integrity_problems() {
  std::vector<std::string> problems;
  for (const Row& row : query(sqlite::kIntegrityCheck))
    if (row.text(0) != "ok") problems.push_back("the database's own check found a damaged place");
  return problems;
}

}  // namespace veer

#include "daemon/database.h"

#include <cassert>
#include <charconv>
#include <deque>

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <sys/stat.h>

#include "core/error.h"
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

  // Statement with values bound and, when `columns` is given, places to fetch into.
  struct Bound {
    explicit Bound(soci::session& session) : statement(session) {}
    soci::statement statement;
    std::deque<std::int64_t> integers;
    std::deque<std::string> texts;
    std::deque<soci::indicator> indicators;
    std::deque<std::string> cells;
    std::deque<soci::indicator> cell_indicators;

    void bind(const Value& value) {
      indicators.push_back(std::holds_alternative<std::nullptr_t>(value) ? soci::i_null : soci::i_ok);
      if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        integers.push_back(*integer);
        statement.exchange(soci::use(integers.back(), indicators.back()));
      } else {
        const auto* text = std::get_if<std::string>(&value);
        texts.push_back(text != nullptr ? *text : "");
        statement.exchange(soci::use(texts.back(), indicators.back()));
      }
    }
  };

  std::unique_ptr<Bound> prepare(std::string_view sql, const std::vector<Value>& values) {
    auto bound = std::make_unique<Bound>(session);
    bound->statement.alloc();
    bound->statement.prepare(std::string(sql));
    for (const Value& value : values) bound->bind(value);
    return bound;
  }

  void run(const std::string& sql) {
    guarded([&] { session << sql; });
  }
};

Database::Database(std::string_view url, Access access) : impl_(std::make_unique<Impl>()) {
  const std::string path = path_of(url);
  const bool read_only = access == Access::read_only;
  const mode_t mask = umask(0077);
  try {
    impl_->guarded([&] { impl_->session.open(soci::sqlite3, sqlite::connect_string(path, read_only)); });
    for (const std::string& statement : sqlite::opening_statements(read_only)) impl_->run(statement);
  } catch (...) {
    umask(mask);
    throw;
  }
  umask(mask);
}

Database::~Database() = default;

std::vector<Row> Database::query(std::string_view sql, const std::vector<Value>& values) {
  return impl_->guarded([&] {
    const auto bound = impl_->prepare(sql, values);
    const int columns = bound->statement.get_backend()->prepare_for_describe();
    for (int i = 0; i < columns; ++i) {
      bound->cells.emplace_back();
      bound->cell_indicators.push_back(soci::i_null);
      bound->statement.exchange(soci::into(bound->cells.back(), bound->cell_indicators.back()));
    }
    bound->statement.define_and_bind();
    std::vector<Row> rows;
    for (bool more = bound->statement.execute(true); more; more = bound->statement.fetch()) {
      std::vector<std::optional<std::string>> cells;
      cells.reserve(static_cast<std::size_t>(columns));
      for (std::size_t i = 0; i < bound->cells.size(); ++i)
        cells.push_back(bound->cell_indicators[i] == soci::i_ok ? std::optional(bound->cells[i])
                                                                : std::nullopt);
      rows.emplace_back(std::move(cells));
    }
    return rows;
  });
}

std::optional<Row> Database::query_one(std::string_view sql, const std::vector<Value>& values) {
  std::vector<Row> rows = query(sql, values);
  assert(rows.size() <= 1);
  return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
}

std::int64_t Database::execute(std::string_view sql, const std::vector<Value>& values) {
  return impl_->guarded([&] {
    const auto bound = impl_->prepare(sql, values);
    bound->statement.define_and_bind();
    bound->statement.execute(true);
    return std::int64_t{bound->statement.get_affected_rows()};
  });
}

void Database::transaction(const std::function<void()>& work) {
  assert(!in_transaction());
  impl_->run(std::string(sqlite::kBegin));
  try {
    work();
    if (!in_transaction())
      throw Error(Code::l_database, "the database ended a transaction by itself; nothing of it was kept");
    impl_->run("COMMIT");
  } catch (...) {
    if (in_transaction()) {
      try {
        impl_->run("ROLLBACK");
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

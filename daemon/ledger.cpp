#include "daemon/ledger.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "core/digest.h"

namespace veer {
namespace {

constexpr std::array<std::string_view, 9> kStages = {
    "held", "sealed", "sent", "acknowledged", "refused", "withdrawn", "rejected", "recorded", "answered"};
constexpr std::array<std::string_view, 5> kArrivalStages = {"found", "fetched", "settled", "cleared", "kept"};
constexpr std::array<std::string_view, 8> kOutcomes = {
    "", "recorded", "refused", "repeated", "quarantined", "receipt", "gone", "letter"};

constexpr std::string_view kExchangeColumns =
    "id, purpose, environment, reference_year, revision, stem, copy, package, package_sha256, package_size, "
    "records,"
    " set_aside, merged, restored, stage, origin, noted, command, resume_note, opened_at, changed_at, "
    "due_at, "
    "attempts, "
    "problem_code,"
    " problem, header";
constexpr std::string_view kArrivalColumns =
    "id, name, revision, size, stage, outcome, sha256, exchange, resumed, appearances, found_at, due_at,"
    " attempts, problem_code, problem";
// Settings.
const std::string kLastStem = "last_stem";          // milliseconds
const std::string kReservedStem = "reserved_stem";  // the whole stem
constexpr std::string_view kReceiptColumns = "exchange, json, json_sha256, signature, status, copy, at";

template <typename Enum, std::size_t N>
Enum named(const std::array<std::string_view, N>& names, const std::string& name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  throw Error(Code::l_database, "the ledger holds a word that this version does not know");
}

std::string select(std::string_view columns, std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM " + std::string(rest);
}

std::int64_t integer(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t count_at(const Row& row, std::size_t column) {
  return static_cast<std::uint64_t>(row.integer(column));
}

Exchange exchange_of(const Row& row) {
  Exchange x;
  x.id = row.text(0);
  x.purpose = row.text(1) == purpose_name(Purpose::rehearsal) ? Purpose::rehearsal : Purpose::list;
  x.environment = row.text(2);
  x.reference_year = static_cast<int>(row.integer(3));
  x.revision = row.integer(4);
  x.stem = row.text(5);
  x.copy = static_cast<int>(row.integer(6));
  x.package = row.text(7);
  x.package_sha256 = row.text(8);
  x.package_size = count_at(row, 9);
  x.records = count_at(row, 10);
  x.set_aside = count_at(row, 11);
  x.merged = count_at(row, 12);
  x.restored = count_at(row, 13);
  x.stage = named<Stage>(kStages, row.text(14));
  x.origin = row.text(15);
  x.noted = row.integer(16) != 0;
  x.command = row.integer(17);
  x.resume_note = row.text(18);
  x.opened_at = from_millis(row.integer(19));
  x.changed_at = from_millis(row.integer(20));
  x.wait = {row.maybe_time(21), row.integer(22), row.text(23), row.text(24)};
  x.header = row.integer(25) != 0;
  return x;
}

Arrival arrival_of(const Row& row) {
  Arrival a;
  a.id = row.integer(0);
  a.name = row.text(1);
  a.revision = row.text(2);
  a.size = count_at(row, 3);
  a.stage = named<ArrivalStage>(kArrivalStages, row.text(4));
  a.outcome = named<Outcome>(kOutcomes, row.text(5));
  a.sha256 = row.text(6);
  a.exchange = row.text(7);
  a.resumed = row.integer(8) != 0;
  a.appearances = row.integer(9);
  a.found_at = from_millis(row.integer(10));
  a.wait = {row.maybe_time(11), row.integer(12), row.text(13), row.text(14)};
  return a;
}

StoredReceipt receipt_of_row(const Row& row) {
  static constexpr std::array<std::string_view, 3> kStatuses = {"recorded", "refused", "rehearsed"};
  return {row.text(0),
          row.text(1),
          row.text(2),
          from_base64(row.text(3)),
          named<ReceiptStatus>(kStatuses, row.text(4)),
          static_cast<int>(row.integer(5)),
          from_millis(row.integer(6))};
}

template <typename Made>
auto first(const std::vector<Row>& rows, Made made) -> std::optional<decltype(made(rows.front()))> {
  if (rows.empty()) return std::nullopt;
  return made(rows.front());
}

}  // namespace

std::string_view stage_name(Stage stage) { return kStages.at(static_cast<std::size_t>(stage)); }
bool is_open(Stage stage) { return stage == Stage::held || stage == Stage::sealed || stage == Stage::sent; }
bool is_taken_back(Stage stage) { return stage == Stage::withdrawn || stage == Stage::rejected; }
std::string_view arrival_stage_name(ArrivalStage stage) {
  return kArrivalStages.at(static_cast<std::size_t>(stage));
}
std::string_view outcome_name(Outcome outcome) { return kOutcomes.at(static_cast<std::size_t>(outcome)); }

// Exchanges.

void Ledger::insert(const Exchange& x) {
  db_.execute("INSERT INTO exchange (" + std::string(kExchangeColumns) +
                  ") VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j, :k, :l, :m, :n, :o, :p, :q, :r, :s, :t, "
                  ":u, :v, 0,"
                  " NULL, NULL, :w)",
              {x.id,
               std::string(purpose_name(x.purpose)),
               x.environment,
               x.reference_year,
               x.revision,
               x.stem,
               x.copy,
               x.package,
               x.package_sha256,
               integer(x.package_size),
               integer(x.records),
               integer(x.set_aside),
               integer(x.merged),
               integer(x.restored),
               std::string(stage_name(x.stage)),
               x.origin,
               std::int64_t{x.noted},
               x.command == 0 ? Value(nullptr) : Value(x.command),
               x.resume_note,
               to_millis(x.opened_at),
               to_millis(x.changed_at),
               or_null(x.wait.due),
               std::int64_t{x.header}});
}

std::optional<Exchange> Ledger::exchange(const std::string& id) {
  return first(db_.query(select(kExchangeColumns, "exchange WHERE id = :id"), {id}), exchange_of);
}

bool is_called(const Exchange& x, const std::string& text) {
  return x.package == text || x.stem == text || (text.size() >= 4 && x.id.starts_with(text));
}

Exchange Ledger::find(const std::string& text) {
  std::vector<Exchange> fitting;
  for (Exchange& x : exchanges())
    if (is_called(x, text)) fitting.push_back(std::move(x));
  if (fitting.size() != 1)
    throw Error(
        Code::u_unknown,
        fitting.empty()
            ? "no exchange of that name (of an id at least its first four characters): see 'veer list'"
            : "more than one exchange begins like that: give more of its id");
  return std::move(fitting.front());
}

std::optional<Exchange> Ledger::exchange_with_digest(const std::string& package_sha256) {
  return first(db_.query(select(kExchangeColumns, "exchange WHERE package_sha256 = :sha"), {package_sha256}),
               exchange_of);
}

std::optional<Exchange> Ledger::exchange_of_command(std::int64_t command) {
  return first(db_.query(select(kExchangeColumns, "exchange WHERE command = :command"), {command}),
               exchange_of);
}

std::vector<Exchange> Ledger::exchanges() {
  std::vector<Exchange> all;
  for (const Row& row : db_.query(select(kExchangeColumns, "exchange ORDER BY opened_at DESC, id")))
    all.push_back(exchange_of(row));
  return all;
}

std::optional<Exchange> Ledger::holder(int reference_year) {
  return first(
      db_.query(select(kExchangeColumns,
                       "exchange WHERE reference_year = :year AND purpose = 'list' AND stage IN"
                       " ('held', 'sealed', 'sent', 'acknowledged') ORDER BY revision DESC, opened_at DESC"
                       " LIMIT 1"),
                {reference_year}),
      exchange_of);
}

std::optional<Exchange> Ledger::acknowledged(int reference_year) {
  return first(
      db_.query(select(kExchangeColumns,
                       "exchange WHERE reference_year = :year AND purpose = 'list' AND stage = 'acknowledged'"
                       " ORDER BY revision DESC, opened_at DESC LIMIT 1"),
                {reference_year}),
      exchange_of);
}

std::optional<Exchange> Ledger::list_beside(const Exchange& x) {
  const auto sealed_in = [](const Exchange& list) {
    return date_of(facts_in_stem(list.stem).sealed_at).year();
  };
  if (x.purpose != Purpose::list || x.revision != 1) return std::nullopt;
  for (Exchange& other : exchanges()) {
    if (other.purpose != Purpose::list || other.revision != 1 || other.reference_year == x.reference_year ||
        sealed_in(other) != sealed_in(x) || other.stage == Stage::refused || is_taken_back(other.stage))
      continue;
    const auto receipt = receipt_of(other.id);
    if (!receipt || receipt->status != ReceiptStatus::refused) return std::move(other);
  }
  return std::nullopt;
}

std::optional<Exchange> Ledger::last_rehearsal(bool done) {
  return first(
      db_.query(
          select(kExchangeColumns,
                 std::string("exchange WHERE purpose = 'rehearsal' AND opened_at <= :now") +
                     (done ? " AND id IN (SELECT exchange FROM receipt WHERE status = 'rehearsed')" : "") +
                     " ORDER BY opened_at DESC LIMIT 1"),
          {to_millis(clock_.now())}),
      exchange_of);
}

std::optional<Exchange> Ledger::next_exchange() {
  return first(
      db_.query(select(kExchangeColumns, "exchange WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT 1")),
      exchange_of);
}

void Ledger::move(const Exchange& x, Stage to, std::optional<Time> due) {
  const std::int64_t changed = db_.execute(
      "UPDATE exchange SET stage = :to, changed_at = :at, due_at = :due, attempts = 0, problem_code = NULL,"
      " problem = NULL, resume_note = NULL WHERE id = :id AND stage = :from",
      {std::string(stage_name(to)), to_millis(clock_.now()), or_null(due), x.id,
       std::string(stage_name(x.stage))});
  if (changed != 1) throw Error(Code::l_busy, "the exchange moved on in the meantime; it is looked at again");
}

void Ledger::set_copy(const Exchange& x, int copy, const std::string& package) {
  db_.execute(
      "UPDATE exchange SET copy = :copy, package = :package, resume_note = NULL, attempts = 0,"
      " problem_code = NULL, problem = NULL WHERE id = :id",
      {copy, package, x.id});
}

void Ledger::keep_note(const std::string& exchange, const std::string& note) {
  db_.execute("UPDATE exchange SET resume_note = :note WHERE id = :id", {note, exchange});
}

void Ledger::set_due(const std::string& exchange, std::optional<Time> due) {
  db_.execute("UPDATE exchange SET due_at = :due WHERE id = :id", {or_null(due), exchange});
}

void Ledger::defer(const Exchange& x, Time due, const Error& error) {
  db_.execute(
      "UPDATE exchange SET due_at = :due, attempts = :n, problem_code = :code, problem = :text WHERE id = "
      ":id",
      {to_millis(due), x.wait.attempts + 1, std::string(code_name(error.code())), error.message(), x.id});
}

// Receipts.

bool Ledger::insert_receipt(const StoredReceipt& r) {
  return db_.execute("INSERT INTO receipt (id, " + std::string(kReceiptColumns) +
                         ") VALUES (:id, :a, :b, :c, :d, :e, :f, :g) ON CONFLICT DO NOTHING",
                     {db_.query_one("SELECT coalesce(max(id), 0) + 1 FROM receipt")->integer(0), r.exchange,
                      r.json, r.json_sha256, r.signature.empty() ? Value(nullptr) : base64(r.signature),
                      std::string(status_name(r.status)), r.copy, to_millis(clock_.now())}) > 0;
}

void Ledger::sign_receipt(const std::string& json_sha256, const std::string& signature) {
  db_.execute("UPDATE receipt SET signature = :signature, at = :now WHERE json_sha256 = :sha",
              {base64(signature), to_millis(clock_.now()), json_sha256});
}

void Ledger::replace_receipt(const std::string& json_sha256, const StoredReceipt& r) {
  db_.execute(
      "UPDATE receipt SET json = :json, json_sha256 = :sha WHERE json_sha256 = :old AND signature IS NULL",
      {r.json, r.json_sha256, json_sha256});
}

void Ledger::set_receipt_copy(const std::string& json_sha256, int copy) {
  db_.execute("UPDATE receipt SET copy = :copy WHERE json_sha256 = :sha", {copy, json_sha256});
}

std::vector<StoredReceipt> Ledger::receipts_of(const std::string& exchange) {
  std::vector<StoredReceipt> receipts;
  for (const Row& row :
       db_.query(select(kReceiptColumns, "receipt WHERE exchange = :x ORDER BY id"), {exchange}))
    receipts.push_back(receipt_of_row(row));
  return receipts;
}

std::optional<StoredReceipt> Ledger::receipt_of(const std::string& exchange) {
  return first(
      db_.query(select(kReceiptColumns, "receipt WHERE exchange = :x ORDER BY id DESC LIMIT 1"), {exchange}),
      receipt_of_row);
}

std::optional<std::string> Ledger::last_receipt() {
  // By the receiver's own time, since two that were open together may have come in any order; where its clock
  // stood ahead, by when it came.
  static constexpr const char* kNewest =
      "SELECT json, json_sha256, at FROM receipt ORDER BY id DESC LIMIT 20";
  std::optional<std::string> digest;
  Time last;
  for (const Row& row : db_.query(kNewest)) {
    const Time at = std::min(parse_receipt(row.text(0)).recorded_at, from_millis(row.integer(2)));
    if (digest && at <= last) continue;
    digest = row.text(1);
    last = at;
  }
  return digest;
}

std::optional<Time> Ledger::last_worked() {
  return db_
      .query_one(
          "SELECT max(at) FROM (SELECT max(at) AS at FROM audit UNION ALL SELECT max(last_done_at) FROM "
          "chore)"
          " AS works")
      ->maybe_time(0);
}

std::optional<Time> Ledger::last_heard() {
  const Time now = clock_.now();
  auto last = db_.query_one("SELECT max(at) FROM receipt WHERE at <= :now", {to_millis(now)})->maybe_time(0);
  if (const auto letter = settings_.heard(); letter && *letter <= now)
    last = std::max(*letter, last.value_or(Time()));
  const auto began = settings_.began();
  return began ? std::optional(std::max(*began, last.value_or(Time()))) : last;
}

bool Ledger::knows_receipt(const std::string& json_sha256) {
  return db_.query_one("SELECT 1 FROM receipt WHERE json_sha256 = :sha", {json_sha256}).has_value();
}

bool Ledger::gave_newer_receipt(const std::optional<std::string>& seen, Time time) {
  return db_
      .query_one(
          "SELECT 1 FROM receipt r JOIN exchange x ON x.id = r.exchange WHERE x.stage = 'answered' AND "
          "x.changed_at"
          " <= :time AND r.id > coalesce((SELECT id FROM receipt WHERE json_sha256 = :seen), 0) LIMIT 1",
          {to_millis(time), seen.value_or("")})
      .has_value();
}

// Arrivals.

std::int64_t Ledger::insert(const Arrival& a) {
  const std::int64_t id = db_.query_one("SELECT coalesce(max(id), 0) + 1 FROM arrival")->integer(0);
  db_.execute(
      "INSERT INTO arrival (id, name, revision, size, stage, appearances, found_at, changed_at, due_at)"
      " VALUES (:id, :name, :revision, :size, 'found', :appearances, :found, :changed, :due)",
      {id, a.name, a.revision, integer(a.size), a.appearances, to_millis(a.found_at), to_millis(a.found_at),
       or_null(a.wait.due)});
  return id;
}

std::optional<Arrival> Ledger::arrival(std::int64_t id) {
  return first(db_.query(select(kArrivalColumns, "arrival WHERE id = :id"), {id}), arrival_of);
}

std::optional<Arrival> Ledger::last_arrival(const std::string& name) {
  return first(
      db_.query(select(kArrivalColumns, "arrival WHERE name = :name ORDER BY id DESC LIMIT 1"), {name}),
      arrival_of);
}

std::optional<Arrival> Ledger::next_arrival(Time now) {
  return first(db_.query(select(kArrivalColumns,
                                "arrival WHERE due_at IS NOT NULL ORDER BY CASE WHEN due_at > :now THEN 2"
                                " WHEN stage = 'found' THEN 1 ELSE 0 END, due_at, id LIMIT 1"),
                         {to_millis(now)}),
               arrival_of);
}

std::vector<Arrival> Ledger::open_arrivals() {
  std::vector<Arrival> all;
  for (const Row& row :
       db_.query(select(kArrivalColumns, "arrival WHERE stage NOT IN ('cleared', 'kept') ORDER BY id")))
    all.push_back(arrival_of(row));
  return all;
}

void Ledger::save(const Arrival& a) {
  const auto or_nothing = [](const std::string& text) { return text.empty() ? Value(nullptr) : Value(text); };
  db_.execute(
      "UPDATE arrival SET stage = :stage, outcome = :outcome, sha256 = :sha, exchange = :x,"
      " resumed = :resumed, appearances = :appearances, changed_at = :changed, due_at = :due, attempts = "
      ":attempts,"
      " problem_code = :code, problem = :problem WHERE id = :id",
      {std::string(arrival_stage_name(a.stage)), std::string(outcome_name(a.outcome)), or_nothing(a.sha256),
       or_nothing(a.exchange), std::int64_t{a.resumed}, a.appearances, to_millis(clock_.now()),
       or_null(a.wait.due), a.wait.attempts, or_nothing(a.wait.problem_code), or_nothing(a.wait.problem),
       a.id});
}

void Ledger::release_arrivals_of(const std::string& exchange, Time due) {
  db_.execute("UPDATE arrival SET due_at = :due, attempts = 0 WHERE exchange = :x AND stage = 'settled'",
              {to_millis(due), exchange});
}

void Ledger::settle_held(const Arrival& concluded, Time due) {
  db_.execute(
      "UPDATE arrival SET stage = 'settled', outcome = 'repeated', due_at = :due, problem_code = NULL,"
      " problem = NULL WHERE stage = 'fetched' AND due_at IS NULL AND sha256 = :sha AND id <> :id",
      {to_millis(due), concluded.sha256, concluded.id});
}

bool Ledger::wake_held(const std::string& sha256, Time now) {
  return db_.execute(
             "UPDATE arrival SET due_at = :now WHERE stage = 'fetched' AND due_at IS NULL AND sha256 = :sha",
             {to_millis(now), sha256}) > 0;
}

void Ledger::prune(Time old) {
  const std::int64_t before = to_millis(old);
  db_.execute("DELETE FROM arrival WHERE stage = 'cleared' AND changed_at < :before", {before});
  db_.execute("DELETE FROM command WHERE stage <> 'pending' AND asked_at < :before", {before});
}

// Quarantine.

std::optional<Code> Ledger::quarantined_as(const std::string& sha256) {
  const auto row = db_.query_one("SELECT code FROM quarantine WHERE sha256 = :sha", {sha256});
  return row ? code_named(row->text(0)) : std::nullopt;
}

void Ledger::release(const std::string& sha256) {
  db_.execute("DELETE FROM quarantine WHERE sha256 = :sha", {sha256});
}

void Ledger::quarantine(const std::string& sha256, const std::string& name, Code code) {
  db_.execute(
      "INSERT INTO quarantine (sha256, name, code, at) VALUES (:sha, :name, :code, :at) ON CONFLICT (sha256) "
      "DO UPDATE SET code = excluded.code",
      {sha256, name, std::string(code_name(code)), to_millis(clock_.now())});
}

std::int64_t Ledger::quarantined() { return db_.query_one("SELECT count(*) FROM quarantine")->integer(0); }

void Ledger::pull_in(Time now, Time try_by, Time receipt_by) {
  const std::int64_t soon = to_millis(try_by);
  const std::int64_t at = to_millis(now);
  db_.execute("UPDATE arrival SET due_at = :soon WHERE due_at > :same", {soon, soon});
  db_.execute("UPDATE command SET due_at = :soon WHERE due_at > :same", {soon, soon});
  db_.execute("UPDATE exchange SET due_at = :soon WHERE due_at > :same AND stage <> 'sent'", {soon, soon});
  const std::int64_t later = to_millis(receipt_by);
  db_.execute("UPDATE exchange SET due_at = :later WHERE due_at > :same", {later, later});
  db_.execute("UPDATE offer SET seen_at = :at WHERE seen_at > :same", {at, at});
  // What is counted from: a deadline must not wait for a day that only a clock gone wrong has seen.
  db_.execute("UPDATE exchange SET changed_at = :at WHERE changed_at > :same", {at, at});
  db_.execute("UPDATE command SET asked_at = :at WHERE asked_at > :same", {at, at});
  db_.execute("UPDATE chore SET last_done_at = NULL WHERE last_done_at > :at", {at});
}

Time Ledger::told_to_wait(Time now, Time most) {
  const auto row = db_.query_one(
      "SELECT max(due_at) FROM (SELECT due_at, problem_code FROM exchange UNION ALL SELECT due_at, "
      "problem_code"
      " FROM arrival UNION ALL SELECT due_at, problem_code FROM chore) AS waits"
      " WHERE problem_code = 'S_THROTTLED' AND due_at BETWEEN :now AND :most",
      {to_millis(now), to_millis(most)});
  return row->maybe_time(0).value_or(now);
}

void Ledger::contact_is_back(Time now) {
  db_.execute(
      "UPDATE exchange SET due_at = :now WHERE due_at > :same AND problem_code IN ('S_UNREACHABLE', "
      "'S_TIMEOUT')",
      {to_millis(now), to_millis(now)});
}

Time Ledger::reserve_stem(Purpose purpose, int reference_year, std::int64_t revision) {
  const Time sealed_at = std::max(
      clock_.now(), from_millis(settings_.number(kLastStem).value_or(0)) + std::chrono::milliseconds(1));
  db_.transaction([&] {
    settings_.set(kLastStem, std::to_string(to_millis(sealed_at)));
    settings_.set(kReservedStem, make_stem(purpose, reference_year, static_cast<int>(revision), sealed_at));
  });
  return sealed_at;
}

std::string Ledger::reserved_stem() { return settings_.text(kReservedStem); }

}  // namespace veer

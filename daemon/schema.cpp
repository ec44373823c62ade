#include "daemon/schema.h"

#include <array>

#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

// Version 1. Times are milliseconds since 1970 in UTC; a row with due_at NULL waits for something from
// outside.
void first_schema(Database& db) {
  // Facts about the instance: schema_version, last_stem (ms), …
  db.execute("CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)");

  // One exchange; a stage names a fact that is already durable.
  db.execute(
      "CREATE TABLE exchange (id TEXT PRIMARY KEY, purpose TEXT NOT NULL, environment TEXT NOT NULL,"
      " reference_year BIGINT NOT NULL, revision BIGINT NOT NULL, stem TEXT NOT NULL, copy BIGINT NOT NULL,"
      " package TEXT NOT NULL, package_sha256 TEXT NOT NULL, package_size BIGINT NOT NULL,"
      " records BIGINT NOT NULL, set_aside BIGINT NOT NULL, merged BIGINT NOT NULL, restored BIGINT NOT NULL,"
      " stage TEXT NOT NULL, origin TEXT NOT NULL, noted BIGINT NOT NULL, command BIGINT, resume_note TEXT,"
      " opened_at BIGINT NOT NULL, changed_at BIGINT NOT NULL,"
      " due_at BIGINT, attempts BIGINT NOT NULL DEFAULT 0, problem_code TEXT, problem TEXT,"
      " header BIGINT NOT NULL)");
  db.execute("CREATE INDEX exchange_due ON exchange (due_at)");
  db.execute("CREATE INDEX exchange_digest ON exchange (package_sha256)");

  // Receipts: given by a receiver, held by a sender. The signature is base64, NULL until signed.
  db.execute(
      "CREATE TABLE receipt (id BIGINT PRIMARY KEY, json_sha256 TEXT NOT NULL UNIQUE, exchange TEXT NOT NULL,"
      " status TEXT NOT NULL, json TEXT NOT NULL, signature TEXT, copy BIGINT NOT NULL, at BIGINT NOT NULL)");
  db.execute("CREATE INDEX receipt_exchange ON receipt (exchange)");

  // One appearance of a file on the share: name and the share's revision.
  db.execute(
      "CREATE TABLE arrival (id BIGINT PRIMARY KEY, name TEXT NOT NULL, revision TEXT NOT NULL,"
      " size BIGINT NOT NULL, stage TEXT NOT NULL, outcome TEXT, sha256 TEXT, exchange TEXT,"
      " resumed BIGINT NOT NULL DEFAULT 0, approved BIGINT NOT NULL DEFAULT 0, appearances BIGINT NOT NULL "
      "DEFAULT 1,"
      " found_at BIGINT NOT NULL, changed_at BIGINT NOT NULL,"
      " due_at BIGINT, attempts BIGINT NOT NULL DEFAULT 0, problem_code TEXT, problem TEXT)");
  db.execute("CREATE INDEX arrival_due ON arrival (due_at)");
  db.execute("CREATE INDEX arrival_name ON arrival (name)");
  db.execute("CREATE INDEX arrival_exchange ON arrival (exchange)");

  // Bytes that were set aside, known by their digest whatever name they bear.
  db.execute(
      "CREATE TABLE quarantine (sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, code TEXT NOT NULL, at BIGINT "
      "NOT NULL)");

  // What needs a person: one open row per key, however often its cause recurs.
  db.execute(
      "CREATE TABLE alert (id BIGINT PRIMARY KEY, cause TEXT NOT NULL, kind TEXT NOT NULL, code TEXT NOT "
      "NULL,"
      " exchange TEXT, text TEXT NOT NULL, opened_at BIGINT NOT NULL, closed_at BIGINT)");
  db.execute("CREATE INDEX alert_cause ON alert (cause)");

  // What lies in the drop folder: settling, taken or refused.
  db.execute(
      "CREATE TABLE offer (name TEXT PRIMARY KEY, identity TEXT NOT NULL, stage TEXT NOT NULL,"
      " seen_at BIGINT NOT NULL, refused_as TEXT)");
  // Result notes beside the drop, written after the fact they tell of; due_at is NULL once one is.
  db.execute("CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL, due_at BIGINT)");
  db.execute("CREATE INDEX note_due ON note (due_at)");

  // What recurs: scan, poll, tidy.
  db.execute(
      "CREATE TABLE chore (name TEXT PRIMARY KEY, due_at BIGINT, attempts BIGINT NOT NULL DEFAULT 0,"
      " problem_code TEXT, problem TEXT, last_done_at BIGINT)");
  // What a person asked for.
  db.execute(
      "CREATE TABLE command (id BIGINT PRIMARY KEY, verb TEXT NOT NULL, argument TEXT NOT NULL, uid BIGINT "
      "NOT "
      "NULL,"
      " who TEXT NOT NULL, stage TEXT NOT NULL, code TEXT, result TEXT, asked_at BIGINT NOT NULL, due_at "
      "BIGINT,"
      " attempts BIGINT NOT NULL DEFAULT 0)");
  db.execute("CREATE INDEX command_due ON command (due_at)");

  // The register: AVSB's recorded lists.
  db.execute(
      "CREATE TABLE list (id BIGINT PRIMARY KEY, reference_year BIGINT NOT NULL, revision BIGINT NOT NULL,"
      " exchange TEXT NOT NULL, records BIGINT NOT NULL, recorded_at BIGINT NOT NULL,"
      " UNIQUE (reference_year, revision))");
  db.create_entry_table();
  // The view for other systems (docs/register.md).
  db.execute(
      "CREATE VIEW inburgeringsplicht AS SELECT l.reference_year AS reference_year,"
      " l.reference_year + 1 AS premium_year, l.revision AS revision, substr(CAST(100000000000 + e.insz AS "
      "TEXT), 2) AS insz"
      " FROM entry e JOIN list l ON l.id = e.list WHERE l.revision = (SELECT max(newer.revision) FROM list "
      "newer"
      " WHERE newer.reference_year = l.reference_year)");

  // The audit chain (docs/audit.md).
  db.execute(
      "CREATE TABLE audit (seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, event TEXT NOT NULL, exchange TEXT,"
      " record TEXT NOT NULL, hash TEXT NOT NULL)");
  db.execute("CREATE INDEX audit_exchange ON audit (exchange)");
  // Points of the other side's chain that it signed, as received.
  db.execute(
      "CREATE TABLE anchor (party TEXT NOT NULL, seq BIGINT NOT NULL, head TEXT NOT NULL, exchange TEXT NOT "
      "NULL,"
      " at BIGINT NOT NULL, PRIMARY KEY (party, seq, head))");
}

// Version 2: what waits for a second person.
void second_schema(Database& db) {
  // One row for each time that something was held. subject: exchange or digest; digest: of exactly the bytes
  // that may be released.
  db.execute(
      "CREATE TABLE hold (id BIGINT PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL, digest TEXT NOT "
      "NULL,"
      " asked_uid BIGINT, asked_by TEXT, asked_at BIGINT NOT NULL, state TEXT NOT NULL,"
      " decided_uid BIGINT, decided_by TEXT, decided_at BIGINT, reason TEXT)");
  db.execute("CREATE INDEX hold_subject ON hold (kind, subject)");
  db.execute(
      "INSERT INTO hold (id, kind, subject, digest, asked_at, state)"
      " SELECT min(id), 'package', sha256, sha256, min(found_at),"
      " CASE WHEN max(approved) = 1 THEN 'released' ELSE 'open' END FROM arrival WHERE stage = 'fetched'"
      " AND (approved = 1 OR (due_at IS NULL AND problem_code = 'F_HISTORY')) GROUP BY sha256");
  db.execute("ALTER TABLE arrival DROP COLUMN approved");
  db.execute("ALTER TABLE list ADD COLUMN set_aside BIGINT NOT NULL DEFAULT 0");
}

// Version 3: people are told of alerts.
void third_schema(Database& db) {
  db.execute("ALTER TABLE alert ADD COLUMN acknowledged_at BIGINT");
  db.execute("ALTER TABLE alert ADD COLUMN acknowledged_by TEXT");
  db.execute(
      "CREATE TABLE telling (id BIGINT PRIMARY KEY, alert BIGINT NOT NULL, channel TEXT NOT NULL,"
      " turn TEXT NOT NULL, due_at BIGINT, attempts BIGINT NOT NULL DEFAULT 0, problem_code TEXT, problem "
      "TEXT,"
      " sent_at BIGINT)");
  db.execute("CREATE INDEX telling_due ON telling (due_at)");
  db.execute("CREATE INDEX telling_alert ON telling (alert)");
}

// Version 4: recorded lists are handed over, by two persons and for a purpose; persons are looked up and
// forgotten; findings become incidents.
void fourth_schema(Database& db) {
  db.execute("ALTER TABLE hold ADD COLUMN purpose TEXT");
  // What binds a commitment to its number: of a record in the audit chain (seq), or of a request (subject).
  db.execute("CREATE TABLE salt (seq BIGINT, subject TEXT, salt TEXT NOT NULL, commitment TEXT NOT NULL)");
  // Findings, as the protocol's officers deal with them.
  db.execute(
      "CREATE TABLE incident (id BIGINT PRIMARY KEY, cause TEXT NOT NULL, code TEXT NOT NULL, exchange TEXT "
      "NOT"
      " NULL, text TEXT NOT NULL, found_at BIGINT NOT NULL, verdict TEXT NOT NULL, decided_by TEXT, "
      "decided_at"
      " BIGINT, why TEXT, notified_by TEXT, notified_at BIGINT, closed_at BIGINT)");
  db.execute(
      "INSERT INTO incident (id, cause, code, exchange, text, found_at, verdict) SELECT id, cause, code, "
      "exchange,"
      " text, opened_at, 'open' FROM alert WHERE kind = 'finding' AND closed_at IS NULL");
  // Keyed digests of numbers that are never to be entered again: the lines of erased.marks.
  db.execute("CREATE TABLE erased (mark TEXT PRIMARY KEY)");
}

// Version 5: quality cases, whose numbers stand in their sealed letters alone, and deliveries to care funds.
void fifth_schema(Database& db) {
  db.execute(
      "CREATE TABLE quality_case (id TEXT PRIMARY KEY, number BIGINT NOT NULL, reference_year BIGINT NOT "
      "NULL,"
      " exchange TEXT NOT NULL, revision BIGINT NOT NULL, stem TEXT NOT NULL, category TEXT NOT NULL,"
      " reported BIGINT NOT NULL, persons BIGINT NOT NULL, text TEXT NOT NULL, found_at BIGINT NOT NULL,"
      " stage TEXT NOT NULL, command BIGINT NOT NULL, case_sha256 TEXT NOT NULL, answer_sha256 TEXT NOT NULL,"
      " copy BIGINT NOT NULL, outcome TEXT NOT NULL, correction TEXT, reply TEXT NOT NULL,"
      " answered_by TEXT NOT NULL, opened_at BIGINT NOT NULL, answered_at BIGINT,"
      " due_at BIGINT, attempts BIGINT NOT NULL, problem_code TEXT, problem TEXT)");
  // What care funds get: their numbers stand in the sealed files alone.
  db.execute(
      "CREATE TABLE delivery (id TEXT PRIMARY KEY, request TEXT NOT NULL, fund TEXT NOT NULL,"
      " reference_year BIGINT NOT NULL, list_revision BIGINT NOT NULL, revision BIGINT NOT NULL, file TEXT "
      "NOT NULL,"
      " sha256 TEXT NOT NULL, records BIGINT NOT NULL, stage TEXT NOT NULL, salt TEXT NOT NULL,"
      " commitment TEXT NOT NULL, opened_at BIGINT NOT NULL, resume_note TEXT NOT NULL,"
      " recipient_key TEXT NOT NULL, members_as_of TEXT NOT NULL,"
      " due_at BIGINT, attempts BIGINT NOT NULL, problem_code TEXT, problem TEXT)");
}

// Version 6: who closed an alert by hand.
void sixth_schema(Database& db) { db.execute("ALTER TABLE alert ADD COLUMN closed_by TEXT"); }

constexpr std::array<Migration, kSchemaVersion> kMigrations = {first_schema,  second_schema, third_schema,
                                                               fourth_schema, fifth_schema,  sixth_schema};

int version_of(Database& db) {
  if (!db.has_table("setting")) return 0;
  const auto row = db.query_one("SELECT value FROM setting WHERE name = 'schema_version'");
  return row ? static_cast<int>(row->integer(0)) : 0;
}

[[noreturn]] void throw_newer(int version, std::size_t known = kSchemaVersion) {
  throw Error(Code::l_schema,
              fmt::format("the database has schema version {}, this program knows {}: install the "
                          "version of the program that wrote it",
                          version, known));
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

void migrate(Database& db) { migrate(db, kMigrations); }

void migrate(Database& db, std::span<const Migration> migrations) {
  for (auto version = static_cast<std::size_t>(version_of(db)); version != migrations.size(); ++version) {
    if (version > migrations.size()) throw_newer(static_cast<int>(version), migrations.size());
    db.transaction([&] {
      migrations[version](db);
      db.execute("DELETE FROM setting WHERE name = 'schema_version'");
      db.execute("INSERT INTO setting (name, value) VALUES ('schema_version', :version)",
                 {std::to_string(version + 1)});
    });
  }
}

void require_schema(Database& db) {
  const int version = version_of(db);
  if (version > kSchemaVersion) throw_newer(version);
  if (version < kSchemaVersion)
    throw Error(Code::l_schema, "the database has not been brought up to date: start the service once");
}

}  // namespace veer

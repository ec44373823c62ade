#include "daemon/audit.h"

#include <cassert>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"

namespace veer {
namespace {

constexpr std::string_view kGenesis = "0000000000000000000000000000000000000000000000000000000000000000";

}  // namespace

std::string audit_hash(std::string_view record) {
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>((record.size() >> (8 * (7 - i))) & 0xff);
  Sha256 digest;
  digest.update("veerdienst-audit/1");
  digest.update(length);
  digest.update(record);
  return digest.hex();
}

AuditHead Audit::head() {
  const auto row = db_.query_one("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
  return row ? AuditHead{row->integer(0), row->text(1)} : AuditHead{0, std::string(kGenesis)};
}

AuditHead Audit::append(std::string_view event, const std::string& exchange, const AuditFacts& facts) {
  assert(db_.in_transaction());
  const AuditHead previous = head();
  const Time now = clock_.now();
  nlohmann::ordered_json record;
  record["seq"] = previous.seq + 1;
  record["at"] = format_time(now);
  record["event"] = event;
  record["exchange"] = exchange;
  for (const auto& [name, value] : facts) record["facts"][name] = value;
  record["previous"] = previous.head;
  const std::string text = record.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
  AuditHead next{previous.seq + 1, audit_hash(text)};
  db_.execute(
      "INSERT INTO audit (seq, at, event, exchange, record, hash) VALUES (:seq, :at, :event, :x, :record, "
      ":hash)",
      {next.seq, to_millis(now), std::string(event), exchange, text, next.head});
  return next;
}

bool Audit::keep_anchor(const std::string& party, const AuditHead& head, Time said_at,
                        const std::string& exchange) {
  if (head.seq == 0) return true;
  const std::int64_t at = to_millis(said_at);
  const bool fits = !db_.query_one(
      "SELECT 1 FROM anchor WHERE party = :party AND ((seq = :seq AND head <> :head) OR (seq > :same AND at "
      "< :at))"
      " LIMIT 1",
      {party, head.seq, head.head, head.seq, at});
  db_.execute(
      "INSERT INTO anchor (party, seq, head, exchange, at) VALUES (:party, :seq, :head, :x, :at)"
      " ON CONFLICT DO NOTHING",
      {party, head.seq, head.head, exchange, at});
  return fits;
}

AuditReport verify_audit(Database& db, const std::vector<AuditHead>& anchors) {
  AuditReport report;
  report.head = {0, std::string(kGenesis)};
  std::map<std::int64_t, std::string> hashes = {{0, report.head.head}};
  const auto problem = [&](std::string kind, std::int64_t seq, std::string text) {
    report.problems.push_back({std::move(kind), seq, std::move(text)});
  };
  for (const Row& row : db.query("SELECT seq, event, exchange, record, hash, at FROM audit ORDER BY seq")) {
    const std::int64_t seq = row.integer(0);
    const std::string record = row.text(3);
    if (seq != report.head.seq + 1)
      problem("gap", seq, fmt::format("records {} to {} are missing", report.head.seq + 1, seq - 1));
    if (audit_hash(record) != row.text(4)) problem("altered", seq, fmt::format("record {} was changed", seq));
    const auto json = nlohmann::json::parse(record, nullptr, false);
    const auto says = [&](const char* key, const nlohmann::json& value) {
      return json.is_object() && json.contains(key) && json[key] == value;
    };
    if (!says("previous", report.head.head) && seq == report.head.seq + 1)
      problem("altered", seq, fmt::format("record {} does not follow record {}", seq, seq - 1));
    if (!says("seq", seq) || !says("event", row.text(1)) || !says("exchange", row.text(2)) ||
        !says("at", format_time(from_millis(row.integer(5)))))
      problem("altered", seq, fmt::format("the columns of record {} differ from its text", seq));
    report.head = {seq, row.text(4)};
    hashes[seq] = row.text(4);
  }
  for (const AuditHead& anchor : anchors) {
    if (anchor.seq > report.head.seq)
      problem(
          "truncated", anchor.seq,
          fmt::format("record {} is known elsewhere, but the chain ends at {}", anchor.seq, report.head.seq));
    else if (const auto known = hashes.find(anchor.seq);
             known == hashes.end() || known->second != anchor.head)
      problem("forked", anchor.seq,
              fmt::format("record {} is another one than is known elsewhere", anchor.seq));
  }
  return report;
}

}  // namespace veer

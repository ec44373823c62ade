#include "daemon/audit.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "core/error.h"
#include "formats/receipt.h"

namespace veer {
namespace {

constexpr std::string_view kGenesis = "0000000000000000000000000000000000000000000000000000000000000000";

/// One of these records is written with an exchange's change to the stage.
constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kRecordsOfStages = {{
    {"held", "held"},
    {"sealed", "sealed"},
    {"sent", "sent"},
    {"acknowledged", "receipt"},
    {"acknowledged", "adopted"},
    {"withdrawn", "withdrawn"},
    {"rejected", "rejected"},
    {"recorded", "recorded"},
    {"recorded", "rehearsed"},
    {"refused", "refused"},  // by us
    {"refused", "receipt"},  // by the other side
    {"refused", "adopted"},
    {"answered", "answered"},
}};

/// One walk, and what it is held against afterwards.
class AuditWalk {
 public:
  explicit AuditWalk(Database& db) : db_(db) {}

  AuditReport take() { return std::move(report_); }

  void walk() {
    for (const Row& row :
         db_.query("SELECT seq, event, exchange, record, hash, at FROM audit ORDER BY seq")) {
      const std::int64_t seq = row.integer(0);
      const std::string record = row.text(3);
      if (seq != report_.head.seq + 1)
        problem("gap", seq, fmt::format("records {} to {} are missing", report_.head.seq + 1, seq - 1));
      if (audit_hash(record) != row.text(4))
        problem("altered", seq, fmt::format("record {} was changed", seq));
      const auto json = nlohmann::json::parse(record, nullptr, false);
      const auto says = [&](const char* key, const nlohmann::json& value) {
        return json.is_object() && json.contains(key) && json[key] == value;
      };
      if (!says("previous", report_.head.head) && seq == report_.head.seq + 1)
        problem("altered", seq, fmt::format("record {} does not follow record {}", seq, seq - 1));
      if (!says("seq", seq) || !says("event", row.text(1)) || !says("exchange", row.text(2)) ||
          !says("at", format_time(from_millis(row.integer(5)))))
        problem("altered", seq, fmt::format("the columns of record {} differ from its text", seq));
      report_.head = {seq, row.text(4)};
      hashes_[seq] = row.text(4);
      facts_.emplace(row.text(2), row.text(1));
    }
  }

  void hold_against(const AuditHead& anchor, const std::string& known) {
    const auto record = hashes_.find(anchor.seq);
    if (anchor.seq > report_.head.seq)
      problem("truncated", anchor.seq,
              fmt::format("record {} is known {}, but the chain ends at {}", anchor.seq, known,
                          report_.head.seq));
    else if (record == hashes_.end() || record->second != anchor.head)
      problem("forked", anchor.seq,
              fmt::format("record {} is another one than is known {}", anchor.seq, known));
  }

  void hold_against_anchors(const std::vector<AuditHead>& anchors) {
    for (const AuditHead& anchor : anchors) {
      hold_against(anchor, "elsewhere");
      report_.anchored_seq = std::max(report_.anchored_seq, anchor.seq);
    }
  }

  void hold_against_receipts(const std::string& party) {
    for (const Row& row : db_.query("SELECT json, exchange FROM receipt ORDER BY id")) {
      try {
        const Receipt receipt = parse_receipt(row.text(0));
        if (receipt.receiver.party != party) continue;
        hold_against(receipt.audit, "from the receipt for exchange " + row.text(1));
        ++report_.signed_here;
      } catch (const Error&) {
        problem("altered", 0, fmt::format("the receipt for exchange {} is none any more", row.text(1)));
      }
    }
  }

  void hold_against_stages() {
    for (const Row& row : db_.query("SELECT id, stage FROM exchange ORDER BY opened_at, id")) {
      const bool told = std::any_of(kRecordsOfStages.begin(), kRecordsOfStages.end(), [&](const auto& known) {
        return known.first == row.text(1) && facts_.contains({row.text(0), std::string(known.second)});
      });
      if (!told)
        problem("missing", 0,
                fmt::format("exchange {} is '{}' in the ledger, and no record tells of it", row.text(0),
                            row.text(1)));
    }
  }

 private:
  void problem(std::string kind, std::int64_t seq, std::string text) {
    report_.problems.push_back({std::move(kind), seq, std::move(text)});
  }

  Database& db_;
  AuditReport report_{.head = {0, std::string(kGenesis)}, .problems = {}};
  std::map<std::int64_t, std::string> hashes_ = {{0, std::string(kGenesis)}};
  std::set<std::pair<std::string, std::string>> facts_;  // exchange and event
};

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

std::optional<Time> Audit::last_at() {
  const auto row = db_.query_one("SELECT at FROM audit ORDER BY seq DESC LIMIT 1");
  return row ? row->maybe_time(0) : std::nullopt;
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

AuditReport verify_audit(Database& db, const std::string& party, const std::vector<AuditHead>& anchors) {
  AuditWalk walk(db);
  walk.walk();
  walk.hold_against_receipts(party);
  walk.hold_against_stages();
  walk.hold_against_anchors(anchors);
  return walk.take();
}

}  // namespace veer

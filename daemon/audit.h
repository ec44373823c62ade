#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "daemon/database.h"
#include "formats/package.h"

namespace veer {

/// What the record of an event tells besides its kind: names and plain values, in this order.
using AuditFacts = std::vector<std::pair<std::string, std::string>>;

/// The instance's append-only chain of events (docs/audit.md). Each record holds the hash of the one before
/// it, so an edit, a gap or a swap shows; heads travel in manifests and receipts, so a chain that was cut or
/// written anew shows at the other side's copy. It never holds an INSZ or a digest of one. One thread; what
/// is appended is durable with the transaction that it is appended in.
class Audit {
 public:
  Audit(Database& database, const Clock& clock) : db_(database), clock_(clock) {}

  /// Appends within the running transaction: a fact and its record are one.
  AuditHead append(std::string_view event, const std::string& exchange, const AuditFacts& facts);
  AuditHead head();
  /// When its record was written; empty for an empty chain.
  std::optional<Time> last_at();
  /// Keeps a point of the other side's chain that a verified message of `said_at` quoted. False when that
  /// contradicts one kept before: another record of the same number, or a lower number in a later message.
  /// Number 0 (an empty chain, a message made by hand) says nothing.
  bool keep_anchor(const std::string& party, const AuditHead& head, Time said_at,
                   const std::string& exchange);

 private:
  Database& db_;
  const Clock& clock_;
};

/// What a walk over the chain found; kind is "altered", "gap", "truncated", "forked" or "missing".
struct AuditProblem {
  std::string kind;
  std::int64_t seq = 0;
  std::string text;
};

struct AuditReport {
  AuditHead head;
  std::size_t signed_here = 0;    ///< receipts of ours that quote a point of the chain
  std::int64_t anchored_seq = 0;  ///< highest of `anchors`
  std::vector<AuditProblem> problems;
};

/// Walks the whole chain of `party`, and holds it against what stands beside it, the receipts that this side
/// signed and the stage of each exchange, and against `anchors`: points that the other side, or paper,
/// remembers. Who holds the file can take away what stands beside it too; anchors are out of reach.
AuditReport verify_audit(Database& database, const std::string& party, const std::vector<AuditHead>& anchors);

/// SHA-256 over "veerdienst-audit/1", the record's length as eight bytes big-endian, and the record.
std::string audit_hash(std::string_view record);

}  // namespace veer

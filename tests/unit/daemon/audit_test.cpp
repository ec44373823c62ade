#include "daemon/audit.h"

#include <catch2/catch.hpp>

#include "daemon/schema.h"
#include "support/manual_clock.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;

namespace {

struct Chain {
  TempFolder folder;
  ManualClock clock{parse_time("2026-01-15T09:30:00Z").value()};
  Database db{"sqlite:" + (folder.path() / "ledger.db").string()};
  Audit audit{db, clock};

  Chain() {
    migrate(db);
    for (int i = 1; i <= 5; ++i) append("event-" + std::to_string(i));
  }
  AuditHead append(const std::string& event) {
    AuditHead head;
    db.transaction([&] {
      head = audit.append(event, "an-exchange", {{"records", "3"}, {"name", "\xff odd"}});
    });
    return head;
  }
  std::string kinds(const std::vector<AuditHead>& anchors = {}) {
    std::string all;
    for (const AuditProblem& problem : verify_audit(db, "avsb", anchors).problems)
      if (all.find(problem.kind) == std::string::npos) all += (all.empty() ? "" : " ") + problem.kind;
    return all;
  }
};

}  // namespace

TEST_CASE("an untouched chain has no problems, and its head moves with every record") {
  Chain chain;
  const AuditHead before = chain.audit.head();
  CHECK(before.seq == 5);
  const AuditHead after = chain.append("more");
  CHECK(after.seq == 6);
  CHECK(after.head != before.head);
  CHECK(verify_audit(chain.db, "avsb", {before, after}).problems.empty());
  CHECK(verify_audit(chain.db, "avsb", {}).head.head == after.head);
}

TEST_CASE("an edited record is told as altered") {
  Chain chain;
  SECTION("its text") {
    chain.db.execute("UPDATE audit SET record = replace(record, '\"3\"', '\"4\"') WHERE seq = 3");
  }
  SECTION("its columns") { chain.db.execute("UPDATE audit SET event = 'nothing' WHERE seq = 3"); }
  SECTION("its time") { chain.db.execute("UPDATE audit SET at = at + 1 WHERE seq = 3"); }
  SECTION("its text, with its hash made anew") {
    const std::string text = chain.db.query_one("SELECT record FROM audit WHERE seq = 3")->text(0) + " ";
    chain.db.execute("UPDATE audit SET record = :r, hash = :h WHERE seq = 3", {text, audit_hash(text)});
  }
  CHECK(chain.kinds() == "altered");
}

TEST_CASE("a record taken out of the middle is told as a gap, swapped records as altered") {
  Chain chain;
  SECTION("out") {
    chain.db.execute("DELETE FROM audit WHERE seq = 3");
    CHECK(chain.kinds() == "gap");
  }
  SECTION("swapped") {
    chain.db.execute("UPDATE audit SET seq = 99 WHERE seq = 3");
    chain.db.execute("UPDATE audit SET seq = 3 WHERE seq = 4");
    chain.db.execute("UPDATE audit SET seq = 4 WHERE seq = 99");
    CHECK(chain.kinds() == "altered");
  }
}

TEST_CASE("a tail that was cut off shows at an anchor") {
  Chain chain;
  const AuditHead known = chain.audit.head();
  chain.db.execute("DELETE FROM audit WHERE seq > 3");
  CHECK(chain.kinds().empty());
  CHECK(chain.kinds({known}) == "truncated");
}

TEST_CASE("a chain written anew from the start shows at an anchor as forked") {
  Chain chain;
  const AuditHead known = chain.audit.head();
  chain.db.execute("DELETE FROM audit");
  for (int i = 1; i <= 7; ++i) chain.append("another story");
  CHECK(chain.kinds().empty());
  CHECK(chain.kinds({known}) == "forked");
}

TEST_CASE(
    "the hash is over a domain, the length and the record, so that no two records run into each other") {
  // Computed with: printf 'veerdienst-audit/1\0\0\0\0\0\0\0\2{}' | sha256sum
  CHECK(audit_hash("{}") == "951d1c95e332eb863aefa99dac21dd55a40a802eee2d95b33d313dc9ef6fc633");
}

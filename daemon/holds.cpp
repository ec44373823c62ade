#include "daemon/holds.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/log.h"

namespace veer {
namespace {

constexpr std::array<std::string_view, 6> kKinds = {"list",   "package", "suspension",
                                                    "export", "forget",  "distribution"};
constexpr std::array<std::string_view, 4> kStates = {"open", "released", "rejected", "lapsed"};

constexpr const char* kColumns =
    "id, kind, subject, digest, asked_uid, asked_by, asked_at, state, decided_uid, decided_by, decided_at, "
    "reason, purpose";

// Before a digest, so that its first digits are never taken for the end of a number that stands before it.
constexpr std::string_view kDigest = "sha256:";

std::string kind_name(HoldKind kind) { return std::string(hold_kind_name(kind)); }

template <typename Enum, std::size_t N>
Enum named(const std::array<std::string_view, N>& names, const std::string& name) {
  const auto* const found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw Error(Code::l_database, "the ledger holds a word that this version does not know");
  return static_cast<Enum>(found - names.begin());
}

std::optional<Person> person_at(const Row& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  return Person{static_cast<uid_t>(row.integer(column)), row.text(column + 1)};
}

Hold hold_of(const Row& row) {
  return {row.integer(0),
          named<HoldKind>(kKinds, row.text(1)),
          row.text(2),
          row.text(3),
          person_at(row, 4),
          from_millis(row.integer(6)),
          named<HoldState>(kStates, row.text(7)),
          person_at(row, 8),
          row.maybe_time(10),
          row.text(11),
          row.text(12)};
}

}  // namespace

std::string_view hold_kind_name(HoldKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::string_view hold_state_name(HoldState state) { return kStates.at(static_cast<std::size_t>(state)); }

std::string names_of(const std::vector<Hold>& holds) {
  std::vector<std::string> names;
  for (const Hold& hold : holds) names.push_back(hold.asked_by ? hold.asked_by->name : "the restored backup");
  return fmt::format("{}", fmt::join(names, ", "));
}

Approval Approval::parse(const std::string& argument) {
  const std::size_t first = argument.find(' ');
  const std::size_t second = first == std::string::npos ? first : argument.find(' ', first + 1);
  Approval approval{argument.substr(0, first), ""};
  if (first != std::string::npos) approval.sha256 = argument.substr(first + 1, second - first - 1);
  if (approval.sha256.starts_with(kDigest)) approval.sha256.erase(0, kDigest.size());
  bool good = is_sha256(approval.sha256);
  if (second != std::string::npos) {
    const char* const end = argument.data() + argument.size();
    const auto read = std::from_chars(argument.data() + second + 1, end, approval.set_aside);
    good = good && read.ec == std::errc() && read.ptr == end;
  }
  if (!good)
    throw Error(Code::u_usage,
                "what is released is named with the SHA-256 of its bytes: 'veer approve' shows it");
  return approval;
}

std::string Approval::text() const {
  return fmt::format("{} {}{}{}", subject, kDigest, sha256,
                     set_aside == 0 ? "" : fmt::format(" {}", set_aside));
}

Rejection Rejection::parse(const std::string& argument) {
  static constexpr std::size_t kLongest = 300;
  const std::size_t blank = argument.find(' ');
  const std::string reason = blank == std::string::npos ? "" : argument.substr(blank + 1);
  return {argument.substr(0, blank), shown_text(reason, kLongest), false};
}

void Holds::open(HoldKind kind, const std::string& subject, const std::string& digest,
                 const std::optional<Person>& asked_by, const std::string& purpose) {
  if (const auto known = find(kind, subject); known && known->state == HoldState::open) return;
  db_.execute(
      "INSERT INTO hold (id, kind, subject, digest, asked_uid, asked_by, asked_at, state, purpose)"
      " SELECT coalesce(max(id), 0) + 1, :kind, :subject, :digest, :uid, :who, :at, 'open', :purpose FROM "
      "hold",
      {kind_name(kind), subject, digest, asked_by ? Value(std::int64_t{asked_by->uid}) : Value(nullptr),
       asked_by ? Value(asked_by->name) : Value(nullptr), to_millis(clock_.now()), purpose});
}

std::optional<Hold> Holds::find(HoldKind kind, const std::string& subject) {
  const auto row = db_.query_one(fmt::format("SELECT {} FROM hold WHERE kind = :kind AND subject = :subject"
                                             " ORDER BY id DESC LIMIT 1",
                                             kColumns),
                                 {kind_name(kind), subject});
  return row ? std::optional(hold_of(*row)) : std::nullopt;
}

std::optional<Hold> Holds::last_released(HoldKind kind, const std::string& subject) {
  const auto row =
      db_.query_one(fmt::format("SELECT {} FROM hold WHERE kind = :kind AND subject = :subject AND"
                                " state = 'released' ORDER BY id DESC LIMIT 1",
                                kColumns),
                    {kind_name(kind), subject});
  return row ? std::optional(hold_of(*row)) : std::nullopt;
}

std::vector<Hold> Holds::of(HoldKind kind, HoldState state) {
  std::vector<Hold> holds;
  for (const Row& row : db_.query(
           fmt::format("SELECT {} FROM hold WHERE kind = :kind AND state = :state ORDER BY id", kColumns),
           {kind_name(kind), std::string(hold_state_name(state))}))
    holds.push_back(hold_of(row));
  return holds;
}

void Holds::decide(const Hold& hold, HoldState state, const Person& who, const std::string& reason) {
  change(hold, HoldState::open, state, who, reason);
}

void Holds::take_back(const Hold& hold, const Person& who, const std::string& reason) {
  change(hold, HoldState::released, HoldState::rejected, who, reason);
}

void Holds::change(const Hold& hold, HoldState from, HoldState to, const Person& who,
                   const std::string& reason) {
  const std::int64_t changed = db_.execute(
      "UPDATE hold SET state = :state, decided_uid = :uid, decided_by = :who, decided_at = :at, reason = :why"
      " WHERE id = :id AND state = :from",
      {std::string(hold_state_name(to)), std::int64_t{who.uid}, who.name, to_millis(clock_.now()),
       reason.empty() ? Value(nullptr) : Value(reason), hold.id, std::string(hold_state_name(from))});
  if (changed != 1) throw Error(Code::l_busy, "somebody else decided in the meantime; it is looked at again");
}

bool Holds::kept_back(HoldKind kind, const std::string& subject) {
  const auto hold = find(kind, subject);
  return hold && hold->state != HoldState::released;
}

void Holds::lapse(HoldKind kind, const std::string& subject) {
  db_.execute(
      "UPDATE hold SET state = 'lapsed', decided_at = :at WHERE kind = :kind AND subject = :subject"
      " AND state = 'open'",
      {to_millis(clock_.now()), kind_name(kind), subject});
}

void Holds::forget_digest(HoldKind kind, const std::string& subject) {
  db_.execute("UPDATE hold SET digest = '' WHERE kind = :kind AND subject = :subject",
              {kind_name(kind), subject});
}

void Holds::pull_in(Time now) {
  db_.execute("UPDATE hold SET asked_at = :now WHERE state = 'open' AND asked_at > :later",
              {to_millis(now), to_millis(now)});
}

std::vector<Hold> Holds::suspensions() { return of(HoldKind::suspension, HoldState::open); }

std::int64_t Holds::open_ones(HoldKind kind) {
  return db_.query_one("SELECT count(*) FROM hold WHERE kind = :kind AND state = 'open'", {kind_name(kind)})
      ->integer(0);
}

bool Holds::was_suspended() {
  return db_.query_one("SELECT id FROM hold WHERE kind = :kind LIMIT 1", {kind_name(HoldKind::suspension)})
      .has_value();
}

}  // namespace veer

#include "daemon/offers.h"

#include <array>

#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

constexpr std::array<std::string_view, 3> kStages = {"settling", "taken", "refused"};

// Also what is looked at afresh, unless all that it waited for was the end of a suspension.
constexpr std::string_view kRefused =
    "(stage = 'refused' OR (stage = 'settling' AND coalesce(refused_as, '') NOT IN ('', 'C_SUSPENDED')))";

OfferStage stage_named(const std::string& name) {
  for (std::size_t i = 0; i < kStages.size(); ++i)
    if (kStages[i] == name) return static_cast<OfferStage>(i);
  throw Error(Code::l_database, "the ledger holds an unknown stage of an offer");
}

Offer offer_of(const Row& row) {
  return {row.text(0), row.text(1), stage_named(row.text(2)), from_millis(row.integer(3)), row.text(4)};
}

}  // namespace

std::optional<Offer> Offers::find(const std::string& name) {
  const auto row = db_.query_one(
      "SELECT name, identity, stage, seen_at, refused_as FROM offer WHERE name = :name", {name});
  return row ? std::optional(offer_of(*row)) : std::nullopt;
}

std::vector<Offer> Offers::all() {
  std::vector<Offer> offers;
  for (const Row& row :
       db_.query("SELECT name, identity, stage, seen_at, refused_as FROM offer ORDER BY name"))
    offers.push_back(offer_of(row));
  return offers;
}

std::vector<std::string> Offers::refused() {
  std::vector<std::string> names;
  for (const Row& row : db_.query(fmt::format("SELECT name FROM offer WHERE {} ORDER BY name", kRefused)))
    names.push_back(row.text(0));
  return names;
}

bool Offers::more_refused_than(std::size_t count) {
  return db_
      .query_one(fmt::format("SELECT name FROM offer WHERE {} LIMIT 1 OFFSET :count", kRefused),
                 {static_cast<std::int64_t>(count)})
      .has_value();
}

bool Offers::any_settling() {
  return db_.query_one("SELECT name FROM offer WHERE stage = 'settling' LIMIT 1").has_value();
}

void Offers::save(const Offer& offer) {
  forget(offer.name);
  db_.execute(
      "INSERT INTO offer (name, identity, stage, seen_at, refused_as)"
      " VALUES (:name, :identity, :stage, :at, :code)",
      {offer.name, offer.identity, std::string(kStages.at(static_cast<std::size_t>(offer.stage))),
       to_millis(offer.seen_at), offer.refused_as});
}

void Offers::forget(const std::string& name) { db_.execute("DELETE FROM offer WHERE name = :name", {name}); }

void Offers::reconsider(Time now) {
  db_.execute("UPDATE offer SET stage = 'settling', seen_at = :now WHERE stage = 'refused'",
              {to_millis(now)});
}

void Offers::tell(const ResultNote& note) {
  db_.execute("DELETE FROM note WHERE name = :name", {note.name});
  db_.execute("INSERT INTO note (name, text, due_at) VALUES (:name, :text, 0)", {note.name, note.text});
}

std::optional<ResultNote> Offers::next_note(Time now) {
  const auto row = db_.query_one("SELECT name, text FROM note WHERE due_at <= :now ORDER BY name LIMIT 1",
                                 {to_millis(now)});
  return row ? std::optional(ResultNote{row->text(0), row->text(1)}) : std::nullopt;
}

void Offers::note_written(const ResultNote& note) {
  db_.execute("UPDATE note SET due_at = NULL WHERE name = :name AND text = :text", {note.name, note.text});
}

void Offers::defer_note(const ResultNote& note, Time due) {
  db_.execute("UPDATE note SET due_at = :due WHERE name = :name AND text = :text",
              {to_millis(due), note.name, note.text});
}

}  // namespace veer

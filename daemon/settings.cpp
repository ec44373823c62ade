#include "daemon/settings.h"

#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

const std::string kBegan = "began";           // milliseconds
const std::string kHeard = "heard_at";        // milliseconds
const std::string kClosedOut = "closed_out";  // milliseconds
const std::string kKeyEnd = "key_end:";       // and a party: milliseconds
const std::string kProof = "proof:";          // and a channel: SHA-256 of its settings
const std::string kEnvironment = "environment";

}  // namespace

std::optional<Time> Settings::key_end(const std::string& party) { return time(kKeyEnd + party); }

void Settings::keep_key_end(const std::string& party, const std::optional<Time>& end) {
  if (end)
    set(kKeyEnd + party, std::to_string(to_millis(*end)));
  else
    forget(kKeyEnd + party);
}

void Settings::keep_proof(const std::string& channel, const std::string& settings) {
  set(kProof + channel, settings);
}

std::string Settings::proof_of(const std::string& channel) { return text(kProof + channel); }

void Settings::claim(const std::string& environment) {
  std::string known = text(kEnvironment);
  if (known == environment) return;
  // Books from before this was written down tell it by what they hold.
  if (const auto other = known.empty()
                             ? db_.query_one("SELECT environment FROM exchange WHERE environment <> "
                                             ":environment LIMIT 1",
                                             {environment})
                             : std::nullopt)
    known = other->text(0);
  if (!known.empty())
    throw Error(
        Code::c_config,
        fmt::format("these books are of the {} environment, and the configuration says {}: give each a "
                    "state folder, keys and a share of its own",
                    known, environment));
  db_.transaction([&] { set(kEnvironment, environment); });
}

std::optional<Time> Settings::began() { return time(kBegan); }

Time Settings::begin() {
  const Time now = clock_.now();
  if (const auto before = began(); before && *before <= now) return *before;
  set(kBegan, std::to_string(to_millis(now)));
  return now;
}

std::optional<Time> Settings::heard() { return time(kHeard); }

void Settings::hear() { set(kHeard, std::to_string(to_millis(clock_.now()))); }

std::optional<Time> Settings::closed_out() { return time(kClosedOut); }

void Settings::close_out() { set(kClosedOut, std::to_string(to_millis(clock_.now()))); }

std::string Settings::text(const std::string& name) {
  const auto row = db_.query_one("SELECT value FROM setting WHERE name = :name", {name});
  return row ? row->text(0) : "";
}

std::optional<std::int64_t> Settings::number(const std::string& name) {
  const auto row = db_.query_one("SELECT value FROM setting WHERE name = :name", {name});
  return row ? row->maybe_integer(0) : std::nullopt;
}

std::optional<Time> Settings::time(const std::string& name) {
  const auto millis = number(name);
  return millis ? std::optional(from_millis(*millis)) : std::nullopt;
}

void Settings::set(const std::string& name, const std::string& value) {
  db_.execute(
      "INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET"
      " value = excluded.value",
      {name, value});
}

void Settings::forget(const std::string& name) {
  db_.execute("DELETE FROM setting WHERE name = :name", {name});
}

}  // namespace veer

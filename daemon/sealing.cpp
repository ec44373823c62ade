#include "daemon/sealing.h"

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/rules.h"
#include "formats/list.h"
#include "formats/package.h"

namespace veer {
namespace {

Error under_way(const Exchange& x) {
  return {
      Code::i_open,
      fmt::format("exchange {} for reference year {} is still under way: wait for its receipt, or take it "
                  "back with 'veer withdraw {}'. A file that stays in the drop folder is taken in by itself "
                  "should that one "
                  "end without being recorded: take it away when that is not meant",
                  x.id, x.reference_year, x.id.substr(0, 8))};
}

}  // namespace

std::string release_cause(const Exchange& x) { return "release:" + x.id; }

// One list a year (article 5), one exchange a reference date at a time, within the window.
Sealing::Place Sealing::first_list(int year) {
  const Date today = date_of(at_.clock.now());
  require_reference_date(reference_date_of(year), today);
  require_allowed(at_.config, Work::first_list, year, today);
  const auto holder = at_.ledger.holder(year);
  if (!holder) return {year};
  if (holder->stage == Stage::acknowledged)
    throw Error(
        Code::f_second_list,
        fmt::format("the list for reference year {} was recorded in exchange {}: a second one may not follow "
                    "(protocol, article 5). If it was dropped, take it away; what was wrong in the recorded "
                    "one is repaired by a correction (article 7), the complete list anew: 'veer send "
                    "--correction FILE'",
                    year, holder->id));
  throw under_way(*holder);
}

// A complete replacement of what is recorded (article 7), which outlives the window.
Sealing::Place Sealing::correction(int year) {
  const Date today = date_of(at_.clock.now());
  require_reference_date(reference_date_of(year), today);
  require_allowed(at_.config, Work::correction, year, today);
  const auto holder = at_.ledger.holder(year);
  if (!holder)
    throw Error(Code::u_state, fmt::format("no list for reference year {} is recorded that could be "
                                           "corrected: offer it as the list of that year",
                                           year));
  if (holder->stage != Stage::acknowledged) throw under_way(*holder);
  return {year, holder->revision + 1, holder->id};
}

Exchange Sealing::seal(const Source& source, const Place& place, ListReport report,
                       const Transfer& transfer) {
  const Time now = at_.clock.now();
  const int year = place.reference_year;
  std::vector<Insz>& numbers = report.good() ? report.numbers : report.rest;
  // What its count is held against.
  const auto before = at_.ledger.acknowledged(place.supersedes ? year : year - 1);
  const Time sealed_at = at_.ledger.reserve_stem(source.purpose, year, place.revision);

  Exchange x;
  x.id = make_uuid(at_.random);
  x.purpose = source.purpose;
  x.environment = environment_name(at_.config.environment);
  x.reference_year = year;
  x.revision = place.revision;
  x.stem = make_stem(x.purpose, year, static_cast<int>(x.revision), sealed_at);
  x.package = file_name(x.stem, FileKind::package);
  x.records = numbers.size();
  x.set_aside = report.faulty();
  x.merged = report.merged;
  x.restored = report.restored;
  x.header = report.header;
  const auto beside = at_.ledger.list_beside(x);
  const bool held =
      x.purpose == Purpose::list &&
      needs_release(at_.config.intake, at_.config.environment, x.records,
                    before ? std::optional(before->records) : std::nullopt, x.set_aside, beside.has_value());
  x.stage = held ? Stage::held : Stage::sealed;
  x.origin = source.origin;
  x.noted = source.noted;
  x.command = source.command;
  x.opened_at = now;
  x.changed_at = now;
  if (!held) x.wait.due = now;

  Manifest manifest;
  manifest.exchange = x.id;
  manifest.purpose = x.purpose;
  manifest.environment = x.environment;
  manifest.reference_date = reference_date_of(year);
  manifest.revision = x.revision;
  manifest.supersedes = place.supersedes;
  manifest.sender = {at_.config.party, at_.seal.own_key()};
  manifest.receiver = {at_.config.counterparty, at_.seal.counterparty_key()};
  manifest.sealed_at = sealed_at;
  manifest.records = x.records;
  manifest.set_aside = x.set_aside;
  manifest.previous_receipt_sha256 = at_.ledger.last_receipt();
  manifest.audit = at_.audit.head();
  manifest.generator = program_name();

  try {
    seal_to_spool(x, manifest, std::move(numbers), transfer);
  } catch (...) {
    remove_file(at_.sealed_file(x));  // the next try takes another name
    throw;
  }

  const auto enter = [&] {
    at_.ledger.insert(x);
    if (source.also) source.also(x);
    AuditFacts facts = {{"package", x.package},
                        {"sha256", x.package_sha256},
                        {"records", std::to_string(x.records)},
                        {"revision", std::to_string(x.revision)},
                        {"merged", std::to_string(x.merged)},
                        {"restored", std::to_string(x.restored)},
                        {"header", x.header ? "yes" : "no"},
                        {"origin", shown_name(source.origin)},
                        {"who", source.offerer.name}};
    if (x.set_aside > 0) facts.emplace_back("set_aside", std::to_string(x.set_aside));
    for (const auto& [code, count] : report.counts)
      facts.emplace_back(code_name(code), std::to_string(count));
    at_.audit.append("sealed", x.id, facts);
    if (held) hold(x, beside, source.offerer);
  };
  try {
    at_.db.transaction(enter);
  } catch (...) {
    if (!at_.ledger.exchange(x.id)) remove_file(at_.sealed_file(x));  // nobody would know what it is
    throw;
  }
  log(LogLevel::info, "sealed {} numbers for {} as {}", x.records, year, x.package);
  return x;
}

// Within the transaction that writes the exchange.
void Sealing::hold(const Exchange& x, const std::optional<Exchange>& beside, const Person& offerer) {
  at_.holds.open(HoldKind::list, x.id, x.package_sha256, offerer);
  at_.audit.append("held", x.id, {{"sha256", x.package_sha256}, {"offered_by", offerer.name}});
  at_.alerts.raise(
      release_cause(x), AlertKind::attention, "RELEASE", x.id,
      fmt::format("{} numbers for reference date 1 January {}{}, offered by {}, wait for release by "
                  "another person: 'veer approve {}'{}",
                  x.records, x.reference_year,
                  x.set_aside == 0 ? "" : fmt::format(" ({} faulty lines are left out)", x.set_aside),
                  offerer.name, x.id.substr(0, 8),
                  beside ? fmt::format(". Is that year right? A list for {} was sealed in this calendar year "
                                       "already, and article 5 allows one",
                                       beside->reference_year)
                         : ""));
}

void Sealing::seal_to_spool(Exchange& x, Manifest& manifest, std::vector<Insz> numbers,
                            const Transfer& transfer) {
  std::string list = write_package_list(numbers);
  numbers = {};
  manifest.list_sha256 = sha256_hex(list);
  const std::string archive = write_package(manifest, list);
  list = {};
  SpoolWriter file(at_.sealed_file(x));
  DigestingSink sink(file);
  at_.seal.seal(MemoryBlob(archive), sink, transfer);
  file.finish();
  x.package_sha256 = sink.hex();
  x.package_size = sink.size();
}

}  // namespace veer

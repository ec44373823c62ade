#include "daemon/distribution.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/persons.h"
#include "daemon/requests.h"
#include "daemon/rules.h"
#include "daemon/shared_alerts.h"
#include "formats/acceptance.h"
#include "formats/care_fund.h"
#include "formats/list.h"

namespace veer {
namespace {

constexpr std::string_view kPrefix = "distribute-";
constexpr std::uint64_t kMostRegister = std::uint64_t{1} << 30;

// So many may have gone to one fund since a backup was made.
constexpr std::int64_t kMostLost = 20;

std::string stale_cause(int year) { return fmt::format("distribution-stale:{}", year); }

std::string skipped_revisions(int year) { return fmt::format("deliveries_before:{}", year); }

struct Wanted {
  int year = 0;
  std::string name;
};

Wanted wanted(const std::string& argument) {
  const std::size_t blank = argument.find(' ');
  const auto year = parse_year(argument.substr(0, blank));
  if (!year || blank == std::string::npos)
    throw Error(Code::u_usage, "a distribution names the reference year and the membership register");
  return {*year, argument.substr(blank + 1)};
}

/// `before`: how many each fund has now.
std::string shares_of(const std::vector<Delivery>& deliveries,
                      const std::map<std::string, std::uint64_t>& before = {}) {
  std::string text;
  for (const Delivery& d : deliveries) {
    const auto last = before.find(d.fund);
    text += fmt::format("{}{} {}{}", text.empty() ? "" : ", ", d.fund, d.records,
                        last == before.end() ? "" : fmt::format(" (before: {})", last->second));
  }
  return text;
}

}  // namespace

std::string digest_of(const std::vector<Delivery>& deliveries) {
  std::string all;
  for (const Delivery& d : deliveries) all += fmt::format("{} {} {}\n", d.fund, d.sha256, d.records);
  return sha256_hex(all);
}

bool Distribution::is_called(const std::string& subject) { return subject.starts_with(kPrefix); }

// Fail closed (Q23).
void Distribution::require_fresh(Date members_as_of) {
  const auto longest = at_.config.distribution.members_no_older;
  const Time now = at_.clock.now();
  const Time as_of = Time(std::chrono::sys_days(members_as_of));
  if (as_of > now)
    throw Error(Code::u_state,
                fmt::format("the membership register is of {}, which is still to come: look at "
                            "its name and at this machine's clock",
                            format_date(members_as_of)));
  if (now - as_of > longest + std::chrono::days(1))
    throw Error(
        Code::u_state,
        fmt::format("the membership register is of {}, and must be of the last {} days ([distribution]): "
                    "ask for a fresh one",
                    format_date(members_as_of),
                    std::chrono::duration_cast<std::chrono::days>(longest).count()));
}

// Q20, Q24: who is to get something now, by the key that it is sealed to.
const Recipient& Distribution::recipient_of(const std::string& fund) {
  const Recipient* const recipient = at_.config.distribution.find(fund);
  if (recipient == nullptr)
    throw Error(
        Code::u_state,
        fmt::format(
            "{} is nobody to whom anything may go: the funds of article 4 stand in [distribution], and "
            "anybody else there too once AII was notified",
            shown_name(fund)));
  const Date today = date_of(at_.clock.now());
  if (recipient->notified_on &&
      std::chrono::sys_days(*recipient->notified_on) >= std::chrono::sys_days(today))
    throw Error(Code::u_state,
                fmt::format("AII is to be notified of {} before anything goes there (article 4): "
                            "[distribution] has it notified on {}",
                            recipient->name, format_date(*recipient->notified_on)));
  return *recipient;
}

void Distribution::require_fit(const Membership& membership) {
  const DistributionConfig& config = at_.config.distribution;
  require_fresh(membership.as_of);
  if (membership.members < config.members_at_least)
    throw Error(Code::u_state,
                fmt::format("the membership register has {} members, fewer than the {} that are expected "
                            "([distribution]): it is not believed",
                            membership.members, config.members_at_least));
  for (const auto& [fund, members] : membership.funds) recipient_of(fund);
  for (const Recipient& recipient : config.recipients)
    if (!membership.funds.contains(recipient.name))
      throw Error(Code::u_state, fmt::format("the membership register has no member of {}: it is not whole",
                                             recipient.name));
}

// What was asked for and no longer counts, within a transaction.
void Distribution::lapse(int year) {
  std::set<std::string> requests;
  for (Delivery& d : at_.deliveries.all()) {
    if (d.reference_year != year || !d.is_pending()) continue;
    at_.audit.append("distribution-lapsed", "",
                     {{"subject", d.request},
                      {"fund", d.fund},
                      {"name", d.file},
                      {"was", std::string(delivery_stage_name(d.stage))}});
    at_.alerts.close(step_cause("delivery " + d.file));
    requests.insert(d.request);
    d.wait = {};
    const bool left = d.stage == DeliveryStage::delivering;
    if (left) d.wait.due = at_.clock.now();  // to be cleared away
    d.stage = left ? DeliveryStage::recalled : DeliveryStage::ended;
    d.salt.clear();
    d.commitment.clear();
    at_.deliveries.save(d);
  }
  for (const std::string& request : requests) {
    at_.holds.lapse(HoldKind::distribution, request);
    at_.alerts.close(request_cause(request));
  }
}

std::string Distribution::ask(const Command& command, const Transfer& transfer) {
  const Wanted what = wanted(command.argument);
  const std::string subject = fmt::format("{}{}-{}", kPrefix, what.year, command.id);
  if (at_.holds.find(HoldKind::distribution, subject))
    return subject;  // before, and stopped before that was told
  if (at_.config.distribution.recipients.empty())
    throw Error(Code::c_config, "name the care funds, their keys and where they fetch: [distribution]");
  require_basis(at_.config, date_of(at_.clock.now()));
  const auto list = at_.lists.newest(what.year);
  if (!list)
    throw Error(
        Code::u_state,
        fmt::format("no list for reference year {} is recorded: 'veer status' shows which are", what.year));
  const auto file = at_.files.find(command.id);
  if (!file)
    throw Error(Code::u_state, "the service began anew before it had read the register: give it again");
  const Membership membership =
      read_membership(what.name, read_open(file->get(), what.name, kMostRegister).bytes);
  require_fit(membership);

  const Division division = divide(at_.lists.numbers(what.year), membership);
  std::vector<Delivery> deliveries;
  std::map<std::string, std::uint64_t> before;
  std::uint64_t same = 0;
  sweep();
  for (const auto& [fund, part] : division.parts) {
    // Of what was recalled, or is about to be, nobody knows whether the fund has it: it gets what it is to
    // have now.
    const auto last = at_.deliveries.last(fund, what.year);
    if (last) before[fund] = last->records;
    const bool unsure = at_.deliveries.is_delivering(fund, what.year);
    const bool unchanged = last && !last->salt.empty() && commitment_to(part, last->salt) == last->commitment;
    const bool never = !last && skipped(what.year) == 0;
    if (!unsure && (unchanged || (never && part.empty())))
      ++same;
    else
      deliveries.push_back(seal(recipient_of(fund), command, *list, what.year, membership, part, transfer));
  }
  if (deliveries.empty()) {
    at_.db.transaction([&] {
      lapse(what.year);
      at_.alerts.close(stale_cause(what.year));
    });
    sweep();
    throw Error(Code::u_state,
                fmt::format("every fund has what the list for {} says of its members: there is nothing "
                            "to deliver",
                            what.year));
  }
  for (Delivery& d : deliveries) d.request = subject;
  at_.db.transaction([&] {
    lapse(what.year);  // another request takes the place of what did not go out yet
    for (const Delivery& d : deliveries) at_.deliveries.save(d);
    const std::string purpose =
        fmt::format("{} for 1 January {}; {} in no fund; members as of {}", shares_of(deliveries, before),
                    what.year, division.rest, format_date(membership.as_of));
    at_.holds.open(HoldKind::distribution, subject, digest_of(deliveries), command.who, purpose);
    at_.audit.append("distribution-asked", list->exchange,
                     {{"subject", subject},
                      {"revision", std::to_string(list->revision)},
                      {"members_as_of", format_date(membership.as_of)},
                      {"members", std::to_string(membership.members)},
                      {"deliveries", shares_of(deliveries)},
                      {"in_no_fund", std::to_string(division.rest)},
                      {"unchanged", std::to_string(same)},
                      {"who", command.who.name}});
    at_.alerts.raise(
        request_cause(subject), AlertKind::attention, "DISTRIBUTE", subject,
        fmt::format("{} asks to deliver to the care funds: {}. Another person, an approver, releases it: "
                    "'veer approve {}'",
                    command.who.name, purpose, subject));
  });
  sweep();
  return subject;
}

Delivery Distribution::seal(const Recipient& recipient, const Command& command, const RecordedList& list,
                            int year, const Membership& membership, const std::vector<Insz>& part,
                            const Transfer& transfer) {
  const Time sealed_at = at_.clock.now();
  const auto seal = at_.open_seal(recipient.keys);
  Delivery d;
  d.id = make_uuid(at_.random);
  d.fund = recipient.name;
  d.key = seal->counterparty_key();
  d.members_as_of = membership.as_of;
  d.reference_year = year;
  d.list_revision = list.revision;
  d.revision = std::max(at_.deliveries.next_revision(recipient.name, year), skipped(year) + 1);
  d.file = care_fund_file(d.fund, year, d.revision, sealed_at);
  d.records = part.size();
  d.salt = random_hex(at_.random);
  d.commitment = commitment_to(part, d.salt);
  d.opened_at = at_.clock.now();
  const std::string csv = write_package_list(part);
  const std::string archive = write_care_fund({d.id,
                                               std::string(environment_name(at_.config.environment)),
                                               reference_date_of(year),
                                               d.revision,
                                               list.exchange,
                                               membership.as_of,
                                               {at_.config.party, at_.seal.own_key()},
                                               {recipient.name, d.key},
                                               sealed_at,
                                               d.records,
                                               sha256_hex(csv),
                                               at_.audit.head(),
                                               program_name()},
                                              csv);
  SpoolWriter into(spooled(d));
  DigestingSink sink(into);
  seal->seal(MemoryBlob(archive), sink, transfer);
  into.finish();
  d.sha256 = sink.hex();
  log(LogLevel::info, "sealed {} number(s) for {}, as {} asked", d.records, d.fund, command.who.name);
  return d;
}

std::string Distribution::approve(const Approval& approval, const Command& command) {
  const Approved request = require_request(at_, HoldKind::distribution, approval.subject, command);
  const std::string text = fmt::format("{} is released: {}", approval.subject, request.hold.purpose);
  if (request.before) return text;
  auto deliveries = at_.deliveries.of_request(approval.subject);
  if (request.hold.digest != approval.sha256 || digest_of(deliveries) != approval.sha256)
    throw Error(Code::u_state,
                fmt::format("another request waits under that name: look at it with 'veer approve {}'",
                            approval.subject));
  require_basis(at_.config, date_of(at_.clock.now()));
  const int year = deliveries.front().reference_year;
  for (const Delivery& d : deliveries) require_still_right(d);
  at_.db.transaction([&] {
    at_.holds.decide(request.hold, HoldState::released, command.who);
    for (Delivery& d : deliveries) {
      d.stage = DeliveryStage::sealed;
      d.wait = {.due = at_.clock.now()};
      at_.deliveries.save(d);
    }
    at_.audit.append("distribution-released", "",
                     {{"subject", approval.subject},
                      {"deliveries", shares_of(deliveries)},
                      {"asked_by", request.hold.asked_by ? request.hold.asked_by->name : ""},
                      {"who", command.who.name}});
    at_.alerts.close(request_cause(approval.subject));
    at_.alerts.close(stale_cause(year));
  });
  log(LogLevel::info, "{} released {}", command.who.name, approval.subject);
  return text;
}

// Between asking, releasing and delivering months may pass.
void Distribution::require_still_right(const Delivery& d) {
  const auto list = at_.lists.newest(d.reference_year);
  if (!list || list->revision != d.list_revision)
    throw Error(Code::u_state,
                fmt::format("the list for {0} was corrected since that was asked for: have it asked for "
                            "anew with 'veer distribute {0} --members FILE'",
                            d.reference_year));
  require_fresh(d.members_as_of);
  const Recipient& recipient = recipient_of(d.fund);
  if (pinned(recipient.keys, d.key) == nullptr)
    throw Error(
        Code::u_state,
        fmt::format(
            "{} has another key since: have it asked for anew with 'veer distribute {} --members FILE'",
            d.fund, d.reference_year));
}

std::string Distribution::reject(const Rejection& rejection, const Person& who) {
  const auto hold = at_.holds.find(HoldKind::distribution, rejection.subject);
  const auto deliveries = at_.deliveries.of_request(rejection.subject);
  const bool pending =
      std::any_of(deliveries.begin(), deliveries.end(), [](const Delivery& d) { return d.is_pending(); });
  if (hold && hold->state == HoldState::released &&
      pending) {  // what did not go out yet does not go any more
    require_may_end(at_, *hold, rejection, who);
    at_.db.transaction([&] {
      at_.holds.take_back(*hold, who, rejection.reason);
      at_.audit.append("distribution-rejected", "",
                       {{"subject", rejection.subject}, {"who", who.name}, {"reason", rejection.reason}});
      give_up(deliveries.front().reference_year);
    });
  } else {
    reject_request(at_, HoldKind::distribution, rejection, who, "distribution-rejected", [&] {
      if (!deliveries.empty()) give_up(deliveries.front().reference_year);
    });
  }
  sweep();
  return fmt::format("{} is not delivered", shown_name(rejection.subject));
}

// Within a transaction: whoever has something else than the list says now, or may, is to get it all the same.
void Distribution::give_up(int year) {
  lapse(year);
  const auto list = at_.lists.newest(year);
  for (const Recipient& recipient : at_.config.distribution.recipients)
    if (const auto last = at_.deliveries.last(recipient.name, year);
        list && (!last ? skipped(year) > 0
                       : last->stage == DeliveryStage::recalled || last->salt.empty() ||
                             last->list_revision != list->revision))
      return raise_stale(year,
                         fmt::format("{} may have another list for reference year {} than what is recorded",
                                     recipient.name, year));
}

std::int64_t Distribution::skipped(int year) {
  return at_.settings.number(skipped_revisions(year)).value_or(0);
}

void Distribution::take_back_restored() {
  const int this_year = static_cast<int>(date_of(at_.clock.now()).year());
  std::map<int, std::int64_t> known;  // the highest revision of each year that may have been delivered
  if (!at_.config.distribution.recipients.empty())
    for (int year = at_.config.window.first_reference_year; year <= this_year; ++year) known[year] = 0;
  for (const Delivery& d : at_.deliveries.all())
    known[d.reference_year] = std::max(known[d.reference_year], d.revision);
  at_.db.transaction([&] {
    at_.deliveries.cut_salts();
    for (const auto& [year, revision] : known) {
      at_.settings.set(skipped_revisions(year),
                       std::to_string(std::max(revision, skipped(year)) + kMostLost));
      lapse(year);
      if (revision > 0 || at_.lists.newest(year))
        raise_stale(year, fmt::format("these books were restored from a backup, and what care funds got of "
                                      "the list for reference year {} since it was made is not in them",
                                      year));
    }
  });
  sweep();
}

// Within a transaction.
void Distribution::raise_stale(int year, const std::string& why) {
  at_.alerts.raise(
      stale_cause(year), AlertKind::attention, "DISTRIBUTION_STALE", "",
      at_.settings.closed_out()
          ? why + ". The path is closed: tell them, and close this alert"
          : fmt::format("{}. Deliver what they are to have now: 'veer distribute {} --members FILE'", why,
                        year));
}

void Distribution::tell_corrected(const Exchange& x) {
  const auto all = at_.deliveries.all();
  const bool concerned = std::any_of(all.begin(), all.end(), [&](const Delivery& d) {
    return d.reference_year == x.reference_year && d.stage != DeliveryStage::ended;
  });
  lapse(x.reference_year);
  if (concerned)
    raise_stale(x.reference_year,
                fmt::format("care funds have the list for reference year {} as it was before "
                            "revision {}, or were to get it",
                            x.reference_year, x.revision));
}

void Distribution::take_back() {
  at_.deliveries.cut_salts();
  std::set<int> years;
  for (const Delivery& d : at_.deliveries.all())
    if (d.stage != DeliveryStage::ended) years.insert(d.reference_year);
  for (const int year : years) {
    lapse(year);
    raise_stale(
        year, fmt::format("somebody was forgotten since the list for reference year {} was delivered to care "
                          "funds, or was to be",
                          year));
  }
}

void Distribution::sweep() {
  std::set<std::string> wanted;
  for (const Delivery& d : at_.deliveries.all())
    if (d.is_pending()) wanted.insert(d.file);
  for (const std::string& name : names_in(at_.spool))
    if (is_care_fund_file(name) && !wanted.contains(name)) remove_file(at_.spool / name);
}

}  // namespace veer

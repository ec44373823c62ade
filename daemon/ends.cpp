#include "daemon/ends.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "connectors/client_certificate.h"
#include "core/files.h"
#include "daemon/rules.h"
#include "formats/acceptance.h"

namespace veer {
namespace {

constexpr std::array kDaysLeft = {1, 7, 30, 90};
constexpr const char* kWayIn = "certificate";  // by which the share lets this side in
const std::string kWayInEnd = "way_in_end";    // milliseconds
constexpr std::uint64_t kMostText = std::uint64_t{1} << 20;

/// How near an end is: the first of kDaysLeft that holds all days that are left, beyond the end too. Empty
/// when it is further away.
std::optional<int> days_step(Time end, Time now) {
  const auto left = std::chrono::ceil<std::chrono::days>(end - now).count();
  const auto* const step =
      std::find_if(kDaysLeft.begin(), kDaysLeft.end(), [&](int days) { return left <= days; });
  return step == kDaysLeft.end() ? std::nullopt : std::optional(*step);
}

/// The end of a party's last key; empty when it never ends, or nothing is known.
std::optional<KeyEnd> last_end(const std::vector<PinnedKey>& pins, const std::vector<KeyEnd>& ends) {
  std::optional<KeyEnd> last;
  for (const PinnedKey& pin : pins) {
    const KeyEnd end = end_of(pin, ends);
    if (!end.at) return std::nullopt;
    if (!last || *end.at > *last->at) last = end;
  }
  return last;
}

/// What to do about a key that ends.
struct Remedies {
  std::string_view renewable;
  std::string_view other;
};
constexpr Remedies kOurs = {"'veer keys renew' gives it more time, and 'veer keys rotate' makes the next one",
                            "'veer keys rotate' makes the next one"};
constexpr std::string_view kFund = "ask that care fund for its next one, and name it in [distribution]";
constexpr Remedies kFunds = {kFund, kFund};
constexpr Remedies kTheirs = {
    "ask the other side to renew it ('keys renew' there), and take it in with 'veer keys import FILE'",
    "ask the other side for its next one, and take it in with 'veer keys import FILE'"};

std::string key_cause(const std::string& party) { return "key:" + party; }

void look_at_key(Instance& at, const std::string& party, const std::vector<PinnedKey>& pins,
                 const std::vector<KeyEnd>& ends, const Remedies& remedies) {
  const std::string cause = key_cause(party);
  const auto last = last_end(pins, ends);
  at.settings.keep_key_end(party, last ? last->at : std::nullopt);
  const auto step = last ? days_step(*last->at, at.clock.now()) : std::nullopt;
  if (!step) return at.alerts.close(cause);
  at.alerts.raise(
      cause, AlertKind::attention, fmt::format("KEY_{}", *step), "",
      fmt::format("the last key of {} that may be used ends on {}: {}", party,
                  format_date(date_of(*last->at)), last->renewable ? remedies.renewable : remedies.other));
}

/// Of a party that is configured no more nothing ends.
void forget_others(Instance& at) {
  const auto& funds = at.config.distribution.recipients;
  for (const Alert& alert : at.alerts.open()) {
    const bool ours = alert.cause == key_cause(at.config.party) ||
                      alert.cause == key_cause(at.config.counterparty) ||
                      std::any_of(funds.begin(), funds.end(),
                                  [&](const Recipient& fund) { return alert.cause == key_cause(fund.name); });
    if (topic_of(alert) == "key" && !ours) at.alerts.close(alert.cause);
  }
}

/// Empty when it cannot be read: what needs it tells of that.
std::optional<Time> end_of_certificate(const Config& config) {
  try {
    const auto certificates = read_certificates(read_file(certificate_of(config.share), kMostText));
    return certificates.empty() ? std::nullopt : std::optional(certificates.front().until);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// That what lets this side in at the share ends at `end`, or nothing while that is far away.
void tell_way_in(Instance& at, std::string_view code, std::optional<Time> end, const std::string& what) {
  if (end)
    at.settings.set(kWayInEnd, std::to_string(to_millis(*end)));
  else
    at.settings.forget(kWayInEnd);
  const auto step = end ? days_step(*end, at.clock.now()) : std::nullopt;
  if (!step) return at.alerts.close(kWayIn);
  const bool magda = std::holds_alternative<FtpsShareConfig>(at.config.share.kind);
  at.alerts.raise(kWayIn, AlertKind::attention, fmt::format("{}_{}", code, *step), "",
                  fmt::format("{} in the configuration (docs/{}.md, Changing certificates without a gap)",
                              what, magda ? "magda" : "sharepoint"));
}

void look_at_way_in(Instance& at) {
  if (const auto last = end_of_client_secret(at.config.share))
    return tell_way_in(
        at, "SECRET", end_of_day(*last),
        fmt::format("the client secret by which the share knows this side ends on {}: have the next "
                    "one made beside it, and name it and its end",
                    format_date(*last)));
  const fs::path path = certificate_of(at.config.share);
  const auto end = path.empty() ? std::nullopt : end_of_certificate(at.config);
  if (!path.empty() && !end) return;  // what was known of it stands
  tell_way_in(
      at, "CERTIFICATE", end,
      fmt::format("the certificate by which the share knows this side, {}, ends on {}: have the next one "
                  "accepted beside it, and name that",
                  path.native(), end ? format_date(date_of(*end)) : ""));
}

// Q07: only in production the days of the transition count.
void look_at_window(Instance& at) {
  static constexpr const char* kCause = "window";
  const Date closes = at.config.window.closes;
  const Time end = end_of_day(closes);
  const auto step = days_step(end, at.clock.now());
  if (at.config.environment != Environment::production || !step || at.clock.now() >= end)
    return at.alerts.close(kCause);
  at.alerts.raise(
      kCause, AlertKind::attention, fmt::format("WINDOW_{}", *step), "",
      fmt::format("the transition ends on {}: no first list travels after that day", format_date(closes)));
}

// Q13: when the record ends, and whether the text is still the one that was confirmed.
void look_at_legal_basis(Instance& at) {
  static constexpr const char* kCause = "legal-basis";
  if (at.config.environment != Environment::production) return at.alerts.close(kCause);
  const auto raise = [&](std::string_view code, const std::string& text) {
    at.alerts.raise(kCause, AlertKind::attention, code, "", text);
  };
  try {
    require_basis(at.config, date_of(at.clock.now()));
    require_document(*at.config.legal_basis);
  } catch (const Error& error) {
    return raise(code_name(error.code()), error.message());
  }
  const Date last = last_day(*at.config.legal_basis);
  const auto step = days_step(end_of_day(last), at.clock.now());
  if (!step) return at.alerts.close(kCause);
  raise(fmt::format("LEGAL_BASIS_{}", *step),
        fmt::format(
            "the legal basis on record ends on {}: no list is taken in, sent or recorded after that day, "
            "unless your lawyers confirm it anew and [legal_basis] says so",
            format_date(last)));
}

}  // namespace

Time end_of_day(Date day) { return Time(std::chrono::sys_days(day)) + std::chrono::days(1); }

std::optional<Time> way_in_end(Settings& settings) {
  const auto end = settings.number(kWayInEnd);
  return end ? std::optional(from_millis(*end)) : std::nullopt;
}

void look_at_ends(Instance& at, const std::vector<KeyEnd>& ends) {
  look_at_key(at, at.config.party, at.config.own_keys, ends, kOurs);
  look_at_key(at, at.config.counterparty, at.config.counterparty_keys, ends, kTheirs);
  for (const Recipient& recipient : at.config.distribution.recipients)
    look_at_key(at, recipient.name, recipient.keys, ends, kFunds);
  forget_others(at);
  look_at_way_in(at);
  look_at_window(at);
  look_at_legal_basis(at);
}

}  // namespace veer

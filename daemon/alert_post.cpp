#include "daemon/alert_post.h"

#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/alert_texts.h"
#include "daemon/channel_factory.h"

namespace veer {
namespace {

using std::chrono::milliseconds;

// Greylisting asks for minutes; a day without mail costs some dozens of tries.
constexpr milliseconds kFirstWait = std::chrono::minutes(1);
constexpr milliseconds kLongestWait = std::chrono::hours(1);
// After so many failed tries (half an hour) the others are told that a channel fails.
constexpr std::int64_t kSilentTries = 5;
// A message that nobody answers is said so often again, each time perhaps for the second time, from a quarter
// of an hour on: kFirstWait doubled so often.
constexpr std::int64_t kDoubts = 2;
constexpr std::int64_t kDoubled = 4;

/// Cause of the alert that tells of a channel, of one recipient's own too, and of what it refuses.
std::string cause_of(const std::string& channel, Mishap mishap) {
  const std::size_t at = channel.find(':');
  if (at != std::string::npos) return recipient_cause(channel.substr(at + 1));
  return mishap == Mishap::message ? message_cause(channel) : channel_cause(channel);
}

}  // namespace

void AlertPost::start() {
  std::set<std::string> causes;
  for (const std::string& channel : at_.config.alerts.rules().channels) {
    causes.insert(channel_cause(channel));
    causes.insert(message_cause(channel));
    for (const std::string& one : recipients_of(at_.config, channel, AlertTurn::escalated))
      causes.insert(recipient_cause(one));
  }
  for (const Alert& alert : at_.alerts.open())
    if (const std::string topic = topic_of(alert);
        (topic == "channel" || topic == "recipient") && !causes.contains(alert.cause))
      at_.alerts.close(alert.cause);
}

Time AlertPost::when_again(const Error& error, std::int64_t attempts) {
  milliseconds wait = kFirstWait * (std::int64_t{1} << std::min<std::int64_t>(attempts, 6));
  if (error.retry_after()) wait = std::max(wait, *error.retry_after());
  return at_.clock.now() + std::min(wait, kLongestWait);
}

void AlertPost::send(const Telling& telling, const Transfer& transfer) {
  const auto alert = at_.alerts.find(telling.alert);
  // Whom it was escalated to hears how it goes on.
  const AlertTurn reach =
      at_.alerts.tellings().is_escalated(telling.alert) ? AlertTurn::escalated : telling.turn;
  // What cannot be written down is not sent, or it would be sent at each try to do so.
  at_.db.transaction([&] { at_.alerts.tellings().set_due(telling, at_.clock.now() + kFirstWait); });
  std::unique_ptr<AlertChannel> channel;
  try {
    if (alert) {
      channel = at_.open_channel(at_.config, telling.channel, reach);
      channel->send(message_of(*alert, telling, at_.config, at_.clock.now(), at_.alerts.open().size(),
                               at_.alerts.incidents().waiting()),
                    transfer);
    }
  } catch (...) {
    const Error error = error_of(std::current_exception());
    if (error.code() == Code::l_stopped) {
      at_.db.transaction([&] { at_.alerts.tellings().set_due(telling, at_.clock.now()); });
      throw error;
    }
    log(LogLevel::warn, "telling people by {}: {}: {}", telling.channel, code_name(error.code()),
        error.message());
    at_.db.transaction([&] { failed(telling, channel ? channel->mishap() : Mishap::channel, error); });
    return;
  }
  at_.db.transaction([&] {
    if (channel)
      went_out(telling, reach, *channel);
    else
      at_.alerts.tellings().forget(telling);
  });
}

void AlertPost::went_out(const Telling& telling, AlertTurn reach, const AlertChannel& channel) {
  Tellings& tellings = at_.alerts.tellings();
  tellings.sent(telling);
  for (const Missed& one : channel.missed())
    if (remedy_of(one.code) == Remedy::retry)
      tellings.missed(telling, one.recipient, at_.clock.now() + kFirstWait);
  mind_recipients(telling.channel, reach, channel.missed());
  const std::string way = telling.channel.substr(0, telling.channel.find(':'));
  if (tellings.failures(way) == 0) at_.alerts.close(channel_cause(way));
  if (!tellings.has_refused(way)) at_.alerts.close(message_cause(way));
}

void AlertPost::failed(const Telling& telling, Mishap mishap, const Error& error) {
  Tellings& tellings = at_.alerts.tellings();
  if (error.code() == Code::u_state) return tellings.forget(telling);
  const std::int64_t failures = tellings.failures(telling, mishap);
  const bool doubtful = mishap == Mishap::unanswered;
  const auto alert = at_.alerts.find(telling.alert);
  const bool over = alert && alert->closed_at && remedy_of(error.code()) != Remedy::retry;
  const bool given_up = (doubtful && failures >= kDoubts) || (mishap == Mishap::message && over);
  if (given_up) {
    log(LogLevel::warn, "telling people by {}: it is over, or no try was answered: it counts as told",
        telling.channel);
    tellings.sent(telling);
  } else {
    tellings.defer(telling, when_again(error, failures + (doubtful ? kDoubled : 0)), mishap, error);
  }
  if (given_up || remedy_of(error.code()) != Remedy::retry || failures + 1 >= kSilentTries)
    at_.alerts.raise(
        cause_of(telling.channel, mishap), AlertKind::attention, code_name(error.code()), "",
        fmt::format("people cannot be told {}by {}: {}", mishap == Mishap::message ? "everything " : "",
                    telling.channel, error.message()));
}

void AlertPost::mind_recipients(const std::string& channel, AlertTurn turn,
                                const std::vector<Missed>& missed) {
  for (const std::string& one : recipients_of(at_.config, channel, turn)) {
    const auto found =
        std::find_if(missed.begin(), missed.end(), [&](const Missed& m) { return m.recipient == one; });
    if (found == missed.end())
      at_.alerts.close(recipient_cause(one));
    else if (remedy_of(found->code) != Remedy::retry)
      at_.alerts.raise(recipient_cause(one), AlertKind::attention, code_name(found->code), "",
                       fmt::format("{} is told nothing by {}: the server says '{}'. Look at that address and "
                                   "its mailbox",
                                   one, channel, found->answer));
  }
}

std::string AlertPost::try_all(const Transfer& transfer) {
  const auto channels = at_.config.alerts.rules().channels;
  if (channels.empty())
    throw Error(Code::u_state,
                "no channel is configured: alerts stand in the journal and in 'veer status' alone. "
                "Add [alerts.mail], [alerts.webhook] or a hook");
  std::string report;
  bool all_good = true;
  for (const std::string& channel : channels) {
    std::string outcome = "sent";
    try {
      const auto way = at_.open_channel(at_.config, channel, AlertTurn::escalated);
      const std::string remark = way->send(trial_message(at_.config, at_.clock.now()), transfer);
      if (!remark.empty()) outcome += ", but " + remark;
      at_.db.transaction([&] {
        mind_recipients(channel, AlertTurn::escalated, way->missed());
        if (remark.empty()) at_.settings.keep_proof(channel, at_.config.alerts.digest_of(channel));
      });
      all_good = all_good && remark.empty();
    } catch (...) {
      const Error error = error_of(std::current_exception());
      if (error.code() == Code::l_stopped) throw error;
      outcome = fmt::format("failed: {}: {}", code_name(error.code()), error.message());
      all_good = false;
    }
    report += fmt::format("{}{}: {}", report.empty() ? "" : "\n", channel, outcome);
  }
  if (!all_good) throw Error(Code::u_state, report);  // a person waits: it is not tried again
  return report;
}

}  // namespace veer

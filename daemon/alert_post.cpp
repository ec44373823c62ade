#include "daemon/alert_post.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/alert_texts.h"

namespace veer {
namespace {

using std::chrono::milliseconds;

// Greylisting asks for minutes; a day without mail costs some dozens of tries.
constexpr milliseconds kFirstWait = std::chrono::minutes(1);
constexpr milliseconds kLongestWait = std::chrono::hours(1);
// After so many failed tries (half an hour) the others are told that a channel fails.
constexpr std::int64_t kSilentTries = 5;

}  // namespace

Time AlertPost::when_again(const Error& error, std::int64_t attempts) {
  milliseconds wait = kFirstWait * (std::int64_t{1} << std::min<std::int64_t>(attempts, 6));
  if (error.retry_after()) wait = std::max(wait, *error.retry_after());
  return at_.clock.now() + std::min(wait, kLongestWait);
}

void AlertPost::send(const Telling& telling, const Transfer& transfer) {
  const auto alert = at_.alerts.find(telling.alert);
  const std::string cause = channel_cause(telling.channel);
  // What cannot be written down is not sent, or it would be sent at each try to do so.
  at_.db.transaction([&] { at_.alerts.tellings().set_due(telling, at_.clock.now() + kFirstWait); });
  std::string remark;
  try {
    if (alert)
      remark = at_.open_channel(at_.config, telling.channel, telling.turn)
                   ->send(message_of(*alert, telling, at_.config, at_.clock.now(), at_.alerts.open().size()),
                          transfer);
  } catch (...) {
    const Error error = error_of(std::current_exception());
    if (error.code() == Code::l_stopped) {
      at_.db.transaction([&] { at_.alerts.tellings().set_due(telling, at_.clock.now()); });
      throw error;
    }
    log(LogLevel::warn, "telling people by {}: {}: {}", telling.channel, code_name(error.code()),
        error.message());
    at_.db.transaction([&] {
      at_.alerts.tellings().defer(telling, when_again(error, telling.wait.attempts), error);
      if (remedy_of(error.code()) != Remedy::retry || telling.wait.attempts + 1 >= kSilentTries)
        at_.alerts.raise(cause, AlertKind::attention, code_name(error.code()), "",
                         fmt::format("people cannot be told by {}: {}", telling.channel, error.message()));
    });
    return;
  }
  at_.db.transaction([&] {
    at_.alerts.tellings().sent(telling);
    if (remark.empty())
      at_.alerts.close(cause);
    else
      at_.alerts.raise(cause, AlertKind::attention, code_name(Code::s_rights), "", remark);
  });
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
      const std::string remark = at_.open_channel(at_.config, channel, AlertTurn::escalated)
                                     ->send(trial_message(at_.config, at_.clock.now()), transfer);
      if (!remark.empty()) outcome += ", but " + remark;
      at_.db.transaction([&] { at_.settings.keep_proof(channel, at_.config.alerts.digest_of(channel)); });
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

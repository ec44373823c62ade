// What a second person decides about a sealed list (Q31): it leaves, exactly as it was sealed, or never does.

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/rules.h"
#include "daemon/sender.h"

namespace veer {
namespace {

Error not_held(const Exchange& x) {
  return {Code::u_state,
          fmt::format("exchange {} is {} and waits for nobody's release", x.id, stage_name(x.stage))};
}

}  // namespace

void Sender::require_released(const Exchange& x) {
  const auto hold = at_.holds.find(HoldKind::list, x.id);
  if (!hold || hold->state == HoldState::lapsed) return;
  if (hold->state != HoldState::released)
    throw Error(Code::u_state,
                fmt::format("exchange {} was not released: 'veer approve {}'", x.id, x.id.substr(0, 8)));
  if (hold->digest != x.package_sha256)
    throw Error(Code::u_state,
                fmt::format("what was released in exchange {} are other bytes: withdraw it and offer "
                            "the list again",
                            x.id));
}

std::string Sender::approve(const Command& command, const Transfer& transfer) {
  const Approval approval = Approval::parse(command.argument);
  const Exchange x = at_.ledger.find(approval.subject);
  const auto hold = at_.holds.find(HoldKind::list, x.id);
  const std::string text = fmt::format("exchange {} is released", x.id);
  // Carried out before, and stopped before that was written down.
  if (hold && hold->was_decided_by(HoldState::released, command.who)) return text;
  if (!hold || hold->state != HoldState::open || x.stage != Stage::held) throw not_held(x);
  require_second_person(at_.config.environment, at_.config.access, hold->asked_by, command.who);
  if (approval.sha256 != hold->digest)
    throw Error(Code::u_state,
                fmt::format("other bytes wait for release in exchange {}: look at them with 'veer "
                            "approve {}'",
                            x.id, x.id.substr(0, 8)));
  if (approval.set_aside != x.set_aside)
    throw Error(Code::u_state,
                fmt::format("{} faulty line(s) were left out of this list: whoever releases it says so "
                            "with 'veer approve {} --set-aside {}'",
                            x.set_aside, x.id.substr(0, 8), x.set_aside));
  require_allowed(at_.config, work_of(x.revision), x.reference_year, date_of(at_.clock.now()));
  sealed_bytes(x, transfer);
  const Time now = at_.clock.now();
  at_.db.transaction([&] {
    at_.holds.decide(*hold, HoldState::released, command.who);
    at_.ledger.move(x, Stage::sealed, now);
    at_.audit.append("released", x.id,
                     {{"sha256", hold->digest},
                      {"offered_by", hold->asked_by ? hold->asked_by->name : ""},
                      {"who", command.who.name}});
    at_.alerts.close(release_cause(x));
    tell(x, Turn::released);
  });
  log(LogLevel::info, "{} released {}", command.who.name, x.package);
  return text;
}

std::string Sender::reject(const Command& command) {
  const Rejection rejection = Rejection::parse(command.argument);
  const Exchange x = at_.ledger.find(rejection.subject);
  const std::string& reason = rejection.reason;
  const auto hold = at_.holds.find(HoldKind::list, x.id);
  const std::string text = fmt::format("exchange {} is rejected, and its sealed package removed", x.id);
  if (!hold || !hold->was_decided_by(HoldState::rejected, command.who)) {
    if (!hold || hold->state != HoldState::open || x.stage != Stage::held) throw not_held(x);
    require_second_person(at_.config.environment, at_.config.access, hold->asked_by, command.who);
    at_.db.transaction([&] {
      at_.holds.decide(*hold, HoldState::rejected, command.who, reason);
      at_.ledger.move(x, Stage::rejected, std::nullopt);
      at_.audit.append("rejected", x.id,
                       {{"sha256", hold->digest},
                        {"offered_by", hold->asked_by ? hold->asked_by->name : ""},
                        {"who", command.who.name},
                        {"reason", reason}});
      tell(x, Turn::rejected, reason.empty() ? "" : ": " + reason);
      end(x);
    });
    log(LogLevel::info, "{} rejected {}", command.who.name, x.package);
  }
  remove_file(at_.sealed_file(x));
  return text;
}

}  // namespace veer

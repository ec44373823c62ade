#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/distribution.h"
#include "daemon/outbox.h"
#include "daemon/rules.h"
#include "daemon/shared_alerts.h"

/// What was released, on its way to a care fund's share.
namespace veer {

// What was under way when it lapsed: a part of it, or all of it, may lie on the fund's share. It is looked
// for once more after a while, since a put whose answer was lost may still take effect.
void Distribution::clear_away(Delivery d, const Transfer& transfer) {
  static constexpr std::chrono::hours kOnceMore{1};
  const bool again = d.wait.attempts == 0;
  const Recipient* const recipient = at_.config.distribution.find(d.fund);
  std::string found = "nothing";
  if (recipient == nullptr) {
    found = "unknown";
  } else {
    try {
      if (unpublish(*at_.open_share(recipient->share), d.file, d.sha256, d.resume_note, transfer))
        found = "removed";
    } catch (const Error& error) {
      if (error.code() != Code::s_rights) throw;
      found = "left";
    }
  }
  const bool is_sure = found == "nothing" || found == "removed";
  d.wait = {};
  if (again && is_sure) d.wait = {.due = at_.clock.now() + kOnceMore, .attempts = 1};
  d.resume_note.clear();
  at_.db.transaction([&] {
    at_.deliveries.save(d);
    at_.audit.append("delivery-cleared", "",
                     {{"fund", d.fund}, {"name", d.file}, {"request", d.request}, {"found", found}});
    if (!is_sure)
      at_.alerts.raise(
          "delivery-left:" + d.file, AlertKind::attention, "DELIVERY_LEFT", "",
          fmt::format("{} was not to be delivered any more, and may lie on the share of {}, {}: have it "
                      "removed there, and close this alert",
                      d.file, d.fund,
                      recipient == nullptr ? "which is configured no more" : "which forbids removing it"));
  });
}

void Distribution::step(const Delivery& before, const Transfer& transfer) {
  if (before.is_over()) return clear_away(before, transfer);
  Delivery d = before;
  try {
    require_still_right(d);
  } catch (const Error& error) {
    at_.db.transaction([&] {
      lapse(d.reference_year);
      raise_stale(d.reference_year, fmt::format("{} did not go to {}: {}", d.file, d.fund, error.message()));
    });
    sweep();
    return;
  }
  require_basis(at_.config, date_of(at_.clock.now()));
  std::error_code none;
  if (!fs::exists(spooled(d), none) || sha256_hex(FileBlob(spooled(d)), {.stop = transfer.stop}) != d.sha256)
    throw Error(Code::l_io,
                fmt::format("{} does not lie in the spool as it was sealed (a failing disk, a restored "
                            "backup?): ask for it anew with 'veer distribute {} --members FILE'",
                            d.file, d.reference_year));
  const auto share = at_.open_share(recipient_of(d.fund).share);
  if (d.stage == DeliveryStage::sealed) {
    d.stage = DeliveryStage::delivering;
    at_.db.transaction([&] { at_.deliveries.save(d); });
  }
  const ResumeNote resume{d.resume_note, [&](const std::string& note) {
                            at_.db.transaction([&] { at_.deliveries.keep_note(d.id, note); });
                          }};
  const Published published =
      publish(*share, d.file, FileBlob(spooled(d)), d.sha256, resume, d.wait, transfer);
  if (published == Published::foreign || published == Published::hidden) {
    if (published == Published::foreign) at_.db.transaction([&] { tell_name_taken(at_, "", d.file); });
    throw Error(Code::s_name_taken,
                fmt::format("{} on the share of {} holds other bytes: have it removed there, and "
                            "find out who put them there",
                            d.file, d.fund));
  }
  Delivery done = d;
  done.stage = DeliveryStage::delivered;
  done.wait = {};
  done.resume_note.clear();
  at_.db.transaction([&] {
    at_.deliveries.save(done);
    at_.deliveries.cut_older_salts(done);
    at_.audit.append("delivered", "",
                     {{"fund", d.fund},
                      {"name", d.file},
                      {"sha256", d.sha256},
                      {"records", std::to_string(d.records)},
                      {"revision", std::to_string(d.revision)},
                      {"reference_year", std::to_string(d.reference_year)},
                      {"request", d.request}});
  });
  remove_file(spooled(d));
  log(LogLevel::info, "delivered {} to {}", d.file, d.fund);
}

}  // namespace veer

#include "daemon/instance.h"

#include <fmt/format.h>

#include "core/files.h"
#include "daemon/schema.h"
#include "daemon/share_factory.h"

namespace veer {
namespace {

const std::filesystem::path& made(const std::filesystem::path& folder) {
  make_folder(folder);
  return folder;
}

}  // namespace

std::string program_name() { return "veerdienst " VEER_VERSION; }

Instance::Instance(Config configuration, Share& its_share, Seal& its_seal, const Clock& its_clock,
                   Random& its_random)
    : config(std::move(configuration)),
      spool(made(config.state) / "spool"),
      quarantine(config.state / "quarantine"),
      db(config.database_url),
      settings(db, its_clock),
      ledger(db, its_clock),
      lists(db, its_clock),
      cases(db, its_clock),
      deliveries(db),
      agenda(db, its_clock),
      alerts(db, its_clock, config.alerts.rules()),
      offers(db),
      holds(db, its_clock),
      audit(db, its_clock),
      share(its_share),
      seal(its_seal),
      clock(its_clock),
      random(its_random),
      open_share([this](const ShareConfig& where) { return veer::open_share(where, config.proxy); }),
      open_channel(veer::open_channel) {
  make_folder(spool);
  make_folder(quarantine);
  migrate(db);
}

std::filesystem::path Instance::sealed_file(const Exchange& exchange) const {
  return spool / (exchange.stem + ".pgp");
}

std::filesystem::path Instance::fetched_file(const Arrival& arrival) const {
  return spool / fmt::format("arrival-{}", arrival.id);
}

}  // namespace veer

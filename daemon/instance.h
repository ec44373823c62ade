#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "connectors/share.h"
#include "core/clock.h"
#include "core/random.h"
#include "daemon/agenda.h"
#include "daemon/alerts.h"
#include "daemon/audit.h"
#include "daemon/cases.h"
#include "daemon/channel_factory.h"
#include "daemon/config.h"
#include "daemon/database.h"
#include "daemon/deliveries.h"
#include "daemon/holds.h"
#include "daemon/ledger.h"
#include "daemon/offers.h"
#include "daemon/open_files.h"
#include "daemon/register.h"
#include "daemon/settings.h"
#include "formats/seal.h"

namespace veer {

/// "veerdienst 1.0.0"
std::string program_name();

/// Everything that one side works with: its configuration, its books in one database, and the outside world
/// behind the seams. Makes its folders and brings the database up to date. One thread, but for `files`.
/// Nothing in it but the database and the folders survives a crash, and nothing else needs to.
struct Instance {
  Instance(Config configuration, Share& its_share, Seal& its_seal, const Clock& its_clock,
           Random& its_random);

  Config config;
  std::filesystem::path spool;
  std::filesystem::path quarantine;
  Database db;
  Settings settings;
  Ledger ledger;
  Register lists;
  Cases cases;
  Deliveries deliveries;
  Agenda agenda;
  AlertBook alerts;
  Offers offers;
  Holds holds;
  Audit audit;
  OpenFiles files;
  Share& share;
  Seal& seal;
  const Clock& clock;
  Random& random;
  /// What seals to others than the counterparty, by their keys, and where care funds fetch.
  std::function<std::unique_ptr<Seal>(const std::vector<PinnedKey>& recipient)> open_seal;
  std::function<std::unique_ptr<Share>(const ShareConfig&)> open_share;
  /// What a step may take that reads from the share: what else is due comes between, and it goes on.
  std::chrono::milliseconds longest_reading = std::chrono::minutes(10);
  /// A year's evidence as `veer evidence` writes it, for who asks over the bus. Only a service has it.
  std::function<std::string(const std::string& wish)> evidence;
  /// How people are told: see open_channel().
  std::function<std::unique_ptr<AlertChannel>(const Config&, const std::string&, AlertTurn)> open_channel;

  /// The spool's file of a package that was sealed here.
  std::filesystem::path sealed_file(const Exchange& exchange) const;
  /// The spool's copy of a file that is being fetched.
  std::filesystem::path fetched_file(const Arrival& arrival) const;
};

}  // namespace veer

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "daemon/access.h"
#include "daemon/agenda.h"
#include "daemon/database.h"
#include "daemon/open_files.h"

struct sd_event;

namespace veer {

/// What a command that only looks answers.
struct LookAnswer {
  int exit_code = 0;
  std::string text;
};

/// What the service gives to its bus.
struct BusServices {
  std::string instance;                 ///< "aii": the name on the bus ends in it
  std::filesystem::path configuration;  ///< its file, by which whoever asks knows that it is the right one
  std::string database_url;             ///< commands are written there over a connection of the bus's own
  AccessConfig access;
  OpenFiles* files = nullptr;
  std::function<void(const std::string& verb)> rung;  ///< a command was written
  /// Runs "status", "list", "show", "metrics", "receipt", "release", "audit verify" or "audit anchors", in
  /// the bus's thread.
  std::function<LookAnswer(const std::string& what, const std::string& argument, bool json)> look;
};

/// org.veerdienst.Exchange1 (docs/bus.md): how people whom the service does not belong to give it commands
/// and look at it. Who calls is known from the bus, what they may from the machine's groups. Commands become
/// the same rows as those of the service's own user. Where the machine has no bus, or the name may not be had
/// there, that is told once and tried again: the service works without it. Lives in the thread of its loop.
class BusServer {
 public:
  /// Throws L_IO when even trying later is impossible.
  BusServer(sd_event* loop, BusServices services);
  ~BusServer();
  /// Tells those who gave commands how far the transfer under way is.
  void tell_progress(std::uint64_t done, std::uint64_t all);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace veer

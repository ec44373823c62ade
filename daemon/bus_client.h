#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/files.h"
#include "daemon/agenda.h"
#include "daemon/bus_server.h"

namespace veer {

/// The service of an instance, asked over the bus by somebody else than its own user. Throws the errors of
/// the service's side as they are; S_UNREACHABLE when no service answers, or none within the time given;
/// C_USER when the bus lets nobody speak to it.
class BusClient {
 public:
  static constexpr std::chrono::seconds kPatience{30};

  /// Throws U_USAGE too when the one that bears the instance's name works on another configuration.
  BusClient(const std::string& instance, const std::filesystem::path& configuration,
            std::chrono::microseconds patience = kPatience);
  ~BusClient();

  /// The number of the command that becomes of it.
  std::int64_t ask(const std::string& verb, const std::string& argument);
  /// Hands a list over, open for reading, under its file's name: the service needs no right on it.
  /// `verb`: as Intake::take() knows it.
  std::int64_t offer(const std::string& name, const Fd& file, const std::string& verb = "send");
  /// A command about persons, whose numbers are in a file that nobody else has.
  std::int64_t entrust(const std::string& verb, const std::string& argument, const Fd& persons);
  CommandResult result_of(std::int64_t command);
  LookAnswer look(const std::string& what, const std::string& argument, bool json);
  /// Waits so long, and hands what the service tells of its transfers meanwhile to `progress`.
  void wait(std::chrono::milliseconds time,
            const std::function<void(std::uint64_t bytes, std::uint64_t of)>& progress);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace veer

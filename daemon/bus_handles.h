#pragma once

#include <memory>
#include <string>

#include <systemd/sd-bus.h>

/// What both ends of the bus share; private to the room.
namespace veer {

// Closed without flushing: what was to be said is said when it is sent, and a bus that hangs is not waited
// for.
struct FreeBus {
  void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};
struct FreeMessage {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
struct FreeCreds {
  void operator()(sd_bus_creds* creds) const { sd_bus_creds_unref(creds); }
};
struct FreeTrack {
  void operator()(sd_bus_track* track) const { sd_bus_track_unref(track); }
};
struct BusError {
  sd_bus_error it = SD_BUS_ERROR_NULL;
  BusError() = default;
  ~BusError() { sd_bus_error_free(&it); }
  BusError(const BusError&) = delete;
  BusError& operator=(const BusError&) = delete;
};

using BusHandle = std::unique_ptr<sd_bus, FreeBus>;
using MessageHandle = std::unique_ptr<sd_bus_message, FreeMessage>;
using CredsHandle = std::unique_ptr<sd_bus_creds, FreeCreds>;
using TrackHandle = std::unique_ptr<sd_bus_track, FreeTrack>;

inline constexpr const char* kBusInterface = "org.veerdienst.Exchange1";
inline constexpr const char* kBusPath = "/org/veerdienst/Exchange1";
/// Before the code of an Error that a method ends with.
inline constexpr const char* kBusErrors = "org.veerdienst.Error.";

/// "org.veerdienst.Exchange1.aii"; throws U_USAGE for an instance whose name cannot stand on a bus.
std::string bus_name(const std::string& instance);

}  // namespace veer

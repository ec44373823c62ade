#include "support/private_bus.h"

#include <cstdlib>
#include <stdexcept>

#include "core/files.h"

namespace veer::test {
namespace {

// As /usr/share/dbus-1/system.conf has it.
constexpr const char* kBegin = R"(<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path=)";
constexpr const char* kEnd = R"(</listen>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
  </policy>
  <include>policy.conf</include>
</busconfig>
)";

}  // namespace

PrivateBus::PrivateBus(const std::string& owner) {
  fs::permissions(folder_.path(), fs::perms(0755));
  write_file(folder_ / "bus.conf", kBegin + (folder_ / "socket").native() + kEnd);
  std::string policy = read_file(fs::path(VEER_SOURCE_DIR) / "systemd/bus.conf");
  const std::string user = "user=\"veerdienst\"";
  const std::size_t at = policy.find(user);
  if (at == std::string::npos) throw std::runtime_error("the policy names no user of the service");
  write_file(folder_ / "policy.conf", policy.replace(at, user.size(), "user=\"" + owner + "\""));
  setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + (folder_ / "socket").native()).c_str(), 1);
  start();
}

PrivateBus::~PrivateBus() { unsetenv("DBUS_SYSTEM_BUS_ADDRESS"); }

void PrivateBus::start() {
  fs::remove(folder_ / "socket");
  daemon_.start({"/usr/bin/dbus-daemon", "--nofork", "--nopidfile", "--nosyslog",
                 "--config-file=" + (folder_ / "bus.conf").native()},
                folder_ / "log");
  wait_until([&] {
    if (daemon_.has_ended()) throw std::runtime_error(text_in(folder_ / "log"));
    return fs::is_socket(folder_ / "socket");
  });
}

}  // namespace veer::test

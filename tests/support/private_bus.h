#pragma once

#include <filesystem>
#include <string>

#include "support/server_process.h"
#include "support/temp_folder.h"

namespace veer::test {

/// A system bus of the test's own: the policy of Debian's, and the package's with `owner` as the service's
/// user. As long as it lives, it is the system bus of this process and of those that it starts.
class PrivateBus {
 public:
  explicit PrivateBus(const std::string& owner);
  ~PrivateBus();
  PrivateBus(const PrivateBus&) = delete;
  PrivateBus& operator=(const PrivateBus&) = delete;

  void start();
  void stop() { daemon_.stop(); }

 private:
  TempFolder folder_;
  ServerProcess daemon_;
};

}  // namespace veer::test

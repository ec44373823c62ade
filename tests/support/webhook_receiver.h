#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/certificates.h"
#include "support/server_process.h"
#include "support/temp_folder.h"

namespace veer::test {

/// webhook_receiver.py on a port of 127.0.0.1.
class WebhookReceiver {
 public:
  static constexpr const char* kSecret = "a secret of both ends";

  WebhookReceiver();
  std::string url() const;
  const std::string& ca() const { return authority_.certificate(); }
  /// "204", "503 7" (with Retry-After), "hang".
  void answer(const std::string& answer);
  /// What was received so far.
  std::vector<nlohmann::json> received() const;
  std::vector<nlohmann::json> wait_for(std::size_t count) const;

 private:
  TempFolder folder_;
  Authority authority_{"webhook authority"};
  int port_;
  ServerProcess process_;
};

}  // namespace veer::test

#pragma once

#include <string>

namespace veer {

/// What the server answered to one command.
struct FtpReply {
  std::string verb;  ///< of the command, "MLST"; empty for the greeting
  int code = 0;      ///< 0: it did not answer to the end
  std::string text;  ///< after the code; for several lines what stands between the first and the last

  bool good() const { return code >= 200 && code < 300; }
};

}  // namespace veer

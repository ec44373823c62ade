#pragma once

#include <chrono>
#include <string>

#include "daemon/commands/context.h"

namespace veer {

/// What is asked of the worker.
struct Asked {
  std::string verb;
  std::string argument = {};
  bool wait_for_receipt = false;
  std::chrono::seconds patience{60};
};

/// Writes the row, has it carried out, and reports what came of it. Throws what was wrong.
void act(Context& context, const Asked& asked);

/// Asks the service that works on the instance, and waits: still pending when that took longer than `most`,
/// or when it ended.
CommandResult result_by_service(const Config& config, const std::string& verb, const std::string& argument,
                                std::chrono::seconds most);

}  // namespace veer

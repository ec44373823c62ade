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

}  // namespace veer

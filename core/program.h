#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

/// Other programs of the machine. Any thread.
namespace veer {

/// What a program, by its whole path, prints on standard output when it is run with these arguments, without
/// input and with a plain environment; whatever it ends with. Empty when it cannot be run.
std::optional<std::string> said_by(std::vector<std::string> words);

/// Whether a process has not ended yet.
bool is_alive(pid_t process);

}  // namespace veer

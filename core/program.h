#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

/// Other programs of the machine. Any thread.
namespace veer {

/// What a program, by its whole path, prints on standard output when it is run with these arguments, without
/// input and with a plain environment; whatever it ends with. Empty when it cannot be run.
std::optional<std::string> said_by(std::vector<std::string> words);

/// Waits until a process, of whatever parent, has ended; whether it has within this time. It needs no view of
/// /proc, where a service sees no process that forbids being looked at, as GnuPG's agent does (proc(5),
/// hidepid).
bool ends_within(pid_t process, std::chrono::milliseconds patience);

}  // namespace veer

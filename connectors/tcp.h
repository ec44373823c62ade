#pragma once

#include <chrono>
#include <string>

#include "core/files.h"
#include "core/stream.h"

namespace veer {

/// A connected, non-blocking TCP socket with keepalive and without Nagle's delay, to the first of the host's
/// addresses that answers; all of them together within `timeout`. The name is looked up as long as the
/// machine's resolver takes. Throws S_UNREACHABLE, S_TIMEOUT or L_STOPPED.
Fd connect_tcp(const std::string& host, int port, std::chrono::milliseconds timeout,
               const Transfer& transfer);

}  // namespace veer

#pragma once

#include <string>

#include "daemon/instance.h"

namespace veer {

/// In the state folder: the closing report and its signature.
inline constexpr const char* kClosingFolder = "closing";

/// Ends the path for good when the transition is over: the share is emptied, the sealed packages go, and a
/// signed report lists all that travelled. From then on only what docs/operations.md (What works when) has
/// for 'closed out' works. Throws U_STATE with everything that is still open, and in production while the
/// transition lasts. What lies unread on the share goes with it when the command says "remove-unread"; a
/// share that is no more ("share-gone") is not looked at. May be repeated.
std::string close_out(Instance& instance, const Command& command, const Transfer& transfer);

/// Throws C_CLOSED once that is done.
void require_open(Instance& instance);

}  // namespace veer

#pragma once

#include <string>
#include <string_view>

#include "daemon/instance.h"

/// The stop switch (Q14): while it is on, nothing is sent, fetched, taken in or recorded. Durable with its
/// row. The engine's thread.
namespace veer {

/// The topic of the alert that stands as long.
inline constexpr const char* kSuspended = "suspended";

/// Throws C_SUSPENDED while the exchange is suspended, for every verb but those that take back, stop or tidy,
/// and C_CLOSED once the path is closed, for every one but those that tidy.
void require_going(Instance& at, std::string_view verb);
/// Within the transaction that suspends it.
void tell_suspended(AlertBook& alerts, std::string_view by, std::string_view who_resumes);
/// What to tell who asked for it.
std::string suspend(Instance& at, const Person& who);
/// Releases what others than whoever asks suspended before they asked; what to tell them. Throws U_STATE
/// (nothing is suspended, or it was again after they asked) and C_USER (by whoever suspended it alone; no
/// approver).
std::string resume(Instance& at, const Command& command);

}  // namespace veer

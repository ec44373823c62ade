#pragma once

#include <functional>
#include <string>

#include "daemon/instance.h"

/// What one person asks for and another one decides (Q31), each under a name of its own. Held as a list is;
/// the fact that follows is the caller's.
namespace veer {

/// Cause of the alert that tells of it.
std::string request_cause(const std::string& subject);

/// One that is approved.
struct Approved {
  Hold hold;
  bool before = false;  ///< by that very command, which was stopped before what follows was written down
};
/// Throws U_STATE when it does not wait, C_USER when whoever gave the command may not decide it.
Approved require_request(Instance& instance, HoldKind kind, const std::string& subject,
                         const Command& command);
/// Throws C_USER when `who` may not end what waits: it takes another person, an approver, and to take it back
/// whoever asked for it.
void require_may_end(Instance& instance, const Hold& hold, const Rejection& rejection, const Person& who);
/// Ends one, within a transaction of its own: `event` in the audit trail, and what `also` does. May be
/// repeated.
void reject_request(Instance& instance, HoldKind kind, const Rejection& rejection, const Person& who,
                    const std::string& event, const std::function<void()>& also = {});

}  // namespace veer

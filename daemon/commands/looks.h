#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/bus_client.h"
#include "daemon/commands/context.h"

/// Commands that only look: on the books themselves where they are one's own, else by asking the service.
namespace veer {

void show_status(Context& context);
void show_list(Context& context);
void show_metrics(Context& context);
void show_alerts(Context& context);
/// One alert by its number, and whom it was told to.
void show_alert(Context& context, const std::string& number);
void show_incidents(Context& context);
/// "show", "notice" or "report", and its number.
void show_incident(Context& context, const std::string& what);
void show_cases(Context& context);
/// "show" or "mail", and its name.
void show_case(Context& context, const std::string& what);
void show_exchange(Context& context, const std::string& id);
/// A receipt as the service hands it out: JSON with the archive's name and bytes in base64.
void show_receipt(Context& context, const std::string& id);
/// `anchors`: as 'audit verify --anchor' takes them.
void verify_chain(Context& context, const std::vector<std::string>& anchors);
void show_anchors(Context& context);
/// A year's evidence as JSON: each file's bytes in base64, by its path. "2026", or "2026 names".
void show_evidence(Context& context, const std::string& wish);

/// What the service answers to BusServices::look, about the instance of `context`.
LookAnswer look_here(const Context& context, const std::string& what, const std::string& argument, bool json);
/// Prints what `what` finds, here or at the service.
void look(Context& context, const std::string& what, const std::string& argument = {});
/// What `what` finds, here or at the service, as JSON, for a command that does more with it than print.
std::string found_by(const Context& context, const std::string& what, const std::string& argument);
/// The service of an instance that is somebody else's (Context::strangeness(), which goes into what is thrown
/// when no service answers).
std::unique_ptr<BusClient> service_of(const Context& context, const std::string& strangeness);

}  // namespace veer

#pragma once

#include <string>

#include "daemon/instance.h"

/// Alerts that both sides raise for the same cause in the same words. All run within the caller's
/// transaction.
namespace veer {

/// Cause of the one alert that tells of rehearsals that fail.
inline constexpr const char* kRehearsalCause = "rehearsal";
/// Cause of the alert that tells of the other side's silence; it is over with the next word that is new.
inline constexpr const char* kUnheardCause = "unheard";
/// A letter of the other side's came: it is heard of.
void note_letter(Instance& instance);
/// The service that began at `began` ended without being stopped. From the third time within a day on that is
/// one open matter, over after a day without one.
void tell_crashed(Instance& instance, const std::string& began);
void look_at_crashes(Instance& instance);
/// Cause of the alert that tells of a package which waits, since its history does not fit.
std::string history_cause(const Arrival& arrival);
/// Tells that a package was refused, and first of all why: a second list of a year is another matter than one
/// of a year that has none.
void raise_refusal(Instance& instance, const Exchange& exchange, Code code, const std::string& text);
/// A list that was recorded in the end makes its earlier refusals history: closes their alerts.
void close_refusals(Instance& instance, int reference_year);
/// Keeps a point of the other side's chain, and tells when it contradicts another.
void keep_anchor(Instance& instance, const AuditHead& head, Time said_at, const std::string& exchange);
/// Foreign bytes hold `name`, which is ours on the share: a finding, and on record.
void tell_name_taken(Instance& instance, const std::string& exchange, const std::string& name);
/// The share keeps `name`, which is ours, from us, and shows nothing there: on record.
void tell_name_hidden(Instance& instance, const std::string& exchange, const std::string& name);

}  // namespace veer

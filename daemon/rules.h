#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.h"
#include "core/files.h"
#include "daemon/access.h"
#include "daemon/config.h"

/// What the protocol allows, as functions of configuration and date alone.
namespace veer {

/// A year as people write it, in four digits; empty when it is none.
std::optional<int> parse_year(std::string_view text);
/// 1 January of the reference year (recital E; Q02).
Date reference_date_of(int reference_year);
/// The premium year that a list decides (Q03).
int premium_year_of(int reference_year);
/// Throws F_REFERENCE_DATE for a date other than 1 January, a year before 2022 or a date still to come (Q02,
/// Q03).
void require_reference_date(Date reference, Date today);
/// What asks for a window or a legal basis. Everything else works without: receipts for what is recorded,
/// rehearsals, erasure, incidents, alerts, evidence, the audit trail, backups (docs/operations.md, What works
/// when).
enum class Work {
  first_list,  ///< of a year: to take it in, to send it, to record it
  correction,  ///< of a recorded list
};
/// What a list of that revision is.
Work work_of(std::int64_t revision);
/// Throws F_WINDOW for a year outside the transition and, in production, for a first list after its last day
/// (recital E; Q07); C_LEGAL_BASIS when, in production, no record of a legal basis holds on that day (Q13).
/// `test` ends with neither, so that a path can be tried before and after.
void require_allowed(const Config& config, Work work, int reference_year, Date today);
/// The one and the other of it alone.
void require_window(const Config& config, Work work, int reference_year, Date day);
void require_basis(const Config& config, Date today);

/// Throws I_OWNER when, in production, the owner of a dropped file cannot stand for having offered it (Q31):
/// not known to this machine, root, nobody (65534), the service's own user (`service`), or no operator; or
/// when others may write what is in it. In `test` anybody can. L_BUSY as may().
void require_offerer(Environment environment, const AccessConfig& access, const FileIdentity& file,
                     uid_t service);
/// Whether a sealed list waits for a second person before it leaves (Q31). `before`: how many numbers the
/// list of the year before had, or the one that it corrects. A list from which faulty lines were left out
/// always waits; one for another year than a list of the same calendar year had (`second`) is as unusual as
/// one of another size.
bool needs_release(const IntakeConfig& intake, Environment environment, std::uint64_t records,
                   std::optional<std::uint64_t> before, std::uint64_t set_aside, bool second);
/// Whether they are perhaps one person: by the account's number, or by its name, since on another machine a
/// number may be somebody else's.
bool may_be_the_same(const Person& one, const Person& other);
/// Throws C_USER when, in production, what another person is to decide is asked for by root or the service's
/// own user (`service`), whom any administrator can be.
void require_named_person(Environment environment, const Person& who, uid_t service);
/// Separation of duties (Q31). Throws C_USER when `who` may be the one who asked for what is now to be
/// decided, or, in production, no approver. `asker`: empty when that was nobody of this machine.
void require_second_person(Environment environment, const AccessConfig& access,
                           const std::optional<Person>& asker, const Person& who);

}  // namespace veer

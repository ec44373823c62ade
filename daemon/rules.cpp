#include "daemon/rules.h"

#include <charconv>

#include <fmt/format.h>

#include "core/error.h"

namespace veer {
namespace {

std::string no_basis(const Config& config, Date today) {
  static constexpr const char* kRemedy =
      "when there is one, have it confirmed and recorded in [legal_basis]; nothing is lost meanwhile";
  if (!config.legal_basis) return fmt::format("no legal basis is on record: {}", kRemedy);
  const LegalBasis& basis = *config.legal_basis;
  if (today < basis.confirmed_on)
    return fmt::format("the legal basis on record was confirmed for {} on: {}",
                       format_date(basis.confirmed_on), kRemedy);
  return fmt::format("the legal basis on record ended on {}{}: {}", format_date(last_day(basis)),
                     last_day(basis) < basis.valid_until ? ", twelve months after the notice" : "", kRemedy);
}

}  // namespace

std::optional<int> parse_year(std::string_view text) {
  int year = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), year);
  const bool good =
      text.size() == 4 && read.ec == std::errc() && read.ptr == text.data() + text.size() && year > 0;
  return good ? std::optional(year) : std::nullopt;
}

Date reference_date_of(int reference_year) {
  return Date(std::chrono::year(reference_year), std::chrono::January, std::chrono::day(1));
}

int premium_year_of(int reference_year) { return reference_year + 1; }

void require_reference_date(Date reference, Date today) {
  if (reference.month() != std::chrono::January || reference.day() != std::chrono::day(1))
    throw Error(Code::f_reference_date,
                fmt::format("the reference date {} is not a 1 January (protocol, recital E)",
                            format_date(reference)));
  if (reference.year() < std::chrono::year(2022))
    throw Error(Code::f_reference_date,
                fmt::format("the reference date {} lies before 2022, the protocol's first year",
                            format_date(reference)));
  if (std::chrono::sys_days(reference) > std::chrono::sys_days(today))
    throw Error(Code::f_reference_date,
                fmt::format("the reference date {} is still to come", format_date(reference)));
}

Work work_of(std::int64_t revision) { return revision == 1 ? Work::first_list : Work::correction; }

void require_window(const Config& config, Work work, int reference_year, Date day) {
  const Window& window = config.window;
  if (reference_year < window.first_reference_year || reference_year > window.last_reference_year)
    throw Error(Code::f_window,
                fmt::format("reference year {} is outside the agreed years {} to {} ([window])",
                            reference_year, window.first_reference_year, window.last_reference_year));
  if (config.environment == Environment::production && work == Work::first_list && day > window.closes)
    throw Error(Code::f_window,
                fmt::format("the transition ended on {}: no first list may travel after it ([window])",
                            format_date(window.closes)));
}

void require_allowed(const Config& config, Work work, int reference_year, Date today) {
  require_window(config, work, reference_year, today);
  require_basis(config, today);
}

void require_basis(const Config& config, Date today) {
  if (config.environment == Environment::production &&
      (!config.legal_basis || !is_in_force(*config.legal_basis, today)))
    throw Error(Code::c_legal_basis, no_basis(config, today));
  if (config.environment == Environment::production) require_document(*config.legal_basis);
}

void require_offerer(Environment environment, const AccessConfig& access, const FileIdentity& file,
                     uid_t service) {
  static constexpr uid_t kNobody = 65534;  // who an owner seems to be that a name space or a server hides
  static constexpr std::uint32_t kOthersWrite = 022;
  if (environment == Environment::test) return;
  const bool somebody = file.owner != 0 && file.owner != kNobody && file.owner != service;
  if (!somebody || !may(access, Right::operate, file.owner))
    throw Error(Code::i_owner,
                fmt::format("the file belongs to {}, who {}: in production whoever offers a list is "
                            "known by the file's owner. Let a member of {} save it in the drop folder under "
                            "their own account, or offer it with 'veer send FILE'",
                            person_of(file.owner).name,
                            file.owner == service ? "is the service's own user" : "is no operator",
                            fmt::join(access.operators, " or ")));
  if ((file.mode & kOthersWrite) != 0)
    throw Error(
        Code::i_owner,
        fmt::format("others than {} may write into the file (mode {:o}), so that its content need not be "
                    "theirs: let them save a new copy without that right (umask 022), or offer it with 'veer "
                    "send FILE'",
                    person_of(file.owner).name, file.mode));
}

bool needs_release(const IntakeConfig& intake, Environment environment, std::uint64_t records,
                   std::optional<std::uint64_t> before, std::uint64_t set_aside, bool second) {
  if (environment == Environment::production || intake.release == Release::always || set_aside > 0)
    return true;
  if (intake.release == Release::never) return false;
  if (!before || second) return true;
  const std::uint64_t change = records > *before ? records - *before : *before - records;
  return change * 100 > *before * static_cast<std::uint64_t>(intake.unusual_percent);
}

bool may_be_the_same(const Person& one, const Person& other) {
  const auto account = [](const Person& person) { return person.name.substr(0, person.name.rfind(" (")); };
  return one.uid == other.uid || account(one) == account(other);
}

void require_named_person(Environment environment, const Person& who, uid_t service) {
  if (environment == Environment::production && (who.uid == service || who.uid == 0))
    throw Error(
        Code::c_user,
        fmt::format("{} is not a person's own account: in production whoever asks for this is known by "
                    "theirs, so that another one can decide it",
                    who.name));
}

void require_second_person(Environment environment, const AccessConfig& access,
                           const std::optional<Person>& asker, const Person& who) {
  if (asker && may_be_the_same(*asker, who))
    throw Error(Code::c_user,
                fmt::format("{} asked for this, so that another person decides it: a member of {}",
                            asker->name, fmt::join(access.approvers, " or ")));
  if (environment == Environment::production) require_right(access, Right::approve, who.uid);
}

}  // namespace veer

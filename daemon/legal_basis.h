#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/clock.h"

namespace veer {

/// The agency's own record that its part in the exchange rests on a provision in force (protocol, articles 2
/// and 12; Q13). What it says is the agency's; the program holds it against the calendar, and against the
/// text that it names.
struct LegalBasis {
  std::string provision = {};
  std::filesystem::path document = {};  ///< the provision's text
  std::string document_sha256 = {};     ///< hex
  std::string confirmed_by = {};        ///< a role
  Date confirmed_on = {};
  Date valid_until = {};
  std::optional<Date> notice_given = {};  ///< of termination (article 12)
};

/// The last day of an exchange that was terminated by notice: twelve months later (article 12; Q50).
Date end_after_notice(Date notice);
/// The last day on which the record holds.
Date last_day(const LegalBasis& basis);
/// Whether it holds on that day.
bool is_in_force(const LegalBasis& basis, Date day);
/// Throws C_LEGAL_BASIS when the document cannot be read, or is another than was confirmed.
void require_document(const LegalBasis& basis);

}  // namespace veer

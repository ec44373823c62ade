#include "daemon/legal_basis.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"

namespace veer {

Date end_after_notice(Date notice) {
  const Date end = notice + std::chrono::years(1);
  return end.ok() ? end : Date(end.year() / end.month() / std::chrono::last);  // 29 February
}

Date last_day(const LegalBasis& basis) {
  if (!basis.notice_given) return basis.valid_until;
  return std::min(basis.valid_until, end_after_notice(*basis.notice_given));
}

bool is_in_force(const LegalBasis& basis, Date day) {
  return basis.confirmed_on <= day && day <= last_day(basis);
}

void require_document(const LegalBasis& basis) {
  std::string found;
  try {
    found = sha256_hex(FileBlob(basis.document));
  } catch (const Error& error) {
    throw Error(Code::c_legal_basis,
                fmt::format("the text that [legal_basis] names cannot be read: {}: put it "
                            "back, where the service may read it",
                            error.message()));
  }
  if (found != basis.document_sha256)
    throw Error(Code::c_legal_basis,
                fmt::format("{} is another text than the one that was confirmed (SHA-256 {}…): put that one "
                            "back, or have the new one confirmed and recorded in [legal_basis]",
                            basis.document.native(), found.substr(0, 8)));
}

}  // namespace veer

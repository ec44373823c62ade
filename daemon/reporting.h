#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/cases.h"
#include "daemon/inbox.h"
#include "daemon/instance.h"

namespace veer {

/// AVSB's side of quality cases (article 7; Q42 to Q44): what is wrong with a recorded list goes to AII,
/// sealed, and its answer is kept. Each method may be repeated.
class Reporting {
 public:
  explicit Reporting(Instance& instance) : at_(instance) {}

  /// Does 'case-open' ("YEAR CATEGORY register|person TEXT…", with the numbers in the command's file, a line
  /// each, behind a wrong one the right one if it is known), 'case-resend' ("NAME") and 'case-close' ("NAME
  /// REASON…", without an answer). Throws U_USAGE, U_STATE, U_UNKNOWN, C_LEGAL_BASIS.
  std::string obey(const Command& command, const Transfer& transfer);
  /// sealed → sent; answering → answered, for a case that was closed here.
  void step(const Case& quality_case, const Transfer& transfer);
  /// Reads an answer that was fetched, and looks up whom a correction is about. Throws C_LEGAL_BASIS.
  void read_answer(const Arrival& arrival, Inbox& inbox, const Transfer& transfer);
  /// Cases about persons on a list who are found at `now` to be known here as deceased, sealed and not yet in
  /// the books. As many as a year may have: the receipt counts all of those persons.
  std::vector<Case> about_deceased(const Exchange& exchange, std::span<const Insz> persons, Time now,
                                   const Transfer& transfer);
  /// Within the caller's transaction. The number of its record in the audit chain.
  std::int64_t enter(const Case& quality_case, const std::string& who);

 private:
  std::string open(const Command& command, const Transfer& transfer);
  std::string resend(const Command& command);
  std::string close(const Command& command);
  /// Of those whom a case names, after a correction: who still stand on the list, and who still do not.
  struct Left {
    std::size_t standing = 0;
    std::size_t absent = 0;
  };
  /// Nothing when nobody is bound to the case.
  std::optional<Left> look_up(const Case& quality_case, const Transfer& transfer);
  bool is_corrected_by(const Case& quality_case, const std::optional<std::string>& exchange);
  void tell_answered(const Case& quality_case, const std::optional<Left>& left);
  void tell_closed(const Case& quality_case, const Transfer& transfer);
  bool fits(const Case& quality_case, const std::vector<CasePerson>& persons);
  /// Throws U_USAGE, once that is on record; `binds`: with a salted digest of each number.
  [[noreturn]] void refuse_misfit(const Case& quality_case, const std::vector<CasePerson>& persons,
                                  bool binds, const std::string& who);
  /// `quality_case` bears its number. Throws U_STATE when that is one too many.
  void seal(Case& quality_case, std::vector<CasePerson> persons, Time found_at, const Transfer& transfer);

  Instance& at_;
};

}  // namespace veer

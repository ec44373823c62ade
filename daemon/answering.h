#pragma once

#include <string>

#include "daemon/cases.h"
#include "daemon/inbox.h"
#include "daemon/instance.h"

namespace veer {

/// AII's side of quality cases (article 7; Q45, Q46): each is to be answered within 14 days of the finding,
/// by a word of an operator or by a correction of the list, which answers every case that was here when it
/// was sealed. Each method may be repeated.
class Answering {
 public:
  explicit Answering(Instance& instance) : at_(instance) {}

  /// Takes in a case that was fetched. The bytes stay sealed.
  void read_case(const Arrival& arrival, Inbox& inbox, const Transfer& transfer);
  /// Reads that AVSB closed a case without an answer. What this side answered meanwhile counts all the same.
  /// Both throw C_LEGAL_BASIS.
  void read_closing(const Arrival& arrival, Inbox& inbox, const Transfer& transfer);
  /// Does 'case-answer' ("NAME OUTCOME TEXT…") and 'case-persons' ("NAME", which writes "insz;right" and the
  /// numbers, a line each, into the command's file). Throws U_USAGE, U_STATE, U_UNKNOWN, C_LEGAL_BASIS.
  std::string obey(const Command& command, const Transfer& transfer);
  /// answering → answered.
  void step(const Case& quality_case, const Transfer& transfer);
  /// A correction was recorded: within the transaction that tells so.
  void answer_by(const Exchange& correction);

 private:
  bool precedes(const Arrival& closing);
  std::string answer(const Command& command);
  std::string show_persons(const Command& command, const Transfer& transfer);
  void decide(Case quality_case, CaseOutcome outcome, const std::string& text, const std::string& who);

  Instance& at_;
};

}  // namespace veer

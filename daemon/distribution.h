#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/deliveries.h"
#include "daemon/instance.h"
#include "formats/membership.h"

namespace veer {

/// AVSB's hand-out of a recorded list to the care funds (article 4; Q20 to Q24): each gets, sealed to its own
/// key, its own members and nobody else, by two persons. What is not sure goes nowhere: without a fresh and
/// whole membership register nothing leaves. Each method may be repeated.
class Distribution {
 public:
  explicit Distribution(Instance& instance) : at_(instance) {}

  /// "YEAR NAME", with the membership register in the command's file, called NAME. Seals what each fund gets
  /// that differs from what it has, to be released. Returns what the request is called. Throws C_CONFIG
  /// (nobody is configured), C_LEGAL_BASIS, U_STATE, and what the register has wrong.
  std::string ask(const Command& command, const Transfer& transfer);
  static bool is_called(const std::string& subject);
  std::string approve(const Approval& approval, const Command& command);
  std::string reject(const Rejection& rejection, const Person& who);
  /// sealed → delivered; of what lapsed under way, removes what may lie on the fund's share.
  void step(const Delivery& delivery, const Transfer& transfer);
  /// Within the transaction that records a correction: whoever has the list before is to get what changed.
  void tell_corrected(const Exchange& exchange);
  /// Within the transaction that forgets somebody: what is not delivered yet lapses. sweep() then removes it.
  void take_back();
  /// In books that were restored: nobody knows what care funds got since the backup was made. They are to get
  /// what they are to have now, under revisions that were not given yet.
  void take_back_restored();
  /// Removes sealed files in the spool that nobody is to get any more.
  void sweep();

 private:
  void require_fresh(Date members_as_of);
  const Recipient& recipient_of(const std::string& fund);
  void require_fit(const Membership& membership);
  void require_still_right(const Delivery& delivery);
  Delivery seal(const Recipient& recipient, const Command& command, const RecordedList& list, int year,
                const Membership& membership, const std::vector<Insz>& part, const Transfer& transfer);
  std::filesystem::path spooled(const Delivery& delivery) const { return at_.spool / delivery.file; }
  void lapse(int year);
  void give_up(int year);
  /// Up to which revision a restored backup may have missed what went out; 0 when there was none.
  std::int64_t skipped(int year);
  void clear_away(Delivery delivery, const Transfer& transfer);
  void raise_stale(int year, const std::string& why);

  Instance& at_;
};

/// SHA-256 over what a request would deliver: exactly that is released.
std::string digest_of(const std::vector<Delivery>& deliveries);

}  // namespace veer

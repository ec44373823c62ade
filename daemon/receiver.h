#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/desk.h"
#include "daemon/distribution.h"
#include "daemon/erasure.h"
#include "daemon/hand_over.h"
#include "daemon/inbox.h"
#include "daemon/instance.h"
#include "daemon/reporting.h"
#include "formats/package.h"
#include "formats/receipt.h"

namespace veer {

/// AVSB's side: found → fetched → recorded or refused → answered. Each method is one step that may be
/// repeated. Plaintext lives in a memfd until the signature is known good; the register changes in one
/// transaction, with the receipt's text, or not at all.
class Receiver {
 public:
  explicit Receiver(Instance& instance)
      : at_(instance),
        inbox_(instance, {FileKind::package, FileKind::answer}, instance.config.share.package_cap),
        hand_over_(instance),
        erasure_(instance),
        desk_(instance),
        reporting_(instance),
        distribution_(instance) {}

  void step(const Exchange& exchange, const Transfer& transfer);
  void step(const Arrival& arrival, const Transfer& transfer);
  void step(const Case& quality_case, const Transfer& transfer) { reporting_.step(quality_case, transfer); }
  void step(const Delivery& delivery, const Transfer& transfer) { distribution_.step(delivery, transfer); }
  Time run(Chore chore, const Transfer& transfer);
  std::string obey(const Command& command, const Transfer& transfer);

 private:
  // receiver_release.cpp
  std::string approve(const Command& command);
  std::string reject(const Command& command);
  std::string withdraw(const Command& command);
  std::optional<std::string> end_request(const Rejection& rejection, const Person& who);

  /// What a package turned out to be: numbers to record, or reasons to refuse.
  struct Verdict {
    std::optional<Manifest> manifest;
    std::vector<Insz> numbers;
    std::vector<Reason> reasons;
  };

  void read_package_of(const Arrival& arrival, const Transfer& transfer);
  Verdict judge(const Arrival& arrival, std::string_view archive, const Opened& opened);
  void require_parties(const Manifest& manifest, const Opened& opened) const;
  void require_unknown(const Manifest& manifest, const Arrival& arrival);
  void require_history(const Manifest& manifest, const Arrival& arrival);
  bool was_let_pass(const Arrival& arrival);
  void require_admissible(const Manifest& manifest, const Arrival& arrival);
  void repeat_recorded(const Verdict& verdict, const Wait& wait, const Transfer& transfer);
  void conclude(const Arrival& arrival, const Verdict& verdict, const Transfer& transfer);
  void hold(Arrival arrival, const Error& error);
  void repeat_answer(const Arrival& arrival, const Exchange& exchange, const Transfer& transfer);
  void note_unseen_receipts(const Manifest& manifest);

  void name_new_key(const Exchange& exchange, const StoredReceipt& receipt);
  void sign_answer(const Exchange& exchange, const StoredReceipt& receipt);
  StoredReceipt signed_anew(const Exchange& exchange, StoredReceipt receipt, const Transfer& transfer);
  /// `wait` tells of the tries before.
  void publish_answer(const Exchange& exchange, const StoredReceipt& receipt, const Wait& wait,
                      const Transfer& transfer);

  Instance& at_;
  Inbox inbox_;
  HandOver hand_over_;
  Erasure erasure_;
  Desk desk_;
  Reporting reporting_;
  Distribution distribution_;
};

}  // namespace veer

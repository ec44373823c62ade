#pragma once

#include <algorithm>
#include <string>

#include "daemon/answering.h"
#include "daemon/inbox.h"
#include "daemon/instance.h"
#include "daemon/intake.h"
#include "daemon/outbox.h"
#include "daemon/texts.h"

namespace veer {

/// AII's side: drop folder → (held →) sealed → sent → acknowledged or refused. Each method is one step that
/// may be repeated.
class Sender {
 public:
  explicit Sender(Instance& instance)
      : at_(instance),
        intake_(instance),
        inbox_(instance, {FileKind::recorded, FileKind::refused, FileKind::quality_case, FileKind::closing},
               std::max(kReceiptCap, kCaseCap)),
        answering_(instance) {}

  void step(const Exchange& exchange, const Transfer& transfer);
  void step(const Arrival& arrival, const Transfer& transfer);
  void step(const Case& quality_case, const Transfer& transfer) { answering_.step(quality_case, transfer); }
  /// Does the chore and returns when it is due again.
  Time run(Chore chore, const Transfer& transfer);
  /// Does what a person asked for and returns what to tell.
  std::string obey(const Command& command, const Transfer& transfer);

 private:
  void send(const Exchange& exchange, const Transfer& transfer);
  void ask_for_receipt(const Exchange& exchange, const Transfer& transfer);
  /// Whether bytes of ours that stand on the share already are put once more, under the next name: a receiver
  /// that could not remove them takes no notice of them any more.
  enum class Repeat { if_absent, anew };
  void compare(const Exchange& exchange, const Transfer& transfer);
  /// Returns the name under which they stand.
  std::string put_again(const Exchange& exchange, const std::string& event, Repeat repeat,
                        const Transfer& transfer);
  Exchange put(Exchange exchange, Repeat repeat, const Transfer& transfer);
  FileBlob sealed_bytes(const Exchange& exchange, const Transfer& transfer) const;
  void require_released(const Exchange& exchange);
  std::string approve(const Command& command, const Transfer& transfer);
  std::string reject(const Command& command);
  void remove_packages(const Exchange& exchange, const Transfer& transfer);
  std::string withdraw(const Exchange& exchange, const std::string& who, const Transfer& transfer);
  void take_back_late(const Transfer& transfer);
  void tell(const Exchange& exchange, Turn turn, const std::string& detail = "");
  void end(const Exchange& exchange);

  void read_letter(const Arrival& arrival, const Transfer& transfer);
  void read_receipt(const Arrival& arrival, const Transfer& transfer);
  void accept(const Arrival& arrival, const Receipt& receipt, const SignedReceipt& signed_text);
  void correct(const Exchange& correction);
  Exchange adopt(const Receipt& receipt, const std::string& package_name);

  Time rehearse_in_time(const Transfer& transfer);
  void tidy_spool();

  Instance& at_;
  Intake intake_;
  Inbox inbox_;
  Answering answering_;
};

}  // namespace veer

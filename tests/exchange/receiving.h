#pragma once

#include <string>
#include <vector>

#include "support/fictitious.h"
#include "support/handmade.h"
#include "support/pair.h"
#include "support/temp_folder.h"

namespace veer::test {

using Names = std::vector<std::string>;

/// Both sides over a share on which tests lay what they like; what the receiver makes of it.
struct Receiving {
  TempFolder folder{TempFolder::Place::in_memory};
  std::vector<Insz> numbers = fictitious_list(20, 3);
  Pair pair{folder.path()};

  Receiving() { pair.start(); }
  Instance& avsb() { return pair.avsb->instance; }
  Names alerts() { return pair.open_alerts(*pair.avsb); }
  std::int64_t recorded() { return avsb().lists.count(kYear); }
  /// What the sender's side would be told: code and count of the newest refusal, read from the share's
  /// receipt.
  std::string answer() {
    for (const std::string& name : pair.to_aii())
      if (name.ends_with(".tar")) {
        const SignedReceipt text = read_receipt_archive(read_file(pair.root / "share/to_aii" / name));
        const Receipt receipt = parse_receipt(text.json);
        std::string all(status_name(receipt.status));
        for (const Reason& reason : receipt.reasons)
          all += " " + std::string(code_name(reason.code)) + "=" + std::to_string(reason.count);
        return all;
      }
    return "none";
  }
  /// Only the receiver works; nobody reads its answers away.
  void receive() {
    pair.aii.reset();
    pair.run_to_rest();
  }
};

}  // namespace veer::test

#pragma once

#include <string>

#include "daemon/instance.h"

namespace veer {

/// The service desk's question at AVSB: does this person stand on the list of that reference date? Each is on
/// record with person and purpose; the number only as a commitment whose salt erasure takes away.
class Desk {
 public:
  explicit Desk(Instance& instance) : at_(instance) {}

  /// "DATE PURPOSE…", with the number in the command's file. Returns "listed …", "not listed …" or "no list
  /// …". Throws U_USAGE, C_LEGAL_BASIS, F_REFERENCE_DATE.
  std::string look_up(const Command& command);

 private:
  Instance& at_;
};

}  // namespace veer

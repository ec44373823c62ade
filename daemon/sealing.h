#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/instance.h"
#include "formats/list.h"
#include "formats/package.h"

namespace veer {

/// Cause of the alert that tells of a list that waits for release.
std::string release_cause(const Exchange& exchange);

/// From a list that was read to a sealed package in the spool, and its exchange in the ledger. May be stopped
/// anywhere: what no row speaks of is made anew under another name.
class Sealing {
 public:
  explicit Sealing(Instance& instance) : at_(instance) {}

  /// Which list of a year may be offered now.
  struct Place {
    int reference_year = 0;
    std::int64_t revision = 1;
    std::optional<std::string> supersedes = {};  ///< the exchange whose list it replaces
  };
  /// Throws what keeps it from being offered: F_SECOND_LIST, I_OPEN, U_STATE, F_REFERENCE_DATE, F_WINDOW,
  /// C_LEGAL_BASIS.
  Place first_list(int reference_year);
  Place correction(int reference_year);

  /// Where a list came from: a file that was dropped, or a command.
  struct Source {
    std::string origin;
    Person offerer;
    bool noted = false;        ///< a note beside the drop tells what becomes of it
    std::int64_t command = 0;  ///< that asked for it; 0 when none did
    Purpose purpose = Purpose::list;
    std::function<void(const Exchange&)> also = {};  ///< within the transaction that enters it
  };
  Exchange seal(const Source& source, const Place& place, ListReport report, const Transfer& transfer);

 private:
  void hold(const Exchange& exchange, const std::optional<Exchange>& beside, const Person& offerer);
  void seal_to_spool(Exchange& exchange, Manifest& manifest, std::vector<Insz> numbers,
                     const Transfer& transfer);

  Instance& at_;
};

}  // namespace veer

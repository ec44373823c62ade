#pragma once

#include <vector>

#include "support/fictitious.h"
#include "support/pair.h"
#include "support/temp_folder.h"

namespace veer::test {

/// Both sides on a scripted share, and a list of fifty numbers to send.
struct Exchanging {
  TempFolder folder{TempFolder::Place::in_memory};
  std::vector<Insz> numbers = fictitious_list(50, 1);
  Pair pair{folder.path()};

  Exchanging() { pair.start(); }
  void exchange() {
    pair.drop(kListName, csv_of(numbers));
    pair.run_to_rest();
  }
  Register& lists() { return pair.avsb->instance.lists; }
};

}  // namespace veer::test

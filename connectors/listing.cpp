#include "connectors/listing.h"

#include <fmt/format.h>

#include "core/error.h"

namespace veer {

void Listing::pass_over() {
  if (++others_ > kMostEntries)
    throw Error(Code::s_protocol,
                fmt::format("more than {} things that are no files lie in the folder of the share: have it "
                            "cleared",
                            kMostEntries));
}

}  // namespace veer

#pragma once

#include "exchange/lives.h"

namespace veer::test {

/// Nothing partial is visible to those who read the receiver's database, at any moment: a list is there with
/// all its numbers, its receipt and its exchange, or none of it is. What does not hold of it.
Names seen_partial(const std::filesystem::path& folder);

/// Lives the life of `pair` to its end, whatever happened before, and tells what does not hold once both
/// sides are at rest.
Names broken_promises(Pair& pair, const Scenario& scenario);

}  // namespace veer::test

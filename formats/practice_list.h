#pragma once

#include <cstddef>
#include <vector>

#include "core/random.h"
#include "formats/insz.h"

namespace veer {

/// `n` distinct valid numbers in order, by chance, of nobody: births of 1900 to 1909, and serials from 900
/// on, which no day had so many births for. For rehearsals. `n` at most 100,000, of some 360,000 that there
/// are.
std::vector<Insz> practice_list(std::size_t n, Random& random);

}  // namespace veer

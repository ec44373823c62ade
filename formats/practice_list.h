#pragma once

#include <cstddef>
#include <vector>

#include "core/random.h"
#include "formats/insz.h"

namespace veer {

/// `n` distinct valid numbers in order, by chance, of nobody: births of 1900 to 1909, which no living person
/// bears. For rehearsals. `n` at most a million, of more than three million that there are.
std::vector<Insz> practice_list(std::size_t n, Random& random);

}  // namespace veer

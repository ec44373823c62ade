#pragma once

#include <string>

namespace veer {

/// What the program that runs is made of, as CycloneDX 1.5: GnuPG and each library that tells its version; it
/// says of itself that it is not complete.
std::string sbom();

}  // namespace veer

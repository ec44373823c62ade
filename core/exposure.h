#pragma once

#include <optional>
#include <string>

#include "core/files.h"

/// Who else could get at what must be ours alone: as sentences with a remedy. No state.
namespace veer {

/// What gives others a way into a folder that must be ours alone, with the remedy: another owner, mode bits
/// for group or others, exposure_above(). Empty when there is nothing.
std::optional<std::string> exposure_of(const fs::path& folder);
/// What gives others a way to put something else in the place of `path`, in the folders above it up to the
/// root: one that belongs to another user than root or whoever runs this, or that others may write in.
std::optional<std::string> exposure_above(const fs::path& path);
/// As exposure_of() for a file of ours in such a folder: something else than a file, another owner, mode bits
/// for group or others. Empty too when there is no file of that name.
std::optional<std::string> exposure_of_file(const fs::path& file);

}  // namespace veer

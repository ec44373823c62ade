#pragma once

#include <string>

#include "daemon/cases.h"
#include "daemon/config.h"
#include "daemon/phrase.h"

namespace veer {

/// What is wrong with data, as people say it: "overbodig".
const Phrase& category_phrase(Category category);

/// The e-mail that tells the other side's contact point of a case (article 7): it says that there is one,
/// where it lies and until when an answer is due, and nothing about anybody.
std::string mail_about(const Case& quality_case, const Config& config);

}  // namespace veer

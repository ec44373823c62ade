#pragma once

#include <initializer_list>
#include <string_view>

#include "core/log.h"

namespace veer {

/// What a line is about, for programs: a field of the journal (systemd.journal-fields(7)).
struct LogField {
  std::string_view name;  ///< [A-Z][A-Z_]*
  std::string_view value;
};
/// One line with fields of its own, which the journal alone keeps. The same holds for them as for lines.
void log_event(LogLevel level, std::string_view line, std::initializer_list<LogField> fields);

}  // namespace veer

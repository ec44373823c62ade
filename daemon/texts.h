#pragma once

#include <string>
#include <string_view>

#include "daemon/config.h"
#include "daemon/ledger.h"
#include "formats/list.h"

/// What people read in the result note beside a dropped file, in Dutch and in English. No personal data.
namespace veer {

/// A turn in the life of a dropped file.
enum class Turn { sealed, held, released, sent, recorded, refused_there, withdrawn, rejected, overdue };

/// The note of an exchange that takes its course. `detail`: a receipt's reasons, why it was rejected, or
/// nothing.
std::string note_of(Language language, Turn turn, const Exchange& exchange, std::string_view detail,
                    Time now);
/// The note of a file that was not taken in: why, and what to do. `report` may be null.
std::string refusal_note(Language language, const std::string& file, const Error& error,
                         const ListReport* report, Time now);

/// The note of a file that could not be looked at to the end for a cause that is not its own.
std::string trouble_note(Language language, const std::string& file, const Error& error, Time now);

/// The note of a file that is not taken in while the exchange is suspended.
std::string suspended_note(Language language, const std::string& file, Time now);

/// What a refusal by `code` means and what to do, for F_, R_ and I_ codes. `english` is the program's own
/// text for the case, with its particulars: all that is said in English, and in Dutch what stands behind.
std::string reason_text(Language language, Code code, std::string_view english);

/// What to do about a fault of one line: for every R_ code, and no other.
std::string_view remedy_text(Language language, Code code);

}  // namespace veer

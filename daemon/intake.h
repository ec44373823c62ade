#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "daemon/instance.h"
#include "daemon/sealing.h"
#include "formats/list.h"

namespace veer {

/// Where a file lies, and what it is called in the ledger, in notes and in the log: its name, unless that
/// holds what could be a national number.
struct DroppedFile {
  fs::path path;
  std::string name;
};
/// What people put into a drop folder, by name: no notes, nothing hidden, none of an office program's marks.
/// Throws L_IO.
std::vector<DroppedFile> dropped_files(const fs::path& drop);

/// The sender's front door: from a file that a person dropped to a sealed package in the spool. The drop file
/// is read once, into memory; it is unlinked only after the sealed package and its row are durable, and only
/// if it is still the file that was read. May be stopped anywhere.
class Intake {
 public:
  explicit Intake(Instance& instance) : at_(instance), sealing_(instance) {}

  /// Looks at the drop folder: takes in what has settled, refuses what cannot be taken in, with a note each.
  /// Returns when to look again at the latest.
  Time scan(const Transfer& transfer);
  /// Does what 'send' and 'send-open' ask for: takes in a file that lies elsewhere and stays there, with its
  /// faulty lines left out when the verb ends in "-set-aside", or ('send-empty') offers the explicit empty
  /// list of a year without persons, since absence is never 'nobody'. With "-correction" in the verb it is a
  /// complete replacement of the list that is recorded (article 7). Throws what is wrong with it. May be
  /// repeated: one command makes one exchange.
  Exchange take(const Command& command, const Transfer& transfer);
  /// Seals a list of nobody, which takes the whole path and is recorded nowhere (docs/protocol.md,
  /// Rehearsals). `command`: who asked for it; one command makes one. Throws U_STATE while another is under
  /// way.
  Exchange rehearse(const std::optional<Command>& command, const Transfer& transfer);

 private:
  bool is_restless(const DroppedFile& file, bool settles);
  void finish_taken();
  void remove_taken(const fs::path& path, const Offer& offer);
  std::optional<Time> look_at(const DroppedFile& file, const Transfer& transfer);
  void take_from_drop(const DroppedFile& file, const Offer& offer, const Transfer& transfer);
  ReadFile read_offered(const Command& command) const;
  void require_none_dropped(int reference_year) const;
  void wait_for_resumption(Offer offer);
  void tell_rest_singly();
  void tell_refused(const Offer& offer, const Error& error);
  void refuse(Offer offer, const Error& error, const ListReport* report);
  void forget_absent(const std::vector<DroppedFile>& files);

  Instance& at_;
  Sealing sealing_;
  std::map<std::string, Time> settling_;  ///< since when a file is looked at again and again
};

/// Reads a list by the kind that its name's ending tells. Throws what is wrong with the file as a whole.
ListReport read_list(const std::string& name, std::string_view bytes, Date reference,
                     const Transfer& transfer);
/// The reference year in the name of a list file; throws I_NAME, also when the name holds what could be a
/// national number.
int reference_year_of(const IntakeConfig& config, const std::string& name);
/// Throws I_NAME for the name of a file that cannot be a list's, whatever its year: another ending than .csv,
/// .txt or .xlsx in small or capital letters, or what could be a national number.
void require_list_name(const std::string& name);
/// Throws I_FILE when there is no such file, or something else bears its name.
void require_there(const fs::path& file);
inline constexpr std::string_view kNoteSuffix = ".result.txt";
/// What the note beside a file of that name is called: with an end of its own where both together would be
/// too long for a file's name.
std::string note_file(const std::string& name);

}  // namespace veer

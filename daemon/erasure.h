#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/holds.h"
#include "daemon/instance.h"

namespace veer {

/// In the state folder: a line for each who was forgotten, a key and a digest keyed with it. Whoever has it
/// can try numbers against it: it is kept as the backups are.
inline constexpr const char* kMarksFile = "erased.marks";

/// Before the argument of 'forget': those whose numbers are given were forgotten by mistake.
inline constexpr std::string_view kUndo = "--undo";

/// The lines of such a file. Throws U_USAGE when it is none.
std::string read_marks(const std::filesystem::path& file);

/// Forgetting a person at AVSB on notice of death (article 3; Q17), by two persons, who each give the number,
/// or the same signed file of numbers: nobody keeps it in between. Another request that names one of those
/// who are forgotten lapses with it. What is erased is marked by a keyed digest, so that a restored backup or
/// a package that is resent does not bring it back. May be repeated. Who was forgotten by mistake is rid of
/// the mark by two persons in the same way; the number is gone until a list brings it.
///
/// A signed file is an OpenPGP message, sealed to this side as a package is by a key of [forgetting], or else
/// of the counterparty; inside stand numbers, one a line (docs/protocol.md, Notices of death).
class Erasure {
 public:
  static constexpr std::size_t kMostTyped = 1000;
  static constexpr std::size_t kMostSigned = 5000;

  explicit Erasure(Instance& instance) : at_(instance) {}

  /// "NOTICE…" or "--undo NOTICE…", with the numbers in the command's file. Returns what it is called from
  /// then on. Throws U_STATE when somebody is to be rid of a mark who has none.
  std::string ask(const Command& command, const Transfer& transfer);
  static bool is_called(const std::string& subject);
  /// Whether it is asked there to undo.
  static bool is_undo(const std::string& subject);
  /// "SUBJECT", with the same numbers. Returns how many stood in the register and how many entries were
  /// erased, or how many may be entered again.
  std::string approve(const Command& command, const Transfer& transfer);
  std::string reject(const Rejection& rejection, const Person& who);
  /// Those of `persons` who were forgotten before.
  std::vector<Insz> marked_among(const std::vector<Insz>& persons);
  std::vector<Insz> not_marked(const std::vector<Insz>& persons);
  /// Takes them out of the list of an exchange, within the caller's transaction.
  void erase_from(const std::string& exchange, const std::vector<Insz>& persons);
  /// Marks in the books and in the file beside them become the same, and new ones are applied: at the start.
  void reconcile_marks();
  /// What a decision to forget owes outside the books: the marks' file, what was handed over, what waits for
  /// care funds, the database's old pages. What cannot be done is told of; false when it is to be tried
  /// again.
  bool settle();
  bool owes();

 private:
  /// By key: the digests keyed with it.
  using Marks = std::map<std::string, std::set<std::string>>;

  struct Notice {
    std::vector<Insz> persons;
    std::optional<Opened> by;  ///< of a signed file
  };
  Notice notice_of(const Command& command, const Transfer& transfer) const;
  std::string key();
  struct Erased {
    std::int64_t listed = 0;  ///< persons
    std::int64_t entries = 0;
  };
  std::int64_t listed_among(const std::vector<Insz>& persons);
  Erased erase(const std::vector<Insz>& persons);
  std::string forget(const std::vector<Insz>& persons, const Hold& hold, const Person& who,
                     const Transfer& transfer);
  void require_marked(const std::vector<Insz>& persons);
  std::string undo(const std::vector<Insz>& persons, const Hold& hold, const Person& who);
  Marks marks();
  std::int64_t erase_marked();
  /// What salted digests bind to some persons.
  struct Bound {
    std::set<std::int64_t> records;  ///< of the audit chain
    std::set<std::string> requests;  ///< to forget, that wait
  };
  Bound bound_to(const std::vector<Insz>& persons, const Transfer& transfer);
  void cut_loose(const Bound& bound);
  void unbind(const std::string& subject);
  bool lapse(const std::string& subject);
  void write_marks();
  /// Names of sealed files that lie here still, may hold anybody, and can be opened by this side.
  std::string sealed_here();
  std::filesystem::path marks_file() const { return at_.config.state / kMarksFile; }

  Instance& at_;
};

}  // namespace veer

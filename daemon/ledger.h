#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "daemon/database.h"
#include "daemon/settings.h"
#include "formats/names.h"
#include "formats/receipt.h"

namespace veer {

/// A side that has not been at work for so long has more likely a wrong clock than rested.
inline constexpr std::chrono::hours kLongestRest = std::chrono::days(400);

/// A row of the ledger that is waited for: when it is due, and what went wrong at the last tries.
struct Wait {
  std::optional<Time> due = {};  ///< empty: something from outside must come first
  std::int64_t attempts = 0;
  std::string problem_code = {};
  std::string problem = {};
};

/// A fact that is already durable. Sender: (held →) sealed → sent → acknowledged | refused | withdrawn, or
/// held → rejected; a list that is held is sealed too, and becomes 'sealed' alone when a second person
/// releases it. Receiver: recorded | refused → answered.
enum class Stage { held, sealed, sent, acknowledged, refused, withdrawn, rejected, recorded, answered };
std::string_view stage_name(Stage stage);
/// Sender: whether it may still leave or be answered.
bool is_open(Stage stage);
/// Sender: whether a person took it back or stopped it.
bool is_taken_back(Stage stage);

struct Exchange {
  std::string id;  ///< UUID of the manifest
  Purpose purpose = Purpose::list;
  std::string environment;
  int reference_year = 0;
  std::int64_t revision = 1;
  std::string stem;
  int copy = 1;  ///< rises when foreign bytes hold our name
  std::string package;
  std::string package_sha256;
  std::uint64_t package_size = 0;
  std::uint64_t records = 0;
  std::uint64_t set_aside = 0;
  std::uint64_t merged = 0;
  std::uint64_t restored = 0;
  bool header = false;  ///< the first line of the list was taken for a heading
  Stage stage = Stage::sealed;
  std::string origin;        ///< name of the file, or where it came from instead; "" at the receiver
  bool noted = false;        ///< it was dropped, so that a note beside the drop tells what becomes of it
  std::int64_t command = 0;  ///< the command that asked for it; 0 when none did
  std::string resume_note;
  Time opened_at;
  Time changed_at;
  Wait wait;
};

/// Receiver and sender: one appearance of a file on the share. found → fetched → settled → cleared, or kept
/// when it cannot be removed from the share.
enum class ArrivalStage { found, fetched, settled, cleared, kept };
/// What came of it.
enum class Outcome { none, recorded, refused, repeated, quarantined, receipt, gone, letter };
std::string_view arrival_stage_name(ArrivalStage stage);
std::string_view outcome_name(Outcome outcome);

struct Arrival {
  std::int64_t id = 0;
  std::string name;
  std::string revision;
  std::uint64_t size = 0;
  ArrivalStage stage = ArrivalStage::found;
  Outcome outcome = Outcome::none;
  std::string sha256;
  std::string exchange;
  bool resumed = false;
  std::int64_t appearances = 1;
  Time found_at;
  Wait wait;
};

/// A receipt that was given (receiver) or accepted (sender).
struct StoredReceipt {
  std::string exchange;
  std::string json;
  std::string json_sha256;
  std::string signature;  ///< binary; empty until signed
  ReceiptStatus status = ReceiptStatus::recorded;
  int copy = 1;
  Time at = {};  ///< when it came, or was written and then signed; as the ledger tells it
};

/// Whether a person may call the exchange so: its package, its stem, or at least four characters of its id.
bool is_called(const Exchange& exchange, const std::string& text);

/// What the instance knows about its exchanges: rows and how they change. Every change of a stage compares
/// the old one first. Callers open the transactions. One thread.
class Ledger {
 public:
  Ledger(Database& database, const Clock& clock) : db_(database), clock_(clock), settings_(database, clock) {}

  // Exchanges.
  void insert(const Exchange& exchange);
  std::optional<Exchange> exchange(const std::string& id);
  /// The exchange whose id, or a beginning of it that fits no other, is `text`, or whose package bears that
  /// name. Throws U_UNKNOWN.
  Exchange find(const std::string& text);
  std::optional<Exchange> exchange_with_digest(const std::string& package_sha256);
  std::optional<Exchange> exchange_of_command(std::int64_t command);
  /// All, newest first.
  std::vector<Exchange> exchanges();
  /// The open or acknowledged exchange that holds reference year and revision at a sender.
  std::optional<Exchange> holder(int reference_year);
  /// The newest revision of a year's list that was acknowledged.
  std::optional<Exchange> acknowledged(int reference_year);
  /// Another reference year's first list that was sealed in the same calendar year as this one, before or
  /// after it (article 5: one a calendar year), and neither refused nor taken back.
  std::optional<Exchange> list_beside(const Exchange& exchange);
  /// The newest rehearsal; with `done`, the newest that went well. One of a day to come, which only a clock
  /// gone wrong can have named, is none.
  std::optional<Exchange> last_rehearsal(bool done = false);
  std::optional<Exchange> next_exchange();
  /// Throws L_BUSY when the exchange is no longer in the stage that it has in `exchange`. Clears the waiting:
  /// due as given, no attempts.
  void move(const Exchange& exchange, Stage to, std::optional<Time> due);
  void set_copy(const Exchange& exchange, int copy, const std::string& package);
  void keep_note(const std::string& exchange, const std::string& note);
  void set_due(const std::string& exchange, std::optional<Time> due);
  void defer(const Exchange& exchange, Time due, const Error& error);

  // Receipts.
  /// When this side was last at work: the newest event on record, or chore that was done.
  std::optional<Time> last_worked();
  /// When something authentic of the other side's was last dealt with; when this side began, if that is
  /// later.
  std::optional<Time> last_heard();
  /// False when this very receipt was there already.
  bool insert_receipt(const StoredReceipt& receipt);
  void sign_receipt(const std::string& json_sha256, const std::string& signature);
  /// Puts `receipt` in the place of one that is not signed yet.
  void replace_receipt(const std::string& json_sha256, const StoredReceipt& receipt);
  void set_receipt_copy(const std::string& json_sha256, int copy);
  /// All answers to an exchange, oldest first.
  std::vector<StoredReceipt> receipts_of(const std::string& exchange);
  std::optional<StoredReceipt> receipt_of(const std::string& exchange);
  /// SHA-256 of the text of the newest receipt; empty when there is none.
  std::optional<std::string> last_receipt();
  bool knows_receipt(const std::string& json_sha256);
  /// Whether a receipt that was put on the share by `time` is newer than the one called `seen` (none: than
  /// all).
  bool gave_newer_receipt(const std::optional<std::string>& seen, Time time);

  // Arrivals.
  std::int64_t insert(const Arrival& arrival);
  std::optional<Arrival> arrival(std::int64_t id);
  /// The newest appearance under this name.
  std::optional<Arrival> last_arrival(const std::string& name);
  /// What is due at `now` comes first, and of that what was fetched already: the spool holds one file at a
  /// time.
  std::optional<Arrival> next_arrival(Time now);
  std::vector<Arrival> open_arrivals();
  void save(const Arrival& arrival);
  void release_arrivals_of(const std::string& exchange, Time due);
  /// Whether arrivals of these bytes are held for an approver, which are tried again at `now`.
  bool wake_held(const std::string& sha256, Time now);
  /// The other arrivals of these bytes that are held for an approver are repeats from now on.
  void settle_held(const Arrival& concluded, Time due);
  /// Forgets arrivals that were cleared, and commands that were done, before `old`.
  void prune(Time old);

  // Quarantine.
  /// Why these bytes were set aside; empty when they were not.
  std::optional<Code> quarantined_as(const std::string& sha256);
  void release(const std::string& sha256);
  void quarantine(const std::string& sha256, const std::string& name, Code code);
  std::int64_t quarantined();

  /// Rows that wait for a try wait no longer than until `try_by`, sent exchanges until `receipt_by`, and
  /// nothing was seen or asked later than `now`: for a start, and when the clock went back.
  void pull_in(Time now, Time try_by, Time receipt_by);
  /// Until when the share said to wait (S_THROTTLED), as far as that lies between `now` and `most`; `now`
  /// otherwise.
  Time told_to_wait(Time now, Time most);

  /// The share answers again: exchanges that wait because it did not are due at `now`.
  void contact_is_back(Time now);

  /// A moment of sealing that no other stem bears, now or later: its row is written before anything bears it.
  Time reserve_stem(Purpose purpose, int reference_year, std::int64_t revision);
  /// The stem that was reserved last; empty when none was.
  std::string reserved_stem();

 private:
  Database& db_;
  const Clock& clock_;
  Settings settings_;
};

}  // namespace veer

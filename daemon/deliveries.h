#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "daemon/database.h"
#include "daemon/ledger.h"

namespace veer {

/// held: sealed, and waits for a second person. sealed: to be put on the fund's share. delivering: is being
/// put there, or was. delivered: lies there. ended: was not released, or lapsed; one that is due may have
/// left something there.
/// `ended`: it never left. `recalled`: it may have been fetched before it was taken back.
enum class DeliveryStage { held, sealed, delivering, delivered, ended, recalled };
std::string_view delivery_stage_name(DeliveryStage stage);

/// What one care fund gets of a recorded list (article 4; Q20 to Q24). No personal data: its numbers are in
/// its sealed file alone, which the fund can open.
struct Delivery {
  std::string id;       ///< UUID of its manifest
  std::string request;  ///< by which it was asked for and is released
  std::string fund;
  std::string key;     ///< that it is sealed to
  Date members_as_of;  ///< day of the membership register
  int reference_year = 0;
  std::int64_t list_revision = 1;
  std::int64_t revision = 1;  ///< of what this fund gets for that year
  std::string file;           ///< its name, in the spool and there
  std::string sha256;
  std::uint64_t records = 0;
  DeliveryStage stage = DeliveryStage::held;
  std::string salt;        ///< binds `commitment`; forgetting takes it
  std::string commitment;  ///< to the numbers: whether a later list says the same to this fund
  Time opened_at;
  std::string resume_note = {};
  Wait wait = {};

  /// Whether it may still go out.
  bool is_pending() const { return stage < DeliveryStage::delivered; }
  bool is_over() const { return stage > DeliveryStage::delivered; }
};

/// The book of deliveries. Callers open the transactions. One thread.
class Deliveries {
 public:
  explicit Deliveries(Database& database) : db_(database) {}

  /// Writes a new one, or what changed of one: by its id.
  void save(const Delivery& delivery);
  void keep_note(const std::string& id, const std::string& note);
  void defer(const Delivery& delivery, Time due, const Error& error);
  std::vector<Delivery> all();
  std::vector<Delivery> of_request(const std::string& request);
  /// What is due first; while the exchange is `halted`, of what ended.
  std::optional<Delivery> next(bool halted);
  /// The last that lies there for a fund and a year, or did until it was recalled.
  std::optional<Delivery> last(const std::string& fund, int reference_year);
  /// Whether one is on its way, and may lie there already.
  bool is_delivering(const std::string& fund, int reference_year);
  std::int64_t next_revision(const std::string& fund, int reference_year);
  /// No commitment is bound to anybody any more.
  void cut_salts();
  /// Of what `newest` takes the place of at its fund.
  void cut_older_salts(const Delivery& newest);
  /// The clock went back: nothing waits longer than until `by`.
  void pull_in(Time by);

 private:
  Database& db_;
};

}  // namespace veer

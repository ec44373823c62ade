#pragma once

#include <set>
#include <string>
#include <vector>

#include "daemon/instance.h"

namespace veer {

/// What goes once a file is settled: our copy and the share's file, or our copy alone. Of what is
/// set aside `Arrival::resumed` says which from then on.
enum class Clearing { of_share, of_copy };

/// Files that the other side put: from being seen in a listing to being gone from the share. What they hold
/// is the sides' matter. Everything it knows is in the ledger, so it may be stopped anywhere.
class Inbox {
 public:
  /// `kinds` are what this side takes; other names are counted and reported once, and never opened.
  Inbox(Instance& instance, std::set<FileKind> kinds, std::uint64_t cap)
      : at_(instance), kinds_(std::move(kinds)), cap_(cap) {}

  /// Looks at the incoming folder and writes an arrival for each appearance not yet known. What was to be
  /// fetched, failed to be, and is no longer listed is given up.
  void poll(const Transfer& transfer);
  /// found → fetched: the bytes into the spool, from where an earlier attempt stopped.
  void fetch(Arrival arrival, const Transfer& transfer);
  /// settled → cleared: our copy away (or into quarantine), then the share's.
  void clear(Arrival arrival, const Transfer& transfer);

  /// Sets bytes aside that cannot be what they claim: a finding, no answer. Bytes that were fetched in pieces
  /// are fetched once more in one piece before anything is concluded.
  void quarantine(Arrival arrival, const Error& error);
  /// Sets a fetched file aside because a person said so; closes its alerts, of which `cause` is one. Within
  /// the caller's transaction.
  void reject(const Arrival& arrival, const std::string& who, const std::string& reason,
              const std::string& cause);
  /// Whether what was fetched is to be read now. Not so when the spool does not hold it (a restored backup, a
  /// damaged disk): it is fetched afresh. When these bytes were set aside and their finding is open: they are
  /// settled. When the file is no longer on the share, so that its sender took it back: it is given up.
  bool is_ready(const Arrival& arrival, const Transfer& transfer);
  /// fetched → settled, within the running transaction. Empty `due`: waits for the exchange to be answered.
  void settle(Arrival arrival, Outcome outcome, const std::string& exchange, std::optional<Time> due,
              Clearing clearing = Clearing::of_share);

 private:
  bool is_known(const ShareEntry& entry, const std::optional<Arrival>& last);
  void accept(const ShareEntry& entry);
  void tell_tricks(const std::vector<std::string>& names);
  void tell_too_large(const ShareEntry& entry);
  void weigh_again(Arrival arrival, const ShareEntry& entry);
  void give_up_absent(const std::vector<ShareEntry>& entries);
  void fetch_again(Arrival arrival);
  bool holds(const Arrival& arrival, const Transfer& transfer);
  bool is_set_aside(const Arrival& arrival);
  bool is_listed(const Arrival& arrival, const Transfer& transfer);
  void give_up(Arrival arrival);
  bool has_room_for(const Arrival& arrival) const;
  /// False when the share will not.
  bool remove_from_share(const Arrival& arrival, const Transfer& transfer);

  Instance& at_;
  std::set<FileKind> kinds_;
  std::uint64_t cap_;
};

}  // namespace veer

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/instance.h"

/// What the page tells (daemon/page.h), gathered from the books.
namespace veer {

/// Where a reference year stands. missed: its day ([window] list_due) is over. none: it is over, and no day
/// was agreed, or that day came before this side ever ran.
enum class YearState { recorded, under_way, refused, missed, to_come, none };

struct PageYear {
  int year = 0;
  YearState state = YearState::to_come;
  std::uint64_t records = 0;     ///< recorded: how many numbers
  std::optional<Time> at = {};   ///< recorded: when; refused: when
  std::optional<Date> due = {};  ///< last day on which its list may come; empty: none was agreed
};

/// The steps of a list. Sender: taken_in, released (when a second person was asked), sent, receipt. Receiver:
/// found, fetched, recorded, answered. The last but one, or the last, is `refused` when the receiver refused.
enum class Step { taken_in, released, sent, receipt, found, fetched, recorded, answered, refused };
/// stopped: a person took it back, or stopped it, before.
enum class StepState { done, waits, to_come, stopped };

struct PageStep {
  Step step;
  StepState state = StepState::to_come;
  std::optional<Time> at = {};  ///< done: when, if that is still known
};

/// The list of a year as it goes its way; the newest of its year.
struct PageList {
  int year = 0;
  std::string package = {};         ///< empty: nothing of it is here yet
  std::string id = {};              ///< of the exchange; may be empty
  std::optional<Stage> stage = {};  ///< of the exchange
  std::uint64_t records = 0;
  std::vector<PageStep> steps = {};
};

/// What is waited for: `who` has to do it, or did what is to be decided.
enum class PageWaitKind {
  resume,
  release,
  decide,
  put,
  receipt,
  rehearsal,
  offer,
  list,
  fetch,
  answer,
  file
};
struct PageWait {
  PageWaitKind kind;
  int year = 0;
  std::string who = {};               ///< accounts
  std::string what = {};              ///< name of a package or file
  std::optional<Time> since = {};     ///< since when it is so
  std::optional<Time> deadline = {};  ///< until when it is expected
  std::optional<Date> by = {};        ///< last day for it
  std::string command = {};           ///< behind invocation(config); empty: nothing to type
};

struct PageKey {
  bool ours = true;
  std::string fingerprint;
  std::optional<Time> from;
  std::optional<Time> until;  ///< the earlier of what the configuration and the key itself say; empty: never
};

struct PageRehearsal {
  Time begun;
  Stage stage;  ///< refused also when the receiver answered it so
};

struct PageFacts {
  Time now;
  std::vector<PageYear> years;
  std::vector<PageList> lists;  ///< this year's first, then what is under way of others
  std::vector<PageWait> waits;
  std::vector<Alert> alerts;              ///< open, findings first
  std::vector<Incident> incidents;        ///< of which the other side is to be told
  std::vector<Case> cases;                ///< quality cases whose answer is not there yet
  std::vector<PageRehearsal> rehearsals;  ///< the newest, newest first
  std::optional<Time> rehearsed;          ///< when the last that went well ended
  std::vector<PageKey> keys;
  std::string keys_problem;  ///< code; empty: how long the keys last is known
};

/// Of a side that has begun (Engine::start). Throws what the database throws.
PageFacts page_facts(Instance& instance);

}  // namespace veer

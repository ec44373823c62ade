#include "daemon/page_facts.h"

#include <algorithm>
#include <map>

#include "core/log.h"
#include "formats/acceptance.h"
#include "formats/receipt.h"

namespace veer {
namespace {

constexpr std::size_t kMostRehearsals = 5;

/// When each event of an exchange first stood in the audit trail.
std::map<std::string, Time> times_of(Instance& at, const std::string& exchange) {
  std::map<std::string, Time> times;
  for (const Row& row :
       at.db.query("SELECT event, at FROM audit WHERE exchange = :x ORDER BY seq", {exchange}))
    times.emplace(row.text(0), from_millis(row.integer(1)));
  return times;
}

std::optional<Time> time_of(const std::map<std::string, Time>& times, const std::string& event) {
  const auto found = times.find(event);
  return found == times.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Receipt> receipt_of(Instance& at, const std::string& exchange) {
  const auto stored = at.ledger.receipt_of(exchange);
  return stored ? std::optional(parse_receipt(stored->json)) : std::nullopt;
}

/// One look at the books.
class Gathering {
 public:
  explicit Gathering(Instance& instance)
      : at_(instance), exchanges_(instance.ledger.exchanges()), arrivals_(instance.ledger.open_arrivals()) {
    facts_.now = at_.clock.now();
  }

  PageFacts take() {
    const Window& window = at_.config.window;
    for (int year = window.first_reference_year; year <= window.last_reference_year; ++year)
      facts_.years.push_back(year_of(year));
    const int current = std::clamp(this_year(), window.first_reference_year, window.last_reference_year);
    facts_.lists.push_back(list_of(current));
    for (int year = window.first_reference_year; year <= window.last_reference_year; ++year)
      if (year != current && is_under_way(year)) facts_.lists.push_back(list_of(year));
    look_for_suspensions();
    for (const PageList& list : facts_.lists) look_for_waits(list);
    look_for_rehearsals();
    for (const std::string& name : at_.offers.refused())
      facts_.waits.push_back({.kind = PageWaitKind::file, .what = shown_name(name)});
    facts_.alerts = at_.alerts.open();
    facts_.incidents = at_.alerts.incidents().waiting();
    std::stable_partition(facts_.alerts.begin(), facts_.alerts.end(), [](const Alert& alert) {
      return alert.kind == alert_kind_name(AlertKind::finding);
    });
    look_for_keys();
    facts_.cases = at_.cases.all();
    std::erase_if(facts_.cases, [](const Case& c) { return !c.is_open(); });
    return std::move(facts_);
  }

 private:
  bool is_sender() const { return at_.config.role == Role::sender; }
  Date today() const { return date_of(facts_.now); }
  int this_year() const { return static_cast<int>(today().year()); }
  std::optional<Date> due_of(int year) const {
    const auto& due = at_.config.window.list_due;
    return due ? std::optional(std::chrono::year(year) / due->month() / due->day()) : std::nullopt;
  }

  /// The newest list of a year.
  const Exchange* newest(int year) const {
    const auto found = std::find_if(exchanges_.begin(), exchanges_.end(), [&](const Exchange& x) {
      return x.purpose == Purpose::list && x.reference_year == year;
    });
    return found == exchanges_.end() ? nullptr : &*found;
  }
  /// The receiver's package of a year that is not judged yet.
  const Arrival* coming(int year) const {
    const auto found = std::find_if(arrivals_.rbegin(), arrivals_.rend(), [&](const Arrival& arrival) {
      const auto name = parse_file_name(arrival.name);
      if (!name || name->kind != FileKind::package) return false;
      const StemFacts facts = facts_in_stem(name->stem);
      return facts.purpose == Purpose::list && facts.reference_year == year &&
             (arrival.stage == ArrivalStage::found || arrival.stage == ArrivalStage::fetched);
    });
    return found == arrivals_.rend() || is_sender() ? nullptr : &*found;
  }
  std::optional<Exchange> recorded(int year) const {
    if (is_sender()) return at_.ledger.acknowledged(year);
    const auto id = at_.lists.recorded_exchange(year);
    return id ? at_.ledger.exchange(*id) : std::nullopt;
  }
  bool is_under_way(int year) const {
    const Exchange* x = newest(year);
    return coming(year) != nullptr || (x != nullptr && is_open(x->stage)) ||
           (x != nullptr && !is_sender() && x->stage != Stage::answered);
  }

  PageYear year_of(int year) const {
    PageYear facts{.year = year, .due = due_of(year)};
    const Exchange* x = newest(year);
    if (const auto done = recorded(year)) {
      const auto receipt = receipt_of(at_, done->id);
      facts.state = YearState::recorded;
      facts.records = done->records;
      facts.at = receipt ? receipt->recorded_at : done->changed_at;
    } else if (coming(year) != nullptr || (x != nullptr && is_open(x->stage))) {
      facts.state = YearState::under_way;
    } else if (facts.due && today() > *facts.due &&
               at_.settings.begin() < Time(std::chrono::sys_days(*facts.due))) {
      facts.state = YearState::missed;
    } else if (x != nullptr && !is_taken_back(x->stage)) {
      facts.state = YearState::refused;
      facts.at = x->changed_at;
    } else {
      facts.state =
          year < this_year() || today() > at_.config.window.closes ? YearState::none : YearState::to_come;
    }
    return facts;
  }

  PageList list_of(int year) const {
    PageList list{.year = year};
    const Arrival* arrival = coming(year);
    const auto done = recorded(year);
    const Exchange* const latest = newest(year);
    const bool corrects = done && latest != nullptr && is_open(latest->stage);
    const Exchange* x = done && !corrects ? &*done : latest;
    if (x != nullptr && (done || arrival == nullptr)) {
      list.package = x->package;
      list.id = x->id;
      list.stage = x->stage;
      list.records = x->records;
      list.steps = is_sender() ? sender_steps(*x) : receiver_steps(*x);
    } else if (arrival != nullptr) {
      list.package = arrival->name;
      const bool fetched = arrival->stage == ArrivalStage::fetched;
      list.steps = {
          {Step::found, StepState::done, arrival->found_at},
          {Step::fetched, fetched ? StepState::done : StepState::waits, fetched_at(arrival->sha256)},
          {Step::recorded, fetched ? StepState::waits : StepState::to_come, {}},
          {Step::answered, StepState::to_come, {}}};
    } else if (is_sender()) {
      list.steps = {{Step::taken_in, StepState::waits, {}},
                    {Step::sent, StepState::to_come, {}},
                    {Step::receipt, StepState::to_come, {}}};
    } else {
      list.steps = {{Step::found, StepState::waits, {}},
                    {Step::fetched, StepState::to_come, {}},
                    {Step::recorded, StepState::to_come, {}},
                    {Step::answered, StepState::to_come, {}}};
    }
    return list;
  }

  std::vector<PageStep> sender_steps(const Exchange& x) const {
    const auto times = times_of(at_, x.id);
    const auto hold = at_.holds.find(HoldKind::list, x.id);
    const auto sent = time_of(times, "sent");
    const bool answered = x.stage == Stage::acknowledged || x.stage == Stage::refused;
    const StepState left = is_taken_back(x.stage) ? StepState::stopped : StepState::to_come;
    std::vector<PageStep> steps{{Step::taken_in, StepState::done, time_of(times, "sealed")}};
    if (hold && hold->state == HoldState::released)
      steps.push_back({Step::released, StepState::done, hold->decided_at});
    else if (hold && (hold->state == HoldState::open || is_taken_back(x.stage)))
      steps.push_back({Step::released, is_taken_back(x.stage) ? StepState::stopped : StepState::waits, {}});
    const bool was_sent = sent || x.stage == Stage::sent || answered;
    steps.push_back({Step::sent,
                     was_sent                   ? StepState::done
                     : x.stage == Stage::sealed ? StepState::waits
                                                : left,
                     sent});
    steps.push_back(
        {x.stage == Stage::refused ? Step::refused : Step::receipt,
         answered                 ? StepState::done
         : x.stage == Stage::sent ? StepState::waits
                                  : left,
         answered ? time_of(times, times.contains("receipt") ? "receipt" : "adopted") : std::nullopt});
    return steps;
  }

  std::vector<PageStep> receiver_steps(const Exchange& x) const {
    const auto times = times_of(at_, x.id);
    const auto receipt = receipt_of(at_, x.id);
    const bool refused = receipt && receipt->status == ReceiptStatus::refused;
    const bool answered = x.stage == Stage::answered;
    return {{Step::found, StepState::done, receipt ? receipt->found_at : x.opened_at},
            {Step::fetched, StepState::done, fetched_at(x.package_sha256)},
            {refused ? Step::refused : Step::recorded, StepState::done,
             time_of(times, refused ? "refused" : "recorded")},
            {Step::answered, answered ? StepState::done : StepState::waits, time_of(times, "answered")}};
  }

  std::optional<Time> fetched_at(const std::string& sha256) const {
    if (sha256.empty()) return std::nullopt;
    const auto row = at_.db.query_one(
        "SELECT min(at) FROM audit WHERE event = 'fetched' AND exchange = '' AND record LIKE :sha",
        {"%\"" + sha256 + "\"%"});
    return row ? row->maybe_time(0) : std::nullopt;
  }

  void look_for_suspensions() {
    const auto suspensions = at_.holds.suspensions();
    if (!suspensions.empty())
      facts_.waits.push_back({.kind = PageWaitKind::resume,
                              .who = names_of(suspensions),
                              .since = suspensions.front().asked_at,
                              .command = "resume"});
  }

  void look_for_waits(const PageList& list) {
    const auto x = list.id.empty() ? std::nullopt : at_.ledger.exchange(list.id);
    PageWait wait{.kind = PageWaitKind::offer, .year = list.year, .what = list.package};
    const bool settled = x && (x->stage == Stage::acknowledged || x->stage == Stage::answered);
    if (const Arrival* arrival = settled ? nullptr : coming(list.year)) {
      const auto hold = at_.holds.find(HoldKind::package, arrival->sha256);
      const bool held = hold && hold->state == HoldState::open;
      wait.kind = held ? PageWaitKind::decide : PageWaitKind::fetch;
      wait.since = held ? hold->asked_at : arrival->found_at;
      if (held) wait.command = "approve " + arrival->name;
    } else if (x && x->stage == Stage::held) {
      const auto hold = at_.holds.find(HoldKind::list, x->id);
      wait.kind = PageWaitKind::release;
      wait.who = hold && hold->asked_by ? hold->asked_by->name : "";
      wait.since = x->changed_at;
      wait.command = "approve " + x->id.substr(0, 8);
    } else if (x && x->stage == Stage::sealed) {
      wait.kind = PageWaitKind::put;
      wait.since = x->changed_at;
    } else if (x && x->stage == Stage::sent) {
      wait.kind = PageWaitKind::receipt;
      wait.since = x->changed_at;
      wait.deadline = x->changed_at + at_.config.window.receipt_within;
    } else if (x && !is_sender() && x->stage != Stage::answered) {
      wait.kind = PageWaitKind::answer;
      wait.since = x->changed_at;
    } else if (!recorded(list.year) && today() <= at_.config.window.closes && list.year <= this_year()) {
      wait.kind = is_sender() ? PageWaitKind::offer : PageWaitKind::list;
      wait.by = due_of(list.year);
    } else {
      return;
    }
    facts_.waits.push_back(std::move(wait));
  }

  void look_for_rehearsals() {
    std::optional<Time> waits;
    for (const Exchange& x : exchanges_) {
      // One of a day to come is of a clock gone wrong.
      if (x.purpose != Purpose::rehearsal || x.opened_at > facts_.now) continue;
      const auto receipt = at_.ledger.receipt_of(x.id);
      const bool refused = receipt && receipt->status == ReceiptStatus::refused;
      const bool well = receipt && !refused && !is_open(x.stage) && !is_taken_back(x.stage);
      if (facts_.rehearsals.empty() && x.stage == Stage::sent) waits = x.changed_at;
      if (well && !facts_.rehearsed) facts_.rehearsed = x.changed_at;
      if (facts_.rehearsals.size() < kMostRehearsals)
        facts_.rehearsals.push_back({x.opened_at, refused ? Stage::refused : x.stage});
      else if (facts_.rehearsed)
        break;
    }
    if (waits)
      facts_.waits.push_back({.kind = PageWaitKind::rehearsal,
                              .since = *waits,
                              .deadline = *waits + at_.config.window.receipt_within});
  }

  void look_for_keys() {
    std::vector<KeyEnd> ends;
    try {
      ends = at_.seal.key_ends();
    } catch (const Error& error) {  // the page is written all the same
      facts_.keys_problem = code_name(error.code());
    }
    for (const bool ours : {true, false})
      for (const PinnedKey& pin : ours ? at_.config.own_keys : at_.config.counterparty_keys)
        facts_.keys.push_back({ours, pin.fingerprint, pin.from, end_of(pin, ends).at});
  }

  Instance& at_;
  std::vector<Exchange> exchanges_;
  std::vector<Arrival> arrivals_;
  PageFacts facts_;
};

}  // namespace

PageFacts page_facts(Instance& instance) { return Gathering(instance).take(); }

}  // namespace veer

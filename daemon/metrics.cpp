#include "daemon/metrics.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include <fmt/format.h>

#include "daemon/ends.h"
#include "daemon/legal_basis.h"
#include "daemon/schema.h"

namespace veer {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value)
    if (c == '\n')
      text += "\\n";
    else
      text += c == '\\' || c == '"' ? std::string{'\\', c} : std::string{c};
  return text;
}

std::string text_of(const Labels& labels) {
  std::string text;
  for (const auto& [label, value] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", label, escaped(value));
  return text;
}

/// The text as it grows: a metric at a time, and after each its samples. All bear the labels of the instance.
class Exposition {
 public:
  explicit Exposition(const Config& config)
      : common_(text_of({{"party", config.party},
                         {"role", std::string(role_name(config.role))},
                         {"environment", std::string(environment_name(config.environment))}})) {}

  void gauge(std::string_view name, std::string_view help) { begin(name, help, "gauge"); }
  /// What only grows, unless the books were restored.
  void counter(std::string_view name, std::string_view help) { begin(name, help, "counter"); }
  void sample(const Labels& own, std::int64_t value) { add(own, fmt::format("{}", value)); }
  void sample(const Labels& own, std::chrono::milliseconds time) {
    add(own, fmt::format("{}", std::chrono::duration<double>(time).count()));
  }
  /// Seconds since 1970; no sample when there is no time.
  void sample(const Labels& own, const std::optional<Time>& time) {
    if (time) sample(own, time->time_since_epoch());
  }
  std::string text() { return std::move(text_); }

 private:
  void begin(std::string_view name, std::string_view help, std::string_view type) {
    name_ = fmt::format("veerdienst_{}", name);
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name_, help, name_, type);
  }
  void add(const Labels& own, std::string_view value) {
    text_ += fmt::format("{}{{{}{}}} {}\n", name_, common_, own.empty() ? "" : "," + text_of(own), value);
  }

  std::string common_;
  std::string name_;
  std::string text_;
};

constexpr std::array kPurposes = {Purpose::list, Purpose::rehearsal};
constexpr std::array kSenderStages = {Stage::held,    Stage::sealed,    Stage::sent,    Stage::acknowledged,
                                      Stage::refused, Stage::withdrawn, Stage::rejected};
constexpr std::array kReceiverStages = {Stage::recorded, Stage::refused, Stage::answered};
constexpr std::array kOpenArrivalStages = {ArrivalStage::found, ArrivalStage::fetched, ArrivalStage::settled};
constexpr std::array kSeverities = {AlertKind::finding, AlertKind::attention, AlertKind::notice};

std::span<const Stage> stages_of(Role role) {
  if (role == Role::sender) return kSenderStages;
  return kReceiverStages;
}

template <typename Rows, typename Test>
std::int64_t count(const Rows& rows, Test test) {
  return std::count_if(rows.begin(), rows.end(), test);
}

void add_exchanges(Exposition& out, Role role, const std::vector<Exchange>& all) {
  out.gauge("exchanges", "Exchanges in the books.");
  for (const Purpose purpose : kPurposes)
    for (const Stage stage : stages_of(role))
      out.sample({{"purpose", std::string(purpose_name(purpose))}, {"stage", std::string(stage_name(stage))}},
                 count(all, [&](const Exchange& x) { return x.purpose == purpose && x.stage == stage; }));

  std::vector<Exchange> open;
  std::copy_if(all.begin(), all.end(), std::back_inserter(open),
               [](const Exchange& x) { return x.wait.due || x.stage == Stage::held; });
  const auto each = [&](std::string_view name, std::string_view help, auto value_of) {
    out.gauge(fmt::format("open_exchange_{}", name), help);
    for (const Exchange& x : open)
      out.sample({{"exchange", x.id},
                  {"purpose", std::string(purpose_name(x.purpose))},
                  {"reference_year", std::to_string(x.reference_year)},
                  {"stage", std::string(stage_name(x.stage))}},
                 value_of(x));
  };
  each("opened_timestamp_seconds", "When an exchange that is not over began.",
       [](const Exchange& x) { return std::optional(x.opened_at); });
  each("stage_timestamp_seconds", "Since when it stands at its stage.",
       [](const Exchange& x) { return std::optional(x.changed_at); });
  each("package_bytes", "Size of its sealed package.",
       [](const Exchange& x) { return static_cast<std::int64_t>(x.package_size); });
  each("failed_attempts", "How often in a row its next step failed.",
       [](const Exchange& x) { return x.wait.attempts; });
}

// What went well has a receipt that says so, at either side.
void add_finished(Exposition& out, Database& db) {
  std::map<std::string, std::pair<Time, Time>> last;  // by purpose: beginning and end
  for (const Row& row : db.query("SELECT x.purpose, x.opened_at, r.at FROM receipt r JOIN exchange x"
                                 " ON x.id = r.exchange WHERE r.status <> 'refused' ORDER BY r.at"))
    last[row.text(0)] = {from_millis(row.integer(1)), from_millis(row.integer(2))};
  out.gauge("last_exchange_timestamp_seconds",
            "When the receipt of the last exchange that went well was given or accepted.");
  for (const auto& [purpose, times] : last) out.sample({{"purpose", purpose}}, std::optional(times.second));
  out.gauge("last_exchange_duration_seconds", "How long that exchange took until then.");
  for (const auto& [purpose, times] : last) out.sample({{"purpose", purpose}}, times.second - times.first);

  std::map<std::int64_t, std::pair<std::string, std::int64_t>> lists;  // by year: revision and count
  for (const Row& row : db.query("SELECT x.reference_year, x.revision, x.records FROM receipt r JOIN exchange"
                                 " x ON x.id = r.exchange WHERE r.status = 'recorded' ORDER BY x.revision"))
    lists[row.integer(0)] = {row.text(1), row.integer(2)};
  out.gauge("list_numbers", "How many numbers the recorded list of a reference year holds.");
  for (const auto& [year, list] : lists)
    out.sample({{"reference_year", std::to_string(year)}, {"revision", list.first}}, list.second);
}

void add_chores(Exposition& out, Role role, Agenda& agenda) {
  std::vector<ChoreState> chores;
  for (const Chore chore : kChores)
    if (role == Role::sender || chore == Chore::poll || chore == Chore::tidy)
      chores.push_back(agenda.chore(chore));
  const auto label = [](const ChoreState& chore) {
    return Labels{{"chore", std::string(chore_name(chore.chore))}};
  };
  out.gauge("chore_done_timestamp_seconds", "When what recurs was last done.");
  for (const ChoreState& chore : chores) out.sample(label(chore), chore.done_at);
  out.gauge("chore_failed_attempts", "How often in a row it failed since.");
  for (const ChoreState& chore : chores) out.sample(label(chore), chore.wait.attempts);
}

std::int64_t unsent_messages(Database& db) {
  return db.query_one("SELECT count(*) FROM telling WHERE due_at IS NOT NULL AND attempts > 0")->integer(0);
}

void add_alerts(Exposition& out, const std::vector<Alert>& open, std::int64_t unsent) {
  std::map<std::pair<std::string, std::string>, std::int64_t> counts;
  for (const Alert& alert : open) ++counts[{alert.kind, topic_of(alert)}];
  out.gauge("open_alerts", "Alerts that are open.");
  for (const auto& [what, many] : counts)
    out.sample({{"severity", what.first}, {"topic", what.second}}, many);
  out.gauge("unsent_messages", "Messages about alerts that are to be sent by now, and could not be yet.");
  out.sample({}, unsent);
  out.gauge("unacknowledged_alerts", "Open alerts that nobody has taken up.");
  for (const AlertKind kind : kSeverities)
    out.sample({{"severity", std::string(alert_kind_name(kind))}}, count(open, [&](const Alert& alert) {
                 return alert.kind == alert_kind_name(kind) && !alert.acknowledged_at;
               }));
}

void add_share(Exposition& out, const Config& config, Ledger& ledger, Settings settings) {
  const auto arrivals = ledger.open_arrivals();
  out.gauge("arrivals", "Files of the share that are being dealt with.");
  for (const ArrivalStage stage : kOpenArrivalStages)
    out.sample({{"stage", std::string(arrival_stage_name(stage))}},
               count(arrivals, [&](const Arrival& arrival) { return arrival.stage == stage; }));
  out.counter("quarantined_files_total", "Files of the share that were ever set aside.");
  out.sample({}, ledger.quarantined());
  out.gauge("heard_timestamp_seconds",
            "When something authentic of the other side's last came; before that, when this side began.");
  out.sample({}, ledger.last_heard());
  out.gauge("key_end_timestamp_seconds",
            "When the last key of a party that may be used ends; no sample when none does.");
  for (const std::string& party : {config.party, config.counterparty})
    out.sample({{"owner", party}}, settings.key_end(party));
  out.gauge("way_in_end_timestamp_seconds",
            "When the certificate or client secret by which the share knows this side ends; no sample when "
            "none does.");
  out.sample({}, way_in_end(settings));
  out.gauge("window_end_timestamp_seconds", "When the transition ends, in which first lists travel.");
  out.sample({}, std::optional(end_of_day(config.window.closes)));
  out.gauge("legal_basis_end_timestamp_seconds",
            "When the legal basis on record ends; no sample without one.");
  out.sample({},
             config.legal_basis ? std::optional(end_of_day(last_day(*config.legal_basis))) : std::nullopt);
}

void add_people(Exposition& out, Database& db, const Clock& clock) {
  Holds holds(db, clock);
  out.gauge("holds", "What waits for a second person.");
  for (const HoldKind kind : kHoldKinds)
    out.sample({{"kind", std::string(hold_kind_name(kind))}}, holds.open_ones(kind));
  out.gauge("refused_files", "Files in the drop folder that could not be taken in.");
  out.sample({}, static_cast<std::int64_t>(Offers(db).refused().size()));
  const auto cases = Cases(db, clock).all();
  out.gauge("open_cases", "Quality cases whose answer is not there yet.");
  for (const Category category : kCategories)
    out.sample({{"category", std::string(category_name(category))}},
               count(cases, [&](const Case& c) { return c.category == category && c.is_open(); }));
  out.gauge("pending_commands", "Commands that are not carried out yet.");
  out.sample({}, static_cast<std::int64_t>(Agenda(db, clock).pending().size()));
}

void add_audit_head(Exposition& out, Audit& audit) {
  out.counter("audit_records_total", "Records in the audit chain.");
  out.sample({}, audit.head().seq);
  out.gauge("audit_head_timestamp_seconds", "When the last of them was written.");
  out.sample({}, audit.last_at());
}

}  // namespace

std::string metrics_of(const Config& config, Database& db, const Clock& clock) {
  Ledger ledger(db, clock);
  Agenda agenda(db, clock);
  Audit audit(db, clock);
  Exposition out(config);
  out.gauge("build_info", "Version of the program and of its database; always 1.");
  out.sample({{"version", VEER_VERSION}, {"schema", std::to_string(kSchemaVersion)}}, 1);
  out.gauge("metrics_timestamp_seconds", "When these numbers were read from the books.");
  out.sample({}, std::optional(clock.now()));
  add_exchanges(out, config.role, ledger.exchanges());
  add_finished(out, db);
  add_chores(out, config.role, agenda);
  add_share(out, config, ledger, Settings(db, clock));
  add_alerts(out, AlertBook(db, clock).open(), unsent_messages(db));
  add_people(out, db, clock);
  add_audit_head(out, audit);
  return out.text();
}

std::string metrics_of(Instance& at) { return metrics_of(at.config, at.db, at.clock); }

}  // namespace veer

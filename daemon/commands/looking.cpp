// Commands that only look: they read the books and never need the lock.

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/log.h"
#include "daemon/alert_texts.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/looks.h"
#include "daemon/intake.h"
#include "daemon/metrics.h"
#include "daemon/offers.h"
#include "daemon/rules.h"
#include "formats/receipt.h"

namespace veer {
namespace {

/// One instance's books, read.
struct Books {
  Config config;
  SystemClock clock;
  std::unique_ptr<Database> db;
  Ledger ledger;
  Agenda agenda;
  AlertBook alerts;
  Register lists;
  Offers offers;
  Holds holds;

  explicit Books(const Context& context)
      : config(context.own_config()),
        db(open_books(config)),
        ledger(*db, clock),
        agenda(*db, clock),
        alerts(*db, clock),
        lists(*db, clock),
        offers(*db),
        holds(*db, clock) {}
};

std::string time_or_dash(const std::optional<Time>& time) { return time ? format_time(*time) : "-"; }

Json json_of(const Wait& wait) {
  Json json;
  json["due"] = wait.due ? Json(format_time(*wait.due)) : Json(nullptr);
  json["attempts"] = wait.attempts;
  if (!wait.problem_code.empty()) json["problem"] = {{"code", wait.problem_code}, {"text", wait.problem}};
  return json;
}

Json json_of(const Exchange& x) {
  return {{"exchange", x.id},
          {"purpose", purpose_name(x.purpose)},
          {"environment", x.environment},
          {"reference_year", x.reference_year},
          {"revision", x.revision},
          {"stage", stage_name(x.stage)},
          {"package", x.package},
          {"package_sha256", x.package_sha256},
          {"copy", x.copy},
          {"records", x.records},
          {"set_aside", x.set_aside},
          {"merged", x.merged},
          {"restored", x.restored},
          {"header", x.header},
          {"origin", x.origin},
          {"noted", x.noted},
          {"opened_at", format_time(x.opened_at)},
          {"changed_at", format_time(x.changed_at)},
          {"waits", json_of(x.wait)}};
}

/// Who held something and what came of it; null when nothing was.
Json json_of(const std::optional<Hold>& hold) {
  if (!hold) return nullptr;
  const auto name = [](const std::optional<Person>& person) {
    return person ? Json(person->name) : Json(nullptr);
  };
  return {{"state", hold_state_name(hold->state)},
          {"asked_by", name(hold->asked_by)},
          {"since", format_time(hold->asked_at)},
          {"decided_by", name(hold->decided_by)},
          {"decided_at", hold->decided_at ? Json(format_time(*hold->decided_at)) : Json(nullptr)},
          {"reason", hold->reason}};
}

std::string_view name_of(const std::optional<Person>& person) {
  return person ? std::string_view(person->name) : "-";
}

/// What is waited for, in words.
std::string waiting_for(const Exchange& x) {
  switch (x.stage) {
    case Stage::held:
      return fmt::format("for release by another person, an approver: 'veer approve {}'", x.id.substr(0, 8));
    case Stage::sealed:
      return "to be put on the share";
    case Stage::sent:
      return "for the receiver's receipt";
    case Stage::recorded:
    case Stage::refused:
      return x.wait.due ? "for its receipt to be put on the share" : "for nothing";
    default:
      return "for nothing";
  }
}

std::string_view when_due(const Exchange& x) { return x.stage == Stage::sent ? "overdue from" : "next try"; }

std::string_view doing(Chore chore) {
  return chore == Chore::scan   ? "looking into the drop folder"
         : chore == Chore::poll ? "looking at the share"
         : chore == Chore::tidy ? "clearing up"
                                : "rehearsing";
}

std::string problem_of(const Command& command) {
  return command.wait.problem_code.empty()
             ? ""
             : fmt::format(" ({}: {})", command.wait.problem_code, command.wait.problem);
}

std::string_view who_works(const std::optional<std::string>& holder) {
  if (holder == kServiceWorks) return "the service runs";
  return holder ? "NO service runs, a command works now"
                : "NO service runs; start it, or use 'veer run --once'";
}

// Empty while somebody works, and when nothing is due but since a few polls, in which a service may start
// again.
std::optional<Time> idle_since(Books& books, const std::optional<std::string>& holder) {
  const auto some_polls =
      std::max(3 * books.config.share.poll, std::chrono::milliseconds(std::chrono::minutes(1)));
  if (holder || !books.holds.suspensions().empty()) return std::nullopt;
  std::optional<Time> since;
  const auto look = [&](const std::optional<Time>& due) {
    if (due && *due + some_polls <= books.clock.now() && (!since || *due < *since)) since = due;
  };
  for (const Chore chore : kChores) look(books.agenda.chore(chore).wait.due);
  for (const Exchange& x : books.ledger.exchanges()) look(x.wait.due);
  for (const Arrival& arrival : books.ledger.open_arrivals()) look(arrival.wait.due);
  for (const Command& command : books.agenda.pending()) look(command.asked_at);
  return since;
}

// A ledger that cannot be written cannot tell of it either.
std::optional<std::uint64_t> too_few_megabytes(const fs::path& state) {
  static constexpr std::uint64_t kEnough = 20;
  struct statvfs status {};
  if (statvfs(state.c_str(), &status) != 0) return std::nullopt;
  const std::uint64_t megabytes = status.f_bavail * status.f_frsize >> 20;
  return megabytes < kEnough ? std::optional(megabytes) : std::nullopt;
}

/// What lies in the drop folder: not looked at to the end yet, or refused.
struct DropState {
  std::vector<std::string> waiting;
  std::vector<std::string> refused;
};

DropState drop_state(Books& books) {
  if (books.config.role != Role::sender) return {};
  const std::vector<std::string> refused = books.offers.refused();
  DropState state;
  try {
    for (const DroppedFile& file : dropped_files(books.config.drop)) {
      const auto offer = books.offers.find(file.name);
      if (std::binary_search(refused.begin(), refused.end(), file.name))
        state.refused.push_back(printable(file.name));
      else if (!offer || offer->stage == OfferStage::settling)
        state.waiting.push_back(printable(file.name));
    }
  } catch (const Error&) {  // the chore that looks there tells why not
    state.refused = refused;
  }
  return state;
}

std::string line_of(const Exchange& x) {
  if (x.purpose == Purpose::rehearsal)
    return fmt::format("{}  rehearsal {:<12}  {:>8} numbers  {}  {}\n", x.id.substr(0, 8),
                       stage_name(x.stage), x.records, format_time(x.changed_at), x.package);
  return fmt::format("{}  {}  r{}  {:<12}  {:>8} numbers  {}  {}\n", x.id.substr(0, 8), x.reference_year,
                     x.revision, stage_name(x.stage), x.records, format_time(x.changed_at), x.package);
}

}  // namespace

void show_status(Context& context) {
  Books books(context);
  const auto alerts = books.alerts.open();
  std::vector<ChoreState> chores;
  for (const Chore chore : kChores) chores.push_back(books.agenda.chore(chore));
  const auto& last_poll = chores[static_cast<std::size_t>(Chore::poll)].done_at;
  std::vector<Exchange> open;
  for (Exchange& x : books.ledger.exchanges())
    if (x.wait.due || x.stage == Stage::held) open.push_back(std::move(x));
  const auto suspensions = books.holds.suspensions();
  const auto rehearsed = books.ledger.last_rehearsal(true);
  const auto closed = Settings(*books.db, books.clock).closed_out();
  auto arrivals = books.ledger.open_arrivals();
  const auto years = books.db->query(
      "SELECT reference_year, revision, set_aside FROM list l WHERE revision = (SELECT max(revision)"
      " FROM list WHERE reference_year = l.reference_year) ORDER BY 1");
  const auto holder = FolderLock::holder(books.config.state);
  const auto fails = [](const auto& row) { return !row.wait.problem_code.empty(); };
  const auto any_fails = [&](const auto& rows) { return std::any_of(rows.begin(), rows.end(), fails); };
  // Of a closed path only the clearing up goes on.
  const auto chore_fails = [&](const ChoreState& chore) {
    return fails(chore) && (!closed || chore.chore == Chore::tidy);
  };
  const auto [waiting, refused] = drop_state(books);
  const auto idle = idle_since(books, holder);
  const auto commands = books.agenda.pending();
  auto cases = Cases(*books.db, books.clock).all();
  std::erase_if(cases, [](const Case& c) { return !c.is_open(); });
  const auto incidents = books.alerts.incidents().waiting();
  const auto room = too_few_megabytes(books.config.state);
  const bool held =
      std::any_of(open.begin(), open.end(), [](const Exchange& x) { return x.stage == Stage::held; });
  if (!suspensions.empty() || held || room || idle || (!holder && !waiting.empty()) ||
      needs_attention(alerts) || std::any_of(chores.begin(), chores.end(), chore_fails) || any_fails(open) ||
      any_fails(arrivals) || !refused.empty() || !incidents.empty())
    context.exit_code = kAttention;

  if (context.json) {
    Json json = {{"party", books.config.party},
                 {"role", role_name(books.config.role)},
                 {"environment", environment_name(books.config.environment)},
                 {"running", holder == kServiceWorks},
                 {"worker", holder ? Json(*holder) : Json(nullptr)},
                 {"last_poll", last_poll ? Json(format_time(*last_poll)) : Json(nullptr)},
                 {"last_rehearsal", rehearsed ? Json(format_time(rehearsed->changed_at)) : Json(nullptr)},
                 {"closed_out", closed ? Json(format_time(*closed)) : Json(nullptr)},
                 {"suspension", suspensions.empty() ? Json(nullptr) : json_of(suspensions.front())}};
    for (const ChoreState& chore : chores) json[std::string(chore_name(chore.chore))] = json_of(chore.wait);
    json["exchanges"] = Json::array();
    for (const Exchange& x : open) json["exchanges"].push_back(json_of(x));
    json["arrivals"] = Json::array();
    for (const Arrival& a : arrivals)
      json["arrivals"].push_back(
          {{"name", a.name}, {"stage", arrival_stage_name(a.stage)}, {"waits", json_of(a.wait)}});
    json["not_taken_in"] = Json::array();
    for (const std::string& name : refused) json["not_taken_in"].push_back(shown_name(name));
    json["commands"] = Json::array();
    for (const Command& command : commands)
      json["commands"].push_back({{"verb", command.verb},
                                  {"argument", without_typed_numbers(command.argument)},
                                  {"who", command.who.name},
                                  {"waits", json_of(command.wait)}});
    json["cases"] = Json::array();
    for (const Case& c : cases)
      json["cases"].push_back(
          {{"case", c.name()}, {"category", category_name(c.category)}, {"due", format_date(c.due)}});
    json["incidents"] = Json::array();
    for (const Incident& incident : incidents)
      json["incidents"].push_back({{"number", incident.id},
                                   {"code", incident.code},
                                   {"exchange", incident.exchange},
                                   {"verdict", verdict_name(incident.verdict)},
                                   {"found_at", format_time(incident.found_at)},
                                   {"due", format_time(incident.due())}});
    json["waiting_files"] = waiting;
    json["megabytes_left"] = room ? Json(*room) : Json(nullptr);
    json["idle_since"] = idle ? Json(format_time(*idle)) : Json(nullptr);
    json["alerts"] = Json::array();
    for (const Alert& alert : alerts) json["alerts"].push_back(json_of(alert));
    json["quarantined"] = books.ledger.quarantined();
    json["register"] = Json::array();
    for (const Row& row : years)
      json["register"].push_back({{"reference_year", row.integer(0)},
                                  {"premium_year", premium_year_of(static_cast<int>(row.integer(0)))},
                                  {"revision", row.integer(1)},
                                  {"numbers", books.lists.count(static_cast<int>(row.integer(0)))},
                                  {"set_aside", row.integer(2)}});
    context.print(text_of(json));
    return;
  }

  std::string text = fmt::format("{} ({}, {}): {}\n", books.config.party, role_name(books.config.role),
                                 environment_name(books.config.environment), who_works(holder));
  if (closed) text += fmt::format("CLOSED for good since {}\n", format_time(*closed));
  if (!suspensions.empty())
    text += fmt::format(
        "SUSPENDED since {} by {}: another person, an approver, lets it go on with 'veer resume'\n",
        format_time(suspensions.front().asked_at), names_of(suspensions));
  text += fmt::format("last look at the share: {}\n", time_or_dash(last_poll));
  text += fmt::format("last rehearsal that went well: {}\n",
                      rehearsed ? format_time(rehearsed->changed_at) : "none yet");
  if (room)
    text += fmt::format("the disk of the state folder is all but full ({} MB left): make room\n", *room);
  if (idle) text += fmt::format("work is due since {}, and nobody does it\n", format_time(*idle));
  for (const ChoreState& chore : chores)
    if (chore_fails(chore))
      text += fmt::format("  {} failed {} time(s) in a row: {}: {}\n", doing(chore.chore),
                          chore.wait.attempts, chore.wait.problem_code, chore.wait.problem);
  for (const Row& row : years)
    text += fmt::format("register: {} numbers for reference year {}, premium year {}, revision {}\n",
                        books.lists.count(static_cast<int>(row.integer(0))), row.integer(0),
                        premium_year_of(static_cast<int>(row.integer(0))), row.integer(1));
  if (books.ledger.quarantined() > 0)
    text += fmt::format("set aside: {} file(s)\n", books.ledger.quarantined());
  for (const Exchange& x : open) {
    text += line_of(x) + "  waits " + waiting_for(x);
    text += x.wait.due ? fmt::format("; {} {}\n", when_due(x), format_time(*x.wait.due)) : "\n";
    if (fails(x))
      text += fmt::format("  failed {} time(s) in a row: {}: {}\n", x.wait.attempts, x.wait.problem_code,
                          x.wait.problem);
  }
  std::erase_if(arrivals, [&](const Arrival& a) { return a.stage == ArrivalStage::settled && !fails(a); });
  for (const Arrival& a : arrivals) {
    text += fmt::format("{}: {}\n", a.name, arrival_stage_name(a.stage));
    if (fails(a)) text += fmt::format("  {}: {}\n", a.wait.problem_code, a.wait.problem);
  }
  for (const std::string& name : waiting)
    text += fmt::format("{} lies in the drop folder and is not taken in yet\n", name);
  for (const std::string& name : refused)
    text += fmt::format("{} was not taken in: the note beside it says why\n", shown_name(name));
  for (const Case& c : cases)
    text += fmt::format("case {} ({}, {} person(s)) is to be answered by {}\n", c.name(),
                        category_name(c.category), c.persons, format_date(c.due));
  for (const Incident& incident : incidents)
    text += as_typed(
        fmt::format(
            "incident {0} ({1}) waits since {2}: the other side is to be told before {3} ('veer incident "
            "notice {0}' is what, 'veer incident notified {0} --how …' says that it was), or it is "
            "dismissed ('veer incident dismiss {0} --why …')\n",
            incident.id, incident.code, format_time(incident.found_at), format_time(incident.due())),
        books.config);
  for (const Command& command : commands)
    text += fmt::format("{} asked for {} {} and it is not done yet{}\n", command.who.name, command.verb,
                        printable(without_typed_numbers(command.argument)), problem_of(command));
  for (const Alert& alert : alerts)
    text += fmt::format("{} {} since {} (number {}): {}\n", alert.kind, alert.code,
                        format_time(alert.opened_at), alert.id, as_typed(alert.text, books.config));
  if (open.empty() && arrivals.empty() && waiting.empty() && commands.empty() && !idle && !room &&
      alerts.empty() && refused.empty() && cases.empty() && incidents.empty() && !any_fails(chores))
    text += "nothing is open\n";
  context.print(text);
}

void show_metrics(Context& context) {
  Books books(context);
  const std::string text = metrics_of(books.config, *books.db, books.clock);
  context.print(context.json ? text_of(Json{{"metrics", text}}) : text);
}

void show_list(Context& context) {
  Books books(context);
  const auto exchanges = books.ledger.exchanges();
  if (context.json) {
    Json json = Json::array();
    for (const Exchange& x : exchanges) json.push_back(json_of(x));
    context.print(text_of(json));
    return;
  }
  for (const Exchange& x : exchanges) context.print(line_of(x));
  if (exchanges.empty()) context.tell("no exchange yet\n");
}

void show_exchange(Context& context, const std::string& id) {
  Books books(context);
  const Exchange x = books.ledger.find(id);
  const auto receipt = books.ledger.receipt_of(x.id);
  const auto hold = books.holds.find(HoldKind::list, x.id);
  const auto history =
      books.db->query("SELECT at, event, record FROM audit WHERE exchange = :x ORDER BY seq", {x.id});
  if (context.json) {
    Json json = json_of(x);
    json["receipt"] = receipt ? Json::parse(receipt->json) : Json(nullptr);
    json["hold"] = json_of(hold);
    json["history"] = Json::array();
    for (const Row& row : history) json["history"].push_back(Json::parse(row.text(2)));
    context.print(text_of(json));
    return;
  }
  std::string text = fmt::format(
      "exchange   {}\nreference  1 January {}, revision {} ({})\nnumbers    {} (repeats merged: {}, leading "
      "zeros "
      "restored: {})\npackage    {}\nSHA-256    {}\nfrom       {}\nstage      {} since {}\n",
      x.id, x.reference_year, x.revision, x.environment, x.records, x.merged, x.restored, x.package,
      x.package_sha256, printable(x.origin.empty() ? "the share" : x.origin), stage_name(x.stage),
      format_time(x.changed_at));
  if (x.set_aside > 0) text += fmt::format("left out   {} faulty line(s)\n", x.set_aside);
  if (hold)
    text += fmt::format("held       since {}, offered by {}\n", format_time(hold->asked_at),
                        name_of(hold->asked_by));
  if (hold && hold->decided_at)
    text += fmt::format("{:<10} {} by {}{}\n", hold_state_name(hold->state), format_time(*hold->decided_at),
                        name_of(hold->decided_by), hold->reason.empty() ? "" : ": " + hold->reason);
  if (x.wait.due)
    text += fmt::format("waits      {}; {} {}\n", waiting_for(x), when_due(x), format_time(*x.wait.due));
  else if (x.stage == Stage::held)
    text += fmt::format("waits      {}\n", waiting_for(x));
  if (!x.wait.problem_code.empty())
    text += fmt::format("problem    {}: {}\n", x.wait.problem_code, x.wait.problem);
  text += "\nhistory\n";
  for (const Row& row : history)
    text += fmt::format("  {}  {}\n", format_time(from_millis(row.integer(0))), row.text(1));
  if (receipt)
    text += fmt::format("\nreceipt ('veer receipt {}' writes it as a file)\n{}", x.id.substr(0, 8),
                        receipt->json);
  context.print(text);
}

void show_receipt(Context& context, const std::string& id) {
  Books books(context);
  const Exchange x = books.ledger.find(id);
  const auto stored = books.ledger.receipt_of(x.id);
  if (!stored || stored->signature.empty())
    throw Error(
        Code::u_state,
        fmt::format("there is no signed receipt for exchange {}{}", x.id,
                    x.stage == Stage::rejected ? ", and none comes: it was rejected, and never left"
                    : x.stage == Stage::withdrawn
                        ? ", which was withdrawn: one comes only if the other side had recorded it before"
                        : " yet"));
  const FileKind kind = stored->status == ReceiptStatus::refused ? FileKind::refused : FileKind::recorded;
  const bool signs = books.config.role == Role::receiver;
  Json json = {{"exchange", x.id},
               {"name", file_name(x.stem, kind)},
               {"archive", base64(write_receipt_archive({stored->json, stored->signature}))},
               {"keys", books.config.openpgp_home.native()},
               {"signer", signs ? books.config.party : books.config.counterparty},
               {"fingerprints", Json::array()}};
  for (const PinnedKey& key : signs ? books.config.own_keys : books.config.counterparty_keys)
    json["fingerprints"].push_back(key.fingerprint);
  context.print(text_of(json));
}

namespace {

void write_receipt(Context& context, const std::string& id, const std::string& file) {
  const Json found = Json::parse(found_by(context, "receipt", id));
  const auto text = [&](const char* key) { return found.at(key).get<std::string>(); };
  const std::string path = !file.empty() ? file : fs::path(text("name")).filename().native();
  if (const std::string name = fs::path(file).filename().native(); without_numbers(name) != name)
    throw Error(Code::u_usage, "the file's name holds what may be a national number: choose another one");
  if (!write_new_file(path, from_base64(text("archive")), 0644))
    throw Error(Code::u_usage, fmt::format("{} is there already: name another file", printable(path)));
  if (context.json)
    context.print(text_of(Json{{"exchange", text("exchange")}, {"file", path}}));
  else
    context.print(path + "\n");
  // Whoever may not look into the service's key folder has the other side's public key from elsewhere.
  const bool own = !is_strange(text("keys"));
  context.tell(fmt::format(
      "verify it{} with: tar xf {} && gpg{} --with-fingerprint --verify receipt.json.sig receipt.json\n"
      "it counts when the primary key fingerprint that gpg shows is {}'s: {}\n",
      own ? "" : fmt::format(", once gpg knows {}'s public key ('gpg --import FILE'),", text("signer")),
      printable(path), own ? fmt::format(" --homedir {}", printable(text("keys"), 300)) : "", text("signer"),
      fmt::join(found.at("fingerprints").get<std::vector<std::string>>(), " or ")));
}

}  // namespace

void add_looking(CLI::App& app, Context& context) {
  app.add_subcommand("status", "What is open, and what to do next")->callback([&context] {
    look(context, "status");
  });
  app.add_subcommand("list", "All exchanges, newest first")->callback([&context] { look(context, "list"); });
  app.add_subcommand("metrics", "Numbers for a monitoring system, in Prometheus' text format")
      ->callback([&context] { look(context, "metrics"); });
  auto* one = app.add_subcommand("show", "One exchange with its history and receipt");
  auto id = std::make_shared<std::string>();
  one->add_option("ID", *id, "Exchange (its first characters will do) or package name")->required();
  one->callback([&context, id] { look(context, "show", *id); });
  auto* paper = app.add_subcommand("receipt", "Write the signed receipt of an exchange as a file");
  auto file = std::make_shared<std::string>();
  paper->add_option("ID", *id, "Exchange or package name")->required();
  paper->add_option("-o,--output", *file, "File to write; its own name otherwise");
  paper->callback([&context, id, file] { write_receipt(context, *id, *file); });
}

}  // namespace veer

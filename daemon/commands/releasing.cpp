// What a second person decides: each is shown what is held before they say so. And the stop switch.

#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "daemon/cases.h"
#include "daemon/commands/acting.h"
#include "daemon/commands/context.h"
#include "daemon/commands/json_handles.h"
#include "daemon/commands/looks.h"
#include "daemon/distribution.h"
#include "daemon/erasure.h"
#include "daemon/hand_over.h"
#include "daemon/holds.h"

namespace veer {
namespace {

struct Wish {
  std::string id;
  std::string digest;
  std::uint64_t set_aside = 0;
  bool yes = false;
  std::string reason;
};

Error not_held(const std::string& what) {
  return {Code::u_state, what + " does not wait for a release: see 'veer status'"};
}

Json with_asker(Json facts, const Hold& hold) {
  facts["sha256"] = hold.digest;
  facts["offered_by"] = hold.asked_by ? Json(hold.asked_by->name) : Json(nullptr);
  facts["held_since"] = format_time(hold.asked_at);
  return facts;
}

Json facts_of_list(Ledger& ledger, Holds& holds, Cases cases, const std::string& id) {
  const Exchange x = ledger.find(id);
  const auto hold = holds.find(HoldKind::list, x.id);
  if (!hold || hold->state != HoldState::open) throw not_held("exchange " + x.id);
  Json facts = {{"subject", x.id},
                {"package", x.package},
                {"environment", x.environment},
                {"reference_year", x.reference_year},
                {"revision", x.revision},
                {"records", x.records},
                {"last_year", nullptr},
                {"beside", nullptr},
                {"replaces", nullptr},
                {"answers", Json::array()},
                {"restored", x.restored},
                {"merged", x.merged},
                {"set_aside", x.set_aside},
                {"header", x.header}};
  if (const auto last = ledger.acknowledged(x.reference_year - 1)) facts["last_year"] = last->records;
  if (const auto beside = ledger.list_beside(x)) facts["beside"] = beside->reference_year;
  if (const auto recorded = ledger.acknowledged(x.reference_year); recorded && recorded->id != x.id)
    facts["replaces"] = {{"exchange", recorded->id}, {"records", recorded->records}};
  for (const Case& c : cases.answered_by(x)) facts["answers"].push_back(c.name());
  return with_asker(std::move(facts), *hold);
}

Json facts_of_package(Ledger& ledger, Holds& holds, const std::string& name) {
  for (const Arrival& arrival : ledger.open_arrivals()) {
    const auto hold = holds.find(HoldKind::package, arrival.sha256);
    if (arrival.name == name && hold && hold->state == HoldState::open)
      return with_asker(
          {{"subject", name}, {"package", name}, {"bytes", arrival.size}, {"why", arrival.wait.problem}},
          *hold);
  }
  throw not_held(shown_name(name));
}

Json facts_of_export(Database& books, const Clock& clock, Holds& holds, const std::string& name) {
  const auto hold = holds.find(HoldKind::hand_over, name);
  if (!hold || hold->state != HoldState::open) throw not_held(shown_name(name));
  Json facts = {{"subject", name}, {"purpose", hold->purpose}, {"list", nullptr}};
  if (const auto row =
          books.query_one("SELECT reference_year, revision, records FROM list WHERE :name = 'export-' ||"
                          " reference_year || '-r' || revision",
                          {name}))
    facts["list"] = {{"reference_year", row->integer(0)},
                     {"revision", row->integer(1)},
                     {"records", Register(books, clock).count(static_cast<int>(row->integer(0)))},
                     {"recorded", row->integer(2)}};
  return with_asker(std::move(facts), *hold);
}

Json facts_of_distribution(Database& books, Holds& holds, const std::string& name) {
  const auto hold = holds.find(HoldKind::distribution, name);
  if (!hold || hold->state != HoldState::open) throw not_held(shown_name(name));
  Json facts = {{"subject", name}, {"purpose", hold->purpose}, {"deliveries", Json::array()}};
  for (const Delivery& d : Deliveries(books).of_request(name))
    facts["deliveries"].push_back({{"fund", d.fund},
                                   {"records", d.records},
                                   {"revision", d.revision},
                                   {"file", d.file},
                                   {"sha256", d.sha256}});
  return with_asker(std::move(facts), *hold);
}

/// What an approver must know of what is held, from the books.
Json facts_here(const Context& context, const std::string& id) {
  const Config config = context.own_config();
  const auto books = open_books(config);
  const SystemClock clock;
  Ledger ledger(*books, clock);
  Holds holds(*books, clock);
  if (config.role == Role::sender) return facts_of_list(ledger, holds, Cases(*books, clock), id);
  if (Distribution::is_called(id)) return facts_of_distribution(*books, holds, id);
  return HandOver::is_called(id) ? facts_of_export(*books, clock, holds, id)
                                 : facts_of_package(ledger, holds, id);
}

std::string change_against(const Json& last_year, std::int64_t records) {
  if (last_year.is_null()) return "no list of the year before to compare with";
  const auto before = last_year.get<std::int64_t>();
  const double percent =
      before == 0 ? 100.0 : 100.0 * static_cast<double>(records - before) / static_cast<double>(before);
  if (before == 0 && records > 0) return "0: all are new";
  return records == before ? fmt::format("{}, the same", before)
                           : fmt::format("{}, {:.1f} % {}", before, std::abs(percent),
                                         records > before ? "more now" : "fewer now");
}

std::string text_about(const Json& facts) {
  std::string text;
  const auto line = [&](std::string_view name, const std::string& value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  if (facts.contains("records")) {
    line("list", fmt::format("1 January {}, revision {} ({})", facts["reference_year"].get<int>(),
                             facts["revision"].get<int>(), facts["environment"].get<std::string>()));
    line("numbers", facts["records"].dump());
    const auto records = facts["records"].get<std::int64_t>();
    if (!facts["replaces"].is_null())
      line("replaces", fmt::format("the list that is recorded, completely: {}",
                                   change_against(facts["replaces"]["records"], records)));
    if (const Json& cases = facts["answers"]; !cases.empty())
      line("answers", fmt::format("case(s) {}, as corrected: are all of them put right in it?",
                                  fmt::join(cases.get<std::vector<std::string>>(), ", ")));
    line(fmt::format("in {}", facts["reference_year"].get<int>() - 1),
         change_against(facts["last_year"], records));
    if (!facts["beside"].is_null())
      line("attention", fmt::format("a list for {} was sealed in the same calendar year: is the year of each "
                                    "right? (article 5: one a calendar year)",
                                    facts["beside"].dump()));
    line("restored", facts["restored"].dump() + " number(s) that had lost leading zeros");
    line("merged", facts["merged"].dump() + " repeat(s)");
    line("left out", facts["set_aside"].dump() + " faulty line(s)");
    if (facts["header"].get<bool>()) line("heading", "the first line was taken for one");
  } else if (facts.contains("deliveries")) {
    line("deliver", facts["purpose"].get<std::string>());
    for (const Json& d : facts["deliveries"])
      line("  " + d["fund"].get<std::string>(),
           fmt::format("{} number(s), revision {}, {}", d["records"].dump(), d["revision"].dump(),
                       d["file"].get<std::string>()));
  } else if (facts.contains("purpose")) {
    line("hand-over", facts["subject"].get<std::string>());
    if (const Json& list = facts["list"]; !list.is_null())
      line("list",
           fmt::format(
               "1 January {}, revision {}, {}", list["reference_year"].dump(), list["revision"].dump(),
               numbers_handed(list["records"].get<std::int64_t>(), list["recorded"].get<std::int64_t>())));
    line("for", facts["purpose"].get<std::string>());
  } else {
    line("why", facts["why"].get<std::string>());
  }
  line("offered by",
       facts["offered_by"].is_null() ? "the other side" : facts["offered_by"].get<std::string>());
  line("held since", facts["held_since"].get<std::string>());
  if (facts.contains("package")) line("package", facts["package"].get<std::string>());
  line("SHA-256", facts["sha256"].get<std::string>());
  return text;
}

/// Shown to whoever asks, and no more.
void look_only(Context& context, const Json& facts) {
  context.print(context.json ? text_of(facts) : text_about(facts));
  context.exit_code = kHeld;
}

// Two persons each give the same numbers: nobody keeps them in between.
void approve_forgetting(Context& context, const std::string& subject) {
  act(context, {.verb = "approve-forget",
                .argument = subject,
                .entrusted = std::make_shared<Fd>(persons_from_stdin(context))});
}

void approve(Context& context, const Wish& wish) {
  if (Erasure::is_called(wish.id)) return approve_forgetting(context, wish.id);
  const Json facts = Json::parse(found_by(context, "release", wish.id));
  const auto sha256 = facts["sha256"].get<std::string>();
  const std::uint64_t set_aside = facts.value("set_aside", std::uint64_t{0});
  if (!wish.digest.empty() && wish.digest != sha256)
    throw Error(Code::u_state,
                "other bytes are held than those of that digest: look at them without --digest");
  const bool said = wish.yes || !wish.digest.empty();
  if (!said && !at_terminal()) {
    look_only(context, facts);
    context.tell(
        fmt::format("nothing was released: say --yes, or --digest {}{}, to release exactly these bytes\n",
                    sha256, set_aside == 0 ? "" : fmt::format(", and --set-aside {}", set_aside)));
    return;
  }
  context.tell(text_about(facts));
  if (wish.set_aside != set_aside)
    throw Error(Code::u_state, fmt::format("{} faulty line(s) were left out of this list: release it with "
                                           "'--set-aside {}', or reject it",
                                           set_aside, set_aside));
  if (!said && !context.is_confirmed("Release exactly these bytes?")) {
    context.exit_code = kHeld;
    context.tell("nothing was released\n");
    return;
  }
  act(context, {.verb = "approve",
                .argument = Approval{facts["subject"].get<std::string>(), sha256, set_aside}.text()});
}

void reject(Context& context, const Wish& wish) {
  if (wish.id.find(' ') != std::string::npos)
    throw Error(Code::u_usage, "what is rejected is named without blanks");
  const std::string reason = shown_text(wish.reason, 300);
  act(context, {.verb = "reject", .argument = reason.empty() ? wish.id : with_text(wish.id, reason)});
}

}  // namespace

void show_release(Context& context, const std::string& id) { look_only(context, facts_here(context, id)); }

void add_releasing(CLI::App& app, Context& context) {
  const auto wish = std::make_shared<Wish>();
  auto* release = app.add_subcommand(
      "approve",
      "Show what is held, and release exactly those bytes: a list to be sent, or a package that quotes lost "
      "history; by another person than offered it");
  release->add_option("ID", wish->id, "Exchange (its first characters will do) or package name")->required();
  release->add_flag("--yes", wish->yes, "Release what is shown without being asked");
  release->add_option("--digest", wish->digest, "Release only when this is the SHA-256 of what is held");
  release->add_option("--set-aside", wish->set_aside, "How many faulty lines were left out, as it was shown");
  release->callback([&context, wish] { approve(context, *wish); });

  auto* stop = app.add_subcommand(
      "reject", "Stop what is held: a list, which is then not sent, or a package that waits at the receiver");
  stop->add_option("ID", wish->id, "Exchange (its first characters will do) or package name")->required();
  stop->add_option("--reason", wish->reason, "Why, for whoever offered it and for the audit trail");
  stop->callback([&context, wish] { reject(context, *wish); });

  app.add_subcommand("suspend",
                     "The stop switch: nothing is sent, fetched, taken in or recorded, from now on")
      ->callback([&context] { act(context, {.verb = "suspend"}); });
  app.add_subcommand("resume", "Let a suspended exchange go on; by another person than suspended it")
      ->callback([&context] { act(context, {.verb = "resume"}); });
  auto yes = std::make_shared<bool>(false);
  auto unread = std::make_shared<bool>(false);
  auto gone = std::make_shared<bool>(false);
  auto* close = app.add_subcommand(
      "close-out",
      "End the path for good, when the transition is over: empty the share, write the signed report");
  close->add_flag("--yes", *yes, "Do it without being asked");
  close->add_flag("--remove-unread", *unread,
                  "Though files lie on the share that this side did not read, or the other did not fetch");
  close
      ->add_flag("--share-gone", *gone,
                 "Though there is no share any more, which could be looked at or emptied")
      ->excludes("--remove-unread");
  close->callback([&context, yes, unread, gone] {
    if (!*yes && !at_terminal())
      throw Error(Code::u_usage, "this ends the path for good: say --yes when that is meant");
    if (!*yes &&
        !context.is_confirmed("This ends the path for good: nothing is sent or recorded after it. Close it?"))
      throw Error(Code::u_usage, "nothing was closed");
    act(context, {.verb = "close-out",
                  .argument = *gone     ? "share-gone"
                              : *unread ? "remove-unread"
                                        : "",
                  .patience = std::chrono::seconds(600)});
  });
}

}  // namespace veer

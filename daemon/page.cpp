#include "daemon/page.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/html.h"
#include "core/log.h"
#include "daemon/alert_texts.h"
#include "daemon/case_mail.h"
#include "daemon/dates.h"
#include "daemon/page_facts.h"
#include "daemon/page_style.h"
#include "daemon/page_texts.h"

namespace veer {
namespace {

using namespace page_text;

constexpr const char* kIndex = "index.html";

std::string_view code_of(Language language) { return language == Language::nl ? "nl" : "en"; }
Language other_than(Language language) { return language == Language::nl ? Language::en : Language::nl; }

std::string file_of(const Config& config, Language language) {
  return language == config.language ? kIndex : fmt::format("index.{}.html", code_of(language));
}

std::string policy() {
  return fmt::format("default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
                     sha256_base64(kPageStyle));
}

std::string_view class_of(YearState state) {
  switch (state) {
    case YearState::recorded:
      return "recorded";
    case YearState::under_way:
      return "under-way";
    case YearState::refused:
      return "refused";
    case YearState::missed:
      return "missed";
    default:
      return "to-come";
  }
}

std::string_view class_of(const PageStep& step) {
  if (step.step == Step::refused) return "refused";
  switch (step.state) {
    case StepState::done:
      return "done";
    case StepState::waits:
      return "waits";
    case StepState::stopped:
      return "stopped";
    default:
      return "to-come";
  }
}

/// One page, written from top to bottom. What comes from outside passes shown() once more, whatever was done
/// to it before, so that no number of a person can stand here.
class Page {
 public:
  Page(const Config& config, const PageFacts& facts, Language language)
      : config_(config), facts_(facts), language_(language), in_language_(config) {
    in_language_.language = language;
  }

  std::string write() {
    html_.verbatim("<!DOCTYPE html>\n").open("html", {{"lang", code_of(language_)}});
    head();
    html_.open("body");
    header();
    html_.open("main");
    answer();
    years();
    for (const PageList& list : facts_.lists) one_list(list);
    waits();
    alerts();
    holds();
    cases();
    rehearsals();
    keys();
    html_.close();
    footer();
    return html_.take();
  }

 private:
  std::string_view in(const Phrase& phrase) const { return phrase.in(language_); }
  template <typename... Args>
  std::string filled(const Phrase& phrase, const Args&... args) const {
    return fmt::format(fmt::runtime(in(phrase)), args...);
  }
  static std::string shown(const std::string& text) { return without_typed_numbers(text); }
  std::string title() const { return filled(kTitle, config_.party, config_.counterparty); }
  std::string command(std::string_view words) const {
    return shown(fmt::format("{} {}", invocation(config_), words));
  }

  bool is_over(Date day) const { return date_of(facts_.now) > day; }

  void when(Time at) { html_.element("time", said_time(at, language_), {{"datetime", format_time(at)}}); }
  void when(Date at) { html_.element("time", said_date(at, language_), {{"datetime", format_date(at)}}); }
  void paragraph(std::string_view text) { html_.element("p", text).text("\n"); }
  void section(std::string_view id, std::string_view heading) {
    html_.open("section", {{"aria-labelledby", id}});
    html_.element("h2", heading, {{"id", id}}).text("\n");
  }
  void to_type(std::string_view what) {
    html_.open("p").text(in(kType)).text(" ").element("code", what).close();
  }

  void head() {
    html_.open("head");
    html_.lone("meta", {{"charset", "utf-8"}});
    html_.lone("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", policy()}});
    html_.lone("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
    html_.lone("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
    html_.lone("meta", {{"name", "robots"}, {"content", "noindex"}});
    html_.element("title", title()).text("\n");
    html_.open("style").verbatim(kPageStyle).close().close();
  }

  void header() {
    const Language other = other_than(language_);
    html_.open("header");
    html_.open("nav", {{"aria-label", in(kLanguages)}}).open("p");
    html_.element(
        "a", other == Language::nl ? "Nederlands" : "English",
        {{"href", file_of(config_, other)}, {"lang", code_of(other)}, {"hreflang", code_of(other)}});
    html_.close().close();
    html_.element("h1", title()).text("\n");
    const bool sends = config_.role == Role::sender;
    html_.open("p").element("strong", in(config_.environment == Environment::test ? kTest : kProduction));
    html_.text(fmt::format(" {} {}.", config_.party, in(sends ? kSender : kReceiver))).close();
    html_.close();
  }

  std::vector<AlertMessage> messages() const {
    std::vector<AlertMessage> all;
    for (const Alert& alert : facts_.alerts)
      all.push_back(message_of(alert, {}, in_language_, facts_.now, 0, facts_.incidents));
    return all;
  }
  static bool needs_person(const Alert& alert) { return alert.kind != alert_kind_name(AlertKind::notice); }

  void answer() {
    const bool files = std::any_of(facts_.waits.begin(), facts_.waits.end(),
                                   [](const PageWait& wait) { return wait.kind == PageWaitKind::file; });
    const bool needed = files || std::any_of(facts_.alerts.begin(), facts_.alerts.end(), needs_person);
    html_.open("section", {{"aria-labelledby", "needed"}, {"class", needed ? "answer yes" : "answer"}});
    html_.element("h2", in(kNeeded), {{"id", "needed"}}).text("\n");
    if (!needed) {
      html_.open("p").element("strong", in(kNobody)).close().close();
      return;
    }
    html_.open("p").element("strong", in(kSomebody)).close().open("ul");
    const auto said = messages();
    for (std::size_t i = 0; i < said.size(); ++i) {
      if (!needs_person(facts_.alerts[i])) continue;
      html_.open("li").element("a", said[i].headline,
                               {{"href", fmt::format("#alert-{}", facts_.alerts[i].id)}});
      if (!said[i].command.empty())
        html_.text(". ").text(in(kType)).text(" ").element("code", shown(said[i].command));
      html_.close();
    }
    for (const PageWait& wait : facts_.waits)
      if (wait.kind == PageWaitKind::file) html_.element("li", filled(kFile, shown(wait.what))).text("\n");
    html_.close().close();
  }

  void years() {
    section("years", in(kYears));
    html_.open("ol", {{"class", "years"}});
    for (const PageYear& year : facts_.years) {
      html_.open("li", {{"class", class_of(year.state)}});
      html_.element("h3", std::to_string(year.year));
      html_.open("p").text(in(state(year.state)));
      if (year.state == YearState::recorded)
        html_.text(": ").element("strong", filled(kNumbers, year.records)).text(", ");
      else if (year.at)
        html_.text(", ");
      if (year.at) when(*year.at);
      html_.close();
      if (year.due && year.state != YearState::recorded && year.state != YearState::none) {
        html_.open("p").text(in(is_over(*year.due) ? kWasDue : kExpected)).text(" ");
        when(*year.due);
        html_.close();
      }
      html_.close();
    }
    html_.close().close();
  }

  void one_list(const PageList& list) {
    section(fmt::format("list-{}", list.year), filled(kList, list.year));
    if (list.package.empty()) paragraph(in(kNoList));
    if (list.stage == Stage::rejected) paragraph(in(kRejected));
    if (list.stage == Stage::withdrawn) paragraph(in(kWithdrawn));
    html_.open("ol", {{"class", "steps"}});
    for (const PageStep& step : list.steps) {
      const bool done = step.state == StepState::done;
      html_.open("li", {{"class", class_of(step)}}).element("strong", in(page_text::step(step.step, done)));
      html_.text(": ").text(in(state(step.state)));
      if (step.at && done) {
        html_.text(", ");
        when(*step.at);
      }
      html_.close();
    }
    html_.close();
    if (list.stage) paragraph(filled(kNumbers, list.records));
    if (!list.package.empty())
      html_.open("p", {{"class", "soft"}}).text(in(kPackage)).text(" ").element("code", shown(list.package));
    if (!list.package.empty() && !list.id.empty())
      html_.text(" ").text(in(kExchange)).text(" ").element("code", shown(list.id));
    if (!list.package.empty()) html_.close();
    html_.close();
  }

  void waits() {
    section("waits", in(kWaits));
    if (facts_.waits.empty()) paragraph(in(kNoWaits));
    if (!facts_.waits.empty()) html_.open("ul");
    for (const PageWait& wait : facts_.waits) {
      const std::string who = wait.who.empty() ? std::string(in(kOtherSide)) : shown(wait.who);
      html_.open("li").text(
          filled(page_text::wait(wait.kind), config_.counterparty, wait.year, who, shown(wait.what)));
      if (wait.since) {
        html_.text(fmt::format(", {} ", in(kSince)));
        when(*wait.since);
      }
      if (wait.deadline) {
        html_.text(fmt::format("; {} ", in(*wait.deadline < facts_.now ? kOverdue : kUntil)));
        when(*wait.deadline);
      }
      if (wait.by) {
        html_.text(fmt::format(", {} ", in(is_over(*wait.by) ? kWasDue : kExpected)));
        when(*wait.by);
      }
      html_.text(".");
      if (!wait.command.empty())
        html_.text(" ").text(in(kType)).text(" ").element("code", command(wait.command));
      html_.close();
    }
    if (!facts_.waits.empty()) html_.close();
    html_.close();
  }

  // The program's own text of an alert is English in every language.
  void told(const std::string& text, const Alert& alert) {
    const std::string english = as_typed(alert.text, config_);
    const bool own = language_ != Language::en && !english.empty() && text.ends_with(english);
    const std::size_t before = own ? text.size() - english.size() : text.size();
    html_.open("p").text(shown(text.substr(0, before)));
    if (own) html_.element("span", shown(english), {{"lang", "en"}});
    html_.close();
  }

  void alerts() {
    section("alerts", in(kAlerts));
    if (facts_.alerts.empty()) paragraph(in(kNoAlerts));
    const auto said = messages();
    for (std::size_t i = 0; i < said.size(); ++i) {
      const Alert& alert = facts_.alerts[i];
      html_.open("article", {{"id", fmt::format("alert-{}", alert.id)}, {"class", alert.kind}});
      html_.element("h3", fmt::format("{}: {}", in(kind(alert.kind)), said[i].headline)).text("\n");
      for (const std::string& text : said[i].paragraphs) told(text, alert);
      if (!said[i].command.empty()) to_type(shown(said[i].command));
      if (alert.acknowledged_at) {
        html_.open("p").text(filled(kTakenUp, shown(alert.acknowledged_by))).text(" ");
        when(*alert.acknowledged_at);
        html_.close();
      }
      html_.close();
    }
    html_.close();
  }

  void table(const Phrase& caption, std::initializer_list<Phrase> heads) {
    html_.open("table").element("caption", in(caption)).open("thead").open("tr");
    for (const Phrase& head : heads) html_.element("th", in(head), {{"scope", "col"}});
    html_.close().close().open("tbody");
  }

  void holds() {
    section("holds", in(kHolds));
    const auto is_held = [](const PageWait& wait) {
      return wait.kind == PageWaitKind::resume || wait.kind == PageWaitKind::release ||
             wait.kind == PageWaitKind::decide;
    };
    if (std::none_of(facts_.waits.begin(), facts_.waits.end(), is_held)) {
      paragraph(in(kNoHolds));
      html_.close();
      return;
    }
    table(kHoldsCaption, {kWhat, kBy, kSinceHead});
    for (const PageWait& wait : facts_.waits) {
      if (!is_held(wait)) continue;
      const std::string what = wait.kind == PageWaitKind::resume    ? std::string(in(kWholeExchange))
                               : wait.kind == PageWaitKind::release ? filled(kHeldList, wait.year)
                                                                    : shown(wait.what);
      html_.open("tr").element("th", what, {{"scope", "row"}});
      html_.element("td", wait.who.empty() ? in(kOtherSide) : std::string_view(shown(wait.who)));
      html_.open("td");
      if (wait.since) when(*wait.since);
      html_.close().close();
    }
    html_.close().close().close();
  }

  void cases() {
    section("cases", in(kCases));
    if (facts_.cases.empty()) {
      paragraph(in(kNoCases));
      html_.close();
      return;
    }
    table(kCasesCaption, {kCase, kData, kPersons, kAnswerBy});
    for (const Case& c : facts_.cases) {
      html_.open("tr").element("th", c.name(), {{"scope", "row"}});
      html_.element("td", in(category_phrase(c.category))).element("td", std::to_string(c.persons));
      html_.open("td");
      when(c.due);
      html_.close().close();
    }
    html_.close().close().close();
  }

  void rehearsals() {
    section("rehearsals", in(kRehearsals));
    if (facts_.rehearsals.empty()) {
      paragraph(in(kNoRehearsals));
      html_.close();
      return;
    }
    if (facts_.rehearsed) {
      html_.open("p").text(in(kRehearsed)).text(" ");
      when(*facts_.rehearsed);
      html_.close();
    } else {
      paragraph(in(kNeverRehearsed));
    }
    table(kRehearsalsCaption, {kBegun, kOutcome});
    for (const PageRehearsal& rehearsal : facts_.rehearsals) {
      html_.open("tr").open("th", {{"scope", "row"}});
      when(rehearsal.begun);
      html_.close().element("td", in(stage(rehearsal.stage))).close();
    }
    html_.close().close().close();
  }

  void keys() {
    section("keys", in(kKeys));
    if (!facts_.keys_problem.empty()) paragraph(filled(kKeysUnknown, facts_.keys_problem));
    table(kKeysCaption, {kKey, kEnds, kDays});
    for (const PageKey& key : facts_.keys) {
      html_.open("tr").open("th", {{"scope", "row"}});
      html_.text(key.ours ? filled(kOurs, config_.party) : filled(kTheirs, config_.counterparty));
      html_.text(" ").element("code", key.fingerprint);
      if (key.from && *key.from > facts_.now) {
        html_.text(fmt::format(" {} ", in(kFrom)));
        when(date_of(*key.from));
      }
      html_.close().open("td");
      if (key.until)
        when(date_of(*key.until));
      else
        html_.text(in(kForEver));
      html_.close().element("td", days_left(key)).close();
    }
    html_.close().close().close();
  }

  std::string days_left(const PageKey& key) const {
    if (!key.until) return "–";
    if (*key.until < facts_.now) return std::string(in(kEnded));
    return std::to_string(std::chrono::ceil<std::chrono::days>(*key.until - facts_.now).count());
  }

  void footer() {
    html_.open("footer").open("p").text(in(kWritten)).text(" ");
    when(facts_.now);
    html_.text(fmt::format(", {}.", program_name())).close();
    paragraph(filled(kStatic, shown(invocation(config_))));
    html_.close();
  }

  const Config& config_;
  const PageFacts& facts_;
  Language language_;
  Config in_language_;
  Html html_;
};

}  // namespace

std::vector<PageFile> pages_of(Instance& instance) {
  const PageFacts facts = page_facts(instance);
  std::vector<PageFile> pages;
  for (const Language language : {instance.config.language, other_than(instance.config.language)})
    pages.push_back({file_of(instance.config, language), Page(instance.config, facts, language).write()});
  return pages;
}

std::string page_of(Instance& instance, Language language) {
  return Page(instance.config, page_facts(instance), language).write();
}

}  // namespace veer

// The page that people look at (daemon/page.h), in the states that a side can be in.

#include "daemon/page.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <regex>
#include <set>

#include <catch2/catch.hpp>
#include <expat.h>
#include <fmt/format.h>

#include "core/digest.h"
#include "core/html.h"
#include "daemon/page_texts.h"
#include "exchange/exchanging.h"
#include "support/canary.h"
#include "support/text.h"

using namespace veer;
using namespace veer::test;
using namespace std::chrono_literals;

namespace {

const Person kOperator{1001, "operator"};
const Person kApprover{1002, "approver"};

/// A page as a strict reader of XML sees it.
struct Read {
  std::string text;  ///< what is read, with one blank wherever some stand
  std::set<std::string> elements;
  std::set<std::string> ids;
  std::vector<std::string> links;
  std::vector<std::string> attributes;  ///< names
  std::string policy;
  std::string style;
};

void opened(void* data, const char* name, const char** attributes) {
  auto& read = *static_cast<Read*>(data);
  read.elements.insert(name);
  bool policy = false;
  for (; *attributes != nullptr; attributes += 2) {
    const std::string key = attributes[0];
    const std::string value = attributes[1];
    read.attributes.push_back(key);
    if (key == "id") CHECK(read.ids.insert(value).second);
    if (key == "href") read.links.push_back(value);
    if (key == "http-equiv") policy = value == "Content-Security-Policy";
    if (key == "content" && policy) read.policy = value;
  }
}

void closed(void* data, const char* name) {
  auto& read = *static_cast<Read*>(data);
  if (std::set<std::string>{"h3", "th", "td", "caption"}.contains(name)) read.text += ' ';
  if (name == std::string("style")) read.text.clear();
}

void texts(void* data, const char* text, int size) {
  static_cast<Read*>(data)->text.append(text, static_cast<std::size_t>(size));
}

Read read(const std::string& html) {
  Read result;
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate("UTF-8"),
                                                                            &XML_ParserFree);
  XML_SetUserData(parser.get(), &result);
  XML_SetStartElementHandler(parser.get(), opened);
  XML_SetEndElementHandler(parser.get(), closed);
  XML_SetCharacterDataHandler(parser.get(), texts);
  const auto status = XML_Parse(parser.get(), html.data(), static_cast<int>(html.size()), XML_TRUE);
  INFO(XML_ErrorString(XML_GetErrorCode(parser.get())));
  INFO("line " << XML_GetCurrentLineNumber(parser.get()) << " of " << html);
  REQUIRE(status == XML_STATUS_OK);
  static const std::regex kBlanks("[ \n]+");
  result.text = std::regex_replace(result.text, kBlanks, " ");
  const std::size_t style = html.find("<style>") + 7;
  result.style = html.substr(style, html.find("</style>") - style);
  return result;
}

struct Pages : Exchanging {
  Pages() {
    setenv("TZ", "UTC0", 1);
    tzset();
  }
  /// Both languages are well-formed, hold no number, and say this.
  void say(Side& side, const std::string& english, const std::string& dutch) {
    for (const auto& [language, words] : {std::pair{Language::en, english}, {Language::nl, dutch}}) {
      const std::string html = page_of(side.instance, language);
      CHECK_FALSE(holds_number(html, numbers));
      const Read page = read(html);
      INFO(page.text);
      INFO(words);
      CHECK(has(page.text, words));
    }
  }
  void sender_says(const std::string& english, const std::string& dutch) { say(*pair.aii, english, dutch); }
  void receiver_says(const std::string& english, const std::string& dutch) {
    say(*pair.avsb, english, dutch);
  }
  void told(const std::string& verb, const std::string& argument, const Person& who) {
    const auto id = pair.aii->instance.agenda.ask(verb, argument, who);
    pair.run_for(1min);
    REQUIRE(pair.aii->instance.agenda.result_of(id).stage == CommandStage::done);
  }
  void nobody_is_needed() { sender_says("No. There is nothing to do.", "Nee. U hoeft niets te doen."); }
  void somebody_is_needed(const std::string& command) {
    sender_says("Yes.", "Ja.");
    sender_says("To type: " + command, "Te typen: " + command);
  }
};

}  // namespace

TEST_CASE("the page of a side where nothing happened yet says what is waited for, and from whom") {
  Pages p;
  p.nobody_is_needed();
  p.sender_says("There is nothing of this list yet.", "Er is nog niets van deze lijst.");
  p.sender_says("For an operator, who puts the list for 2026 into the folder.",
                "Op een operator, die de lijst voor 2026 in de map zet.");
  p.sender_says("2026 still to come", "2026 moet nog komen");
  p.sender_says("2025 no list recorded", "2025 geen lijst geregistreerd");
  p.sender_says("Take in and seal: next", "Inlezen en verzegelen: nu aan de beurt");
  p.sender_says("There are no open alerts.", "Er zijn geen open waarschuwingen.");
  p.sender_says("There was no rehearsal yet.", "Er was nog geen repetitie.");
  p.sender_says("Written on 1 March 2026, 08:00 UTC", "Geschreven op 1 maart 2026, 08:00 UTC");
  p.receiver_says("For aii, for the list for 2026.", "Op aii, voor de lijst voor 2026.");
  p.receiver_says("Find on the share: next", "Vinden op de share: nu aan de beurt");
}

TEST_CASE("a list that waits for release shows who must do what, and the way that it takes from then on") {
  Pages p;
  p.pair.aii_config.intake.release = Release::always;
  p.pair.start_aii();
  p.exchange();
  REQUIRE(p.pair.sent().stage == Stage::held);
  p.somebody_is_needed("veer -i aii approve " + p.pair.sent().id.substr(0, 8));
  p.sender_says("A list waits for release", "Een lijst wacht op vrijgave");
  p.sender_says("2026 under way", "2026 onderweg");
  p.sender_says("Release by a second person: next", "Vrijgeven door een tweede persoon: nu aan de beurt");
  p.sender_says("Send: still to come", "Verzenden: komt nog");
  p.sender_says("who releases the list for 2026, since 1 March",
                "die de lijst voor 2026 vrijgeeft, sinds 1 maart");
  p.sender_says("What waits for a second person", "Wat op een tweede persoon wacht");
  const Exchange held = p.pair.sent();
  SECTION("released") {
    p.pair.avsb.reset();
    p.told("approve", held.id + " " + held.package_sha256, kApprover);
    p.pair.run_for(5min);
    REQUIRE(p.pair.sent().stage == Stage::sent);
    p.nobody_is_needed();
    p.sender_says("Released by a second person: done, 1 March",
                  "Vrijgegeven door een tweede persoon: gedaan, 1 maart");
    p.sender_says("Sent: done, 1 March", "Verzonden: gedaan, 1 maart");
    p.sender_says("Receipt of the other side: next", "Ontvangstbewijs van de andere kant: nu aan de beurt");
    p.sender_says("For avsb, for the receipt of the list for 2026, since 1 March",
                  "Op avsb, voor het ontvangstbewijs van de lijst voor 2026, sinds 1 maart");
    p.sender_says("expected before 2 March 2026", "verwacht voor 2 maart 2026");
    p.sender_says("Nothing is held", "Er wordt niets tegengehouden");
    p.pair.run_for(std::chrono::hours(25));
    p.somebody_is_needed("veer -i aii show " + held.id.substr(0, 8));
    p.sender_says("The receipt is overdue", "Het ontvangstbewijs blijft uit");
    p.sender_says("overdue since 2 March 2026", "over tijd sinds 2 maart 2026");
  }
  SECTION("rejected") {
    p.told("reject", held.id + " twice as long", kApprover);
    p.sender_says("An approver stopped the list.", "Een goedkeurder heeft de lijst tegengehouden.");
    p.sender_says("Send: will not happen", "Verzenden: gaat niet door");
    p.sender_says("2026 still to come", "2026 moet nog komen");
    p.sender_says("who puts the list for 2026 into the folder", "die de lijst voor 2026 in de map zet");
  }
}

TEST_CASE("a recorded list shows its count, its day and each step with its time on both sides' pages") {
  Pages p;
  p.exchange();
  REQUIRE(p.pair.sent().stage == Stage::acknowledged);
  p.nobody_is_needed();
  for (Side* side : {p.pair.aii.get(), p.pair.avsb.get()})
    p.say(*side, "2026 recorded: 50 numbers, 1 March 2026", "2026 geregistreerd: 50 nummers, 1 maart 2026");
  p.sender_says("Taken in and sealed: done, 1 March", "Ingelezen en verzegeld: gedaan, 1 maart");
  p.sender_says("the signed receipt is here: done, 1 March",
                "het ondertekende ontvangstbewijs is er: gedaan, 1 maart");
  p.receiver_says("Found on the share: done, 1 March", "Gevonden op de share: gedaan, 1 maart");
  p.receiver_says("Fetched: done, 1 March", "Opgehaald: gedaan, 1 maart");
  p.receiver_says("Recorded: done, 1 March", "Geregistreerd: gedaan, 1 maart");
  p.receiver_says("Answered with a signed receipt: done, 1 March",
                  "Beantwoord met een ondertekend ontvangstbewijs: gedaan, 1 maart");
  for (Side* side : {p.pair.aii.get(), p.pair.avsb.get()})
    p.say(*side, "Nothing is waited for.", "Er wordt op niets gewacht.");
  // Every step has its time for machines too.
  const std::string html = page_of(p.pair.avsb->instance, Language::en);
  const std::string steps =
      html.substr(html.find("class=\"steps\""),
                  html.find("</ol>", html.find("class=\"steps\"")) - html.find("class=\"steps\""));
  static const std::regex kTimed("<time datetime=\"2026-03-01T[0-9:.]+Z\">");
  CHECK(std::distance(std::sregex_iterator(steps.begin(), steps.end(), kTimed), {}) == 4);
}

TEST_CASE("a list that is refused shows so, with its alert, on both sides' pages") {
  Pages p;
  make_production(p.pair.avsb_config);
  p.pair.start_avsb();
  p.exchange();
  REQUIRE(p.pair.sent().stage == Stage::refused);
  p.somebody_is_needed("veer -i aii show " + p.pair.sent().id.substr(0, 8));
  for (Side* side : {p.pair.aii.get(), p.pair.avsb.get()}) {
    p.say(*side, "2026 refused; a corrected list can follow",
          "2026 geweigerd; een verbeterde lijst kan volgen");
    p.say(*side, "Refused by the receiver: done, 1 March", "Geweigerd door de ontvanger: gedaan, 1 maart");
    p.say(*side, "The list was refused", "De lijst werd geweigerd");
  }
  p.receiver_says("Answered with a signed receipt: done",
                  "Beantwoord met een ondertekend ontvangstbewijs: gedaan");
  // What the program says in English is marked as such for who is read the page aloud.
  CHECK(has(page_of(p.pair.aii->instance, Language::nl), "<span lang=\"en\">"));
  CHECK_FALSE(has(page_of(p.pair.aii->instance, Language::en), "<span lang"));
}

TEST_CASE("a suspended side says so, since when and by whom, and what ends it") {
  Pages p;
  p.told("suspend", "", kOperator);
  p.somebody_is_needed("veer -i aii resume");
  p.sender_says("The exchange is suspended", "De uitwisseling is stopgezet");
  p.sender_says(
      "For an approver, another person than operator, who resumes the suspended exchange, since 1 March",
      "Op een goedkeurder, een andere persoon dan operator, die de stopgezette uitwisseling hervat, sinds 1 "
      "maart");
  p.sender_says("The whole exchange (suspended) operator 1 March",
                "De hele uitwisseling (stopgezet) operator 1 maart");
  p.told("resume", "", kApprover);
  p.nobody_is_needed();
}

TEST_CASE("a receiver whose history is lost shows the package that it holds") {
  Pages p;
  p.pair.drop("inburgeringsplicht-2025.csv", csv_of(p.numbers));
  p.pair.run_to_rest();
  p.pair.avsb.reset();
  std::filesystem::remove_all(p.pair.avsb_config.state);
  p.pair.start_avsb();
  p.exchange();
  const std::string package = p.pair.sent().package;
  p.receiver_says("For an approver, who decides about the package " + package + " of aii, since 1 March",
                  "Op een goedkeurder, die beslist over het pakket " + package + " van aii, sinds 1 maart");
  p.receiver_says("To type: veer -i avsb approve " + package, "Te typen: veer -i avsb approve " + package);
  p.receiver_says("Check and record: next", "Nakijken en registreren: nu aan de beurt");
  p.receiver_says(package + " the other side 1 March", package + " de andere kant 1 maart");
}

TEST_CASE("a year without a list by its day is missed, unless that day was before this side began") {
  Pages p;
  p.pair.aii_config.window.list_due = p.pair.avsb_config.window.list_due = std::chrono::March / 31;
  p.pair.start();
  p.sender_says("2026 still to come expected by 31 March 2026",
                "2026 moet nog komen verwacht ten laatste op 31 maart 2026");
  p.pair.clock.advance(40 * 24h);
  p.pair.run_for(25h);
  for (Side* side : {p.pair.aii.get(), p.pair.avsb.get()}) {
    p.say(*side, "2026 missed: there is no list was due on 31 March 2026",
          "2026 gemist: er is geen lijst werd verwacht op 31 maart 2026");
    p.say(*side, "2025 no list recorded", "2025 geen lijst geregistreerd");
    p.say(*side, "The yearly list is not there yet", "De jaarlijkse lijst is er nog niet");
  }
  p.receiver_says("For aii, for the list for 2026, was due on 31 March 2026.",
                  "Op aii, voor de lijst voor 2026, werd verwacht op 31 maart 2026.");
  p.exchange();
  p.nobody_is_needed();
  p.sender_says("2026 recorded: 50 numbers, 11 April 2026", "2026 geregistreerd: 50 nummers, 11 april 2026");
  p.pair.clock.set(parse_time("2027-05-01T08:00:00Z").value());  // the transition is over
  p.sender_says("Nothing is waited for.", "Er wordt op niets gewacht.");
}

TEST_CASE("rehearsals show how they ended, and which went well last") {
  Pages p;
  p.told("rehearse", "", kOperator);
  p.pair.run_to_rest();
  for (Side* side : {p.pair.aii.get(), p.pair.avsb.get()})
    p.say(*side, "The last that went well: 1 March 2026", "De laatste die gelukt is: 1 maart 2026");
  p.pair.clock.advance(24h);
  make_production(p.pair.avsb_config);
  p.pair.start_avsb();
  p.told("rehearse", "", kOperator);
  p.pair.run_to_rest();
  for (Side* side : {p.pair.aii.get(), p.pair.avsb.get()}) {
    p.say(*side, "The last that went well: 1 March 2026", "De laatste die gelukt is: 1 maart 2026");
    p.say(*side, "UTC refused", "UTC geweigerd");
  }
  p.pair.clock.advance(24h);
  p.pair.avsb.reset();
  p.told("rehearse", "", kOperator);
  p.pair.run_for(5min);
  p.sender_says("For avsb, for the receipt of a rehearsal",
                "Op avsb, voor het ontvangstbewijs van een repetitie");
}

TEST_CASE("each key shows the day on which it ends and the days left, and what is not known is not made up") {
  Pages p;
  auto& seal = dynamic_cast<FakeSeal&>(*p.pair.aii_seal);
  const std::string own = p.pair.aii_config.own_keys.front().fingerprint;
  const std::string next = "C33C33C33C33C33C33C33C33C33C33C33C33C33C";
  p.pair.aii_config.own_keys = {{own, {}, parse_time("2026-03-31T23:59:59.999Z")},
                                {next, parse_time("2026-03-20T00:00:00Z"), {}}};
  p.pair.start_aii();
  p.sender_says("aii (this side) " + own + " 31 March 2026 31",
                "aii (deze kant) " + own + " 31 maart 2026 31");
  p.sender_says(next + " counts from 20 March 2026 no end", next + " geldt vanaf 20 maart 2026 geen einde");
  p.sender_says("avsb (the other side) ", "avsb (de andere kant) ");
  seal.ends = {{own, parse_time("2026-03-08T12:00:00Z")}, {next, parse_time("2026-02-01T12:00:00Z")}};
  p.sender_says(own + " 8 March 2026 8", own + " 8 maart 2026 8");
  p.sender_says("1 February 2026 ended", "1 februari 2026 voorbij");

  struct Blind : FakeSeal {
    using FakeSeal::FakeSeal;
    std::vector<KeyEnd> key_ends() override { throw Error(Code::l_engine, "no gpg"); }
  } blind(p.pair.aii_config.own_keys, p.pair.aii_config.counterparty_keys, p.pair.clock);
  p.pair.aii.reset();
  Side side(p.pair.aii_config, p.pair.aii_share, blind, p.pair.clock, p.pair.random);
  p.say(side, "The keys could not be read (L_ENGINE)", "De sleutels konden niet worden gelezen (L_ENGINE)");
  p.say(side, "31 March 2026 31", "31 maart 2026 31");
}

TEST_CASE("what others named stands on the page as text, and a number of a person not at all") {
  Pages p;
  const std::string name = "<img src=x onerror=alert(1)> & \"'.csv";
  const Person eve{1009, "<b>eve</b> & co"};
  const std::string number = "85030112345";
  p.pair.drop(name, csv_of(p.numbers));
  p.pair.drop("jan " + number + ".csv", csv_of(p.numbers));
  p.pair.run_to_rest();
  p.told("suspend", "", eve);
  Instance& aii = p.pair.aii->instance;
  aii.db.transaction([&] {
    aii.alerts.raise("names", AlertKind::attention, "T_NAME", "",
                     "</p><script>alert(1)</script> \x01 \xff \xe2\x80\xae 85.03.01-123.45 and " + number);
  });
  for (const PageFile& page : pages_of(aii)) {
    const Read seen = read(page.html);
    INFO(seen.text);
    CHECK(seen.elements.count("script") + seen.elements.count("img") + seen.elements.count("b") == 0);
    CHECK(has(seen.text, name));
    CHECK(has(seen.text, eve.name));
    CHECK(
        has(seen.text, "</p><script>alert(1)</script> \ufffd \ufffd \ufffd xx.xx.xx-xxx.xx and xxxxxxxxxxx"));
    CHECK(has(seen.text, "jan xxxxxxxxxxx.csv"));
    CHECK_FALSE(has(page.html, number));
    CHECK_FALSE(has(page.html, "85.03"));
    CHECK_FALSE(holds_number(page.html, p.numbers));
  }
}

TEST_CASE("the page allows its own style and nothing else, in both languages, which link to each other") {
  Pages p;
  p.exchange();
  for (const Language language : {Language::nl, Language::en}) {
    p.pair.aii_config.language = language;
    p.pair.start_aii();
    const auto pages = pages_of(p.pair.aii->instance);
    REQUIRE(pages.size() == 2);
    const std::string other = language == Language::nl ? "en" : "nl";
    CHECK(pages[0].name == "index.html");
    CHECK(pages[1].name == "index." + other + ".html");
    CHECK(has(pages[0].html, language == Language::nl ? "<html lang=\"nl\">" : "<html lang=\"en\">"));
    CHECK(has(pages[1].html, "<html lang=\"" + other + "\">"));
    CHECK(pages[0].html == page_of(p.pair.aii->instance, language));
    for (std::size_t i = 0; i < 2; ++i) {
      const Read page = read(pages[i].html);
      CHECK(page.links == std::vector<std::string>{pages[1 - i].name});
      CHECK(page.policy ==
            fmt::format("default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
                        sha256_base64(page.style)));
      CHECK(std::count(page.attributes.begin(), page.attributes.end(), "style") == 0);
      CHECK(std::none_of(page.attributes.begin(), page.attributes.end(),
                         [](const std::string& name) { return name.starts_with("on") || name == "src"; }));
      CHECK_FALSE(has(pages[i].html, "://"));
      CHECK_FALSE(has(page.style, "url("));
      CHECK_FALSE(has(page.style, "@import"));
      CHECK(pages[i].html.find("http-equiv") < pages[i].html.find("<style>"));
    }
  }
}

TEST_CASE("an alert that is open is reached from the answer on top") {
  Pages p;
  p.told("suspend", "", kOperator);
  const Read page = read(page_of(p.pair.aii->instance, Language::en));
  REQUIRE(page.links.size() == 2);
  REQUIRE(page.links[1].starts_with("#"));
  CHECK(page.ids.contains(page.links[1].substr(1)));

  // An attempt on the exchange stands before what is a matter of our own.
  Instance& aii = p.pair.aii->instance;
  aii.db.transaction([&] { aii.alerts.raise("host-key", AlertKind::finding, "S_HOST_KEY", "", "another"); });
  const std::string html = page_of(aii, Language::en);
  CHECK(html.find("#alert-2") < html.find("#alert-1"));
  CHECK(has(read(html).text, "Attempt or breach: A share's server shows another key"));
}

TEST_CASE("every word of the page is there in both languages") {
  const auto there = [](const Phrase& phrase) {
    return !phrase.nl.empty() && !phrase.en.empty() && phrase.nl != phrase.en;
  };
  for (const auto state : {YearState::recorded, YearState::under_way, YearState::refused, YearState::missed,
                           YearState::to_come, YearState::none})
    CHECK(there(page_text::state(state)));
  for (const auto state : {StepState::done, StepState::waits, StepState::to_come, StepState::stopped})
    CHECK(there(page_text::state(state)));
  for (int step = 0; step <= static_cast<int>(Step::refused); ++step) {
    CHECK(there(page_text::step(static_cast<Step>(step), true)));
    CHECK(there(page_text::step(static_cast<Step>(step), false)) ==
          (static_cast<Step>(step) != Step::refused));
  }
  for (int kind = 0; kind <= static_cast<int>(PageWaitKind::file); ++kind)
    CHECK(there(page_text::wait(static_cast<PageWaitKind>(kind))));
  for (int stage = 0; stage <= static_cast<int>(Stage::answered); ++stage)
    CHECK(there(page_text::stage(static_cast<Stage>(stage))));
  for (const char* kind : {"finding", "attention", "notice"}) CHECK(there(page_text::kind(kind)));
}

TEST_CASE("the page is written where it is configured, anew as something changes, and its absence is told") {
  Pages p;
  const fs::path folder = p.pair.root / "page";
  p.pair.aii_config.page_folder = folder;
  p.pair.start_aii();
  p.pair.run_for(std::chrono::minutes(1));
  CHECK(p.pair.open_alerts(*p.pair.aii) == std::vector<std::string>{"attention L_IO"});
  fs::create_directory(folder);
  p.pair.run_for(std::chrono::minutes(11));
  CHECK(p.pair.open_alerts(*p.pair.aii).empty());
  const std::string before = read_file(folder / "index.html");
  CHECK(read_file(folder / (p.pair.aii_config.language == Language::nl ? "index.en.html"
                                                                       : "index.nl.html")) != before);
  p.pair.drop(kListName, csv_of(fictitious_list(20, 4)));
  p.pair.run_to_rest();
  const std::string after = read_file(folder / "index.html");
  CHECK(after != before);
  CHECK(has(after, p.pair.sent().package));
}

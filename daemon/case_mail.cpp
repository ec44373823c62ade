#include "daemon/case_mail.h"

#include <array>

#include <fmt/format.h>

#include "daemon/dates.h"
#include "daemon/phrase.h"

namespace veer {
namespace {

// {0} case, {1} this side, {2} other side, {3} category, {4} persons, {5} found, {6} due, {7} letter's stem,
// {8} year.
constexpr Phrase kMail = {
    R"(Onderwerp: Kwaliteitsgeval {0} in de lijst van de inburgeringsplicht

Aan het contactpunt van {2}

In de lijst met peildatum 1 januari {8} stelde {1} op {5} gegevens vast die {3} zijn ({4} persoon of personen).
Het geval draagt nummer {0}. De nummers staan niet in deze e-mail: ze zijn versleuteld voor u klaargezet op de share, en
uw dienst haalt ze op. 'veer case show {0}' toont het geval, 'veer case persons {0}' de nummers.

Volgens artikel 7 van het protocol herstelt u de gegevens en antwoordt u binnen twee weken: uiterlijk op {6}. Een
verbeterde lijst ('veer send --correction BESTAND') antwoordt vanzelf; zonder zo'n lijst doet u het met
'veer case answer {0} --outcome source --text "wat u deed"' (hersteld voor de volgende lijst), of met
'veer case answer {0} --outcome unfounded --text "waarom"' (de lijst was juist).
)",
    R"(Subject: Quality case {0} in the list of the civic-integration obligation

To the contact point of {2}

In the list of reference date 1 January {8} {1} found data on {5} that are {3} ({4} person(s)).
The case bears the number {0}. The numbers do not stand in this e-mail: they were put on the share for you, encrypted,
and your service fetches them. 'veer case show {0}' shows the case, 'veer case persons {0}' the numbers.

By article 7 of the protocol you repair the data and answer within two weeks: on {6} at the latest. A
corrected list ('veer send --correction FILE') answers by itself; without one you do so with
'veer case answer {0} --outcome source --text "what you did"' (put right for the next list), or with
'veer case answer {0} --outcome unfounded --text "why"' (the list was right).
)"};

constexpr std::array<Phrase, kCategories.size()> kWords = {
    Phrase{"onjuist", "wrong"},         Phrase{"onnauwkeurig", "inaccurate"},
    Phrase{"onvolledig", "incomplete"}, Phrase{"ontbrekend", "missing"},
    Phrase{"verouderd", "outdated"},    Phrase{"overbodig", "superfluous"}};

}  // namespace

const Phrase& category_phrase(Category category) { return kWords.at(static_cast<std::size_t>(category)); }

std::string mail_about(const Case& c, const Config& config) {
  const Language language = config.language;
  return fmt::format(fmt::runtime(kMail.in(language)), c.name(), config.party, config.counterparty,
                     category_phrase(c.category).in(language), c.persons, said_time(c.found_at, language),
                     said_date(c.due, language), c.stem, c.reference_year);
}

}  // namespace veer

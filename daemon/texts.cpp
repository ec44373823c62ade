#include "daemon/texts.h"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/dates.h"
#include "daemon/phrase.h"

namespace veer {
namespace {

// One row per turn, in the order of the enumeration. {0} file, {1} numbers, {2} reference year, {3} exchange,
// {4} package, {5} detail, {6} exchange in short.
constexpr std::array<Phrase, 9> kTurns = {
    Phrase{
        "Ingelezen en verzegeld: {1} nummers voor peildatum 1 januari {2}. Het bestand is uit deze map "
        "gehaald.\nDe lijst vertrekt zodra de verbinding er is; duurt dat te lang, dan verwittigt de dienst "
        "de operator.\nU hoeft niets te doen.\n",
        "Taken in and sealed: {1} numbers for reference date 1 January {2}. The file has been taken out "
        "of this folder.\nThe list leaves as soon as the share can be reached; should that take long, the "
        "service tells the operator.\nThere is nothing to do.\n"},
    Phrase{
        "Ingelezen en verzegeld: {1} nummers voor peildatum 1 januari {2}. Het bestand is uit deze map "
        "gehaald.\nDe lijst wacht op vrijgave door een tweede persoon: een goedkeurder die ze niet zelf "
        "aanbood, met\n'veer approve {6}'. Zelf hoeft u niets te doen.\n",
        "Taken in and sealed: {1} numbers for reference date 1 January {2}. The file has been taken out of "
        "this folder.\nThe list waits for release by a second person: an approver who did not offer it, "
        "with\n'veer approve {6}'. There is nothing for you to do.\n"},
    Phrase{
        "Vrijgegeven: {1} nummers voor peildatum 1 januari {2}. De lijst vertrekt zodra de verbinding "
        "er is. U hoeft niets te doen.\n",
        "Released: {1} numbers for reference date 1 January {2}. The list leaves as soon as the share can be "
        "reached. There is nothing to do.\n"},
    Phrase{"Verzonden: {1} nummers voor peildatum 1 januari {2}. Er wordt gewacht op het ontvangstbewijs. U "
           "hoeft niets "
           "te doen.\n",
           "Sent: {1} numbers for reference date 1 January {2}. Waiting for the receipt. There is nothing to "
           "do.\n"},
    Phrase{"Geregistreerd bij de ontvanger: {1} nummers voor peildatum 1 januari {2}. Het ondertekende "
           "ontvangstbewijs is "
           "gecontroleerd en bewaard. U hoeft niets te doen.\n",
           "Recorded at the receiver: {1} numbers for reference date 1 January {2}. The signed receipt was "
           "checked and "
           "is kept. There is nothing to do.\n"},
    Phrase{"Geweigerd door de ontvanger: {5}\n\nVraag de operator wat er moet gebeuren ('veer show {3}'). "
           "Een verbeterde "
           "lijst zet u opnieuw in deze map.\n",
           "Refused by the receiver: {5}\n\nAsk the operator what to do ('veer show {3}'). A corrected list "
           "goes into "
           "this folder again.\n"},
    Phrase{"Ingetrokken op vraag van een operator. Zet de lijst opnieuw in deze map om ze alsnog te "
           "verzenden.\n",
           "Withdrawn at an operator's request. Put the list in this folder again to send it after all.\n"},
    Phrase{"Tegengehouden door een goedkeurder{5}. De lijst is niet verzonden. Een verbeterde lijst zet u "
           "opnieuw in deze map.\n",
           "Stopped by an approver{5}. The list was not sent. A corrected list goes into this folder "
           "again.\n"},
    Phrase{"Verzonden, maar het ontvangstbewijs blijft uit. Verwittig de operator ('veer show {3}').\n",
           "Sent, but the receipt is overdue. Tell the operator ('veer show {3}').\n"},
};

constexpr Phrase kHead = {"{0}: stand op {1}\n\n", "{0}: as of {1}\n\n"};
constexpr Phrase kMore = {"\nUitwisseling {0}\nPakket       {1}\nSHA-256      {2}\n",
                          "\nExchange {0}\nPackage  {1}\nSHA-256  {2}\n"};
constexpr Phrase kLeftOut = {"Niet opgenomen: {}\n", "Not entered: {}\n"};
constexpr Phrase kMerged = {"Dubbele nummers samengevoegd: {}\n", "Repeats merged: {}\n"};
constexpr Phrase kRestored = {"Nummers met herstelde voorloopnullen: {}\n",
                              "Numbers with restored leading zeros: {}\n"};
constexpr Phrase kSetAside = {"Weggelaten foutieve regels: {}\n", "Faulty lines left out: {}\n"};
constexpr Phrase kSuspended = {
    "Nog niet ingelezen: de uitwisseling is stopgezet. Laat het bestand staan: zodra een goedkeurder ze "
    "hervat "
    "('veer resume'), wordt het vanzelf ingelezen.\n",
    "Not taken in yet: the exchange is suspended. Leave the file: once an approver resumes it ('veer "
    "resume'), "
    "it is taken in by itself.\n"};
constexpr Phrase kRefused = {"Niet ingelezen ({0}): {1}.{2}\n", "Not taken in ({0}): {1}.\n"};
constexpr Phrase kTrouble = {
    "Nog niet ingelezen: de dienst zelf heeft een probleem ({0}; in het Engels: {1}). Laat het bestand staan "
    "en verwittig "
    "de operator ('veer status'); zodra het verholpen is, gaat de dienst vanzelf verder.\n",
    "Not taken in yet: the service itself has a problem ({0}: {1}). Leave the file and tell the operator "
    "('veer "
    "status'); once that is mended, the service goes on by itself.\n"};
constexpr Phrase kStays = {"\nHet bestand blijft staan zoals het is.\n", "\nThe file stays as it is.\n"};
constexpr Phrase kFaults = {"\nFouten: {}. De nummers zelf worden nooit getoond.\n",
                            "\nFaults: {}. The numbers themselves are never shown.\n"};
constexpr Phrase kFirst = {"\nDe eerste {}:\n", "\nThe first {}:\n"};
constexpr Phrase kAll = {"\nWaar, en wat te doen:\n", "\nWhere, and what to do:\n"};
constexpr Phrase kRest = {"  … en nog {}\n", "  … and {} more\n"};
constexpr Phrase kHeader = {
    "De eerste regel met inhoud is als opschrift gelezen en telt niet mee als nummer.\n",
    "The first line that holds something was taken for a heading, and for no number.\n"};

// One row per R_ code, in the order of the enumeration.
constexpr std::array<Phrase, 9> kRemedies = {
    Phrase{"schrijf elf cijfers, of JJ.MM.DD-SSS.CC; een titel of een totaal hoort er niet in",
           "write eleven digits, or YY.MM.DD-SSS.CC; take out a title or a total"},
    Phrase{"een cijfer is fout: neem het nummer opnieuw uit de bron",
           "a digit is wrong: take the number from the source again"},
    Phrase{"die geboortemaand bestaat niet: neem het nummer opnieuw uit de bron",
           "no such month of birth: take the number from the source again"},
    Phrase{"dat volgnummer bestaat niet: neem het nummer opnieuw uit de bron",
           "no such serial number: take the number from the source again"},
    Phrase{"die geboortedag bestaat niet: neem het nummer opnieuw uit de bron",
           "no such day of birth: take the number from the source again"},
    Phrase{"geboren na de peildatum: haal het nummer uit de lijst",
           "born after the reference date: take the number out"},
    Phrase{"het nummer staat er meer dan eens: laat het één keer staan",
           "the number is there more than once: leave it once"},
    Phrase{"het nummer is vervangen: neem het nieuwe uit de bron",
           "the number was replaced: take the new one from the source"},
    Phrase{"de persoon is overleden: haal het nummer uit de lijst",
           "the person has died: take the number out"},
};
static_assert(static_cast<std::size_t>(Code::r_deceased) - static_cast<std::size_t>(Code::r_format) + 1 ==
              kRemedies.size());

// One row per F_ code, in the order of the enumeration.
constexpr std::array<std::string_view, 13> kRules = {
    "het pakket is niet gebouwd zoals het protocol vraagt",
    "de begeleidende gegevens kloppen niet",
    "het pakket is van of voor een andere partij",
    "het pakket komt uit een andere omgeving (test of productie)",
    "die lijst mag volgens het protocol nu niet vertrekken",
    "de peildatum klopt niet, of is nog niet aangebroken",
    "voor dat jaar is al een lijst geregistreerd, en een tweede mag niet volgen (protocol, artikel 5)",
    "het volgnummer van de lijst klopt niet",
    "de geschiedenis van beide kanten komt niet overeen",
    "het aantal nummers is niet het aangekondigde",
    "de lijst is niet de aangekondigde",
    "er staat meer in dan de nummers, en alleen INSZ-nummers mogen vertrekken (protocol, artikel 3)",
    "de lijst is leeg",
};
static_assert(static_cast<std::size_t>(Code::f_empty) - static_cast<std::size_t>(Code::f_archive) + 1 ==
              kRules.size());

// One row per I_ code, in the order of the enumeration.
constexpr std::array<std::string_view, 9> kIntake = {
    "de bestandsnaam is niet die van een lijst: noem het bestand bijvoorbeeld inburgeringsplicht-2026.csv",
    "dit is geen gewoon bestand, of de dienst mag het niet lezen: bewaar de lijst opnieuw in deze map, of "
    "vraag de "
    "beheerder naar de rechten",
    "het bestand is te groot: een lijst met alleen nummers is veel kleiner",
    "het bestand verandert nog",
    "dit is geen tekst die gelezen kan worden: bewaar de lijst als CSV (UTF-8), met elk nummer voluit als "
    "tekst",
    "dit rekenblad kan niet gelezen worden: bewaar het opnieuw als XLSX met één blad en één kolom, of als "
    "CSV",
    "er is al een lijst voor dat jaar onderweg: wacht op het ontvangstbewijs, of laat de operator ze "
    "intrekken. Blijft dit bestand hier liggen en wordt die lijst niet geregistreerd, dan wordt het vanzelf "
    "ingelezen: "
    "haal het weg als dat niet de bedoeling is",
    "er staan fouten in de lijst: verbeter ze en zet het bestand opnieuw in deze map, of laat een operator "
    "de "
    "foutieve regels weglaten ('veer send --set-aside-faulty')",
    "de eigenaar van het bestand mag geen lijst aanbieden: laat een operator het onder eigen naam in deze "
    "map "
    "bewaren",
};
static_assert(static_cast<std::size_t>(Code::i_owner) - static_cast<std::size_t>(Code::i_name) + 1 ==
              kIntake.size());

// What a person does about a rule that keeps a file from being taken in.
constexpr std::string_view next_step(Code code) {
  switch (code) {
    case Code::f_window:
    case Code::f_reference_date:
      return " Kijk het jaartal in de bestandsnaam na, en met de operator de afgesproken periode.";
    case Code::f_second_list:
      return " Haal het bestand weg; een fout in de geregistreerde lijst meldt u bij de operator (artikel "
             "7).";
    case Code::f_extra_data:
      return " Verwijder al het andere.";
    case Code::f_empty:
      return " Klopt dat, laat de operator dan een lege lijst verzenden ('veer send --empty JAAR').";
    default:
      return "";
  }
}

std::optional<std::string_view> dutch_reason(Code code) {
  const auto row = [&](const auto& rows, Code first, Code last) {
    const auto at = static_cast<std::size_t>(code);
    return code >= first && code <= last ? std::optional(rows.at(at - static_cast<std::size_t>(first)))
                                         : std::nullopt;
  };
  if (const auto rule = row(kRules, Code::f_archive, Code::f_empty)) return rule;
  if (code == Code::c_closed)
    return "dit pad is voorgoed afgesloten: er wordt niets meer ingelezen, verzonden of geregistreerd";
  if (code >= Code::r_format && code <= Code::r_deceased) return remedy_text(Language::nl, code);
  return row(kIntake, Code::i_name, Code::i_owner);
}

// Places are told by the readers of lists, in English.
std::string place_text(Language language, const std::string& place) {
  if (language == Language::en) return place;
  for (const auto& [english, dutch] :
       {std::pair<std::string_view, std::string_view>{"line ", "regel "}, {"cell ", "cel "}})
    if (place.starts_with(english)) return std::string(dutch) + place.substr(english.size());
  return place;
}

/// The place that an English text begins with, "line 3" or "cell B2"; empty when it begins otherwise.
std::string place_in(std::string_view english) {
  if (!english.starts_with("line ") && !english.starts_with("cell ")) return "";
  return std::string(english.substr(0, english.find(' ', std::string_view("line ").size())));
}

std::string head(Language language, const std::string& file, Time now) {
  return fmt::format(fmt::runtime(kHead.in(language)), printable(file), said_time(now, language));
}

}  // namespace

std::string note_of(Language language, Turn turn, const Exchange& x, std::string_view detail, Time now) {
  std::string text = head(language, x.origin, now);
  text += fmt::format(fmt::runtime(kTurns.at(static_cast<std::size_t>(turn)).in(language)), x.origin,
                      x.records, x.reference_year, x.id, x.package, detail, x.id.substr(0, 8));
  if (turn == Turn::recorded && !detail.empty())
    text += fmt::format(fmt::runtime(kLeftOut.in(language)), detail);
  if (x.merged > 0) text += fmt::format(fmt::runtime(kMerged.in(language)), x.merged);
  if (x.restored > 0) text += fmt::format(fmt::runtime(kRestored.in(language)), x.restored);
  if (x.set_aside > 0) text += fmt::format(fmt::runtime(kSetAside.in(language)), x.set_aside);
  if (x.header) text += kHeader.in(language);
  text += fmt::format(fmt::runtime(kMore.in(language)), x.id, x.package, x.package_sha256);
  return text;
}

std::string refusal_note(Language language, const std::string& file, const Error& error,
                         const ListReport* report, Time now) {
  std::string text = head(language, file, now);
  text += fmt::format(fmt::runtime(kRefused.in(language)), code_name(error.code()),
                      reason_text(language, error.code(), error.message()),
                      language == Language::nl ? next_step(error.code()) : "");
  if (report != nullptr && !report->good()) {
    text += fmt::format(fmt::runtime(kFaults.in(language)), summary(report->counts));
    const bool more = report->faulty() > report->faults.size();
    text += more ? fmt::format(fmt::runtime(kFirst.in(language)), report->faults.size())
                 : std::string(kAll.in(language));
    for (const Fault& fault : report->faults)
      text += fmt::format("  {}  {}: {}\n", code_name(fault.code), place_text(language, fault.place),
                          remedy_text(language, fault.code));
    if (more) text += fmt::format(fmt::runtime(kRest.in(language)), report->faulty() - report->faults.size());
    if (report->header) text += fmt::format("\n{}", kHeader.in(language));
  }
  text += kStays.in(language);
  return text;
}

std::string trouble_note(Language language, const std::string& file, const Error& error, Time now) {
  return head(language, file, now) +
         fmt::format(fmt::runtime(kTrouble.in(language)), code_name(error.code()), error.message());
}

std::string suspended_note(Language language, const std::string& file, Time now) {
  return head(language, file, now) + std::string(kSuspended.in(language));
}

std::string reason_text(Language language, Code code, std::string_view english) {
  const auto dutch = language == Language::nl ? dutch_reason(code) : std::nullopt;
  if (!dutch) return std::string(english);
  const std::string place = place_text(language, place_in(english));
  return fmt::format("{}{} (in het Engels: {})", *dutch, place.empty() ? "" : ": " + place, english);
}

std::string_view remedy_text(Language language, Code code) {
  return kRemedies.at(static_cast<std::size_t>(code) - static_cast<std::size_t>(Code::r_format)).in(language);
}

}  // namespace veer

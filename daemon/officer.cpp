#include "daemon/officer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "core/log.h"
#include "daemon/dates.h"
#include "daemon/phrase.h"
#include "formats/names.h"

namespace veer {
namespace {

constexpr std::size_t kLongestText = 500;

struct Said {
  std::int64_t id = 0;
  std::string text;
};

Said said(const std::string& argument) {
  Said said;
  const std::size_t blank = std::min(argument.find(' '), argument.size());
  const auto read = std::from_chars(argument.data(), argument.data() + blank, said.id);
  if (read.ec != std::errc() || read.ptr != argument.data() + blank)
    throw Error(Code::u_usage, "an incident is named by its number in 'veer incident list'");
  if (blank < argument.size()) said.text = shown_text(argument.substr(blank + 1), kLongestText);
  return said;
}

// What was found, for somebody elsewhere: the text of the finding tells this side what to do, and where.
struct Meaning {
  Code code;
  Phrase phrase;
};
constexpr std::array kMeanings = {
    Meaning{
        Code::t_name,
        {"een naam op de share is niet zoals hij hoort, of wat eronder ligt draagt getekend een andere naam",
         "a name on the share is not as it should be, or what lies under it is signed with another name"}},
    Meaning{Code::t_size,
            {"op de share ligt meer, of iets groters, dan de uitwisseling nodig heeft",
             "there is more, or something larger, on the share than the exchange needs"}},
    Meaning{
        Code::t_unsigned,
        {"een bestand op de share is door niemand ondertekend", "a file on the share is signed by nobody"}},
    Meaning{Code::t_signer,
            {"een bestand op de share is ondertekend met een sleutel die niet de afgesproken sleutel is",
             "a file on the share is signed by a key that is not the one that was agreed"}},
    Meaning{Code::t_signature,
            {"de handtekening van een bestand op de share is niet geldig",
             "the signature of a file on the share is not valid"}},
    Meaning{Code::t_key_expired,
            {"een bestand op de share is ondertekend met een sleutel die toen niet geldig was",
             "a file on the share is signed by a key that was not valid then"}},
    Meaning{Code::t_integrity,
            {"een bestand op de share is beschadigd of veranderd, of niet versleuteld zoals afgesproken",
             "a file on the share is damaged or was changed, or is not encrypted as was agreed"}},
    Meaning{Code::t_replay,
            {"onder een naam of nummer dat al gebruikt is, liggen andere gegevens op de share",
             "other bytes lie on the share under a name or number that was used already"}},
    Meaning{Code::s_host_key,
            {"een server toonde een andere sleutel dan de afgesproken",
             "a server showed another key than was agreed"}},
    Meaning{Code::l_audit,
            {"het auditspoor is niet zoals het geschreven werd", "the audit trail is not as it was written"}},
};
constexpr Phrase kOtherMeaning = {
    "een bestand op de share is ondertekend zoals het hoort, en klopt niet met het protocol",
    "a file on the share is signed as it should be, and does not fit the protocol"};
constexpr Phrase kOfFile = {"; bestand op de share: {}", "; file on the share: {}"};

// Names of the exchange in the text of a finding, which the program wrote.
std::vector<std::string> files_of(const Incident& incident) {
  std::vector<std::string> files;
  std::istringstream words(incident.text);
  for (std::string word; words >> word;) {
    while (!word.empty() && std::string_view(":;,.").find(word.back()) != std::string_view::npos)
      word.pop_back();
    if (parse_file_name(word) && std::find(files.begin(), files.end(), word) == files.end())
      files.push_back(word);
  }
  return files;
}

std::string found_in(const Incident& incident, Language language) {
  const auto meaning = std::find_if(kMeanings.begin(), kMeanings.end(), [&](const Meaning& known) {
    return code_name(known.code) == incident.code;
  });
  std::string text((meaning != kMeanings.end() ? meaning->phrase : kOtherMeaning).in(language));
  if (const auto files = files_of(incident); !files.empty())
    text += fmt::format(fmt::runtime(kOfFile.in(language)), fmt::join(files, ", "));
  return text;
}

// By the books, or else by the names that it was found under.
bool is_rehearsal(const Incident& incident, const std::optional<Exchange>& exchange) {
  if (exchange) return exchange->purpose == Purpose::rehearsal;
  const auto files = files_of(incident);
  return !files.empty() && std::all_of(files.begin(), files.end(), [](const std::string& name) {
    return facts_in_stem(parse_file_name(name)->stem).purpose == Purpose::rehearsal;
  });
}

// {0} other side, {1} when, {2} this side, {3} code, {4} what it means, {5} exchange, {6} verdict, {7} until
// when.
constexpr Phrase kNotice = {
    R"(Aan de functionaris voor gegevensbescherming van {0}

Bij de uitwisseling van de lijst van de inburgeringsplicht (protocol van 1 oktober 2021, artikelen 6 en 9) stelde {2}
op {1} het volgende vast:

  {3}: {4}

{5}{6}
Deze melding moet u bereiken voor {7}: 24 uur na de vaststelling. Ze bevat geen persoonsgegevens.
De bewijsstukken worden bewaard. Wie de feiten wil nagaan, krijgt ze van {2} op vraag.
)",
    R"(To the data-protection officer of {0}

In the exchange of the list of the civic-integration obligation (protocol of 1 October 2021, articles 6 and 9) {2} found
on {1}:

  {3}: {4}

{5}{6}
This notice is to reach you before {7}: 24 hours after it was found. It holds no personal data.
What proves it is kept. Whoever wants to look into it has it from {2} on request.
)"};

constexpr Phrase kOfExchange = {"Uitwisseling: {}\n", "Exchange: {}\n"};
constexpr std::array<Phrase, 3> kVerdictTexts = {
    Phrase{"Het is nog niet beoordeeld; tot het tegendeel blijkt, geldt het als een poging.\n",
           "It has not been judged yet; it counts as an attempt until it turns out not to be one.\n"},
    Phrase{"Het is bevestigd als een poging tot inbreuk of een inbreuk.\n",
           "It was confirmed as an attempted breach or a breach.\n"},
    Phrase{"Het is verworpen: er was geen poging.\n", "It was dismissed: there was no attempt.\n"},
};

// Of persons, and of data.
struct Categories {
  Phrase persons;
  Phrase data;
};
constexpr Categories kOfList = {
    {"personen die op de peildatum niet aan de inburgeringsplicht hadden voldaan",
     "persons who had not met the civic-integration obligation on the reference date"},
    {"INSZ-nummers, en niets anders", "INSZ numbers, and nothing else"}};
constexpr Categories kOfRehearsal = {
    {"geen, wanneer het is wat zijn naam zegt: een repetitie gaat over niemand",
     "none, when it is what its name says: a rehearsal is about nobody"},
    {"verzonnen nummers van niemand", "made-up numbers of nobody"}};

// {0} incident, {1} when, {2} code, {3} what it means, {4} verdict, {5} why, {6} how many, {7} this side, {8}
// other side, {9} told, {10} written, {11} until when, {12} and {13} categories.
constexpr Phrase kBreach = {
    R"(Inbreuk in verband met persoonsgegevens: wat de functionaris meldt (artikel 33, lid 3, AVG)
Incident {0} bij {7}, opgesteld op {10}. ............ = in te vullen door de functionaris.
Is er een risico voor personen, dan moet de toezichthouder dit weten voor {11}: 72 uur na de vaststelling.

a) Aard van de inbreuk
   Vastgesteld op {1}: {2}: {3}
   Oordeel: {4}{5}
   Categorieën van betrokkenen: {12}
   Aantal betrokkenen, bij benadering: {6}
   Categorieën van gegevens: {13}
   Aantal records, bij benadering: {6}
b) Naam en contactgegevens van de functionaris: ............
c) Waarschijnlijke gevolgen: ............
   (De lijst reist versleuteld; wat op de share staat, is zonder de sleutel van de ontvanger niet te lezen.)
d) Maatregelen
   Genomen door het programma: wat niet te vertrouwen was, is apart gezet en niet geregistreerd; de feiten staan in het
   auditspoor.
   Andere kant ({8}) verwittigd: {9}
   Andere maatregelen, genomen of voorgesteld: ............
)",
    R"(Personal-data breach: what the officer reports (article 33(3) GDPR)
Incident {0} at {7}, written on {10}. ............ = for the officer to fill in.
Where there is a risk to persons, the supervisor is to know this before {11}: 72 hours after it was found.

a) Nature of the breach
   Found on {1}: {2}: {3}
   Verdict: {4}{5}
   Categories of data subjects: {12}
   Approximate number of data subjects: {6}
   Categories of records: {13}
   Approximate number of records: {6}
b) Name and contact details of the data-protection officer: ............
c) Likely consequences: ............
   (The list travels encrypted; what lies on the share cannot be read without the receiver's key.)
d) Measures
   Taken by the program: what was not to be trusted was set aside and not recorded; the facts stand in the audit trail.
   The other side ({8}) told: {9}
   Other measures, taken or proposed: ............
)"};

}  // namespace

std::string obey_incident(Instance& at, const Command& command) {
  const Said what = said(command.argument);
  Incidents& book = at.alerts.incidents();
  const Incident before = book.find(what.id);
  const auto fact = [&](const std::string& event) {
    at.audit.append(event, before.exchange,
                    {{"incident", std::to_string(what.id)},
                     {"code", before.code},
                     {"text", what.text},
                     {"who", command.who.name}});
  };
  // An approver stands for the officer.
  if (at.config.environment == Environment::production &&
      (command.verb == "incident-dismiss" || command.verb == "incident-close"))
    require_right(at.config.access, Right::approve, command.who.uid);
  const std::string cause = fmt::format("incident:{}", what.id);
  const auto need_text = [&] {
    if (what.text.empty())
      throw Error(Code::u_usage, "say why, or how: it stays in the audit trail and in the report");
  };
  std::string text;
  at.db.transaction([&] {
    if (command.verb == "incident-confirm" || command.verb == "incident-dismiss") {
      need_text();
      const bool confirms = command.verb == "incident-confirm";
      book.decide(what.id, confirms ? Verdict::confirmed : Verdict::dismissed, command.who, what.text);
      fact(confirms ? "incident-confirmed" : "incident-dismissed");
      if (!confirms) {
        at.alerts.close(cause);
        // Once for each decision, however often its command is carried out.
        at.alerts.tell(fmt::format("incident-dismissed:{}:{}", what.id,
                                   to_millis(book.find(what.id).decided_at.value())),
                       "INCIDENT_DISMISSED", before.exchange,
                       fmt::format("{} dismissed incident {} ({}){}; why stands in 'veer incident show {}'",
                                   command.who.name, what.id, before.code,
                                   before.notified_at ? ", of which the other side was told before"
                                                      : ", so that the other side is not told of it",
                                   what.id));
      } else {
        at.agenda.schedule(Chore::tidy, at.clock.now());  // its 24 hours may be over soon
      }
      text = fmt::format(
          "incident {} is {}", what.id,
          confirms
              ? fmt::format("confirmed: tell the other side before {}, and the supervisor before {} where "
                            "there is a risk to persons",
                            format_time(before.due()), format_time(before.supervisor_due()))
              : "dismissed");
    } else if (command.verb == "incident-notified") {
      need_text();
      book.notified(what.id, command.who, what.text);
      fact("incident-notified");
      at.alerts.close(cause);
      text = fmt::format("that the other side was told of incident {} is on record", what.id);
    } else if (command.verb == "incident-close") {
      book.close(what.id);
      fact("incident-closed");
      at.alerts.close(cause);
      at.alerts.close(before.cause);
      text = fmt::format("incident {} is closed, and its alert with it", what.id);
    } else {
      throw Error(Code::u_usage, "an incident is confirmed, dismissed, notified or closed");
    }
  });
  return text;
}

std::string notice_of(const Incident& incident, const Config& config) {
  const Language language = config.language;
  return fmt::format(
      fmt::runtime(kNotice.in(language)), config.counterparty, said_time(incident.found_at, language),
      config.party, incident.code, found_in(incident, language),
      incident.exchange.empty() ? "" : fmt::format(fmt::runtime(kOfExchange.in(language)), incident.exchange),
      kVerdictTexts.at(static_cast<std::size_t>(incident.verdict)).in(language),
      said_time(incident.due(), language));
}

std::string breach_report_of(const Incident& incident, const Config& config,
                             const std::optional<Exchange>& exchange, Time now) {
  static constexpr const char* kBlank = "............";
  const Language language = config.language;
  const bool rehearses = is_rehearsal(incident, exchange);
  const Categories& categories = rehearses ? kOfRehearsal : kOfList;
  return fmt::format(
      fmt::runtime(kBreach.in(language)), incident.id, said_time(incident.found_at, language), incident.code,
      found_in(incident, language), verdict_name(incident.verdict),
      incident.why.empty() ? "" : ": " + incident.why,
      exchange && !rehearses ? std::to_string(exchange->records) : kBlank, config.party, config.counterparty,
      incident.notified_at
          ? fmt::format("{} ({})", said_time(*incident.notified_at, language), incident.notified_by)
          : kBlank,
      said_time(now, language), said_time(incident.supervisor_due(), language),
      categories.persons.in(language), categories.data.in(language));
}

}  // namespace veer

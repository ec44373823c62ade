#include "daemon/alert_meanings.h"

#include <algorithm>
#include <array>

#include "daemon/alert_topics.h"

namespace veer {
namespace {

constexpr std::string_view kShow = "show {0}";

constexpr Phrase kNothingLost = {"Er gaat niets verloren: wat nog moet vertrekken of aankomen, wacht.",
                                 "Nothing is lost: what still has to leave or to arrive waits."};
constexpr Phrase kGoesOn = {"De uitwisseling zelf gaat verder.", "The exchange itself goes on."};
constexpr Phrase kAttempt = {
    "Behandel het als een poging tot inbreuk op de uitwisseling, tot het tegendeel blijkt: verwittig de "
    "functionaris voor gegevensbescherming en de andere kant. Er is niets geregistreerd op grond hiervan.",
    "Treat it as an attempt on the exchange until it turns out not to be one: tell the data-protection "
    "officer and "
    "the other side. Nothing was recorded because of it."};

constexpr std::array kMeanings = {
    AlertMeaning{"step",
                 {"Een stap van de uitwisseling mislukt telkens", "A step of the exchange keeps failing"},
                 kNothingLost},
    AlertMeaning{
        "host-key",
        {"De server van een share toont een andere sleutel", "A share's server shows another key"},
        {"Langs die share vertrekt en komt niets tot dit is uitgeklaard. Bel de beheerder van de share voor "
         "u iets aanpast.",
         "By that share nothing leaves or arrives until this is cleared up. Telephone the share's "
         "administrator before you change anything."},
        "doctor"},
    AlertMeaning{
        "receipt",
        {"Het ontvangstbewijs blijft uit", "The receipt is overdue"},
        {"De lijst is verzonden, maar het is niet zeker dat ze geregistreerd is. Vraag de andere kant of "
         "haar dienst "
         "loopt.",
         "The list was sent, and it is not certain that it was recorded. Ask the other side whether its "
         "service "
         "runs."},
        kShow},
    AlertMeaning{
        "refused",
        {"De lijst werd geweigerd", "The list was refused"},
        {"Ze is niet geregistreerd; wat eerder voor dit jaar geregistreerd werd, blijft gelden. Een "
         "verbeterde lijst kan "
         "opnieuw worden aangeboden.",
         "It is not recorded; what was recorded for this year before still counts. A corrected list can be "
         "offered "
         "again."},
        kShow},
    AlertMeaning{
        "history",
        {"Een lijst wacht: de historiek klopt niet", "A list waits: the history does not fit"},
        {"Deze kant of de andere is uit een reservekopie hersteld. De lijst wordt pas geregistreerd na een "
         "beslissing.",
         "This side or the other was restored from a backup. The list is recorded only once somebody "
         "decides."},
        "approve {0}"},
    AlertMeaning{
        "receipts-unseen",
        {"De zender kent onze ontvangstbewijzen niet", "The sender does not know our receipts"},
        {"Ze is uit een reservekopie hersteld, of de share houdt ontvangstbewijzen achter. Wat geregistreerd "
         "is, "
         "blijft geregistreerd.",
         "It was restored from a backup, or the share withholds receipts. What is recorded stays recorded."},
        "list"},
    AlertMeaning{"contradiction",
                 {"De ontvanger spreekt zichzelf tegen", "The receiver contradicts itself"},
                 {"Het is niet zeker of de lijst geregistreerd is. Vraag de andere kant wat ze heeft.",
                  "It is not certain whether the list is recorded. Ask the other side what it holds."},
                 kShow},
    AlertMeaning{"withdrawn",
                 {"Een ingetrokken lijst was al geregistreerd", "A withdrawn list had been recorded already"},
                 {"De lijst geldt als geregistreerd.", "The list counts as recorded."},
                 kShow},
    AlertMeaning{"adopted",
                 {"Een ontvangstbewijs voor een onbekende lijst is aanvaard",
                  "A receipt for an unknown list was adopted"},
                 {"De historiek van deze kant was verloren; wat het ontvangstbewijs zegt, geldt.",
                  "This side's history was lost; what the receipt says counts."},
                 kShow},
    AlertMeaning{
        "orphan",
        {"In de wachtmap ligt een pakket dat niemand kent", "A package that nobody knows lies in the spool"},
        {"Het grootboek van deze kant is ouder dan het pakket. Vraag de andere kant of ze die lijst heeft.",
         "This side's ledger is older than the package. Ask the other side whether it holds that list."},
        "list"},
    AlertMeaning{
        "anchor",
        {"Het auditspoor van de andere kant klopt niet met vroeger",
         "The other side's audit trail does not fit what it signed before"},
        {"Ze is uit een reservekopie hersteld, of het spoor werd herschreven. De lijst zelf is niet geraakt.",
         "It was restored from a backup, or its trail was written anew. The list itself is untouched."},
        "audit anchors"},
    AlertMeaning{
        "bytes", {"Een bestand op de share is apart gezet", "A file on the share was set aside"}, kAttempt},
    AlertMeaning{
        "size",
        {"Een bestand op de share is groter dan toegelaten", "A file on the share is larger than allowed"},
        kAttempt},
    AlertMeaning{
        "flood", {"De share wordt overspoeld met bestanden", "The share is flooded with files"}, kAttempt},
    AlertMeaning{"renamed",
                 {"Iemand heeft een pakket op de share hernoemd", "Somebody renamed a package on the share"},
                 {"De lijst is beoordeeld op wat ondertekend is. Zoek uit wie op de share kan schrijven.",
                  "The list was judged by what is signed. Find out who can write on the share."},
                 kShow},
    AlertMeaning{"foreign",
                 {"Iemand heeft een bestand onder onze naam op de share gezet",
                  "Somebody put a file under our name on the share"},
                 {"Ons bestand vertrekt onder een andere naam. Zoek uit wie op de share kan schrijven.",
                  "Ours goes out under another name. Find out who can write on the share."},
                 kShow},
    AlertMeaning{"restless",
                 {"Een bestand op de share verandert telkens", "A file on the share keeps changing"},
                 kNothingLost},
    AlertMeaning{
        "names",
        {"Op de share liggen bestanden die er niet horen", "Files that do not belong there lie on the share"},
        kGoesOn},
    AlertMeaning{
        "misplaced",
        {"De mappen van de share lijken omgewisseld", "The share's folders seem to be the wrong way round"},
        {"Zo komt de lijst nooit aan.", "The list never arrives that way."},
        "doctor"},
    AlertMeaning{
        "drop",
        {"Een aangeboden bestand kon niet worden ingelezen", "A file that was offered could not be taken in"},
        kNothingLost},
    AlertMeaning{
        "leftover",
        {"Een ingelezen bestand kon niet uit de map worden gehaald",
         "A file that was taken in could not be removed from the folder"},
        {"De lijst is ingelezen en vertrekt. De nummers staan nog leesbaar in de map tot iemand het bestand "
         "verwijdert.",
         "The list was taken in and goes out. The numbers stand in the folder for all to read until somebody "
         "removes "
         "the file."}},
    AlertMeaning{"note",
                 {"Een resultaatnota kon niet worden geschreven", "A result note could not be written"},
                 kGoesOn},
    AlertMeaning{"channel",
                 {"Een kanaal voor waarschuwingen werkt niet", "A channel for alerts does not work"},
                 {"Wat hierna gebeurt, bereikt misschien niemand. De uitwisseling zelf gaat verder.",
                  "What happens next may reach nobody. The exchange itself goes on."},
                 "alerts test"},
    AlertMeaning{"recorded",
                 {"De lijst is geregistreerd", "The list is recorded"},
                 {"U hoeft niets te doen.", "There is nothing to do."},
                 ""},
    AlertMeaning{"release",
                 {"Een lijst wacht op vrijgave", "A list waits for release"},
                 {"Ze vertrekt pas als een tweede persoon, een goedkeurder, ze vrijgeeft.",
                  "It leaves only once a second person, an approver, releases it."},
                 "approve {0}"},
    AlertMeaning{
        "suspended",
        {"De uitwisseling is stopgezet", "The exchange is suspended"},
        {"Er wordt niets verzonden, opgehaald, ingelezen of geregistreerd tot een tweede persoon, een "
         "goedkeurder, ze "
         "hervat.",
         "Nothing is sent, fetched, taken in or recorded until a second person, an approver, resumes it."},
        "resume"},
    AlertMeaning{
        "unreleased",
        {"Een lijst die nog op vrijgave wacht is al beantwoord",
         "A list that still waits for release was answered"},
        {"Het antwoord telt. Ga na of deze kant hersteld is uit een reservekopie, of dat iemand anders de "
         "lijst verzond.",
         "The answer counts. Find out whether this side was restored from a backup, or somebody else sent "
         "the list."},
        kShow},
    AlertMeaning{
        "restored",
        {"Deze kant is uit een reservekopie hersteld", "This side was restored from a backup"},
        {"Wat na de reservekopie gebeurde, staat niet in het grootboek. Leg wat 'veer list' hier toont naast "
         "wat de andere kant van haar lijsten ziet.",
         "What happened after the backup is not in the ledger. Hold what 'veer list' shows here beside what "
         "the other side sees of its own."},
        "list"},
    AlertMeaning{"list-due",
                 {"De jaarlijkse lijst is er nog niet", "The yearly list is not there yet"},
                 {"De afgesproken dag is voorbij en er is geen lijst geregistreerd voor dit jaar.",
                  "The agreed day is over, and no list is recorded for this year."}},
    AlertMeaning{
        "key",
        {"Een sleutel loopt af", "A key is about to end"},
        {"Voor wie geen geldige sleutel heeft, kan niets worden verzegeld, en wat die ondertekent, wordt "
         "niet "
         "aanvaard: geen lijst, geen ontvangstbewijs, geen bezorging.",
         "For whom there is no key in force nothing can be sealed, and what they sign is not accepted: no "
         "list, no receipt, no delivery."},
        "keys show"},
    AlertMeaning{"disk",
                 {"De schijf is bijna vol", "The disk is all but full"},
                 {"Zonder ruimte kan geen lijst worden ingelezen of geregistreerd.",
                  "Without room no list can be taken in or recorded."}},
    AlertMeaning{
        "audit",
        {"Het auditspoor is niet heel", "The audit trail is not whole"},
        {"Iemand heeft het grootboek veranderd, of de schijf is beschadigd. Bewaar alles en verwittig de "
         "functionaris "
         "voor gegevensbescherming.",
         "Somebody changed the ledger, or the disk is damaged. Keep everything, and tell the data-protection "
         "officer."},
        "audit verify"},
    AlertMeaning{
        "rehearsal",
        {"Een repetitie is niet gelukt", "A rehearsal failed"},
        {"Er ging geen echte lijst mee. Maar de weg die de jaarlijkse lijst neemt, werkt nu niet van begin "
         "tot "
         "einde.",
         "No real list travelled. But the path that the yearly list takes does not work from end to end "
         "now."},
        kShow},
    AlertMeaning{"unheard",
                 {"De andere kant zwijgt te lang", "The other side has been silent for too long"},
                 {"Misschien loopt haar dienst niet. De jaarlijkse lijst zou dan niet aankomen.",
                  "Perhaps its service does not run. The yearly list would not arrive then."},
                 "doctor"},
    AlertMeaning{
        "second-list",
        {"Een tweede lijst voor hetzelfde jaar werd geweigerd",
         "A second list for the same year was refused"},
        {"De lijst die eerder geregistreerd werd, geldt nog altijd. Zoek uit waarom er een tweede kwam, en "
         "sluit "
         "dan deze waarschuwing.",
         "The list that was recorded before still counts. Find out why a second one came, and close this "
         "alert "
         "then."},
        kShow},
    AlertMeaning{"metrics",
                 {"De meetwaarden kunnen niet worden weggeschreven", "The metrics cannot be written"},
                 kGoesOn},
    AlertMeaning{"page", {"De pagina kan niet worden weggeschreven", "The page cannot be written"}, kGoesOn},
    AlertMeaning{
        "certificate",
        {"Een certificaat of clientgeheim loopt af", "A certificate or client secret is about to end"},
        {"Zonder een dat geldt laat de share deze kant niet meer binnen, en komt of vertrekt er geen "
         "lijst.",
         "Without one in force the share does not let this side in, and no list comes or leaves."},
        "doctor"},
    AlertMeaning{
        "window",
        {"De overgangsperiode loopt af", "The transition is about to end"},
        {"Daarna neemt of verstuurt dit programma geen eerste lijst meer. Spreek met de andere kant af hoe "
         "de volgende lijst zal reizen.",
         "After it this program takes in and sends no first list any more. Agree with the other side on how "
         "the next list will travel."}},
    AlertMeaning{
        "configuration",
        {"De configuratie op de schijf is niet die waarmee de dienst werkt",
         "The configuration on the disk is not the one that the service works by"},
        {"De dienst werkt verder met wat ze eerder las. Was de wijziging niet van u, zoek dan uit van wie: "
         "dit "
         "bestand bepaalt welke sleutels tellen.",
         "The service goes on with what it read before. When the change was not yours, find out whose it "
         "was: "
         "this file decides which keys count."},
        "doctor"},
    AlertMeaning{
        "clock",
        {"De klok van deze machine werd verzet", "This machine's clock jumped"},
        {"Termijnen en geldigheid van sleutels hangen van de klok af. Wat werd opgeschreven terwijl ze "
         "verkeerd stond, draagt verkeerde tijden.",
         "Deadlines and the validity of keys depend on the clock. What was written down while it was wrong "
         "bears wrong times."},
        "doctor"},
    AlertMeaning{
        "not-taken-in",
        {"Een aangeboden lijst werd niet ingelezen", "A list that was offered was not taken in"},
        {"Er vertrekt niets tot iemand het bestand verbetert of weghaalt. Het ligt nog in de map, met een "
         "nota ernaast "
         "die zegt waar het schort en wat te doen.",
         "Nothing leaves until somebody corrects the file or takes it away. It still lies in the folder, "
         "beside a note "
         "that says what is wrong where, and what to do."}},
    AlertMeaning{
        "legal-basis",
        {"De rechtsgrond van de uitwisseling loopt af, of is er niet",
         "The legal basis of the exchange is about to end, or is not there"},
        {"Zonder rechtsgrond op de genoteerde dag wordt in productie geen lijst ingelezen, verzonden of "
         "geregistreerd. Of "
         "er een is, beslist uw juridische dienst; noteer wat ze bevestigt in [legal_basis].",
         "Without one on record no list is taken in, sent or recorded in production. Whether there is one, "
         "your "
         "lawyers decide; record what they confirm in [legal_basis]."}},
    AlertMeaning{
        "review",
        {"Het veiligheidsplan moet worden herzien", "The security plan is due for its review"},
        {"De agentschappen kijken het elk jaar na (protocol, artikel 6). Sluit deze waarschuwing als dat is "
         "gebeurd.",
         "The agencies look it over each year (protocol, article 6). Close this alert when that is done."},
        "alerts close {1}"},
    AlertMeaning{"unproven",
                 {"Het is niet zeker dat waarschuwingen iemand bereiken",
                  "It is not certain that alerts reach anybody"},
                 {"Geen van de kanalen in [alerts] is beproefd zoals het nu is ingesteld.",
                  "None of the channels in [alerts] was tried as it is configured now."},
                 "alerts test"},
    AlertMeaning{"export-stale",
                 {"Een overgedragen lijst is achterhaald", "A list that was handed over is out of date"},
                 {"Wie de vorige versie gebruikt, heeft de nieuwe nodig.",
                  "Whoever uses the one before needs the new one."},
                 "export {2} --purpose TEXT",
                 "YEAR"},
    AlertMeaning{
        "incident",
        {"Een bevinding moet binnen 24 uur aan de andere kant gemeld worden",
         "The other side is to be told of a finding within 24 hours"},
        {"Elke poging telt (protocol, artikel 6). Bevestig of verwerp de bevinding, en verwittig de "
         "functionaris van "
         "de andere kant met de tekst die klaarstaat.",
         "Each attempt counts (protocol, article 6). Confirm or dismiss the finding, and tell the other "
         "side's "
         "officer with the text that is ready."},
        "incident notice {2}"},
    AlertMeaning{
        "request",
        {"Een vraag wacht op een tweede persoon", "A request waits for a second person"},
        {"Ze wordt pas uitgevoerd als een goedkeurder, iemand anders dan wie ze stelde, ze vrijgeeft.",
         "It is carried out only once an approver, somebody else than who asked, releases it."},
        "approve {0}"},
    AlertMeaning{"export-folder",
                 {"Een overgedragen bestand kon niet worden verwijderd, of zijn map niet bekeken",
                  "A file that was handed over could not be removed, or its folder not be looked into"},
                 {"Het bevat nummers van personen, en mag er niet langer liggen dan nodig.",
                  "It holds people's numbers, and may lie there no longer than is needed."}},
    AlertMeaning{
        "left-out",
        {"De ontvanger nam niet alle nummers op", "The receiver did not enter every number"},
        {"De lijst is geregistreerd. Kijk na of de bron bijgewerkt moet worden, en sluit dan deze "
         "waarschuwing.",
         "The list is recorded. See whether the source is to be brought up to date, and close this alert "
         "then."},
        kShow},
    AlertMeaning{
        "case",
        {"Een kwaliteitsgeval wacht op antwoord", "A quality case waits for its answer"},
        {"De ontvanger vond gegevens die niet kloppen. Volgens artikel 7 herstelt de zender ze en "
         "antwoordt hij "
         "binnen twee weken na de vaststelling.",
         "The receiver found data that are not right. By article 7 the sender repairs them and answers "
         "within "
         "two weeks of the finding."},
        "case show {0}"},
    AlertMeaning{"case-answered",
                 {"Een kwaliteitsgeval is beantwoord", "A quality case is answered"},
                 {"U hoeft niets te doen, tenzij het antwoord niet volstaat: open dan een nieuw geval.",
                  "There is nothing to do, unless the answer will not do: open another case then."},
                 "case show {0}"},
    AlertMeaning{"case-unknown",
                 {"Er kwam een antwoord op een geval dat deze kant niet kent",
                  "An answer came to a case that this side does not know"},
                 {"Deze kant is uit een reservekopie hersteld. Ga na welke gevallen intussen geopend waren.",
                  "This side was restored from a backup. Find out which cases had been opened meanwhile."},
                 "case list"},
    AlertMeaning{
        "export-failed",
        {"Een vrijgegeven lijst kon niet worden overgedragen", "A released list could not be handed over"},
        {"Wie ze nodig heeft, heeft ze nog niet. Is de map weer in orde, vraag ze dan opnieuw.",
         "Whoever needs it does not have it yet. When the folder is right again, ask for it anew."},
        "export {2} --purpose TEXT",
        "YEAR"},
    AlertMeaning{"export-lapsed",
                 {"Een vraag om een lijst over te dragen verviel", "A request to hand a list over lapsed"},
                 {"De lijst werd intussen verbeterd. Vraag de nieuwe.",
                  "The list was corrected meanwhile. Ask for the new one."}},
    AlertMeaning{
        "old-pages",
        {"Wat verwijderd werd, staat nog in de bestanden van de databank",
         "What was deleted still stands in the database's files"},
        {"In het register staat het niet meer. Iemand leest de databank zonder ophouden, of de schijf is "
         "vol: laat dat "
         "eindigen.",
         "The register does not hold it any more. Somebody reads the database without end, or the disk is "
         "full: "
         "let that end."}},
    AlertMeaning{"distribution-stale",
                 {"Zorgkassen hebben niet de laatste lijst", "Care funds do not have the latest list"},
                 {"Ze werken met wat ze eerder kregen, tot iemand hun bezorgt wat veranderde.",
                  "They work with what they were given before, until somebody delivers what changed."},
                 "distribute {2} --members FILE",
                 "YEAR"},
    AlertMeaning{
        "closed-out",
        {"De uitwisseling langs deze weg is afgesloten", "The exchange by this path is closed"},
        {"Er wordt niets meer ingelezen, verzonden of geregistreerd. Vergeten, bewijs en het auditspoor "
         "blijven werken.",
         "Nothing is taken in, sent or recorded any more. Forgetting, evidence and the audit trail still "
         "work."}},
    AlertMeaning{
        "processors",
        {"Het overzicht van verwerkers is gewijzigd", "The overview of processors has changed"},
        {"De agentschappen melden elkaar wie voor hen gegevens verwerkt (protocol, artikel 6). Stuur het "
         "nieuwe "
         "overzicht, en sluit dan deze waarschuwing.",
         "The agencies tell each other who handles data for them (protocol, article 6). Send the new "
         "overview, and "
         "close this alert then."},
        "alerts close {1}"},
    AlertMeaning{
        "marks",
        {"Wie vergeten werd, kon niet worden genoteerd naast de databank",
         "Who was forgotten could not be noted beside the database"},
        {"Uit het register zijn ze verwijderd. Zonder die notitie brengt een oudere back-up hen terug.",
         "They are gone from the register. Without that note an older backup brings them back."}},
    AlertMeaning{"case-closed",
                 {"De ontvanger sloot een kwaliteitsgeval", "The receiver closed a quality case"},
                 {"Er is geen antwoord meer nodig. De reden staat bij het geval.",
                  "It needs no answer any more. The reason stands with the case."},
                 "case show {0}"},
    AlertMeaning{
        "case-opened",
        {"De dienst opende zelf een kwaliteitsgeval", "The service opened a quality case by itself"},
        {"Op een lijst staan personen van wie het overlijden hier gemeld was; ze werden niet opgenomen. Het "
         "geval is versleuteld onderweg. Stuur het contactpunt van de zender de e-mail van artikel 7, en "
         "sluit dan deze waarschuwing.",
         "A list names persons whose death had been reported here; they were not entered. The case is on its "
         "way, encrypted. Send the sender's contact point the e-mail of article 7, and close this alert "
         "then."},
        "case mail {0}"},
    AlertMeaning{
        "case-unrepaired",
        {"Een verbetering herstelde niet alles van een kwaliteitsgeval",
         "A correction did not put all of a quality case right"},
        {"De zender meldt het geval als verbeterd, maar de lijst zegt over personen uit het geval nog "
         "hetzelfde. Open een nieuw geval, of ga na waarom, en sluit dan deze waarschuwing.",
         "The sender calls the case corrected, but of persons in it the list still says the same. Open "
         "another case, or find out why, and close this alert then."},
        "case show {0}"},
    AlertMeaning{
        "crashed",
        {"De dienst eindigde onverwacht, en loopt weer", "The service ended unexpectedly, and runs again"},
        {"Er gaat niets verloren. Gebeurt het opnieuw, zoek dan in het journaal naar de reden: een fout, een "
         "stroomonderbreking, te weinig geheugen.",
         "Nothing is lost. Should it happen again, look in the journal for the reason: a fault, a power cut, "
         "too "
         "little memory."}},
    AlertMeaning{
        "recipient",
        {"Een ontvanger van waarschuwingen krijgt ze niet", "A recipient of alerts does not get them"},
        {"De mailserver weigert dat adres; de anderen krijgen hun berichten. Kijk het adres en de mailbox "
         "na, of verbeter [alerts.mail].",
         "The mail server refuses that address; the others get their messages. Look at the address and its "
         "mailbox, or correct [alerts.mail]."},
        "alerts show {1}"},
    AlertMeaning{
        "incident-dismissed",
        {"Een bevinding is verworpen", "A finding was dismissed"},
        {"De 24 uur lopen niet meer. Wie het anders ziet, bevestigt het incident, zolang het niet gesloten "
         "is.",
         "Its 24 hours run no more. Whoever sees it otherwise confirms the incident, as long as it is not "
         "closed."},
        "incident show {2}"},
    AlertMeaning{
        "delivery-left",
        {"Een bestand ligt misschien nog bij een zorgkas", "A file may still lie at a care fund"},
        {"Het mocht niet meer worden bezorgd, en kan nummers bevatten van wie niet meer op de lijst staat. "
         "Laat het daar verwijderen, en sluit dan deze waarschuwing.",
         "It was not to be delivered any more, and may hold numbers of people who stand on the list no more. "
         "Have it removed there, and close this alert then."},
        "alerts close {1}"},
    AlertMeaning{
        "another-year",
        {"Een tweede lijst in hetzelfde kalenderjaar", "A second list in the same calendar year"},
        {"Het protocol voorziet er één per kalenderjaar. De lijst is geregistreerd onder het jaar dat de "
         "verzender noemde.",
         "The protocol has one a calendar year. The list is recorded under the year that the sender named."},
        kShow},
    AlertMeaning{
        "case-contradiction",
        {"De zender beantwoordt een kwaliteitsgeval anders dan voordien",
         "The sender answers a quality case in another way than before"},
        {"Wat eerst geantwoord werd, staat bij het geval en blijft gelden. Vraag de zender welk antwoord "
         "telt. "
         "Aan de lijst verandert niets.",
         "What was answered first stands with the case, and counts. Ask the sender which answer is meant. "
         "Nothing changes in the list."},
        "case show {0}"},
    AlertMeaning{
        "withdraw",
        {"Een lijst laat zich niet terugnemen", "A list cannot be taken back"},
        {"Wie ze introk, verwacht dat ze weg is. De share laat dat nog niet toe: breng die in orde, of "
         "vraag de andere kant de lijst niet te registreren.",
         "Whoever withdrew it expects it to be gone. The share does not allow that yet: have it put right, "
         "or ask the other side not to record the list."},
        kShow},
    AlertMeaning{
        "supervisor",
        {"De 72 uur om een inbreuk aan de toezichthouder te melden zijn bijna voorbij",
         "The 72 hours to tell the supervisor of a breach are nearly over"},
        {"Het incident is bevestigd. Is er een risico voor personen, dan meldt de functionaris het aan de "
         "toezichthouder (artikel 33 AVG); wat het programma weet, staat klaar.",
         "The incident is confirmed. Where it is a risk to persons, the officer tells the supervisor "
         "(article 33 GDPR); what the program knows is ready."},
        "incident report {2}"},
    AlertMeaning{
        "forget-lapsed",
        {"Een vraag om personen te vergeten verviel", "A request to forget persons lapsed"},
        {"Een van hen werd intussen vergeten, of kan dat zijn: zijn nummer mag nergens meer aan gebonden "
         "blijven. Vraag het opnieuw voor wie er nog in het register staat.",
         "One of them was forgotten meanwhile, or may have been: nothing may stay bound to that number. Ask "
         "again for those who still stand in the register."}},
};

static_assert(std::equal(kMeanings.begin(), kMeanings.end(), kTopics.begin(), kTopics.end(),
                         [](const AlertMeaning& topic, std::string_view name) {
                           return topic.name == name;
                         }));

}  // namespace

std::span<const AlertMeaning> alert_meanings() { return kMeanings; }

const AlertMeaning& meaning_of(std::string_view topic) {
  const auto* const found = std::find_if(kMeanings.begin(), kMeanings.end(),
                                         [&](const AlertMeaning& meaning) { return meaning.name == topic; });
  return found == kMeanings.end() ? kMeanings.front() : *found;
}

}  // namespace veer

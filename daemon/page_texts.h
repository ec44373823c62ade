#pragma once

#include <string>

#include "core/clock.h"
#include "daemon/page_facts.h"
#include "daemon/phrase.h"

/// The words of the page (daemon/page.h), in Dutch and in English.
namespace veer::page_text {

Phrase state(YearState state);
/// What a step is when it is done, and else what is to be done.
Phrase step(Step step, bool done);
Phrase state(StepState state);
/// {0}: the other side, {1}: the year, {2}: accounts, {3}: a package or a file.
Phrase wait(PageWaitKind kind);
Phrase stage(Stage stage);
/// Of an alert, by the name of its kind.
Phrase kind(std::string_view name);

inline constexpr Phrase kTitle = {"Veerdienst {0}: de uitwisseling met {1}",
                                  "Veerdienst {0}: the exchange with {1}"};
inline constexpr Phrase kTest = {"Test: er reizen geen echte lijsten.", "Test: no real lists travel."};
inline constexpr Phrase kProduction = {"Productie", "Production"};
inline constexpr Phrase kSender = {"verzendt", "sends"};
inline constexpr Phrase kReceiver = {"ontvangt", "receives"};
inline constexpr Phrase kLanguages = {"Taal", "Language"};

inline constexpr Phrase kNeeded = {"Is er iemand nodig?", "Is anybody needed?"};
inline constexpr Phrase kNobody = {"Nee. U hoeft niets te doen.", "No. There is nothing to do."};
inline constexpr Phrase kSomebody = {"Ja.", "Yes."};
inline constexpr Phrase kFile = {"Het bestand {} is niet ingelezen: de nota ernaast zegt waarom.",
                                 "The file {} was not taken in: the note beside it says why."};
inline constexpr Phrase kType = {"Te typen:", "To type:"};

inline constexpr Phrase kYears = {"De jaren", "The years"};
inline constexpr Phrase kNumbers = {"{} nummers", "{} numbers"};
inline constexpr Phrase kExpected = {"verwacht ten laatste op", "expected by"};
inline constexpr Phrase kWasDue = {"werd verwacht op", "was due on"};
inline constexpr Phrase kList = {"De lijst voor peildatum 1 januari {}",
                                 "The list for reference date 1 January {}"};
inline constexpr Phrase kNoList = {"Er is nog niets van deze lijst.", "There is nothing of this list yet."};
inline constexpr Phrase kPackage = {"Pakket", "Package"};
inline constexpr Phrase kExchange = {"Uitwisseling", "Exchange"};
inline constexpr Phrase kRejected = {"Een goedkeurder heeft de lijst tegengehouden.",
                                     "An approver stopped the list."};
inline constexpr Phrase kWithdrawn = {"Een operator heeft de lijst ingetrokken.",
                                      "An operator withdrew the list."};

inline constexpr Phrase kWaits = {"Waarop wordt gewacht", "What is waited for"};
inline constexpr Phrase kNoWaits = {"Er wordt op niets gewacht.", "Nothing is waited for."};
inline constexpr Phrase kSince = {"sinds", "since"};
inline constexpr Phrase kUntil = {"verwacht voor", "expected before"};
inline constexpr Phrase kOverdue = {"over tijd sinds", "overdue since"};

inline constexpr Phrase kHolds = {"Wat wordt tegengehouden", "What is held"};
inline constexpr Phrase kNoHolds = {"Er wordt niets tegengehouden, en de uitwisseling is niet stopgezet.",
                                    "Nothing is held, and the exchange is not suspended."};
inline constexpr Phrase kHoldsCaption = {"Wat op een tweede persoon wacht", "What waits for a second person"};
inline constexpr Phrase kCases = {"Kwaliteitsgevallen", "Quality cases"};
inline constexpr Phrase kNoCases = {"Er staat geen geval open.", "No case is open."};
inline constexpr Phrase kCasesCaption = {"Wat de ontvanger vond en de zender beantwoordt",
                                         "What the receiver found and the sender answers"};
inline constexpr Phrase kCase = {"Geval", "Case"};
inline constexpr Phrase kData = {"Gegevens", "Data"};
inline constexpr Phrase kPersons = {"Personen", "Persons"};
inline constexpr Phrase kAnswerBy = {"Antwoord uiterlijk op", "To be answered by"};
inline constexpr Phrase kWhat = {"Wat", "What"};
inline constexpr Phrase kBy = {"Door", "By"};
inline constexpr Phrase kSinceHead = {"Sinds", "Since"};
inline constexpr Phrase kHeldList = {"De lijst voor {}", "The list for {}"};
inline constexpr Phrase kWholeExchange = {"De hele uitwisseling (stopgezet)",
                                          "The whole exchange (suspended)"};
inline constexpr Phrase kOtherSide = {"de andere kant", "the other side"};

inline constexpr Phrase kAlerts = {"Open waarschuwingen", "Open alerts"};
inline constexpr Phrase kNoAlerts = {"Er zijn geen open waarschuwingen.", "There are no open alerts."};
inline constexpr Phrase kTakenUp = {"Opgenomen door {} op", "Taken up by {} on"};

inline constexpr Phrase kRehearsals = {"Repetities", "Rehearsals"};
inline constexpr Phrase kNoRehearsals = {"Er was nog geen repetitie.", "There was no rehearsal yet."};
inline constexpr Phrase kRehearsed = {"De laatste die gelukt is:", "The last that went well:"};
inline constexpr Phrase kNeverRehearsed = {"Er is er nog geen gelukt.", "None has gone well yet."};
inline constexpr Phrase kRehearsalsCaption = {"De laatste repetities, de nieuwste eerst",
                                              "The last rehearsals, the newest first"};
inline constexpr Phrase kBegun = {"Begonnen", "Begun"};
inline constexpr Phrase kOutcome = {"Hoe ver", "How far"};

inline constexpr Phrase kKeys = {"Sleutels", "Keys"};
inline constexpr Phrase kKeysCaption = {"Welke sleutels gelden, en hoe lang nog",
                                        "Which keys count, and for how much longer"};
inline constexpr Phrase kKey = {"Sleutel", "Key"};
inline constexpr Phrase kEnds = {"Geldt tot en met", "Counts until"};
inline constexpr Phrase kDays = {"Dagen over", "Days left"};
inline constexpr Phrase kOurs = {"{} (deze kant)", "{} (this side)"};
inline constexpr Phrase kTheirs = {"{} (de andere kant)", "{} (the other side)"};
inline constexpr Phrase kForEver = {"geen einde", "no end"};
inline constexpr Phrase kEnded = {"voorbij", "ended"};
inline constexpr Phrase kFrom = {"geldt vanaf", "counts from"};
inline constexpr Phrase kKeysUnknown = {
    "De sleutels konden niet worden gelezen ({}): hieronder staat alleen wat de configuratie zegt.",
    "The keys could not be read ({}): below stands only what the configuration says."};

inline constexpr Phrase kWritten = {"Geschreven op", "Written on"};
inline constexpr Phrase kStatic = {
    "Deze pagina wordt herschreven telkens als er iets verandert. Loopt de dienst niet, dan blijft ze zoals "
    "ze is: '{} status' zegt of de dienst loopt.",
    "This page is written anew whenever something changes. While the service does not run, it stays as it "
    "is: '{} status' says whether the service runs."};

}  // namespace veer::page_text

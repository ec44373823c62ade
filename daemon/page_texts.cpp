#include "daemon/page_texts.h"

#include <array>

#include <fmt/format.h>

#include "daemon/alerts.h"

namespace veer::page_text {
namespace {

struct StepTexts {
  Phrase done;
  Phrase to_do;
};

}  // namespace

Phrase state(YearState state) {
  switch (state) {
    case YearState::recorded:
      return {"geregistreerd", "recorded"};
    case YearState::under_way:
      return {"onderweg", "under way"};
    case YearState::refused:
      return {"geweigerd; een verbeterde lijst kan volgen", "refused; a corrected list can follow"};
    case YearState::missed:
      return {"gemist: er is geen lijst", "missed: there is no list"};
    case YearState::to_come:
      return {"moet nog komen", "still to come"};
    case YearState::none:
      return {"geen lijst geregistreerd", "no list recorded"};
  }
  return {};
}

Phrase step(Step step, bool done) {
  const auto texts = [&]() -> StepTexts {
    switch (step) {
      case Step::taken_in:
        return {{"Ingelezen en verzegeld", "Taken in and sealed"},
                {"Inlezen en verzegelen", "Take in and seal"}};
      case Step::released:
        return {{"Vrijgegeven door een tweede persoon", "Released by a second person"},
                {"Vrijgeven door een tweede persoon", "Release by a second person"}};
      case Step::sent:
        return {{"Verzonden", "Sent"}, {"Verzenden", "Send"}};
      case Step::receipt:
        return {{"Geregistreerd bij de andere kant: het ondertekende ontvangstbewijs is er",
                 "Recorded at the other side: the signed receipt is here"},
                {"Ontvangstbewijs van de andere kant", "Receipt of the other side"}};
      case Step::found:
        return {{"Gevonden op de share", "Found on the share"}, {"Vinden op de share", "Find on the share"}};
      case Step::fetched:
        return {{"Opgehaald", "Fetched"}, {"Ophalen", "Fetch"}};
      case Step::recorded:
        return {{"Geregistreerd", "Recorded"}, {"Nakijken en registreren", "Check and record"}};
      case Step::answered:
        return {{"Beantwoord met een ondertekend ontvangstbewijs", "Answered with a signed receipt"},
                {"Beantwoorden met een ondertekend ontvangstbewijs", "Answer with a signed receipt"}};
      case Step::refused:
        return {{"Geweigerd door de ontvanger", "Refused by the receiver"}, {}};
    }
    return {};
  }();
  return done ? texts.done : texts.to_do;
}

Phrase state(StepState state) {
  switch (state) {
    case StepState::done:
      return {"gedaan", "done"};
    case StepState::waits:
      return {"nu aan de beurt", "next"};
    case StepState::to_come:
      return {"komt nog", "still to come"};
    case StepState::stopped:
      return {"gaat niet door", "will not happen"};
  }
  return {};
}

Phrase wait(PageWaitKind kind) {
  switch (kind) {
    case PageWaitKind::resume:
      return {"Op een goedkeurder, een andere persoon dan {2}, die de stopgezette uitwisseling hervat",
              "For an approver, another person than {2}, who resumes the suspended exchange"};
    case PageWaitKind::release:
      return {"Op een goedkeurder, een andere persoon dan {2}, die de lijst voor {1} vrijgeeft",
              "For an approver, another person than {2}, who releases the list for {1}"};
    case PageWaitKind::decide:
      return {"Op een goedkeurder, die beslist over het pakket {3} van {0}",
              "For an approver, who decides about the package {3} of {0}"};
    case PageWaitKind::put:
      return {"Op deze dienst, die de lijst voor {1} op de share zet",
              "For this service, which puts the list for {1} on the share"};
    case PageWaitKind::receipt:
      return {"Op {0}, voor het ontvangstbewijs van de lijst voor {1}",
              "For {0}, for the receipt of the list for {1}"};
    case PageWaitKind::rehearsal:
      return {"Op {0}, voor het ontvangstbewijs van een repetitie",
              "For {0}, for the receipt of a rehearsal"};
    case PageWaitKind::offer:
      return {"Op een operator, die de lijst voor {1} in de map zet",
              "For an operator, who puts the list for {1} into the folder"};
    case PageWaitKind::list:
      return {"Op {0}, voor de lijst voor {1}", "For {0}, for the list for {1}"};
    case PageWaitKind::fetch:
      return {"Op deze dienst, die het pakket {3} ophaalt en nakijkt",
              "For this service, which fetches and checks the package {3}"};
    case PageWaitKind::answer:
      return {"Op deze dienst, die het ontvangstbewijs voor de lijst voor {1} op de share zet",
              "For this service, which puts the receipt for the list for {1} on the share"};
    case PageWaitKind::file:
      return {"Op wie het bestand {3} aanbood: het is niet ingelezen, en de nota ernaast zegt waarom",
              "For whoever offered the file {3}: it was not taken in, and the note beside it says why"};
  }
  return {};
}

Phrase stage(Stage stage) {
  switch (stage) {
    case Stage::held:
      return {"wacht op vrijgave", "waits for release"};
    case Stage::sealed:
      return {"verzegeld", "sealed"};
    case Stage::sent:
      return {"verzonden, nog niet beantwoord", "sent, not answered yet"};
    case Stage::acknowledged:
    case Stage::answered:
      return {"gelukt en beantwoord", "went well and was answered"};
    case Stage::refused:
      return {"geweigerd", "refused"};
    case Stage::withdrawn:
      return {"ingetrokken", "withdrawn"};
    case Stage::rejected:
      return {"tegengehouden", "rejected"};
    case Stage::recorded:
      return {"nagekeken, nog niet beantwoord", "checked, not answered yet"};
  }
  return {};
}

Phrase kind(std::string_view name) {
  if (name == alert_kind_name(AlertKind::finding)) return {"Poging of inbreuk", "Attempt or breach"};
  if (name == alert_kind_name(AlertKind::attention)) return {"Aandacht", "Attention"};
  return {"Ter kennisgeving", "To be known"};
}

}  // namespace veer::page_text

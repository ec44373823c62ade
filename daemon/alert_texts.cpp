#include "daemon/alert_texts.h"

#include <algorithm>

#include <fmt/format.h>

#include "daemon/alert_meanings.h"
#include "daemon/alert_topics.h"
#include "daemon/dates.h"
#include "daemon/phrase.h"

namespace veer {
namespace {

constexpr Phrase kSince = {"Sinds {}.", "Since {}."};
constexpr Phrase kFromTo = {"Van {} tot {}.", "From {} to {}."};
constexpr Phrase kOver = {"Voorbij: de oorzaak is verdwenen of afgehandeld.",
                          "Over: the cause is gone, or was dealt with."};
constexpr Phrase kClosed = {"Opgelost: {}", "Over: {}"};
constexpr Phrase kClosedBy = {"{} heeft deze waarschuwing gesloten. Dat zegt niet dat de oorzaak weg is.",
                              "{} closed this alert. That does not say that its cause is gone."};
constexpr Phrase kClosedByHand = {"Gesloten: {}", "Closed: {}"};
constexpr Phrase kReminder = {"Herinnering: {}", "Reminder: {}"};
constexpr Phrase kEscalated = {"Nog niemand nam dit op: {}", "Nobody has taken this up: {}"};
constexpr Phrase kForYou = {"U krijgt dit bericht omdat niemand de waarschuwing als opgenomen heeft gemeld.",
                            "You are told because nobody has acknowledged the alert."};
constexpr Phrase kDetail = {"Melding van het programma (Engels): {}", "{}"};
constexpr Phrase kMany = {"Er staan nu {1} waarschuwingen open: '{0} alerts' toont ze.",
                          "{1} alerts are open now: '{0} alerts' lists them."};
constexpr std::size_t kFew = 10;
constexpr Phrase kAcknowledge = {"Neemt u dit op, meld het dan met '{0} alerts acknowledge {1}'.",
                                 "When you take this up, say so with '{0} alerts acknowledge {1}'."};
constexpr Phrase kCloseFinding = {
    "Is het uitgezocht en afgehandeld, sluit het dan met '{0} alerts close {1}'.",
    "When it is cleared up and dealt with, close it with '{0} alerts close {1}'."};
constexpr Phrase kIncident = {
    "Dit is incident {1}. De functionaris van de andere kant moet het weten voor {2}, 24 uur na de "
    "vaststelling "
    "(protocol, artikel 6), tenzij het wordt verworpen: '{0} incident notice {1}' schrijft de melding, en "
    "'{0} incident notified {1} --how HOE' noteert dat ze verstuurd is.",
    "This is incident {1}. The other side's officer is to know of it before {2}, 24 hours after it was found "
    "(protocol, article 6), unless it is dismissed: '{0} incident notice {1}' writes what to tell, and "
    "'{0} incident notified {1} --how HOW' notes that it was sent."};
constexpr Phrase kTrialHeadline = {"Proefbericht", "Trial message"};
constexpr Phrase kTrial = {
    "Iemand heeft om een proef van de waarschuwingen gevraagd. Komt dit aan, dan werkt dit kanaal. "
    "U hoeft niets te doen.",
    "Somebody asked for a trial of the alerts. When this arrives, the channel works. There is "
    "nothing to do."};

constexpr Phrase kFailedHeadline = {"De dienst is uitgevallen", "The service has failed"};
constexpr Phrase kFailed = {
    "systemd meldt dat {} is uitgevallen, en probeert het niet opnieuw. Er gaat niets verloren, maar tot de "
    "dienst weer "
    "loopt, vertrekt en komt er niets, en waarschuwt ze niemand.",
    "systemd says that {} failed, and does not try again. Nothing is lost, but until the service runs again "
    "nothing "
    "leaves or arrives, and it alerts nobody."};
constexpr Phrase kCheckHeadline = {"De dagelijkse controle is niet tevreden",
                                   "The daily check is not content"};
constexpr Phrase kCheckFailed = {
    "{} vond iets dat een mens nodig heeft, en dat geen lopende dienst zelf meldt. Niet elke fout staat in "
    "'veer alerts': 'veer doctor' zegt wat er is.",
    "{} found what needs a person, and what no running service tells of by itself. Not every fault stands in "
    "'veer alerts': 'veer doctor' says what it is."};

/// An exchange by the beginning of its id; what is no exchange by its whole name.
std::string called(const std::string& subject) {
  static constexpr std::size_t kUuid = 36;
  return subject.size() == kUuid ? subject.substr(0, 8) : subject;
}

std::string filled(std::string_view phrase, std::string_view text) {
  return fmt::format(fmt::runtime(phrase), text);
}

std::string command_of(const AlertMeaning& topic, std::string_view exchange, std::string_view number,
                       std::string_view subject) {
  return fmt::format(fmt::runtime(topic.command), exchange, number,
                     subject.empty() ? topic.subject : subject);
}

/// What stands behind the topic in a cause, up to the next colon.
std::string subject_of(const Alert& alert) {
  const std::size_t begins = alert.cause.find(':');
  if (begins == std::string::npos) return "";
  return alert.cause.substr(begins + 1, alert.cause.find(':', begins + 1) - begins - 1);
}

/// The same at each try, and another after a database was restored.
std::string thread_of(const Alert& alert, const Config& config) {
  return fmt::format("{}.{}.{}", config.party, to_millis(alert.opened_at), alert.id);
}

AlertMessage addressed(const Config& config, Time now) {
  AlertMessage message;
  message.instance = config.party;
  message.environment = environment_name(config.environment);
  message.language = config.language == Language::nl ? "nl" : "en";
  message.at = now;
  return message;
}

}  // namespace

std::string as_typed(std::string_view text, const Config& config) {
  static constexpr std::string_view kQuoted = "'veer ";
  const std::string typed = "'" + invocation(config) + ' ';
  std::string all;
  while (true) {
    const std::size_t at = text.find(kQuoted);
    all += text.substr(0, at);
    if (at == std::string_view::npos) return all;
    text.remove_prefix(at + kQuoted.size());
    all += text.starts_with("-i ") || text.starts_with("-c ") ? kQuoted : std::string_view(typed);
  }
}

AlertMessage message_of(const Alert& alert, const Telling& telling, const Config& config, Time now,
                        std::size_t open, const std::vector<Incident>& waiting) {
  const Language language = config.language;
  const std::string name = topic_of(alert);
  const AlertMeaning& topic = meaning_of(name);
  const bool notice = alert.kind == alert_kind_name(AlertKind::notice);
  const bool over = telling.turn == AlertTurn::closed;

  AlertMessage message = addressed(config, now);
  message.thread = thread_of(alert, config);
  message.id =
      telling.turn == AlertTurn::opened ? message.thread : fmt::format("{}.{}", message.thread, telling.id);
  message.turn = alert_turn_name(telling.turn);
  message.severity = alert.kind;
  message.topic = name;
  message.code = alert.code;
  message.exchange = alert.exchange;
  message.opened = alert.opened_at;
  message.headline = topic.headline.in(language);
  const bool by_hand = over && !alert.closed_by.empty();
  if (over) message.headline = filled((by_hand ? kClosedByHand : kClosed).in(language), message.headline);
  if (telling.turn == AlertTurn::reminder)
    message.headline = filled(kReminder.in(language), message.headline);
  if (telling.turn == AlertTurn::escalated)
    message.headline = filled(kEscalated.in(language), message.headline);

  if (over)
    message.paragraphs.push_back(by_hand ? filled(kClosedBy.in(language), alert.closed_by)
                                         : std::string(kOver.in(language)));
  message.paragraphs.push_back(filled(kDetail.in(language), as_typed(alert.text, config)));
  if (!notice && over && alert.closed_at)
    message.paragraphs.push_back(fmt::format(fmt::runtime(kFromTo.in(language)),
                                             said_time(alert.opened_at, language),
                                             said_time(*alert.closed_at, language)));
  else if (!notice)
    message.paragraphs.push_back(filled(kSince.in(language), said_time(alert.opened_at, language)));
  if (over) return message;
  message.paragraphs.push_back(as_typed(topic.meaning.in(language), config));
  const auto incident = std::find_if(waiting.rbegin(), waiting.rend(),
                                     [&](const Incident& one) { return one.cause == alert.cause; });
  const bool is_incident = incident != waiting.rend();
  if (is_incident)
    message.paragraphs.push_back(fmt::format(fmt::runtime(kIncident.in(language)), invocation(config),
                                             incident->id, said_time(incident->due(), language)));
  if (telling.turn == AlertTurn::escalated) message.paragraphs.emplace_back(kForYou.in(language));
  if (!notice && !alert.acknowledged_at)
    message.paragraphs.push_back(
        fmt::format(fmt::runtime(kAcknowledge.in(language)), invocation(config), alert.id));
  if (alert.kind == alert_kind_name(AlertKind::finding))
    message.paragraphs.push_back(
        fmt::format(fmt::runtime(kCloseFinding.in(language)), invocation(config), alert.id));
  if (open > kFew)
    message.paragraphs.push_back(fmt::format(fmt::runtime(kMany.in(language)), invocation(config), open));
  if (is_incident)
    message.command = fmt::format("{} incident show {}", invocation(config), incident->id);
  else if (!topic.command.empty())
    message.command =
        fmt::format("{} {}", invocation(config),
                    command_of(topic, called(alert.exchange), std::to_string(alert.id), subject_of(alert)));
  return message;
}

namespace {

// It has no row in the books.
AlertMessage loose(const Config& config, Time now, std::string_view topic, AlertKind severity) {
  AlertMessage message = addressed(config, now);
  message.thread = fmt::format("{}.{}.{}", config.party, to_millis(now), topic);
  message.id = message.thread;
  message.severity = alert_kind_name(severity);
  message.topic = topic;
  message.opened = now;
  return message;
}

}  // namespace

AlertMessage trial_message(const Config& config, Time now) {
  AlertMessage message = loose(config, now, "trial", AlertKind::notice);
  message.turn = "trial";
  message.code = "TRIAL";
  message.headline = kTrialHeadline.in(config.language);
  message.paragraphs.emplace_back(kTrial.in(config.language));
  return message;
}

AlertMessage failure_message(const Config& config, const std::string& unit, bool check, Time now) {
  AlertMessage message = loose(config, now, "failed", AlertKind::attention);
  message.turn = alert_turn_name(AlertTurn::opened);
  message.code = "FAILED";
  message.headline = (check ? kCheckHeadline : kFailedHeadline).in(config.language);
  message.paragraphs.push_back(
      as_typed(filled((check ? kCheckFailed : kFailed).in(config.language), unit), config));
  message.command = "systemctl status " + unit;
  return message;
}

std::string journal_catalog(Language language) {
  static constexpr Phrase kNext = {"Typ, met de naam van de instantie uit @_SYSTEMD_UNIT@:",
                                   "Type, with the instance's name from @_SYSTEMD_UNIT@:"};
  std::string catalog;
  for (const AlertMeaning& topic : alert_meanings()) {
    catalog += fmt::format(
        "-- {}\nSubject: {}\nDefined-By: Veerdienst\nSupport: "
        "file:/usr/share/doc/veerdienst/alerts.md\n\n{}\n",
        message_id(topic.name), topic.headline.in(language), topic.meaning.in(language));
    if (!topic.command.empty())
      catalog += fmt::format("\n{}\n  veer -i NAME {}\n", kNext.in(language),
                             command_of(topic, "@VEERDIENST_EXCHANGE@", "NUMBER", ""));
    catalog += '\n';
  }
  return catalog;
}

}  // namespace veer

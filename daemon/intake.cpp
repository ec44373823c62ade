#include "daemon/intake.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/log.h"
#include "daemon/closing.h"
#include "daemon/rules.h"
#include "daemon/texts.h"
#include "formats/practice_list.h"

namespace veer {
namespace {

// So long a file may go on changing until somebody is told.
constexpr std::chrono::hours kLongestSettling{1};

// Excel marks so, beside it, a file that it has open.
constexpr std::string_view kOfficeLock = "~$";

std::string drop_cause(const std::string& name) { return "drop:" + name; }

/// Empty when there is none, or something else.
std::optional<FileIdentity> regular_file(const fs::path& path) {
  try {
    return identify(path);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// How many refused files are told of one by one.
constexpr std::size_t kToldSingly = 20;

std::string refusal_cause(const std::string& name) { return "not-taken-in:" + name; }

std::string leftover_cause(const std::string& name) { return "leftover:" + name; }

/// The first few places of faults.
std::string places(const ListReport& report) {
  static constexpr std::size_t kShown = 5;
  std::vector<std::string> shown;
  for (const Fault& fault : report.faults) {
    if (shown.size() == kShown) break;
    shown.push_back(fmt::format("{} ({})", fault.place, code_name(fault.code)));
  }
  return fmt::format("{}{}", fmt::join(shown, ", "), report.faulty() > kShown ? ", …" : "");
}

Error faulty(const ListReport& report) {
  return {
      Code::i_faulty,
      fmt::format("the list holds faults ({}): correct them and offer the list again, or have an operator "
                  "leave the faulty lines out ('veer send --set-aside-faulty FILE')",
                  summary(report.counts))};
}

void require_no_number(const std::string& name) {
  if (without_numbers(name) != name)
    throw Error(Code::i_name, "the name holds what could be a national number: give the file another name");
}

/// In small letters, with its point.
std::string ending_of(const std::string& name) {
  std::string ending = fs::path(name).extension();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending;
}

int year_named(const std::string& text) {
  const auto year = parse_year(text);
  if (!year) throw Error(Code::u_usage, "the year of an empty list is named by its four digits");
  return *year;
}

}  // namespace

std::string note_file(const std::string& name) {
  static constexpr std::size_t kLongestName =
      250;  // bytes; file systems take 255, a file being written 5 more
  if (name.size() + kNoteSuffix.size() <= kLongestName) return name + std::string(kNoteSuffix);
  const std::string mark = "~" + sha256_hex(name).substr(0, 8);
  std::size_t cut = kLongestName - kNoteSuffix.size() - mark.size();
  while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xc0) == 0x80) --cut;  // no half of a letter
  return name.substr(0, cut) + mark + std::string(kNoteSuffix);
}

void require_list_name(const std::string& name) {
  require_no_number(name);
  if (const std::string ending = ending_of(name); ending != ".csv" && ending != ".txt" && ending != ".xlsx")
    throw Error(Code::i_name, "the name is not that of a list: it ends in .csv, .txt or .xlsx");
}

void require_there(const fs::path& file) {
  if (!identify(file))
    throw Error(Code::i_file, "there is no such file, or its folder may not be looked into");
}

std::vector<DroppedFile> dropped_files(const fs::path& drop) {
  std::vector<DroppedFile> files;
  for (const std::string& name : names_in(drop)) {
    if (name.starts_with('.') || name.starts_with(kOfficeLock) || name.ends_with(kNoteSuffix)) continue;
    DroppedFile file{drop / name, without_numbers(name)};
    struct stat status {};
    // Two files may differ only in what is not shown of their names.
    if (file.name != name && lstat(file.path.c_str(), &status) == 0)
      file.name += fmt::format(" ({})", status.st_ino);
    files.push_back(std::move(file));
  }
  return files;
}

int reference_year_of(const IntakeConfig& config, const std::string& name) {
  require_no_number(name);
  std::smatch match;
  if (!std::regex_match(name, match, config.name) || match.size() < 2 || match[1].length() != 4 ||
      match.str(1).find_first_not_of("0123456789") != std::string::npos)
    throw Error(Code::i_name,
                fmt::format("the name is not that of a list: call it like inburgeringsplicht-2026.csv "
                            "(pattern {})",
                            config.name_pattern));
  return std::stoi(match[1]);
}

ListReport read_list(const std::string& name, std::string_view bytes, Date reference,
                     const Transfer& transfer) {
  return ending_of(name) == ".xlsx" ? read_spreadsheet_list(bytes, reference, transfer)
                                    : read_text_list(bytes, reference, transfer);
}

Time Intake::scan(const Transfer& transfer) {
  finish_taken();
  const std::vector<DroppedFile> files = dropped_files(at_.config.drop);
  forget_absent(files);
  Time next = at_.clock.now() + at_.config.intake.rescan;
  for (const DroppedFile& file : files) {
    const std::string cause = drop_cause(file.name);
    try {
      const auto again = look_at(file, transfer);
      if (again) next = std::min(next, *again);
      if (!is_restless(file, again.has_value()) && at_.alerts.is_open(cause))
        at_.db.transaction([&] { at_.alerts.close(cause); });
    } catch (const Error& error) {  // one file's trouble is not another's
      if (error.code() == Code::l_stopped) throw;
      log(LogLevel::warn, "{}: {}: {}", printable(file.name), code_name(error.code()), error.message());
      const bool told = at_.alerts.is_open(cause);
      at_.db.transaction([&] {
        if (!told)
          at_.offers.tell({file.name, trouble_note(at_.config.language, file.name, error, at_.clock.now())});
        at_.alerts.raise(cause, AlertKind::attention, code_name(error.code()), "",
                         fmt::format("{} could not be taken in: {}", printable(file.name), error.message()));
      });
    }
  }
  if (at_.alerts.is_open(refusal_cause("")) && !at_.offers.more_refused_than(kToldSingly)) tell_rest_singly();
  return next;
}

// What never rests is never taken in: somebody, or something, writes it again and again.
bool Intake::is_restless(const DroppedFile& file, bool settles) {
  if (!settles) {
    settling_.erase(file.name);
    return false;
  }
  const Time now = at_.clock.now();
  const Time since = settling_.try_emplace(file.name, now).first->second;
  if (now - since < kLongestSettling + at_.config.intake.settle) return false;
  at_.db.transaction([&] {
    at_.alerts.raise(
        drop_cause(file.name), AlertKind::attention, code_name(Code::i_changed), "",
        fmt::format("{} changes each time that it is looked at, so that it is not taken in: find out "
                    "what writes to it (a synchronisation, a virus scanner?), or offer it with 'veer "
                    "send FILE'",
                    printable(file.name)));
  });
  return true;
}

// Stopped between the commit and the unlinking.
void Intake::finish_taken() {
  for (const Offer& offer : at_.offers.all())
    if (offer.stage == OfferStage::taken) remove_taken(at_.config.drop / offer.name, offer);
  // What was claimed and is not what was taken goes back where it came from.
  for (const std::string& name : names_in(at_.config.drop)) {
    const fs::path claimed = at_.config.drop / name;
    const std::string_view inner = std::string_view(name).substr(1);
    const fs::path back = at_.config.drop / inner.substr(0, inner.rfind('.'));
    if (!name.starts_with('.') || claimed_name(back) != claimed) continue;
    try {
      rename_if_free(claimed, back);
    } catch (const Error& error) {  // one file's trouble is not another's
      log(LogLevel::warn, "{} stays hidden in the drop folder: {}", printable(shown_name(name)),
          error.message());
    }
  }
}

// Whatever keeps it there: the list is safe by then, and other files go on.
void Intake::remove_taken(const fs::path& path, const Offer& offer) {
  const std::string cause = leftover_cause(offer.name);
  const auto identity = FileIdentity::parse(offer.identity);
  try {
    if (identity && !remove_if_same(path, *identity)) {
      const auto there = regular_file(path);
      if (there && there->is_same_file(*identity))
        throw Error(Code::l_io, "the name under which it is removed is taken");
      if (there)
        log(LogLevel::warn,
            "{} was changed after it was taken in; what stands there now is looked at by itself",
            printable(offer.name));
    }
    if (at_.alerts.is_open(cause)) at_.db.transaction([&] { at_.alerts.close(cause); });
  } catch (const Error& error) {
    if (at_.alerts.is_open(cause)) return;
    log(LogLevel::warn, "{} was taken in, and could not be removed: {}", printable(offer.name),
        error.message());
    at_.db.transaction([&] {
      at_.alerts.raise(
          cause, AlertKind::attention, code_name(error.code()), "",
          fmt::format("{} was taken in, and could not be removed from the drop folder ({}): remove it "
                      "by hand, and give the service the right to remove files there",
                      printable(offer.name), error.message()));
    });
  }
}

// A file that its owner took away needs no memory, so that it is looked at afresh when it comes back.
void Intake::forget_absent(const std::vector<DroppedFile>& files) {
  std::erase_if(settling_, [&](const auto& file) {
    return std::none_of(files.begin(), files.end(),
                        [&](const DroppedFile& there) { return there.name == file.first; });
  });
  for (const Offer& offer : at_.offers.all())
    if (std::none_of(files.begin(), files.end(),
                     [&](const DroppedFile& file) { return file.name == offer.name; }))
      at_.db.transaction([&] {
        at_.offers.forget(offer.name);
        at_.alerts.close(drop_cause(offer.name));
        at_.alerts.close(leftover_cause(offer.name));
        at_.alerts.close(refusal_cause(offer.name));
      });
}

std::optional<Time> Intake::look_at(const DroppedFile& file, const Transfer& transfer) {
  const Time now = at_.clock.now();
  const std::optional<Offer> known = at_.offers.find(file.name);
  Offer offer{file.name, "", OfferStage::settling, now};
  try {
    const auto identity = identify(file.path);
    if (!identity) return std::nullopt;
    offer.identity = identity->text();
    if (known && known->identity == offer.identity) {
      offer = *known;
      if (offer.stage != OfferStage::settling) return std::nullopt;
    } else {
      reference_year_of(at_.config.intake, file.path.filename());
      at_.db.transaction([&] { at_.offers.save(offer); });
    }
    if (now < offer.seen_at + at_.config.intake.settle) return offer.seen_at + at_.config.intake.settle;
    require_open(at_);
    if (!at_.holds.suspensions().empty())
      wait_for_resumption(offer);
    else
      take_from_drop(file, offer, transfer);
  } catch (const Error& error) {
    if (error.code() == Code::i_changed) return now + at_.config.intake.settle;
    if (remedy_of(error.code()) != Remedy::refuse) throw;
    if (offer.identity.empty()) offer.identity = std::string(code_name(error.code()));
    if (!known || known->identity != offer.identity || known->stage != OfferStage::refused)
      refuse(offer, error, nullptr);
  }
  return std::nullopt;
}

// Nothing is lost: it stays where it lies.
void Intake::wait_for_resumption(Offer offer) {
  if (!offer.refused_as.empty()) return;  // it is known already, or waits for a person anyway
  offer.refused_as = code_name(Code::c_suspended);
  at_.db.transaction([&] {
    at_.offers.save(offer);
    at_.offers.tell({offer.name, suspended_note(at_.config.language, offer.name, at_.clock.now())});
  });
}

void Intake::take_from_drop(const DroppedFile& dropped, const Offer& offer, const Transfer& transfer) {
  const Sealing::Place place = sealing_.first_list(reference_year_of(at_.config.intake, offer.name));
  FileIdentity identity;
  ListReport report;
  {
    const ReadFile file = read_once(dropped.path, at_.config.intake.cap);
    if (file.identity.text() != offer.identity)
      throw Error(Code::i_changed, "the file changed since it was last seen; it is left to settle");
    identity = file.identity;
    require_offerer(at_.config.environment, at_.config.access, identity, geteuid());
    report = read_list(offer.name, file.bytes, reference_date_of(place.reference_year), transfer);
  }
  if (!report.good()) {
    refuse(offer, faulty(report), &report);
    return;
  }
  const auto taken = [&](const Exchange& x) {
    at_.offers.save({offer.name, offer.identity, OfferStage::taken, offer.seen_at});
    at_.alerts.close(refusal_cause(offer.name));
    const Turn turn = x.stage == Stage::held ? Turn::held : Turn::sealed;
    at_.offers.tell({offer.name, note_of(at_.config.language, turn, x, "", x.opened_at)});
  };
  sealing_.seal({.origin = offer.name, .offerer = person_of(identity.owner), .noted = true, .also = taken},
                place, std::move(report), transfer);
  remove_taken(dropped.path, {offer.name, identity.text(), OfferStage::taken, offer.seen_at});
}

Exchange Intake::take(const Command& command, const Transfer& transfer) {
  // Carried out already, and stopped before that was written down.
  if (const auto done = at_.ledger.exchange_of_command(command.id)) return *done;
  const bool corrects = command.verb.find("-correction") != std::string::npos;
  const auto place_of = [&](int year) {
    return corrects ? sealing_.correction(year) : sealing_.first_list(year);
  };
  if (command.verb.starts_with("send-empty")) {
    const Sealing::Place place = place_of(year_named(command.argument));
    require_none_dropped(place.reference_year);
    return sealing_.seal({.origin = fmt::format("empty list {}", place.reference_year),
                          .offerer = command.who,
                          .command = command.id},
                         place, {}, transfer);
  }
  const fs::path path = command.argument;
  const std::string name = path.filename();
  const Sealing::Place place = place_of(reference_year_of(at_.config.intake, name));
  const ReadFile file = read_offered(command);
  ListReport report = read_list(name, file.bytes, reference_date_of(place.reference_year), transfer);
  if (!report.good() && !command.verb.ends_with("-set-aside"))
    throw Error(Code::i_faulty, fmt::format("{}. 'veer check-list FILE' shows all of them: {}",
                                            faulty(report).message(), places(report)));
  if (!report.good() && report.rest.empty())
    throw Error(Code::f_empty, "no line of it is without a fault: it is the wrong file, or the wrong column");
  return sealing_.seal({.origin = name, .offerer = command.who, .command = command.id}, place,
                       std::move(report), transfer);
}

Exchange Intake::rehearse(const std::optional<Command>& command, const Transfer& transfer) {
  static constexpr std::size_t kNumbers = 1000;
  if (command)
    if (const auto done = at_.ledger.exchange_of_command(command->id)) return *done;
  if (const auto last = at_.ledger.last_rehearsal(); last && is_open(last->stage))
    throw Error(
        Code::u_state,
        fmt::format("rehearsal {} is still under way: wait for its receipt, or take it back with 'veer "
                    "withdraw {}'",
                    last->id, last->id.substr(0, 8)));
  ListReport report;
  report.numbers = practice_list(kNumbers, at_.random);
  const Person who = command ? command->who : Person{geteuid(), "the service itself"};
  return sealing_.seal({.origin = "rehearsal",
                        .offerer = who,
                        .command = command ? command->id : 0,
                        .purpose = Purpose::rehearsal},
                       {static_cast<int>(date_of(at_.clock.now()).year())}, std::move(report), transfer);
}

// "send" names a file that this process may open, "send-open" one that its owner handed over open.
ReadFile Intake::read_offered(const Command& command) const {
  if (!command.verb.starts_with("send-open")) {
    require_there(command.argument);
    return read_once(command.argument, at_.config.intake.cap);
  }
  const auto file = at_.files.find(command.id);
  if (!file) throw Error(Code::u_state, "the service began anew before it had read the file: offer it again");
  return read_open(file->get(), command.argument, at_.config.intake.cap);
}

// Whoever says that there is nobody does not overlook a list that lies there, refused for a fault perhaps.
void Intake::require_none_dropped(int year) const {
  for (const DroppedFile& file : dropped_files(at_.config.drop)) {
    std::smatch match;
    const std::string name = file.path.filename();
    if (std::regex_match(name, match, at_.config.intake.name) && match.str(1) == std::to_string(year))
      throw Error(Code::u_state,
                  fmt::format("{} lies in the drop folder: take it away first when there is nobody to name "
                              "for {}",
                              printable(file.name), year));
  }
}

// Within the transaction that refuses it. A folder full of files that are no lists is one matter.
void Intake::tell_refused(const Offer& offer, const Error& error) {
  // Of what bears a list's name each is told, whatever else lies there.
  if (error.code() == Code::i_name && at_.offers.more_refused_than(kToldSingly) &&
      !at_.alerts.is_open(refusal_cause(offer.name)))
    at_.alerts.raise(refusal_cause(""), AlertKind::attention, "MANY_FILES", "",
                     fmt::format("more than {} files in {} were not taken in, most of them no lists by their "
                                 "names: 'veer status' lists them, and a "
                                 "note lies beside each",
                                 kToldSingly, at_.config.drop.native()));
  else
    at_.alerts.raise(refusal_cause(offer.name), AlertKind::attention, code_name(error.code()), "",
                     fmt::format("{} was not taken in: {}. The note beside it in {} says more",
                                 printable(offer.name), error.message(), at_.config.drop.native()));
}

// So few are left that each is told of by itself.
void Intake::tell_rest_singly() {
  at_.db.transaction([&] {
    at_.alerts.close(refusal_cause(""));
    for (const Offer& offer : at_.offers.all())
      if (offer.stage == OfferStage::refused && !at_.alerts.is_open(refusal_cause(offer.name)))
        at_.alerts.raise(refusal_cause(offer.name), AlertKind::attention, offer.refused_as, "",
                         fmt::format("{} was not taken in ({}). The note beside it in {} says why",
                                     printable(offer.name), offer.refused_as, at_.config.drop.native()));
  });
}

void Intake::refuse(Offer offer, const Error& error, const ListReport* report) {
  const bool told = offer.refused_as == code_name(error.code());
  offer.stage = OfferStage::refused;
  offer.refused_as = code_name(error.code());
  at_.db.transaction([&] {
    at_.offers.save(offer);
    if (told) return;  // looked at afresh, and nothing is new
    std::string text = refusal_note(at_.config.language, offer.name, error, report, at_.clock.now());
    // What became of the list that came before under this name stays to be read.
    for (const Exchange& x : at_.ledger.exchanges())
      if (x.origin == offer.name && x.noted && x.stage == Stage::acknowledged)
        text += "\n" + note_of(at_.config.language, Turn::recorded, x, "", x.changed_at);
    at_.offers.tell({offer.name, text});
    tell_refused(offer, error);
    at_.audit.append("intake-refused", "",
                     {{"origin", shown_name(offer.name)}, {"code", std::string(code_name(error.code()))}});
  });
  if (told) return;
  log(LogLevel::warn, "{} was not taken in: {}: {}", printable(offer.name), code_name(error.code()),
      error.message());
}

}  // namespace veer

#include "daemon/erasure.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/distribution.h"
#include "daemon/hand_over.h"
#include "daemon/old_pages.h"
#include "daemon/persons.h"
#include "daemon/requests.h"

namespace veer {
namespace {

constexpr std::string_view kPrefix = "forget-";
constexpr std::string_view kUndoPrefix = "forget-undo-";
constexpr const char* kMarksCause = "marks";
constexpr std::uint64_t kMostMarks = std::uint64_t{64} << 20;
constexpr std::size_t kMostSealed = std::size_t{1} << 20;
constexpr std::size_t kLongestNotice = 300;
constexpr std::size_t kHex = 64;  // of a key, and of a mark

std::string mark_of(const std::string& key, const Insz& person) {
  return hmac_sha256_hex(key, digits_of(person));
}

std::string line_of(const std::string& key, const Insz& person) {
  return fmt::format("{} {}", key, mark_of(key, person));
}

/// Whether it begins as an encrypted OpenPGP message does (RFC 4880, 4.2 and 5.1), and no number.
bool is_sealed(const Fd& file) {
  unsigned char first = 0;
  return pread(file.get(), &first, 1, 0) == 1 && ((first & 0xFC) == 0x84 || first == 0xC1);
}

/// Whether it is OpenPGP in another form: armored, or another packet (RFC 4880, 4.2 and 6.2). A text may
/// begin with a mark of its coding, which no packet's first byte is.
bool is_other_openpgp(const Fd& file) {
  static constexpr std::string_view kArmor = "-----BEGIN PGP";
  static constexpr std::array<unsigned char, 3> kMarks = {0xEF, 0xFE, 0xFF};
  std::array<char, kArmor.size()> start{};
  const ssize_t n = pread(file.get(), start.data(), start.size(), 0);
  const auto first = static_cast<unsigned char>(start[0]);
  const bool packet = (first & 0x80U) != 0 && std::find(kMarks.begin(), kMarks.end(), first) == kMarks.end();
  return n > 0 && !is_sealed(file) &&
         (packet || std::string_view(start.data(), static_cast<std::size_t>(n)) == kArmor);
}

bool is_mark(const std::string& line) {
  return line.size() == 2 * kHex + 1 && line[kHex] == ' ' && is_sha256(line.substr(0, kHex)) &&
         is_sha256(line.substr(kHex + 1));
}

std::set<std::string> lines_of(const fs::path& file) {
  std::error_code none;
  std::set<std::string> lines;
  if (!fs::exists(file, none)) return lines;
  std::istringstream text(read_file(file, kMostMarks));
  for (std::string line; std::getline(text, line);)
    if (is_mark(line)) lines.insert(line);
  return lines;
}

std::set<std::string> lines_of(Database& db) {
  std::set<std::string> lines;
  for (const Row& row : db.query("SELECT mark FROM erased")) lines.insert(row.text(0));
  return lines;
}

void write_lines(const fs::path& file, const std::set<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  write_file(file, text);
}

/// Those who are marked by any of the keys.
std::vector<Insz> marked_in(const std::map<std::string, std::set<std::string>>& marks,
                            const std::vector<Insz>& persons) {
  std::vector<Insz> marked;
  if (marks.empty()) return marked;
  std::copy_if(persons.begin(), persons.end(), std::back_inserter(marked), [&](const Insz& person) {
    return std::any_of(marks.begin(), marks.end(), [&](const auto& keyed) {
      return keyed.second.contains(mark_of(keyed.first, person));
    });
  });
  return marked;
}

}  // namespace

std::string read_marks(const fs::path& file) {
  std::string text = read_file(file, kMostMarks);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!is_mark(line))
      throw Error(Code::u_usage, fmt::format("{} is not the {} of a state folder, or it is damaged",
                                             printable(file.native(), 300), kMarksFile));
  return text;
}

bool Erasure::is_called(const std::string& subject) { return subject.starts_with(kPrefix); }
bool Erasure::is_undo(const std::string& subject) { return subject.starts_with(kUndoPrefix); }

Erasure::Notice Erasure::notice_of(const Command& command, const Transfer& transfer) const {
  const auto file = at_.files.find(command.id);
  if (!file)
    throw Error(Code::u_state, "the service began anew before it had read the numbers: give them again");
  const Date today = date_of(at_.clock.now());
  if (is_other_openpgp(*file))
    throw Error(
        Code::u_usage,
        "that is an OpenPGP file, but an armored one, or one that is not encrypted to this side: have it "
        "signed and encrypted anew, without --armor");
  if (!is_sealed(*file)) return {read_persons(*file, kMostTyped, today), std::nullopt};
  const auto others =
      at_.config.forgetting_keys.empty() ? nullptr : at_.open_seal(at_.config.forgetting_keys);
  const std::string sealed = entrusted_bytes(*file, kMostSealed);
  MemFile plain(kMostSealed);
  const Opened by = (others ? *others : at_.seal).open(MemoryBlob(sealed), plain, transfer);
  plain.seal();
  return {read_persons(plain.bytes(), kMostSigned, today), by};
}

/// The one in use, or a new one when nobody was forgotten yet.
std::string Erasure::key() {
  const auto row = at_.db.query_one("SELECT mark FROM erased LIMIT 1");
  return row ? row->text(0).substr(0, kHex) : random_hex(at_.random);
}

std::string Erasure::ask(const Command& command, const Transfer& transfer) {
  const bool undoes = command.argument.starts_with(kUndo);
  const std::string subject = fmt::format("{}{}", undoes ? kUndoPrefix : kPrefix, command.id);
  if (at_.holds.find(HoldKind::erasure, subject)) return subject;  // before, and stopped before that was told
  const Notice given = notice_of(command, transfer);
  const std::vector<Insz>& persons = given.persons;
  const auto& by = given.by;
  std::string notice = command.argument;
  if (undoes) notice.erase(0, notice.find_first_not_of(' ', kUndo.size()));
  notice = shown_text(notice, kLongestNotice);
  if (notice.find_first_not_of(' ') == std::string::npos)
    throw Error(Code::u_usage, "say by which notice of death: it stays in the audit trail");
  if (by) notice += fmt::format(", signed by {} on {}", by->signer, format_time(by->signed_at));
  if (undoes) require_marked(persons);
  const std::string wish =
      undoes
          ? fmt::format("undo that {} person(s) were forgotten ({})", persons.size(), notice)
          : fmt::format("forget {} person(s), of whom {} stand in the register now, on notice of death ({})",
                        persons.size(), listed_among(persons), notice);
  const std::string salt = random_hex(at_.random);
  at_.db.transaction([&] {
    at_.holds.open(HoldKind::erasure, subject, commitment_to(persons, salt), command.who,
                   fmt::format("{} person(s), {}", persons.size(), notice));
    const auto keep = [&](const std::string& commitment) {
      at_.db.execute("INSERT INTO salt (subject, salt, commitment) VALUES (:subject, :salt, :commitment)",
                     {subject, salt, commitment});
    };
    // By these whoever forgets one of them finds this request; who was forgotten already is bound to nothing.
    const auto fresh = undoes ? std::vector<Insz>() : not_marked(persons);
    for (const Insz& person : fresh) keep(commitment_to({person}, salt));
    if (fresh.empty()) keep("");
    at_.audit.append(undoes ? "forget-undo-asked" : "forget-asked", "",
                     {{"subject", subject},
                      {"persons", std::to_string(persons.size())},
                      {"notice", notice},
                      {"who", command.who.name}});
    at_.alerts.raise(
        request_cause(subject), AlertKind::attention, undoes ? "FORGET_UNDO" : "FORGET", subject,
        fmt::format("{} asks to {}. Another person, an approver, gives the same {}: "
                    "'veer approve {}{}'",
                    command.who.name, wish, by ? "file" : "number(s)", subject, by ? " < FILE" : ""));
  });
  return subject;
}

std::string Erasure::approve(const Command& command, const Transfer& transfer) {
  const std::string& subject = command.argument;
  const Approved request = require_request(at_, HoldKind::erasure, subject, command);
  const Hold& hold = request.hold;
  std::string done = hold.reason;
  if (!request.before) {
    const std::vector<Insz> persons = notice_of(command, transfer).persons;
    const auto salt = at_.db.query_one("SELECT salt FROM salt WHERE subject = :subject LIMIT 1", {subject});
    if (!salt || commitment_to(persons, salt->text(0)) != hold.digest)
      throw Error(Code::u_state,
                  fmt::format("these are not the numbers that {} asked for: compare them with the notice, or "
                              "reject {}",
                              hold.asked_by ? hold.asked_by->name : "somebody", subject));
    done = is_undo(subject) ? undo(persons, hold, command.who) : forget(persons, hold, command.who, transfer);
    log(LogLevel::info, "{} released {}", command.who.name, subject);
  }
  if (is_undo(subject))
    return fmt::format(
        "{} is carried out: {}. Their numbers were erased: they stand in the register, and go to care funds, "
        "only once a list or a correction of the other side brings them. A backup or an {} from before "
        "forgets them anew",
        subject, done, kMarksFile);
  const bool settled = settle();
  const std::string readable = sealed_here();
  return fmt::format(
      "{} is carried out: {}. The register{} the number(s) any more{}; sealed packages and backups from "
      "before still do{}",
      subject, done, settled ? " and what was made of it do not hold" : " does not hold",
      settled ? ""
              : ". What was made of it, or is left in the database's files, could not all be removed yet "
                "(somebody reads them, "
                "or a folder is away), and is tried again: 'veer alerts' tells what stays",
      readable.empty() ? "" : fmt::format(", and so may these, which this side can open: {}", readable));
}

// What came of it is kept with the decision: a service that is stopped right after it tells the same.
std::string Erasure::forget(const std::vector<Insz>& persons, const Hold& hold, const Person& who,
                            const Transfer& transfer) {
  const auto bound = bound_to(persons, transfer);
  std::string done;
  at_.db.transaction([&] {
    const Erased erased = erase(persons);
    done = fmt::format("{} number(s) given, {} of them in the register, entries erased: {}", persons.size(),
                       erased.listed, erased.entries);
    cut_loose(bound);
    std::vector<std::string> lapsed;
    for (const std::string& subject : bound.requests)
      if (subject != hold.subject && lapse(subject)) lapsed.push_back(subject);
    if (!lapsed.empty())
      done += fmt::format("; {} named one of them too, was not carried out and is to be asked anew",
                          fmt::join(lapsed, ", "));
    at_.holds.decide(hold, HoldState::released, who, done);
    unbind(hold.subject);
    HandOver(at_).tell_taken_back();
    Distribution(at_).take_back();
    at_.audit.append("forgotten", "",
                     {{"subject", hold.subject},
                      {"persons", std::to_string(persons.size())},
                      {"listed", std::to_string(erased.listed)},
                      {"entries", std::to_string(erased.entries)},
                      {"asked_by", hold.asked_by ? hold.asked_by->name : ""},
                      {"who", who.name}});
    at_.alerts.close(request_cause(hold.subject));
  });
  return done;
}

void Erasure::require_marked(const std::vector<Insz>& persons) {
  if (const std::size_t none = persons.size() - marked_among(persons).size(); none > 0)
    throw Error(Code::u_state,
                fmt::format("{} of the {} number(s) given were not forgotten, or that was undone already: "
                            "compare them with the notice, and give those alone that were",
                            none, persons.size()));
}

// The file goes before the books, as the transaction's last step: who is marked in the books alone is so in
// both at the next start, and nothing was undone.
std::string Erasure::undo(const std::vector<Insz>& persons, const Hold& hold, const Person& who) {
  require_marked(persons);
  std::set<std::string> lines = lines_of(marks_file());
  lines.merge(lines_of(at_.db));
  std::set<std::string> keys;
  for (const std::string& line : lines) keys.insert(line.substr(0, kHex));
  const std::string done = fmt::format("{} person(s) may be entered again", persons.size());
  at_.db.transaction([&] {
    for (const Insz& person : persons)
      for (const std::string& key : keys) {
        const std::string line = line_of(key, person);
        lines.erase(line);
        at_.db.execute("DELETE FROM erased WHERE mark = :mark", {line});
      }
    at_.holds.decide(hold, HoldState::released, who, done);
    unbind(hold.subject);
    at_.audit.append("forget-undone", "",
                     {{"subject", hold.subject},
                      {"persons", std::to_string(persons.size())},
                      {"asked_by", hold.asked_by ? hold.asked_by->name : ""},
                      {"who", who.name}});
    at_.alerts.close(request_cause(hold.subject));
    write_lines(marks_file(), lines);
  });
  return done;
}

std::string Erasure::sealed_here() {
  std::vector<std::string> files;
  for (const Arrival& arrival : at_.ledger.open_arrivals())
    if (arrival.stage == ArrivalStage::fetched) files.push_back(at_.fetched_file(arrival));
  for (const std::string& name : names_in(at_.quarantine)) files.push_back(at_.quarantine / name);
  return fmt::format("{}", fmt::join(files, ", "));
}

bool Erasure::owes() { return at_.alerts.is_open(kMarksCause) || HandOver(at_).owes_removal(); }

bool Erasure::settle() {
  try {
    write_marks();
    if (at_.alerts.is_open(kMarksCause)) at_.db.transaction([&] { at_.alerts.close(kMarksCause); });
  } catch (const Error& error) {
    at_.db.transaction([&] {
      at_.alerts.raise(
          kMarksCause, AlertKind::attention, code_name(error.code()), "",
          fmt::format("who was forgotten could not be noted in {}: {}. It is tried again; until "
                      "then no copy of that file keeps them from coming back with an older backup",
                      marks_file().native(), error.message()));
    });
  }
  HandOver(at_).tidy(HandOver::Age::is_unsure);
  Distribution(at_).sweep();
  return forget_old_pages(at_.db) && !owes();
}

std::int64_t Erasure::listed_among(const std::vector<Insz>& persons) {
  return std::count_if(persons.begin(), persons.end(), [&](const Insz& person) {
    return at_.db
        .query_one("SELECT 1 FROM entry WHERE list IN (SELECT id FROM list) AND insz = :insz LIMIT 1",
                   {static_cast<std::int64_t>(person.value())})
        .has_value();
  });
}

Erasure::Erased Erasure::erase(const std::vector<Insz>& persons) {
  const std::string in_use = key();
  Erased erased;
  for (const Insz& person : persons) {
    const std::int64_t entries =
        at_.db.execute("DELETE FROM entry WHERE list IN (SELECT id FROM list) AND insz = :insz",
                       {static_cast<std::int64_t>(person.value())});
    erased.entries += entries;
    if (entries > 0) ++erased.listed;
    at_.db.execute("INSERT INTO erased (mark) VALUES (:mark) ON CONFLICT DO NOTHING",
                   {line_of(in_use, person)});
  }
  return erased;
}

// Each number is tried against each salt: outside the transaction, since thousands of both take a while.
Erasure::Bound Erasure::bound_to(const std::vector<Insz>& persons, const Transfer& transfer) {
  Bound bound;
  std::uint64_t seen = 0;
  std::string salt;
  std::set<std::string> theirs;  // with that salt
  for (const Row& row :
       at_.db.query("SELECT seq, salt, commitment, subject FROM salt WHERE commitment <> '' ORDER BY salt")) {
    if (row.text(1) != salt) {
      transfer.tick(++seen);
      salt = row.text(1);
      theirs.clear();
      for (const Insz& person : persons) theirs.insert(commitment_to({person}, salt));
    }
    if (!theirs.contains(row.text(2))) continue;
    if (row.is_null(0))
      bound.requests.insert(row.text(3));
    else
      bound.records.insert(row.integer(0));
  }
  return bound;
}

// From then on these commitments in the audit trail are bound to nobody.
void Erasure::cut_loose(const Bound& bound) {
  for (const std::int64_t seq : bound.records) at_.db.execute("DELETE FROM salt WHERE seq = :seq", {seq});
}

// Of a request that is over.
void Erasure::unbind(const std::string& subject) {
  at_.db.execute("DELETE FROM salt WHERE subject = :subject", {subject});
  at_.holds.forget_digest(HoldKind::erasure, subject);
  note_old_pages(at_.db, at_.clock.now());
}

// It names somebody who is forgotten by now, to whom nothing is bound any more.
bool Erasure::lapse(const std::string& subject) {
  const auto hold = at_.holds.find(HoldKind::erasure, subject);
  if (!hold || hold->state != HoldState::open) return false;
  at_.holds.lapse(HoldKind::erasure, subject);
  unbind(subject);
  at_.alerts.close(request_cause(subject));
  at_.audit.append("forget-lapsed", "", {{"subject", subject}});
  at_.alerts.raise(
      "forget-lapsed:" + subject, AlertKind::attention, "FORGET_LAPSED", subject,
      fmt::format(
          "{} ({}) was not carried out: somebody whom it may name was forgotten meanwhile. If it names "
          "others too, give the same numbers, or the same file, to 'veer forget --notice …' again, and "
          "close this",
          subject, hold->purpose));
  return true;
}

// After the transaction, so that nothing is marked that was not decided.
void Erasure::write_marks() {
  std::set<std::string> lines = lines_of(marks_file());
  const std::size_t before = lines.size();
  lines.merge(lines_of(at_.db));
  if (lines.size() != before) write_lines(marks_file(), lines);
}

Erasure::Marks Erasure::marks() {
  Marks marks;
  for (const std::string& line : lines_of(at_.db)) marks[line.substr(0, kHex)].insert(line.substr(kHex + 1));
  return marks;
}

std::vector<Insz> Erasure::marked_among(const std::vector<Insz>& persons) {
  return marked_in(marks(), persons);
}

std::vector<Insz> Erasure::not_marked(const std::vector<Insz>& persons) {
  const auto marked = marked_among(persons);
  std::vector<Insz> others;
  std::set_difference(persons.begin(), persons.end(), marked.begin(), marked.end(),
                      std::back_inserter(others));
  return others;
}

void Erasure::erase_from(const std::string& exchange, const std::vector<Insz>& persons) {
  for (const Insz& person : persons)
    at_.db.execute(
        "DELETE FROM entry WHERE list IN (SELECT id FROM list WHERE exchange = :x) AND insz = :insz",
        {exchange, static_cast<std::int64_t>(person.value())});
  cut_loose(bound_to(persons, {}));
  note_old_pages(at_.db, at_.clock.now());
}

// Of all lists, within the caller's transaction: how many entries went.
std::int64_t Erasure::erase_marked() {
  static constexpr int kAtOnce = 10000;
  const Marks known = marks();
  std::int64_t erased = 0;
  for (const Row& list : at_.db.query("SELECT id, exchange FROM list")) {
    std::int64_t last = -1;
    std::vector<Insz> persons;
    do {
      persons.clear();
      for (const Row& row :
           at_.db.query("SELECT insz FROM entry WHERE list = :list AND insz > :last ORDER BY insz"
                        " LIMIT :most",
                        {list.integer(0), last, kAtOnce})) {
        last = row.integer(0);
        persons.push_back(Insz::trusted(static_cast<std::uint64_t>(last)));
      }
      const auto gone = marked_in(known, persons);
      if (!gone.empty()) erase_from(list.text(1), gone);
      erased += static_cast<std::int64_t>(gone.size());
    } while (!persons.empty());
  }
  return erased;
}

void Erasure::reconcile_marks() {
  std::set<std::string> fresh = lines_of(marks_file());
  for (const std::string& line : lines_of(at_.db)) fresh.erase(line);
  if (!fresh.empty()) {
    at_.db.transaction([&] {
      for (const std::string& line : fresh)
        at_.db.execute("INSERT INTO erased (mark) VALUES (:mark)", {line});
      const std::int64_t entries = erase_marked();
      // A mark cannot be held against the desk's questions, whose number nobody gives again, or against what
      // others ask to forget.
      for (const Hold& hold : at_.holds.of(HoldKind::erasure, HoldState::open))
        if (!is_undo(hold.subject)) lapse(hold.subject);
      at_.db.execute("DELETE FROM salt WHERE commitment <> ''");
      note_old_pages(at_.db, at_.clock.now());
      HandOver(at_).tell_taken_back();
      Distribution(at_).take_back();
      at_.audit.append("forgotten", "",
                       {{"subject", "marks from before"},
                        {"persons", std::to_string(fresh.size())},
                        {"entries", std::to_string(entries)}});
    });
    log(LogLevel::warn, "persons who were forgotten before these books were restored are forgotten again");
  }
  settle();
}

std::string Erasure::reject(const Rejection& rejection, const Person& who) {
  reject_request(at_, HoldKind::erasure, rejection, who,
                 is_undo(rejection.subject) ? "forget-undo-rejected" : "forget-rejected",
                 [&] { unbind(rejection.subject); });
  forget_old_pages(at_.db);
  return fmt::format("{} is not carried out", shown_name(rejection.subject));
}

}  // namespace veer

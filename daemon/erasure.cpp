#include "daemon/erasure.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include <fmt/format.h>

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
constexpr std::uint64_t kMostMarks = std::uint64_t{64} << 20;
constexpr std::size_t kLongestNotice = 300;
constexpr std::size_t kHex = 64;  // of a key, and of a mark

std::string mark_of(const std::string& key, const Insz& person) {
  return hmac_sha256_hex(key, digits_of(person));
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

std::vector<Insz> Erasure::persons_of(const Command& command) const {
  const auto file = at_.files.find(command.id);
  if (!file)
    throw Error(Code::u_state, "the service began anew before it had read the numbers: give them again");
  return read_persons(*file, kMostAtOnce, date_of(at_.clock.now()));
}

/// The one in use, or a new one when nobody was forgotten yet.
std::string Erasure::key() {
  const auto row = at_.db.query_one("SELECT mark FROM erased LIMIT 1");
  return row ? row->text(0).substr(0, kHex) : random_hex(at_.random);
}

std::string Erasure::ask(const Command& command) {
  const std::string notice = without_numbers(printable(command.argument, kLongestNotice));
  const std::string subject = fmt::format("{}{}", kPrefix, command.id);
  if (at_.holds.find(HoldKind::erasure, subject)) return subject;  // before, and stopped before that was told
  const std::vector<Insz> persons = persons_of(command);
  const std::string salt = random_hex(at_.random);
  at_.db.transaction([&] {
    at_.holds.open(HoldKind::erasure, subject, commitment_to(persons, salt), command.who,
                   fmt::format("{} person(s), {}", persons.size(), notice));
    at_.db.execute("INSERT INTO salt (subject, salt, commitment) VALUES (:subject, :salt, '')",
                   {subject, salt});
    at_.audit.append("forget-asked", "",
                     {{"subject", subject},
                      {"persons", std::to_string(persons.size())},
                      {"notice", notice},
                      {"who", command.who.name}});
    at_.alerts.raise(request_cause(subject), AlertKind::attention, "FORGET", subject,
                     fmt::format("{} asks to forget {} person(s) on notice of death ({}). Another person, an "
                                 "approver, gives the same number(s): 'veer approve {}'",
                                 command.who.name, persons.size(), notice, subject));
  });
  return subject;
}

std::string Erasure::approve(const Command& command) {
  const std::string& subject = command.argument;
  const Approved request = require_request(at_, HoldKind::erasure, subject, command);
  const Hold& hold = request.hold;
  if (!request.before) {
    const std::vector<Insz> persons = persons_of(command);
    const auto salt = at_.db.query_one("SELECT salt FROM salt WHERE subject = :subject", {subject});
    if (!salt || commitment_to(persons, salt->text(0)) != hold.digest)
      throw Error(Code::u_state,
                  fmt::format("these are not the numbers that {} asked for: compare them with the notice, or "
                              "reject {}",
                              hold.asked_by ? hold.asked_by->name : "somebody", subject));
    at_.db.transaction([&] {
      const std::int64_t entries = erase(persons);
      cut_salts(persons);
      at_.db.execute("DELETE FROM salt WHERE subject = :subject", {subject});
      note_old_pages(at_.db, at_.clock.now());
      at_.holds.decide(hold, HoldState::released, command.who);
      HandOver(at_).tell_taken_back();
      Distribution(at_).take_back();
      at_.audit.append("forgotten", "",
                       {{"subject", subject},
                        {"persons", std::to_string(persons.size())},
                        {"entries", std::to_string(entries)},
                        {"asked_by", hold.asked_by ? hold.asked_by->name : ""},
                        {"who", command.who.name}});
      at_.alerts.close(request_cause(subject));
    });
    log(LogLevel::info, "{} released {}", command.who.name, subject);
  }
  write_marks();
  HandOver(at_).take_back();
  Distribution(at_).sweep();
  return fmt::format(
      "{} is carried out: the register and what was made of it do not hold the number(s) any more{}; "
      "sealed packages and backups from before still do",
      subject, forget_old_pages(at_.db) ? "" : ", and its files are written anew once nobody reads them");
}

std::int64_t Erasure::erase(const std::vector<Insz>& persons) {
  const std::string in_use = key();
  std::int64_t entries = 0;
  for (const Insz& person : persons) {
    entries += at_.db.execute("DELETE FROM entry WHERE list IN (SELECT id FROM list) AND insz = :insz",
                              {static_cast<std::int64_t>(person.value())});
    at_.db.execute("INSERT INTO erased (mark) VALUES (:mark) ON CONFLICT DO NOTHING",
                   {fmt::format("{} {}", in_use, mark_of(in_use, person))});
  }
  return entries;
}

// From then on the commitments in the audit trail are bound to nobody.
void Erasure::cut_salts(const std::vector<Insz>& persons) {
  for (const Row& row : at_.db.query("SELECT seq, salt, commitment FROM salt WHERE commitment <> ''"))
    for (const Insz& person : persons)
      if (commitment_to({person}, row.text(1)) == row.text(2))
        at_.db.execute("DELETE FROM salt WHERE seq = :seq", {row.integer(0)});
}

// After the transaction, so that nothing is marked that was not decided.
void Erasure::write_marks() {
  std::set<std::string> lines = lines_of(marks_file());
  const std::size_t before = lines.size();
  lines.merge(lines_of(at_.db));
  if (lines.size() != before) write_file(marks_file(), fmt::format("{}\n", fmt::join(lines, "\n")));
}

Erasure::Marks Erasure::marks() {
  Marks marks;
  for (const std::string& line : lines_of(at_.db)) marks[line.substr(0, kHex)].insert(line.substr(kHex + 1));
  return marks;
}

std::vector<Insz> Erasure::marked_among(const std::vector<Insz>& persons) {
  return marked_in(marks(), persons);
}

void Erasure::erase_from(const std::string& exchange, const std::vector<Insz>& persons) {
  for (const Insz& person : persons)
    at_.db.execute(
        "DELETE FROM entry WHERE list IN (SELECT id FROM list WHERE exchange = :x) AND insz = :insz",
        {exchange, static_cast<std::int64_t>(person.value())});
  cut_salts(persons);
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
      HandOver(at_).tell_taken_back();
      Distribution(at_).take_back();
      at_.audit.append("forgotten", "",
                       {{"subject", "marks from before"},
                        {"persons", std::to_string(fresh.size())},
                        {"entries", std::to_string(entries)}});
    });
    log(LogLevel::warn, "persons who were forgotten before these books were restored are forgotten again");
    HandOver(at_).take_back();
    Distribution(at_).sweep();
  }
  write_marks();
  forget_old_pages(at_.db);
}

std::string Erasure::reject(const Rejection& rejection, const Person& who) {
  reject_request(at_, HoldKind::erasure, rejection, who, "forget-rejected",
                 [&] { at_.db.execute("DELETE FROM salt WHERE subject = :subject", {rejection.subject}); });
  return fmt::format("{} is not carried out", shown_name(rejection.subject));
}

}  // namespace veer

#include "daemon/erasure.h"

#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "core/digest.h"
#include "core/files.h"
#include "core/log.h"
#include "daemon/persons.h"
#include "daemon/requests.h"

namespace veer {
namespace {

constexpr std::string_view kPrefix = "forget-";
constexpr std::uint64_t kMostMarks = std::uint64_t{64} << 20;
constexpr std::size_t kLongestNotice = 300;

std::string random_hex(Random& random) {
  std::string hex;
  for (int i = 0; i < 4; ++i) hex += fmt::format("{:016x}", random.next());
  return hex;
}

std::set<std::string> lines_of(const std::filesystem::path& file) {
  std::error_code none;
  std::set<std::string> lines;
  if (!fs::exists(file, none)) return lines;
  std::istringstream text(read_file(file, kMostMarks));
  for (std::string line; std::getline(text, line);)
    if (is_sha256(line)) lines.insert(line);
  return lines;
}

}  // namespace

bool Erasure::is_called(const std::string& subject) { return subject.starts_with(kPrefix); }

std::vector<Insz> Erasure::persons_of(const Command& command) const {
  const auto file = at_.files.find(command.id);
  if (!file)
    throw Error(Code::u_state, "the service began anew before it had read the numbers: give them again");
  return read_persons(*file, kMostAtOnce, date_of(at_.clock.now()));
}

// Its own file: whoever has the books alone cannot try numbers against the marks in them.
const std::string& Erasure::key() {
  if (!key_.empty()) return key_;
  const auto file = at_.config.state / "erased.key";
  std::error_code none;
  if (!fs::exists(file, none)) write_new_file(file, random_hex(at_.random));
  return key_ = read_file(file, 1024);
}

std::string Erasure::mark_of(const Insz& person) {
  const auto digits = person.digits();
  return hmac_sha256_hex(key(), std::string_view(digits.data(), digits.size()));
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
  const Approved request = require_request(at_, HoldKind::erasure, subject, command.who);
  const Hold& hold = request.hold;
  const std::string text = fmt::format(
      "{} is carried out: neither the register nor what stands around it holds "
      "the number(s)",
      subject);
  if (!request.before) {
    const std::vector<Insz> persons = persons_of(command);
    const auto salt = at_.db.query_one("SELECT salt FROM salt WHERE subject = :subject", {subject});
    if (!salt || commitment_to(persons, salt->text(0)) != hold.digest)
      throw Error(Code::u_state,
                  fmt::format("these are not the numbers that {} asked for: compare them with the "
                              "notice, or reject {}",
                              hold.asked_by ? hold.asked_by->name : "somebody", subject));
    remove_exports(persons);
    std::set<std::string> marks = lines_of(marks_file());
    for (const Insz& person : persons) marks.insert(mark_of(person));
    write_file(marks_file(), fmt::format("{}\n", fmt::join(marks, "\n")));
    at_.db.transaction([&] {
      const auto before = at_.db.query_one("SELECT count(*) FROM entry")->integer(0);
      erase(persons);
      cut_salts(persons);
      at_.db.execute("DELETE FROM salt WHERE subject = :subject", {subject});
      at_.holds.decide(hold, HoldState::released, command.who);
      const auto after = at_.db.query_one("SELECT count(*) FROM entry")->integer(0);
      at_.audit.append("forgotten", "",
                       {{"subject", subject},
                        {"persons", std::to_string(persons.size())},
                        {"entries", std::to_string(before - after)},
                        {"asked_by", hold.asked_by ? hold.asked_by->name : ""},
                        {"who", command.who.name}});
      at_.alerts.close(request_cause(subject));
    });
    log(LogLevel::info, "{} released {}", command.who.name, subject);
  }
  at_.db.forget_old_pages();
  return text;
}

void Erasure::erase(const std::vector<Insz>& persons) {
  for (const Insz& person : persons) {
    at_.db.execute("DELETE FROM entry WHERE list IN (SELECT id FROM list) AND insz = :insz",
                   {static_cast<std::int64_t>(person.value())});
    at_.db.execute("INSERT INTO erased (mark) VALUES (:mark) ON CONFLICT DO NOTHING", {mark_of(person)});
  }
}

// From then on the commitments in the audit trail are bound to nobody.
void Erasure::cut_salts(const std::vector<Insz>& persons) {
  for (const Row& row : at_.db.query("SELECT seq, salt, commitment FROM salt WHERE commitment <> ''"))
    for (const Insz& person : persons)
      if (commitment_to({person}, row.text(1)) == row.text(2))
        at_.db.execute("DELETE FROM salt WHERE seq = :seq", {row.integer(0)});
}

// What lies there for other systems is made anew by another hand-over.
void Erasure::remove_exports(const std::vector<Insz>& persons) {
  const auto& folder = at_.config.export_to.folder;
  std::error_code none;
  if (folder.empty() || !fs::is_directory(folder, none)) return;
  for (const std::string& name : names_in(folder)) {
    if (!name.starts_with("inburgeringsplicht-") && !name.starts_with(".inburgeringsplicht-")) continue;
    const std::string text = read_file(folder / name, std::uint64_t{1} << 30);
    const bool held = std::any_of(persons.begin(), persons.end(), [&](const Insz& person) {
      const auto digits = person.digits();
      return text.find(std::string_view(digits.data(), digits.size())) != std::string::npos;
    });
    if (!held) continue;
    remove_file(folder / name);
    log(LogLevel::warn, "{} held somebody who is forgotten, and is removed: hand the list over anew", name);
  }
}

std::int64_t Erasure::erase_marked(int reference_year) {
  std::set<std::string> marks;
  for (const Row& row : at_.db.query("SELECT mark FROM erased")) marks.insert(row.text(0));
  if (marks.empty()) return 0;
  std::int64_t erased = 0;
  for (const Row& list : at_.db.query("SELECT id FROM list WHERE reference_year = :year OR :all = 0",
                                      {reference_year, reference_year}))
    erased += erase_marked_of(list.integer(0), marks);
  return erased;
}

std::int64_t Erasure::erase_marked_of(std::int64_t list, const std::set<std::string>& marks) {
  std::int64_t erased = 0;
  std::int64_t last = -1;
  while (true) {
    const auto rows = at_.db.query(
        "SELECT insz FROM entry WHERE list = :list AND insz > :last ORDER BY insz LIMIT 10000", {list, last});
    if (rows.empty()) return erased;
    for (const Row& row : rows) {
      last = row.integer(0);
      if (marks.contains(mark_of(Insz::trusted(static_cast<std::uint64_t>(last)))))
        erased += at_.db.execute("DELETE FROM entry WHERE list = :list AND insz = :insz", {list, last});
    }
  }
}

void Erasure::adopt_marks() {
  std::set<std::string> marks = lines_of(marks_file());
  for (const Row& row : at_.db.query("SELECT mark FROM erased")) marks.erase(row.text(0));
  if (marks.empty()) return;
  at_.db.transaction([&] {
    for (const std::string& mark : marks) at_.db.execute("INSERT INTO erased (mark) VALUES (:mark)", {mark});
    const std::int64_t entries = erase_marked(0);
    at_.audit.append("forgotten", "",
                     {{"subject", "marks from before"},
                      {"persons", std::to_string(marks.size())},
                      {"entries", std::to_string(entries)}});
  });
  at_.db.forget_old_pages();
  log(LogLevel::warn, "persons who were forgotten before these books were restored are forgotten again");
}

std::string Erasure::reject(const Rejection& rejection, const Person& who) {
  reject_request(at_, HoldKind::erasure, rejection, who, "forget-rejected",
                 [&] { at_.db.execute("DELETE FROM salt WHERE subject = :subject", {rejection.subject}); });
  return fmt::format("{} is not carried out", shown_name(rejection.subject));
}

}  // namespace veer

#include "daemon/erasure.h"

#include <algorithm>
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
constexpr const char* kMarksCause = "marks";
constexpr std::uint64_t kMostMarks = std::uint64_t{64} << 20;
constexpr std::size_t kMostSealed = std::size_t{1} << 20;
constexpr std::size_t kLongestNotice = 300;
constexpr std::size_t kHex = 64;  // of a key, and of a mark

std::string mark_of(const std::string& key, const Insz& person) {
  return hmac_sha256_hex(key, digits_of(person));
}

/// Whether it begins as an encrypted OpenPGP message does (RFC 4880, 4.2 and 5.1), and no number.
bool is_sealed(const Fd& file) {
  unsigned char first = 0;
  return pread(file.get(), &first, 1, 0) == 1 && ((first & 0xFC) == 0x84 || first == 0xC1);
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

Erasure::Notice Erasure::notice_of(const Command& command, const Transfer& transfer) const {
  const auto file = at_.files.find(command.id);
  if (!file)
    throw Error(Code::u_state, "the service began anew before it had read the numbers: give them again");
  const Date today = date_of(at_.clock.now());
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
  const std::string subject = fmt::format("{}{}", kPrefix, command.id);
  if (at_.holds.find(HoldKind::erasure, subject)) return subject;  // before, and stopped before that was told
  const auto [persons, by] = notice_of(command, transfer);
  std::string notice = without_numbers(printable(command.argument, kLongestNotice));
  if (notice.find_first_not_of(' ') == std::string::npos)
    throw Error(Code::u_usage, "say by which notice of death: it stays in the audit trail");
  if (by) notice += fmt::format(", signed by {} on {}", by->signer, format_time(by->signed_at));
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
                                 "approver, gives the same {}: 'veer approve {}{}'",
                                 command.who.name, persons.size(), notice, by ? "file" : "number(s)", subject,
                                 by ? " < FILE" : ""));
  });
  return subject;
}

std::string Erasure::approve(const Command& command, const Transfer& transfer) {
  const std::string& subject = command.argument;
  const Approved request = require_request(at_, HoldKind::erasure, subject, command);
  const Hold& hold = request.hold;
  if (!request.before) {
    const std::vector<Insz> persons = notice_of(command, transfer).persons;
    const auto salt = at_.db.query_one("SELECT salt FROM salt WHERE subject = :subject", {subject});
    if (!salt || commitment_to(persons, salt->text(0)) != hold.digest)
      throw Error(Code::u_state,
                  fmt::format("these are not the numbers that {} asked for: compare them with the notice, or "
                              "reject {}",
                              hold.asked_by ? hold.asked_by->name : "somebody", subject));
    const auto bound = bound_to(persons, transfer);
    at_.db.transaction([&] {
      const std::int64_t entries = erase(persons);
      cut_salts(bound);
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
  const bool settled = settle();
  const std::string readable = sealed_here();
  return fmt::format(
      "{} is carried out: the register{} the number(s) any more{}; sealed packages and backups from before "
      "still do{}",
      subject, settled ? " and what was made of it do not hold" : " does not hold",
      settled ? ""
              : ". What was made of it, or is left in the database's files, could not all be removed yet "
                "(somebody reads them, "
                "or a folder is away), and is tried again: 'veer alerts' tells what stays",
      readable.empty() ? "" : fmt::format(", and so may these, which this side can open: {}", readable));
}

std::string Erasure::sealed_here() {
  std::vector<std::string> files;
  for (const Arrival& arrival : at_.ledger.open_arrivals())
    if (arrival.stage == ArrivalStage::fetched) files.push_back(at_.fetched_file(arrival).filename());
  for (const std::string& name : names_in(at_.quarantine)) files.push_back(name);
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

// Each number is tried against each salt: outside the transaction, since thousands of both take a while.
std::vector<std::int64_t> Erasure::bound_to(const std::vector<Insz>& persons, const Transfer& transfer) {
  std::vector<std::int64_t> bound;
  for (const Row& row : at_.db.query("SELECT seq, salt, commitment FROM salt WHERE commitment <> ''")) {
    transfer.tick(bound.size());
    const std::string salt = row.text(1);
    const std::string commitment = row.text(2);
    if (std::any_of(persons.begin(), persons.end(),
                    [&](const Insz& person) { return commitment_to({person}, salt) == commitment; }))
      bound.push_back(row.integer(0));
  }
  return bound;
}

// From then on these commitments in the audit trail are bound to nobody.
void Erasure::cut_salts(const std::vector<std::int64_t>& seqs) {
  for (const std::int64_t seq : seqs) at_.db.execute("DELETE FROM salt WHERE seq = :seq", {seq});
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
  cut_salts(bound_to(persons, {}));
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
      // A mark cannot be held against the desk's questions, whose number nobody gives again.
      at_.db.execute("DELETE FROM salt WHERE commitment <> ''");
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
  reject_request(at_, HoldKind::erasure, rejection, who, "forget-rejected",
                 [&] { at_.db.execute("DELETE FROM salt WHERE subject = :subject", {rejection.subject}); });
  return fmt::format("{} is not carried out", shown_name(rejection.subject));
}

}  // namespace veer

#include "daemon/desk.h"

#include <fmt/format.h>

#include "core/digest.h"
#include "core/log.h"
#include "daemon/erasure.h"
#include "daemon/persons.h"
#include "daemon/rules.h"

namespace veer {
namespace {

constexpr std::size_t kLongestPurpose = 300;

}  // namespace

std::string Desk::look_up(const Command& command) {
  const std::size_t blank = command.argument.find(' ');
  const auto date = parse_date(command.argument.substr(0, blank));
  if (!date || blank == std::string::npos || blank + 1 == command.argument.size())
    throw Error(Code::u_usage, "a question names the reference date, like 2026-01-01, and what it is for");
  const std::string purpose = shown_text(command.argument.substr(blank + 1), kLongestPurpose);
  const Date today = date_of(at_.clock.now());
  require_reference_date(*date, today);
  require_basis(at_.config, today);
  const auto file = at_.files.find(command.id);
  if (!file) throw Error(Code::u_state, "the service began anew before it had read the number: ask again");
  const std::vector<Insz> persons = read_persons(*file, 1, today);

  const int year = static_cast<int>(date->year());
  const auto list = at_.lists.newest(year);
  const bool listed = list && at_.lists.holds(year, persons.front());
  const std::string_view answer = !list ? "no list" : listed ? "listed" : "not listed";
  const std::string salt = random_hex(at_.random);
  const std::string commitment = commitment_to(persons, salt);
  // Who was forgotten is bound to nothing again.
  const bool forgotten = !Erasure(at_).marked_among(persons).empty();
  at_.db.transaction([&] {
    const AuditHead record = at_.audit.append("looked-up", list ? list->exchange : "",
                                              {{"reference_date", format_date(*date)},
                                               {"revision", list ? std::to_string(list->revision) : ""},
                                               {"answer", std::string(answer)},
                                               {"purpose", purpose},
                                               {"who", command.who.name},
                                               {"commitment", commitment}});
    if (!forgotten)
      at_.db.execute("INSERT INTO salt (seq, salt, commitment) VALUES (:seq, :salt, :commitment)",
                     {record.seq, salt, commitment});
  });
  if (!list) return fmt::format("no list for reference date {}", format_date(*date));
  return fmt::format("{} for reference date {}, by revision {}", answer, format_date(*date), list->revision);
}

}  // namespace veer

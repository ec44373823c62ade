#include "daemon/persons.h"

#include <algorithm>
#include <array>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/error.h"
#include "core/secret.h"

namespace veer {
namespace {

// Eleven digits, their signs and the end of the line.
constexpr std::size_t kLine = 32;

/// Hands each line that holds something, without its end, to `take`, with its number.
template <typename Take>
void for_each_line(std::string_view bytes, Take take) {
  static constexpr std::string_view kMark = "\xef\xbb\xbf";  // of UTF-8
  if (bytes.starts_with(kMark)) bytes.remove_prefix(kMark.size());
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    ++line;
    if (bytes.find_first_not_of(" \t\r", begin) < end) take(bytes.substr(begin, end - begin), line);
    begin = end + 1;
  }
}

Insz number_in(std::string_view text, std::size_t line, Date today) {
  std::string digits;
  for (const char c : text)
    if (std::string_view(".- \t\r").find(c) == std::string_view::npos) digits += c;
  Insz number;
  if (const auto fault = Insz::parse(digits, today, number))
    throw Error(Code::u_usage, fmt::format("line {} is no number of a person ({}): look at it again", line,
                                           code_name(*fault)));
  return number;
}

template <typename Persons>
void require_number_of(const Persons& persons, std::size_t most) {
  if (persons.empty()) throw Error(Code::u_usage, "no number of a person was given");
  if (persons.size() > most) throw Error(Code::u_usage, fmt::format("{} person(s) at a time at most", most));
}

}  // namespace

std::string entrusted_bytes(const Fd& file, std::size_t most) {
  std::string bytes(most + 1, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t read =
        pread(file.get(), bytes.data() + size, bytes.size() - size, static_cast<off_t>(size));
    if (read < 0) throw_errno("reading a person's number");
    if (read == 0) break;
    size += static_cast<std::size_t>(read);
  }
  if (size > most) throw Error(Code::u_usage, "that is more than the numbers of some persons");
  bytes.resize(size);
  return bytes;
}

std::vector<Insz> read_persons(const Fd& file, std::size_t most, Date today) {
  const Secret held(entrusted_bytes(file, most * kLine));
  return read_persons(held.reveal(), most, today);
}

std::vector<Insz> read_persons(std::string_view text, std::size_t most, Date today) {
  std::vector<Insz> persons;
  for_each_line(text, [&](std::string_view in_line, std::size_t line) {
    persons.push_back(number_in(in_line, line, today));
  });
  std::sort(persons.begin(), persons.end());
  persons.erase(std::unique(persons.begin(), persons.end()), persons.end());
  require_number_of(persons, most);
  return persons;
}

std::vector<CasePerson> read_case_persons(const Fd& file, std::size_t most, Date today) {
  const Secret held(entrusted_bytes(file, 2 * most * kLine));
  std::vector<CasePerson> persons;
  for_each_line(held.reveal(), [&](std::string_view text, std::size_t line) {
    const std::size_t begin = text.find_first_not_of(" \t");
    const std::size_t end = std::min(text.find_first_of(" \t,;", begin), text.size());
    const std::string_view rest = text.substr(end);
    CasePerson person{number_in(text.substr(begin, end - begin), line, today), std::nullopt};
    if (const std::size_t next = rest.find_first_not_of(" \t,;\r"); next != std::string_view::npos)
      person.right = number_in(rest.substr(next), line, today);
    if (std::find(persons.begin(), persons.end(), person) == persons.end()) persons.push_back(person);
  });
  require_number_of(persons, most);
  return persons;
}

std::string random_hex(Random& random) {
  std::string hex;
  for (int i = 0; i < 4; ++i) hex += fmt::format("{:016x}", random.next());
  return hex;
}

std::string commitment_to(const std::vector<Insz>& persons, const std::string& salt) {
  Sha256 digest;
  digest.update(salt);
  for (const Insz& person : persons) digest.update(digits_of(person));
  return digest.hex();
}

}  // namespace veer

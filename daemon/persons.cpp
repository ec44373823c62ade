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

std::string bytes_of(const Fd& file, std::size_t most) {
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

}  // namespace

std::vector<Insz> read_persons(const Fd& file, std::size_t most, Date today) {
  const Secret held(bytes_of(file, most * kLine));
  const std::string_view bytes = held.reveal();
  std::vector<Insz> persons;
  std::size_t line = 0;
  std::size_t begin = 0;
  while (begin < bytes.size()) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    std::string digits;
    for (std::size_t i = begin; i < end; ++i)
      if (std::string_view(".- \t\r").find(bytes[i]) == std::string_view::npos) digits += bytes[i];
    begin = end + 1;
    ++line;
    if (digits.empty()) continue;
    Insz number;
    const auto fault = Insz::parse(digits, today, number);
    if (fault)
      throw Error(Code::u_usage, fmt::format("line {} is no number of a person ({}): look at it again", line,
                                             code_name(*fault)));
    persons.push_back(number);
  }
  std::sort(persons.begin(), persons.end());
  persons.erase(std::unique(persons.begin(), persons.end()), persons.end());
  if (persons.empty()) throw Error(Code::u_usage, "no number of a person was given");
  if (persons.size() > most) throw Error(Code::u_usage, fmt::format("{} person(s) at a time at most", most));
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
  for (const Insz& person : persons) {
    const auto digits = person.digits();
    digest.update(std::string_view(digits.data(), digits.size()));
  }
  return digest.hex();
}

}  // namespace veer

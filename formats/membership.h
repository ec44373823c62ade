#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "formats/insz.h"

namespace veer {

/// A membership register (article 4): who is a member of which care fund on a day. Ascending and unique; no
/// person has two funds.
struct Membership {
  Date as_of;
  std::map<std::string, std::vector<Insz>> funds;
  std::uint64_t members = 0;  ///< of all funds
};

/// Reads one: `name` ends in its day, "ledenbestand-2026-11-20.csv"; the first line is "zorgkas;insz", then a
/// line for each member, "fund;number", and the last is "einde;" and how many there are: half a file is none.
/// Throws I_NAME, I_FORMAT (another first or last line, or count) and I_FAULTY (lines that are no member,
/// persons with two funds or a line twice; counted, nothing of them quoted).
Membership read_membership(std::string_view name, std::string_view bytes);

/// A list by care fund: disjoint, each part a subset of its members, and with the rest the whole list (Q21,
/// Q22).
struct Division {
  std::map<std::string, std::vector<Insz>> parts;  ///< of every fund of the register; may be empty
  std::uint64_t rest = 0;                          ///< who belongs to none
};
/// `list` ascending and unique.
Division divide(const std::vector<Insz>& list, const Membership& membership);

}  // namespace veer

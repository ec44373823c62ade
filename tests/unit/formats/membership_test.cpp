#include "formats/membership.h"

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "support/fictitious.h"
#include "support/seeded_random.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

std::string line(const std::string& fund, const Insz& person) {
  const auto digits = person.digits();
  return fund + ";" + std::string(digits.data(), digits.size()) + "\n";
}

constexpr const char* kName = "ledenbestand-2026-02-20.csv";

}  // namespace

TEST_CASE("a membership register is read, with its day and all its members") {
  const auto people = fictitious_list(3, 1);
  const Membership m =
      read_membership(kName, "zorgkas;insz\r\n" + line("beta", people[2]) + line("alfa", people[1]) +
                                 line("beta", people[0]) + "einde;3\n");
  CHECK(format_date(m.as_of) == "2026-02-20");
  CHECK(m.members == 3);
  CHECK(m.funds.at("alfa") == std::vector<Insz>{people[1]});
  CHECK(m.funds.at("beta") == std::vector<Insz>{people[0], people[2]});
}

TEST_CASE("Q23: half a membership register, or one with faults, is none") {
  const auto people = fictitious_list(2, 1);
  const std::string whole =
      "zorgkas;insz\n" + line("alfa", people[0]) + line("beta", people[1]) + "einde;2\n";
  const auto code = [](const std::string& text, const char* name = kName) {
    return thrown([&] { read_membership(name, text); }).value().code();
  };
  CHECK_NOTHROW(read_membership(kName, whole));
  for (std::size_t cut = 0; cut + 2 < whole.size(); ++cut) {
    INFO("cut at " << cut);
    CHECK(code(whole.substr(0, cut)) == Code::i_format);
  }
  CHECK(code("") == Code::i_format);
  CHECK(code(whole + line("alfa", people[0])) == Code::i_format);
  CHECK(code(whole, "ledenbestand.csv") == Code::i_name);
  CHECK(code(whole, "ledenbestand-2026-02-30.csv") == Code::i_name);
  CHECK(code("zorgkas;insz\n" + line("alfa", people[0]) + line("beta", people[0]) + "einde;2\n") ==
        Code::i_faulty);
  CHECK(code("zorgkas;insz\nalfa;12345678901\neinde;1\n") == Code::i_faulty);
  const Error told =
      thrown([] { read_membership(kName, "zorgkas;insz\nalfa;85070999752\neinde;1\n"); }).value();
  CHECK(told.message().find("8507") == std::string::npos);
  CHECK(told.message().find("(line(s) 2)") != std::string::npos);
  std::string many = whole.substr(0, whole.find("einde"));
  const auto first = std::count(many.begin(), many.end(), '\n') + 1;
  for (int i = 0; i < 12; ++i) many += "alfa;\n";
  const Error all = thrown([&] { read_membership(kName, many + "einde;14\n"); }).value();
  CHECK(all.message().find("12 line(s)") != std::string::npos);
  CHECK(all.message().find(fmt::format("(line(s) {}, {},", first, first + 1)) != std::string::npos);
  CHECK(all.message().find(" and 2 more)") != std::string::npos);
}

TEST_CASE("Q21, Q22: parts are disjoint, each a subset of its members, and with the rest the whole list") {
  SeededRandom random(11);
  for (int round = 0; round < 200; ++round) {
    const auto people = fictitious_list(300, static_cast<std::uint64_t>(round) + 1);
    Membership membership;
    std::vector<Insz> list;
    for (const Insz& person : people) {
      if (random.next() % 3 != 0) list.push_back(person);
      if (const auto fund = random.next() % 8; fund < 6)
        membership.funds[fmt::format("fund{}", fund)].push_back(person);
    }
    const Division division = divide(list, membership);
    std::set<Insz> seen;
    for (const auto& [fund, part] : division.parts)
      for (const Insz& person : part) {
        CHECK(seen.insert(person).second);
        const auto& members = membership.funds.at(fund);
        CHECK(std::binary_search(members.begin(), members.end(), person));
        CHECK(std::binary_search(list.begin(), list.end(), person));
      }
    CHECK(seen.size() + division.rest == list.size());
    for (const Insz& person : list) {
      if (seen.contains(person)) continue;
      for (const auto& [fund, members] : membership.funds)
        CHECK_FALSE(std::binary_search(members.begin(), members.end(), person));
    }
  }
}

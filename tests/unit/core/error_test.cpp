#include "core/error.h"

#include <set>

#include <catch2/catch.hpp>

using namespace veer;

TEST_CASE("every code has a name of its own that leads back to it") {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Code::u_state); ++i) {
    const Code code = static_cast<Code>(i);
    CHECK(names.insert(code_name(code)).second);
    CHECK(code_named(code_name(code)) == code);
  }
  CHECK_FALSE(code_named("R_NOTHING"));
}

TEST_CASE("tampering is quarantined, our own keys and clock are the operator's, broken rules are refused") {
  CHECK(remedy_of(Code::t_signature) == Remedy::quarantine);
  CHECK(remedy_of(Code::f_party) == Remedy::quarantine);
  CHECK(remedy_of(Code::t_key_expired) == Remedy::attend);
  CHECK(remedy_of(Code::l_clock) == Remedy::attend);
  CHECK(remedy_of(Code::f_count) == Remedy::refuse);
  CHECK(remedy_of(Code::s_unreachable) == Remedy::retry);
}

#include "daemon/access.h"

#include <algorithm>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "core/error.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

constexpr uid_t kNobodyKnows = 3999999;

std::string own_group() { return getgrgid(getgid())->gr_name; }

}  // namespace

TEST_CASE("a right is had by the members of its groups, their own first group counted, and by nobody else") {
  const AccessConfig access{
      .operators = {"no-such-group", own_group()}, .approvers = {}, .auditors = {"no-such-group"}};
  CHECK(may(access, Right::operate, getuid()));
  CHECK(may(access, Right::look, getuid()));
  CHECK_FALSE(may(access, Right::approve, getuid()));
  CHECK_FALSE(may(access, Right::audit, getuid()));
  CHECK_FALSE(may(access, Right::operate, kNobodyKnows));
  CHECK_FALSE(may(access, Right::look, kNobodyKnows));
}

TEST_CASE("the members of a group are those whose first group it is, and those it lists") {
  const std::vector<std::string> own = members_of(own_group());
  CHECK(std::find(own.begin(), own.end(), getpwuid(getuid())->pw_name) != own.end());
  CHECK(std::is_sorted(own.begin(), own.end()));
  CHECK(members_of("no-such-group").empty());
}

TEST_CASE("who has no right is told whose it is") {
  const auto error = thrown([] { require_right({}, Right::approve, kNobodyKnows); });
  REQUIRE(error);
  CHECK(error->code() == Code::c_user);
  CHECK(error->message() == "uid 3999999 may not do this: it is for members of veer-approvers");
}

TEST_CASE("a person is called by name and number, and by number alone where there is no name") {
  CHECK(person_of(0).name == "root (0)");
  CHECK(person_of(kNobodyKnows).name == "uid 3999999");
  CHECK(person_of(kNobodyKnows).uid == kNobodyKnows);
}

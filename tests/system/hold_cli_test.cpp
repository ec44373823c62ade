// Release, rejection and the stop switch as people type them, without a bus: whoever runs the tests is one
// person, and the owner of a dropped file another.

#include <fstream>

#include <unistd.h>

#include "core/clock.h"
#include "daemon/access.h"
#include "support/fictitious.h"
#include "system/both_sides.h"

using namespace veer;
using namespace veer::test;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kSomebodyElse = 12345;

struct Held {
  Installation both;
  Held() { replace_line(both.config("aii"), "settle ", "settle = \"20ms\"\nrelease = \"always\""); }
  /// A list of somebody else's, when whoever runs this may make it so.
  void drop() const {
    const fs::path hidden = both.path("drop") / ".being-copied";
    both.drop(".list", fictitious_csv(30, 4));
    fs::rename(both.path("drop") / ".list", hidden);
    REQUIRE(chown(hidden.c_str(), kSomebodyElse, getgid()) == 0);
    fs::rename(hidden, both.path("drop") / both.list_name());
  }
  json only() const { return json_of(both, "aii", "list").at(0); }
  std::string id() const { return only()["exchange"].get<std::string>().substr(0, 8); }
};

}  // namespace

TEST_CASE(
    "a held list is shown with all that an approver must know, and released by exactly what was shown") {
  const Held h;
  h.drop();
  CHECK(h.both.veer("aii", "run --once").exit_code == 20);
  REQUIRE(h.only()["stage"] == "held");
  const ShellResult status = h.both.veer("aii", "status");
  CHECK(status.exit_code == 3);
  CHECK(has(status.output, "waits for release by another person, an approver: 'veer approve " + h.id()));
  CHECK(json_of(h.both, "aii", "status")["exchanges"][0]["stage"] == "held");

  const ShellResult shown = h.both.veer("aii", "approve " + h.id());
  CAPTURE(shown.output);
  CHECK(shown.exit_code == 20);
  for (const char* part : {"numbers     30", "no list of the year before", "restored    0", "merged      0",
                           "left out    0", "offered by  uid 12345", "nothing was released: say --yes"})
    CHECK(has(shown.output, part));
  const json facts = json_of(h.both, "aii", "approve " + h.id());
  CHECK(facts["records"] == 30);
  CHECK(facts["offered_by"] == "uid 12345");
  CHECK(facts["last_year"].is_null());
  CHECK(facts["answers"].empty());
  const std::string sha256 = h.only()["package_sha256"];
  CHECK(facts["sha256"] == sha256);
  CHECK(h.only()["stage"] == "held");

  CHECK(h.both.veer("aii", "approve " + h.id() + " --digest " + std::string(64, 'a')).exit_code == 1);
  CHECK(h.both.veer("aii", "approve " + h.id() + " --yes --set-aside 2").exit_code == 1);
  CHECK(h.only()["stage"] == "held");
  const ShellResult released = h.both.veer("aii", "approve " + h.id() + " --digest " + sha256);
  CAPTURE(released.output);
  CHECK(released.exit_code == 0);
  CHECK(h.only()["stage"] == "sent");
  CHECK(h.both.veer("avsb", "run --once").exit_code == 0);
  CHECK(h.both.veer("aii", "run --once").exit_code == 0);
  CHECK(h.only()["stage"] == "acknowledged");
  const json told = json_of(h.both, "aii", "show " + h.id());
  CHECK(told["hold"]["state"] == "released");
  CHECK(told["hold"]["asked_by"] == "uid 12345");
  CHECK(told["hold"]["decided_by"] == person_of(getuid()).name);
  CHECK(h.both.veer("aii", "approve " + h.id() + " --yes").exit_code == 1);
}

TEST_CASE("whoever offered a list may not release it, and is told who may") {
  const Held h;
  const std::string file = (h.both.path("drop").parent_path() / h.both.list_name()).native();
  std::ofstream(file) << fictitious_csv(30, 4) << "not a number\n";
  CHECK(h.both.veer("aii", "send " + file).exit_code == 13);
  const ShellResult sent = h.both.veer("aii", "send --set-aside-faulty --wait " + file);
  CAPTURE(sent.output);
  CHECK(sent.exit_code == 20);
  CHECK(has(sent.output, "veer approve " + h.id()));
  CHECK(has(h.both.veer("aii", "approve " + h.id()).output, "left out    1 faulty line"));
  CHECK(has(h.both.veer("aii", "approve " + h.id() + " --yes").output, "--set-aside 1"));
  const ShellResult refused = h.both.veer("aii", "approve " + h.id() + " --yes --set-aside 1");
  CHECK(refused.exit_code == 12);
  CHECK(has(refused.output, "another person decides it: a member of veer-approvers"));
  CHECK(h.both.veer("aii", "withdraw " + h.id()).exit_code == 0);
  CHECK(h.only()["stage"] == "withdrawn");
  CHECK(h.both.veer("aii", "reject " + h.id()).exit_code == 1);
}

TEST_CASE("a rejected list is told of beside the drop, with the reason") {
  const Held h;
  h.drop();
  CHECK(h.both.veer("aii", "run --once").exit_code == 20);
  CHECK(h.both.veer("aii", "reject " + h.id() + " --reason 'the wrong year, 85.03.01-123.45'").exit_code ==
        0);
  CHECK(h.only()["stage"] == "rejected");
  CHECK(has(h.both.note(h.both.list_name()), "Stopped by an approver: the wrong year"));
  const ShellResult shown = h.both.veer("aii", "show " + h.id());
  CHECK(has(shown.output, "the wrong year"));
  CHECK_FALSE(has(shown.output, "85.03.01"));
  CHECK(h.both.veer("aii", "status").exit_code == 0);
}

TEST_CASE(
    "numbers that are pasted at a terminal are all taken, whatever lines between them are empty, and "
    "unseen") {
  const Installation both;
  const auto persons = fictitious_list(2, 9);
  const ShellResult asked = shell(
      fmt::format("(sleep 1; printf '{}\\n\\n{}\\n\\n'; sleep 2) | script -qec '{} --config {} forget "
                  "--notice 12' /dev/null",
                  digits_of(persons[0]), digits_of(persons[1]), VEER_PROGRAM, both.config("avsb").native()));
  for (const Insz& person : persons) CHECK_FALSE(has(asked.output, digits_of(person)));
  CHECK(asked.exit_code == 20);
  CHECK(has(both.veer("avsb", "status").output, "forget 2 person(s)"));
}

TEST_CASE("a suspended exchange says so everywhere, and is not resumed by whoever suspended it") {
  const Installation both;
  const auto service = both.serve("aii");
  wait_until(
      [&] { return has(text_in(both.path("aii.log")), "runs as aii"); });  // or the command may be first
  CHECK(both.veer("aii", "suspend").exit_code == 0);
  both.drop(both.list_name(), fictitious_csv(30, 4));
  wait_until([&] { return fs::exists(both.path("drop") / (both.list_name() + ".result.txt")); });
  CHECK(has(both.note(both.list_name()), "suspended"));
  const ShellResult status = both.veer("aii", "status");
  CHECK(status.exit_code == 3);
  CHECK(has(status.output, "SUSPENDED since"));
  CHECK(json_of(both, "aii", "status")["suspension"]["state"] == "open");
  CHECK(both.veer("aii", "poll").exit_code == 1);
  CHECK(has(both.veer("aii", "send --yes --empty " + std::to_string(both.year())).output, "C_SUSPENDED"));
  const ShellResult resumed = both.veer("aii", "resume");
  CHECK(resumed.exit_code == 12);
  CHECK(has(resumed.output, "another person decides it"));
  CHECK(service->end(SIGTERM) == 0);
  CHECK(both.veer("aii", "run --once").exit_code == 3);
  CHECK(json_of(both, "aii", "list").empty());
}

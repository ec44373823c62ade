#include "daemon/config_pins.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include "core/error.h"
#include "core/files.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

const std::string kA(40, 'A');
const std::string kB(40, 'B');
const std::string kC(40, 'C');

const std::string kText =
    "# é: a remark\n"
    "[openpgp]\n"
    "own  = [{ key = \"" +
    kA +
    "\" }] # ours\n"
    "\n"
    "[counterparty]\n"
    "keys = [\n"
    "  # the first\n"
    "  { key = \"" +
    kA +
    "\", until = 2026-12-31 }, # ends\n"
    "  { key = \"" +
    kB +
    "\", from = 2026-12-01 },\n"
    "]\n"
    "# the end\n";

Time at(int year, unsigned month, unsigned day) {
  return Time(
      std::chrono::sys_days(Date(std::chrono::year(year), std::chrono::month(month), std::chrono::day(day))));
}

PinnedKey pin(const std::string& fingerprint) { return {fingerprint, std::nullopt, std::nullopt}; }

}  // namespace

TEST_CASE("pins are read as the configuration reads them") {
  const auto pins = read_pins(kText, Whose::counterparty);
  REQUIRE(pins.size() == 2);
  CHECK(pins[0].fingerprint == kA);
  CHECK(pins[0].until == at(2027, 1, 1) - std::chrono::milliseconds(1));
  CHECK(pins[1].from == at(2026, 12, 1));
  CHECK(read_pins(kText, Whose::own).size() == 1);
  CHECK(read_pins("[openpgp]\nown = [{ key = \"\" }]\n", Whose::own).empty());
}

TEST_CASE("a successor ends those before it sixty days after it begins, unless they end before") {
  const Date day = std::chrono::December / 10 / 2026;
  const auto pins = with_successor({pin(kA), {kB, std::nullopt, at(2026, 12, 20)}}, kC, day);
  REQUIRE(pins.size() == 3);
  CHECK(pins[0].until == at(2027, 2, 9) - std::chrono::milliseconds(1));
  CHECK(pins[1].until == at(2026, 12, 20));
  CHECK(pins[2].from == at(2026, 12, 10));
  CHECK_FALSE(pins[2].until);
}

TEST_CASE("a pin is put into the text, and everything else stays as it was written") {
  const auto own = with_successor({pin(kA)}, kB, std::chrono::December / 10 / 2026);
  const std::string text = with_pins(kText, Whose::own, own);
  CHECK(text.find("own  = [{ key = \"" + kA + "\", until = 2027-02-08 },\n         { key = \"" + kB +
                  "\", from = 2026-12-10 }] # ours\n") != std::string::npos);
  std::string rest = text;
  rest.replace(rest.find("own  = "), rest.find("] # ours") - rest.find("own  = "),
               "own  = [{ key = \"" + kA + "\" }");
  CHECK(rest == kText);
  CHECK(with_pins(text, Whose::own, {pin(kA)}) == kText);
}

TEST_CASE("a pin is taken out or changed in a list of many lines, whose remarks stay") {
  const std::string out = with_pins(kText, Whose::counterparty, {{kB, at(2026, 12, 1), std::nullopt}});
  CHECK(out.find(kA) == kText.find(kA));  // of our own
  CHECK(out.find("  # the first\n") != std::string::npos);
  CHECK(read_pins(out, Whose::counterparty).size() == 1);
  const std::string other = with_pins(kText, Whose::counterparty, {pin(kC)});
  CHECK(read_pins(other, Whose::counterparty).front().fingerprint == kC);
  CHECK(other.find("# the end\n") != std::string::npos);
}

TEST_CASE("the first pin takes the place of the one that init leaves open") {
  for (const char* open : {"keys = [{ key = \"\" }]", "keys = []", "keys = [ ]", "keys=[{key=\"\"},]"}) {
    const std::string text = std::string("[counterparty]\n") + open + " # é\n";
    CAPTURE(text);
    const std::string filled = with_pins(text, Whose::counterparty, {pin(kA)});
    CHECK(read_pins(filled, Whose::counterparty).size() == 1);
    CHECK(filled.ends_with("] # é\n"));
  }
}

TEST_CASE("what cannot be changed with certainty is left to a person") {
  const auto refused = [](const std::string& text) {
    CAPTURE(text);
    CHECK(code_of([&] { with_pins(text, Whose::counterparty, {pin(kC)}); }) == Code::c_config);
  };
  refused("[counterparty]\n");
  refused("[[counterparty.keys]]\nkey = \"" + kA + "\"\n");
  refused("[counterparty]\nkeys = 3\n");
  refused("[counterparty\n");
  CHECK(code_of([] { read_pins("[openpgp]\nown = [{ key = \"x\", from = \"soon\" }]", Whose::own); }) ==
        Code::c_config);
}

TEST_CASE("a configuration file keeps its mode, and one that is a link is not written") {
  const TempFolder folder;
  const fs::path file = folder / "aii.toml";
  write_file(file, kText, 0640);
  write_pins(file, Whose::own, {pin(kC)});
  CHECK(read_pins(read_file(file), Whose::own).front().fingerprint == kC);
  struct stat status {};
  REQUIRE(stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
  fs::create_symlink(file, folder / "link.toml");
  CHECK(code_of([&] { write_pins(folder / "link.toml", Whose::own, {pin(kA)}); }) == Code::c_config);
  fs::create_hard_link(file, folder / "second.toml");
  CHECK(code_of([&] { write_pins(file, Whose::own, {pin(kA)}); }) == Code::c_config);
  CHECK(read_pins(read_file(file), Whose::own).front().fingerprint == kC);
}

TEST_CASE("the lines for a person say the same") {
  const auto pins = read_pins(kText, Whose::counterparty);
  const auto read = read_pins("[counterparty]\n" + pin_lines(Whose::counterparty, pins), Whose::counterparty);
  REQUIRE(read.size() == 2);
  CHECK(read[0].until == pins[0].until);
  CHECK(read[1].from == pins[1].from);
}

#include <string>

#include <catch2/catch.hpp>

#include "formats/list.h"
#include "support/fictitious.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

constexpr Date kReference = std::chrono::January / 1 / 2022;

ListReport read(std::string_view bytes) { return read_package_list(bytes, kReference); }

// The only fault, as "R_CHECK at line 2".
std::string fault_of(std::string_view bytes) {
  const ListReport report = read(bytes);
  REQUIRE(report.faults.size() == 1);
  CHECK(report.numbers.empty());
  CHECK(report.counts.at(report.faults[0].code) == 1);
  return std::string(code_name(report.faults[0].code)) + " at " + report.faults[0].place;
}

}  // namespace

TEST_CASE("a package list that is written is read back as it was") {
  const auto numbers = fictitious_list(1'000, 7);
  const ListReport report = read(write_package_list(numbers));
  CHECK(report.good());
  CHECK(report.numbers == numbers);
  CHECK(report.lines == 1'000);
  CHECK(report.merged == 0);
  CHECK(report.restored == 0);
}

TEST_CASE("a package list is written as the protocol has it") {
  const ListReport report = read("insz\n00010199875\n05070999751\n");
  CHECK(write_package_list(report.numbers) == "insz\n00010199875\n05070999751\n");
  CHECK(write_package_list({}) == "insz\n");
}

TEST_CASE("a package list without a line is an empty list and no fault") {
  const ListReport report = read("insz\n");
  CHECK(report.good());
  CHECK(report.numbers.empty());
  CHECK(report.lines == 0);
}

TEST_CASE("a package list without exactly the header is more than a list") {
  for (const std::string_view bytes : {"", "insz", "INSZ\n05070999751\n", "insz\r\n", "insz \n", "\"insz\"\n",
                                       "\xef\xbb\xbfinsz\n", "insz;naam\n", "05070999751\n", "\ninsz\n"}) {
    INFO(bytes);
    CHECK(code_of([&] { read(bytes); }) == Code::f_extra_data);
  }
}

TEST_CASE("a second column in a package list is more than a list") {
  for (const std::string_view bytes : {"insz\n05070999751;\n", "insz\n00010199875\n05070999751,x\n",
                                       "insz\n05070999751\tx\n", "insz\n;05070999751\n"}) {
    INFO(bytes);
    CHECK(code_of([&] { read(bytes); }) == Code::f_extra_data);
  }
}

TEST_CASE("a line of a package list is eleven digits and a line feed, nothing else") {
  CHECK(fault_of("insz\n05070999751\r\n") == "R_FORMAT at line 2");
  CHECK(fault_of("insz\n00010199875\n05070999751") == "R_FORMAT at line 3");
  CHECK(fault_of("insz\n00010199875\n\n05070999751\n") == "R_FORMAT at line 3");
  CHECK(fault_of("insz\n05070999751\n\n") == "R_FORMAT at line 3");
  CHECK(fault_of("insz\n05.07.09-997.51\n") == "R_FORMAT at line 2");
  CHECK(fault_of("insz\n5070999751\n") == "R_FORMAT at line 2");
  CHECK(fault_of("insz\n 05070999751\n") == "R_FORMAT at line 2");
  CHECK(fault_of("insz\n\"05070999751\"\n") == "R_FORMAT at line 2");
  CHECK(fault_of("insz\n05070999752\n") == "R_CHECK at line 2");
}

TEST_CASE("a package list is ascending and names nobody twice") {
  CHECK(fault_of("insz\n05070999751\n00010199875\n99123199742\n") == "R_FORMAT at line 3");
  CHECK(fault_of("insz\n00010199875\n05070999751\n05070999751\n") == "R_DUPLICATE at line 4");
}

TEST_CASE("one fault leaves no number of a package list to use, and all are counted") {
  std::string bytes = "insz\n05070999751\n";
  for (int i = 0; i < 250; ++i) bytes += "05070999752\n";
  const ListReport report = read(bytes);
  CHECK_FALSE(report.good());
  CHECK(report.numbers.empty());
  CHECK(report.lines == 251);
  CHECK(report.counts.at(Code::r_check) == 250);
  REQUIRE(report.faults.size() == 100);
  CHECK(report.faults.front().place == "line 3");
  CHECK(report.faults.back().place == "line 102");
  CHECK(summary(report.counts) == "250 × R_CHECK");
}

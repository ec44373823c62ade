#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "formats/list.h"
#include "support/fictitious.h"
#include "support/list_checks.h"
#include "support/mutate.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

constexpr Date kReference = std::chrono::January / 1 / 2022;

ListReport read(std::string_view bytes) { return read_text_list(bytes, kReference); }

std::vector<std::string> numbers_of(std::string_view bytes) { return digits_of(read(bytes)); }

const std::vector<std::string> kTwo = {"00010199875", "05070999751"};

}  // namespace

TEST_CASE("a list is read in every form that people's programs give it") {
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"with a header", "INSZ\n05070999751\n00010199875\n"},
      {"with two ends to each line", "INSZ\r\r\n05070999751\r\r\n00010199875\r\r\n"},
      {"as formulas", "insz\n=\"05070999751\"\n\"=\"\"00010199875\"\"\"\n"},
      {"with decimals", "insz\n05070999751,00\n00010199875.000\n"},
      {"with one decimal", "insz\n05070999751.0\n00010199875.0;\n"},
      {"with decimals, in quotes", "\"insz\"\n\"05070999751,00\"\n\"00010199875.0\"\n"},
      {"with one decimal behind a comma, in quotes",
       "insz;\"\"\n\"05070999751,0\";\"\"\n 00010199875.0;\"\"\n"},
      {"with decimals, as formulas", "insz\n=\"05070999751.0\"\n\"=\"\"00010199875,0\"\"\"\n"},
      {"with a header of several lines", "\"INSZ\nnummer\nvan 2026\"\r\n05070999751\r\n00010199875\r\n"},
      {"without a header", "05070999751\n00010199875\n"},
      {"without an end to the last line", "insz\n05070999751\n00010199875"},
      {"with a byte order mark", "\xef\xbb\xbfINSZ\n05070999751\n00010199875\n"},
      {"with a byte order mark before a number",
       "\xef\xbb\xbf"
       "05070999751\n00010199875\n"},
      {"with a header in UTF-8",
       "Identificatienummer sociale zekerheid (première)\n05070999751\n00010199875\n"},
      {"with a header in Windows-1252", "N\xb0 r\xe9gistre\n05070999751\n00010199875\n"},
      {"with CRLF", "INSZ\r\n05070999751\r\n00010199875\r\n"},
      {"with CR", "INSZ\r05070999751\r00010199875\r"},
      {"with quotes", "\"INSZ\"\n\"05070999751\"\n\"00010199875\"\n"},
      {"with quotes and blanks", " \"INSZ\" \n\" 05070999751 \" \n \"00010199875\"\n"},
      {"with semicolons", "INSZ;\n05070999751;\n00010199875;\n"},
      {"with commas", "INSZ,,,\n05070999751,,,\n00010199875,,,\n"},
      {"with tabs", "INSZ\t\n05070999751\t\n00010199875\t\n"},
      {"with empty quoted columns", "INSZ;\"\"\n\"05070999751\";\"\";\" \"\n00010199875;\"\"\n"},
      {"with blank lines", "\n\nINSZ\n\n05070999751\n  \n;;\n\"\"\n00010199875\n\n\n"},
      {"with blank lines and CRLF", "\r\nINSZ\r\n\r\n05070999751\r\n00010199875\r\n\r\n"},
      {"with blanks", "  INSZ  \n  05070999751\n00010199875   \n"},
      {"with no-break spaces in UTF-8",
       "INSZ\n\xc2\xa0"
       "05070999751\xc2\xa0\n00010199875\n"},
      {"with no-break spaces in Windows-1252",
       "INSZ\n\xa0"
       "05070999751\xa0\n00010199875\n"},
      {"as printed", "INSZ\n05.07.09-997.51\n00.01.01-998.75\n"},
      {"as printed, with quotes", "INSZ\n\"05.07.09-997.51\";\n\"00.01.01-998.75\";\n"},
      {"in both notations", "INSZ\n05.07.09-997.51\n00010199875\n"},
  };
  for (const auto& [form, bytes] : forms) {
    INFO(form);
    const ListReport report = read(bytes);
    CHECK(report.good());
    CHECK(digits_of(report) == kTwo);
    CHECK(report.lines == 2);
    CHECK(report.merged == 0);
    CHECK(report.restored == 0);
  }
}

TEST_CASE("leading zeros that a spreadsheet dropped are restored and counted") {
  // Births of 2000 to 2009, and of 1900 and 1905.
  const ListReport report = read("INSZ\n10199875\n4022999805\n5070999780\n1061794097\n199740\n5070999751\n");
  CHECK(report.good());
  CHECK(report.restored == 6);
  CHECK(digits_of(report) == std::vector<std::string>{"00000199740", "00010199875", "01061794097",
                                                      "04022999805", "05070999751", "05070999780"});
}

TEST_CASE("a short number that does not pass with its zeros is no number") {
  for (const std::string_view number : {"5070999752", "507099975", "0", "1", "0507099975", "5070999751x"}) {
    INFO(number);
    const ListReport report = read(fmt::format("INSZ\n{}\n", number));
    CHECK(report.restored == 0);
    REQUIRE(report.faults.size() == 1);
    CHECK(report.faults[0].code == Code::r_format);
    CHECK(report.faults[0].place == "line 2");
  }
}

TEST_CASE("no number of fewer than six digits is ever a person: not a count in a footer, not a date") {
  std::string bytes = "05070999751\n";
  for (int n = 0; n < 100'000; ++n) bytes += fmt::format("{}\n", n);
  const ListReport report = read(bytes);
  CHECK(report.restored == 0);
  CHECK(report.counts == std::map<Code, std::uint64_t>{{Code::r_format, 100'000}});
  // 1 January 2000, serial 1, is the least that is restored; with some of its zeros it is no spreadsheet's
  // work.
  CHECK(read("199740\n").restored == 1);
  for (const std::string_view kept : {"0199740", "00199740", "0000199740", "005070999751", "0"}) {
    INFO(kept);
    CHECK(read(fmt::format("05070999751\n{}\n", kept)).counts.at(Code::r_format) == 1);
  }
}

TEST_CASE("a second column with anything in it is refused, naming the line and the article") {
  for (const std::string_view bytes :
       {"INSZ\n00010199875\n05070999751;Jan\n", "INSZ\n00010199875\n05070999751,\"Jan\"\n",
        "INSZ\n00010199875\n05070999751\t1\n", "INSZ\n00010199875\n\"05070999751\";;;x\n",
        "INSZ\n00010199875\n;x\n", "INSZ\n00010199875\n05070999751;\"\"Jan\n",
        "INSZ\n00010199875\n05070999751;\"\n", "INSZ\r\n\r\n05070999751;00010199875\r\n",
        "INSZ\n\n05.07.09-997.51,9\n"}) {
    INFO(bytes);
    const auto error = thrown([&] { read(bytes); });
    REQUIRE(error);
    CHECK(error->code() == Code::f_extra_data);
    CHECK(error->message().find("line 3 ") != std::string::npos);
    CHECK(error->message().find("article 3") != std::string::npos);
    CHECK_FALSE(shows_number(error->message()));
  }
  CHECK(code_of([] { read("INSZ;Naam\n05070999751;\n"); }) == Code::f_extra_data);
}

TEST_CASE("what is no text is refused with what to do") {
  using namespace std::string_literals;
  const auto utf16 = [](const std::string& text) {
    std::string wide;
    for (const char c : text) wide += std::string{c, '\0'};
    return wide;
  };
  for (const std::string& bytes : {"\xff\xfe" + utf16("INSZ\n05070999751\n"), utf16("05070999751\n"),
                                   "\xfe\xff\0I\0N\0S\0Z"s, "INSZ\n05070999751\n\0\n"s, "\0"s}) {
    const auto error = thrown([&] { read(bytes); });
    REQUIRE(error);
    CHECK(error->code() == Code::i_format);
    CHECK(error->message().find("CSV (UTF-8)") != std::string::npos);
  }
}

TEST_CASE(
    "a number that a spreadsheet shortened is named as that, wherever the decimal sign is a delimiter") {
  for (const std::string_view bytes :
       {"INSZ\n8,50301E+10\n", "8.50301E+10\n", "\"INSZ\"\n 5E+10 \n", "8,50301E+10;\n",
        "8,50301E+10 ; ;\t\n", "\"8,50301E+10\"\n", "\"8,50301E+10\";\n", "8,5e10\n", "8.5E10,\n",
        "85,03E+9\n", "\" 8,5E+10\";;\n"}) {
    INFO(bytes);
    const auto error = thrown([&] { read(bytes); });
    REQUIRE(error);
    CHECK(error->code() == Code::i_format);
    CHECK(error->message().find("shortened") != std::string::npos);
  }
  for (const std::string_view bytes :
       {"05070999751,E\n", "05070999751,1E5\n", "8,5E+10;x\n", "\"8\",\"5E+10\"\n"}) {
    INFO(bytes);
    CHECK(code_of([&] { read(bytes); }) == Code::f_extra_data);
  }
  CHECK(read("8E\n05070999751\n").counts.at(Code::r_format) == 1);
}

TEST_CASE("a list with no number in it is empty, which has a way of its own") {
  for (const std::string_view bytes :
       {"", "\n", "INSZ", "INSZ\n", "\xef\xbb\xbf", "INSZ\r\n\r\n\r\n", ";;\n;;\n"}) {
    INFO(bytes);
    const auto error = thrown([&] { read(bytes); });
    REQUIRE(error);
    CHECK(error->code() == Code::f_empty);
    CHECK(error->message().find("--empty") != std::string::npos);
  }
}

TEST_CASE("what follows a number's sign is left out only when it is nothing but zeros") {
  for (const char* second : {",01", ",10", ",00x", ";00", ",00,00", ",0000000000000000"})
    CHECK(code_of([&] { read("05070999751" + std::string(second) + "\n"); }) == Code::f_extra_data);
  CHECK(read("5070999751,00;\n10199875,00\n").restored == 2);
  CHECK(read("5070999751.0\n\"10199875,0\"\n").restored == 2);
  for (const char* line : {"05070999751.5", "05070999751.", "05070999751.0.0", "050709997511.0", ".0", ".00",
                           "\"05070999751,5\"", "\"05070999751,\"", "\",0\"", "\"05070999751,0\"x"}) {
    INFO(line);
    CHECK(read(fmt::format("{}\n00010199875\n", line)).counts.at(Code::r_format) == 1);
  }
  CHECK(code_of([] { read("050709997511,00\n"); }) == Code::f_extra_data);
  CHECK(code_of([] { read(",00\n05070999751\n"); }) == Code::f_extra_data);
}

TEST_CASE("a single zero behind a comma may be a second column, of zeros: it is refused with both remedies") {
  for (const std::string_view bytes :
       {"05070999751,0\n00010199875,0\n", "INSZ\n05070999751,0\n", "INSZ\n5070999751,0;\n",
        "INSZ,n\n05070999751,0\n", "INSZ\n\"05070999751\",0\n", "INSZ\n05070999751,\"0\"\n",
        "INSZ\n05070999751.0,0\n", "INSZ\n\"05070999751,0\",0\n"}) {
    INFO(bytes);
    CHECK(code_of([&] { read(bytes); }) == Code::f_extra_data);
  }
  const auto error = thrown([] { read("INSZ\n05070999751,0\n"); });
  REQUIRE(error);
  CHECK(error->message().find("remove every other column, or export the numbers as text") !=
        std::string::npos);
}

TEST_CASE(
    "a quote in the first line that is never closed, or closes after numbers, swallows no line but its own") {
  std::string text = "\"INSZ\n";
  for (int i = 0; i < 10; ++i) text += "05070999751\n";
  const ListReport report = read(text);
  CHECK(report.faulty() == 1);
  CHECK(report.rest.size() == 1);
  CHECK(report.merged == 9);
  CHECK(read("\"05070999751\n00010199875\n\"\n").rest.size() == 1);
  CHECK(read("\"05070999751\n00010199875\n\"\n").faulty() == 2);
}

TEST_CASE("a quote that is not closed, or is followed by more, is a fault of its line") {
  for (const std::string_view line :
       {"\"05070999751", "\"05070999751\"x", "\"", "\"05070999751\"\"", "\"\"x"}) {
    INFO(line);
    const ListReport report = read(fmt::format("INSZ\n{}\n00010199875\n", line));
    REQUIRE(report.faults.size() == 1);
    CHECK(report.faults[0].code == Code::r_format);
    CHECK(report.faults[0].place == "line 2");
    CHECK(report.numbers.empty());
  }
  const ListReport header = read("\"INSZ\n05070999751\n");
  REQUIRE(header.faults.size() == 1);
  CHECK(header.faults[0].place == "line 1");
}

TEST_CASE("a mistyped first number is a fault and not a header") {
  for (const std::string_view line : {"O5070999751", "OO010199875", "l5.07.09-997.51", "x05070999751"}) {
    INFO(line);
    const ListReport report = read(fmt::format("{}\n00010199875\n", line));
    REQUIRE(report.faults.size() == 1);
    CHECK(report.faults[0].code == Code::r_format);
    CHECK(report.faults[0].place == "line 1");
  }
  CHECK(numbers_of("INSZ op 01/01/2022\n05070999751\n") == std::vector<std::string>{"05070999751"});
}

TEST_CASE("a first line that is taken for a heading is told, whatever it says") {
  CHECK_FALSE(read("05070999751\n").header);
  CHECK_FALSE(read("sep=;\n05070999751\n").header);
  for (const std::string_view line :
       {"INSZ", "Jan Janssens 1985", "\xc3\x89tat civil", "\xc9tat civil", "\xc5\xa0ifra",
        "\x8a"
        "ifra",
        "\xc9", "\"\xc3\x89tat\""}) {
    INFO(line);
    const ListReport report = read(fmt::format("\n{}\n05070999751\n", line));
    CHECK(report.good());
    CHECK(report.header);
    CHECK(report.lines == 1);
    CHECK(digits_of(report) == std::vector<std::string>{"05070999751"});
  }
  // With faults too.
  const ListReport faulty = read("INSZ\n05070999752\n");
  CHECK_FALSE(faulty.good());
  CHECK(faulty.header);
  // Signs are no letters, in either encoding.
  for (const std::string_view line : {"\xc2\xb0", "\xe2\x82\xac 5", "\xd7", "\x80",
                                      "\xe2\x80\x8b"
                                      "5070999751",
                                      "#", "1", "-"}) {
    INFO(line);
    const ListReport report = read(fmt::format("{}\n05070999751\n", line));
    CHECK_FALSE(report.header);
    CHECK(report.counts.at(Code::r_format) == 1);
  }
}

TEST_CASE("Excel's line about the delimiter is no part of the list") {
  for (const std::string_view line :
       {"sep=;", "SEP=,", "Sep=\t", "\"sep=;\"", "sep=; ", "sep=|", "\r\nsep=;"}) {
    INFO(line);
    const ListReport report = read(fmt::format("{}\r\nINSZ\r\n05070999751\r\n", line));
    CHECK(report.good());
    CHECK(report.header);
    CHECK(report.lines == 1);
  }
  CHECK(read("\xef\xbb\xbfsep=;\n05070999751\n").good());
  CHECK_FALSE(read("05070999751\nsep=;\n").good());
  CHECK_FALSE(read("INSZ\nsep=;\n05070999751\n").good());
  CHECK(code_of([] { read("sep=;x\n05070999751\n"); }) == Code::f_extra_data);
}

TEST_CASE("a line of nothing but delimiters and blanks takes time in proportion to its length") {
  // Were every column to look through the blanks at the end, this would take minutes.
  const std::string line = std::string(16'000, ';') + std::string(8'000'000, ' ');
  CHECK(read(line + "\n05070999751\n").good());
  CHECK(read("05070999751" + line + "\n").good());
  CHECK(code_of([&] { read(line + ";x\n"); }) == Code::f_extra_data);
  CHECK(code_of([] { read(std::string(17'000, ';') + "\n05070999751\n"); }) == Code::f_extra_data);
}

TEST_CASE("a stop ends the reading of a text") {
  std::string bytes;
  while (bytes.size() < std::size_t{8} << 20) bytes += "05070999751\n";
  std::stop_source stop;
  std::uint64_t done = 0;
  const Transfer transfer{stop.get_token(), [&](std::uint64_t now) {
                            done = now;
                            if (now > std::size_t{3} << 20) stop.request_stop();
                          }};
  CHECK(code_of([&] { read_text_list(bytes, kReference, transfer); }) == Code::l_stopped);
  CHECK(done < std::size_t{5} << 20);
  CHECK(code_of([&] { read_text_list("05070999751\n", kReference, transfer); }) == Code::l_stopped);
}

TEST_CASE("only the first line that holds something can be a header") {
  const ListReport report = read("05070999751\nINSZ\n");
  REQUIRE(report.faults.size() == 1);
  CHECK(report.faults[0].place == "line 2");
  const ListReport two = read("INSZ\nnummer\n05070999751\n");
  REQUIRE(two.faults.size() == 1);
  CHECK(two.faults[0].place == "line 2");
}

TEST_CASE("a number that stands there more than once is one number, and the repeats are counted") {
  const ListReport report =
      read("INSZ\n05070999751\n00010199875\n05.07.09-997.51\n5070999751\n05070999751\n");
  CHECK(report.good());
  CHECK(digits_of(report) == kTwo);
  CHECK(report.lines == 5);
  CHECK(report.merged == 3);
  CHECK(report.restored == 1);
}

TEST_CASE("two persons with the same first nine digits stay two") {
  CHECK(numbers_of("05070999751\n05070999780\n") == std::vector<std::string>{"05070999751", "05070999780"});
}

TEST_CASE("every fault is counted, a hundred are listed with their lines, and none shows a number") {
  std::string bytes = "INSZ\r\n\r\n";
  for (int i = 0; i < 60; ++i) bytes += "05070999752\r\n85130999727\r\n\r\n00010199875\r\nJanssens\r\n";
  const ListReport report = read(bytes);
  CHECK_FALSE(report.good());
  CHECK(report.numbers.empty());
  CHECK(report.lines == 240);
  CHECK(report.counts ==
        std::map<Code, std::uint64_t>{{Code::r_format, 60}, {Code::r_check, 60}, {Code::r_month, 60}});
  CHECK(summary(report.counts) == "60 × R_FORMAT, 60 × R_CHECK, 60 × R_MONTH");
  REQUIRE(report.faults.size() == kFaultsListed);
  CHECK(report.faults[0].place == "line 3");
  CHECK(report.faults[0].code == Code::r_check);
  CHECK(report.faults[1].place == "line 4");
  CHECK(report.faults[1].code == Code::r_month);
  CHECK(report.faults[2].place == "line 7");
  CHECK(report.faults[2].code == Code::r_format);
  CHECK(report.faults[99].place == fmt::format("line {}", 3 + 33 * 5));
  for (const Fault& fault : report.faults) CHECK_FALSE(shows_number(fault.place));
}

TEST_CASE("a shuffled list comes out ascending and whole") {
  const auto numbers = fictitious_list(20'000, 3);
  auto shuffled = numbers;
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937_64(4));
  std::string bytes = "INSZ\r\n";
  for (const Insz& number : shuffled) {
    const auto digits = number.digits();
    bytes += std::string(digits.data(), digits.size()) + "\r\n";
  }
  const ListReport report = read(bytes);
  CHECK(report.good());
  CHECK(report.numbers == numbers);
}

TEST_CASE("no text whatever upsets the reader") {
  std::mt19937_64 random(10'000);
  std::string clean = "INSZ;\r\n\"05070999751\";\"\"\r\n00.01.01-998.75\r\n5070999780.0\r\n\r\n";
  for (const Insz& number : fictitious_list(20, 5)) {
    const auto digits = number.digits();
    clean += std::string(digits.data(), digits.size()) + "\r\n";
  }
  int good = 0;
  for (int i = 0; i < 10'000; ++i)
    good += reads_soundly([&, bytes = mutate(clean, random)] { return read(bytes); });
  CHECK(good > 100);
}

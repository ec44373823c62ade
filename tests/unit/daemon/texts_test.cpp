#include "daemon/texts.h"

#include <set>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "support/text.h"

using namespace veer;
using veer::test::has;

TEST_CASE("every fault of a line has a remedy of its own in both languages") {
  std::set<std::string_view> texts;
  for (auto code = Code::r_format; code <= Code::r_deceased;
       code = static_cast<Code>(static_cast<int>(code) + 1)) {
    INFO(code_name(code));
    REQUIRE(code_name(code).starts_with("R_"));
    for (const Language language : {Language::nl, Language::en}) {
      CHECK(remedy_text(language, code).size() > 10);
      texts.insert(remedy_text(language, code));
    }
  }
  CHECK(texts.size() == 18);
}

TEST_CASE("the note of a refused list tells for each fault where it is and what to do") {
  ListReport report;
  report.header = true;
  report.counts = {{Code::r_check, 1}, {Code::r_future, 1}};
  report.faults = {{"line 3", Code::r_check}, {"cell A9", Code::r_future}};
  const Error error(Code::i_faulty, "the list holds faults");
  const std::string dutch = refusal_note(Language::nl, "list.csv", error, &report, Time());
  CHECK(has(dutch, "R_CHECK  regel 3: een cijfer is fout"));
  CHECK(has(dutch, "R_FUTURE  cel A9: geboren na de peildatum"));
  CHECK(has(dutch, "als opschrift gelezen"));
  const std::string english = refusal_note(Language::en, "list.csv", error, &report, Time());
  CHECK(has(english, "R_CHECK  line 3: a digit is wrong"));
  CHECK(has(english, "taken for a heading"));
  CHECK(has(english, "Where, and what to do:"));
  report.counts[Code::r_day] = 7;
  CHECK(has(refusal_note(Language::en, "list.csv", error, &report, Time()), "The first 2:"));
  report.header = false;
  CHECK_FALSE(has(refusal_note(Language::en, "list.csv", error, &report, Time()), "heading"));
}

TEST_CASE("a Dutch note says in Dutch why a list was not taken in, and a receipt's reasons likewise") {
  std::set<std::string> texts;
  for (auto code = Code::f_archive; code <= Code::i_owner;
       code = static_cast<Code>(static_cast<int>(code) + 1)) {
    INFO(code_name(code));
    const std::string dutch = reason_text(Language::nl, code, "the case");
    CHECK(dutch.ends_with(" (in het Engels: the case)"));
    CHECK(dutch.size() > 35);
    CHECK(reason_text(Language::en, code, "the case") == "the case");
    texts.insert(dutch);
  }
  CHECK(texts.size() == 31);
  const Error error(Code::f_second_list, "the list was recorded");
  CHECK(has(refusal_note(Language::nl, "list.csv", error, nullptr, Time()), "al een lijst geregistreerd"));
  CHECK(has(refusal_note(Language::nl, "list.csv", error, nullptr, Time()), "Haal het bestand weg"));
  const Error extra(Code::f_extra_data, "line 3 has a second column");
  CHECK(has(refusal_note(Language::nl, "list.csv", extra, nullptr, Time()),
            ": regel 3 (in het Engels: line 3 "));
  CHECK(has(trouble_note(Language::nl, "list.csv", Error(Code::l_full, "full"), Time()), "L_FULL"));
}

TEST_CASE("the note of a list tells at every turn that its first line was taken for a heading") {
  Exchange x;
  x.origin = "list.csv";
  x.header = true;
  for (const Turn turn : {Turn::sealed, Turn::sent, Turn::recorded, Turn::overdue}) {
    CHECK(has(note_of(Language::nl, turn, x, "", Time()), "als opschrift gelezen"));
    CHECK(has(note_of(Language::en, turn, x, "", Time()), "taken for a heading"));
  }
  x.header = false;
  CHECK_FALSE(has(note_of(Language::en, Turn::sealed, x, "", Time()), "heading"));
}

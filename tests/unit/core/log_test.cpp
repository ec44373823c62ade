#include "core/log.h"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "core/files.h"
#include "core/log_event.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;

TEST_CASE("foreign text is made safe for a terminal and left alone where it is") {
  CHECK(printable("").empty());
  CHECK(printable("vsb-inburgering 2026.pgp") == "vsb-inburgering 2026.pgp");
  CHECK(printable("coördinatie €5 𝄞") == "coördinatie €5 𝄞");
  CHECK(printable("a\x1b[31mb\r\n\x7f") == "a\\x1b[31mb\\x0d\\x0a\\x7f");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(printable("\\x1b") == "\\x5cx1b");
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");
}

TEST_CASE("what hides or turns letters on a terminal is shown as numbers") {
  CHECK(printable("a\u202egpj.b") == "a\\xe2\\x80\\xaegpj.b");
  for (const char* unseen :
       {"\u200b", "\u200f", "\u2028", "\u2029", "\u202a", "\u2066", "\u2069", "\u061c", "\ufeff"})
    CHECK(printable(unseen).starts_with("\\x"));
  CHECK(printable("\u2010\u2030\u2065\u206a") == "\u2010\u2030\u2065\u206a");
}

TEST_CASE("Q16: a name shows no digit of what could be a national number, and is otherwise left as it is") {
  CHECK(shown_name("05070999751.csv") == "xxxxxxxxxxx.csv");
  CHECK(shown_name("Iemand 05.07.09-997.51.pdf") == "Iemand xx.xx.xx-xxx.xx.pdf");
  CHECK(shown_name("05_07_09 997 51") == "xx_xx_xx xxx xx");
  CHECK(shown_name("2026-05070999751") == "xxxx-xxxxxxxxxxx");
  CHECK(shown_name("inburgeringsplicht-2026.csv") == "inburgeringsplicht-2026.csv");
  CHECK(shown_name("lijst 2026-01-15 v2.csv") == "lijst 2026-01-15 v2.csv");
  CHECK(shown_name("0507099975/1.csv") == "0507099975/1.csv");
  CHECK(shown_name("0507099975:1.csv") == "0507099975:1.csv");
  CHECK(without_numbers("").empty());
}

TEST_CASE("Q16: a number shows in no text, whatever a person or a word processor puts between its digits") {
  for (const char* between : {"-",
                              ".",
                              " ",
                              "_",
                              "/",
                              ",",
                              "\t",
                              "\u2013",
                              "\u2014",
                              "\u2010",
                              "\u2011",
                              "\u2212",
                              "\u00a0",
                              "\u2007",
                              "\u202f",
                              "\u200b",
                              "\u2060",
                              "\u00ad",
                              "\x96",
                              " \u2013 ",
                              " - ",
                              "\u00a0\u2013\u00a0",
                              "\u202f\u2013\u202f"}) {
    CAPTURE(printable(between));
    for (const char* ends : {"85.07.09", "850709", "85/07/09", "85 07 09"}) {
      const std::string typed = std::string("of ") + ends + between + "997.51, by letter 12";
      std::string masked(ends);
      for (char& c : masked)
        if (c >= '0' && c <= '9') c = 'x';
      masked = "of " + masked + between + "xxx.xx, by letter 12";
      CHECK(without_numbers(typed) == masked);
      CHECK(without_typed_numbers(typed) == masked);
    }
    const std::string apart = fmt::format("85{0}07{0}09{0}997{0}51", between);
    CHECK(without_numbers(apart).find_first_of("0123456789") == std::string::npos);
    CHECK(without_typed_numbers(apart) == without_numbers(apart));
  }
  for (const char* uneven : {"8507.09 - 997.51", "85.0709 - 997 51"})
    CHECK(without_typed_numbers(uneven).find_first_of("0123456789") == std::string::npos);
  CHECK(shown_text("tab 85.07.09\t997.51", 100) == "tab xx.xx.xx\\x09xxx.xx");
  CHECK(shown_text("85.07.09-997.51", 12) == "xx.xx.xx-xxx…");
}

TEST_CASE("what tells of dates, times, lines and articles keeps its digits") {
  for (const char* kept :
       {"articles 12, 13, 14, 15, 16 and 17", "lines 3, 4, 5, 120, 130, 140", "on 2026-01-15, 2026-02-15",
        "2026-11-28T02:01:29.123Z", "2026/01/15 at 9", "15/01/2026, 14:30", "1,000,000 of 10.000.000",
        "01/01/2026 - 31/03/2026", "15/01/2026 09.30", "15/01/2026 10234",
        "https://example.org/eli/decreet/2016/02/19/2016035311/justel",
        "/exports/2026/03/12/20260312/list.csv", "/exports/2026/01/15/103045/list.csv"}) {
    CHECK(without_numbers(kept) == kept);
    CHECK(without_typed_numbers(kept) == kept);
  }
  CHECK(without_typed_numbers("2026-01-15 02:01:29, 12/15 and 1.0.0-1") ==
        "2026-01-15 02:01:29, 12/15 and 1.0.0-1");
}

TEST_CASE("Q16: a typed number is taken out of a text whose digests, times and ids stay") {
  CHECK(without_typed_numbers("no 85070999751, 85.07.09-997.51 or 85 07 09 997 51") ==
        "no xxxxxxxxxxx, xx.xx.xx-xxx.xx or xx xx xx xxx xx");
  CHECK(without_typed_numbers("jan85070999751.csv") == "janxxxxxxxxxxx.csv");
  CHECK(without_typed_numbers("850709997510 1") == "xxxxxxxxxxxx 1");
  for (const char* kept :
       {"A850709997518507099975185070999751B85070", "01234567-8507-4709-9975-123456789012",
        "vsb-inburgering-2026-r1_20260101000000000.pgp", "vsb-rehearsal-202611_20261127075253568.pgp",
        "2026-11-25T17:13:31.123Z", "/a_20260115_093000/b",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ""})
    CHECK(without_typed_numbers(kept) == kept);
}

TEST_CASE("bytes that are not UTF-8 are shown as numbers, each by itself") {
  for (const char* bytes : {"\xff", "\x80", "\xc3", "\xc0\xaf", "\xe2\x82", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    const std::string safe = printable(bytes);
    CHECK(safe.size() == 4 * std::string_view(bytes).size());
    CHECK(safe.starts_with("\\x"));
  }
  CHECK(printable("a\xffz") == "a\\xffz");
}

TEST_CASE("what is shown of foreign text is never longer than allowed, and says when it was cut") {
  CHECK(printable("12345", 5) == "12345");
  CHECK(printable("123456", 5) == "12345…");
  CHECK(printable("1234€", 5) == "1234…");
  CHECK(printable("12\x1b", 5) == "12…");
  CHECK(printable(std::string(1000, '\n')).size() == 120 + std::string_view("…").size());
}

TEST_CASE("a log line is written as it is, from the threshold on") {
  const TempFolder folder;
  const Fd kept(dup(STDERR_FILENO));
  {
    const Fd file(open((folder / "log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(dup2(file.get(), STDERR_FILENO) == STDERR_FILENO);
  }
  log_to(LogTarget::stderr_plain, LogLevel::info);
  log_line(LogLevel::debug, "too small");
  log_line(LogLevel::info, "100% {} %s {0}");
  log(LogLevel::error, "{} of {}", 1, "two");
  log_event(LogLevel::error, "an event", {{"VEERDIENST_CODE", "nowhere"}});
  log_event(LogLevel::debug, "too small", {{"VEERDIENST_CODE", "nowhere"}});
  log_to(LogTarget::stderr_plain, LogLevel::warn);
  log_line(LogLevel::info, "too small now");
  dup2(kept.get(), STDERR_FILENO);

  const std::string text = read_file(folder / "log");
  CHECK(text.find(" info 100% {} %s {0}\n") != std::string::npos);
  CHECK(text.find(" error 1 of two\n") != std::string::npos);
  CHECK(text.find(" error an event\n") != std::string::npos);
  CHECK(text.find("nowhere") == std::string::npos);
  CHECK(text.find("too small") == std::string::npos);
}

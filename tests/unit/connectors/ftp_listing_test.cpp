#include "connectors/ftp_listing.h"

#include <catch2/catch.hpp>

using namespace veer;

namespace {

using Names = std::vector<std::string>;

Names files_of(const FtpListing& listing) {
  Names names;
  for (const FtpFile& entry : listing.entries)
    if (entry.kind == FtpKind::file) names.push_back(entry.name);
  return names;
}

}  // namespace

TEST_CASE("facts tell kind, size, time and the server's mark of a file, in any order and case") {
  const auto file =
      parse_facts("Size=12;TYPE=file;modify=20260115093000.123;Unique=fe00g1;UNIX.mode=0644; a b ");
  REQUIRE(file);
  CHECK(file->kind == FtpKind::file);
  CHECK(file->name == "a b ");
  CHECK(file->size == 12);
  CHECK(file->modified == "20260115093000.123");
  CHECK(file->unique == "fe00g1");
  CHECK(parse_facts("type=dir;modify=20260115093000; to_aii")->kind == FtpKind::folder);
  CHECK(parse_facts("type=OS.unix=slink:/etc/passwd;size=13; link")->kind == FtpKind::other);
  CHECK(parse_facts("type=file;size=1;modify=20260115093000; /whole/path")->name == "/whole/path");
}

TEST_CASE("facts that are not whole are none") {
  for (const char* line :
       {"", "x", " type=file;size=1;modify=20260115093000; a", "size=1;modify=20260115093000; a",
        "type=file;modify=20260115093000; a", "type=file;size=1; a",
        "type=file;size=-1;modify=20260115093000; a", "type=file;size=0x1;modify=20260115093000; a",
        "type=file;size=1;modify=20260115; a", "type=file;size=1;modify=20261315093000; a",
        "type=file;size=1;modify=20260115093000.1234567890; a",
        "type=file;size=99999999999999999999;modify=20260115093000; a",
        "type=file;size=1;modify=20260115093000; ", "type=file;size=1;modify=20260115093000;a"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_facts(line));
  }
}

TEST_CASE("a server's mark is made safe and is never long") {
  const auto file =
      parse_facts("type=file;size=1;modify=20260115093000;unique=\x1b[31m" + std::string(5000, 'u') + "; a");
  REQUIRE(file);
  CHECK(file->unique.starts_with("\\x1b[31m"));
  CHECK(file->unique.size() < 80);
}

TEST_CASE("a listing by MLSD keeps what is of the format and counts the rest") {
  const FtpListing listing = parse_mlsd(
      "type=cdir;modify=20260115093000; .\r\n"
      "type=pdir;modify=20260115093000; ..\r\n"
      "type=dir;modify=20260115093000; folder\r\n"
      "type=file;size=3;modify=20260115093000; a.pgp\r\n"
      "type=file;size=3;modify=20260115093000; b\xff\x1b[31m \n"
      "type=file;size=3;modify=20260115093000; ../etc/passwd\r\n"
      "type=file;size=3;modify=20260115093000; ..\r\n"
      "type=OS.unix=symlink;size=3;modify=20260115093000; link\r\n"
      "\r\n"
      "and a line that says nothing\r\n"
      "type=file;size=4;modify=20260115093000; last");
  CHECK(files_of(listing) == Names{"a.pgp", "b\xff\x1b[31m ", "../etc/passwd", "..", "last"});
  CHECK(listing.entries.size() == 7);
  CHECK(listing.read == 9);
  CHECK(listing.unreadable == 1);
  CHECK(listing.shows_itself);
}

TEST_CASE("a listing in the manner of ls keeps what is of the format and counts the rest") {
  const FtpListing listing = parse_unix_list(
      "total 12\r\n"
      "drwxr-xr-x    2 0        0            4096 Nov 25 10:38 .\r\n"
      "drwxr-xr-x    2 0        0            4096 Nov 25 10:38 ..\r\n"
      "-rw-r--r--    1 0        0               3 Nov 25 10:38 a.pgp\r\n"
      "-rw-r--r--+   1 aii      users 99999999999 Jan  1  2026  c d \r\n"
      "-rwsr-xr-T.   1 aii      users           0 Feb 29  2024 -rf\r\n"
      "lrwxrwxrwx    1 0        0              13 Nov 25 10:38 link -> /etc/hostname\r\n"
      "prw-r--r--    1 0        0               0 Nov 25 10:39 pipe\r\n"
      "brw-rw----    1 0        6           8,  0 Nov 25 10:39 sda\r\n"
      "-rw-r--r--    1 0        0               3 Nov 25 10:38 a/b\r\n"
      "-rw-r--r--    1 0        0              3x Nov 25 10:38 c\r\n"
      "-rw-r--r--    1 0        0               3 25.11. 10:38 c\r\n"
      "-rw-r--r--    1 0        0               3 Nov 25 10:38\r\n"
      "11-25-26  10:38AM                    3 dos.txt\r\n"
      "x");
  CHECK(files_of(listing) == Names{"a.pgp", " c d ", "-rf", "a/b"});
  CHECK(listing.entries.at(1).size == 99999999999);
  CHECK(listing.entries.at(3).name == "link");
  CHECK(listing.read == 10);
  CHECK(listing.unreadable == 5);
  CHECK(listing.shows_itself);
}

TEST_CASE("nothing and garbage are listings without entries") {
  CHECK(parse_mlsd("").read == 0);
  CHECK(parse_unix_list("\r\n\r\n").unreadable == 0);
  std::string bytes;
  for (int i = 0; i < 20000; ++i) bytes += static_cast<char>(i * 31 + i / 7);
  CHECK(parse_mlsd(bytes).entries.empty());
  CHECK(parse_unix_list(bytes).entries.empty());
}

TEST_CASE("times are UTC, exist, and may have a fraction") {
  CHECK(format_time(parse_ftp_time("20260115093000").value()) == "2026-01-15T09:30:00.000Z");
  CHECK(format_time(parse_ftp_time("20240229235960.5").value()) == "2024-03-01T00:00:00.500Z");
  for (const char* text : {"", "2026011509300", "202601150930000", "20260229093000", "20260115240000",
                           "20260115096000", "2026-01-15T09:30", "20260115093000.x"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ftp_time(text));
  }
}

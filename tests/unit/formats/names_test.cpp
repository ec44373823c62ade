#include "formats/names.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

using namespace veer;

namespace {

const Time kSealedAt = *parse_time("2026-01-15T09:30:00.123Z");

}  // namespace

TEST_CASE("names are those of the protocol") {
  const std::string list = make_stem(Purpose::list, 2026, 1, kSealedAt);
  CHECK(list == "vsb-inburgering-2026-r1_20260115093000123");
  CHECK(make_stem(Purpose::rehearsal, 2026, 1, kSealedAt) == "vsb-rehearsal-202601_20260115093000123");
  CHECK(file_name(list, FileKind::package) == list + ".pgp");
  CHECK(file_name(list, FileKind::recorded) == list + ".recorded.tar");
  CHECK(file_name(list, FileKind::refused) == list + ".refused.tar");
  CHECK(file_name(list, FileKind::package, 2) == list + "-2.pgp");
  CHECK(file_name(list, FileKind::refused, 3) == list + "-3.refused.tar");
}

TEST_CASE("every name that can be made is read as what it was made from, and its part name is known") {
  std::mt19937_64 random(20260115);
  const auto between = [&](std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random);
  };
  const std::int64_t first = to_millis(*parse_time("1000-01-01T00:00:00Z"));
  const std::int64_t last = to_millis(*parse_time("9999-12-31T23:59:59.999Z"));
  for (int i = 0; i < 5000; ++i) {
    const auto purpose = between(0, 1) == 0 ? Purpose::list : Purpose::rehearsal;
    const auto kind = static_cast<FileKind>(between(0, 2));
    const int copy = static_cast<int>(between(1, 99));
    const std::string stem = make_stem(purpose, static_cast<int>(between(1000, 9999)),
                                       static_cast<int>(between(1, 999)), from_millis(between(first, last)));
    const std::string name = file_name(stem, kind, copy);
    INFO(name);
    const auto parsed = parse_file_name(name);
    REQUIRE(parsed);
    CHECK(parsed->stem == stem);
    CHECK(parsed->kind == kind);
    CHECK(parsed->copy == copy);
    CHECK(is_part_name("." + name + ".part"));
    CHECK_FALSE(is_part_name(name));
    CHECK_FALSE(parse_file_name("." + name + ".part"));
  }
}

TEST_CASE("a name that differs in a single byte is another name or none") {
  const std::string name = "vsb-inburgering-2026-r12_20260115093000123-2.recorded.tar";
  for (std::size_t at = 0; at < name.size(); ++at)
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = name;
      changed[at] = static_cast<char>(byte);
      const auto parsed = parse_file_name(changed);
      if (parsed) CHECK(file_name(parsed->stem, parsed->kind, parsed->copy) == changed);
    }
}

TEST_CASE("every other name is refused") {
  for (const char* name : {
           "",
           ".",
           "..",
           ".pgp",
           "_.pgp",
           "-.pgp",
           "vsb-inburgering-2026-r1_20260115093000123",
           "VSB-inburgering-2026-r1_20260115093000123.pgp",
           "vsb-inburgering-2026-r1_20260115093000123.PGP",
           "vsb-inburgering-2026-r1_20260115093000123.pgp ",
           "vsb-inburgering-2026-r1_20260115093000123.pgp.pgp",
           "vsb-inburgering-2026-r1_20260115093000123.recorded.tar.pgp",
           "vsb-inburgering-2026-r1_20260115093000123.recorded",
           "vsb-inburgering-2026-r1_20260115093000123.tar",
           "vsb-inburgering-2026-r0_20260115093000123.pgp",
           "vsb-inburgering-2026-r01_20260115093000123.pgp",
           "vsb-inburgering-2026-r1000_20260115093000123.pgp",
           "vsb-inburgering-2026-r_20260115093000123.pgp",
           "vsb-inburgering-2026-r+1_20260115093000123.pgp",
           "vsb-inburgering-26-r1_20260115093000123.pgp",
           "vsb-inburgering-0026-r1_20260115093000123.pgp",
           "vsb-inburgering-2026-r1_20261315093000123.pgp",
           "vsb-inburgering-2026-r1_20260230093000123.pgp",
           "vsb-inburgering-2026-r1_20260115243000123.pgp",
           "vsb-inburgering-2026-r1_20260115093060123.pgp",
           "vsb-inburgering-2026-r1_2026011509300012.pgp",
           "vsb-inburgering-2026-r1_202601150930001234.pgp",
           "vsb-inburgering-2026-r1_20260115093000123-1.pgp",
           "vsb-inburgering-2026-r1_20260115093000123-02.pgp",
           "vsb-inburgering-2026-r1_20260115093000123-100.pgp",
           "vsb-inburgering-2026-r1_20260115093000123-.pgp",
           "vsb-inburgering-2026-r1_20260115093000123-2-2.pgp",
           "vsb-inburgering-2026-r1-2_20260115093000123.pgp",
           "vsb-inburgering-2026_20260115093000123.pgp",
           "vsb-rehearsal-202601-r1_20260115093000123.pgp",
           "vsb-rehearsal-202602_20260115093000123.pgp",
           "vsb-rehearsal-202613_20261315093000123.pgp",
           "../vsb-inburgering-2026-r1_20260115093000123.pgp",
           "a/vsb-inburgering-2026-r1_20260115093000123.pgp",
       }) {
    INFO(name);
    CHECK_FALSE(parse_file_name(name));
  }
  CHECK_FALSE(parse_file_name(std::string_view("vsb-inburgering-2026-r1_20260115093000123.pgp\0", 46)));
  CHECK_FALSE(parse_file_name(std::string(100000, '9')));
  for (const char* name :
       {"", ".part", "..part", ".a.part", "vsb-inburgering-2026-r1_20260115093000123.pgp.part",
        "..vsb-inburgering-2026-r1_20260115093000123.pgp.part"})
    CHECK_FALSE(is_part_name(name));
}

#include "formats/package.h"

#include <cstring>
#include <fstream>
#include <functional>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "core/digest.h"
#include "support/mutate.h"
#include "support/samples.h"
#include "support/shell.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

const std::string kList = "insz\n00010199875\n05070999751\n99123199742\n";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void write(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool lies_within(std::string_view view, std::string_view whole) {
  const std::less_equal<const char*> not_after;
  return not_after(whole.data(), view.data()) &&
         not_after(view.data() + view.size(), whole.data() + whole.size());
}

// Puts `bytes` at `at` of the header that starts at `header` and makes its sum right again.
std::string with_header(std::string archive, std::size_t header, std::size_t at, std::string_view bytes) {
  archive.replace(header + at, bytes.size(), bytes);
  archive.replace(header + 148, 8, 8, ' ');
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(archive[header + i]);
  return archive.replace(header + 148, 7, fmt::format("{:06o}", sum).c_str(), 7);
}

}  // namespace

TEST_CASE("a manifest is written as the golden file has it, and read back") {
  const std::string golden = test_data("manifest.json");
  CHECK(manifest_json(sample_manifest()) == golden);
  const Manifest read = parse_manifest(golden);
  CHECK(read.exchange == sample_manifest().exchange);
  CHECK(read.purpose == Purpose::list);
  CHECK(read.environment == "production");
  CHECK(read.reference_date == sample_manifest().reference_date);
  CHECK(read.revision == 2);
  CHECK(read.supersedes == sample_manifest().supersedes);
  CHECK(read.sender.party == "aii");
  CHECK(read.receiver.key == sample_manifest().receiver.key);
  CHECK(read.sealed_at == sample_manifest().sealed_at);
  CHECK(read.records == 3);
  CHECK(read.set_aside == 1);
  CHECK(read.list_sha256 == sample_manifest().list_sha256);
  CHECK_FALSE(read.previous_receipt_sha256);
  CHECK(read.audit.seq == 118);
  CHECK(read.audit.head == sample_manifest().audit.head);
  CHECK(read.generator == "veerdienst 1.0.0");
}

TEST_CASE("every manifest that can be written is read as the same") {
  Samples samples(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = manifest_json(samples.manifest());
    REQUIRE(manifest_json(parse_manifest(text)) == text);
  }
}

TEST_CASE("the order of keys and the spaces between them mean nothing when a manifest is read") {
  const std::string golden = test_data("manifest.json");
  std::string moved = replaced(golden, "  \"records\": 3,\n", "");
  moved = replaced(moved, "{\n", "{\"records\":\t3 ,\r\n");
  CHECK(manifest_json(parse_manifest(moved)) == golden);
}

TEST_CASE("a manifest with a value of another shape is refused, naming the key and not the value") {
  struct Edit {
    const char* key;
    const char* from;
    const char* to;
  };
  for (const Edit& edit : {
           Edit{"format", "veerdienst-package/1", "veerdienst-package/2"},
           Edit{"format", "\"veerdienst-package/1\"", "1"},
           Edit{"exchange", "7b0d1c52-", "7B0D1C52-"},
           Edit{"exchange", "7b0d1c52-", "7b0d1c520"},
           Edit{"exchange", "\"7b0d1c52-9f3e-4a6b-8c1d-2e5f60718293\"", "null"},
           Edit{"purpose", "\"list\"", "\"lists\""},
           Edit{"environment", "production", "Production"},
           Edit{"reference_date", "2026-01-01", "2026-02-30"},
           Edit{"reference_date", "2026-01-01", "2026-1-1"},
           Edit{"revision", ": 2,", ": 0,"},
           Edit{"revision", ": 2,", ": 1000,"},
           Edit{"revision", ": 2,", ": 2.0,"},
           Edit{"revision", ": 2,", ": \"2\","},
           Edit{"revision", ": 2,", ": true,"},
           Edit{"revision", ": 2,", ": [2],"},
           Edit{"supersedes", "\"0a1b2c3d-4e5f-4a6b-9c7d-8e9fa0b1c2d3\"", "\"\""},
           Edit{"supersedes", "\"0a1b2c3d-4e5f-4a6b-9c7d-8e9fa0b1c2d3\"", "0"},
           Edit{"sender.party", "\"aii\"", "\"AII\""},
           Edit{"sender.party", "\"aii\"", "\"\""},
           Edit{"sender.party", "\"aii\"", "\"abcdefghijklmnopq\""},
           Edit{"sender.key", "0123456789ABCDEF0123456789ABCDEF01234567",
                "0123456789abcdef0123456789abcdef01234567"},
           Edit{"sender.key", "0123456789ABCDEF0123456789ABCDEF01234567", "0123456789ABCDEF"},
           Edit{"sealed_at", "09:30:00.123Z", "09:30:00.123+01:00"},
           Edit{"sealed_at", "09:30:00.123Z", "09:30:61Z"},
           Edit{"records", ": 3,", ": -3,"},
           Edit{"records", ": 3,", ": -0,"},
           Edit{"records", ": 3,", ": 3e0,"},
           Edit{"records", ": 3,", ": 9007199254740992,"},
           Edit{"records", ": 3,", ": 18446744073709551616,"},
           Edit{"set_aside", ": 1,", ": null,"},
           Edit{"list_sha256", "5e884898", "5E884898"},
           Edit{"list_sha256", "5e884898", "e884898"},
           Edit{"previous_receipt_sha256", ": null", ": false"},
           Edit{"audit.seq", ": 118,", ": -118,"},
           Edit{"audit.head", "ef2d127d", "gf2d127d"},
           Edit{"generator", "veerdienst 1.0.0", ""},
           Edit{"generator", "veerdienst 1.0.0", "veerdienst\\n1.0.0"},
           Edit{"generator", "veerdienst 1.0.0", "veerdiënst 1.0.0"},
       }) {
    INFO(edit.key << " " << edit.from << " -> " << edit.to);
    const auto error =
        thrown([&] { parse_manifest(replaced(test_data("manifest.json"), edit.from, edit.to)); });
    REQUIRE(error);
    CHECK(error->code() == Code::f_manifest);
    CHECK(error->message().starts_with(fmt::format("manifest.json: {} must be ", edit.key)));
    if (std::strlen(edit.to) > 6 && std::strcmp(edit.key, "format") != 0)
      CHECK(error->message().find(edit.to) == std::string::npos);
  }
  const std::string long_one =
      replaced(test_data("manifest.json"), "veerdienst 1.0.0", std::string(101, 'v'));
  CHECK(code_of([&] { parse_manifest(long_one); }) == Code::f_manifest);
}

TEST_CASE("a manifest lacks no key, repeats none and has no other") {
  const std::string golden = test_data("manifest.json");
  for (const char* key : {"format", "exchange", "purpose", "environment", "reference_date", "revision",
                          "supersedes", "sender", "receiver", "sealed_at", "records", "set_aside",
                          "list_sha256", "previous_receipt_sha256", "audit", "generator"}) {
    INFO(key);
    const auto error =
        thrown([&] { parse_manifest(replaced(golden, fmt::format("\"{}\"", key), "\"05070999751\"")); });
    REQUIRE(error);
    CHECK(error->code() == Code::f_manifest);
    CHECK(error->message().find(fmt::format("{} must be there", key)) != std::string::npos);
    CHECK(error->message().find("05070999751") == std::string::npos);
  }
  for (const auto& edit : {std::pair{"\"revision\"", "\"revision\": 2, \"revision\""},
                           std::pair{"\"revision\"", "\"revision\": 2, \"r\\u0065vision\""},
                           std::pair{"\"party\": \"aii\"", "\"party\": \"aii\", \"party\": \"aii\""},
                           std::pair{"\"revision\"", "\"05070999751\": 2, \"revision\""},
                           std::pair{"\"party\": \"aii\"", "\"party\": \"aii\", \"05070999751\": 1"},
                           std::pair{"\"seq\"", "\"list\": [], \"seq\""}}) {
    INFO(edit.second);
    const auto error = thrown([&] { parse_manifest(replaced(golden, edit.first, edit.second)); });
    REQUIRE(error);
    CHECK(error->code() == Code::f_manifest);
    CHECK(error->message().find("05070999751") == std::string::npos);
  }
}

TEST_CASE("a manifest that is not exactly one JSON object in UTF-8 is refused") {
  const std::string golden = test_data("manifest.json");
  const auto refused = [](std::string_view text) {
    return code_of([&] { parse_manifest(text); }) == Code::f_manifest;
  };
  for (const char* text : {"", " ", "null", "[]", "{}", "\"\"", "1", "{", "[{}]", "{\"format\"", "nul"}) {
    INFO(text);
    CHECK(refused(text));
  }
  CHECK(refused("\xef\xbb\xbf" + golden));
  CHECK(refused(golden + "{}"));
  CHECK(refused(golden + "x"));
  CHECK(refused(golden + std::string(1, '\0')));
  CHECK(refused(golden + std::string(1, '\0') + "hidden"));
  CHECK(refused(std::string(1, '\0') + golden));
  CHECK(refused("// a word\n" + golden));
  CHECK(refused(replaced(golden, "\"revision\"", "/* two */ \"revision\"")));
  CHECK(refused(replaced(golden, "veerdienst 1.0.0", "\xc3\x28")));
  CHECK(refused(replaced(golden, "veerdienst 1.0.0", "\\ud800")));
  CHECK(refused(replaced(golden, "1.0.0\"\n}", "1.0.0\",\n}")));
  CHECK(refused(replaced(golden, "\"revision\"", "\"deep\": [[[[]]]], \"revision\"")));
  CHECK(refused(std::string(60000, '[')));
  CHECK(refused(golden + std::string(std::size_t{64} * 1024, ' ')));
  CHECK_FALSE(refused(golden + std::string(std::size_t{64} * 1024 - golden.size(), ' ')));
}

TEST_CASE("a manifest that would be refused is not written either") {
  const auto refused = [](auto change) {
    Manifest manifest = sample_manifest();
    change(manifest);
    return code_of([&] { manifest_json(manifest); }) == Code::f_manifest;
  };
  CHECK(refused([](Manifest& m) { m.exchange.clear(); }));
  CHECK(refused([](Manifest& m) { m.revision = -1; }));
  CHECK(refused([](Manifest& m) { m.revision = 1000; }));
  CHECK(refused([](Manifest& m) { m.audit.seq = -1; }));
  CHECK(refused([](Manifest& m) { m.sender.key[0] = 'a'; }));
  CHECK(refused([](Manifest& m) { m.generator = "\xff"; }));
  CHECK(refused([](Manifest& m) { m.reference_date = Date(); }));
}

TEST_CASE("a package holds the manifest and the list, and the list is read where it lies") {
  const std::string archive = write_package(sample_manifest(), kList);
  const PackageView view = read_package(archive);
  CHECK(view.manifest_json == test_data("manifest.json"));
  CHECK(view.list_csv == kList);
  CHECK(lies_within(view.list_csv, archive));
}

TEST_CASE("a package is the same bytes for the same input, on any machine") {
  const std::string archive = write_package(sample_manifest(), kList);
  CHECK(archive == write_package(sample_manifest(), kList));
  CHECK(archive.size() == 512 + 1024 + 512 + 512 + 1024);
  CHECK(sha256_hex(archive) == "afa53c86ad48dd5f2b22a2f84990463ffd9fb468121080de1218ebd99a5a2fc1");
}

TEST_CASE("lists of every size around a block's survive the package") {
  for (const std::size_t size : {0U, 1U, 5U, 511U, 512U, 513U, 1024U, 10239U, 10240U, 10241U, 3'000'000U}) {
    const std::string list(size, '1');
    const std::string archive = write_package(sample_manifest(), list);
    CHECK(archive.size() % 512 == 0);
    CHECK(read_package(archive).list_csv == list);
  }
}

TEST_CASE("GNU tar lists and extracts a package") {
  const TempFolder folder;
  write(folder / "p.tar", write_package(sample_manifest(), kList));
  const std::string tar = fmt::format("cd {} && tar ", folder.path().native());
  CHECK(shell(tar + "tf p.tar 2>&1").output == "manifest.json\nlist.csv\n");
  CHECK(shell(tar + "xOf p.tar manifest.json").output == test_data("manifest.json"));
  CHECK(shell(tar + "xOf p.tar list.csv").output == kList);
  CHECK(shell(tar + "--numeric-owner --utc --full-time -tvf p.tar list.csv").output ==
        "-rw------- 0/0              41 1970-01-01 00:00:00 list.csv\n");
}

TEST_CASE("a package made by hand with GNU tar is accepted") {
  const TempFolder folder;
  write(folder / "manifest.json", test_data("manifest.json"));
  write(folder / "list.csv", kList);
  const std::string tar = fmt::format("cd {} && tar ", folder.path().native());
  for (const char* options :
       {"--format=ustar", "--format=ustar -b 1", "--format=ustar --owner=operator:1000 --mode=0644",
        "--format=ustar --owner=0 --group=0 --mtime=@0"}) {
    INFO(options);
    REQUIRE(shell(fmt::format("{} {} -cf p.tar manifest.json list.csv", tar, options)).exit_code == 0);
    const std::string archive = read(folder / "p.tar");
    const PackageView view = read_package(archive);
    CHECK(manifest_json(parse_manifest(view.manifest_json)) == test_data("manifest.json"));
    CHECK(view.list_csv == kList);
    CHECK(lies_within(view.list_csv, archive));
  }
}

TEST_CASE("an archive that tar makes in another way or of other members is refused") {
  const TempFolder folder;
  write(folder / "manifest.json", test_data("manifest.json"));
  write(folder / "list.csv", kList);
  write(folder / "extra", "x");
  const std::string in = fmt::format("cd {} && ", folder.path().native());
  for (const char* command : {
           "tar --format=pax -cf p.tar manifest.json list.csv",
           "tar --format=pax --pax-option=comment=x -cf p.tar manifest.json list.csv",
           "tar --format=gnu -cf p.tar manifest.json list.csv",
           "tar --format=v7 -cf p.tar manifest.json list.csv",
           "tar --format=ustar -cf p.tar list.csv manifest.json",
           "tar --format=ustar -cf p.tar manifest.json",
           "tar --format=ustar -cf p.tar manifest.json list.csv extra",
           "tar --format=ustar -cf p.tar extra manifest.json list.csv",
           "tar --format=ustar -cf p.tar manifest.json list.csv list.csv --hard-dereference",
           "tar --format=ustar -cf p.tar ./manifest.json ./list.csv",
           "tar --format=ustar --transform='s,^,a/,' -cf p.tar manifest.json list.csv",
           "tar --format=ustar -czf p.tar manifest.json list.csv",
           "ln -sf extra m; tar --format=ustar --transform='s,^m$,manifest.json,' -cf p.tar m list.csv",
           "ln -f manifest.json l; tar -H ustar --transform='s,^l$,list.csv,' -cf p.tar manifest.json l",
           "mkdir d; tar --format=ustar --transform='s,^d$,manifest.json,' -cf p.tar d list.csv",
           "truncate -s 1M s; tar --format=gnu -S --transform='s,^s$,list.csv,' -cf p.tar manifest.json s",
           "tar --format=ustar -cf p.tar manifest.json list.csv; cat p.tar p.tar > q.tar; mv q.tar p.tar",
           "tar --format=ustar -cf p.tar manifest.json list.csv; echo x >> p.tar",
       }) {
    INFO(command);
    REQUIRE(shell(fmt::format("{} ({}) 2>&1", in, command)).exit_code == 0);
    const std::string archive = read(folder / "p.tar");
    CHECK(code_of([&] { read_package(archive); }) == Code::f_archive);
  }
}

TEST_CASE("a header field that means something else to a tar is refused") {
  const std::string good = write_package(sample_manifest(), kList);
  constexpr std::size_t kListHeader = 512 + 1024;
  REQUIRE(read_package(with_header(good, kListHeader, 136, "17777777777")).list_csv == kList);  // mtime: any
  struct Field {
    std::size_t at;
    std::string bytes;
  };
  for (const Field& field : {
           Field{0, "list.csw"},
           Field{8, std::string("\0x", 2)},                              // after the name's end
           Field{124, "77777777777"},                                    // beyond the archive
           Field{124, std::string("\x80\0\0\0\0\0\0\0\0\0\0\x29", 12)},  // base 256 (GNU)
           Field{124, "-0000000051"},
           Field{124, "00000 00051"},
           Field{124, std::string(12, ' ')},
           Field{156, std::string(1, '\0')},
           Field{156, "1"},
           Field{156, "2"},
           Field{156, "5"},
           Field{156, "7"},
           Field{156, "x"},
           Field{156, "g"},
           Field{156, "L"},
           Field{156, "S"},
           Field{157, "manifest.json"},
           Field{257, "ustar  "},
           Field{263, "01"},
           Field{345, "folder"},
           Field{511, "x"},
       }) {
    INFO(field.at << " " << field.bytes);
    CHECK(code_of([&] { read_package(with_header(good, kListHeader, field.at, field.bytes)); }) ==
          Code::f_archive);
  }
  std::string wrong_sum = good;
  wrong_sum[kListHeader + 136] = '1';
  CHECK(code_of([&] { read_package(wrong_sum); }) == Code::f_archive);
}

TEST_CASE("no byte can be hidden in padding or after the end, and an archive cut anywhere is refused") {
  const std::string good = write_package(sample_manifest(), kList);
  const std::size_t manifest_end = 512 + test_data("manifest.json").size();
  const std::size_t list_end = 512 + 1024 + 512 + kList.size();
  for (const std::size_t at :
       {manifest_end, std::size_t{512 + 1023}, list_end, good.size() - 1024, good.size() - 1}) {
    std::string changed = good;
    changed[at] = 'x';
    CHECK(code_of([&] { read_package(changed); }) == Code::f_archive);
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK(code_of([&] { read_package(std::string_view(good).substr(0, size)); }) == Code::f_archive);
  CHECK(read_package(good + std::string(512, '\0')).list_csv == kList);
  CHECK(code_of([&] { read_package(good + std::string(511, '\0')); }) == Code::f_archive);
}

TEST_CASE("a manifest with random damage is refused, or is another manifest that is read and written alike") {
  Samples samples(2);
  const std::string golden = test_data("manifest.json");
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = mutate(golden, samples.random());
    std::string again;
    const auto code = code_of([&] { again = manifest_json(parse_manifest(text)); });
    if (code) {
      REQUIRE(code == Code::f_manifest);
    } else {
      ++read;
      REQUIRE(manifest_json(parse_manifest(again)) == again);
    }
  }
  CHECK(read > 100);
  CHECK(read < 10000);
}

TEST_CASE("an archive with random damage is refused, or holds two members within its own bytes") {
  Samples samples(3);
  const std::string good = write_package(sample_manifest(), kList);
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string archive = mutate(good, samples.random());
    std::optional<PackageView> view;
    const auto code = code_of([&] { view = read_package(archive); });
    if (code) {
      REQUIRE(code == Code::f_archive);
    } else {
      ++read;
      REQUIRE(lies_within(view->list_csv, archive));
      REQUIRE(view->manifest_json.size() == test_data("manifest.json").size());
      REQUIRE(view->list_csv.size() == kList.size());
    }
  }
  CHECK(read > 100);
}

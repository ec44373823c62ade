#include "formats/receipt.h"

#include <fstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "support/mutate.h"
#include "support/samples.h"
#include "support/shell.h"
#include "support/temp_folder.h"
#include "support/thrown.h"

using namespace veer;
using namespace veer::test;

namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a receipt is written as the golden file has it, and read back") {
  const std::string golden = test_data("receipt.json");
  CHECK(receipt_json(sample_receipt()) == golden);
  const Receipt read = parse_receipt(golden);
  CHECK(read.exchange == sample_receipt().exchange);
  CHECK(read.package == sample_receipt().package);
  CHECK(read.package_sha256 == sample_receipt().package_sha256);
  CHECK(read.records == 3);
  CHECK(read.set_aside == 1);
  CHECK(read.status == ReceiptStatus::refused);
  REQUIRE(read.reasons.size() == 2);
  CHECK(read.reasons[0].code == Code::r_check);
  CHECK(read.reasons[0].count == 2);
  CHECK(read.reasons[0].text == sample_receipt().reasons[0].text);
  CHECK(read.reasons[1].code == Code::f_count);
  CHECK(read.found_at == sample_receipt().found_at);
  CHECK(read.recorded_at == sample_receipt().recorded_at);
  CHECK(read.receiver.key == sample_receipt().receiver.key);
  CHECK(read.audit.seq == 0);
}

TEST_CASE("every receipt that can be written is read as the same") {
  Samples samples(4);
  for (int i = 0; i < 2000; ++i) {
    const std::string text = receipt_json(samples.receipt());
    REQUIRE(receipt_json(parse_receipt(text)) == text);
  }
}

TEST_CASE("only a refusal may name no exchange") {
  Receipt receipt = sample_receipt();
  receipt.exchange.reset();
  CHECK_FALSE(parse_receipt(receipt_json(receipt)).exchange);
  CHECK(receipt_json(receipt).find("\"exchange\": null,") != std::string::npos);
  for (const char* status : {"recorded", "rehearsed"}) {
    const std::string text = replaced(receipt_json(receipt), "\"refused\"", fmt::format("\"{}\"", status));
    CHECK(code_of([&] { parse_receipt(text); }) == Code::f_manifest);
  }
  receipt.status = ReceiptStatus::recorded;
  CHECK(code_of([&] { receipt_json(receipt); }) == Code::f_manifest);
}

TEST_CASE("a receipt with a value of another shape is refused, naming the key") {
  struct Edit {
    const char* key;
    const char* from;
    const char* to;
  };
  for (const Edit& edit : {
           Edit{"format", "veerdienst-receipt/1", "veerdienst-package/1"},
           Edit{"exchange", "7b0d1c52", "7b0d1c5"},
           Edit{"package", "vsb-inburgering-2026-r2_20260115093000123.pgp", "../list.pgp"},
           Edit{"package", "123.pgp", "123.refused.tar"},
           Edit{"package_sha256", "9f86d081", "9f86d08"},
           Edit{"records", "\"records\": 3", "\"records\": -3"},
           Edit{"set_aside", "\"set_aside\": 1", "\"set_aside\": 1.0"},
           Edit{"status", "\"refused\"", "\"accepted\""},
           Edit{"reasons", "\"reasons\": [", "\"reasons\": {}, \"x\": ["},
           Edit{"reasons", "\"reasons\": [", "\"reasons\": [ 1, "},
           Edit{"reasons[0].code", "R_CHECK", "R_NOTHING"},
           Edit{"reasons[0].code", "R_CHECK", "L_DATABASE"},
           Edit{"reasons[0].code", "R_CHECK", "r_check"},
           Edit{"reasons[0].count", "\"count\": 2", "\"count\": 0"},
           Edit{"reasons[0].text", "2 nummers", "2\\u001bnummers"},
           Edit{"reasons[0].text", "2 nummers", "2\\u007fnummers"},
           Edit{"reasons[0].text", "2 nummers", "2\\u009bnummers"},
           Edit{"reasons[1].text", "\"\"", "null"},
           Edit{"added", "\"added\": 0", "\"added\": \"0\""},
           Edit{"withdrawn", "\"withdrawn\": 0", "\"withdrawn\": null"},
           Edit{"found_at", "09:35:00.000Z", "9:35:00.000Z"},
           Edit{"recorded_at", "2026-01-15T09:35:02.007Z", ""},
           Edit{"receiver.party", "avsb", "a-b"},
           Edit{"receiver.key", "89ABCDEF", "89ABCDEG"},
           Edit{"audit.seq", "\"seq\": 0", "\"seq\": 9007199254740993"},
       }) {
    INFO(edit.key << " " << edit.from << " -> " << edit.to);
    const auto error =
        thrown([&] { parse_receipt(replaced(test_data("receipt.json"), edit.from, edit.to)); });
    REQUIRE(error);
    CHECK(error->code() == Code::f_manifest);
    CHECK(error->message().starts_with(fmt::format("receipt.json: {} must be ", edit.key)));
  }
}

TEST_CASE("a receipt lacks no key and has no other") {
  for (const char* key : {"format",    "exchange", "package",     "package_sha256", "records", "set_aside",
                          "status",    "reasons",  "code",        "count",          "text",    "added",
                          "withdrawn", "found_at", "recorded_at", "receiver",       "party",   "key",
                          "audit",     "seq",      "head"}) {
    INFO(key);
    const std::string quoted = fmt::format("\"{}\"", key);
    const auto lacking =
        thrown([&] { parse_receipt(replaced(test_data("receipt.json"), quoted, "\"other\"")); });
    REQUIRE(lacking);
    CHECK(lacking->message().find(fmt::format("{} must be there", key)) != std::string::npos);
    for (const std::string& added : {std::string("\"other\""), quoted}) {
      const std::string more = fmt::format("{}: 1, {}", added, quoted);
      CHECK(code_of([&] { parse_receipt(replaced(test_data("receipt.json"), quoted, more)); }) ==
            Code::f_manifest);
    }
  }
}

TEST_CASE("reasons and their texts have a limit, read and written") {
  const auto with_reasons = [](std::size_t count, const std::string& text) {
    Receipt receipt = sample_receipt();
    receipt.reasons.assign(count, Reason{Code::r_day, 1, text});
    return receipt_json(receipt);
  };
  std::string text;
  for (int i = 0; i < 500; ++i) text += "é";
  CHECK(parse_receipt(with_reasons(100, "short")).reasons.size() == 100);
  CHECK(parse_receipt(with_reasons(1, text)).reasons[0].text == text);
  CHECK(code_of([&] { with_reasons(101, "short"); }) == Code::f_manifest);
  CHECK(code_of([&] { with_reasons(1, text + "e"); }) == Code::f_manifest);
  CHECK(code_of([&] { with_reasons(1, "\xff"); }) == Code::f_manifest);
  CHECK(code_of([&] { with_reasons(100, text); }) == Code::f_manifest);  // too large as a whole
  const std::string one = with_reasons(1, text);
  CHECK(code_of([&] { parse_receipt(replaced(one, "é\"", "éé\"")); }) == Code::f_manifest);
}

TEST_CASE("a receipt's archive gives back both members, and GNU tar extracts them") {
  const SignedReceipt receipt{test_data("receipt.json"), std::string("\x88\x75\x04\0\xff\n", 6)};
  const std::string archive = write_receipt_archive(receipt);
  const SignedReceipt read = read_receipt_archive(archive);
  CHECK(read.json == receipt.json);
  CHECK(read.signature == receipt.signature);

  const TempFolder folder;
  std::ofstream(folder / "r.tar", std::ios::binary) << archive;
  const std::string in = fmt::format("cd {} && ", folder.path().native());
  CHECK(shell(in + "tar tf r.tar").output == "receipt.json\nreceipt.json.sig\n");
  CHECK(shell(in + "tar xf r.tar && cat receipt.json").output == receipt.json);
  CHECK(shell(in + "cat receipt.json.sig").output == receipt.signature);
  REQUIRE(shell(in + "tar --format=ustar -cf hand.tar receipt.json receipt.json.sig").exit_code == 0);
  CHECK(read_receipt_archive(shell(in + "cat hand.tar").output).json == receipt.json);
}

TEST_CASE("a receipt's archive of other members or above its cap is refused") {
  const SignedReceipt receipt{test_data("receipt.json"), "signature"};
  const std::string archive = write_receipt_archive(receipt);
  CHECK(code_of([&] { read_receipt_archive(write_package(sample_manifest(), "insz\n")); }) ==
        Code::f_archive);
  CHECK(code_of([&] { read_receipt_archive(archive + std::string(kReceiptCap, '\0')); }) == Code::f_archive);
  CHECK(read_receipt_archive(archive + std::string(kReceiptCap - archive.size(), '\0')).json == receipt.json);
  CHECK(code_of([&] {
          write_receipt_archive({receipt.json, std::string(kReceiptCap, 's')});
        }) == Code::f_archive);
}

TEST_CASE("a receipt with random damage is refused, or is another receipt that is read and written alike") {
  Samples samples(5);
  const std::string golden = test_data("receipt.json");
  const std::string archive = write_receipt_archive({golden, "signature"});
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string text = mutate(golden, samples.random());
    std::string again;
    const auto code = code_of([&] { again = receipt_json(parse_receipt(text)); });
    if (code) {
      REQUIRE(code == Code::f_manifest);
    } else {
      ++read;
      REQUIRE(receipt_json(parse_receipt(again)) == again);
    }
    const auto archive_code = code_of([&] { read_receipt_archive(mutate(archive, samples.random())); });
    if (archive_code) REQUIRE(archive_code == Code::f_archive);
  }
  CHECK(read > 100);
  CHECK(read < 10000);
}

#include "fuzz/targets.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "connectors/ftp_listing.h"
#include "connectors/graph_json.h"
#include "connectors/url.h"
#include "core/error.h"
#include "core/log.h"
#include "daemon/config.h"
#include "daemon/persons.h"
#include "formats/care_fund.h"
#include "formats/list.h"
#include "formats/membership.h"
#include "formats/names.h"
#include "formats/package.h"
#include "formats/packets.h"
#include "formats/quality_case.h"
#include "formats/receipt.h"
#include "support/slow_insz.h"

namespace veer::test {
namespace {

constexpr Date kReference = std::chrono::January / 1 / 2026;

void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

/// What a list that was read has in common with every other.
void require_sound(const ListReport& report) {
  const auto& numbers = report.good() ? report.numbers : report.rest;
  for (std::size_t i = 1; i < numbers.size(); ++i) require(numbers[i - 1] < numbers[i], "a list rises");
  for (const Insz& number : numbers) {
    const auto digits = number.digits();
    require(slow::verdict({digits.data(), digits.size()}, "20260101") == "OK", "a list holds persons alone");
  }
  require(report.good() || report.numbers.empty(), "a list with faults gives no numbers");
  require(report.faults.size() <= 100, "a hundred faults are listed");
  for (const Fault& fault : report.faults)
    require(fault.place.size() < 40 && without_numbers(fault.place) == fault.place,
            "a place names no person");
}

/// What is written of what was read is read as the same again.
template <typename Parse, typename Write>
void require_same_again(std::string_view text, Parse parse, Write write) {
  const std::string once = write(parse(text));
  require(write(parse(once)) == once, "what was read is written and read again the same");
}

void insz(std::string_view bytes) {
  const std::string text(bytes);
  Insz number;
  const auto fault = Insz::parse(text, kReference, number);
  const std::string verdict = fault ? std::string(code_name(*fault)) : "OK";
  require(verdict == slow::verdict(text, "20260101"), "a number is judged as the slow rules judge it");
}

void text_list(std::string_view bytes) { require_sound(read_text_list(bytes, kReference)); }

void spreadsheet_list(std::string_view bytes) { require_sound(read_spreadsheet_list(bytes, kReference)); }

void package_list(std::string_view bytes) {
  const ListReport report = read_package_list(bytes, kReference);
  require_sound(report);
  if (report.good()) require(write_package_list(report.numbers) == bytes, "a package's list has one form");
}

void package(std::string_view bytes) {
  const PackageView view = read_package(bytes);
  require(view.list_csv.size() + view.manifest_json.size() <= bytes.size(), "what is in it is of it");
}

void manifest(std::string_view bytes) {
  require_same_again(bytes, parse_manifest, manifest_json);
  const Manifest read = parse_manifest(bytes);
  const int year = static_cast<int>(read.reference_date.year());
  const std::string stem = make_stem(read.purpose, year, static_cast<int>(read.revision), read.sealed_at);
  require(parse_file_name(file_name(stem, FileKind::package)).has_value(),
          "a manifest gives its file a name");
}

void receipt(std::string_view bytes) { require_same_again(bytes, parse_receipt, receipt_json); }

void receipt_archive(std::string_view bytes) { read_receipt_archive(bytes); }

void quality_case(std::string_view bytes) { require_same_again(bytes, parse_case, case_json); }

void case_answer(std::string_view bytes) { require_same_again(bytes, parse_answer, answer_json); }

void care_fund(std::string_view bytes) { require_same_again(bytes, parse_care_fund, care_fund_json); }

void membership(std::string_view bytes) { read_membership("ledenbestand-2026-02-20.csv", bytes); }

void persons(std::string_view bytes) { read_persons(bytes, 5000, kReference); }

void file_name_on_share(std::string_view bytes) {
  const auto name = parse_file_name(bytes);
  if (!name) return;
  require(file_name(name->stem, name->kind, name->copy, name->number) == bytes, "a name has one form");
  require(bytes.find('/') == std::string_view::npos && !bytes.starts_with('.'), "a name stays in its folder");
  facts_in_stem(name->stem);
}

void openpgp_packets(std::string_view bytes) {
  packet_tags(MemoryBlob(bytes), 10);
  signature_kind(MemoryBlob(bytes));
}

void ftp_listing(std::string_view bytes) {
  parse_mlsd(bytes);
  parse_unix_list(bytes);
  parse_ftp_time(bytes);
  parse_ftp_size(bytes);
}

template <typename Call>
void may_refuse(Call call) {
  try {
    call();
  } catch (const Error& error) {
    require(error.code() == Code::s_protocol, "what the share says wrongly is a fault of its protocol");
  }
}

void graph_json(std::string_view bytes) {
  may_refuse([&] { parse_item(bytes); });
  may_refuse([&] { parse_page(bytes); });
  may_refuse([&] { parse_drives(bytes); });
  may_refuse([&] { parse_id(bytes); });
  may_refuse([&] { parse_room(bytes); });
  may_refuse([&] { parse_upload(bytes); });
  may_refuse([&] { parse_ticket(bytes); });
  may_refuse([&] { parse_problem(bytes); });
  may_refuse([&] { parse_sign_in_problem(bytes); });
}

void https_address(std::string_view bytes) { parse_https(bytes); }

void configuration(std::string_view bytes) { parse_config(bytes, "fuzz.toml"); }

constexpr std::array kTargets = {
    FuzzTarget{"insz", insz},
    FuzzTarget{"text_list", text_list},
    FuzzTarget{"spreadsheet_list", spreadsheet_list},
    FuzzTarget{"package_list", package_list},
    FuzzTarget{"package", package},
    FuzzTarget{"manifest", manifest},
    FuzzTarget{"receipt", receipt},
    FuzzTarget{"receipt_archive", receipt_archive},
    FuzzTarget{"quality_case", quality_case},
    FuzzTarget{"case_answer", case_answer},
    FuzzTarget{"care_fund", care_fund},
    FuzzTarget{"membership", membership},
    FuzzTarget{"persons", persons},
    FuzzTarget{"file_name", file_name_on_share},
    FuzzTarget{"openpgp_packets", openpgp_packets},
    FuzzTarget{"ftp_listing", ftp_listing},
    FuzzTarget{"graph_json", graph_json},
    FuzzTarget{"https_address", https_address},
    FuzzTarget{"configuration", configuration},
};

}  // namespace

std::span<const FuzzTarget> fuzz_targets() { return kTargets; }

void read_with(const FuzzTarget& target, std::string_view bytes) {
  try {
    target.read(bytes);
  } catch (const Error& error) {
    require(!error.message().empty(), "an error says what is wrong");
    // Eleven digits of a test's own may stand in what it fuzzes: what counts is that no reader quotes them.
    require(without_typed_numbers(error.message()) == error.message(), "an error quotes no number");
  }
}

}  // namespace veer::test

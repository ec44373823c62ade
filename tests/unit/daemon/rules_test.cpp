#include "daemon/rules.h"

#include <catch2/catch.hpp>

#include "core/digest.h"
#include "core/error.h"
#include "core/files.h"
#include "support/temp_folder.h"

using namespace veer;
using namespace veer::test;

namespace {

Date day(std::string_view text) { return parse_date(text).value(); }

template <typename Call>
std::string code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(code_name(error.code()));
  }
  return "ok";
}

std::string reference(std::string_view date, std::string_view today = "2026-06-01") {
  return code_of([&] { require_reference_date(day(date), day(today)); });
}

/// With a legal basis of 2022 to 2027.
Config config_of(Environment environment) {
  Config config;
  config.environment = environment;
  static const TempFolder folder;
  static constexpr std::string_view kText = "a provision";
  write_file(folder / "basis.txt", kText);
  config.legal_basis = LegalBasis{.document = folder / "basis.txt",
                                  .document_sha256 = sha256_hex(kText),
                                  .confirmed_on = day("2022-01-01"),
                                  .valid_until = day("2027-12-31")};
  return config;
}

std::string window(int year, std::string_view today, Environment environment = Environment::production) {
  return code_of([&] { require_allowed(config_of(environment), Work::first_list, year, day(today)); });
}

std::string correction(int year, std::string_view today, Environment environment = Environment::production) {
  return code_of([&] { require_allowed(config_of(environment), Work::correction, year, day(today)); });
}

}  // namespace

TEST_CASE("Q31: which lists wait for a second person is the configuration's to say, but not in production") {
  IntakeConfig intake;
  const auto waits = [&](std::uint64_t records, std::optional<std::uint64_t> last,
                         Environment environment = Environment::test, std::uint64_t set_aside = 0,
                         bool second = false) {
    return needs_release(intake, environment, records, last, set_aside, second);
  };
  intake.release = Release::never;
  CHECK_FALSE(waits(10, std::nullopt));
  CHECK_FALSE(waits(10, 10, Environment::test, 0, true));
  CHECK(waits(10, 10, Environment::production));
  CHECK(waits(10, 10, Environment::test, 1));
  intake.release = Release::always;
  CHECK(waits(10, 10));
  intake.release = Release::unusual;
  CHECK(waits(10, std::nullopt));
  CHECK_FALSE(waits(130, 100));
  CHECK(waits(131, 100));
  CHECK_FALSE(waits(70, 100));
  CHECK(waits(69, 100));
  CHECK(waits(1, 0));
  CHECK_FALSE(waits(0, 0));
  CHECK(waits(10, 10, Environment::test, 0, true));
  CHECK(waits(100, 100, Environment::production));
  intake.unusual_percent = 1;
  CHECK(waits(102, 100));
}

TEST_CASE("Q31: nobody decides what they asked for themselves, and in production only an approver does") {
  const AccessConfig access{.operators = {}, .approvers = {"daemon"}, .auditors = {}};
  const Person daemon = person_of(1);  // as on every Debian
  const Person other{4242, "other"};
  const auto decides = [&](Environment environment, const std::optional<Person>& asker, const Person& who) {
    return code_of([&] { require_second_person(environment, access, asker, who); });
  };
  for (const Environment environment : {Environment::test, Environment::production}) {
    CHECK(decides(environment, daemon, daemon) == "C_USER");
    CHECK(decides(environment, other, daemon) == "ok");
    CHECK(decides(environment, std::nullopt, daemon) == "ok");
  }
  CHECK(decides(Environment::test, daemon, other) == "ok");
  CHECK(decides(Environment::production, daemon, other) == "C_USER");
  CHECK(decides(Environment::production, daemon, person_of(0)) == "C_USER");
}

TEST_CASE(
    "Q31: in production a dropped file's owner is an operator, never unknown, root, nobody or the service") {
  const AccessConfig access{.operators = {"daemon", "root", "nogroup"}, .approvers = {}, .auditors = {}};
  const auto offers = [&](Environment environment, uid_t owner, std::uint32_t mode = 0640,
                          uid_t service = 3) {
    const FileIdentity file{.owner = owner, .mode = mode};
    return code_of([&] { require_offerer(environment, access, file, service); });
  };
  CHECK(offers(Environment::production, 1) == "ok");
  CHECK(offers(Environment::production, 1, 0640, 1) == "I_OWNER");
  CHECK(offers(Environment::test, 1, 0640, 1) == "ok");
  for (const std::uint32_t mode : {0660U, 0646U, 0666U}) {  // who wrote it, nobody knows
    CAPTURE(mode);
    CHECK(offers(Environment::production, 1, mode) == "I_OWNER");
    CHECK(offers(Environment::test, 1, mode) == "ok");
  }
  for (const uid_t owner : {uid_t{0}, uid_t{2}, uid_t{65534}, uid_t{3999999}}) {
    CAPTURE(owner);
    CHECK(offers(Environment::production, owner) == "I_OWNER");
    CHECK(offers(Environment::test, owner) == "ok");
  }
}

TEST_CASE("Q02: only a 1 January is a reference date") {
  CHECK(reference("2026-01-01") == "ok");
  CHECK(reference("2026-01-02") == "F_REFERENCE_DATE");
  CHECK(reference("2025-12-31") == "F_REFERENCE_DATE");
  CHECK(reference("2026-01-01", "2025-12-31") == "F_REFERENCE_DATE");
  CHECK(reference("2026-01-01", "2026-01-01") == "ok");
}

TEST_CASE("Q03: the premium year follows the reference year, and the protocol knows no year before 2022") {
  CHECK(premium_year_of(2022) == 2023);
  CHECK(reference("2021-01-01") == "F_REFERENCE_DATE");
  CHECK(reference("2022-01-01") == "ok");
}

TEST_CASE(
    "Q07: in production a first list travels until the last day of the transition and not a day longer") {
  CHECK(window(2026, "2026-12-31") == "ok");
  CHECK(window(2026, "2027-01-01") == "F_WINDOW");
  CHECK(window(2026, "2027-01-01", Environment::test) == "ok");
}

TEST_CASE("Q07: a reference year outside the agreed five is refused in every environment") {
  CHECK(window(2021, "2026-06-01") == "F_WINDOW");
  CHECK(window(2022, "2026-06-01") == "ok");
  CHECK(window(2027, "2026-06-01", Environment::test) == "F_WINDOW");
}

TEST_CASE("Q13: in production no list is worked on without a legal basis that holds on that day") {
  Config config = config_of(Environment::production);
  const auto works = [&](std::string_view today) {
    return code_of([&] { require_allowed(config, Work::correction, 2026, day(today)); });
  };
  CHECK(works("2021-12-31") == "C_LEGAL_BASIS");
  CHECK(works("2022-01-01") == "ok");
  CHECK(works("2027-12-31") == "ok");
  CHECK(works("2028-01-01") == "C_LEGAL_BASIS");
  config.legal_basis->notice_given = day("2025-06-30");
  CHECK(works("2026-06-30") == "ok");
  CHECK(works("2026-07-01") == "C_LEGAL_BASIS");
  config.legal_basis.reset();
  CHECK(works("2026-06-01") == "C_LEGAL_BASIS");
  config.environment = Environment::test;
  CHECK(works("2099-06-01") == "ok");
}

TEST_CASE("a correction outlives the window, and not the legal basis") {
  CHECK(window(2026, "2027-01-01") == "F_WINDOW");
  CHECK(correction(2026, "2027-01-01") == "ok");
  CHECK(correction(2027, "2027-01-01") == "F_WINDOW");
  CHECK(correction(2026, "2028-01-01") == "C_LEGAL_BASIS");
}

TEST_CASE("Q50: an exchange that was terminated by notice ends twelve months later") {
  CHECK(end_after_notice(day("2026-03-01")) == day("2027-03-01"));
  CHECK(end_after_notice(day("2024-02-29")) == day("2025-02-28"));
  LegalBasis basis{.confirmed_on = day("2022-01-01"), .valid_until = day("2026-12-31")};
  CHECK(last_day(basis) == day("2026-12-31"));
  basis.notice_given = day("2025-05-01");
  CHECK(last_day(basis) == day("2026-05-01"));
  basis.notice_given = day("2026-05-01");
  CHECK(last_day(basis) == day("2026-12-31"));
}

TEST_CASE("Q31: a person stays the one who asked, by number or by name, though accounts get other numbers") {
  AccessConfig access;
  const auto refused = [&](const Person& asker, const Person& who) {
    return code_of([&] { require_second_person(Environment::test, access, asker, who); }) == "C_USER";
  };
  CHECK(refused({1000, "alice (1000)"}, {1000, "alice (1000)"}));
  CHECK(refused({1000, "alice (1000)"}, {1001, "alice (1001)"}));
  CHECK(refused({1000, "alice (1000)"}, {1000, "bob (1000)"}));
  CHECK_FALSE(refused({1000, "alice (1000)"}, {1001, "bob (1001)"}));
  CHECK_FALSE(refused({1000, "uid 1000"}, {1001, "uid 1001"}));
}

TEST_CASE("Q31: in production neither root nor the service's own user asks for what another person decides") {
  const auto refused = [](Environment environment, uid_t who) {
    return code_of([&] { require_named_person(environment, {who, "x"}, 990); }) == "C_USER";
  };
  CHECK(refused(Environment::production, 0));
  CHECK(refused(Environment::production, 990));
  CHECK_FALSE(refused(Environment::production, 1000));
  CHECK_FALSE(refused(Environment::test, 990));
}

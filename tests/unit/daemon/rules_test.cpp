#include "daemon/rules.h"

#include <catch2/catch.hpp>

#include "core/error.h"

using namespace veer;

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

std::string window(int year, std::string_view today, Environment environment = Environment::production) {
  return code_of([&] { require_window(Window{}, environment, year, day(today)); });
}

}  // namespace

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

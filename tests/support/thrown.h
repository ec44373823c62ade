#pragma once

#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "core/error.h"

namespace veer::test {

/// The error that `call` ends with; empty when it returns.
template <typename Call>
std::optional<Error> thrown(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

/// The code of the error that `call` ends with; empty when it returns.
template <typename Call>
std::optional<Code> code_of(Call call) {
  const auto error = thrown(call);
  return error ? std::optional(error->code()) : std::nullopt;
}

}  // namespace veer::test

template <>
struct Catch::StringMaker<veer::Code> {
  static std::string convert(veer::Code code) { return std::string(veer::code_name(code)); }
};

template <>
struct Catch::StringMaker<std::optional<veer::Code>> {
  static std::string convert(std::optional<veer::Code> code) {
    return code ? std::string(veer::code_name(*code)) : "no error";
  }
};

#pragma once

#include <charconv>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/error.h"
#include "daemon/commands/context.h"
#include "daemon/database.h"

namespace veer {

/// The books of one's own instance, to be read.
struct OwnBooks {
  Config config;
  SystemClock clock;
  std::unique_ptr<Database> db;

  explicit OwnBooks(const Context& context) : config(context.own_config()), db(open_books(config)) {}
};

/// A number that somebody typed. Throws U_USAGE, which says what is `named` by it and where it stands.
inline std::int64_t typed_number(const std::string& text, const char* named) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) throw Error(Code::u_usage, named);
  return number;
}

}  // namespace veer

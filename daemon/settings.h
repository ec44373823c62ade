#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/clock.h"
#include "daemon/database.h"

namespace veer {

/// Since when a service runs, for as long as it was not stopped.
inline constexpr const char* kRunsSince = "runs_since";
/// By which restored books know that they are such, until the service has begun with them.
inline constexpr const char* kRestoredBooks = "restored_books";

/// Facts about the instance itself, one each. Callers open the transactions, but where it says otherwise. One
/// thread.
class Settings {
 public:
  Settings(Database& database, const Clock& clock) : db_(database), clock_(clock) {}

  /// When the last key of a party that may be used ends, as it was last looked up; empty: never.
  std::optional<Time> key_end(const std::string& party);
  void keep_key_end(const std::string& party, const std::optional<Time>& end);
  /// That a channel of [alerts] told somebody, by the digest of its settings; empty when none ever did.
  void keep_proof(const std::string& channel, const std::string& settings);
  std::string proof_of(const std::string& channel);
  /// Test and production never share books: throws C_CONFIG when these are of the other environment. In a
  /// transaction of its own.
  void claim(const std::string& environment);
  /// When this side first ran: now, the first time that it is asked, and when that lies in the future.
  Time begin();
  /// The same; empty when it never ran.
  std::optional<Time> began();
  /// When a letter of the other side's came last; empty when none ever did.
  std::optional<Time> heard();
  void hear();
  /// When the path was closed for good; empty while it is not.
  std::optional<Time> closed_out();
  void close_out();

  /// Any fact by its name; empty when it is not known.
  std::string text(const std::string& name);
  std::optional<std::int64_t> number(const std::string& name);
  void set(const std::string& name, const std::string& value);
  void forget(const std::string& name);

 private:
  std::optional<Time> time(const std::string& name);

  Database& db_;
  const Clock& clock_;
};

}  // namespace veer
